/* SPDX-License-Identifier: MIT */
/*
 * A fresh context for each test: it begins empty, and what a test sets in it
 * is not seen by the next. Include <cmocka.h> before.
 */
#ifndef CTXVAR_TESTS_FRESH_H
#define CTXVAR_TESTS_FRESH_H

#include <ctxvar/context.h>

static inline int fresh_enter(void **state)
{
    cx_context *ctx = cx_context_new();

    *state = ctx;
    return cx_context_enter(ctx);
}

/* Fails the test, should it have left another context current. */
static inline int fresh_leave(void **state)
{
    int error = cx_context_exit(*state);

    cx_context_unref(*state);
    return error;
}

#define fresh_test(claim)                                                      \
    cmocka_unit_test_setup_teardown(claim, fresh_enter, fresh_leave)

#endif
