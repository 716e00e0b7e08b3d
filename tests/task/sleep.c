/* SPDX-License-Identifier: MIT */
/* Sleeping, and the order of waking. */
#include "support.h"
#include "task/yield.h"

#include <string.h>

#include <stdlib.h>
#include <time.h>

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

TASK_TEST(a_sleep_never_ends_early)
{
    for (uint64_t i = 0; i < 30; i++) {
        uint64_t began = now_ns(), ms = 1 + i % 3;

        assert_int_equal(cx_sleep(ms), 0);
        assert_true(now_ns() - began >= ms * 1000000u);
        /* Not always at the same phase of a millisecond. */
        for (volatile uint64_t spin = 0; spin < i * 10000;)
            spin = spin + 1;
    }
}

TASK_TEST(a_short_sleep_after_long_work_does_not_end_early)
{
    uint64_t work = now_ns(), began;

    while (now_ns() - work < 20000000u)
        continue;
    began = now_ns();
    assert_int_equal(cx_sleep(5), 0);
    assert_true(now_ns() - began >= 5000000u);
}

static struct trace order;

static void *sleep_and_trace(void *arg)
{
    const char *spec = arg; /* the name, then the milliseconds */

    (void)cx_sleep((uint64_t)atoi(spec + 1));
    trace_add(&order, spec[0]);
    return NULL;
}

static void sleep_together(const char *const *specs, size_t len)
{
    cx_task *tasks[64];

    order = (struct trace){.len = 0};
    for (size_t i = 0; i < len; i++)
        tasks[i] = cx_task_create(sleep_and_trace, (void *)(uintptr_t)specs[i]);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
}

TASK_TEST(sleepers_wake_in_the_order_of_their_deadlines)
{
    const char *const specs[] = {"d40", "b20", "c30", "a10", "e50"};

    sleep_together(specs, 5);
    assert_traced(&order, "abcde");
}

TASK_TEST(those_due_at_once_wake_in_the_order_in_which_they_went_to_sleep)
{
    const char *const specs[] = {"a90", "b90", "c90", "x30", "d90", "e90",
                                 "f90", "g90", "y60", "h90", "i90"};

    sleep_together(specs, 11);
    assert_traced(&order, "xyabcdefghi");
}

/* As the reading clients of the example: the same total, in other steps. */
static void *sleep_in_steps(void *arg)
{
    const char *spec = arg; /* the name, then the milliseconds of a step */

    for (int i = 0; i < 3; i++) {
        (void)cx_sleep((uint64_t)atoi(spec + 1));
        trace_add(&order, spec[0]);
    }
    return NULL;
}

static void sleep_in_step(void)
{
    const char *const specs[] = {"A80", "B60", "C40", "D20"};
    cx_task *tasks[4];

    order = (struct trace){.len = 0};
    for (int i = 0; i < 4; i++)
        tasks[i] = cx_task_create(sleep_in_steps, (void *)(uintptr_t)specs[i]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
}

/* A machine that stands still for a step mixes them up: it may try again. */
TASK_TEST(sleeps_in_step_end_with_the_one_begun_first)
{
    static const char in_step[] = "DCDBDACBCABA";

    for (int i = 0; i < 10; i++) {
        sleep_in_step();
        if (strcmp(order.what, in_step) == 0)
            return;
    }
    assert_traced(&order, in_step);
}

TASK_TEST(sleeping_for_no_time_yields)
{
    const char *const specs[] = {"a0"};
    cx_task *task;

    order = (struct trace){.len = 0};
    task = cx_task_create(sleep_and_trace, (void *)(uintptr_t)specs[0]);
    assert_int_equal(cx_sleep(0), 0);
    assert_int_equal(cx_sleep(0), 0);
    assert_traced(&order, "a");
    assert_int_equal(cx_await(task, NULL), 0);
}

/* Not after the many switches that a round has when they are short. */
TASK_TEST(who_yields_after_long_work_lets_a_sleeper_run_at_once)
{
    const char *const specs[] = {"a1"};
    cx_task *task;
    uint64_t until;

    order = (struct trace){.len = 0};
    task = cx_task_create(sleep_and_trace, (void *)(uintptr_t)specs[0]);
    assert_int_equal(cx_yield(), 0);
    until = cx_time() + 3;
    while (cx_time() < until)
        continue;
    assert_int_equal(cx__yield_long(), 0);
    assert_int_equal(cx__yield_long(), 0);
    assert_traced(&order, "a");
    assert_int_equal(cx_await(task, NULL), 0);
}

TASK_TEST(a_sleep_for_ever_ends_by_cancel_alone)
{
    int error = 0;
    cx_task *task = cx_task_create(sleep_for_ever, &error);

    assert_int_equal(cx_sleep(2), 0);
    assert_int_equal(error, 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(error, -ECANCELED);
}

static void *set_after_a_millisecond(void *arg)
{
    (void)cx_sleep(1);
    *(volatile bool *)arg = true;
    return NULL;
}

TASK_TEST(a_task_that_only_yields_does_not_keep_a_sleeper_waiting)
{
    volatile bool awake = false;
    uint64_t began = now_ns();
    cx_task *task = cx_task_create(set_after_a_millisecond, (void *)&awake);

    while (!awake)
        assert_int_equal(cx_yield(), 0);
    assert_true(now_ns() - began >= 1000000u);
    assert_int_equal(cx_await(task, NULL), 0);
}

static void *sleep_at_random(void *arg)
{
    unsigned *seed = arg;

    for (int i = 0; i < 3; i++) {
        uint64_t ms = 1 + (unsigned)rand_r(seed) % 8;
        uint64_t began = now_ns();

        if (cx_sleep(ms) != 0 || now_ns() - began < ms * 1000000u)
            return NULL;
    }
    return arg;
}

TASK_TEST(a_thousand_sleepers_all_sleep_long_enough)
{
    enum { TASKS = 1000 };
    static cx_task *tasks[TASKS];
    static unsigned seeds[TASKS];
    size_t right = 0;

    for (unsigned i = 0; i < TASKS; i++) {
        seeds[i] = i;
        tasks[i] = cx_task_create(sleep_at_random, &seeds[i]);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        void *result;

        assert_int_equal(cx_await(tasks[i], &result), 0);
        right += result != NULL;
    }
    assert_int_equal(right, TASKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sleep_never_ends_early),
        cmocka_unit_test(a_short_sleep_after_long_work_does_not_end_early),
        cmocka_unit_test(sleepers_wake_in_the_order_of_their_deadlines),
        cmocka_unit_test(
            those_due_at_once_wake_in_the_order_in_which_they_went_to_sleep),
        cmocka_unit_test(sleeps_in_step_end_with_the_one_begun_first),
        cmocka_unit_test(sleeping_for_no_time_yields),
        cmocka_unit_test(who_yields_after_long_work_lets_a_sleeper_run_at_once),
        cmocka_unit_test(a_sleep_for_ever_ends_by_cancel_alone),
        cmocka_unit_test(
            a_task_that_only_yields_does_not_keep_a_sleeper_waiting),
        cmocka_unit_test(a_thousand_sleepers_all_sleep_long_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
