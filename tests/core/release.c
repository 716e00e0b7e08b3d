/* SPDX-License-Identifier: MIT */
/*
 * Releasing: how deep it goes, and what a value's unref may do meanwhile.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

/* A context as an owned value. */
static void context_ref(void *ctx)
{
    (void)cx_context_ref(ctx);
}

static void context_unref(void *ctx)
{
    cx_context_unref(ctx);
}

static void snapshot_ref(void *snapshot)
{
    (void)cx_snapshot_ref(snapshot);
}

static void snapshot_unref(void *snapshot)
{
    cx_snapshot_unref(snapshot);
}

static const cx_type contexts = {.ref = context_ref, .unref = context_unref};
static const cx_type snapshots = {.ref = snapshot_ref, .unref = snapshot_unref};

CX_VAR(void *, inner, .type = &contexts);
CX_VAR(void *, earlier, .type = &snapshots);
CX_THREAD_VAR(void *, of_thread, .type = &contexts);

enum { MILLION = 1000000 };

static void *on_small_stack(void *(*fn)(void *))
{
    pthread_attr_t attr;
    pthread_t thread;
    void *result = NULL;

    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, 128 * 1024);
    assert_int_equal(pthread_create(&thread, &attr, fn, NULL), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    (void)pthread_attr_destroy(&attr);
    return result;
}

/* Each context holds the one made before it. */
static void *chain_contexts(void *arg)
{
    cx_context *ctx = cx_context_new();

    for (int i = 0; i < MILLION; i++) {
        cx_context *outer = cx_context_new();

        if (outer == NULL || cx_context_enter(outer) != 0 ||
            cx_set(inner, ctx) != 0 || cx_context_exit(outer) != 0)
            return arg;
        cx_context_unref(ctx);
        ctx = outer;
    }
    cx_context_unref(ctx);
    return ctx;
}

static void
a_million_nested_contexts_are_released_on_a_small_stack(void **state)
{
    (void)state;
    assert_non_null(on_small_stack(chain_contexts));
}

static void *chain_snapshots(void *arg)
{
    cx_snapshot *last;

    for (int i = 0; i < MILLION; i++) {
        cx_snapshot *snapshot = cx_snapshot_new();

        if (snapshot == NULL || cx_set(earlier, snapshot) != 0)
            return arg;
        cx_snapshot_unref(snapshot);
    }
    last = cx_snapshot_new();
    (void)cx_unset(earlier);
    cx_snapshot_unref(last);
    return last;
}

static void
a_million_nested_snapshots_are_released_on_a_small_stack(void **state)
{
    (void)state;
    assert_non_null(on_small_stack(chain_snapshots));
}

static void *chain_of_thread(void *arg)
{
    cx_context *ctx = cx_context_new();

    (void)arg;
    for (int i = 0; i < 1000; i++) {
        cx_context *outer = cx_context_new();

        (void)cx_context_enter(outer);
        (void)cx_set(inner, ctx);
        (void)cx_context_exit(outer);
        cx_context_unref(ctx);
        ctx = outer;
    }
    (void)cx_set(of_thread, ctx);
    (void)cx_set(inner, ctx);
    cx_context_unref(ctx);
    return ctx;
}

/* Behaviour 67. */
static void a_thread_s_values_are_released_when_it_ends(void **state)
{
    (void)state;
    assert_non_null(on_small_stack(chain_of_thread));
}

/* A value whose release does what the test says, each time. */
struct busy {
    int refs;
    void (*at_unref)(struct busy *busy);
    cx_snapshot *snapshot;
    cx_var *next;
};

static void busy_ref(void *value)
{
    ((struct busy *)value)->refs++;
}

static void busy_unref(void *value)
{
    struct busy *busy = value;

    busy->refs--;
    if (busy->at_unref != NULL)
        busy->at_unref(busy);
}

static const cx_type busy_type = {.ref = busy_ref, .unref = busy_unref};

CX_VAR(void *, busy_var, .type = &busy_type);
CX_VAR(void *, busy_too, .type = &busy_type);
CX_VAR(int, count);
CX_THREAD_VAR(void *, busy_of_thread, .type = &busy_type);
CX_THREAD_VAR(int, count_of_thread);

static void count_unref(struct busy *busy)
{
    (void)busy;
    (void)cx_set(count, cx_get(count) + 1);
    (void)cx_set(count_of_thread, cx_get(count_of_thread) + 1);
}

/* Variables from here on have higher numbers: to set one grows the table. */
static cx_var *another(void)
{
    cx_var *var = cx_var_new("another", NULL, NULL);

    assert_non_null(var);
    return var;
}

/* Behaviour 64. */
static void an_unref_may_set_variables(void **state)
{
    struct busy busy = {.at_unref = count_unref};

    (void)state;
    (void)cx_set(count, 0);
    (void)cx_set(busy_var, &busy);
    (void)cx_set(busy_var, NULL);
    assert_int_equal(busy.refs, 0);
    assert_int_equal(cx_get(count), 1);
}

/* Behaviour 64. */
static void an_unref_in_a_shared_page_may_set_variables(void **state)
{
    struct busy busy = {.at_unref = NULL};
    cx_context *copy;

    (void)state;
    (void)cx_set(count, 0);
    (void)cx_set(busy_var, &busy);
    copy = cx_context_copy();
    busy.at_unref = count_unref;
    (void)cx_set(busy_too, NULL);
    cx_context_unref(copy);
    (void)cx_unset(busy_var);
    assert_int_equal(busy.refs, 0);
    assert_int_equal(cx_get(count), 2);
}

static void set_next(struct busy *busy)
{
    cx_var *next = busy->next;

    busy->next = NULL;
    if (next != NULL)
        (void)cx_var_set(next, (cx_value){.i64 = 3});
}

/* Behaviour 64. */
static void an_unref_may_make_the_table_grow(void **state)
{
    struct busy busy = {.at_unref = set_next};
    cx_var *vars[70];
    cx_context *copy;

    (void)state;
    for (size_t i = 0; i < 70; i++)
        vars[i] = another();
    (void)cx_set(busy_var, &busy);
    copy = cx_context_copy();
    busy.next = vars[69];
    (void)cx_var_set(vars[9], (cx_value){.i64 = 2});
    cx_context_unref(copy);
    (void)cx_set(busy_var, NULL);
    assert_true(cx_var_find(vars[9], NULL));
    assert_true(cx_var_find(vars[69], NULL));
    for (size_t i = 0; i < 70; i++) {
        (void)cx_var_unset(vars[i]);
        cx_var_unref(vars[i]);
    }
}

static void take_snapshot(struct busy *busy)
{
    if (busy->snapshot == NULL)
        busy->snapshot = cx_snapshot_new();
}

/* Behaviour 64. */
static void a_snapshot_that_an_unref_takes_does_not_change_after(void **state)
{
    struct busy busy = {.at_unref = take_snapshot};
    cx_context *of;
    cx_value value;

    (void)state;
    (void)cx_set(count, 1);
    (void)cx_set(busy_var, &busy);
    (void)cx_set(busy_var, NULL);
    (void)cx_set(count, 2);
    of = cx_context_of(busy.snapshot);
    assert_true(cx_context_find(of, cx_var_of(count), &value));
    assert_int_equal(value.i64, 1);
    assert_true(cx_context_find(of, cx_var_of(busy_var), &value));
    assert_null(value.ptr);
    cx_context_unref(of);
    cx_snapshot_unref(busy.snapshot);
}

static void *end_with_busy(void *arg)
{
    (void)cx_set(busy_of_thread, arg);
    (void)cx_set(busy_var, arg);
    return NULL;
}

static void an_unref_at_the_end_of_a_thread_may_set_variables(void **state)
{
    struct busy busy = {.at_unref = count_unref};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, end_with_busy, &busy), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(busy.refs, 0);
}

static void set_itself_again(struct busy *busy)
{
    if (cx_get(busy_var) == NULL)
        (void)cx_set(busy_var, busy);
    if (cx_get(busy_of_thread) == NULL)
        (void)cx_set(busy_of_thread, busy);
}

static void a_thread_ends_though_an_unref_sets_its_value_again(void **state)
{
    struct busy busy = {.at_unref = set_itself_again};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, end_with_busy, &busy), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(busy.refs, 0);
}

static void let_go_and_set(void *ctx)
{
    cx_context_unref(ctx);
    (void)cx_set(count, 8);
    assert_int_equal(cx_get(count), 8);
}

/* Behaviour 61. */
static void a_context_let_go_of_inside_lives_until_it_is_left(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    assert_int_equal(cx_context_run(ctx, let_go_and_set, ctx), 0);
    assert_int_not_equal(cx_get(count), 8);
}

static void let_go_and_keep(void *kept)
{
    cx_context **ctx = kept;

    cx_context_unref(*ctx);
    *ctx = cx_context_ref(cx_context_current());
    (void)cx_set(count, 9);
}

static void a_reference_taken_after_the_last_was_let_go_of_counts(void **state)
{
    cx_context *ctx = cx_context_new();
    cx_value value;

    (void)state;
    assert_int_equal(cx_context_run(ctx, let_go_and_keep, &ctx), 0);
    assert_true(cx_context_find(ctx, cx_var_of(count), &value));
    assert_int_equal(value.i64, 9);
    cx_context_unref(ctx);
}

static void leave_itself(void *ctx)
{
    (void)cx_context_exit(ctx);
}

static void a_run_that_was_left_inside_leaves_nothing_else(void **state)
{
    cx_context *outer = cx_context_new();
    cx_context *ctx = cx_context_new();

    (void)state;
    assert_int_equal(cx_context_enter(outer), 0);
    assert_int_equal(cx_context_run(ctx, leave_itself, ctx), 0);
    assert_ptr_equal(cx_context_current(), outer);
    assert_int_equal(cx_context_exit(outer), 0);
    cx_context_unref(outer);
    cx_context_unref(ctx);
}

static void end_thread(void *arg)
{
    pthread_exit(arg);
}

static void *run_and_end(void *ctx)
{
    (void)cx_context_run(ctx, end_thread, NULL);
    return NULL;
}

static void a_thread_that_ends_in_a_run_leaves_the_context(void **state)
{
    cx_context *ctx = cx_context_new();
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, run_and_end, ctx), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(cx_context_enter(ctx), 0);
    assert_int_equal(cx_context_exit(ctx), 0);
    cx_context_unref(ctx);
}

static void on_another_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *swap_in_and_end(void *ctx)
{
    assert_non_null(cx_context_current());
    (void)cx_context_swap(ctx);
    return NULL;
}

/* What was swapped in is its scheduler's, to be current elsewhere next. */
static void
a_thread_that_ends_does_not_leave_what_it_has_swapped_in(void **state)
{
    cx_context *ctx = cx_context_new();
    cx_context *mine = cx_context_current();

    (void)state;
    assert_int_equal(cx_context_enter(ctx), 0);
    (void)cx_context_swap(mine);
    on_another_thread(swap_in_and_end, ctx);
    assert_int_equal(cx_context_enter(ctx), -EBUSY);
    (void)cx_context_swap(ctx);
    assert_int_equal(cx_context_exit(ctx), 0);
    cx_context_unref(ctx);
}

/* A coroutine in a run moves to another thread, enters a context there, and
 * is back in it when the run ends. */
struct moving {
    cx_context *ctx, *inner;
};

static void *enter_inner(void *arg)
{
    struct moving *moving = arg;
    cx_context *mine = cx_context_swap(moving->ctx);

    (void)cx_context_enter(moving->inner);
    (void)cx_context_swap(mine);
    return NULL;
}

static void *leave_inner(void *arg)
{
    struct moving *moving = arg;
    cx_context *mine = cx_context_swap(moving->inner);

    (void)cx_context_exit(moving->inner);
    (void)cx_context_swap(mine);
    return NULL;
}

static void move_and_come_back(void *arg)
{
    struct moving *moving = arg;

    on_another_thread(enter_inner, moving);
    (void)cx_context_swap(moving->inner);
}

static void a_run_does_not_leave_what_another_thread_entered(void **state)
{
    struct moving moving = {cx_context_new(), cx_context_new()};

    (void)state;
    assert_int_equal(cx_context_run(moving.ctx, move_and_come_back, &moving),
                     0);
    assert_ptr_equal(cx_context_current(), moving.inner);
    on_another_thread(leave_inner, &moving);
    (void)cx_context_swap(moving.ctx);
    assert_int_equal(cx_context_exit(moving.ctx), 0);
    cx_context_unref(moving.ctx);
    cx_context_unref(moving.inner);
}

static pthread_key_t late_key;

static void set_late(void *busy)
{
    (void)cx_set(busy_var, busy);
}

static void *set_only_when_ending(void *busy)
{
    (void)pthread_setspecific(late_key, busy);
    return NULL;
}

/* Behaviour 68. */
static void what_a_destructor_sets_first_is_released(void **state)
{
    struct busy busy = {.refs = 0};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_key_create(&late_key, set_late), 0);
    assert_int_equal(pthread_create(&thread, NULL, set_only_when_ending, &busy),
                     0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(busy.refs, 0);
    (void)pthread_key_delete(late_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_million_nested_contexts_are_released_on_a_small_stack),
        cmocka_unit_test(
            a_million_nested_snapshots_are_released_on_a_small_stack),
        cmocka_unit_test(a_thread_s_values_are_released_when_it_ends),
        cmocka_unit_test(an_unref_may_set_variables),
        cmocka_unit_test(an_unref_in_a_shared_page_may_set_variables),
        cmocka_unit_test(an_unref_may_make_the_table_grow),
        cmocka_unit_test(a_snapshot_that_an_unref_takes_does_not_change_after),
        cmocka_unit_test(an_unref_at_the_end_of_a_thread_may_set_variables),
        cmocka_unit_test(a_thread_ends_though_an_unref_sets_its_value_again),
        cmocka_unit_test(a_context_let_go_of_inside_lives_until_it_is_left),
        cmocka_unit_test(a_reference_taken_after_the_last_was_let_go_of_counts),
        cmocka_unit_test(a_run_that_was_left_inside_leaves_nothing_else),
        cmocka_unit_test(a_thread_that_ends_in_a_run_leaves_the_context),
        cmocka_unit_test(
            a_thread_that_ends_does_not_leave_what_it_has_swapped_in),
        cmocka_unit_test(a_run_does_not_leave_what_another_thread_entered),
        cmocka_unit_test(what_a_destructor_sets_first_is_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
