/* SPDX-License-Identifier: MIT */
/*
 * Contexts: running in them and copying them. When entering one is refused is
 * in entry.c, what one holds as a mapping in mapping.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctxvar/context.h>

#include "fresh.h"

CX_VAR(int, number, .initial = 100);

/* What a context holds for the variable; -1: it is not set there. */
static int held(const cx_context *ctx)
{
    cx_value value = {.i64 = -1};

    (void)cx_context_find(ctx, cx_var_of(number), &value);
    return (int)value.i64;
}

static void set_five(void *arg)
{
    (void)arg;
    assert_int_equal(cx_set(number, 5), 0);
}

/* Behaviour 33. */
static void what_a_run_sets_stays_in_its_context_alone(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_context_run(ctx, set_five, NULL), 0);
    assert_int_equal(held(ctx), 5);
    assert_int_equal(cx_get(number), 1);
    cx_context_unref(ctx);
}

/* What a function is given, and what it gives back. */
struct call {
    int argument;
    int result;
    const cx_context *ctx;
};

static void call_and_fail(void *arg)
{
    struct call *call = arg;

    (void)cx_set(number, call->argument);
    call->ctx = cx_context_current();
    call->result = -EIO;
}

/* A function fails through its argument: run's own result is run's. */
/* Behaviours 34, 35. */
static void a_run_that_fails_keeps_its_sets_and_comes_back(void **state)
{
    cx_context *ctx = cx_context_new();
    struct call call = {.argument = 8};

    assert_int_equal(cx_context_run(ctx, call_and_fail, &call), 0);
    assert_int_equal(call.result, -EIO);
    assert_ptr_equal(call.ctx, ctx);
    assert_ptr_equal(cx_context_current(), *state);
    assert_int_equal(held(ctx), 8);
    cx_context_unref(ctx);
}

static void set_and_ask(void *ctx)
{
    for (int i = 0; i < 3; i++) {
        (void)cx_set(number, i);
        assert_int_equal(held(ctx), i);
    }
    (void)cx_unset(number);
    assert_int_equal(held(ctx), -1);
}

/* Behaviour 36. */
static void a_context_shows_sets_as_they_happen(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    assert_int_equal(cx_context_run(ctx, set_and_ask, ctx), 0);
    cx_context_unref(ctx);
}

static void find_none(void *arg)
{
    (void)arg;
    assert_int_equal(cx_get(number), 100);
    assert_int_equal(cx_context_len(NULL), 0);
}

/* Behaviour 37. */
static void a_run_in_an_empty_context_sees_nothing_of_its_caller(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_context_run(ctx, find_none, NULL), 0);
    cx_context_unref(ctx);
}

/* Behaviour 38. */
static void a_copy_and_its_original_do_not_see_each_other_s_sets(void **state)
{
    cx_context *copy;

    (void)state;
    (void)cx_set(number, 1);
    copy = cx_context_copy();
    (void)cx_set(number, 2);
    assert_int_equal(held(copy), 1);
    assert_int_equal(cx_context_run(copy, set_five, NULL), 0);
    assert_int_equal(held(copy), 5);
    assert_int_equal(cx_get(number), 2);
    cx_context_unref(copy);
}

static void copy_inside(void *arg)
{
    cx_context **copy = arg;

    (void)cx_set(number, 1);
    *copy = cx_context_copy_of(cx_context_current());
    (void)cx_set(number, 2);
}

/* Behaviour 39. */
static void a_copy_of_an_entered_context_is_of_that_instant(void **state)
{
    cx_context *ctx = cx_context_new();
    cx_context *copy = NULL;

    (void)state;
    assert_int_equal(cx_context_run(ctx, copy_inside, &copy), 0);
    assert_int_equal(held(copy), 1);
    assert_int_equal(held(ctx), 2);
    assert_int_equal(cx_context_run(copy, set_five, NULL), 0);
    cx_context_unref(copy);
    cx_context_unref(ctx);
}

/* A value that counts its holders. */
static void holders_ref(void *holders)
{
    ++*(int *)holders;
}

static void holders_unref(void *holders)
{
    --*(int *)holders;
}

static const cx_type holders_type = {.ref = holders_ref,
                                     .unref = holders_unref};

CX_VAR(void *, owned, .type = &holders_type);

/* In an order that is neither that of making nor its reverse. */
static void release_mixed(cx_context **contexts, size_t n, size_t step)
{
    for (size_t i = 0, at = 0; i < n; i++, at = (at + step) % n)
        cx_context_unref(contexts[at]);
}

/* Behaviour 40. */
static void copies_of_copies_are_released_in_any_order(void **state)
{
    enum { DEPTH = 100000, PRIME = 7919 };
    cx_context **chain = calloc(DEPTH, sizeof(*chain));
    int holders = 0;

    (void)state;
    (void)cx_set(owned, &holders);
    chain[0] = cx_context_copy();
    for (size_t i = 1; i < DEPTH; i++) {
        chain[i] = cx_context_copy_of(chain[i - 1]);
        assert_int_equal(cx_context_enter(chain[i]), 0);
        assert_int_equal(cx_set(number, (int)i), 0);
        assert_int_equal(cx_context_exit(chain[i]), 0);
    }
    (void)cx_unset(owned);
    assert_int_equal(held(chain[DEPTH - 1]), DEPTH - 1);
    assert_int_equal(held(chain[1]), 1);
    release_mixed(chain, DEPTH, PRIME);
    assert_int_equal(holders, 0);
    free(chain);
}

/* Holds that one thread takes and gives back in numbers are counted apart. */
static void copies_by_the_thousand_leave_no_hold(void **state)
{
    enum { MANY = 1000 };
    cx_context *copies[MANY];
    int holders = 0;

    (void)state;
    (void)cx_set(owned, &holders);
    for (size_t i = 0; i < MANY; i++)
        copies[i] = cx_context_copy();
    for (size_t i = 0; i < MANY; i++)
        cx_context_unref(copies[i]);
    assert_int_equal(holders, 1);
    (void)cx_set(owned, NULL);
    assert_int_equal(holders, 0);
}

static void what_is_missing_is_refused(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    assert_int_equal(cx_context_run(NULL, set_five, NULL), -EINVAL);
    assert_int_equal(cx_context_run(ctx, NULL, NULL), -EINVAL);
    assert_int_equal(cx_context_enter(NULL), -EINVAL);
    assert_int_equal(cx_context_each(ctx, NULL, NULL), -EINVAL);
    assert_null(cx_context_ref(NULL));
    cx_context_unref(NULL);
    cx_context_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(what_a_run_sets_stays_in_its_context_alone),
        fresh_test(a_run_that_fails_keeps_its_sets_and_comes_back),
        fresh_test(a_context_shows_sets_as_they_happen),
        fresh_test(a_run_in_an_empty_context_sees_nothing_of_its_caller),
        fresh_test(a_copy_and_its_original_do_not_see_each_other_s_sets),
        fresh_test(a_copy_of_an_entered_context_is_of_that_instant),
        fresh_test(copies_of_copies_are_released_in_any_order),
        fresh_test(copies_by_the_thousand_leave_no_hold),
        fresh_test(what_is_missing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
