/* SPDX-License-Identifier: MIT */
/*
 * The cells of CX_GLOBAL(): globals of any type, of which each context has its
 * own, in one place as long as the context lives.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "fresh.h"

struct position {
    double x, y;
    const char *name;
};

struct aligned {
    _Alignas(16) char bytes[3];
};

CX_GLOBAL(char[64], table_cell, "Users");
#define table (*cx_ref(table_cell))
CX_GLOBAL(struct position, position_cell, {.x = 1.5, .name = "here"});
#define position (*cx_ref(position_cell))
CX_GLOBAL(long[3][2], matrix_cell, {{1, 2}, {3, 4}});
#define matrix (*cx_ref(matrix_cell))
CX_GLOBAL(struct aligned, aligned_cell, {"ab"});
CX_GLOBAL(char[100000], large_cell, {[99999] = 'z'});
CX_GLOBAL(int, count_cell, 0);
#define count (*cx_ref(count_cell))

static void a_cell_begins_as_its_initializer_says(void **state)
{
    (void)state;
    assert_string_equal(table, "Users");
    assert_int_equal(sizeof(table), 64);
    assert_true(position.x == 1.5 && position.y == 0.0);
    assert_string_equal(position.name, "here");
    assert_int_equal(matrix[1][1], 4);
    assert_int_equal(matrix[2][0], 0);
    assert_int_equal((*cx_ref(large_cell))[99999], 'z');
}

static void a_cell_is_aligned_for_any_type(void **state)
{
    (void)state;
    assert_int_equal((uintptr_t)cx_ref(aligned_cell) % 16, 0);
    assert_int_equal((uintptr_t)cx_ref(table_cell) % 16, 0);
}

static void use_as_a_global(void *arg)
{
    (void)arg;
    assert_string_equal(table, "Users");
    (void)strcpy(table, "Users_B");
    table[6] = 'C';
    count++;
    count += 2;
    matrix[2][1] = count;
}

static void what_is_written_to_a_cell_is_in_its_context_alone(void **state)
{
    cx_context *other = cx_context_new();

    (void)state;
    (void)strcpy(table, "Users_A");
    assert_int_equal(cx_context_run(other, use_as_a_global, NULL), 0);
    assert_string_equal(table, "Users_A");
    assert_int_equal(count, 0);
    assert_int_equal(cx_context_enter(other), 0);
    assert_string_equal(table, "Users_C");
    assert_int_equal(matrix[2][1], 3);
    assert_int_equal(cx_context_exit(other), 0);
    cx_context_unref(other);
}

static void see_two_and_set_three(void *arg)
{
    (void)arg;
    assert_int_equal(count, 2);
    count = 3;
}

static void a_copy_has_the_cell_as_it_was_at_that_moment(void **state)
{
    cx_context *copy;

    (void)state;
    count = 2;
    copy = cx_context_copy();
    count = 4;
    assert_int_equal(cx_context_run(copy, see_two_and_set_three, NULL), 0);
    assert_int_equal(count, 4);
    cx_context_unref(copy);
}

static void every_run_of_a_snapshot_has_a_cell_of_its_own(void **state)
{
    cx_snapshot *snapshot;
    cx_callback *callback;

    (void)state;
    count = 2;
    snapshot = cx_snapshot_new();
    callback = cx_callback_new(see_two_and_set_three, NULL);
    count = 4;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cx_snapshot_run(snapshot, see_two_and_set_three, NULL),
                         0);
        cx_callback_call(callback);
    }
    assert_int_equal(count, 4);
    cx_snapshot_unref(snapshot);
    cx_callback_free(callback);
}

static void *add_one(void *seen)
{
    *(int *)seen = ++count;
    return NULL;
}

static void a_thread_starts_with_a_copy_of_the_cell(void **state)
{
    pthread_t thread;
    int seen = 0;

    (void)state;
    count = 2;
    assert_int_equal(cx_thread_create(&thread, NULL, add_one, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(seen, 3);
    assert_int_equal(count, 2);
}

enum { MANY = 70 }; /* on three pages of a table */

/* Copies are made and dropped, and the table is copied and grows. */
static void a_cell_stays_where_it_is_while_its_context_lives(void **state)
{
    int *at = cx_ref(count_cell);
    cx_var *vars[MANY];
    cx_context *copy;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        vars[i] = cx_var_new("one of many", NULL, NULL);
        copy = cx_context_copy();
        assert_int_equal(cx_var_set(vars[i], (cx_value){.i64 = i}), 0);
        assert_ptr_equal(cx_ref(count_cell), at);
        cx_context_unref(copy);
        assert_ptr_equal(cx_ref(count_cell), at);
    }
    for (int i = 0; i < MANY; i++)
        cx_var_unref(vars[i]);
}

static int take_a_copy_and_say(cx_context **copy, int result)
{
    *copy = cx_context_copy();
    count = 50;
    return result;
}

/* The left side is evaluated before or after the right: it is one place. */
static void what_is_assigned_goes_to_the_context_that_asked(void **state)
{
    cx_context *copy = NULL;

    (void)state;
    count = take_a_copy_and_say(&copy, 7);
    assert_int_equal(count, 7);
    cx_context_unref(copy);
}

static void a_cell_is_not_changed_as_a_value_is(void **state)
{
    cx_var *var = cx_var_of(count_cell);
    cx_token token;

    (void)state;
    count = 2;
    assert_int_equal(cx_var_set(var, (cx_value){.ptr = NULL}), -EINVAL);
    assert_int_equal(cx_var_bind(var, (cx_value){.ptr = NULL}, &token),
                     -EINVAL);
    assert_int_equal(cx_var_unset(var), -EINVAL);
    assert_int_equal(count, 2);
}

static void a_cell_that_nobody_asked_for_is_not_there(void **state)
{
    (void)state;
    assert_false(cx_var_find(cx_var_of(count_cell), NULL));
    assert_int_equal(cx_context_len(NULL), 0);
    count = 2;
    assert_true(cx_var_find(cx_var_of(count_cell), NULL));
    assert_int_equal(cx_context_len(NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_cell_begins_as_its_initializer_says),
        fresh_test(a_cell_is_aligned_for_any_type),
        fresh_test(what_is_written_to_a_cell_is_in_its_context_alone),
        fresh_test(a_copy_has_the_cell_as_it_was_at_that_moment),
        fresh_test(every_run_of_a_snapshot_has_a_cell_of_its_own),
        fresh_test(a_thread_starts_with_a_copy_of_the_cell),
        fresh_test(a_cell_stays_where_it_is_while_its_context_lives),
        fresh_test(what_is_assigned_goes_to_the_context_that_asked),
        fresh_test(a_cell_is_not_changed_as_a_value_is),
        fresh_test(a_cell_that_nobody_asked_for_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
