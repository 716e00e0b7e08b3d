/* SPDX-License-Identifier: MIT */
/* Groups: all end, the first failure ends the others, a limit holds. */
#include <ctxvar/group.h>
#include <ctxvar/sync.h>

#include "support.h"

static int running, most;

/* What a member is to do: sleep so long, then return that. */
struct work {
    uint64_t ms;
    int result;
    int seen; /* what its sleep gave */
};

static int work_run(void *arg)
{
    struct work *work = arg;

    running++;
    most = running > most ? running : most;
    work->seen = cx_sleep(work->ms);
    running--;
    return work->seen == 0 ? work->result : work->seen;
}

static cx_group *new_group(size_t limit)
{
    cx_group_options options = {.limit = limit};
    cx_group *group = cx_group_new(&options);

    assert_non_null(group);
    running = most = 0;
    return group;
}

TASK_TEST(a_group_waits_for_all_its_tasks)
{
    struct work work[3] = {{.ms = 3}, {.ms = 1}, {.ms = 2}};
    cx_group *group = new_group(0);

    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_group_start(group, work_run, &work[i]), 0);
    assert_int_equal(cx_group_wait(group), 0);
    assert_int_equal(running, 0);
    assert_int_equal(most, 3);
    cx_group_free(group);
}

TASK_TEST(the_first_failure_cancels_the_others_and_is_returned)
{
    struct work work[3] = {
        {.ms = UINT64_MAX}, {.ms = 1, .result = -EIO}, {.ms = UINT64_MAX}};
    cx_group *group = new_group(0);
    int errors[3];

    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_group_start(group, work_run, &work[i]), 0);
    assert_int_equal(cx_group_wait(group), -EIO);
    assert_int_equal(work[0].seen, -ECANCELED);
    assert_int_equal(work[2].seen, -ECANCELED);
    assert_int_equal(cx_group_errors(group, errors, 3), 1);
    assert_int_equal(errors[0], -EIO);
    cx_group_free(group);
}

static int fail_late(void *arg)
{
    (void)cx_sleep(UINT64_MAX);
    return *(int *)arg;
}

TASK_TEST(all_failures_can_be_read)
{
    struct work first = {.ms = 1, .result = -EIO};
    int later[2] = {-EPIPE, -ENOENT};
    int errors[2] = {0};
    cx_group *group = new_group(0);

    assert_int_equal(cx_group_start(group, work_run, &first), 0);
    assert_int_equal(cx_group_start(group, fail_late, &later[0]), 0);
    assert_int_equal(cx_group_start(group, fail_late, &later[1]), 0);
    assert_int_equal(cx_group_wait(group), -EIO);
    assert_int_equal(cx_group_errors(group, errors, 2), 3);
    assert_int_equal(errors[0], -EIO);
    assert_int_equal(errors[1], -EPIPE);
    cx_group_free(group);
}

TASK_TEST(a_limit_holds_starters_back)
{
    struct work work[8];
    cx_group *group = new_group(2);

    for (int i = 0; i < 8; i++) {
        work[i] = (struct work){.ms = 1};
        assert_int_equal(cx_group_start(group, work_run, &work[i]), 0);
    }
    assert_int_equal(cx_group_wait(group), 0);
    assert_int_equal(most, 2);
    cx_group_free(group);
}

TASK_TEST(a_starter_that_is_held_back_can_time_out)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(1);

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_group_start(group, work_run, &work), -ETIMEDOUT);
    }
    cx_group_free(group);
    assert_int_equal(work.seen, -ECANCELED);
}

TASK_TEST(a_cancelled_group_starts_nothing_until_it_was_waited_for)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    cx_group_cancel(group);
    assert_int_equal(cx_group_start(group, work_run, &work), -ECANCELED);
    assert_int_equal(cx_group_wait(group), -ECANCELED);
    assert_int_equal(cx_group_errors(group, NULL, 0), 0);
    work = (struct work){.ms = 1};
    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    assert_int_equal(cx_group_wait(group), 0);
    cx_group_free(group);
}

static void *wait_for_group(void *arg)
{
    return as_pointer(cx_group_wait(arg));
}

TASK_TEST(a_waiter_that_is_cancelled_cancels_the_group_and_waits_for_it)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);
    cx_task *waiter;
    void *error;

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    waiter = cx_task_create(wait_for_group, group);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(waiter), 0);
    assert_int_equal(cx_await(waiter, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    assert_int_equal(work.seen, -ECANCELED);
    assert_int_equal(running, 0);
    cx_group_free(group);
}

TASK_TEST(a_deadline_ends_a_group)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);
    int error = 0;

    CX_TIMEOUT(2) {
        assert_int_equal(cx_group_start(group, work_run, &work), 0);
        error = cx_group_wait(group);
    }
    assert_int_equal(error, -ETIMEDOUT);
    assert_int_equal(running, 0);
    cx_group_free(group);
}

TASK_TEST(a_group_that_is_used_again_has_forgotten_its_errors)
{
    struct work work[2] = {{.result = -EIO}, {.result = 0}};
    cx_group *group = new_group(0);

    assert_int_equal(cx_group_start(group, work_run, &work[0]), 0);
    assert_int_equal(cx_group_wait(group), -EIO);
    assert_int_equal(cx_group_start(group, work_run, &work[1]), 0);
    assert_int_equal(cx_group_wait(group), 0);
    cx_group_free(group);
}

TASK_TEST(freeing_a_group_ends_its_tasks_first)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    assert_int_equal(cx_yield(), 0);
    cx_group_free(group);
    assert_int_equal(work.seen, -ECANCELED);
}

static int wait_for_own_group(void *arg)
{
    return cx_group_wait(arg) == -EDEADLK ? 0 : -EIO;
}

TASK_TEST(a_task_cannot_wait_for_its_own_group)
{
    cx_group *group = new_group(0);

    assert_int_equal(cx_group_start(group, wait_for_own_group, group), 0);
    assert_int_equal(cx_group_wait(group), 0);
    cx_group_free(group);
}

CX_VAR(int, number);

static int check_and_set(void *arg)
{
    int error = cx_get(number) == 7 ? 0 : -EIO;

    (void)arg;
    (void)cx_set(number, 8);
    return error;
}

/* Behaviour 73. */
TASK_TEST(members_have_their_starter_s_context_and_keep_what_they_set)
{
    cx_group *group = new_group(0);

    assert_int_equal(cx_set(number, 7), 0);
    assert_int_equal(cx_group_start(group, check_and_set, NULL), 0);
    assert_int_equal(cx_group_start(group, check_and_set, NULL), 0);
    assert_int_equal(cx_group_wait(group), 0);
    assert_int_equal(cx_get(number), 7);
    cx_group_free(group);
}

static void a_group_needs_a_task(void **state)
{
    (void)state;
    assert_null(cx_group_new(NULL));
    assert_int_equal(errno, EPERM);
    assert_int_equal(cx_group_wait(NULL), -EINVAL);
    cx_group_free(NULL);
    cx_group_cancel(NULL);
}

static void *twice(void *arg)
{
    (void)cx_sleep(1);
    return as_pointer(2 * (intptr_t)arg);
}

/* Behaviour 76. */
TASK_TEST(gather_gives_the_results_in_the_order_of_the_arguments)
{
    void *args[3] = {as_pointer(1), as_pointer(2), as_pointer(3)};
    void *results[3];

    assert_int_equal(cx_gather(twice, args, results, 3), 0);
    assert_ptr_equal(results[0], as_pointer(2));
    assert_ptr_equal(results[2], as_pointer(6));
    assert_int_equal(cx_gather(twice, NULL, NULL, 0), 0);
}

TASK_TEST(a_gather_that_is_too_late_ends_its_tasks)
{
    int errors[2] = {0};
    void *args[2] = {&errors[0], &errors[1]};
    int error = 0;

    CX_TIMEOUT(1) {
        error = cx_gather(sleep_for_ever, args, NULL, 2);
    }
    assert_int_equal(error, -ETIMEDOUT);
    assert_int_not_equal(errors[0], 0);
    assert_int_not_equal(errors[1], 0);
}

static void *sleep_ms(void *arg)
{
    (void)cx_sleep((uint64_t)(intptr_t)arg);
    return arg;
}

static void *wait_for_event(void *event)
{
    assert_int_equal(cx_event_wait(event), 0);
    return NULL;
}

TASK_TEST(wait_any_gives_tasks_as_they_are_completed)
{
    cx_event *events[3];
    cx_task *tasks[3];
    int expected[3] = {1, 2, 0};

    for (int i = 0; i < 3; i++) {
        events[i] = cx_event_new();
        tasks[i] = cx_task_create(wait_for_event, events[i]);
    }
    for (int i = 0; i < 3; i++) {
        int at;

        assert_int_equal(cx_event_set(events[expected[i]]), 0);
        at = cx_wait_any(tasks, 3);
        assert_int_equal(at, expected[i]);
        assert_int_equal(cx_await(tasks[at], NULL), 0);
        tasks[at] = NULL;
    }
    assert_int_equal(cx_wait_any(tasks, 3), -EINVAL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_event_free(events[i]), 0);
}

TASK_TEST(wait_any_of_tasks_that_end_together_is_woken_once)
{
    cx_task *tasks[2] = {cx_task_create(sleep_ms, as_pointer(1)),
                         cx_task_create(sleep_ms, as_pointer(1))};

    assert_int_equal(cx_wait_any(tasks, 2), 0);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
}

TASK_TEST(wait_any_can_time_out_and_leaves_the_tasks_alone)
{
    cx_task *task = cx_task_create(sleep_ms, as_pointer(10));
    int error = 0;

    CX_TIMEOUT(1) {
        error = cx_wait_any(&task, 1);
    }
    assert_int_equal(error, -ETIMEDOUT);
    assert_int_equal(cx_await(task, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_waits_for_all_its_tasks),
        cmocka_unit_test(the_first_failure_cancels_the_others_and_is_returned),
        cmocka_unit_test(all_failures_can_be_read),
        cmocka_unit_test(a_limit_holds_starters_back),
        cmocka_unit_test(a_starter_that_is_held_back_can_time_out),
        cmocka_unit_test(
            a_cancelled_group_starts_nothing_until_it_was_waited_for),
        cmocka_unit_test(
            a_waiter_that_is_cancelled_cancels_the_group_and_waits_for_it),
        cmocka_unit_test(a_deadline_ends_a_group),
        cmocka_unit_test(freeing_a_group_ends_its_tasks_first),
        cmocka_unit_test(a_task_cannot_wait_for_its_own_group),
        cmocka_unit_test(
            members_have_their_starter_s_context_and_keep_what_they_set),
        cmocka_unit_test(a_group_needs_a_task),
        cmocka_unit_test(
            gather_gives_the_results_in_the_order_of_the_arguments),
        cmocka_unit_test(a_gather_that_is_too_late_ends_its_tasks),
        cmocka_unit_test(a_group_that_is_used_again_has_forgotten_its_errors),
        cmocka_unit_test(wait_any_gives_tasks_as_they_are_completed),
        cmocka_unit_test(wait_any_of_tasks_that_end_together_is_woken_once),
        cmocka_unit_test(wait_any_can_time_out_and_leaves_the_tasks_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
