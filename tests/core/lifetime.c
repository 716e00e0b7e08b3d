/* SPDX-License-Identifier: MIT */
/*
 * Lifetime: when a value is let go of, how often, and by whom. How deep a
 * release goes, and what it may do to the context it is in, is in release.c.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

#include "fresh.h"

/* A value with a count of its holders, and of how often it was destroyed. */
struct object {
    int holders;
    int destroyed;
};

static void object_ref(void *value)
{
    struct object *object = value;

    (void)__atomic_fetch_add(&object->holders, 1, __ATOMIC_RELAXED);
}

static void object_unref(void *value)
{
    struct object *object = value;

    if (__atomic_fetch_sub(&object->holders, 1, __ATOMIC_ACQ_REL) == 1)
        (void)__atomic_fetch_add(&object->destroyed, 1, __ATOMIC_RELAXED);
}

static const cx_type object_type = {.ref = object_ref, .unref = object_unref};

CX_VAR(void *, owned, .type = &object_type);
CX_VAR(int, number, .initial = 100);

static int is_var(cx_var *var, cx_value value, void *title)
{
    (void)value;
    return strcmp(cx_var_title(var), title) == 0;
}

/* PEP 567 has the context keep the variable too. */
/* Behaviour 62. */
static void a_variable_let_go_of_lives_as_long_as_its_values(void **state)
{
    cx_var *var = cx_var_new("let go of", &object_type, NULL);
    struct object object = {.holders = 0};
    cx_context *copy;

    (void)state;
    (void)cx_var_set(var, (cx_value){.ptr = &object});
    copy = cx_context_copy();
    (void)cx_var_unset(var);
    cx_var_unref(var);
    assert_int_equal(cx_context_each(copy, is_var, "let go of"), 1);
    assert_int_equal(object.destroyed, 0);
    cx_context_unref(copy);
    assert_int_equal(object.destroyed, 1);
    assert_int_equal(object.holders, 0);
}

/* Behaviour 62. */
static void a_variable_let_go_of_lives_as_long_as_its_tokens(void **state)
{
    cx_var *var = cx_var_new("let go of", &object_type, NULL);
    struct object object = {.holders = 0};
    cx_token token;

    (void)state;
    (void)cx_var_set(var, (cx_value){.ptr = &object});
    (void)cx_var_bind(var, (cx_value){.ptr = NULL}, &token);
    (void)cx_var_unset(var);
    cx_var_unref(var);
    assert_string_equal(cx_var_title(cx_token_var(&token)), "let go of");
    assert_int_equal(object.destroyed, 0);
    cx_token_drop(&token);
    assert_int_equal(object.destroyed, 1);
}

/* Behaviour 63. */
static void
a_value_shared_by_many_copies_is_destroyed_once_with_the_last(void **state)
{
    enum { COPIES = 50 };
    struct object object = {.holders = 0};
    cx_context *copies[COPIES];
    cx_snapshot *snapshot;

    (void)state;
    (void)cx_set(owned, &object);
    for (size_t i = 0; i < COPIES; i++) {
        copies[i] = cx_context_copy();
        (void)cx_set(number, (int)i);
    }
    snapshot = cx_snapshot_new();
    (void)cx_unset(owned);
    for (size_t i = 0; i < COPIES; i++)
        cx_context_unref(copies[i * 7 % COPIES]);
    assert_int_equal(object.destroyed, 0);
    cx_snapshot_unref(snapshot);
    assert_int_equal(object.destroyed, 1);
    assert_int_equal(object.holders, 0);
}

static int busy_unrefs;

/* Does all that a release may do. */
static void busy_unref(void *value)
{
    cx_var *var = cx_var_new("made in a release", NULL, NULL);
    cx_context *ctx = cx_context_new();
    cx_token token;

    (void)value;
    busy_unrefs++;
    assert_int_equal(cx_context_enter(ctx), 0);
    assert_int_equal(cx_var_set(var, (cx_value){.i64 = 1}), 0);
    assert_int_equal(cx_context_exit(ctx), 0);
    cx_var_unref(var);
    cx_context_unref(ctx);
    cx_snapshot_unref(cx_snapshot_new());
    assert_int_equal(cx_bind(number, cx_get(number) + 1, &token), 0);
    assert_int_equal(cx_reset(number, &token), 0);
}

static void busy_ref(void *value)
{
    (void)value;
}

static const cx_type busy_type = {.ref = busy_ref, .unref = busy_unref};

CX_VAR(void *, busy, .type = &busy_type);

/* Behaviour 64. */
static void a_release_may_make_variables_and_enter_contexts(void **state)
{
    cx_context *copy;

    (void)state;
    busy_unrefs = 0;
    (void)cx_set(busy, &busy_unrefs);
    (void)cx_set(busy, NULL);
    assert_int_equal(busy_unrefs, 1);
    (void)cx_set(busy, &busy_unrefs);
    copy = cx_context_copy();
    (void)cx_unset(busy);
    cx_context_unref(copy);
    assert_true(busy_unrefs > 1);
    assert_int_equal(cx_get(number), 100);
}

/* Behaviour 66. */
static void null_may_be_overwritten_and_overwrite(void **state)
{
    struct object object = {.holders = 0};

    (void)state;
    assert_int_equal(cx_set(owned, NULL), 0);
    assert_int_equal(cx_set(owned, &object), 0);
    assert_int_equal(object.holders, 1);
    assert_int_equal(cx_set(owned, NULL), 0);
    assert_int_equal(object.destroyed, 1);
    assert_null(cx_get(owned));
    assert_int_equal(cx_set(owned, &object), 0);
    assert_ptr_equal(cx_get(owned), &object);
    assert_int_equal(cx_unset(owned), 0);
    assert_int_equal(object.destroyed, 2);
}

static void *set_and_end(void *object)
{
    (void)cx_set(owned, object);
    return NULL;
}

/* Behaviour 67. */
static void a_thread_that_ends_lets_go_of_what_it_set(void **state)
{
    struct object object = {.holders = 0};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, set_and_end, &object), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(object.destroyed, 1);
}

static int pipe_to_parent;

static void write_unref(void *value)
{
    (void)!write(pipe_to_parent, value, 1);
}

static const cx_type written = {.ref = busy_ref, .unref = write_unref};

CX_VAR(void *, told, .type = &written);

static void set_and_exit(void)
{
    (void)cx_set(told, "x");
    exit(0);
}

/* Behaviour 67. */
static void
the_thread_that_ends_the_process_lets_go_of_what_it_set(void **state)
{
    char byte = 0;
    int fds[2];
    int status = -1;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pipe_to_parent = fds[1];
    (void)fflush(NULL);
    child = fork();
    if (child == 0)
        set_and_exit();
    (void)close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(fds[0]);
}

static pthread_key_t key;

/* The last round of all is left to ThreadSanitizer, which ends there too. */
enum { ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS - 1 };

/* What the rounds of a thread's destructors got. */
struct ending {
    int rounds;
    int value[ROUNDS];
    int error[ROUNDS];
};

static void use_when_ending(void *arg)
{
    struct ending *ending = arg;
    int i = ending->rounds++;

    ending->value[i] = cx_get(number);
    ending->error[i] = cx_set(number, 7);
    if (ending->rounds < ROUNDS)
        (void)pthread_setspecific(key, ending);
}

static void *use_and_end(void *ending)
{
    (void)cx_set(number, 7);
    (void)pthread_setspecific(key, ending);
    return NULL;
}

/* Behaviour 68. */
static void destructors_of_a_thread_read_its_values_or_are_refused(void **state)
{
    struct ending ending = {.rounds = 0};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_key_create(&key, use_when_ending), 0);
    assert_int_equal(pthread_create(&thread, NULL, use_and_end, &ending), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_key_delete(key);
    assert_int_equal(ending.rounds, ROUNDS);
    assert_int_equal(ending.value[0], 7);
    assert_int_equal(ending.error[0], 0);
    assert_int_equal(ending.value[ROUNDS - 1], 100);
    assert_int_equal(ending.error[ROUNDS - 1], -ESHUTDOWN);
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(ending.value[i], ending.error[i] == 0 ? 7 : 100);
}

/* Ends the process when the thread is past its last destructor. */
static void exit_when_ended(void *arg)
{
    int *rounds = arg;

    if (++*rounds < ROUNDS)
        (void)pthread_setspecific(key, rounds);
    else
        exit(cx_set(number, 7) == -ESHUTDOWN ? 0 : 1);
}

static void end_process_in_a_destructor(void)
{
    int rounds = 0;
    pthread_t thread;

    (void)pthread_key_create(&key, exit_when_ended);
    (void)pthread_create(&thread, NULL, use_and_end, &rounds);
    (void)pthread_join(thread, NULL);
    _exit(2);
}

/* Behaviour 68. */
static void a_process_may_end_in_a_thread_s_last_destructor(void **state)
{
    int status = -1;
    pid_t child;

    (void)state;
    (void)fflush(NULL);
    child = fork();
    if (child == 0)
        end_process_in_a_destructor();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void set_inside(void *object)
{
    (void)cx_set(owned, object);
}

/* A one-shot job is a run of a snapshot. */
/* Behaviour 69. */
static void
what_a_run_of_a_snapshot_sets_is_destroyed_as_it_returns(void **state)
{
    struct object object = {.holders = 0};
    cx_snapshot *snapshot = cx_snapshot_new();

    (void)state;
    assert_int_equal(cx_snapshot_run(snapshot, set_inside, &object), 0);
    assert_int_equal(object.destroyed, 1);
    cx_snapshot_unref(snapshot);
}

/* Behaviour 70. */
static void a_callback_freed_before_any_call_lets_go_at_once(void **state)
{
    struct object object = {.holders = 0};
    cx_callback *callback;

    (void)state;
    (void)cx_set(owned, &object);
    callback = cx_callback_new(set_inside, NULL);
    (void)cx_unset(owned);
    assert_int_equal(object.destroyed, 0);
    cx_callback_free(callback);
    assert_int_equal(object.destroyed, 1);
}

/* Two threads that let go of a copy each, at the same time. */
struct pair {
    pthread_barrier_t met;
    cx_context *copy[2];
};

static void *let_go_of_second(void *arg)
{
    struct pair *pair = arg;

    (void)pthread_barrier_wait(&pair->met);
    cx_context_unref(pair->copy[1]);
    return NULL;
}

static void let_go_of_both(struct pair *pair)
{
    pthread_t thread;

    (void)pthread_barrier_init(&pair->met, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, let_go_of_second, pair), 0);
    (void)pthread_barrier_wait(&pair->met);
    cx_context_unref(pair->copy[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_barrier_destroy(&pair->met);
}

/* Behaviour 71. */
static void copies_let_go_of_by_two_threads_destroy_a_value_once(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        struct object object = {.holders = 0};
        struct pair pair;

        (void)cx_set(owned, &object);
        pair.copy[0] = cx_context_copy();
        pair.copy[1] = cx_context_copy();
        (void)cx_unset(owned);
        let_go_of_both(&pair);
        assert_int_equal(object.destroyed, 1);
        assert_int_equal(object.holders, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(a_variable_let_go_of_lives_as_long_as_its_values),
        fresh_test(a_variable_let_go_of_lives_as_long_as_its_tokens),
        fresh_test(
            a_value_shared_by_many_copies_is_destroyed_once_with_the_last),
        fresh_test(a_release_may_make_variables_and_enter_contexts),
        fresh_test(null_may_be_overwritten_and_overwrite),
        fresh_test(a_thread_that_ends_lets_go_of_what_it_set),
        cmocka_unit_test(
            the_thread_that_ends_the_process_lets_go_of_what_it_set),
        fresh_test(destructors_of_a_thread_read_its_values_or_are_refused),
        fresh_test(a_process_may_end_in_a_thread_s_last_destructor),
        fresh_test(what_a_run_of_a_snapshot_sets_is_destroyed_as_it_returns),
        fresh_test(a_callback_freed_before_any_call_lets_go_at_once),
        fresh_test(copies_let_go_of_by_two_threads_destroy_a_value_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
