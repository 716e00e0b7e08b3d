/* SPDX-License-Identifier: MIT */
/* Waiting for several tasks: for all of them, and for any. */
#include <ctxvar/group.h>
#include <ctxvar/sync.h>

#include "support.h"

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

TASK_TEST(wait_any_tells_at_once_of_one_that_has_ended)
{
    cx_task *tasks[2] = {cx_task_create(sleep_ms, as_pointer(1000000)),
                         cx_task_create(return_arg, NULL)};

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_wait_any(tasks, 2), 1);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
    assert_int_equal(cx_cancel(tasks[0]), 0);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
}

static void *await_it(void *task)
{
    return as_pointer(cx_await(task, NULL));
}

TASK_TEST(wait_any_refuses_what_cannot_be_waited_for)
{
    cx_task *self = cx_task_current();
    cx_task *detached = cx_task_create(return_arg, NULL);
    cx_task *awaited = cx_task_create(sleep_ms, as_pointer(1));
    cx_task *other = cx_task_create(await_it, awaited);

    cx_task_detach(detached);
    assert_int_equal(cx_wait_any(&self, 1), -EDEADLK);
    assert_int_equal(cx_wait_any(&detached, 1), -EINVAL);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_wait_any(&awaited, 1), -EBUSY);
    assert_int_equal(cx_await(other, NULL), 0);
}

static void *wait_when_cancelled(void *task)
{
    cx_task *tasks[] = {task};

    assert_int_equal(cx_cancel(cx_task_current()), 0);
    return as_pointer(cx_wait_any(tasks, 1));
}

TASK_TEST(wait_any_is_refused_to_who_is_cancelled)
{
    cx_task *task = cx_task_create(return_arg, NULL);
    void *error;

    assert_int_equal(
        cx_await(cx_task_create(wait_when_cancelled, task), &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    assert_int_equal(cx_await(task, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            gather_gives_the_results_in_the_order_of_the_arguments),
        cmocka_unit_test(a_gather_that_is_too_late_ends_its_tasks),
        cmocka_unit_test(wait_any_gives_tasks_as_they_are_completed),
        cmocka_unit_test(wait_any_of_tasks_that_end_together_is_woken_once),
        cmocka_unit_test(wait_any_can_time_out_and_leaves_the_tasks_alone),
        cmocka_unit_test(wait_any_tells_at_once_of_one_that_has_ended),
        cmocka_unit_test(wait_any_refuses_what_cannot_be_waited_for),
        cmocka_unit_test(wait_any_is_refused_to_who_is_cancelled),
    };

    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
