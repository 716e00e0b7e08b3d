/* SPDX-License-Identifier: MIT */
/*
 * Tokens: what they bring back, when they are refused, and what a refusal
 * leaves. Scopes, which hold a token each, are in scopes.c.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "fresh.h"

CX_VAR(int, number, .initial = 100);
CX_VAR(int, another);
CX_THREAD_VAR(int, of_thread);

/* Behaviour 14. */
static void a_reset_to_unset_shows_the_default_again(void **state)
{
    cx_token token;

    (void)state;
    assert_int_equal(cx_bind(number, 1, &token), 0);
    assert_int_equal(cx_get(number), 1);
    assert_int_equal(cx_reset(number, &token), 0);
    assert_int_equal(cx_get(number), 100);
    assert_false(cx_context_find(NULL, cx_var_of(number), NULL));
    assert_int_equal(cx_context_len(NULL), 0);
}

/* Behaviour 15. */
static void a_reset_brings_the_value_before_back(void **state)
{
    cx_token token;

    (void)state;
    (void)cx_set(number, 1);
    (void)cx_bind(number, 2, &token);
    assert_int_equal(cx_reset(number, &token), 0);
    assert_int_equal(cx_get(number), 1);
}

/* Behaviour 16. */
static void a_token_is_good_for_one_reset(void **state)
{
    cx_token token;

    (void)state;
    (void)cx_bind(number, 1, &token);
    assert_false(cx_token_used(&token));
    (void)cx_reset(number, &token);
    assert_true(cx_token_used(&token));
    (void)cx_set(number, 5);
    assert_int_equal(cx_reset(number, &token), -EALREADY);
    assert_int_equal(cx_get(number), 5);
}

/* Behaviours 17, 23. */
static void a_token_of_another_variable_is_refused_and_stays_good(void **state)
{
    cx_token token;

    (void)state;
    (void)cx_set(number, 1);
    (void)cx_set(another, 2);
    (void)cx_bind(number, 3, &token);
    assert_int_equal(cx_reset(another, &token), -EINVAL);
    assert_int_equal(cx_get(number), 3);
    assert_int_equal(cx_get(another), 2);
    assert_int_equal(cx_reset(number, &token), 0);
    assert_int_equal(cx_get(number), 1);
}

static void bind_inside(void *token)
{
    assert_int_equal(cx_bind(number, 7, token), 0);
}

static void reset_inside(void *token)
{
    assert_int_equal(cx_reset(number, token), 0);
    assert_int_equal(cx_get(number), 100);
}

/* Behaviours 18, 23. */
static void
a_token_made_in_a_run_is_refused_outside_and_stays_good(void **state)
{
    cx_context *ctx = cx_context_new();
    cx_token token;

    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_context_run(ctx, bind_inside, &token), 0);
    assert_int_equal(cx_reset(number, &token), -EXDEV);
    assert_int_equal(cx_get(number), 1);
    assert_int_equal(cx_context_run(ctx, reset_inside, &token), 0);
    cx_context_unref(ctx);
}

/* Behaviour 19. */
static void a_token_is_refused_in_a_copy_of_its_context(void **state)
{
    cx_token token;
    cx_context *copy;

    (void)state;
    (void)cx_bind(number, 1, &token);
    copy = cx_context_copy();
    (void)cx_context_enter(copy);
    assert_int_equal(cx_reset(number, &token), -EXDEV);
    assert_int_equal(cx_get(number), 1);
    (void)cx_context_exit(copy);
    cx_context_unref(copy);
    assert_int_equal(cx_reset(number, &token), 0);
}

/* Behaviour 20. */
static void used_is_told_before_another_variable_s(void **state)
{
    cx_token token;

    (void)state;
    (void)cx_bind(number, 1, &token);
    (void)cx_reset(number, &token);
    assert_int_equal(cx_reset(another, &token), -EALREADY);
}

/* Behaviour 20. */
static void another_variable_s_is_told_before_another_context_s(void **state)
{
    cx_context *ctx = cx_context_new();
    cx_token token;

    (void)state;
    (void)cx_context_run(ctx, bind_inside, &token);
    assert_int_equal(cx_reset(another, &token), -EINVAL);
    assert_int_equal(cx_reset(number, &token), -EXDEV);
    cx_token_drop(&token);
    cx_context_unref(ctx);
}

/* Behaviour 21. */
static void tokens_used_out_of_order_bring_back_what_each_saw(void **state)
{
    cx_token first, second;

    (void)state;
    (void)cx_bind(number, 1, &first);
    (void)cx_bind(number, 2, &second);
    assert_int_equal(cx_reset(number, &first), 0);
    assert_false(cx_context_find(NULL, cx_var_of(number), NULL));
    assert_int_equal(cx_reset(number, &second), 0);
    assert_int_equal(cx_get(number), 1);
}

/* Behaviour 22. */
static void a_token_tells_its_variable_and_the_value_before(void **state)
{
    cx_value old = {.i64 = -1};
    cx_token first, second;

    (void)state;
    (void)cx_bind(number, 1, &first);
    (void)cx_bind(number, 2, &second);
    assert_ptr_equal(cx_token_var(&first), cx_var_of(number));
    assert_false(cx_token_old(&first, &old));
    assert_int_equal(old.i64, -1);
    assert_true(cx_token_old(&second, &old));
    assert_int_equal(old.i64, 1);
    assert_true(cx_token_old(&second, NULL));
}

/* Behaviour 12. */
static void the_same_value_set_twice_gives_two_tokens(void **state)
{
    cx_value old = {.i64 = -1};
    cx_token first, second;

    (void)state;
    (void)cx_bind(number, 4, &first);
    (void)cx_bind(number, 4, &second);
    assert_true(cx_token_old(&second, &old));
    assert_int_equal(old.i64, 4);
    assert_int_equal(cx_reset(number, &second), 0);
    assert_false(cx_token_used(&first));
    assert_int_equal(cx_get(number), 4);
    assert_int_equal(cx_reset(number, &first), 0);
    assert_int_equal(cx_get(number), 100);
}

static void without_a_token_nothing_is_bound_or_reset(void **state)
{
    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_bind(number, 2, NULL), -EINVAL);
    assert_int_equal(cx_reset(number, NULL), -EINVAL);
    assert_int_equal(
        cx_var_bind(cx_var_of(another), (cx_value){.i64 = 2}, NULL), -EINVAL);
    assert_int_equal(cx_var_reset(cx_var_of(another), NULL), -EINVAL);
    assert_int_equal(cx_get(number), 1);
    assert_int_equal(cx_context_len(NULL), 1);
}

static void a_zeroed_token_is_a_used_one(void **state)
{
    cx_token token = {0};

    (void)state;
    assert_true(cx_token_used(&token));
    assert_true(cx_token_used(NULL));
    assert_null(cx_token_var(&token));
    assert_null(cx_token_var(NULL));
    assert_false(cx_token_old(&token, NULL));
    assert_false(cx_token_old(NULL, NULL));
    assert_int_equal(cx_reset(number, &token), -EALREADY);
    assert_int_equal(cx_reset(number, NULL), -EINVAL);
    cx_token_drop(&token);
    cx_token_drop(NULL);
}

/* Values that are counted, so that a token's hold on one is seen. */
static void counter_ref(void *counter)
{
    ++*(int *)counter;
}

static void counter_unref(void *counter)
{
    --*(int *)counter;
}

static const cx_type counter_type = {.ref = counter_ref,
                                     .unref = counter_unref};

CX_VAR(void *, counted, .type = &counter_type);

/* Behaviour 30. */
static void a_dropped_token_lets_go_of_the_old_value_alone(void **state)
{
    int before = 0, after = 0;
    cx_token token;

    (void)state;
    (void)cx_set(counted, &before);
    (void)cx_bind(counted, &after, &token);
    assert_int_equal(before, 1);
    cx_token_drop(&token);
    assert_int_equal(before, 0);
    assert_int_equal(after, 1);
    assert_ptr_equal(cx_get(counted), &after);
    assert_true(cx_token_used(&token));
    assert_int_equal(cx_reset(counted, &token), -EALREADY);
    (void)cx_unset(counted);
    assert_int_equal(after, 0);
}

/* Behaviour 30. */
static void a_token_outlives_its_context_and_is_dropped_then(void **state)
{
    cx_context *ctx = cx_context_new();
    int value = 0;
    cx_token token;

    (void)state;
    (void)cx_context_enter(ctx);
    (void)cx_set(counted, &value);
    (void)cx_bind(counted, NULL, &token);
    (void)cx_context_exit(ctx);
    cx_context_unref(ctx);
    assert_int_equal(value, 1);
    assert_int_equal(cx_reset(counted, &token), -EXDEV);
    cx_token_drop(&token);
    assert_int_equal(value, 0);
}

/* What a thread got for a token of another. */
struct elsewhere {
    cx_token *token;
    int number, of_thread;
    int value;
};

static void *reset_elsewhere(void *arg)
{
    struct elsewhere *elsewhere = arg;

    elsewhere->number = cx_reset(number, &elsewhere->token[0]);
    elsewhere->of_thread = cx_reset(of_thread, &elsewhere->token[1]);
    elsewhere->value = cx_get(number);
    return NULL;
}

/* Behaviour 31. */
static void a_token_is_refused_on_another_thread_and_stays_good(void **state)
{
    cx_token tokens[2];
    struct elsewhere elsewhere = {.token = tokens};
    pthread_t thread;

    (void)state;
    (void)cx_bind(number, 1, &tokens[0]);
    (void)cx_bind(of_thread, 1, &tokens[1]);
    assert_int_equal(
        cx_thread_create(&thread, NULL, reset_elsewhere, &elsewhere), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(elsewhere.number, -EXDEV);
    assert_int_equal(elsewhere.of_thread, -EXDEV);
    assert_int_equal(elsewhere.value, 1);
    assert_int_equal(cx_reset(number, &tokens[0]), 0);
    assert_int_equal(cx_reset(of_thread, &tokens[1]), 0);
    assert_int_equal(cx_get(of_thread), 0);
}

static void reset_from_elsewhere(void *token)
{
    assert_int_equal(cx_reset(number, token), -EXDEV);
    assert_int_equal(cx_set(number, 9), 0);
}

/* Behaviour 32. */
static void cleanup_in_another_context_is_refused_and_goes_on(void **state)
{
    cx_callback *cleanup;
    cx_token token;

    (void)state;
    (void)cx_bind(number, 1, &token);
    cleanup = cx_callback_new(reset_from_elsewhere, &token);
    cx_callback_call(cleanup);
    cx_callback_free(cleanup);
    assert_int_equal(cx_get(number), 1);
    assert_int_equal(cx_reset(number, &token), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_reset_to_unset_shows_the_default_again),
        fresh_test(a_reset_brings_the_value_before_back),
        fresh_test(a_token_is_good_for_one_reset),
        fresh_test(a_token_of_another_variable_is_refused_and_stays_good),
        fresh_test(a_token_made_in_a_run_is_refused_outside_and_stays_good),
        fresh_test(a_token_is_refused_in_a_copy_of_its_context),
        fresh_test(used_is_told_before_another_variable_s),
        fresh_test(another_variable_s_is_told_before_another_context_s),
        fresh_test(tokens_used_out_of_order_bring_back_what_each_saw),
        fresh_test(a_token_tells_its_variable_and_the_value_before),
        fresh_test(the_same_value_set_twice_gives_two_tokens),
        fresh_test(without_a_token_nothing_is_bound_or_reset),
        fresh_test(a_zeroed_token_is_a_used_one),
        fresh_test(a_dropped_token_lets_go_of_the_old_value_alone),
        fresh_test(a_token_outlives_its_context_and_is_dropped_then),
        fresh_test(a_token_is_refused_on_another_thread_and_stays_good),
        fresh_test(cleanup_in_another_context_is_refused_and_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
