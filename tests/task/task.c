/* SPDX-License-Identifier: MIT */
/* Creating, awaiting and detaching tasks. */
#include "support.h"

#include <fenv.h>
#include <pthread.h>
#include <string.h>

TASK_TEST(result_is_what_the_function_returned)
{
    cx_task *task = cx_task_create(return_arg, as_pointer(7));
    void *result = NULL;

    assert_int_equal(cx_await(task, &result), 0);
    assert_ptr_equal(result, as_pointer(7));
}

TASK_TEST(result_may_be_left_out)
{
    assert_int_equal(cx_await(cx_task_create(return_arg, NULL), NULL), 0);
}

static void *set_flag(void *arg)
{
    *(bool *)arg = true;
    return NULL;
}

TASK_TEST(task_starts_at_the_next_wait_and_not_at_its_creation)
{
    bool started = false;
    cx_task *task = cx_task_create(set_flag, &started);

    assert_false(started);
    assert_int_equal(cx_yield(), 0);
    assert_true(started);
    assert_int_equal(cx_await(task, NULL), 0);
}

static struct trace order;

static void *trace_twice(void *arg)
{
    trace_add(&order, *(char *)arg);
    (void)cx_yield();
    trace_add(&order, *(char *)arg);
    return NULL;
}

TASK_TEST(tasks_take_turns_in_the_order_of_their_creation)
{
    char names[] = "abc";
    cx_task *task[3];

    order = (struct trace){.len = 0};
    for (int i = 0; i < 3; i++)
        task[i] = cx_task_create(trace_twice, &names[i]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_await(task[i], NULL), 0);
    assert_traced(&order, "abcabc");
}

static void creating_outside_of_tasks_is_refused(void **state)
{
    (void)state;
    errno = 0;
    assert_null(cx_task_create(return_arg, NULL));
    assert_int_equal(errno, EPERM);
}

TASK_TEST(creating_without_a_function_is_refused)
{
    assert_null(cx_task_create(NULL, NULL));
    assert_int_equal(errno, EINVAL);
}

TASK_TEST(a_stack_larger_than_there_are_is_refused)
{
    cx_task_options options = {.stack_size = SIZE_MAX};

    assert_null(cx_task_create_with(&options, return_arg, NULL));
    assert_int_equal(errno, EINVAL);
}

TASK_TEST(a_name_that_is_too_long_is_refused)
{
    char name[257];
    cx_task_options options = {.name = name};

    memset(name, 'x', sizeof(name));
    name[256] = '\0';
    assert_null(cx_task_create_with(&options, return_arg, NULL));
    assert_int_equal(errno, EINVAL);
}

static void *own_name(void *arg)
{
    (void)strcpy(arg, cx_task_name(cx_task_current()));
    return arg;
}

TASK_TEST(name_is_copied)
{
    char name[] = "read B", seen[16] = "";
    cx_task_options options = {.name = name};
    cx_task *task = cx_task_create_with(&options, own_name, seen);

    name[0] = 'X';
    assert_int_equal(cx_await(task, NULL), 0);
    assert_string_equal(seen, "read B");
}

TASK_TEST(the_first_task_is_called_main)
{
    assert_string_equal(cx_task_name(cx_task_current()), "main");
}

TASK_TEST(a_task_without_a_name_is_called_task)
{
    cx_task *task = cx_task_create(return_arg, NULL);

    assert_string_equal(cx_task_name(task), "task");
    assert_int_equal(cx_await(task, NULL), 0);
}

static void *current(void *arg)
{
    (void)arg;
    return cx_task_current();
}

TASK_TEST(current_task_is_the_one_that_asks)
{
    cx_task *task = cx_task_create(current, NULL);
    void *seen;

    assert_int_equal(cx_await(task, &seen), 0);
    assert_ptr_equal(seen, task);
}

static void there_is_no_current_task_outside_of_tasks(void **state)
{
    (void)state;
    assert_null(cx_task_current());
    assert_null(cx_task_name(NULL));
}

TASK_TEST(awaiting_an_ended_task_gives_its_result_at_once)
{
    cx_task *task = cx_task_create(return_arg, as_pointer(3));
    bool other_ran = false;
    cx_task *other;
    void *result;

    assert_int_equal(cx_yield(), 0);
    other = cx_task_create(set_flag, &other_ran);
    assert_int_equal(cx_await(task, &result), 0);
    assert_ptr_equal(result, as_pointer(3));
    assert_false(other_ran);
    assert_int_equal(cx_await(other, NULL), 0);
}

static void waiting_outside_of_tasks_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cx_await(NULL, NULL), -EPERM);
    assert_int_equal(cx_sleep(1), -EPERM);
    assert_int_equal(cx_yield(), -EPERM);
    assert_int_equal(cx_run_in_executor(NULL, return_arg, NULL, NULL), -EPERM);
}

TASK_TEST(awaiting_nothing_is_refused)
{
    assert_int_equal(cx_await(NULL, NULL), -EINVAL);
}

TASK_TEST(awaiting_oneself_is_a_deadlock)
{
    assert_int_equal(cx_await(cx_task_current(), NULL), -EDEADLK);
}

static void *await_it(void *arg)
{
    return as_pointer(cx_await(arg, NULL));
}

TASK_TEST(awaiting_each_other_is_a_deadlock)
{
    cx_task *task = cx_task_create(await_it, cx_task_current());
    void *error;

    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -EDEADLK);
}

static void *await_indirectly(void *arg)
{
    cx_task **tasks = arg;
    void *result = NULL;

    (void)cx_await(tasks[1], &result);
    return result;
}

TASK_TEST(a_circle_of_three_is_a_deadlock_for_the_one_that_closes_it)
{
    cx_task *tasks[2];
    void *error;

    tasks[0] = cx_task_create(await_indirectly, tasks);
    tasks[1] = cx_task_create(await_it, cx_task_current());
    assert_int_equal(cx_await(tasks[0], &error), 0);
    assert_int_equal((intptr_t)error, -EDEADLK);
}

TASK_TEST(a_task_that_another_one_awaits_cannot_be_awaited_too)
{
    cx_task *sleeper = cx_task_create(sleep_for_ever, NULL);
    cx_task *first = cx_task_create(await_it, sleeper);
    void *error;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_await(sleeper, NULL), -EBUSY);
    assert_int_equal(cx_cancel(sleeper), 0);
    assert_int_equal(cx_await(first, &error), 0);
    assert_int_equal((intptr_t)error, 0);
}

static void *await_indirect(void *arg)
{
    return as_pointer(cx_await(*(cx_task **)arg, NULL));
}

TASK_TEST(an_ended_task_stays_with_the_one_that_awaited_it)
{
    cx_task *task, *other = cx_task_create(await_indirect, &task);
    void *error;

    task = cx_task_create(return_arg, NULL);
    /* The other waits, and what it waits for ends, in this order. */
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_await(task, NULL), -EBUSY);
    cx_task_detach(task);
    assert_int_equal(cx_await(other, &error), 0);
    assert_int_equal((intptr_t)error, 0);
}

TASK_TEST(the_main_task_cannot_be_awaited)
{
    cx_task *task = cx_task_create(await_it, cx_task_current());
    void *error;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -EINVAL);
}

TASK_TEST(a_detached_task_cannot_be_awaited)
{
    cx_task *task = cx_task_create(return_arg, NULL);

    cx_task_detach(task);
    assert_int_equal(cx_await(task, NULL), -EINVAL);
}

TASK_TEST(a_detached_task_runs_to_its_end)
{
    bool ran = false;

    cx_task_detach(cx_task_create(set_flag, &ran));
    assert_int_equal(cx_yield(), 0);
    assert_true(ran);
}

TASK_TEST(an_ended_task_can_be_detached)
{
    cx_task *task = cx_task_create(return_arg, NULL);

    assert_int_equal(cx_yield(), 0);
    cx_task_detach(task);
}

TASK_TEST(detaching_a_task_that_another_one_awaits_is_ignored)
{
    cx_task *task = cx_task_create(sleep_for_ever, NULL);
    cx_task *other = cx_task_create(await_it, task);
    void *error;

    assert_int_equal(cx_yield(), 0);
    cx_task_detach(task);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(other, &error), 0);
    assert_int_equal((intptr_t)error, 0);
}

static void *detach_oneself(void *arg)
{
    cx_task_detach(cx_task_current());
    return arg;
}

TASK_TEST(a_task_can_detach_itself)
{
    assert_non_null(cx_task_create(detach_oneself, NULL));
    assert_int_equal(cx_yield(), 0);
}

/* On a thread of its own: what a task of another loop is told. */
struct elsewhere {
    cx_task *task;
    int await;
    int cancel;
};

static void *use_elsewhere(void *arg)
{
    struct elsewhere *elsewhere = arg;

    elsewhere->await = cx_await(elsewhere->task, NULL);
    elsewhere->cancel = cx_cancel(elsewhere->task);
    cx_task_detach(elsewhere->task);
    return NULL;
}

static void *run_elsewhere(void *arg)
{
    (void)cx_run(use_elsewhere, arg, NULL);
    return NULL;
}

TASK_TEST(a_task_of_another_thread_is_refused)
{
    struct elsewhere elsewhere = {
        .task = cx_task_create(return_arg, as_pointer(1))};
    pthread_t thread;
    void *result;

    assert_int_equal(pthread_create(&thread, NULL, run_elsewhere, &elsewhere),
                     0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(elsewhere.await, -EXDEV);
    assert_int_equal(elsewhere.cancel, -EXDEV);
    assert_int_equal(cx_await(elsewhere.task, &result), 0);
    assert_ptr_equal(result, as_pointer(1));
}

static void *change_errno(void *arg)
{
    errno = ERANGE;
    (void)cx_yield();
    return as_pointer(errno == ERANGE && arg == NULL);
}

TASK_TEST(errno_is_each_tasks_own)
{
    cx_task *task = cx_task_create(change_errno, NULL);
    void *kept;

    errno = EDOM;
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(errno, EDOM);
    assert_int_equal(cx_await(task, &kept), 0);
    assert_ptr_equal(kept, as_pointer(1));
}

/* Valgrind has neither modes of floating point nor flags. */
static bool rounds_up(void)
{
    volatile double one = 1;
    volatile double sum = one + 0x1p-60;

    return sum > one;
}

static void *round_up(void *arg)
{
    (void)fesetround(FE_UPWARD);
    *(bool *)arg = rounds_up();
    (void)cx_yield();
    return as_pointer(rounds_up());
}

TASK_TEST(rounding_is_each_tasks_own)
{
    bool has_modes;
    cx_task *task = cx_task_create(round_up, &has_modes);
    void *kept;

    assert_int_equal(cx_yield(), 0);
    assert_false(rounds_up());
    assert_int_equal(cx_await(task, &kept), 0);
    assert_ptr_equal(kept, as_pointer(has_modes));
}

static void *divide_by_zero(void *arg)
{
    (void)arg;
    (void)feraiseexcept(FE_DIVBYZERO);
    return as_pointer(fetestexcept(FE_DIVBYZERO) != 0);
}

TASK_TEST(flags_of_floating_point_are_the_threads)
{
    void *raised;

    (void)feclearexcept(FE_ALL_EXCEPT);
    assert_int_equal(cx_await(cx_task_create(divide_by_zero, NULL), &raised),
                     0);
    assert_ptr_equal(raised, as_pointer(fetestexcept(FE_DIVBYZERO) != 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_is_what_the_function_returned),
        cmocka_unit_test(result_may_be_left_out),
        cmocka_unit_test(task_starts_at_the_next_wait_and_not_at_its_creation),
        cmocka_unit_test(tasks_take_turns_in_the_order_of_their_creation),
        cmocka_unit_test(creating_outside_of_tasks_is_refused),
        cmocka_unit_test(creating_without_a_function_is_refused),
        cmocka_unit_test(a_stack_larger_than_there_are_is_refused),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(name_is_copied),
        cmocka_unit_test(the_first_task_is_called_main),
        cmocka_unit_test(a_task_without_a_name_is_called_task),
        cmocka_unit_test(current_task_is_the_one_that_asks),
        cmocka_unit_test(there_is_no_current_task_outside_of_tasks),
        cmocka_unit_test(awaiting_an_ended_task_gives_its_result_at_once),
        cmocka_unit_test(waiting_outside_of_tasks_is_refused),
        cmocka_unit_test(awaiting_nothing_is_refused),
        cmocka_unit_test(awaiting_oneself_is_a_deadlock),
        cmocka_unit_test(awaiting_each_other_is_a_deadlock),
        cmocka_unit_test(
            a_circle_of_three_is_a_deadlock_for_the_one_that_closes_it),
        cmocka_unit_test(a_task_that_another_one_awaits_cannot_be_awaited_too),
        cmocka_unit_test(an_ended_task_stays_with_the_one_that_awaited_it),
        cmocka_unit_test(the_main_task_cannot_be_awaited),
        cmocka_unit_test(a_detached_task_cannot_be_awaited),
        cmocka_unit_test(a_detached_task_runs_to_its_end),
        cmocka_unit_test(an_ended_task_can_be_detached),
        cmocka_unit_test(detaching_a_task_that_another_one_awaits_is_ignored),
        cmocka_unit_test(a_task_can_detach_itself),
        cmocka_unit_test(a_task_of_another_thread_is_refused),
        cmocka_unit_test(errno_is_each_tasks_own),
        cmocka_unit_test(rounding_is_each_tasks_own),
        cmocka_unit_test(flags_of_floating_point_are_the_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
