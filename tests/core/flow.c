/* SPDX-License-Identifier: MIT */
/*
 * Flow: keeping values from what is started, by starting it in an empty
 * context, and snapshots that flow while their source changes. Variables that
 * by themselves stay out of copies are not here.
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

static void look(void *seen)
{
    *(int *)seen = cx_get(number);
}

static void *thread_look(void *seen)
{
    look(seen);
    return NULL;
}

static int seen_by_new_thread(void)
{
    pthread_t thread;
    int seen = 0;

    assert_int_equal(cx_thread_create(&thread, NULL, thread_look, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return seen;
}

static int seen_by_capture(void)
{
    int seen = 0;
    cx_callback *callback = cx_callback_new(look, &seen);

    cx_callback_call(callback);
    cx_callback_free(callback);
    return seen;
}

static void start_without_flow(void *arg)
{
    (void)arg;
    assert_int_equal(seen_by_capture(), 100);
    assert_int_equal(seen_by_new_thread(), 100);
}

/* There is no flag to forget: flow is suppressed by running in an empty
 * context, and restored by coming back. */
/* Behaviour 113. */
static void what_is_started_in_an_empty_context_gets_no_values(void **state)
{
    cx_context *empty = cx_context_new();

    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_context_run(empty, start_without_flow, NULL), 0);
    assert_int_equal(seen_by_capture(), 1);
    assert_int_equal(seen_by_new_thread(), 1);
    cx_context_unref(empty);
}

static void flow_inside(void *arg)
{
    (void)arg;
    assert_int_equal(seen_by_capture(), 1);
    assert_int_equal(seen_by_new_thread(), 1);
}

static void run_earlier_capture(void *earlier)
{
    start_without_flow(NULL);
    cx_callback_call(earlier);
    start_without_flow(NULL);
}

/* Behaviour 114. */
static void an_earlier_capture_flows_inside_an_empty_context(void **state)
{
    cx_context *empty = cx_context_new();
    cx_callback *earlier;

    (void)state;
    (void)cx_set(number, 1);
    earlier = cx_callback_new(flow_inside, NULL);
    assert_int_equal(cx_context_run(empty, run_earlier_capture, earlier), 0);
    cx_callback_free(earlier);
    cx_context_unref(empty);
}

/* An attempt to leave a context from where it is not current. */
struct leaving {
    cx_context *ctx;
    int error;
};

static void leave(void *arg)
{
    struct leaving *leaving = arg;

    leaving->error = cx_context_exit(leaving->ctx);
}

static void *thread_leave(void *leaving)
{
    leave(leaving);
    return NULL;
}

/* Behaviour 115. */
static void an_empty_context_is_not_left_from_elsewhere(void **state)
{
    struct leaving leaving = {.ctx = cx_context_new()};
    cx_context *other = cx_context_new();
    pthread_t thread;

    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_context_enter(leaving.ctx), 0);
    assert_int_equal(pthread_create(&thread, NULL, thread_leave, &leaving), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(leaving.error, -EINVAL);
    assert_int_equal(cx_context_run(other, leave, &leaving), 0);
    assert_int_equal(leaving.error, -EINVAL);
    start_without_flow(NULL);
    assert_int_equal(cx_context_exit(leaving.ctx), 0);
    assert_int_equal(cx_get(number), 1);
    cx_context_unref(leaving.ctx);
    cx_context_unref(other);
}

enum { KEYS = 1000, GENERATIONS = 20, READERS = 3 };

/* A writer hands out snapshots; readers check that each is of one moment. */
struct stream {
    cx_var *key[KEYS];
    pthread_mutex_t lock;
    cx_snapshot *last;
    bool done;
    int mistakes;
    int read;
};

static void publish(struct stream *stream, cx_snapshot *snapshot, bool done)
{
    cx_snapshot *before;

    (void)pthread_mutex_lock(&stream->lock);
    before = stream->last;
    stream->last = snapshot;
    stream->done = done;
    (void)pthread_mutex_unlock(&stream->lock);
    cx_snapshot_unref(before);
}

static cx_snapshot *receive(struct stream *stream, bool *done)
{
    cx_snapshot *snapshot;

    (void)pthread_mutex_lock(&stream->lock);
    snapshot = cx_snapshot_ref(stream->last);
    *done = stream->done;
    (void)pthread_mutex_unlock(&stream->lock);
    return snapshot;
}

/* All keys of one generation, or none: 0, else 1. */
static int mistake_in(const struct stream *stream, const cx_context *ctx)
{
    cx_value first = {.i64 = 0};
    bool set = cx_context_find(ctx, stream->key[0], &first);
    int mistakes = cx_context_len(ctx) != (set ? KEYS : 0);

    for (size_t i = 0; i < KEYS; i++) {
        cx_value value = {.i64 = 0};

        mistakes += cx_context_find(ctx, stream->key[i], &value) != set;
        mistakes += value.i64 != first.i64;
    }
    return mistakes != 0;
}

static void *read_stream(void *arg)
{
    struct stream *stream = arg;
    bool done = false;

    while (!done) {
        cx_snapshot *snapshot = receive(stream, &done);
        cx_context *copy = cx_context_of(snapshot);
        int mistakes = copy == NULL || mistake_in(stream, copy);

        (void)__atomic_fetch_add(&stream->mistakes, mistakes, __ATOMIC_RELAXED);
        (void)__atomic_fetch_add(&stream->read, 1, __ATOMIC_RELAXED);
        cx_context_unref(copy);
        cx_snapshot_unref(snapshot);
    }
    return NULL;
}

static void write_stream(struct stream *stream)
{
    for (int generation = 1; generation <= GENERATIONS; generation++) {
        for (size_t i = 0; i < KEYS; i++)
            (void)cx_var_set(stream->key[i], (cx_value){.i64 = generation});
        publish(stream, cx_snapshot_new(), false);
        for (size_t i = 0; i < KEYS; i++)
            (void)cx_var_unset(stream->key[i]);
        publish(stream, cx_snapshot_new(), generation == GENERATIONS);
    }
}

/* Behaviour 13. */
static void
copies_elsewhere_are_of_one_moment_while_keys_are_set_and_cleared(void **state)
{
    static struct stream stream = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t readers[READERS];

    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        stream.key[i] = cx_var_new("key", NULL, NULL);
    stream.last = cx_snapshot_new();
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(
            pthread_create(&readers[i], NULL, read_stream, &stream), 0);
    write_stream(&stream);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    assert_int_equal(stream.mistakes, 0);
    assert_true(stream.read >= READERS);
    cx_snapshot_unref(stream.last);
    for (size_t i = 0; i < KEYS; i++)
        cx_var_unref(stream.key[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(what_is_started_in_an_empty_context_gets_no_values),
        fresh_test(an_earlier_capture_flows_inside_an_empty_context),
        fresh_test(an_empty_context_is_not_left_from_elsewhere),
        fresh_test(
            copies_elsewhere_are_of_one_moment_while_keys_are_set_and_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
