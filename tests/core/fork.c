/* SPDX-License-Identifier: MIT */
/*
 * A process forks, perhaps while another of its threads has the core's lock:
 * the child has the forking thread's values, and everything works in it.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ctxvar/callback.h>

enum { FORKS = 100, SECONDS = 20 };

CX_VAR(int, number, .initial = 1);
CX_VAR(const char *, text, .type = &cx_string);
CX_VAR(int, never_set);
CX_VAR(int, watched);
CX_GLOBAL(int, cell, 4);

/* Run a function in a child; its result, or -1 if it got stuck or died. */
static int in_child(int (*fn)(void *arg), void *arg)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        (void)alarm(SECONDS);
        _exit(fn(arg));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A thread that has the core's lock most of the time, and no values. */
struct locker {
    pthread_t thread;
    bool stop;
};

static void ignore(cx_value now, void *arg)
{
    (void)now;
    (void)arg;
}

static void *lock_often(void *arg)
{
    struct locker *locker = arg;

    while (!__atomic_load_n(&locker->stop, __ATOMIC_RELAXED)) {
        (void)cx_watch(cx_var_of(watched), ignore, NULL);
        (void)cx_unwatch(cx_var_of(watched), ignore, NULL);
    }
    return NULL;
}

static int register_variables(void *arg)
{
    cx_var *var = cx_var_new("child", NULL, NULL);

    (void)arg;
    if (var == NULL || cx_var_set(var, (cx_value){.i64 = 7}) != 0 ||
        cx_set(never_set, 1) != 0 || cx_get(never_set) != 1)
        return 1;
    cx_var_unref(var);
    return 0;
}

/* Behaviour 127. */
static void a_child_is_not_stuck_on_a_lock_of_another_thread(void **state)
{
    struct locker locker = {.stop = false};
    int wrong = 0;

    (void)state;
    assert_int_equal(pthread_create(&locker.thread, NULL, lock_often, &locker),
                     0);
    for (int i = 0; i < FORKS && wrong == 0; i++)
        wrong = in_child(register_variables, NULL);
    __atomic_store_n(&locker.stop, true, __ATOMIC_RELAXED);
    (void)pthread_join(locker.thread, NULL);
    assert_int_equal(wrong, 0);
}

static int read_values(void *arg)
{
    (void)arg;
    return cx_get(number) != 2 || strcmp(cx_get(text), "parent") != 0 ||
           *cx_ref(cell) != 5;
}

/* Behaviour 127. */
static void a_child_has_its_parent_s_values(void **state)
{
    (void)state;
    (void)cx_set(number, 2);
    (void)cx_set(text, "parent");
    *cx_ref(cell) = 5;
    assert_int_equal(in_child(read_values, NULL), 0);
}

static int change_values(void *token)
{
    int wrong = cx_set(number, 3) != 0 || cx_reset(text, token) != 0;

    *cx_ref(cell) = 6;
    return wrong || cx_get(number) != 3 || strcmp(cx_get(text), "parent") != 0;
}

/* Behaviour 127. */
static void what_a_child_sets_is_its_own(void **state)
{
    cx_token token;

    (void)state;
    (void)cx_set(number, 2);
    (void)cx_set(text, "parent");
    *cx_ref(cell) = 5;
    assert_int_equal(cx_bind(text, "bound", &token), 0);
    assert_int_equal(in_child(change_values, &token), 0);
    assert_int_equal(cx_get(number), 2);
    assert_string_equal(cx_get(text), "bound");
    assert_int_equal(*cx_ref(cell), 5);
    assert_int_equal(cx_reset(text, &token), 0);
}

static void *set_in_thread(void *wrong)
{
    *(int *)wrong = cx_get(number) != 2 || cx_set(number, 9) != 0;
    return NULL;
}

static int copy_and_run(void *arg)
{
    cx_context *copy = cx_context_copy();
    pthread_t thread;
    int wrong = 1;

    (void)arg;
    if (cx_context_enter(copy) != 0 || cx_set(number, 8) != 0 ||
        cx_context_exit(copy) != 0)
        return 1;
    cx_context_unref(copy);
    if (cx_thread_create(&thread, NULL, set_in_thread, &wrong) != 0)
        return 1;
    (void)pthread_join(thread, NULL);
    return wrong || cx_get(number) != 2;
}

/* Behaviour 127. */
static void a_child_copies_contexts_and_starts_threads(void **state)
{
    (void)state;
    (void)cx_set(number, 2);
    assert_int_equal(in_child(copy_and_run, NULL), 0);
}

static void enter_and_fork(void *result)
{
    (void)cx_set(number, 2);
    (void)cx_set(text, "parent");
    *cx_ref(cell) = 5;
    *(int *)result = in_child(read_values, NULL);
}

/* Behaviour 127. */
static void a_child_is_in_the_context_that_its_parent_was_in(void **state)
{
    cx_context *ctx = cx_context_new();
    int result = -1;

    (void)state;
    assert_int_equal(cx_context_run(ctx, enter_and_fork, &result), 0);
    assert_int_equal(result, 0);
    cx_context_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_not_stuck_on_a_lock_of_another_thread),
        cmocka_unit_test(a_child_has_its_parent_s_values),
        cmocka_unit_test(what_a_child_sets_is_its_own),
        cmocka_unit_test(a_child_copies_contexts_and_starts_threads),
        cmocka_unit_test(a_child_is_in_the_context_that_its_parent_was_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
