/* SPDX-License-Identifier: MIT */
/*
 * Many threads at once on what the library lets threads share, and what its
 * values may do when they are released. Meant for ThreadSanitizer too.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

enum { THREADS = 8, ROUNDS = 2000 };

/* A value that counts itself. */
struct object {
    int refs;
};

static int objects;

static void *object_take(const void *value)
{
    struct object *object = malloc(sizeof(*object));

    (void)value;
    if (object != NULL) {
        object->refs = 1;
        (void)__atomic_fetch_add(&objects, 1, __ATOMIC_RELAXED);
    }
    return object;
}

static void object_ref(void *value)
{
    struct object *object = value;

    (void)__atomic_fetch_add(&object->refs, 1, __ATOMIC_RELAXED);
}

static void object_unref(void *value)
{
    struct object *object = value;

    if (__atomic_fetch_sub(&object->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    (void)__atomic_fetch_sub(&objects, 1, __ATOMIC_RELAXED);
    free(object);
}

static const cx_type counted = {
    .take = object_take, .ref = object_ref, .unref = object_unref};

CX_VAR(int, number, .initial = 1);
CX_VAR(int, for_tasks, .inherit = CX_INHERIT_TASKS);
CX_VAR(void *, owned, .type = &counted);
CX_THREAD_VAR(void *, of_thread, .type = &counted);
CX_GLOBAL(int, cell, 4);

/* What all threads of a test have, and what they found wrong. */
struct shared {
    cx_snapshot *snapshot;
    cx_context *contexts[THREADS];
    cx_callback *callback;
    pthread_barrier_t start;
    int mistakes;
    int calls;
};

struct worker {
    struct shared *shared;
    void (*work)(struct shared *shared, int me);
    int me;
    pthread_t thread;
};

static void mistake_if(struct shared *shared, bool mistaken)
{
    if (mistaken)
        (void)__atomic_fetch_add(&shared->mistakes, 1, __ATOMIC_RELAXED);
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;

    (void)pthread_barrier_wait(&worker->shared->start);
    worker->work(worker->shared, worker->me);
    return NULL;
}

/* Do some work on all threads at once; the mistakes that they found. */
static int at_once(struct shared *shared,
                   void (*work)(struct shared *shared, int me))
{
    struct worker workers[THREADS];

    (void)pthread_barrier_init(&shared->start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.shared = shared, .work = work, .me = i};
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]),
            0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    (void)pthread_barrier_destroy(&shared->start);
    return shared->mistakes;
}

static void fill(void)
{
    (void)cx_set(number, 10);
    (void)cx_set(for_tasks, 11);
    (void)cx_set(owned, &objects);
    *cx_ref(cell) = 12;
}

static void clear(void)
{
    (void)cx_unset(number);
    (void)cx_unset(for_tasks);
    (void)cx_unset(owned);
}

static void change_all(void *arg)
{
    struct shared *shared = arg;

    mistake_if(shared, cx_get(number) != 10 || *cx_ref(cell) != 12 ||
                           cx_get(owned) == NULL ||
                           cx_find(for_tasks, &(int){0}));
    mistake_if(shared, cx_set(number, 20) != 0);
    mistake_if(shared, cx_set(owned, &objects) != 0);
    *cx_ref(cell) = 22;
    (void)__atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
}

static void run_snapshots(struct shared *shared, int me)
{
    (void)me;
    for (int i = 0; i < ROUNDS; i++) {
        cx_snapshot *again = cx_snapshot_ref(shared->snapshot);
        cx_context *ctx = cx_context_of(again);

        mistake_if(shared, cx_snapshot_run(again, change_all, shared) != 0);
        cx_snapshot_unref(again);
        mistake_if(shared, !cx_context_find(ctx, cx_var_of(owned), NULL));
        cx_context_unref(ctx);
    }
}

/* Behaviours 108, 132. */
static void a_snapshot_runs_on_many_threads_at_once(void **state)
{
    struct shared shared = {.mistakes = 0};

    (void)state;
    fill();
    shared.snapshot = cx_snapshot_new();
    clear();
    assert_int_equal(at_once(&shared, run_snapshots), 0);
    assert_int_equal(shared.calls, THREADS * ROUNDS);
    cx_snapshot_unref(shared.snapshot);
    assert_int_equal(objects, 0);
}

static void call_back(struct shared *shared, int me)
{
    (void)me;
    for (int i = 0; i < ROUNDS; i++)
        cx_callback_call(shared->callback);
}

/* Behaviour 132. */
static void a_callback_is_called_by_many_threads_at_once(void **state)
{
    struct shared shared = {.mistakes = 0};

    (void)state;
    fill();
    shared.callback = cx_callback_new(change_all, &shared);
    clear();
    assert_int_equal(at_once(&shared, call_back), 0);
    assert_int_equal(shared.calls, THREADS * ROUNDS);
    cx_callback_free(shared.callback);
    assert_int_equal(objects, 0);
}

static void add_one(void *inside)
{
    (void)cx_set(number, cx_get(number) + 1);
    ++*(int *)inside;
}

static void enter_all(struct shared *shared, int me)
{
    int done = 0;

    for (int i = 0; i < ROUNDS; i++) {
        cx_context *ctx = shared->contexts[(me + i) % THREADS];
        int before = done;
        int error = cx_context_run(ctx, add_one, &done);

        mistake_if(shared, error != 0 && error != -EBUSY);
        mistake_if(shared, done - before != (error == 0));
    }
    (void)__atomic_fetch_add(&shared->calls, done, __ATOMIC_RELAXED);
}

/* Behaviour 43. */
static void a_context_is_entered_by_one_thread_at_a_time(void **state)
{
    struct shared shared = {.mistakes = 0};
    int sum = 0;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        shared.contexts[i] = cx_context_new();
    assert_int_equal(at_once(&shared, enter_all), 0);
    for (int i = 0; i < THREADS; i++) {
        cx_value value = {.i64 = 1};

        (void)cx_context_find(shared.contexts[i], cx_var_of(number), &value);
        sum += (int)value.i64 - 1;
        cx_context_unref(shared.contexts[i]);
    }
    assert_int_equal(sum, shared.calls);
}

/* Copies of one idle context, with an open token so that it sets aside. */
static void copy_first(struct shared *shared, int me)
{
    (void)me;
    for (int i = 0; i < ROUNDS; i++) {
        cx_context *copy = cx_context_copy_of(shared->contexts[0]);

        mistake_if(shared, copy == NULL || cx_context_enter(copy) != 0);
        mistake_if(shared, cx_get(number) != 5);
        mistake_if(shared, cx_set(number, i) != 0);
        mistake_if(shared, cx_set(owned, &objects) != 0);
        mistake_if(shared, cx_context_exit(copy) != 0);
        cx_context_unref(copy);
    }
}

/* Behaviour 132. */
static void an_idle_context_is_copied_by_many_threads_at_once(void **state)
{
    struct shared shared = {.mistakes = 0};
    cx_token token;

    (void)state;
    shared.contexts[0] = cx_context_new();
    (void)cx_context_enter(shared.contexts[0]);
    (void)cx_set(owned, &objects);
    (void)cx_bind(number, 5, &token);
    (void)cx_context_exit(shared.contexts[0]);
    assert_int_equal(at_once(&shared, copy_first), 0);
    (void)cx_context_enter(shared.contexts[0]);
    assert_int_equal(cx_reset(number, &token), 0);
    (void)cx_context_exit(shared.contexts[0]);
    cx_context_unref(shared.contexts[0]);
    assert_int_equal(objects, 0);
}

static void make_variables(struct shared *shared, int me)
{
    for (int i = 0; i < ROUNDS; i++) {
        cx_var *var = cx_var_new("made", &counted, NULL);
        cx_value value = {.ptr = &objects};
        cx_context *copy;

        mistake_if(shared, cx_var_find(var, NULL));
        mistake_if(shared, cx_var_set(var, value) != 0);
        copy = cx_context_copy();
        cx_var_unset(var);
        mistake_if(shared, !cx_context_find(copy, var, NULL));
        cx_var_unref(var);
        mistake_if(shared, cx_context_len(copy) != cx_context_len(NULL) + 1);
        cx_context_unref(copy);
    }
    (void)cx_set(of_thread, &me);
}

static void variables_are_made_and_freed_on_many_threads_at_once(void **state)
{
    struct shared shared = {.mistakes = 0};

    (void)state;
    assert_int_equal(at_once(&shared, make_variables), 0);
    assert_int_equal(objects, 0);
}

static void count_change(cx_value now, void *arg)
{
    struct shared *shared = arg;

    (void)now;
    (void)__atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
}

static void set_two(void *arg)
{
    (void)arg;
    (void)cx_set(number, 2);
}

static void watch_and_switch(struct shared *shared, int me)
{
    cx_context *ctx = cx_context_new();

    for (int i = 0; i < ROUNDS / 10; i++) {
        cx_var *var =
            me % 2 == 0 ? cx_var_of(number) : cx_var_new("watched", NULL, NULL);

        mistake_if(shared, cx_watch(var, count_change, shared) != 0);
        mistake_if(shared, cx_var_set(var, (cx_value){.i64 = i + 3}) != 0);
        mistake_if(shared, cx_context_run(ctx, set_two, NULL) != 0);
        mistake_if(shared, cx_unwatch(var, count_change, shared) != 0);
        if (me % 2 != 0)
            cx_var_unref(var);
    }
    cx_context_unref(ctx);
}

static void watches_come_and_go_on_many_threads_at_once(void **state)
{
    struct shared shared = {.mistakes = 0};

    (void)state;
    assert_int_equal(at_once(&shared, watch_and_switch), 0);
    assert_true(shared.calls >= THREADS * ROUNDS / 10);
}

/* One thread runs in a context, the other lets go of it meanwhile. */
struct handover {
    cx_context *ctx;
    pthread_barrier_t met;
    bool inside;
};

static void set_owned(void *arg)
{
    struct handover *handover = arg;

    (void)cx_set(owned, &objects);
    (void)pthread_barrier_wait(&handover->met);
    if (handover->inside)
        (void)pthread_barrier_wait(&handover->met);
}

static void *let_go(void *arg)
{
    struct handover *handover = arg;

    for (int i = 0; i < ROUNDS; i++) {
        (void)pthread_barrier_wait(&handover->met);
        cx_context_unref(handover->ctx);
        if (handover->inside)
            (void)pthread_barrier_wait(&handover->met);
        (void)pthread_barrier_wait(&handover->met);
    }
    return NULL;
}

static void hand_over(bool inside)
{
    struct handover handover = {.inside = inside};
    pthread_t thread;

    (void)pthread_barrier_init(&handover.met, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, let_go, &handover), 0);
    for (int i = 0; i < ROUNDS; i++) {
        handover.ctx = cx_context_new();
        assert_int_equal(cx_context_run(handover.ctx, set_owned, &handover), 0);
        (void)pthread_barrier_wait(&handover.met);
    }
    (void)pthread_join(thread, NULL);
    (void)pthread_barrier_destroy(&handover.met);
    assert_int_equal(objects, 0);
}

/* Behaviour 61. */
static void a_context_let_go_of_elsewhere_goes_when_it_is_left(void **state)
{
    (void)state;
    hand_over(true);
}

/* Behaviour 61. */
static void letting_go_while_it_is_left_frees_it_once(void **state)
{
    (void)state;
    hand_over(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_runs_on_many_threads_at_once),
        cmocka_unit_test(a_callback_is_called_by_many_threads_at_once),
        cmocka_unit_test(a_context_is_entered_by_one_thread_at_a_time),
        cmocka_unit_test(an_idle_context_is_copied_by_many_threads_at_once),
        cmocka_unit_test(variables_are_made_and_freed_on_many_threads_at_once),
        cmocka_unit_test(watches_come_and_go_on_many_threads_at_once),
        cmocka_unit_test(a_context_let_go_of_elsewhere_goes_when_it_is_left),
        cmocka_unit_test(letting_go_while_it_is_left_frees_it_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
