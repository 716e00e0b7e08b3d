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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            gather_gives_the_results_in_the_order_of_the_arguments),
        cmocka_unit_test(a_gather_that_is_too_late_ends_its_tasks),
        cmocka_unit_test(wait_any_gives_tasks_as_they_are_completed),
        cmocka_unit_test(wait_any_of_tasks_that_end_together_is_woken_once),
        cmocka_unit_test(wait_any_can_time_out_and_leaves_the_tasks_alone),
    };

    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
