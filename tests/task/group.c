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

TASK_TEST(a_group_that_is_used_again_tells_new_errors_alone)
{
    struct work first = {.result = -EIO}, second = {.result = -EPIPE};
    cx_group *group = new_group(0);
    int error;

    assert_int_equal(cx_group_start(group, work_run, &first), 0);
    assert_int_equal(cx_group_wait(group), -EIO);
    assert_int_equal(cx_group_start(group, work_run, &second), 0);
    assert_int_equal(cx_group_wait(group), -EPIPE);
    assert_int_equal(cx_group_errors(group, &error, 1), 1);
    assert_int_equal(error, -EPIPE);
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

static int free_own_group(void *arg)
{
    cx_group_free(arg);
    return cx_sleep(UINT64_MAX);
}

TASK_TEST(a_group_that_its_own_task_frees_goes_with_the_last)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    assert_int_equal(cx_group_start(group, free_own_group, group), 0);
    while (work.seen == 0)
        assert_int_equal(cx_yield(), 0);
    assert_int_equal(work.seen, -ECANCELED);
}

static void *free_group(void *group)
{
    cx_group_free(group);
    return NULL;
}

TASK_TEST(a_group_may_be_freed_while_another_waits_for_it)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);
    cx_task *task = cx_task_create(free_group, group);

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    assert_int_equal(cx_group_wait(group), -ECANCELED);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(work.seen, -ECANCELED);
}

struct start {
    cx_group *group;
    struct work *work;
};

static void *start_and_tell(void *arg)
{
    struct start *start = arg;

    return as_pointer(cx_group_start(start->group, work_run, start->work));
}

TASK_TEST(a_starter_whose_group_is_freed_starts_nothing)
{
    struct work work = {.ms = UINT64_MAX};
    struct start start = {new_group(1), &work};
    cx_task *task;
    void *error;

    assert_int_equal(cx_group_start(start.group, work_run, &work), 0);
    task = cx_task_create(start_and_tell, &start);
    assert_int_equal(cx_yield(), 0);
    cx_group_free(start.group);
    assert_int_equal(cx_await(task, &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    assert_int_equal(most, 1);
}

/* Frees a group when it is released: outside of tasks. */
static void release_group(void *group)
{
    cx_group_free(group);
}

static void ref_group(void *group)
{
    (void)group;
}

static const cx_type owned_group = {
    .name = "group", .ref = ref_group, .unref = release_group};

CX_VAR(void *, kept, .type = &owned_group, .inherit = CX_INHERIT_NONE);

static void *keep(void *group)
{
    assert_int_equal(cx_set(kept, group), 0);
    return NULL;
}

TASK_TEST(a_group_that_is_freed_outside_of_tasks_goes_with_the_last)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_await(cx_task_create(keep, group), NULL), 0);
    while (running > 0)
        assert_int_equal(cx_yield(), 0);
    assert_int_equal(work.seen, -ECANCELED);
}

static void *wait_and_tell(void *group)
{
    return as_pointer(cx_group_wait(group));
}

/* A wait that is refused lets the others run, and they might wait, too. */
TASK_TEST(a_group_has_one_waiter_even_if_it_is_cancelled)
{
    struct work work = {.ms = UINT64_MAX};
    cx_group *group = new_group(0);
    cx_task *first = cx_task_create(wait_and_tell, group);
    cx_task *second = cx_task_create(wait_and_tell, group);
    void *error;

    assert_int_equal(cx_group_start(group, work_run, &work), 0);
    assert_int_equal(cx_cancel(first), 0);
    assert_int_equal(cx_await(first, &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    assert_int_equal(cx_await(second, &error), 0);
    assert_ptr_equal(error, as_pointer(-EBUSY));
    cx_group_free(group);
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
        cmocka_unit_test(a_group_that_is_used_again_tells_new_errors_alone),
        cmocka_unit_test(freeing_a_group_ends_its_tasks_first),
        cmocka_unit_test(a_group_that_its_own_task_frees_goes_with_the_last),
        cmocka_unit_test(a_group_may_be_freed_while_another_waits_for_it),
        cmocka_unit_test(a_starter_whose_group_is_freed_starts_nothing),
        cmocka_unit_test(
            a_group_that_is_freed_outside_of_tasks_goes_with_the_last),
        cmocka_unit_test(a_group_has_one_waiter_even_if_it_is_cancelled),
        cmocka_unit_test(a_task_cannot_wait_for_its_own_group),
        cmocka_unit_test(
            members_have_their_starter_s_context_and_keep_what_they_set),
        cmocka_unit_test(a_group_needs_a_task),
        cmocka_unit_test(a_group_that_is_used_again_has_forgotten_its_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
