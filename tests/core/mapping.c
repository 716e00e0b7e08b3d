/* SPDX-License-Identifier: MIT */
/*
 * A context as a mapping: which variables it holds, and going through them
 * while they change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctxvar/context.h>

#include "fresh.h"

CX_VAR(int, one, .initial = 100);
CX_VAR(int, two);
CX_VAR(int, three);

enum { MANY = 70 }; /* on three pages of a table */

static cx_var *vars[MANY];

static int vars_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        vars[i] = cx_var_new("one of many", NULL, NULL);
        if (vars[i] == NULL)
            return -1;
    }
    return 0;
}

static int vars_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        cx_var_unref(vars[i]);
    return 0;
}

static int differs(cx_var *var, cx_value value, void *other)
{
    cx_value theirs;

    return !cx_context_find(other, var, &theirs) || theirs.u64 != value.u64;
}

/* Two contexts are equal when they hold the same values of the same
 * variables; which values are the same is for the program to say. */
static bool are_equal(const cx_context *a, cx_context *b)
{
    return cx_context_len(a) == cx_context_len(b) &&
           cx_context_each(a, differs, b) == 0;
}

static void set_both(void *arg)
{
    (void)cx_set(two, *(int *)arg);
    (void)cx_set(one, 1);
}

/* Behaviour 49. */
static void contexts_with_the_same_values_compare_as_equal(void **state)
{
    cx_context *a = cx_context_new();
    cx_context *b = cx_context_new();

    (void)state;
    assert_true(are_equal(a, b));
    (void)cx_context_run(a, set_both, &(int){2});
    assert_false(are_equal(a, b));
    (void)cx_context_run(b, set_both, &(int){3});
    assert_false(are_equal(a, b));
    (void)cx_context_run(b, set_both, &(int){2});
    assert_true(are_equal(a, b));
    cx_context_unref(a);
    cx_context_unref(b);
}

/* A value on the heap, gone with its last holder. */
struct object {
    int refs;
    int number;
};

static void object_ref(void *object)
{
    ((struct object *)object)->refs++;
}

static void object_unref(void *object)
{
    if (--((struct object *)object)->refs == 0)
        free(object);
}

static const cx_type object_type = {.ref = object_ref, .unref = object_unref};

static void object_set(cx_var *var, int number)
{
    struct object *object = malloc(sizeof(*object));

    assert_non_null(object);
    *object = (struct object){.number = number};
    assert_int_equal(cx_var_set(var, (cx_value){.ptr = object}), 0);
}

struct objects {
    cx_var *var[4];
    int seen;
};

/* Replaces and unsets all of them, this one too, then reads this one. */
static int replace_all(cx_var *var, cx_value value, void *arg)
{
    struct objects *objects = arg;
    const struct object *object = value.ptr;

    for (size_t i = 0; i < 4; i++)
        object_set(objects->var[i], -1);
    (void)cx_var_unset(var);
    assert_in_range(object->number, 0, 3);
    objects->seen++;
    return 0;
}

/* Behaviour 50. */
static void
values_live_while_each_goes_on_though_they_are_replaced(void **state)
{
    struct objects objects = {.seen = 0};

    (void)state;
    for (int i = 0; i < 4; i++) {
        objects.var[i] = cx_var_new("object", &object_type, NULL);
        object_set(objects.var[i], i);
    }
    assert_int_equal(cx_context_each(NULL, replace_all, &objects), 0);
    assert_int_equal(objects.seen, 4);
    for (int i = 0; i < 4; i++) {
        (void)cx_var_unset(objects.var[i]);
        cx_var_unref(objects.var[i]);
    }
}

/* What was seen on the way through a context. */
struct walk {
    int entries;
    cx_value of_one;
    size_t len;
};

static int set_meanwhile(cx_var *var, cx_value value, void *arg)
{
    struct walk *walk = arg;

    if (var == cx_var_of(one))
        walk->of_one = value;
    walk->entries++;
    (void)cx_set(one, 50);
    (void)cx_set(three, 51);
    walk->len = cx_context_len(NULL);
    return 0;
}

/* Behaviour 51. */
static void each_goes_through_what_was_there_when_it_began(void **state)
{
    struct walk walk = {.entries = 0};

    (void)state;
    (void)cx_set(two, 2);
    (void)cx_set(one, 1);
    assert_int_equal(cx_context_each(NULL, set_meanwhile, &walk), 0);
    assert_int_equal(walk.entries, 2);
    assert_int_equal(walk.of_one.i64, 1);
    assert_int_equal(walk.len, 3);
    assert_int_equal(cx_get(three), 51);
}

/* Counts how often it is given each variable, and finds the same value. */
static int count_each(cx_var *var, cx_value value, void *arg)
{
    int *times = arg;
    cx_value found;

    assert_true(cx_context_find(NULL, var, &found));
    assert_true(cx_var_find(var, NULL));
    assert_true(found.u64 == value.u64);
    times[value.i64]++;
    return 0;
}

/* Behaviour 52. */
static void
each_gives_every_variable_once_with_the_value_find_gives(void **state)
{
    int times[MANY] = {0};

    (void)state;
    for (int i = 0; i < MANY; i += 2)
        (void)cx_var_set(vars[i], (cx_value){.i64 = i});
    assert_int_equal(cx_context_each(NULL, count_each, times), 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(times[i], i % 2 == 0);
    assert_int_equal(cx_context_len(NULL), MANY / 2);
}

static int stop_at_second(cx_var *var, cx_value value, void *calls)
{
    (void)var;
    (void)value;
    return ++*(int *)calls == 2 ? 77 : 0;
}

static void each_stops_at_the_first_result_and_gives_it(void **state)
{
    int calls = 0;

    (void)state;
    for (int i = 0; i < MANY; i++)
        (void)cx_var_set(vars[i], (cx_value){.i64 = i});
    assert_int_equal(cx_context_each(NULL, stop_at_second, &calls), 77);
    assert_int_equal(calls, 2);
}

static void null_is_the_current_context(void **state)
{
    cx_value value = {.i64 = 0};
    cx_context *copy;

    (void)cx_set(one, 4);
    assert_true(cx_context_find(NULL, cx_var_of(one), &value));
    assert_int_equal(value.i64, 4);
    assert_int_equal(cx_context_len(NULL), cx_context_len(*state));
    copy = cx_context_copy_of(NULL);
    assert_true(are_equal(copy, *state));
    cx_context_unref(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(contexts_with_the_same_values_compare_as_equal),
        fresh_test(values_live_while_each_goes_on_though_they_are_replaced),
        fresh_test(each_goes_through_what_was_there_when_it_began),
        fresh_test(each_gives_every_variable_once_with_the_value_find_gives),
        fresh_test(each_stops_at_the_first_result_and_gives_it),
        fresh_test(null_is_the_current_context),
    };

    return cmocka_run_group_tests(tests, vars_make, vars_free);
}
