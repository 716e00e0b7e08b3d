/* SPDX-License-Identifier: MIT */
/*
 * Inheritance: which variables a copy gets, by their policy and by who the
 * copy is for. Cells of CX_GLOBAL(), which every copy gets a copy of, are in
 * cell.c.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "context.h"
#include "fresh.h"

static int holders;

static void count_ref(void *value)
{
    (void)value;
    (void)__atomic_fetch_add(&holders, 1, __ATOMIC_RELAXED);
}

static void count_unref(void *value)
{
    (void)value;
    (void)__atomic_fetch_sub(&holders, 1, __ATOMIC_RELAXED);
}

static const cx_type counting = {.ref = count_ref, .unref = count_unref};

CX_VAR(void *, for_all, .type = &counting);
CX_VAR(void *, for_tasks, .type = &counting, .inherit = CX_INHERIT_TASKS);
CX_VAR(void *, for_threads, .type = &counting, .inherit = CX_INHERIT_THREADS);
CX_VAR(void *, for_none, .type = &counting, .inherit = CX_INHERIT_NONE);

/* A set of these variables, as bits. */
enum { ALL = 1, TASKS = 2, THREADS = 4, NONE = 8 };

static int value;

static int set_each(void **state)
{
    int error = fresh_enter(state);

    holders = 0;
    if (error == 0 && cx_set(for_all, &value) == 0 &&
        cx_set(for_tasks, &value) == 0 && cx_set(for_threads, &value) == 0)
        error = cx_set(for_none, &value);
    return error;
}

/* Fails the test, should a copy still hold a value. */
static int leave_none(void **state)
{
    int error = fresh_leave(state);

    return error != 0 ? error : holders;
}

#define inherit_test(claim)                                                    \
    cmocka_unit_test_setup_teardown(claim, set_each, leave_none)

static unsigned bit(const cx_var *var, unsigned it)
{
    return cx_context_find(NULL, var, NULL) ? it : 0;
}

static void look(void *seen)
{
    *(unsigned *)seen =
        bit(cx_var_of(for_all), ALL) | bit(cx_var_of(for_tasks), TASKS) |
        bit(cx_var_of(for_threads), THREADS) | bit(cx_var_of(for_none), NONE);
}

static unsigned seen_in(cx_context *ctx)
{
    unsigned seen = 0;

    assert_int_equal(cx_context_run(ctx, look, &seen), 0);
    cx_context_unref(ctx);
    return seen;
}

/* A function and its argument, called on another thread. */
struct call {
    void (*fn)(void *);
    void *arg;
};

static void *make_call(void *arg)
{
    const struct call *call = arg;

    call->fn(call->arg);
    return NULL;
}

static void call_elsewhere(void (*fn)(void *), void *arg)
{
    pthread_t thread;

    assert_int_equal(
        pthread_create(&thread, NULL, make_call, &(struct call){fn, arg}), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_context_has_what_was_set_in_it_whatever_the_policy(void **state)
{
    unsigned seen;

    (void)state;
    look(&seen);
    assert_int_equal(seen, ALL | TASKS | THREADS | NONE);
    cx_context_unref(cx_context_copy());
    look(&seen);
    assert_int_equal(seen, ALL | TASKS | THREADS | NONE);
    assert_int_equal(holders, 4);
}

static void a_copy_has_what_is_for_tasks(void **state)
{
    assert_int_equal(seen_in(cx_context_copy()), ALL | TASKS);
    assert_int_equal(seen_in(cx_context_copy_of(*state)), ALL | TASKS);
}

static void a_copy_of_a_copy_has_what_that_has(void **state)
{
    cx_context *copy = cx_context_copy();

    (void)state;
    assert_int_equal(seen_in(cx_context_copy_of(copy)), ALL | TASKS);
    cx_context_unref(copy);
}

/* What to run in, and what was seen there. */
struct run {
    cx_snapshot *snapshot;
    cx_context *copy;
    unsigned seen;
};

static void run_snapshot(void *arg)
{
    struct run *run = arg;

    assert_int_equal(cx_snapshot_run(run->snapshot, look, &run->seen), 0);
}

static void run_context_of_snapshot(void *arg)
{
    struct run *run = arg;

    run->seen = seen_in(cx_context_of(run->snapshot));
}

/* Wherever it is run last makes no difference to where it is run next. */
static void a_run_of_a_snapshot_has_what_is_for_where_it_runs(void **state)
{
    struct run run = {.snapshot = cx_snapshot_new()};

    (void)state;
    for (int i = 0; i < 2; i++) {
        run_snapshot(&run);
        assert_int_equal(run.seen, ALL | TASKS);
        call_elsewhere(run_snapshot, &run);
        assert_int_equal(run.seen, ALL | THREADS);
    }
    cx_snapshot_unref(run.snapshot);
}

static void
a_context_of_a_snapshot_has_what_is_for_where_it_is_made(void **state)
{
    struct run run = {.snapshot = cx_snapshot_new()};

    (void)state;
    run_context_of_snapshot(&run);
    assert_int_equal(run.seen, ALL | TASKS);
    call_elsewhere(run_context_of_snapshot, &run);
    assert_int_equal(run.seen, ALL | THREADS);
    cx_snapshot_unref(run.snapshot);
}

static void a_call_of_a_callback_has_what_is_for_where_it_is_made(void **state)
{
    unsigned seen = 0;
    cx_callback *callback = cx_callback_new(look, &seen);

    (void)state;
    for (int i = 0; i < 2; i++) {
        cx_callback_call(callback);
        assert_int_equal(seen, ALL | TASKS);
        call_elsewhere(cx_callback_call, callback);
        assert_int_equal(seen, ALL | THREADS);
    }
    cx_callback_free(callback);
}

static void see_in(void *arg)
{
    struct run *run = arg;

    assert_int_equal(cx_context_run(run->copy, look, &run->seen), 0);
}

/* Handing a context over is not copying it. */
static void a_context_entered_elsewhere_has_what_it_had_here(void **state)
{
    struct run run = {.copy = cx_context_copy()};

    (void)state;
    call_elsewhere(see_in, &run);
    assert_int_equal(run.seen, ALL | TASKS);
    cx_context_unref(run.copy);
}

static void *thread_look(void *seen)
{
    look(seen);
    return NULL;
}

static void a_thread_starts_with_what_is_for_threads(void **state)
{
    pthread_t thread;
    unsigned seen = 0;

    (void)state;
    assert_int_equal(cx_thread_create(&thread, NULL, thread_look, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(seen, ALL | THREADS);
}

/* A snapshot keeps what is for tasks and what is for threads. */
static void what_stays_behind_is_not_held_by_the_copy(void **state)
{
    cx_context *copy = cx_context_copy();
    cx_snapshot *snapshot = cx_snapshot_new();

    (void)state;
    assert_int_equal(holders, 4 + 2 + 3);
    cx_snapshot_unref(snapshot);
    cx_context_unref(copy);
    assert_int_equal(holders, 4);
}

static void unset_restricted(void *seen)
{
    assert_int_equal(cx_unset(for_tasks), 0);
    look(seen);
}

static void what_a_copy_unsets_its_original_keeps(void **state)
{
    cx_context *copy = cx_context_copy();
    unsigned seen = 0;

    (void)state;
    assert_int_equal(cx_context_run(copy, unset_restricted, &seen), 0);
    assert_int_equal(seen, ALL);
    look(&seen);
    assert_int_equal(seen, ALL | TASKS | THREADS | NONE);
    cx_context_unref(copy);
}

static void a_variable_set_again_after_an_unset_still_stays_behind(void **state)
{
    (void)state;
    assert_int_equal(cx_unset(for_none), 0);
    assert_int_equal(seen_in(cx_context_copy()), ALL | TASKS);
    assert_int_equal(cx_set(for_none, &value), 0);
    assert_int_equal(seen_in(cx_context_copy()), ALL | TASKS);
}

/* Only contexts that hold such a variable pay for a copy without it. */
static void a_context_without_restricted_variables_is_shared(void **state)
{
    cx_context *copy;

    assert_int_equal(cx_unset(for_tasks), 0);
    assert_int_equal(cx_unset(for_threads), 0);
    assert_int_equal(cx_unset(for_none), 0);
    copy = cx_context_copy();
    assert_ptr_equal(copy->table, ((cx_context *)*state)->table);
    cx_context_unref(copy);
}

static void a_copy_that_got_no_restricted_variable_is_shared(void **state)
{
    cx_context *copy, *next;

    (void)state;
    assert_int_equal(cx_unset(for_tasks), 0);
    copy = cx_context_copy();
    next = cx_context_copy_of(copy);
    assert_ptr_equal(next->table, copy->table);
    cx_context_unref(next);
    cx_context_unref(copy);
}

enum { MANY = 40 }; /* more than there are on the first page of a table */

CX_VAR(int, late_for_tasks, .inherit = CX_INHERIT_TASKS);
CX_VAR(int, late_for_threads, .inherit = CX_INHERIT_THREADS);
CX_VAR(int, late_for_all);

static void vars_make(cx_var *vars[MANY])
{
    for (size_t i = 0; i < MANY; i++) {
        vars[i] = cx_var_new("one of many", NULL, NULL);
        assert_non_null(vars[i]);
    }
}

static void vars_free(cx_var *vars[MANY])
{
    for (size_t i = 0; i < MANY; i++)
        cx_var_unref(vars[i]);
}

static void see_late(void *seen)
{
    *(int *)seen = cx_get(late_for_all) + cx_get(late_for_tasks) +
                   cx_get(late_for_threads);
}

static void a_policy_counts_on_every_page_of_a_table(void **state)
{
    cx_var *vars[MANY];
    cx_context *plain, *copy;
    int seen = 0;

    (void)state;
    vars_make(vars); /* the late ones have numbers after theirs */
    (void)cx_set(late_for_all, 1);
    plain = cx_context_copy();
    (void)cx_set(late_for_tasks, 2);
    (void)cx_set(late_for_threads, 4);
    copy = cx_context_copy();
    assert_int_equal(cx_context_run(copy, see_late, &seen), 0);
    assert_int_equal(seen, 1 + 2);
    assert_int_equal(cx_context_run(plain, see_late, &seen), 0);
    assert_int_equal(seen, 1);
    see_late(&seen);
    assert_int_equal(seen, 1 + 2 + 4);
    cx_context_unref(copy);
    cx_context_unref(plain);
    vars_free(vars);
}

static void a_policy_counts_in_a_table_that_has_grown(void **state)
{
    cx_var *vars[MANY];

    (void)state;
    vars_make(vars);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(cx_var_set(vars[i], (cx_value){.i64 = 1}), 0);
    assert_int_equal(seen_in(cx_context_copy()), ALL | TASKS);
    vars_free(vars);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        inherit_test(a_context_has_what_was_set_in_it_whatever_the_policy),
        inherit_test(a_copy_has_what_is_for_tasks),
        inherit_test(a_copy_of_a_copy_has_what_that_has),
        inherit_test(a_run_of_a_snapshot_has_what_is_for_where_it_runs),
        inherit_test(a_context_of_a_snapshot_has_what_is_for_where_it_is_made),
        inherit_test(a_call_of_a_callback_has_what_is_for_where_it_is_made),
        inherit_test(a_context_entered_elsewhere_has_what_it_had_here),
        inherit_test(a_thread_starts_with_what_is_for_threads),
        inherit_test(what_stays_behind_is_not_held_by_the_copy),
        inherit_test(what_a_copy_unsets_its_original_keeps),
        inherit_test(a_variable_set_again_after_an_unset_still_stays_behind),
        inherit_test(a_context_without_restricted_variables_is_shared),
        inherit_test(a_copy_that_got_no_restricted_variable_is_shared),
        inherit_test(a_policy_counts_on_every_page_of_a_table),
        inherit_test(a_policy_counts_in_a_table_that_has_grown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
