/* SPDX-License-Identifier: MIT */
/*
 * Tasks and their contexts. The numbers are those of the catalogue of
 * behaviours that the semantics were taken from.
 */
#include "support.h"

#include <stdlib.h>

CX_VAR(int, number, .initial = -1);
CX_VAR(int, unset);
CX_VAR(void *, resource, .type = &counted);

static void *get_number(void *arg)
{
    (void)arg;
    return as_pointer(cx_get(number));
}

static void *set_number(void *arg)
{
    return as_pointer(cx_set(number, (int)(intptr_t)arg));
}

static int number_in(cx_task *task)
{
    void *seen = NULL;

    assert_int_equal(cx_await(task, &seen), 0);
    return (int)(intptr_t)seen;
}

static void *main_reads(void *arg)
{
    (void)arg;
    return as_pointer(cx_get(number) == 3 && cx_set(number, 4) == 0);
}

static void the_main_task_runs_in_a_copy_of_the_callers_context(void **state)
{
    void *right;

    (void)state;
    assert_int_equal(cx_set(number, 3), 0);
    assert_int_equal(cx_run(main_reads, NULL, &right), 0);
    assert_ptr_equal(right, as_pointer(1));
    assert_int_equal(cx_get(number), 3);
    assert_int_equal(cx_unset(number), 0);
}

/* 72 */
TASK_TEST(what_a_parent_sets_after_creation_is_not_seen_by_the_child)
{
    cx_task *task;

    assert_int_equal(cx_set(number, 1), 0);
    task = cx_task_create(get_number, NULL);
    assert_int_equal(cx_set(number, 2), 0);
    assert_int_equal(number_in(task), 1);
}

/* 73 */
TASK_TEST(what_a_child_sets_is_seen_by_neither_parent_nor_sibling)
{
    cx_task *child, *sibling;

    assert_int_equal(cx_set(number, 1), 0);
    child = cx_task_create(set_number, as_pointer(2));
    sibling = cx_task_create(get_number, NULL);
    assert_int_equal(cx_await(child, NULL), 0);
    assert_int_equal(cx_get(number), 1);
    assert_int_equal(number_in(sibling), 1);
}

/* 74 */
TASK_TEST(a_function_that_is_just_called_shares_the_callers_context)
{
    (void)set_number(as_pointer(5));
    assert_int_equal(cx_get(number), 5);
}

static void *set_often(void *arg)
{
    unsigned *seed = arg;

    for (int i = 0; i < 10; i++) {
        int mine = rand_r(seed);

        (void)cx_set(number, mine);
        if (rand_r(seed) % 2 == 0)
            (void)cx_sleep((unsigned)rand_r(seed) % 4);
        else
            (void)cx_yield();
        if (cx_get(number) != mine)
            return NULL;
    }
    return arg;
}

/* 77 */
TASK_TEST(a_hundred_tasks_that_set_and_sleep_each_see_their_own)
{
    enum { TASKS = 100 };
    unsigned seeds[TASKS];
    cx_task *tasks[TASKS];

    for (unsigned i = 0; i < TASKS; i++) {
        seeds[i] = i + 1;
        tasks[i] = cx_task_create(set_often, &seeds[i]);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        void *result;

        assert_int_equal(cx_await(tasks[i], &result), 0);
        assert_ptr_equal(result, &seeds[i]);
    }
    assert_false(cx_context_find(NULL, cx_var_of(number), NULL));
}

/* 78 */
TASK_TEST(what_a_task_sets_in_a_given_context_stays_there_for_the_next)
{
    cx_context *context = cx_context_new();
    cx_task_options options = {.context = context};
    cx_value value;

    assert_int_equal(
        cx_await(cx_task_create_with(&options, set_number, as_pointer(6)),
                 NULL),
        0);
    assert_true(cx_context_find(context, cx_var_of(number), &value));
    assert_int_equal(value.i64, 6);
    assert_int_equal(number_in(cx_task_create_with(&options, get_number, NULL)),
                     6);
    assert_int_equal(cx_get(number), -1);
    cx_context_unref(context);
}

static void *set_yield_and_get(void *arg)
{
    (void)set_number(arg);
    (void)cx_yield();
    return as_pointer(cx_get(number));
}

/* 79 */
TASK_TEST(two_tasks_in_one_context_share_it)
{
    cx_context *context = cx_context_new();
    cx_task_options options = {.context = context};
    cx_task *first =
        cx_task_create_with(&options, set_yield_and_get, as_pointer(1));
    cx_task *second =
        cx_task_create_with(&options, set_yield_and_get, as_pointer(2));

    assert_int_equal(number_in(first), 2);
    assert_int_equal(number_in(second), 2);
    cx_context_unref(context);
}

static void *current_context(void *arg)
{
    (void)arg;
    return cx_context_current();
}

/* 82 */
TASK_TEST(a_task_is_in_the_very_context_that_it_was_given)
{
    cx_context *context = cx_context_new();
    cx_task_options options = {.context = context};
    void *current = NULL;

    assert_int_equal(
        cx_await(cx_task_create_with(&options, current_context, NULL),
                 &current),
        0);
    assert_ptr_equal(current, context);
    cx_context_unref(context);
}

TASK_TEST(a_task_can_share_the_context_of_its_creator)
{
    cx_task_options options = {.context = cx_context_current()};

    assert_int_equal(
        cx_await(cx_task_create_with(&options, set_number, as_pointer(8)),
                 NULL),
        0);
    assert_int_equal(cx_get(number), 8);
}

static cx_task *made_within;

static void create_within(void *arg)
{
    (void)cx_set(number, 7);
    made_within = cx_task_create(get_number, arg);
}

/* 80 */
TASK_TEST(a_task_created_within_a_run_inherits_what_it_runs_in)
{
    cx_context *context = cx_context_new();

    assert_int_equal(cx_context_run(context, create_within, NULL), 0);
    assert_int_equal(number_in(made_within), 7);
    cx_context_unref(context);
}

/* 81 */
TASK_TEST(a_task_in_an_empty_context_sees_defaults_alone)
{
    cx_context *empty = cx_context_new();
    cx_task_options options = {.context = empty};

    assert_int_equal(cx_set(number, 3), 0);
    assert_int_equal(number_in(cx_task_create_with(&options, get_number, NULL)),
                     -1);
    cx_context_unref(empty);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void *run_in_own_context(void *arg)
{
    return as_pointer(cx_context_run(arg, do_nothing, NULL));
}

/* 86 */
TASK_TEST(running_in_the_context_that_a_task_is_in_is_refused)
{
    cx_context *context = cx_context_new();
    cx_task_options options = {.context = context};

    assert_int_equal(
        number_in(cx_task_create_with(&options, run_in_own_context, context)),
        -EBUSY);
    cx_context_unref(context);
}

static void *hold_resource(void *arg)
{
    (void)cx_set(resource, &held);
    (void)cx_sleep((uint64_t)(intptr_t)arg);
    return NULL;
}

/* 69 */
TASK_TEST(the_context_of_a_task_goes_when_the_task_ends)
{
    cx_task *task = cx_task_create(hold_resource, as_pointer(0));

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(held_now(), 1);
    assert_int_equal(cx_yield(), 0);
    /* It has ended; its handle is still there. */
    assert_int_equal(held_now(), 0);
    assert_int_equal(cx_await(task, NULL), 0);
}

TASK_TEST(a_task_that_never_ran_until_the_end_lets_go_of_its_context_too)
{
    cx_task *task;

    assert_int_equal(cx_set(resource, &held), 0);
    task = cx_task_create(return_arg, NULL);
    assert_int_equal(cx_unset(resource), 0);
    assert_int_equal(held_now(), 1);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(held_now(), 0);
}

static void *sleep_and_read(void *arg)
{
    (void)cx_set(number, 1);
    (void)cx_sleep(UINT64_MAX);
    return as_pointer(cx_get(number) == 1 && arg == NULL);
}

/* 95 */
TASK_TEST(cleanup_of_a_cancelled_task_sees_the_tasks_own_values)
{
    cx_task *task = cx_task_create(sleep_and_read, NULL);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_set(number, 2), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(number_in(task), 1);
}

/* 126 */
TASK_TEST(a_cancelled_task_has_its_values_until_it_ends)
{
    cx_task *task = cx_task_create(hold_resource, as_pointer(60000));

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(held_now(), 1);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(held_now(), 0);
}

static cx_context *runners;

static void *count_in_a_given_context(void *arg)
{
    cx_task_options options = {.context = runners};
    void *before;

    (void)cx_await(cx_task_create_with(&options, get_number, NULL), &before);
    (void)cx_await(cx_task_create_with(&options, set_number, arg), NULL);
    return before;
}

/* 97 */
static void
a_second_loop_sees_what_the_first_set_in_a_given_context(void **state)
{
    void *first, *second;

    (void)state;
    runners = cx_context_new();
    assert_int_equal(cx_run(count_in_a_given_context, as_pointer(11), &first),
                     0);
    assert_int_equal(cx_run(count_in_a_given_context, as_pointer(12), &second),
                     0);
    assert_int_equal((intptr_t)first, -1);
    assert_int_equal((intptr_t)second, 11);
    assert_int_equal(cx_get(number), -1);
    cx_context_unref(runners);
}

static void *bind_and_yield(void *arg)
{
    int inside = 0, outside;

    CX_WITH(number, 20) {
        (void)cx_yield();
        inside = cx_get(number);
    }
    outside = cx_get(number);
    return as_pointer(inside == 20 && outside == -1 && arg == NULL);
}

/* 99 */
TASK_TEST(a_bind_is_seen_by_its_task_alone_while_that_is_suspended)
{
    cx_task *task = cx_task_create(bind_and_yield, NULL);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_get(number), -1);
    assert_int_equal(number_in(task), 1);
}

static void yield_within(void *arg)
{
    (void)cx_set(number, 30);
    (void)cx_yield();
    *(int *)arg = cx_get(number);
}

static void *suspend_within_a_run(void *arg)
{
    cx_context *context = cx_context_new();
    int inside = 0;

    (void)cx_set(number, 31);
    (void)cx_context_run(context, yield_within, &inside);
    cx_context_unref(context);
    return as_pointer(inside == 30 && cx_get(number) == 31 && arg == NULL);
}

TASK_TEST(a_task_suspended_within_a_run_resumes_within_it)
{
    cx_task *first = cx_task_create(suspend_within_a_run, NULL);
    cx_task *second = cx_task_create(suspend_within_a_run, NULL);

    assert_int_equal(number_in(first), 1);
    assert_int_equal(number_in(second), 1);
}

static void *hold_for_ever(void *arg)
{
    return hold_resource(arg);
}

static void *request(void *arg)
{
    cx_context *empty = cx_context_new();
    cx_task_options options = {.context = empty};

    (void)cx_set(resource, &held);
    *(cx_task **)arg = cx_task_create_with(&options, sleep_for_ever, NULL);
    cx_context_unref(empty);
    return NULL;
}

/* 101 */
TASK_TEST(a_background_task_in_an_empty_context_keeps_nothing_of_a_request)
{
    cx_task *background;

    assert_int_equal(cx_await(cx_task_create(request, &background), NULL), 0);
    assert_int_equal(held_now(), 0);
    assert_int_equal(cx_cancel(background), 0);
    assert_int_equal(cx_await(background, NULL), 0);
}

static void *enter_and_end(void *arg)
{
    return as_pointer(cx_context_enter(arg));
}

TASK_TEST(a_context_that_a_task_did_not_leave_is_left_at_its_end)
{
    cx_context *context = cx_context_new();

    assert_int_equal(number_in(cx_task_create(enter_and_end, context)), 0);
    assert_int_equal(cx_context_enter(context), 0);
    assert_int_equal(cx_context_exit(context), 0);
    cx_context_unref(context);
}

/* What a value's release is told when it acts like a task. */
static int release_errors[4];

static void wait_at_release(void *value)
{
    (void)value;
    release_errors[0] = cx_yield();
    release_errors[1] = cx_sleep(1);
    release_errors[2] = cx_task_create(return_arg, NULL) == NULL;
    release_errors[3] = cx_task_current() == NULL;
}

static void keep(void *value)
{
    (void)value;
}

static const cx_type waiting = {.ref = keep, .unref = wait_at_release};
CX_VAR(void *, waits, .type = &waiting);

static void *set_waits(void *arg)
{
    return as_pointer(cx_set(waits, arg));
}

/* 65 */
TASK_TEST(releasing_the_values_of_an_ended_task_cannot_wait)
{
    assert_int_equal(cx_await(cx_task_create(set_waits, &held), NULL), 0);
    assert_int_equal(release_errors[0], -EPERM);
    assert_int_equal(release_errors[1], -EPERM);
    assert_true(release_errors[2]);
    assert_true(release_errors[3]);
}

static void a_loop_leaves_nothing_held(void **state)
{
    (void)state;
    assert_int_equal(cx_run(hold_for_ever, as_pointer(0), NULL), 0);
    assert_int_equal(held_now(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_main_task_runs_in_a_copy_of_the_callers_context),
        cmocka_unit_test(
            what_a_parent_sets_after_creation_is_not_seen_by_the_child),
        cmocka_unit_test(
            what_a_child_sets_is_seen_by_neither_parent_nor_sibling),
        cmocka_unit_test(
            a_function_that_is_just_called_shares_the_callers_context),
        cmocka_unit_test(a_hundred_tasks_that_set_and_sleep_each_see_their_own),
        cmocka_unit_test(
            what_a_task_sets_in_a_given_context_stays_there_for_the_next),
        cmocka_unit_test(two_tasks_in_one_context_share_it),
        cmocka_unit_test(a_task_is_in_the_very_context_that_it_was_given),
        cmocka_unit_test(a_task_can_share_the_context_of_its_creator),
        cmocka_unit_test(a_task_created_within_a_run_inherits_what_it_runs_in),
        cmocka_unit_test(a_task_in_an_empty_context_sees_defaults_alone),
        cmocka_unit_test(running_in_the_context_that_a_task_is_in_is_refused),
        cmocka_unit_test(the_context_of_a_task_goes_when_the_task_ends),
        cmocka_unit_test(
            a_task_that_never_ran_until_the_end_lets_go_of_its_context_too),
        cmocka_unit_test(cleanup_of_a_cancelled_task_sees_the_tasks_own_values),
        cmocka_unit_test(a_cancelled_task_has_its_values_until_it_ends),
        cmocka_unit_test(
            a_second_loop_sees_what_the_first_set_in_a_given_context),
        cmocka_unit_test(
            a_bind_is_seen_by_its_task_alone_while_that_is_suspended),
        cmocka_unit_test(a_task_suspended_within_a_run_resumes_within_it),
        cmocka_unit_test(
            a_background_task_in_an_empty_context_keeps_nothing_of_a_request),
        cmocka_unit_test(
            a_context_that_a_task_did_not_leave_is_left_at_its_end),
        cmocka_unit_test(releasing_the_values_of_an_ended_task_cannot_wait),
        cmocka_unit_test(a_loop_leaves_nothing_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
