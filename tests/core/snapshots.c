/* SPDX-License-Identifier: MIT */
/*
 * Snapshots, and callbacks, which are a snapshot and a function: what a run
 * sees, and that it leaves nothing behind. Copies that variables stay out of
 * are not here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "fresh.h"

CX_VAR(int, number, .initial = 100);

/* What a run found, and what it did. */
struct run {
    int seen; /* -1: not set */
    int to_set;
    int calls;
    int error;
};

static void look_and_set(void *arg)
{
    struct run *run = arg;
    cx_value value = {.i64 = -1};

    (void)cx_context_find(NULL, cx_var_of(number), &value);
    run->seen = (int)value.i64;
    run->calls++;
    run->error = cx_set(number, run->to_set);
}

/* Behaviour 54. */
static void a_snapshot_of_nothing_runs_with_nothing_set(void **state)
{
    cx_snapshot *snapshot = cx_snapshot_new();
    struct run run = {.to_set = 2};

    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_snapshot_run(snapshot, look_and_set, &run), 0);
    assert_int_equal(run.seen, -1);
    assert_int_equal(cx_get(number), 1);
    (void)cx_unset(number);
    assert_int_equal(cx_snapshot_run(snapshot, look_and_set, &run), 0);
    assert_int_equal(run.seen, -1);
    assert_int_equal(cx_context_len(NULL), 0);
    cx_snapshot_unref(snapshot);
}

/* Behaviour 55. */
static void a_run_sees_the_captured_value_and_leaves_the_later_one(void **state)
{
    struct run run = {.to_set = 3};
    cx_snapshot *snapshot;

    (void)state;
    (void)cx_set(number, 1);
    snapshot = cx_snapshot_new();
    (void)cx_set(number, 2);
    assert_int_equal(cx_snapshot_run(snapshot, look_and_set, &run), 0);
    assert_int_equal(run.seen, 1);
    assert_int_equal(run.error, 0);
    assert_int_equal(cx_get(number), 2);
    cx_snapshot_unref(snapshot);
}

/* Behaviour 56. */
static void
a_callback_has_its_captured_values_wherever_it_is_called(void **state)
{
    struct run first = {.to_set = 11}, second = {.to_set = 12};
    cx_context *other = cx_context_new();
    cx_callback *one, *two;

    (void)state;
    (void)cx_set(number, 1);
    one = cx_callback_new(look_and_set, &first);
    (void)cx_set(number, 2);
    two = cx_callback_new(look_and_set, &second);
    (void)cx_set(number, 3);
    cx_callback_call(two);
    cx_callback_call(one);
    assert_int_equal(cx_get(number), 3);
    assert_int_equal(cx_context_run(other, cx_callback_call, two), 0);
    assert_int_equal(cx_context_run(other, cx_callback_call, one), 0);
    assert_int_equal(first.seen, 1);
    assert_int_equal(second.seen, 2);
    assert_int_equal(first.calls + second.calls, 4);
    assert_int_equal(cx_context_len(other), 0);
    assert_int_equal(cx_get(number), 3);
    cx_callback_free(one);
    cx_callback_free(two);
    cx_context_unref(other);
}

static void fail_inside(void *arg)
{
    struct run *run = arg;
    cx_context *forgotten = cx_context_new();

    (void)cx_context_enter(forgotten);
    cx_context_unref(forgotten);
    (void)cx_set(number, 9);
    run->error = -EIO;
}

/* A function that fails may even have forgotten to leave what it entered. */
/* Behaviour 57. */
static void
a_callback_that_fails_comes_back_to_its_caller_s_context(void **state)
{
    struct run run = {.error = 0};
    cx_callback *callback = cx_callback_new(fail_inside, &run);

    (void)cx_set(number, 1);
    cx_callback_call(callback);
    assert_int_equal(run.error, -EIO);
    assert_ptr_equal(cx_context_current(), *state);
    assert_int_equal(cx_get(number), 1);
    cx_callback_free(callback);
}

/* Behaviour 58. */
static void a_callback_of_a_callback_has_the_inner_one_s_values(void **state)
{
    struct run run = {.to_set = 3};
    cx_callback *inner, *outer;

    (void)state;
    (void)cx_set(number, 1);
    inner = cx_callback_new(look_and_set, &run);
    (void)cx_set(number, 2);
    outer = cx_callback_new(cx_callback_call, inner);
    cx_callback_call(outer);
    assert_int_equal(run.seen, 1);
    assert_int_equal(run.calls, 1);
    cx_callback_free(outer);
    cx_callback_free(inner);
}

/* Behaviour 59. */
static void a_run_s_sets_are_not_in_the_snapshot_s_next_run(void **state)
{
    struct run run = {.to_set = 7};
    cx_snapshot *snapshot;

    (void)state;
    (void)cx_set(number, 1);
    snapshot = cx_snapshot_new();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cx_snapshot_run(snapshot, look_and_set, &run), 0);
        assert_int_equal(run.seen, 1);
    }
    cx_snapshot_unref(snapshot);
}

/* Behaviour 59. */
static void a_call_s_sets_are_not_in_the_callback_s_next_call(void **state)
{
    struct run run = {.to_set = 7};
    cx_callback *callback;

    (void)state;
    (void)cx_set(number, 1);
    callback = cx_callback_new(look_and_set, &run);
    for (int i = 0; i < 3; i++) {
        cx_callback_call(callback);
        assert_int_equal(run.seen, 1);
    }
    cx_callback_free(callback);
}

static void run_and_look(void *snapshot)
{
    struct run inner = {.to_set = 6};

    (void)cx_set(number, 5);
    assert_int_equal(cx_snapshot_run(snapshot, look_and_set, &inner), 0);
    assert_int_equal(inner.seen, 1);
    assert_int_equal(cx_get(number), 5);
}

/* A context refuses this; a snapshot may be run any number of times. */
/* Behaviour 108. */
static void a_snapshot_runs_inside_its_own_run(void **state)
{
    cx_snapshot *snapshot;

    (void)state;
    (void)cx_set(number, 1);
    snapshot = cx_snapshot_new();
    assert_int_equal(cx_snapshot_run(snapshot, run_and_look, snapshot), 0);
    cx_snapshot_unref(snapshot);
}

static void a_context_of_a_snapshot_starts_from_it_and_keeps_sets(void **state)
{
    struct run run = {.to_set = 7};
    cx_snapshot *snapshot;
    cx_context *ctx;

    (void)state;
    (void)cx_set(number, 1);
    snapshot = cx_snapshot_new();
    (void)cx_set(number, 2);
    ctx = cx_context_of(snapshot);
    cx_snapshot_unref(snapshot);
    assert_int_equal(cx_context_run(ctx, look_and_set, &run), 0);
    assert_int_equal(run.seen, 1);
    assert_int_equal(cx_context_run(ctx, look_and_set, &run), 0);
    assert_int_equal(run.seen, 7);
    cx_context_unref(ctx);
}

static void without_a_snapshot_or_a_function_nothing_is_run(void **state)
{
    cx_snapshot *snapshot = cx_snapshot_new();
    struct run run = {.calls = 0};

    (void)state;
    assert_int_equal(cx_snapshot_run(NULL, look_and_set, &run), -EINVAL);
    assert_int_equal(cx_snapshot_run(snapshot, NULL, &run), -EINVAL);
    assert_null(cx_context_of(NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(cx_snapshot_ref(NULL));
    cx_snapshot_unref(NULL);
    assert_int_equal(run.calls, 0);
    cx_snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_snapshot_of_nothing_runs_with_nothing_set),
        fresh_test(a_run_sees_the_captured_value_and_leaves_the_later_one),
        fresh_test(a_callback_has_its_captured_values_wherever_it_is_called),
        fresh_test(a_callback_that_fails_comes_back_to_its_caller_s_context),
        fresh_test(a_callback_of_a_callback_has_the_inner_one_s_values),
        fresh_test(a_run_s_sets_are_not_in_the_snapshot_s_next_run),
        fresh_test(a_call_s_sets_are_not_in_the_callback_s_next_call),
        fresh_test(a_snapshot_runs_inside_its_own_run),
        fresh_test(a_context_of_a_snapshot_starts_from_it_and_keeps_sets),
        fresh_test(without_a_snapshot_or_a_function_nothing_is_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
