/* SPDX-License-Identifier: MIT */
/*
 * Threads: what a new one starts with, what work handed to another carries,
 * and that neither hears of what the other sets. Many threads at once without
 * a claim but being right are in stress.c.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "fresh.h"

CX_VAR(int, number, .initial = 100);

/* One piece of work, and what it found. */
struct job {
    int seen;
    int to_set;
    int error;
};

static void look_and_set(void *arg)
{
    struct job *job = arg;

    job->seen = cx_get(number);
    job->error = cx_set(number, job->to_set);
}

static void *thread_look_and_set(void *job)
{
    look_and_set(job);
    return job;
}

static void on_plain_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void on_thread_with_context(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    void *result = NULL;

    assert_int_equal(cx_thread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, arg);
}

/* Behaviour 102. */
static void a_thread_of_pthread_create_starts_with_defaults(void **state)
{
    struct job job = {.to_set = 2};

    (void)state;
    (void)cx_set(number, 1);
    on_plain_thread(thread_look_and_set, &job);
    assert_int_equal(job.seen, 100);
    assert_int_equal(job.error, 0);
}

/* Behaviours 102, 104. */
static void a_thread_of_cx_thread_create_starts_in_a_copy(void **state)
{
    struct job job = {.to_set = 2};

    (void)state;
    (void)cx_set(number, 1);
    on_thread_with_context(thread_look_and_set, &job);
    assert_int_equal(job.seen, 1);
    assert_int_equal(job.error, 0);
    assert_int_equal(cx_get(number), 1);
}

struct late {
    pthread_barrier_t created;
    struct job job;
};

static void *look_after_creation(void *arg)
{
    struct late *late = arg;

    (void)pthread_barrier_wait(&late->created);
    look_and_set(&late->job);
    return NULL;
}

/* Behaviour 103. */
static void a_thread_has_the_values_of_the_moment_it_was_created(void **state)
{
    struct late late = {.job = {.to_set = 3}};
    pthread_t thread;

    (void)state;
    (void)pthread_barrier_init(&late.created, NULL, 2);
    (void)cx_set(number, 1);
    assert_int_equal(
        cx_thread_create(&thread, NULL, look_after_creation, &late), 0);
    (void)cx_set(number, 2);
    (void)pthread_barrier_wait(&late.created);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(late.job.seen, 1);
    assert_int_equal(cx_get(number), 2);
    (void)pthread_barrier_destroy(&late.created);
}

static void *start_own(void *arg)
{
    struct job *job = arg;

    look_and_set(job);
    on_thread_with_context(thread_look_and_set, job + 1);
    return arg;
}

static void a_thread_s_thread_has_that_thread_s_values(void **state)
{
    struct job jobs[2] = {{.to_set = 2}, {.to_set = 3}};

    (void)state;
    (void)cx_set(number, 1);
    on_thread_with_context(start_own, jobs);
    assert_int_equal(jobs[0].seen, 1);
    assert_int_equal(jobs[1].seen, 2);
}

/* A worker that knows no contexts: it calls what it is given, in order, and
 * looks at its own context before and after. */
struct queue {
    cx_callback *jobs[3];
    int before, after;
    size_t len_after;
};

static void *work(void *arg)
{
    struct queue *queue = arg;

    queue->before = cx_get(number);
    for (size_t i = 0; i < 3; i++)
        cx_callback_call(queue->jobs[i]);
    queue->after = cx_get(number);
    queue->len_after = cx_context_len(NULL);
    return NULL;
}

static void queue_free(struct queue *queue)
{
    for (size_t i = 0; i < 3; i++)
        cx_callback_free(queue->jobs[i]);
}

/* Behaviours 103, 104, 105, 106. */
static void
jobs_have_their_own_values_and_leave_none_to_the_worker(void **state)
{
    struct job jobs[3] = {{.to_set = 11}, {.to_set = 12}, {.to_set = 13}};
    struct queue queue = {.before = 0};

    (void)state;
    for (int i = 0; i < 3; i++) {
        (void)cx_set(number, i + 1);
        queue.jobs[i] = cx_callback_new(look_and_set, &jobs[i]);
    }
    (void)cx_set(number, 4);
    on_plain_thread(work, &queue);
    for (int i = 0; i < 3; i++)
        assert_int_equal(jobs[i].seen, i + 1);
    assert_int_equal(queue.before, 100);
    assert_int_equal(queue.after, 100);
    assert_int_equal(queue.len_after, 0);
    assert_int_equal(cx_get(number), 4);
    queue_free(&queue);
}

static void *run_in(void *arg)
{
    cx_context *ctx = arg;
    struct job job = {.to_set = 9};

    return cx_context_run(ctx, look_and_set, &job) == 0 ? ctx : NULL;
}

/* Behaviour 107. */
static void what_a_run_on_another_thread_sets_comes_back(void **state)
{
    cx_context *ctx = cx_context_copy();
    cx_value value = {.i64 = 0};

    (void)state;
    on_plain_thread(run_in, ctx);
    assert_true(cx_context_find(ctx, cx_var_of(number), &value));
    assert_int_equal(value.i64, 9);
    cx_context_unref(ctx);
}

struct two {
    cx_context *ctx;
    pthread_barrier_t met;
};

static void stay_inside(void *arg)
{
    struct two *two = arg;

    (void)pthread_barrier_wait(&two->met);
    (void)pthread_barrier_wait(&two->met);
}

static void *be_first(void *arg)
{
    struct two *two = arg;

    (void)cx_context_run(two->ctx, stay_inside, two);
    return NULL;
}

/* Behaviour 107. */
static void the_second_of_two_runs_in_one_context_is_refused(void **state)
{
    struct two two = {.ctx = cx_context_copy()};
    struct job job = {.to_set = 1};
    pthread_t thread;

    (void)state;
    (void)pthread_barrier_init(&two.met, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, be_first, &two), 0);
    (void)pthread_barrier_wait(&two.met);
    assert_int_equal(cx_context_run(two.ctx, look_and_set, &job), -EBUSY);
    assert_int_equal(job.seen, 0);
    (void)pthread_barrier_wait(&two.met);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(cx_context_run(two.ctx, look_and_set, &job), 0);
    (void)pthread_barrier_destroy(&two.met);
    cx_context_unref(two.ctx);
}

enum { EIGHT = 8 };

/* Runs of one snapshot that wait for each other inside. */
struct eight {
    cx_snapshot *snapshot;
    pthread_barrier_t inside;
    int arrived;
    int mistakes;
};

static void set_own_and_meet(void *arg)
{
    struct eight *eight = arg;
    int mine = 1000 + __atomic_add_fetch(&eight->arrived, 1, __ATOMIC_RELAXED);
    int mistakes = cx_get(number) != 1;

    mistakes += cx_set(number, mine) != 0;
    (void)pthread_barrier_wait(&eight->inside);
    mistakes += cx_get(number) != mine;
    (void)__atomic_fetch_add(&eight->mistakes, mistakes, __ATOMIC_RELAXED);
}

static void *run_snapshot(void *arg)
{
    struct eight *eight = arg;

    return cx_snapshot_run(eight->snapshot, set_own_and_meet, eight) == 0
               ? arg
               : NULL;
}

/* Behaviour 108. */
static void eight_threads_are_in_one_snapshot_at_once_and_apart(void **state)
{
    struct eight eight = {.mistakes = 0};
    pthread_t threads[EIGHT];

    (void)state;
    (void)cx_set(number, 1);
    eight.snapshot = cx_snapshot_new();
    (void)pthread_barrier_init(&eight.inside, NULL, EIGHT);
    for (size_t i = 0; i < EIGHT; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, run_snapshot, &eight), 0);
    for (size_t i = 0; i < EIGHT; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(eight.arrived, EIGHT);
    assert_int_equal(eight.mistakes, 0);
    assert_int_equal(cx_get(number), 1);
    (void)pthread_barrier_destroy(&eight.inside);
    cx_snapshot_unref(eight.snapshot);
}

static void without_a_thread_or_a_function_none_is_created(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(cx_thread_create(NULL, NULL, run_in, NULL), -EINVAL);
    assert_int_equal(cx_thread_create(&thread, NULL, NULL, NULL), -EINVAL);
}

/* No machine has the stack that is asked for. */
static void a_thread_that_cannot_be_had_takes_nothing(void **state)
{
    pthread_attr_t attr;
    pthread_t thread;
    int error;

    (void)state;
    (void)cx_set(number, 1);
    (void)pthread_attr_init(&attr);
    assert_int_equal(pthread_attr_setstacksize(&attr, (size_t)1 << 60), 0);
    error = cx_thread_create(&thread, &attr, run_in, NULL);
    assert_true(error < 0); /* which one, the system says */
    assert_int_equal(cx_get(number), 1);
    (void)pthread_attr_destroy(&attr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_thread_of_pthread_create_starts_with_defaults),
        fresh_test(a_thread_of_cx_thread_create_starts_in_a_copy),
        fresh_test(a_thread_has_the_values_of_the_moment_it_was_created),
        fresh_test(a_thread_s_thread_has_that_thread_s_values),
        fresh_test(jobs_have_their_own_values_and_leave_none_to_the_worker),
        fresh_test(what_a_run_on_another_thread_sets_comes_back),
        fresh_test(the_second_of_two_runs_in_one_context_is_refused),
        fresh_test(eight_threads_are_in_one_snapshot_at_once_and_apart),
        fresh_test(without_a_thread_or_a_function_none_is_created),
        fresh_test(a_thread_that_cannot_be_had_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
