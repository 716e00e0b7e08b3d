/* SPDX-License-Identifier: MIT */
/*
 * Variables: what is read of one that is set, unset or has a default, and
 * that many of them do not get into each other's way.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "context.h"
#include "fresh.h"

CX_VAR(int, plain);
CX_VAR(int, preset, .initial = 3);
CX_VAR(const char *, preset_text, .initial = "default");

static cx_value number(int64_t i)
{
    return (cx_value){.i64 = i};
}

static int64_t number_of(const cx_var *var)
{
    cx_value value = {.i64 = -1};

    (void)cx_var_find(var, &value);
    return value.i64;
}

/* Behaviour 1. */
static void a_variable_never_set_and_without_default_has_no_value(void **state)
{
    int value = 7;

    (void)state;
    assert_false(cx_find(plain, &value));
    assert_false(cx_var_find(cx_var_of(plain), NULL));
    assert_false(cx_context_find(NULL, cx_var_of(plain), NULL));
    assert_int_equal(cx_get(plain), 0);
}

/* A default of the call is what *out holds before: find leaves it alone. */
/* Behaviour 2. */
static void what_out_held_stays_when_there_is_no_value(void **state)
{
    int value = 7;
    cx_value raw = number(8);

    (void)state;
    (void)cx_find(plain, &value);
    (void)cx_var_find(cx_var_of(plain), &raw);
    assert_int_equal(value, 7);
    assert_int_equal(raw.i64, 8);
}

/* PEP 567 lets the call's default win; here the variable's own does. */
/* Behaviour 3. */
static void a_variable_s_default_is_read_while_it_is_not_set(void **state)
{
    int value = 7;

    (void)state;
    assert_int_equal(cx_get(preset), 3);
    assert_true(cx_find(preset, &value));
    assert_int_equal(value, 3);
}

/* Behaviour 4. */
static void a_value_that_is_set_wins_over_any_default(void **state)
{
    int value = 7;

    (void)state;
    assert_int_equal(cx_set(plain, 5), 0);
    assert_int_equal(cx_set(preset, 6), 0);
    assert_int_equal(cx_get(preset), 6);
    assert_true(cx_find(plain, &value));
    assert_int_equal(value, 5);
}

static int count_entry(cx_var *var, cx_value value, void *count)
{
    (void)var;
    (void)value;
    ++*(int *)count;
    return 0;
}

/* Behaviour 5. */
static void a_default_is_not_among_the_values_of_a_context(void **state)
{
    int entries = 0;

    (void)state;
    assert_int_equal(cx_get(preset), 3);
    assert_false(cx_context_find(NULL, cx_var_of(preset), NULL));
    assert_int_equal(cx_context_len(NULL), 0);
    assert_int_equal(cx_context_each(NULL, count_entry, &entries), 0);
    assert_int_equal(entries, 0);
}

/* Behaviour 6. */
static void variables_of_the_same_title_are_two(void **state)
{
    cx_var *one = cx_var_new("same", NULL, NULL);
    cx_var *other = cx_var_new("same", NULL, NULL);

    (void)state;
    assert_int_equal(cx_var_set(one, number(1)), 0);
    assert_int_equal(number_of(one), 1);
    assert_false(cx_var_find(other, NULL));
    assert_int_equal(cx_var_unset(one), 0);
    cx_var_unref(one);
    cx_var_unref(other);
}

/* Behaviour 7. */
static void a_title_does_not_change_with_the_text_it_was_made_from(void **state)
{
    char text[] = "title";
    cx_var *var = cx_var_new(text, NULL, NULL);

    (void)state;
    text[0] = 'X';
    assert_string_equal(cx_var_title(var), "title");
    assert_string_equal(cx_var_title(cx_var_of(plain)), "plain");
    cx_var_unref(var);
}

/* Behaviour 8. */
static void null_is_a_value_and_hides_the_default(void **state)
{
    const char *text = "before";

    (void)state;
    assert_int_equal(cx_set(preset_text, NULL), 0);
    assert_null(cx_get(preset_text));
    assert_true(cx_find(preset_text, &text));
    assert_null(text);
    assert_true(cx_context_find(NULL, cx_var_of(preset_text), NULL));
}

static void unset_brings_the_default_back(void **state)
{
    (void)state;
    (void)cx_set(preset, 6);
    assert_int_equal(cx_unset(preset), 0);
    assert_int_equal(cx_get(preset), 3);
    assert_false(cx_context_find(NULL, cx_var_of(preset), NULL));
    assert_int_equal(cx_unset(preset), 0);
}

enum { FEW = 40, MANY = 5000 };

static cx_var *vars[MANY];

static void vars_make(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        vars[i] = cx_var_new("one of many", NULL, NULL);
        assert_non_null(vars[i]);
    }
}

static void vars_free(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(cx_var_unset(vars[i]), 0);
        cx_var_unref(vars[i]);
    }
}

/* The first n are set, to base plus their index; the others are not. */
static void assert_set(size_t n, size_t of, int64_t base)
{
    assert_int_equal(cx_context_len(NULL), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(number_of(vars[i]), base + (int64_t)i);
    for (size_t i = n; i < of; i++)
        assert_false(cx_var_find(vars[i], NULL));
}

/* Behaviour 9. */
static void values_are_right_at_every_number_of_variables(void **state)
{
    (void)state;
    vars_make(FEW);
    for (size_t n = 1; n <= FEW; n++) {
        assert_int_equal(cx_var_set(vars[n - 1], number((int64_t)n - 1)), 0);
        assert_set(n, FEW, 0);
        for (size_t i = 0; i < n; i++)
            (void)cx_var_set(vars[i], number(100 + (int64_t)i));
        assert_set(n, FEW, 100);
        for (size_t i = 0; i < n; i++)
            (void)cx_var_set(vars[i], number((int64_t)i));
    }
    for (size_t n = FEW; n-- > 0;) {
        assert_int_equal(cx_var_unset(vars[n]), 0);
        assert_set(n, FEW, 0);
    }
    vars_free(FEW);
}

/* Behaviour 9. */
static void values_are_right_at_every_number_while_copies_share(void **state)
{
    cx_context *copies[FEW];

    (void)state;
    vars_make(FEW);
    for (size_t n = 0; n < FEW; n++) {
        copies[n] = cx_context_copy();
        (void)cx_var_set(vars[n], number((int64_t)n));
        assert_set(n + 1, FEW, 0);
    }
    for (size_t n = 0; n < FEW; n++) {
        assert_int_equal(cx_context_enter(copies[n]), 0);
        assert_set(n, FEW, 0);
        assert_int_equal(cx_context_exit(copies[n]), 0);
        cx_context_unref(copies[n]);
    }
    vars_free(FEW);
}

/* Behaviour 10. */
static void five_thousand_variables_keep_their_values(void **state)
{
    (void)state;
    vars_make(MANY);
    for (size_t i = 0; i < MANY; i++)
        (void)cx_var_set(vars[i], number(7 + (int64_t)i));
    assert_set(MANY, MANY, 7);
    vars_free(MANY);
}

/* A copy of any size is one more hold: the cost does not grow with it. */
/* Behaviour 10. */
static void a_copy_of_five_thousand_variables_shares_their_table(void **state)
{
    cx_context *copy;

    (void)state;
    vars_make(MANY);
    for (size_t i = 0; i < MANY; i++)
        (void)cx_var_set(vars[i], number((int64_t)i));
    copy = cx_context_copy();
    assert_ptr_equal(copy->table, cx_context_current()->table);
    assert_int_equal(cx_context_len(copy), MANY);
    cx_context_unref(copy);
    vars_free(MANY);
}

/* Behaviour 10. */
static void a_set_after_a_copy_copies_one_page_of_many(void **state)
{
    cx_context *copy;
    size_t differ = 0;

    (void)state;
    vars_make(MANY);
    for (size_t i = 0; i < MANY; i++)
        (void)cx_var_set(vars[i], number((int64_t)i));
    copy = cx_context_copy();
    (void)cx_var_set(vars[MANY - 1], number(-1));
    /* The first page lies in its table and is never shared. */
    for (size_t i = 1; i < copy->table->len / CX__PAGE_SLOTS; i++)
        differ += copy->table->page[i] != cx_context_current()->table->page[i];
    assert_int_equal(differ, 1);
    cx_context_unref(copy);
    vars_free(MANY);
}

/* There is no hash to collide; what could be mistaken for each other is the
 * same place on different pages. */
/* Behaviour 11. */
static void variables_at_the_same_place_of_two_pages_are_two(void **state)
{
    enum { ALL = 4 * CX__PAGE_SLOTS };

    (void)state;
    vars_make(ALL);
    for (size_t i = 0; i < ALL; i++) {
        (void)cx_var_set(vars[i], number((int64_t)i));
        for (size_t j = 0; j < ALL; j++)
            assert_int_equal(cx_var_find(vars[j], NULL), i == j);
        assert_int_equal(cx_var_unset(vars[i]), 0);
        assert_int_equal(cx_context_len(NULL), 0);
    }
    vars_free(ALL);
}

/* A number that is free again may be given to a new variable. */
/* Behaviour 11. */
static void a_new_variable_never_has_the_value_of_a_freed_one(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        cx_var *var = cx_var_new("again", NULL, NULL);

        assert_false(cx_var_find(var, NULL));
        (void)cx_var_set(var, number(i));
        assert_int_equal(number_of(var), i);
        (void)cx_var_unset(var);
        cx_var_unref(var);
    }
}

/* Behaviour 53. */
static void what_is_no_variable_is_refused_and_not_looked_at(void **state)
{
    cx_value value = number(4);
    cx_token token = {0};

    (void)state;
    assert_false(cx_var_find(NULL, &value));
    assert_false(cx_context_find(NULL, NULL, &value));
    assert_int_equal(cx_var_set(NULL, value), -EINVAL);
    assert_int_equal(cx_var_bind(NULL, value, &token), -EINVAL);
    assert_int_equal(cx_var_reset(NULL, &token), -EINVAL);
    assert_int_equal(cx_var_unset(NULL), -EINVAL);
    assert_null(cx_var_title(NULL));
    assert_null(cx_var_ref(NULL));
    cx_var_unref(NULL);
    assert_int_equal(value.i64, 4);
    assert_int_equal(cx_context_len(NULL), 0);
}

static void ref_nothing(void *value)
{
    (void)value;
}

static void hear_nothing(cx_value now, void *arg)
{
    (void)now;
    (void)arg;
}

static const cx_type unshared = {.unref = ref_nothing};

CX_VAR(void *, unshareable, .type = &unshared);

/* Contexts share values, so that what can be let go of must be held first. */
static void a_type_with_unref_and_no_ref_is_refused(void **state)
{
    cx_value value = {.ptr = state};
    cx_token token;

    assert_int_equal(cx_set(unshareable, state), -EINVAL);
    assert_int_equal(cx_var_bind(cx_var_of(unshareable), value, &token),
                     -EINVAL);
    assert_int_equal(cx_unset(unshareable), -EINVAL);
    assert_int_equal(cx_watch(cx_var_of(unshareable), hear_nothing, NULL),
                     -EINVAL);
    assert_null(cx_get(unshareable));
    errno = 0;
    assert_null(cx_var_new("unshareable", &unshared, NULL));
    assert_int_equal(errno, EINVAL);
}

CX_VAR(int, late);

/* Plain variables are written in place, by inline code: on later pages too. */
static void a_variable_on_a_shared_page_is_not_written_in_place(void **state)
{
    cx_context *copy;
    cx_value value;

    (void)state;
    vars_make(CX__PAGE_SLOTS + 1);
    (void)cx_set(late, 1);
    copy = cx_context_copy();
    (void)cx_set(plain, 1); /* the table is this context's own from here on */
    (void)cx_set(late, 2);
    assert_int_equal(cx_get(late), 2);
    assert_true(cx_context_find(copy, cx_var_of(late), &value));
    assert_int_equal(value.i64, 1);
    cx_context_unref(copy);
    vars_free(CX__PAGE_SLOTS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_variable_never_set_and_without_default_has_no_value),
        fresh_test(what_out_held_stays_when_there_is_no_value),
        fresh_test(a_variable_s_default_is_read_while_it_is_not_set),
        fresh_test(a_value_that_is_set_wins_over_any_default),
        fresh_test(a_default_is_not_among_the_values_of_a_context),
        fresh_test(variables_of_the_same_title_are_two),
        fresh_test(a_title_does_not_change_with_the_text_it_was_made_from),
        fresh_test(null_is_a_value_and_hides_the_default),
        fresh_test(unset_brings_the_default_back),
        fresh_test(values_are_right_at_every_number_of_variables),
        fresh_test(values_are_right_at_every_number_while_copies_share),
        fresh_test(five_thousand_variables_keep_their_values),
        fresh_test(a_copy_of_five_thousand_variables_shares_their_table),
        fresh_test(a_set_after_a_copy_copies_one_page_of_many),
        fresh_test(variables_at_the_same_place_of_two_pages_are_two),
        fresh_test(a_new_variable_never_has_the_value_of_a_freed_one),
        fresh_test(what_is_no_variable_is_refused_and_not_looked_at),
        fresh_test(a_type_with_unref_and_no_ref_is_refused),
        fresh_test(a_variable_on_a_shared_page_is_not_written_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
