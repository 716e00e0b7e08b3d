/* SPDX-License-Identifier: MIT */
/* Cancelling tasks, and shielding them from it. */
#include "support.h"

TASK_TEST(a_cancelled_sleep_ends_at_once)
{
    int error = 0;
    cx_task *task = cx_task_create(sleep_for_ever, &error);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(error, -ECANCELED);
}

static void *wait_in_all_ways(void *arg)
{
    cx_task *other = arg;
    int refused = 0;

    for (int i = 0; i < 2; i++) {
        refused += cx_sleep(UINT64_MAX) == -ECANCELED;
        refused += cx_yield() == -ECANCELED;
        refused += cx_await(other, NULL) == -ECANCELED;
        refused +=
            cx_run_in_executor(NULL, return_arg, NULL, NULL) == -ECANCELED;
    }
    return as_pointer(refused);
}

TASK_TEST(every_later_wait_of_a_cancelled_task_is_refused)
{
    cx_task *other = cx_task_create(return_arg, NULL);
    cx_task *task = cx_task_create(wait_in_all_ways, other);
    void *refused;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &refused), 0);
    assert_int_equal((intptr_t)refused, 8);
    assert_int_equal(cx_await(other, NULL), 0);
}

TASK_TEST(a_task_cancelled_before_it_starts_runs_all_the_same)
{
    cx_task *task = cx_task_create(return_arg, as_pointer(5));
    void *result = NULL;

    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &result), 0);
    assert_ptr_equal(result, as_pointer(5));
}

TASK_TEST(cancelling_an_ended_task_does_nothing)
{
    cx_task *task = cx_task_create(return_arg, as_pointer(5));
    void *result;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &result), 0);
    assert_ptr_equal(result, as_pointer(5));
}

TASK_TEST(cancelling_nothing_is_refused)
{
    assert_int_equal(cx_cancel(NULL), -EINVAL);
}

static void *cancel_oneself(void *arg)
{
    (void)arg;
    (void)cx_cancel(cx_task_current());
    return as_pointer(cx_sleep(UINT64_MAX));
}

TASK_TEST(a_task_that_cancels_itself_sees_it_at_its_next_wait)
{
    void *error;

    assert_int_equal(cx_await(cx_task_create(cancel_oneself, NULL), &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
}

static void *await_twice(void *arg)
{
    cx_task **tasks = arg;
    int first = cx_await(tasks[0], NULL);

    return as_pointer(first == 0 && cx_await(tasks[1], NULL) == -ECANCELED);
}

TASK_TEST(what_was_complete_wins_over_a_cancel_that_came_later)
{
    cx_task *tasks[2];
    cx_task *task = cx_task_create(await_twice, tasks);
    void *right;

    tasks[0] = cx_task_create(return_arg, NULL);
    tasks[1] = cx_task_create(return_arg, NULL);
    /* The task waits, and what it waits for ends, in this order. */
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &right), 0);
    assert_ptr_equal(right, as_pointer(1));
    assert_int_equal(cx_await(tasks[1], NULL), 0);
}

static void *spin_until(void *arg)
{
    volatile bool *stop = arg;

    while (!*stop)
        (void)cx_sleep(UINT64_MAX);
    return NULL;
}

static void *stop_it(void *arg)
{
    *(volatile bool *)arg = true;
    return NULL;
}

TASK_TEST(a_cancelled_task_that_ignores_it_lets_the_others_run)
{
    bool stop = false;
    cx_task *task = cx_task_create(spin_until, &stop);

    assert_int_equal(cx_cancel(task), 0);
    cx_task_detach(cx_task_create(stop_it, &stop));
    assert_int_equal(cx_await(task, NULL), 0);
}

static void *check_until_told(void *arg)
{
    int error = 0;

    assert_int_equal(cx_task_check(), 0);
    assert_int_equal(cx_cancel(cx_task_current()), 0);
    CX_SHIELD {
        error = cx_task_check();
    }
    assert_int_equal(error, 0);
    /* Who is told so has let the others run. */
    assert_false(*(bool *)arg);
    error = cx_task_check();
    assert_true(*(bool *)arg);
    return as_pointer(error);
}

TASK_TEST(a_task_that_does_not_wait_asks_whether_it_is_cancelled)
{
    bool others = false;
    cx_task *task = cx_task_create(check_until_told, &others);
    void *error;

    cx_task_detach(cx_task_create(stop_it, &others));
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
}

TASK_TEST(a_task_that_does_not_wait_asks_whether_it_is_late)
{
    int error = 0;

    CX_TIMEOUT(0) {
        error = cx_task_check();
    }
    assert_int_equal(error, -ETIMEDOUT);
    assert_int_equal(cx_task_check(), 0);
}

static void *await_a_sleeper(void *arg)
{
    return as_pointer(cx_await(arg, NULL));
}

TASK_TEST(a_cancelled_await_leaves_the_other_task_alone)
{
    int error = 0;
    cx_task *sleeper = cx_task_create(sleep_for_ever, &error);
    cx_task *task = cx_task_create(await_a_sleeper, sleeper);
    void *await_error;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &await_error), 0);
    assert_int_equal((intptr_t)await_error, -ECANCELED);
    assert_int_equal(error, 0);
    assert_int_equal(cx_cancel(sleeper), 0);
    assert_int_equal(cx_await(sleeper, NULL), 0);
    assert_int_equal(error, -ECANCELED);
}

TASK_TEST(awaiting_a_cancelled_task_gives_its_result)
{
    int error = 0;
    cx_task *task = cx_task_create(sleep_for_ever, &error);
    void *result;

    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &result), 0);
    assert_ptr_equal(result, &error);
}

static void *wait_in_a_shield(void *arg)
{
    int *errors = arg;

    errors[0] = cx_sleep(UINT64_MAX);
    CX_SHIELD {
        errors[1] = cx_sleep(1);
        errors[2] = cx_yield();
    }
    errors[3] = cx_yield();
    return NULL;
}

TASK_TEST(a_cancelled_task_can_wait_in_a_shield_and_not_after_it)
{
    int errors[4] = {1, 1, 1, 1};
    cx_task *task = cx_task_create(wait_in_a_shield, errors);

    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(errors[0], -ECANCELED);
    assert_int_equal(errors[1], 0);
    assert_int_equal(errors[2], 0);
    assert_int_equal(errors[3], -ECANCELED);
}

static void *await_in_a_shield(void *arg)
{
    int shielded = 1;

    CX_SHIELD {
        shielded = cx_await(arg, NULL);
    }
    return as_pointer(shielded == 0 && cx_yield() == -ECANCELED);
}

TASK_TEST(a_cancel_during_a_shielded_wait_is_seen_after_it)
{
    cx_task *sleeper = cx_task_create(sleep_for_ever, NULL);
    cx_task *task = cx_task_create(await_in_a_shield, sleeper);
    void *right;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_cancel(sleeper), 0);
    assert_int_equal(cx_await(task, &right), 0);
    assert_ptr_equal(right, as_pointer(1));
}

static int return_from_a_shield(void)
{
    CX_SHIELD {
        return cx_yield();
    }
    return 1;
}

static int break_out_of_a_shield(void)
{
    int error = 1;

    CX_SHIELD {
        error = cx_yield();
        break;
    }
    return error;
}

static int jump_out_of_a_shield(void)
{
    int error = 1;

    CX_SHIELD {
        error = cx_yield();
        goto out;
    }
    error = 1;
out:
    return error;
}

static void *leave_shields(void *arg)
{
    int (*const way[])(void) = {return_from_a_shield, break_out_of_a_shield,
                                jump_out_of_a_shield};
    int right = 0;

    (void)arg;
    for (int i = 0; i < 3; i++)
        right += way[i]() == 0 && cx_yield() == -ECANCELED;
    return as_pointer(right);
}

TASK_TEST(a_shield_ends_however_it_is_left)
{
    cx_task *task = cx_task_create(leave_shields, NULL);
    void *right;

    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &right), 0);
    assert_int_equal((intptr_t)right, 3);
}

static void *nest_shields(void *arg)
{
    int *errors = arg;

    CX_SHIELD {
        CX_SHIELD {
            errors[0] = cx_yield();
        }
        errors[1] = cx_yield();
    }
    errors[2] = cx_yield();
    return NULL;
}

TASK_TEST(shields_nest)
{
    int errors[3] = {1, 1, 1};
    cx_task *task = cx_task_create(nest_shields, errors);

    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(errors[0], 0);
    assert_int_equal(errors[1], 0);
    assert_int_equal(errors[2], -ECANCELED);
}

static void outside_of_tasks_a_shield_is_a_block_like_any_other(void **state)
{
    int entered = 0;

    (void)state;
    CX_SHIELD {
        entered++;
    }
    assert_int_equal(entered, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_sleep_ends_at_once),
        cmocka_unit_test(every_later_wait_of_a_cancelled_task_is_refused),
        cmocka_unit_test(a_task_cancelled_before_it_starts_runs_all_the_same),
        cmocka_unit_test(cancelling_an_ended_task_does_nothing),
        cmocka_unit_test(cancelling_nothing_is_refused),
        cmocka_unit_test(a_task_that_cancels_itself_sees_it_at_its_next_wait),
        cmocka_unit_test(what_was_complete_wins_over_a_cancel_that_came_later),
        cmocka_unit_test(a_cancelled_task_that_ignores_it_lets_the_others_run),
        cmocka_unit_test(
            a_task_that_does_not_wait_asks_whether_it_is_cancelled),
        cmocka_unit_test(a_task_that_does_not_wait_asks_whether_it_is_late),
        cmocka_unit_test(a_cancelled_await_leaves_the_other_task_alone),
        cmocka_unit_test(awaiting_a_cancelled_task_gives_its_result),
        cmocka_unit_test(
            a_cancelled_task_can_wait_in_a_shield_and_not_after_it),
        cmocka_unit_test(a_cancel_during_a_shielded_wait_is_seen_after_it),
        cmocka_unit_test(a_shield_ends_however_it_is_left),
        cmocka_unit_test(shields_nest),
        cmocka_unit_test(outside_of_tasks_a_shield_is_a_block_like_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
