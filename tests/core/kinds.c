/* SPDX-License-Identifier: MIT */
/*
 * The same claims for every kind of variable. Plain ones are written inline,
 * the others by calls, and all by calls while a copy shares what is written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/context.h>

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

static int format(const void *value, char *buf, size_t size)
{
    (void)value;
    return snprintf(buf, size, "value");
}

static const cx_type formatted = {.format = format};
static const cx_type counting = {.ref = count_ref, .unref = count_unref};

CX_VAR(void *, plain);
CX_VAR(void *, counted, .type = &counting);
CX_VAR(void *, limited, .inherit = CX_INHERIT_TASKS);
CX_VAR(void *, other);
CX_THREAD_VAR(void *, of_thread);
CX_THREAD_VAR(void *, counted_of_thread, .type = &counting);

/* A variable, and whether a copy is taken before each change. */
struct kind {
    cx_var *var;
    bool shared;
    cx_context *copies[8];
    size_t copies_len;
};

static int numbers[4];

static cx_value value(size_t i)
{
    return (cx_value){.ptr = &numbers[i]};
}

static void assert_value(const struct kind *kind, size_t i)
{
    cx_value found = {.ptr = NULL};

    assert_true(cx_var_find(kind->var, &found));
    assert_ptr_equal(found.ptr, &numbers[i]);
}

static void share(struct kind *kind)
{
    if (kind->shared)
        kind->copies[kind->copies_len++] = cx_context_copy();
}

static void set(struct kind *kind, size_t i)
{
    share(kind);
    assert_int_equal(cx_var_set(kind->var, value(i)), 0);
}

static void bind(struct kind *kind, size_t i, cx_token *token)
{
    share(kind);
    assert_int_equal(cx_var_bind(kind->var, value(i), token), 0);
}

static int reset(struct kind *kind, cx_token *token)
{
    share(kind);
    return cx_var_reset(kind->var, token);
}

/* Try a claim on one kind; all that is held meanwhile is let go of. */
static void try_kind(cx_var *var, bool shared, void (*claim)(struct kind *))
{
    struct kind kind = {.var = var, .shared = shared};

    holders = 0;
    claim(&kind);
    assert_int_equal(cx_var_unset(var), 0);
    for (size_t i = 0; i < kind.copies_len; i++)
        cx_context_unref(kind.copies[i]);
    assert_int_equal(holders, 0);
}

static void for_each_kind(void (*claim)(struct kind *))
{
    cx_var *made = cx_var_new("made", NULL, NULL);
    cx_var *made_counted = cx_var_new("made", &counting, NULL);
    cx_var *made_formatted = cx_var_new("made", &formatted, NULL);
    cx_var *const vars[] = {cx_var_of(plain),     cx_var_of(counted),
                            cx_var_of(limited),   made,
                            cx_var_of(of_thread), cx_var_of(counted_of_thread),
                            made_counted,         made_formatted};

    for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
        try_kind(vars[i], false, claim);
        try_kind(vars[i], true, claim);
    }
    cx_var_unref(made);
    cx_var_unref(made_counted);
    cx_var_unref(made_formatted);
}

static void reset_to_unset(struct kind *kind)
{
    cx_token token;

    bind(kind, 0, &token);
    assert_value(kind, 0);
    assert_int_equal(reset(kind, &token), 0);
    assert_false(cx_var_find(kind->var, NULL));
}

/* Behaviour 14. */
static void of_every_kind_a_reset_brings_not_being_set_back(void **state)
{
    (void)state;
    for_each_kind(reset_to_unset);
}

static void reset_to_value(struct kind *kind)
{
    cx_token token;

    set(kind, 0);
    bind(kind, 1, &token);
    assert_value(kind, 1);
    assert_int_equal(reset(kind, &token), 0);
    assert_value(kind, 0);
    assert_int_equal(reset(kind, &token), -EALREADY);
    assert_value(kind, 0);
}

/* Behaviours 15, 16. */
static void of_every_kind_a_reset_brings_the_value_back_once(void **state)
{
    (void)state;
    for_each_kind(reset_to_value);
}

static void reset_after_unset(struct kind *kind)
{
    cx_token token;

    set(kind, 0);
    bind(kind, 1, &token);
    share(kind);
    assert_int_equal(cx_var_unset(kind->var), 0);
    assert_false(cx_var_find(kind->var, NULL));
    assert_int_equal(reset(kind, &token), 0);
    assert_value(kind, 0);
}

/* Behaviour 15. */
static void
of_every_kind_a_reset_brings_the_value_back_over_an_unset(void **state)
{
    (void)state;
    for_each_kind(reset_after_unset);
}

static void reset_as_other(struct kind *kind)
{
    cx_token token;

    bind(kind, 0, &token);
    assert_int_equal(cx_var_reset(cx_var_of(other), &token), -EINVAL);
    assert_value(kind, 0);
    assert_int_equal(reset(kind, &token), 0);
    assert_false(cx_var_find(kind->var, NULL));
}

/* Behaviours 17, 23. */
static void of_every_kind_another_variable_s_token_is_refused(void **state)
{
    (void)state;
    for_each_kind(reset_as_other);
}

static void reset_out_of_order(struct kind *kind)
{
    cx_token first, second;

    bind(kind, 0, &first);
    bind(kind, 1, &second);
    assert_int_equal(reset(kind, &first), 0);
    assert_false(cx_var_find(kind->var, NULL));
    assert_int_equal(reset(kind, &second), 0);
    assert_value(kind, 0);
}

/* Behaviour 21. */
static void of_every_kind_each_token_brings_back_what_it_saw(void **state)
{
    (void)state;
    for_each_kind(reset_out_of_order);
}

static void drop_tokens(struct kind *kind)
{
    cx_token first, second;
    cx_value old;

    bind(kind, 0, &first);
    bind(kind, 1, &second);
    assert_false(cx_token_old(&first, &old));
    assert_true(cx_token_old(&second, &old));
    assert_ptr_equal(old.ptr, &numbers[0]);
    cx_token_drop(&first);
    cx_token_drop(&second);
    assert_int_equal(reset(kind, &second), -EALREADY);
    assert_value(kind, 1);
}

/* Behaviours 22, 30. */
static void
of_every_kind_a_token_tells_the_value_before_until_dropped(void **state)
{
    (void)state;
    for_each_kind(drop_tokens);
}

/* The i-th copy was taken when the i-th value had not been set yet. */
static void set_and_compare_copies(struct kind *kind)
{
    cx_value found;

    for (size_t i = 0; i < 4; i++)
        set(kind, i);
    for (size_t i = 1; i < kind->copies_len; i++) {
        bool in_copies = kind->var != cx_var_of(of_thread) &&
                         kind->var != cx_var_of(counted_of_thread);

        assert_int_equal(cx_context_find(kind->copies[i], kind->var, &found),
                         in_copies);
        if (in_copies)
            assert_ptr_equal(found.ptr, &numbers[i - 1]);
    }
    assert_value(kind, 3);
}

/* Behaviour 38. */
static void of_every_kind_copies_keep_what_they_began_with(void **state)
{
    (void)state;
    for_each_kind(set_and_compare_copies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(of_every_kind_a_reset_brings_not_being_set_back),
        fresh_test(of_every_kind_a_reset_brings_the_value_back_once),
        fresh_test(of_every_kind_a_reset_brings_the_value_back_over_an_unset),
        fresh_test(of_every_kind_another_variable_s_token_is_refused),
        fresh_test(of_every_kind_each_token_brings_back_what_it_saw),
        fresh_test(of_every_kind_a_token_tells_the_value_before_until_dropped),
        fresh_test(of_every_kind_copies_keep_what_they_began_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
