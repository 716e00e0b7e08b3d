/* SPDX-License-Identifier: MIT */
/*
 * Entry: a context is entered in one place at a time, and left where it was
 * entered, innermost first.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

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

static void run_again(void *ctx)
{
    (void)cx_set(number, 3);
    assert_int_equal(cx_context_run(ctx, set_five, NULL), -EBUSY);
    assert_int_equal(cx_context_enter(ctx), -EBUSY);
    assert_int_equal(cx_get(number), 3);
    assert_ptr_equal(cx_context_current(), ctx);
}

/* Behaviour 41. */
static void a_context_does_not_run_inside_itself(void **state)
{
    cx_context *ctx = cx_context_new();

    assert_int_equal(cx_context_run(ctx, run_again, ctx), 0);
    assert_ptr_equal(cx_context_current(), *state);
    assert_int_equal(held(ctx), 3);
    cx_context_unref(ctx);
}

static void run_outer_in_inner(void *outer)
{
    assert_int_equal(cx_context_run(outer, set_five, NULL), -EBUSY);
}

static void run_inner(void *outer)
{
    cx_context *inner = cx_context_new();

    assert_int_equal(cx_context_run(inner, run_outer_in_inner, outer), 0);
    cx_context_unref(inner);
}

/* Behaviour 42. */
static void a_context_does_not_run_inside_what_runs_in_it(void **state)
{
    cx_context *outer = cx_context_new();

    (void)state;
    assert_int_equal(cx_context_run(outer, run_inner, outer), 0);
    assert_int_equal(held(outer), -1);
    cx_context_unref(outer);
}

/* What another thread is told about a context. */
struct other {
    cx_context *ctx;
    int run, exit, each;
    bool found;
    cx_context *copy; /* not to be looked into */
    int copy_error;
};

static int no_entry(cx_var *var, cx_value value, void *arg)
{
    (void)var;
    (void)value;
    (void)arg;
    return 0;
}

static void *use_elsewhere(void *arg)
{
    struct other *other = arg;

    other->exit = cx_context_exit(other->ctx);
    other->each = cx_context_each(other->ctx, no_entry, NULL);
    other->found = cx_context_find(other->ctx, cx_var_of(number), NULL);
    other->copy = cx_context_copy_of(other->ctx);
    other->copy_error = errno;
    cx_context_unref(other->copy);
    other->run = cx_context_run(other->ctx, set_five, NULL);
    return NULL;
}

static struct other ask_another_thread(cx_context *ctx)
{
    struct other other = {.ctx = ctx};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, use_elsewhere, &other), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return other;
}

/* Behaviour 43. */
static void a_context_entered_here_is_refused_elsewhere_until_left(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    (void)cx_context_enter(ctx);
    (void)cx_set(number, 1);
    assert_int_equal(ask_another_thread(ctx).run, -EBUSY);
    assert_int_equal(cx_get(number), 1);
    (void)cx_context_exit(ctx);
    assert_int_equal(ask_another_thread(ctx).run, 0);
    assert_int_equal(held(ctx), 5);
    cx_context_unref(ctx);
}

/* A copy while its owner writes is refused; an asyncio program would race. */
/* Behaviours 13, 43. */
static void a_context_entered_here_is_not_read_elsewhere(void **state)
{
    cx_context *ctx = cx_context_new();
    struct other other;

    (void)state;
    (void)cx_context_enter(ctx);
    (void)cx_set(number, 1);
    other = ask_another_thread(ctx);
    assert_int_equal(other.each, -EBUSY);
    assert_false(other.found);
    assert_null(other.copy);
    assert_int_equal(other.copy_error, EBUSY);
    (void)cx_context_exit(ctx);
    cx_context_unref(ctx);
}

/* Behaviour 44. */
static void a_context_is_left_by_the_thread_that_entered(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    (void)cx_context_enter(ctx);
    assert_int_equal(ask_another_thread(ctx).exit, -EINVAL);
    assert_ptr_equal(cx_context_current(), ctx);
    assert_int_equal(cx_context_exit(ctx), 0);
    cx_context_unref(ctx);
}

/* A context that one thread has entered and another swaps in, as happens to
 * schedulers that move coroutines. */
struct borrowed {
    cx_context *ctx;
    int error;
};

static void *swap_in_and_leave(void *arg)
{
    struct borrowed *borrowed = arg;
    cx_context *mine = cx_context_swap(borrowed->ctx);

    borrowed->error = cx_context_exit(borrowed->ctx);
    (void)cx_context_swap(mine);
    return NULL;
}

/* Behaviour 44. */
static void a_context_swapped_in_is_not_left_for_who_entered_it(void **state)
{
    struct borrowed borrowed = {.ctx = cx_context_new()};
    pthread_t thread;

    (void)cx_context_enter(borrowed.ctx);
    (void)cx_context_swap(*state);
    assert_int_equal(
        pthread_create(&thread, NULL, swap_in_and_leave, &borrowed), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(borrowed.error, -EINVAL);
    (void)cx_context_swap(borrowed.ctx);
    assert_int_equal(cx_context_exit(borrowed.ctx), 0);
    cx_context_unref(borrowed.ctx);
}

/* Behaviour 45. */
static void an_outer_context_is_not_left_before_the_inner(void **state)
{
    cx_context *outer = cx_context_new();
    cx_context *inner = cx_context_new();

    (void)state;
    (void)cx_context_enter(outer);
    (void)cx_context_enter(inner);
    assert_int_equal(cx_context_exit(outer), -EINVAL);
    assert_int_equal(cx_context_enter(outer), -EBUSY);
    assert_int_equal(cx_context_enter(inner), -EBUSY);
    assert_int_equal(cx_context_exit(inner), 0);
    assert_int_equal(cx_context_exit(outer), 0);
    cx_context_unref(inner);
    cx_context_unref(outer);
}

static void *exit_own(void *arg)
{
    int *error = arg;

    *error = cx_context_exit(cx_context_current());
    return NULL;
}

/* Behaviour 46. */
static void a_context_never_entered_is_not_left(void **state)
{
    cx_context *ctx = cx_context_new();
    pthread_t thread;
    int error = 0;

    (void)state;
    assert_int_equal(cx_context_exit(ctx), -EINVAL);
    assert_int_equal(cx_context_exit(NULL), -EINVAL);
    assert_int_equal(pthread_create(&thread, NULL, exit_own, &error), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(error, -EINVAL);
    cx_context_unref(ctx);
}

/* Behaviour 47. */
static void a_context_entered_again_still_has_its_values(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cx_context_enter(ctx), 0);
        assert_int_equal(cx_get(number), i == 0 ? 100 : i);
        (void)cx_set(number, i + 1);
        assert_int_equal(cx_context_exit(ctx), 0);
    }
    cx_context_unref(ctx);
}

static void nest(void *depth)
{
    int mine = *(int *)depth;
    int next = mine + 1;
    cx_context *ctx = mine < 500 ? cx_context_new() : NULL;

    (void)cx_set(number, mine);
    if (ctx != NULL)
        assert_int_equal(cx_context_run(ctx, nest, &next), 0);
    assert_int_equal(cx_get(number), mine);
    cx_context_unref(ctx);
}

/* Behaviour 48. */
static void five_hundred_nested_runs_see_their_own_values(void **state)
{
    int depth = 0;

    (void)state;
    nest(&depth);
    assert_int_equal(cx_get(number), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_context_does_not_run_inside_itself),
        fresh_test(a_context_does_not_run_inside_what_runs_in_it),
        fresh_test(a_context_entered_here_is_refused_elsewhere_until_left),
        fresh_test(a_context_entered_here_is_not_read_elsewhere),
        fresh_test(a_context_is_left_by_the_thread_that_entered),
        fresh_test(a_context_swapped_in_is_not_left_for_who_entered_it),
        fresh_test(an_outer_context_is_not_left_before_the_inner),
        fresh_test(a_context_never_entered_is_not_left),
        fresh_test(a_context_entered_again_still_has_its_values),
        fresh_test(five_hundred_nested_runs_see_their_own_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
