/* SPDX-License-Identifier: MIT */
/* Tasks in the background, and errors that nobody waits for. */
#include "support.h"

#include <ctxvar/spawn.h>

CX_VAR(int, number, .initial = -1);

/* What the handler was told, and where. */
struct failures {
    int errors[8];
    int count;
    int number;
    const cx_task *task;
};

static void note_failure(int error, void *arg)
{
    struct failures *failures = arg;

    failures->errors[failures->count++] = error;
    failures->number = cx_get(number);
    failures->task = cx_task_current();
}

static int give(void *arg)
{
    return (int)(intptr_t)arg;
}

static int give_later(void *arg)
{
    (void)cx_sleep(1);
    return give(arg);
}

static void await_failures(const struct failures *failures, int count)
{
    while (failures->count < count)
        assert_int_equal(cx_sleep(1), 0);
}

TASK_TEST(an_error_in_the_background_is_told)
{
    struct failures failures = {.count = 0};

    assert_int_equal(cx_on_failure(note_failure, &failures), 0);
    assert_int_equal(cx_spawn(give_later, as_pointer(-EIO)), 0);
    await_failures(&failures, 1);
    assert_int_equal(failures.errors[0], -EIO);
}

TASK_TEST(success_and_being_cancelled_are_not_told)
{
    struct failures failures = {.count = 0};

    assert_int_equal(cx_on_failure(note_failure, &failures), 0);
    assert_int_equal(cx_spawn(give, as_pointer(0)), 0);
    assert_int_equal(cx_spawn(give, as_pointer(-ECANCELED)), 0);
    assert_int_equal(cx_sleep(1), 0);
    assert_int_equal(failures.count, 0);
}

static int set_and_fail(void *arg)
{
    *(cx_task **)arg = cx_task_current();
    (void)cx_set(number, 6);
    return -EIO;
}

/* 94 */
TASK_TEST(the_handler_runs_in_the_task_that_has_failed)
{
    struct failures failures = {.count = 0};
    cx_task *task = NULL;

    assert_int_equal(cx_on_failure(note_failure, &failures), 0);
    assert_int_equal(cx_spawn(set_and_fail, &task), 0);
    await_failures(&failures, 1);
    assert_int_equal(failures.number, 6);
    assert_ptr_equal(failures.task, task);
    assert_ptr_not_equal(failures.task, cx_task_current());
}

TASK_TEST(without_a_handler_an_error_is_lost)
{
    struct failures failures = {.count = 0};

    assert_int_equal(cx_spawn(give, as_pointer(-EIO)), 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_on_failure(note_failure, &failures), 0);
    assert_int_equal(cx_on_failure(NULL, NULL), 0);
    assert_int_equal(cx_spawn(give, as_pointer(-EIO)), 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(failures.count, 0);
}

TASK_TEST(errors_of_a_group_that_nobody_waited_for_are_told)
{
    struct failures failures = {.count = 0};
    cx_group *group = cx_group_new(NULL);

    assert_int_equal(cx_on_failure(note_failure, &failures), 0);
    assert_int_equal(cx_group_start(group, give, as_pointer(-EIO)), 0);
    assert_int_equal(cx_group_start(group, give, as_pointer(-EDOM)), 0);
    assert_int_equal(cx_yield(), 0);
    cx_group_free(group);
    assert_int_equal(failures.count, 2);
    assert_int_equal(failures.errors[0], -EIO);
    assert_int_equal(failures.errors[1], -EDOM);
}

TASK_TEST(errors_that_a_wait_has_returned_are_not_told)
{
    struct failures failures = {.count = 0};
    cx_group *group = cx_group_new(NULL);

    assert_int_equal(cx_on_failure(note_failure, &failures), 0);
    assert_int_equal(cx_group_start(group, give, as_pointer(-EIO)), 0);
    assert_int_equal(cx_group_wait(group), -EIO);
    cx_group_free(group);
    assert_int_equal(failures.count, 0);
}

static struct failures at_the_end;

static int fail_when_cancelled(void *arg)
{
    (void)cx_sleep(UINT64_MAX);
    return give(arg);
}

static void *leave_in_the_background(void *arg)
{
    (void)cx_on_failure(note_failure, &at_the_end);
    (void)cx_spawn(fail_when_cancelled, as_pointer(-EIO));
    (void)cx_yield();
    return arg;
}

static void the_background_is_cancelled_with_the_loop_and_told_of(void **state)
{
    (void)state;
    assert_int_equal(cx_run(leave_in_the_background, NULL, NULL), 0);
    assert_int_equal(at_the_end.count, 1);
    assert_int_equal(at_the_end.errors[0], -EIO);
}

TASK_TEST(nothing_in_the_background_is_refused)
{
    assert_int_equal(cx_spawn(NULL, NULL), -EINVAL);
}

static void without_a_loop_there_is_no_background(void **state)
{
    (void)state;
    assert_int_equal(cx_spawn(give, NULL), -EPERM);
    assert_int_equal(cx_on_failure(note_failure, NULL), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_in_the_background_is_told),
        cmocka_unit_test(success_and_being_cancelled_are_not_told),
        cmocka_unit_test(the_handler_runs_in_the_task_that_has_failed),
        cmocka_unit_test(without_a_handler_an_error_is_lost),
        cmocka_unit_test(errors_of_a_group_that_nobody_waited_for_are_told),
        cmocka_unit_test(errors_that_a_wait_has_returned_are_not_told),
        cmocka_unit_test(the_background_is_cancelled_with_the_loop_and_told_of),
        cmocka_unit_test(nothing_in_the_background_is_refused),
        cmocka_unit_test(without_a_loop_there_is_no_background),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
