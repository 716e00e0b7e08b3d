/* SPDX-License-Identifier: MIT */
/*
 * Callbacks: what a call leaves behind, what its function may do, and calls
 * that overlap. What a call sees is in snapshots.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "fresh.h"

static int holders;

static void count_ref(void *value)
{
    (void)value;
    holders++;
}

static void count_unref(void *value)
{
    (void)value;
    holders--;
}

static const cx_type counting = {.ref = count_ref, .unref = count_unref};

CX_VAR(int, number, .initial = 100);
CX_VAR(void *, counted, .type = &counting);

static void without_a_function_none_is_made(void **state)
{
    (void)state;
    errno = 0;
    assert_null(cx_callback_new(NULL, NULL));
    assert_int_equal(errno, EINVAL);
}

static void null_is_neither_called_nor_freed(void **state)
{
    (void)state;
    cx_callback_call(NULL);
    cx_callback_free(NULL);
}

static void set_counted(void *value)
{
    (void)cx_set(counted, value);
}

static void what_a_call_sets_is_let_go_of_as_it_returns(void **state)
{
    int value;
    cx_callback *callback = cx_callback_new(set_counted, &value);

    (void)state;
    for (int i = 0; i < 2; i++) {
        holders = 0;
        cx_callback_call(callback);
        assert_int_equal(holders, 0);
    }
    cx_callback_free(callback);
}

/* Frees the callback that called it, then looks at what it was to see. */
struct freeing {
    cx_callback *callback;
    int seen_before, seen_after;
    bool set_after;
};

static void free_and_go_on(void *arg)
{
    struct freeing *freeing = arg;

    freeing->seen_before = cx_get(number);
    cx_callback_free(freeing->callback);
    freeing->seen_after = cx_get(number);
    freeing->set_after = cx_set(number, 3) == 0 && cx_get(number) == 3;
}

static void a_function_may_free_its_callback(void **state)
{
    struct freeing freeing = {.callback = NULL};
    int value;

    (void)state;
    holders = 0;
    (void)cx_set(number, 1);
    (void)cx_set(counted, &value);
    freeing.callback = cx_callback_new(free_and_go_on, &freeing);
    (void)cx_set(number, 2);
    (void)cx_unset(counted);
    cx_callback_call(freeing.callback);
    assert_int_equal(freeing.seen_before, 1);
    assert_int_equal(freeing.seen_after, 1);
    assert_true(freeing.set_after);
    assert_int_equal(cx_get(number), 2);
    assert_int_equal(holders, 0);
}

/* A call within a call, down to a depth. */
struct nested {
    cx_callback *callback;
    int depth, deepest;
    int seen[4];
};

static void call_itself(void *arg)
{
    struct nested *nested = arg;
    int depth = nested->depth++;

    nested->seen[depth] = cx_get(number);
    (void)cx_set(number, 10 + depth);
    if (nested->depth < nested->deepest)
        cx_callback_call(nested->callback);
    if (cx_get(number) != 10 + depth)
        nested->seen[depth] = -1;
}

static void calls_within_calls_each_have_a_fresh_copy(void **state)
{
    struct nested nested = {.deepest = 4};

    (void)state;
    (void)cx_set(number, 1);
    nested.callback = cx_callback_new(call_itself, &nested);
    for (int round = 0; round < 2; round++) {
        nested.depth = 0;
        cx_callback_call(nested.callback);
        assert_int_equal(nested.depth, 4);
        for (int i = 0; i < 4; i++)
            assert_int_equal(nested.seen[i], 1);
    }
    cx_callback_free(nested.callback);
}

static void keep_context(void *kept)
{
    (void)cx_set(number, cx_get(number) + 1);
    *(cx_context **)kept = cx_context_ref(cx_context_current());
}

static void a_context_that_a_call_keeps_is_its_own_from_then_on(void **state)
{
    cx_context *last = NULL, *first;
    cx_callback *callback;
    cx_value value;

    (void)state;
    (void)cx_set(number, 1);
    callback = cx_callback_new(keep_context, &last);
    cx_callback_call(callback);
    first = last;
    cx_callback_call(callback);
    assert_ptr_not_equal(first, last);
    cx_callback_free(callback);
    assert_true(cx_context_find(first, cx_var_of(number), &value));
    assert_int_equal(value.i64, 2);
    assert_int_equal(cx_context_run(first, set_counted, NULL), 0);
    cx_context_unref(first);
    cx_context_unref(last);
}

/* Binds in the first call, resets in the second. */
struct tokens {
    cx_token token;
    int calls;
    int error;
};

static void bind_then_reset(void *arg)
{
    struct tokens *tokens = arg;

    if (tokens->calls++ == 0)
        tokens->error = cx_bind(number, 5, &tokens->token);
    else
        tokens->error = cx_reset(number, &tokens->token);
}

/* Memory of a call serves the next one; its identity does not. */
static void a_token_of_one_call_is_refused_in_the_next(void **state)
{
    struct tokens tokens = {.calls = 0};
    cx_callback *callback = cx_callback_new(bind_then_reset, &tokens);

    (void)state;
    cx_callback_call(callback);
    assert_int_equal(tokens.error, 0);
    cx_callback_call(callback);
    assert_int_equal(tokens.error, -EXDEV);
    assert_false(cx_token_used(&tokens.token));
    cx_token_drop(&tokens.token);
    cx_callback_free(callback);
}

static void bind_and_share(void *arg)
{
    struct tokens *tokens = arg;
    cx_context *copy;

    tokens->error = cx_bind(number, 5, &tokens->token);
    copy = cx_context_copy();
    tokens->error |= cx_reset(number, &tokens->token);
    tokens->error |= cx_bind(number, 6, &tokens->token);
    cx_context_unref(copy);
    copy = cx_context_copy();
    cx_context_unref(copy);
    cx_token_drop(&tokens->token);
    tokens->calls++;
}

/* What was set aside for its resets is the call's, not the callback's. */
static void a_call_may_share_its_context_while_tokens_are_open(void **state)
{
    struct tokens tokens = {.calls = 0};
    cx_callback *callback;

    (void)state;
    (void)cx_set(number, 1);
    callback = cx_callback_new(bind_and_share, &tokens);
    cx_callback_call(callback);
    cx_callback_call(callback);
    assert_int_equal(tokens.error, 0);
    assert_int_equal(tokens.calls, 2);
    cx_callback_free(callback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(without_a_function_none_is_made),
        fresh_test(null_is_neither_called_nor_freed),
        fresh_test(what_a_call_sets_is_let_go_of_as_it_returns),
        fresh_test(a_function_may_free_its_callback),
        fresh_test(calls_within_calls_each_have_a_fresh_copy),
        fresh_test(a_context_that_a_call_keeps_is_its_own_from_then_on),
        fresh_test(a_token_of_one_call_is_refused_in_the_next),
        fresh_test(a_call_may_share_its_context_while_tokens_are_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
