/* SPDX-License-Identifier: MIT */
/*
 * Watches: when a watcher is called, with what, in which order, and what it
 * may do.
 */
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "fresh.h"

CX_VAR(int, one, .initial = 100);
CX_VAR(int, two);
CX_VAR(int, unwatched);
CX_GLOBAL(int, cell, 0);

/* What watchers were told, in the order of the calls. */
enum { MOST = 16 };

static struct {
    const void *who[MOST];
    int now[MOST];
    size_t len;
} told;

static void tell(cx_value now, void *who)
{
    assert_true(told.len < MOST);
    told.who[told.len] = who;
    told.now[told.len++] = (int)now.i64;
}

static int watch_both(void **state)
{
    told.len = 0;
    return cx_watch(cx_var_of(one), tell, cx_var_of(one)) ||
           cx_watch(cx_var_of(two), tell, cx_var_of(two)) || fresh_enter(state);
}

static int unwatch_both(void **state)
{
    return fresh_leave(state) ||
           cx_unwatch(cx_var_of(one), tell, cx_var_of(one)) ||
           cx_unwatch(cx_var_of(two), tell, cx_var_of(two));
}

#define watched_test(claim)                                                    \
    cmocka_unit_test_setup_teardown(claim, watch_both, unwatch_both)

/* The i-th call was for this variable, with this value. */
static void assert_told(size_t i, const cx_var *who, int now)
{
    assert_true(i < told.len);
    assert_ptr_equal(told.who[i], who);
    assert_int_equal(told.now[i], now);
}

/* .NET gives the old value too; here a watcher keeps what it needs of it. */
/* Behaviour 116. */
static void a_set_is_told_with_the_value_that_is_now_current(void **state)
{
    cx_token token;

    (void)state;
    (void)cx_set(one, 1);
    (void)cx_bind(one, 2, &token);
    (void)cx_reset(one, &token);
    (void)cx_unset(one);
    assert_int_equal(told.len, 4);
    assert_told(0, cx_var_of(one), 1);
    assert_told(1, cx_var_of(one), 2);
    assert_told(2, cx_var_of(one), 1);
    assert_told(3, cx_var_of(one), 100);
}

/* Behaviour 116. */
static void a_set_that_changes_nothing_is_not_told(void **state)
{
    (void)state;
    (void)cx_set(one, 100);
    (void)cx_set(unwatched, 1);
    (void)cx_unset(one);
    (void)cx_unset(two);
    assert_int_equal(told.len, 0);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

/* Behaviour 116. */
static void a_switch_tells_of_the_variables_that_differ_alone(void **state)
{
    cx_context *copy;

    (void)state;
    (void)cx_set(one, 1);
    (void)cx_set(two, 2);
    copy = cx_context_copy();
    (void)cx_set(two, 3);
    told.len = 0;
    (void)cx_context_run(copy, do_nothing, NULL);
    assert_int_equal(told.len, 2);
    assert_told(0, cx_var_of(two), 2);
    assert_told(1, cx_var_of(two), 3);
    cx_context_unref(copy);
}

static void set_two(void *arg)
{
    (void)arg;
    (void)cx_set(two, 5);
}

/* Behaviour 117. */
static void at_a_switch_what_is_no_longer_set_is_told_first(void **state)
{
    cx_context *has_two = cx_context_new();

    (void)state;
    (void)cx_context_run(has_two, set_two, NULL);
    (void)cx_set(one, 1);
    told.len = 0;
    (void)cx_context_enter(has_two);
    assert_int_equal(told.len, 2);
    assert_told(0, cx_var_of(one), 100);
    assert_told(1, cx_var_of(two), 5);
    told.len = 0;
    (void)cx_context_exit(has_two);
    assert_int_equal(told.len, 2);
    assert_told(0, cx_var_of(two), 0);
    assert_told(1, cx_var_of(one), 1);
    cx_context_unref(has_two);
}

/* Behaviour 60. */
static void a_switch_to_the_current_context_is_not_told(void **state)
{
    (void)cx_set(one, 1);
    told.len = 0;
    assert_ptr_equal(cx_context_swap(*state), *state);
    assert_int_equal(told.len, 0);
    assert_int_equal(cx_get(one), 1);
}

/* What a watcher got that sets variables itself. */
static struct {
    int other, own_set, own_bind, own_unset, own_reset;
    cx_token *token;
} meddled;

static void meddle(cx_value now, void *arg)
{
    cx_token token;

    (void)arg;
    meddled.other = cx_set(unwatched, (int)now.i64);
    meddled.own_set = cx_set(one, 77);
    meddled.own_bind = cx_bind(one, 77, &token);
    meddled.own_unset = cx_unset(one);
    meddled.own_reset = cx_reset(one, meddled.token);
}

/* Behaviour 118. */
static void a_watcher_sets_other_variables_and_not_its_own(void **state)
{
    cx_token token;

    (void)state;
    assert_int_equal(cx_bind(one, 2, &token), 0);
    meddled.token = &token;
    assert_int_equal(cx_watch(cx_var_of(one), meddle, NULL), 0);
    assert_int_equal(cx_set(one, 3), 0);
    assert_int_equal(meddled.other, 0);
    assert_int_equal(meddled.own_set, -EBUSY);
    assert_int_equal(meddled.own_bind, -EBUSY);
    assert_int_equal(meddled.own_unset, -EBUSY);
    assert_int_equal(meddled.own_reset, -EBUSY);
    assert_int_equal(cx_get(one), 3);
    assert_int_equal(cx_get(unwatched), 3);
    assert_int_equal(cx_unwatch(cx_var_of(one), meddle, NULL), 0);
    assert_int_equal(cx_reset(one, &token), 0);
}

static int outer_set;

static void carry_to_two(cx_value now, void *arg)
{
    (void)arg;
    (void)cx_set(two, (int)now.i64);
}

static void carry_to_one(cx_value now, void *arg)
{
    (void)arg;
    outer_set = cx_set(one, (int)now.i64 + 1);
}

static void
a_watcher_within_a_watcher_does_not_change_the_outer_one_s(void **state)
{
    (void)state;
    assert_int_equal(cx_watch(cx_var_of(one), carry_to_two, NULL), 0);
    assert_int_equal(cx_watch(cx_var_of(two), carry_to_one, NULL), 0);
    assert_int_equal(cx_set(one, 3), 0);
    assert_int_equal(cx_get(two), 3);
    assert_int_equal(outer_set, -EBUSY);
    assert_int_equal(cx_get(one), 3);
    assert_int_equal(cx_unwatch(cx_var_of(two), carry_to_one, NULL), 0);
    assert_int_equal(cx_unwatch(cx_var_of(one), carry_to_two, NULL), 0);
}

static int calls_of_ended, calls_of_begun;

static void count_call(cx_value now, void *calls)
{
    (void)now;
    ++*(int *)calls;
}

/* Another watch takes the place of the one that it ends. */
static void end_one_begin_another(cx_value now, void *arg)
{
    (void)now;
    (void)arg;
    (void)cx_unwatch(cx_var_of(unwatched), count_call, &calls_of_ended);
    (void)cx_watch(cx_var_of(unwatched), count_call, &calls_of_begun);
}

static void a_watch_begun_in_the_place_of_another_is_not_told_yet(void **state)
{
    (void)state;
    assert_int_equal(
        cx_watch(cx_var_of(unwatched), end_one_begin_another, NULL), 0);
    assert_int_equal(
        cx_watch(cx_var_of(unwatched), count_call, &calls_of_ended), 0);
    assert_int_equal(cx_set(unwatched, 1), 0);
    assert_int_equal(calls_of_ended, 0);
    assert_int_equal(calls_of_begun, 0);
    assert_int_equal(
        cx_unwatch(cx_var_of(unwatched), end_one_begin_another, NULL), 0);
    assert_int_equal(cx_set(unwatched, 2), 0);
    assert_int_equal(calls_of_begun, 1);
    assert_int_equal(
        cx_unwatch(cx_var_of(unwatched), count_call, &calls_of_begun), 0);
}

static void end_watch(cx_value now, void *calls)
{
    (void)now;
    (void)cx_unwatch(cx_var_of(unwatched), count_call, calls);
}

static void a_watch_ended_by_a_watcher_is_not_told(void **state)
{
    int calls = 0;

    (void)state;
    assert_int_equal(cx_watch(cx_var_of(unwatched), end_watch, &calls), 0);
    assert_int_equal(cx_watch(cx_var_of(unwatched), count_call, &calls), 0);
    assert_int_equal(cx_set(unwatched, 1), 0);
    assert_int_equal(calls, 0);
    assert_int_equal(cx_unwatch(cx_var_of(unwatched), end_watch, &calls), 0);
}

CX_THREAD_VAR(int, of_thread);

static void a_switch_changes_no_thread_variable(void **state)
{
    cx_context *ctx = cx_context_new();

    (void)state;
    (void)cx_set(unwatched, 1);
    assert_int_equal(cx_watch(cx_var_of(of_thread), tell, NULL), 0);
    (void)cx_set(of_thread, 4);
    assert_told(0, NULL, 4);
    (void)cx_context_enter(ctx);
    (void)cx_context_exit(ctx);
    assert_int_equal(told.len, 1);
    (void)cx_unset(of_thread);
    assert_told(1, NULL, 0);
    assert_int_equal(cx_unwatch(cx_var_of(of_thread), tell, NULL), 0);
    cx_context_unref(ctx);
}

static void read_current(cx_value now, void *seen)
{
    assert_int_equal(now.i64, cx_get(one));
    *(cx_context **)seen = cx_context_current();
}

/* Behaviour 119. */
static void a_watcher_runs_in_the_context_that_is_now_current(void **state)
{
    cx_context *ctx = cx_context_new();
    cx_context *seen = NULL;

    (void)cx_set(one, 1);
    assert_int_equal(cx_watch(cx_var_of(one), read_current, &seen), 0);
    (void)cx_context_enter(ctx);
    assert_ptr_equal(seen, ctx);
    (void)cx_context_exit(ctx);
    assert_ptr_equal(seen, *state);
    assert_int_equal(cx_unwatch(cx_var_of(one), read_current, &seen), 0);
    cx_context_unref(ctx);
}

/* Two of them are taken by the test's own. */
/* Behaviour 119. */
static void the_sixty_fifth_watch_is_refused_until_one_goes(void **state)
{
    enum { LEFT = 62 };
    char who[LEFT + 1];

    (void)state;
    for (size_t i = 0; i < LEFT; i++)
        assert_int_equal(cx_watch(cx_var_of(unwatched), tell, &who[i]), 0);
    assert_int_equal(cx_watch(cx_var_of(unwatched), tell, &who[LEFT]), -ENOSPC);
    assert_int_equal(cx_unwatch(cx_var_of(unwatched), tell, &who[0]), 0);
    assert_int_equal(cx_watch(cx_var_of(unwatched), tell, &who[LEFT]), 0);
    for (size_t i = 1; i <= LEFT; i++)
        assert_int_equal(cx_unwatch(cx_var_of(unwatched), tell, &who[i]), 0);
    (void)cx_set(unwatched, 1);
    assert_int_equal(told.len, 0);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cx_watch(NULL, tell, NULL), -EINVAL);
    assert_int_equal(cx_watch(cx_var_of(one), NULL, NULL), -EINVAL);
    assert_int_equal(cx_watch(cx_var_of(cell), tell, NULL), -EINVAL);
    assert_int_equal(cx_unwatch(cx_var_of(one), tell, NULL), -ENOENT);
    assert_int_equal(cx_unwatch(NULL, tell, NULL), -ENOENT);
}

static void *set_elsewhere(void *arg)
{
    (void)cx_set(one, 9);
    return arg;
}

static void a_change_on_another_thread_is_told_there(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, set_elsewhere, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(told.len > 0);
    assert_told(0, cx_var_of(one), 9);
    assert_int_equal(cx_get(one), 100);
}

CX_VAR(void *, locale_now);

static void mirror_locale(cx_value now, void *arg)
{
    (void)arg;
    (void)uselocale(now.ptr != NULL ? (locale_t)now.ptr : LC_GLOBAL_LOCALE);
}

static void is_utf8(void *yes)
{
    *(bool *)yes = MB_CUR_MAX > 1;
}

static void a_watch_mirrors_a_variable_into_uselocale(void **state)
{
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    cx_snapshot *snapshot;
    bool inside = false, outside = true;

    (void)state;
    assert_non_null(utf8);
    assert_int_equal(cx_watch(cx_var_of(locale_now), mirror_locale, NULL), 0);
    (void)cx_set(locale_now, utf8);
    snapshot = cx_snapshot_new();
    (void)cx_unset(locale_now);
    (void)cx_snapshot_run(snapshot, is_utf8, &inside);
    is_utf8(&outside);
    assert_true(inside);
    assert_false(outside);
    assert_int_equal(cx_unwatch(cx_var_of(locale_now), mirror_locale, NULL), 0);
    cx_snapshot_unref(snapshot);
    freelocale(utf8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        watched_test(a_set_is_told_with_the_value_that_is_now_current),
        watched_test(a_set_that_changes_nothing_is_not_told),
        watched_test(a_switch_tells_of_the_variables_that_differ_alone),
        watched_test(at_a_switch_what_is_no_longer_set_is_told_first),
        watched_test(a_switch_to_the_current_context_is_not_told),
        watched_test(a_watcher_sets_other_variables_and_not_its_own),
        watched_test(
            a_watcher_within_a_watcher_does_not_change_the_outer_one_s),
        watched_test(a_watch_begun_in_the_place_of_another_is_not_told_yet),
        watched_test(a_watch_ended_by_a_watcher_is_not_told),
        watched_test(a_switch_changes_no_thread_variable),
        watched_test(a_watcher_runs_in_the_context_that_is_now_current),
        watched_test(the_sixty_fifth_watch_is_refused_until_one_goes),
        watched_test(what_cannot_be_watched_is_refused),
        watched_test(a_change_on_another_thread_is_told_there),
        watched_test(a_watch_mirrors_a_variable_into_uselocale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
