/* SPDX-License-Identifier: MIT */
/*
 * Scopes: blocks that bind, contexts that are entered, and the order in which
 * either is left.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/context.h>

#include "fresh.h"

CX_VAR(int, number, .initial = 100);
CX_VAR(int, another);
CX_VAR(const char *, text, .type = &cx_string);

static int with_and_return(void)
{
    CX_WITH(number, 1) {
        return cx_get(number);
    }
    return -1;
}

static int with_and_fail(int depth)
{
    CX_WITH(number, depth) {
        if (depth == 3)
            return -EIO;
        if (with_and_fail(depth + 1) != 0)
            return -EIO;
    }
    return 0;
}

/* Cancellation is an early return with an error: a wait gives -ECANCELED. */
/* Behaviour 24. */
static void with_is_undone_however_its_block_is_left(void **state)
{
    (void)state;
    CX_WITH(number, 1) {
        assert_int_equal(cx_get(number), 1);
    }
    assert_int_equal(cx_get(number), 100);
    assert_int_equal(with_and_return(), 1);
    assert_int_equal(cx_get(number), 100);
    assert_int_equal(with_and_fail(1), -EIO);
    assert_int_equal(cx_get(number), 100);
    CX_WITH(number, 2) {
        goto out;
    }
out:
    assert_int_equal(cx_get(number), 100);
    assert_int_equal(cx_context_len(NULL), 0);
}

/* The block is a loop of one round: break and continue are its own. */
/* Behaviour 24. */
static void break_and_continue_leave_the_block_alone(void **state)
{
    int rounds = 0, left = 0;

    (void)state;
    for (; rounds < 4; rounds++) {
        CX_WITH(number, rounds) {
            if (rounds % 2 == 0)
                break;
            if (rounds % 2 == 1)
                continue;
            left++;
        }
        assert_int_equal(cx_get(number), 100);
    }
    assert_int_equal(rounds, 4);
    assert_int_equal(left, 0);
    assert_int_equal(cx_context_len(NULL), 0);
}

static int with_in_a_switch(int which)
{
    switch (which) {
    case 1:
        CX_WITH(number, 1) {
            break;
        }
        return cx_get(number);
    default:
        return -1;
    }
}

static void goto_out_of_two_blocks(int *inside)
{
    CX_WITH(number, 1) {
        CX_WITH(another, 2) {
            *inside = cx_get(number) + cx_get(another);
            goto out;
        }
        *inside = -1;
    }
out:
    assert_int_equal(cx_get(number), 100);
}

/* Behaviour 24. */
static void a_jump_undoes_every_block_that_it_leaves(void **state)
{
    int inside = 0;

    (void)state;
    goto_out_of_two_blocks(&inside);
    assert_int_equal(inside, 3);
    assert_int_equal(with_in_a_switch(1), 100);
    assert_int_equal(cx_context_len(NULL), 0);
}

/* Behaviour 25. */
static void nested_withs_unwind_in_order(void **state)
{
    (void)state;
    CX_WITH(number, 1) {
        CX_WITH(number, 2) {
            assert_int_equal(cx_get(number), 2);
        }
        assert_int_equal(cx_get(number), 1);
    }
    assert_false(cx_context_find(NULL, cx_var_of(number), NULL));
}

/* One statement binds several by nesting: no brace lies between them. */
/* Behaviour 26. */
static void several_variables_are_bound_in_one_block(void **state)
{
    (void)state;
    (void)cx_set(another, 5);
    CX_WITH(number, 1)
        CX_WITH(another, 2)
            CX_WITH(text, "both") {
                assert_int_equal(cx_get(number), 1);
                assert_int_equal(cx_get(another), 2);
                assert_string_equal(cx_get(text), "both");
            }
    assert_int_equal(cx_get(number), 100);
    assert_int_equal(cx_get(another), 5);
    assert_null(cx_get(text));
}

static void swap(int *a, int *b)
{
    int old = *a;

    *a = *b;
    *b = old;
}

/* Binds 1, 2, 3 and 4 over unset, then uses the tokens in this order. */
static void assert_order(const int order[4])
{
    cx_token tokens[4];

    for (int i = 0; i < 4; i++)
        (void)cx_bind(number, i + 1, &tokens[i]);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(cx_reset(number, &tokens[order[i]]), 0);
        /* Token n saw the value n; token 0 saw none. */
        assert_int_equal(cx_get(number), order[i] != 0 ? order[i] : 100);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(cx_reset(number, &tokens[i]), -EALREADY);
    (void)cx_unset(number);
}

static void each_order(int order[4], int from)
{
    if (from == 4)
        assert_order(order);
    for (int i = from; i < 4; i++) {
        swap(&order[from], &order[i]);
        each_order(order, from + 1);
        swap(&order[from], &order[i]);
    }
}

/* Each token brings back what it saw, as PEP 567 has it; OpenTelemetry pops
 * all above instead. */
/* Behaviour 27. */
static void every_order_of_four_resets_is_defined(void **state)
{
    int order[4] = {0, 1, 2, 3};

    (void)state;
    each_order(order, 0);
}

/* Behaviour 28. */
static void a_context_is_left_once(void **state)
{
    cx_context *ctx = cx_context_new();

    assert_int_equal(cx_context_enter(ctx), 0);
    assert_int_equal(cx_context_exit(ctx), 0);
    assert_int_equal(cx_context_exit(ctx), -EINVAL);
    assert_ptr_equal(cx_context_current(), *state);
    cx_context_unref(ctx);
}

/* Behaviour 29. */
static void leaving_a_context_that_is_not_current_changes_nothing(void **state)
{
    cx_context *outer = cx_context_new();
    cx_context *inner = cx_context_new();

    (void)state;
    (void)cx_context_enter(outer);
    (void)cx_context_enter(inner);
    assert_int_equal(cx_context_exit(outer), -EINVAL);
    assert_ptr_equal(cx_context_current(), inner);
    assert_int_equal(cx_context_exit(inner), 0);
    assert_int_equal(cx_context_exit(outer), 0);
    cx_context_unref(outer);
    cx_context_unref(inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(with_is_undone_however_its_block_is_left),
        fresh_test(break_and_continue_leave_the_block_alone),
        fresh_test(a_jump_undoes_every_block_that_it_leaves),
        fresh_test(nested_withs_unwind_in_order),
        fresh_test(several_variables_are_bound_in_one_block),
        fresh_test(every_order_of_four_resets_is_defined),
        fresh_test(a_context_is_left_once),
        fresh_test(leaving_a_context_that_is_not_current_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
