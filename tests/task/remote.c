/* SPDX-License-Identifier: MIT */
/* Tasks for another thread's loop, and their results. */
#include "support.h"

#include <pthread.h>

#include <ctxvar/remote.h>
#include <ctxvar/sync.h>

CX_VAR(int, number, .initial = -1);

/* A loop on a thread of its own, until its event is set. */
struct host {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t there;
    cx_loop *loop;
    cx_event *end;
};

static void *host_main(void *arg)
{
    struct host *host = arg;

    host->end = cx_event_new();
    (void)pthread_mutex_lock(&host->lock);
    host->loop = cx_loop_ref(cx_loop_current());
    (void)pthread_cond_signal(&host->there);
    (void)pthread_mutex_unlock(&host->lock);
    (void)cx_event_wait(host->end);
    (void)cx_event_free(host->end);
    return NULL;
}

static void *host_run(void *arg)
{
    (void)cx_run(host_main, arg, NULL);
    return NULL;
}

static void host_start(struct host *host)
{
    *host = (struct host){.lock = PTHREAD_MUTEX_INITIALIZER,
                          .there = PTHREAD_COND_INITIALIZER};
    assert_int_equal(pthread_create(&host->thread, NULL, host_run, host), 0);
    (void)pthread_mutex_lock(&host->lock);
    while (host->loop == NULL)
        (void)pthread_cond_wait(&host->there, &host->lock);
    (void)pthread_mutex_unlock(&host->lock);
}

static void *host_stop(void *arg)
{
    struct host *host = arg;

    return as_pointer(cx_event_set(host->end));
}

static void host_end(struct host *host)
{
    cx_remote *last = cx_task_create_threadsafe(host->loop, host_stop, host);

    assert_non_null(last);
    cx_remote_detach(last);
    assert_int_equal(pthread_join(host->thread, NULL), 0);
    cx_loop_unref(host->loop);
}

static void *own_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return arg;
}

static void a_plain_thread_has_a_task_run_elsewhere(void **state)
{
    struct host host;
    pthread_t where = pthread_self();
    cx_remote *remote;
    void *result = NULL;

    (void)state;
    host_start(&host);
    remote = cx_task_create_threadsafe(host.loop, own_thread, &where);
    assert_int_equal(cx_remote_await(remote, &result), 0);
    assert_ptr_equal(result, &where);
    assert_true(pthread_equal(where, host.thread));
    host_end(&host);
}

TASK_TEST(a_task_has_a_task_run_on_another_loop)
{
    struct host host;
    pthread_t where = pthread_self();
    cx_remote *remote;
    void *result = NULL;

    host_start(&host);
    remote = cx_task_create_threadsafe(host.loop, own_thread, &where);
    assert_int_equal(cx_remote_await(remote, &result), 0);
    assert_ptr_equal(result, &where);
    assert_true(pthread_equal(where, host.thread));
    host_end(&host);
}

TASK_TEST(a_task_that_has_ended_is_awaited_at_once)
{
    struct host host;
    cx_remote *first, *second;
    void *result = NULL;

    host_start(&host);
    first = cx_task_create_threadsafe(host.loop, return_arg, as_pointer(1));
    second = cx_task_create_threadsafe(host.loop, return_arg, as_pointer(2));
    assert_int_equal(cx_remote_await(second, NULL), 0);
    assert_int_equal(cx_remote_await(first, &result), 0);
    assert_ptr_equal(result, as_pointer(1));
    host_end(&host);
}

static void *get_number(void *arg)
{
    (void)arg;
    return as_pointer(cx_get(number));
}

TASK_TEST(a_task_runs_in_a_copy_of_its_creators_context)
{
    struct host host;
    cx_remote *remote;
    void *seen;

    host_start(&host);
    assert_int_equal(cx_set(number, 4), 0);
    remote = cx_task_create_threadsafe(host.loop, get_number, NULL);
    assert_int_equal(cx_set(number, 5), 0);
    assert_int_equal(cx_remote_await(remote, &seen), 0);
    assert_int_equal((intptr_t)seen, 4);
    host_end(&host);
}

/* Two tasks of the loop take turns with the one that waits for them. */
static void *take_turns(void *arg)
{
    intptr_t turns = 0;

    for (; turns < 10; turns++)
        (void)cx_yield();
    (void)arg;
    return as_pointer(turns);
}

TASK_TEST(a_loop_may_have_a_task_run_for_itself)
{
    cx_remote *remote =
        cx_task_create_threadsafe(cx_loop_current(), take_turns, NULL);
    void *turns;

    assert_int_equal(cx_remote_await(remote, &turns), 0);
    assert_int_equal((intptr_t)turns, 10);
}

static void *sleep_until_cancelled(void *arg)
{
    (void)arg;
    return as_pointer(cx_sleep(UINT64_MAX));
}

static void a_plain_thread_can_cancel_a_task(void **state)
{
    struct host host;
    cx_remote *remote;
    void *result;

    (void)state;
    host_start(&host);
    remote = cx_task_create_threadsafe(host.loop, sleep_until_cancelled, NULL);
    cx_remote_cancel(remote);
    cx_remote_cancel(remote);
    assert_int_equal(cx_remote_await(remote, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
    host_end(&host);
}

struct sleeper {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool asleep;
};

static void *note_and_sleep(void *arg)
{
    struct sleeper *sleeper = arg;

    (void)pthread_mutex_lock(&sleeper->lock);
    sleeper->asleep = true;
    (void)pthread_cond_signal(&sleeper->moved);
    (void)pthread_mutex_unlock(&sleeper->lock);
    return sleep_until_cancelled(NULL);
}

static void a_task_that_sleeps_is_woken_by_a_cancel(void **state)
{
    struct host host;
    struct sleeper sleeper = {PTHREAD_MUTEX_INITIALIZER,
                              PTHREAD_COND_INITIALIZER, false};
    cx_remote *remote;
    void *result;

    (void)state;
    host_start(&host);
    remote = cx_task_create_threadsafe(host.loop, note_and_sleep, &sleeper);
    (void)pthread_mutex_lock(&sleeper.lock);
    while (!sleeper.asleep)
        (void)pthread_cond_wait(&sleeper.moved, &sleeper.lock);
    (void)pthread_mutex_unlock(&sleeper.lock);
    cx_remote_cancel(remote);
    assert_int_equal(cx_remote_await(remote, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
    host_end(&host);
}

static void a_task_that_has_ended_is_left_as_it_is(void **state)
{
    struct host host;
    cx_remote *remote, *later;
    void *result;

    (void)state;
    host_start(&host);
    remote = cx_task_create_threadsafe(host.loop, return_arg, as_pointer(3));
    later = cx_task_create_threadsafe(host.loop, return_arg, NULL);
    assert_int_equal(cx_remote_await(later, NULL), 0);
    cx_remote_cancel(remote);
    assert_int_equal(cx_remote_await(remote, &result), 0);
    assert_ptr_equal(result, as_pointer(3));
    cx_remote_cancel(NULL);
    host_end(&host);
}

static void waiting_ends_with_the_deadline(void **state)
{
    struct host host;
    cx_remote *remote;
    int error = 0;

    (void)state;
    host_start(&host);
    remote = cx_task_create_threadsafe(host.loop, sleep_until_cancelled, NULL);
    CX_TIMEOUT(1) {
        error = cx_remote_await(remote, NULL);
    }
    assert_int_equal(error, -ETIMEDOUT);
    cx_remote_cancel(remote);
    assert_int_equal(cx_remote_await(remote, NULL), 0);
    host_end(&host);
}

static void *await_remote(void *remote)
{
    return as_pointer(cx_remote_await(remote, NULL));
}

TASK_TEST(a_cancelled_waiter_leaves_the_other_task_alone)
{
    cx_remote *remote =
        cx_task_create_threadsafe(cx_loop_current(), take_turns, NULL);
    cx_task *waiter = cx_task_create(await_remote, remote);
    void *result;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(waiter), 0);
    assert_int_equal(cx_await(waiter, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
    assert_int_equal(cx_remote_await(remote, &result), 0);
    assert_int_equal((intptr_t)result, 10);
}

TASK_TEST(a_task_that_is_awaited_is_busy)
{
    cx_remote *remote =
        cx_task_create_threadsafe(cx_loop_current(), take_turns, NULL);
    cx_task *waiter = cx_task_create(await_remote, remote);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_remote_await(remote, NULL), -EBUSY);
    assert_int_equal(cx_await(waiter, NULL), 0);
}

static void *create_and_leave(void *arg)
{
    cx_remote **remote = arg;

    *remote = cx_task_create_threadsafe(cx_loop_current(),
                                        sleep_until_cancelled, NULL);
    return NULL;
}

static void a_loop_that_ends_cancels_the_tasks_of_others(void **state)
{
    cx_remote *remote = NULL;
    void *result;

    (void)state;
    assert_int_equal(cx_run(create_and_leave, &remote, NULL), 0);
    cx_remote_cancel(remote);
    assert_int_equal(cx_remote_await(remote, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
}

static void *hold_loop(void *arg)
{
    *(cx_loop **)arg = cx_loop_ref(cx_loop_current());
    return NULL;
}

static void a_loop_that_has_ended_takes_no_tasks(void **state)
{
    cx_loop *loop = NULL;

    (void)state;
    assert_int_equal(cx_run(hold_loop, &loop, NULL), 0);
    assert_null(cx_task_create_threadsafe(loop, return_arg, NULL));
    assert_int_equal(errno, ESHUTDOWN);
    cx_loop_unref(loop);
}

TASK_TEST(a_task_of_nothing_or_nowhere_is_refused)
{
    assert_null(cx_task_create_threadsafe(NULL, return_arg, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(cx_task_create_threadsafe(cx_loop_current(), NULL, NULL));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(cx_remote_await(NULL, NULL), -EINVAL);
    cx_remote_detach(NULL);
}

/* Each asks the other's loop for something, over and over. */
enum { ROUNDS = 500 };

static void *ask_often(void *arg)
{
    const struct host *host = arg;

    for (intptr_t i = 0; i < ROUNDS; i++) {
        cx_remote *remote =
            cx_task_create_threadsafe(host->loop, return_arg, as_pointer(i));
        void *result = NULL;

        if (cx_remote_await(remote, &result) != 0 || result != as_pointer(i))
            return NULL;
    }
    return arg;
}

TASK_TEST(two_loops_have_tasks_run_for_each_other)
{
    struct host host, self = {.loop = cx_loop_current()};
    cx_remote *there;
    void *result = NULL;

    host_start(&host);
    there = cx_task_create_threadsafe(host.loop, ask_often, &self);
    assert_ptr_equal(ask_often(&host), &host);
    assert_int_equal(cx_remote_await(there, &result), 0);
    assert_ptr_equal(result, &self);
    host_end(&host);
}

/* Cancels and waits that come when the task is ending anyway. */
static void *yield_some(void *arg)
{
    for (intptr_t i = (intptr_t)arg; i > 0; i--)
        (void)cx_yield();
    return NULL;
}

TASK_TEST(a_wait_that_is_given_up_as_it_ends_loses_nothing)
{
    struct host host;

    host_start(&host);
    for (intptr_t i = 0; i < ROUNDS; i++) {
        cx_remote *remote = cx_task_create_threadsafe(host.loop, yield_some,
                                                      as_pointer(i % 100));
        cx_task *waiter = cx_task_create(await_remote, remote);
        void *error;

        (void)yield_some(as_pointer(i % 30));
        assert_int_equal(cx_cancel(waiter), 0);
        assert_int_equal(cx_await(waiter, &error), 0);
        if (error != NULL)
            assert_int_equal(cx_remote_await(remote, NULL), 0);
    }
    host_end(&host);
}

/* Its loop has cancelled it, and takes nothing any more. */
static void *cancel_itself_at_the_end(void *arg)
{
    cx_remote **remote = arg;

    assert_int_equal(cx_sleep(UINT64_MAX), -ECANCELED);
    cx_remote_cancel(*remote);
    cx_remote_detach(*remote);
    *remote = NULL;
    return NULL;
}

static void *leave_it_to_the_end(void *arg)
{
    cx_remote **remote = arg;

    *remote = cx_task_create_threadsafe(cx_loop_current(),
                                        cancel_itself_at_the_end, remote);
    assert_int_equal(cx_sleep(2), 0);
    return NULL;
}

static void a_task_of_a_loop_that_ends_can_be_cancelled_again(void **state)
{
    cx_remote *remote;

    (void)state;
    assert_int_equal(cx_run(leave_it_to_the_end, &remote, NULL), 0);
    assert_null(remote);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_thread_has_a_task_run_elsewhere),
        cmocka_unit_test(a_task_has_a_task_run_on_another_loop),
        cmocka_unit_test(a_task_that_has_ended_is_awaited_at_once),
        cmocka_unit_test(a_task_runs_in_a_copy_of_its_creators_context),
        cmocka_unit_test(a_loop_may_have_a_task_run_for_itself),
        cmocka_unit_test(a_plain_thread_can_cancel_a_task),
        cmocka_unit_test(a_task_that_sleeps_is_woken_by_a_cancel),
        cmocka_unit_test(a_task_that_has_ended_is_left_as_it_is),
        cmocka_unit_test(waiting_ends_with_the_deadline),
        cmocka_unit_test(a_cancelled_waiter_leaves_the_other_task_alone),
        cmocka_unit_test(a_task_that_is_awaited_is_busy),
        cmocka_unit_test(a_loop_that_ends_cancels_the_tasks_of_others),
        cmocka_unit_test(a_loop_that_has_ended_takes_no_tasks),
        cmocka_unit_test(a_task_of_nothing_or_nowhere_is_refused),
        cmocka_unit_test(two_loops_have_tasks_run_for_each_other),
        cmocka_unit_test(a_wait_that_is_given_up_as_it_ends_loses_nothing),
        cmocka_unit_test(a_task_of_a_loop_that_ends_can_be_cancelled_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
