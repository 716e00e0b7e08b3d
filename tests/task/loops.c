/* SPDX-License-Identifier: MIT */
/* Several loops that run together. */
#include "support.h"

#include <pthread.h>

#include <ctxvar/call.h>
#include <ctxvar/loops.h>
#include <ctxvar/remote.h>
#include <ctxvar/sync.h>

CX_VAR(int, number, .initial = -1);

enum { LOOPS = 4 };

static int add(int *count, int n)
{
    return __atomic_add_fetch(count, n, __ATOMIC_SEQ_CST);
}

static int count_calls(void *arg)
{
    (void)add(arg, 1);
    return 0;
}

static void the_function_is_called_on_every_loop(void **state)
{
    int calls = 0;

    (void)state;
    assert_int_equal(cx_loops_run(LOOPS, count_calls, &calls), 0);
    assert_int_equal(calls, LOOPS);
}

static void there_are_as_many_as_processors_if_not_said(void **state)
{
    int calls = 0;

    (void)state;
    assert_int_equal(cx_loops_run(0, count_calls, &calls), 0);
    assert_true(calls >= 1);
}

struct places {
    pthread_t thread[LOOPS];
    cx_loop *loop[LOOPS];
    int wrong;
};

static int note_place(void *arg)
{
    struct places *places = arg;
    unsigned i = cx_loops_index();

    places->thread[i] = pthread_self();
    places->loop[i] = cx_loop_current();
    if (cx_loops_len() != LOOPS || cx_loops_at(i) != cx_loop_current() ||
        cx_loops_at(LOOPS) != NULL)
        (void)add(&places->wrong, 1);
    for (i = 0; i < LOOPS; i++) {
        if (cx_loops_at(i) == NULL)
            (void)add(&places->wrong, 1);
    }
    return 0;
}

static void each_loop_knows_all_of_them(void **state)
{
    struct places places = {.wrong = 0};

    (void)state;
    assert_int_equal(cx_loops_run(LOOPS, note_place, &places), 0);
    assert_int_equal(places.wrong, 0);
}

static void each_loop_has_a_thread_and_the_caller_is_the_first(void **state)
{
    struct places places = {.wrong = 0};

    (void)state;
    assert_int_equal(cx_loops_run(LOOPS, note_place, &places), 0);
    assert_true(pthread_equal(places.thread[0], pthread_self()));
    for (int i = 1; i < LOOPS; i++) {
        assert_false(pthread_equal(places.thread[i - 1], places.thread[i]));
        assert_ptr_not_equal(places.loop[i - 1], places.loop[i]);
    }
}

static void elsewhere_there_are_none(void **state)
{
    (void)state;
    assert_null(cx_loops_at(0));
    assert_int_equal(cx_loops_len(), 0);
    assert_int_equal(cx_loops_index(), 0);
}

static int set_number(void *arg)
{
    if (cx_get(number) == 7)
        (void)add(arg, 1);
    return cx_set(number, (int)cx_loops_index());
}

static void each_runs_in_a_copy_of_the_callers_context(void **state)
{
    int right = 0;

    (void)state;
    CX_WITH(number, 7) {
        assert_int_equal(cx_loops_run(LOOPS, set_number, &right), 0);
        assert_int_equal(cx_get(number), 7);
    }
    assert_int_equal(right, LOOPS);
}

/* The last one fails; the others would wait for ever. */
static int fail_or_wait(void *arg)
{
    int error;

    if (cx_loops_index() == LOOPS - 1)
        return -EDOM;
    error = cx_sleep(UINT64_MAX);
    if (error == -ECANCELED)
        (void)add(arg, 1);
    return error;
}

static void one_that_fails_cancels_the_others(void **state)
{
    int cancelled = 0;

    (void)state;
    assert_int_equal(cx_loops_run(LOOPS, fail_or_wait, &cancelled), -EDOM);
    assert_int_equal(cancelled, LOOPS - 1);
}

static int fail_all(void *arg)
{
    (void)arg;
    return -EDOM;
}

static void the_first_error_is_returned(void **state)
{
    (void)state;
    assert_int_equal(cx_loops_run(LOOPS, fail_all, NULL), -EDOM);
}

static int end_cancelled(void *arg)
{
    (void)arg;
    return -ECANCELED;
}

static void being_cancelled_is_no_error(void **state)
{
    (void)state;
    assert_int_equal(cx_loops_run(LOOPS, end_cancelled, NULL), 0);
}

/* Each has the next one add to what it was given, round and round. */
static void *pass_on(void *arg)
{
    intptr_t left = (intptr_t)arg;
    void *result = NULL;

    if (left > 0) {
        unsigned next = (cx_loops_index() + 1) % cx_loops_len();
        cx_remote *remote = cx_task_create_threadsafe(
            cx_loops_at(next), pass_on, as_pointer(left - 1));

        if (cx_remote_await(remote, &result) != 0)
            return as_pointer(-1000);
    }
    return as_pointer((intptr_t)result + 1);
}

struct round {
    int result;
    cx_event *end[LOOPS];
};

static void set_event(void *arg)
{
    struct round *round = arg;

    (void)cx_event_set(round->end[cx_loops_index()]);
}

static int pass_around(void *arg)
{
    struct round *round = arg;
    unsigned own = cx_loops_index();
    cx_event *end = round->end[own] = cx_event_new();
    int error = 0;

    if (own == 0) {
        round->result = (int)(intptr_t)pass_on(as_pointer(100));
        for (unsigned i = 0; i < cx_loops_len(); i++)
            (void)cx_call_soon_threadsafe(cx_loops_at(i), set_event, round);
    }
    error = cx_event_wait(end);
    (void)cx_event_free(end);
    return error;
}

static void work_goes_from_loop_to_loop(void **state)
{
    struct round round = {.result = 0};

    (void)state;
    assert_int_equal(cx_loops_run(LOOPS, pass_around, &round), 0);
    assert_int_equal(round.result, 101);
}

TASK_TEST(loops_within_a_loop_are_refused)
{
    int calls = 0;

    assert_int_equal(cx_loops_run(2, count_calls, &calls), -EBUSY);
    assert_int_equal(calls, 0);
}

static void loops_without_a_function_are_refused(void **state)
{
    (void)state;
    assert_int_equal(cx_loops_run(2, NULL, NULL), -EINVAL);
}

/* Threads run out after some. */
static int threads_left = -1;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*fn)(void *), void *arg)
{
    if (threads_left == 0)
        return EAGAIN;
    threads_left--;
    return __real_pthread_create(thread, attr, fn, arg);
}

static void without_enough_threads_none_begins(void **state)
{
    (void)state;
    for (int made = 0; made < LOOPS - 1; made++) {
        int calls = 0, error;

        threads_left = made;
        error = cx_loops_run(LOOPS, count_calls, &calls);
        threads_left = -1;
        assert_int_equal(error, -EAGAIN);
        assert_int_equal(calls, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_is_called_on_every_loop),
        cmocka_unit_test(there_are_as_many_as_processors_if_not_said),
        cmocka_unit_test(each_loop_knows_all_of_them),
        cmocka_unit_test(each_loop_has_a_thread_and_the_caller_is_the_first),
        cmocka_unit_test(elsewhere_there_are_none),
        cmocka_unit_test(each_runs_in_a_copy_of_the_callers_context),
        cmocka_unit_test(one_that_fails_cancels_the_others),
        cmocka_unit_test(the_first_error_is_returned),
        cmocka_unit_test(being_cancelled_is_no_error),
        cmocka_unit_test(work_goes_from_loop_to_loop),
        cmocka_unit_test(loops_within_a_loop_are_refused),
        cmocka_unit_test(loops_without_a_function_are_refused),
        cmocka_unit_test(without_enough_threads_none_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
