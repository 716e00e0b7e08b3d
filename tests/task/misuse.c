/* SPDX-License-Identifier: MIT */
/*
 * Misuse: nothing where something is needed, outside of tasks, and on another
 * thread than the loop's. All of it is refused as the headers say, and does
 * nothing. What lives on the outside is in misuse_outside.c.
 */
#include "elsewhere.h"

#include <ctxvar/broadcast.h>
#include <ctxvar/call.h>
#include <ctxvar/channel.h>
#include <ctxvar/future.h>
#include <ctxvar/generator.h>
#include <ctxvar/group.h>
#include <ctxvar/queue.h>
#include <ctxvar/remote.h>
#include <ctxvar/sync.h>

static cx_event *event;
static cx_lock *lock;
static cx_condition *condition;
static cx_semaphore *semaphore;
static cx_barrier *barrier;
static cx_future *future;
static cx_queue *queue;
static cx_group *group;
static cx_generator *generator;
static cx_broadcast *broadcast;
static cx_subscription *subscription;

static int do_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int generate_nothing(cx_generator *self, void *arg)
{
    (void)self;
    return do_nothing(arg);
}

static void *make_all(void *arg)
{
    event = cx_event_new();
    lock = cx_lock_new();
    condition = cx_condition_new();
    semaphore = cx_semaphore_new(1);
    barrier = cx_barrier_new(2);
    future = cx_future_new();
    queue = cx_queue_new(1);
    group = cx_group_new(NULL);
    generator = cx_generator_new(generate_nothing, NULL);
    broadcast = cx_broadcast_new(1, NULL);
    subscription = cx_subscription_new(broadcast);
    return arg;
}

static void *free_all(void *arg)
{
    assert_int_equal(cx_event_free(event), 0);
    assert_int_equal(cx_lock_free(lock), 0);
    assert_int_equal(cx_condition_free(condition), 0);
    assert_int_equal(cx_semaphore_free(semaphore), 0);
    assert_int_equal(cx_barrier_free(barrier), 0);
    assert_int_equal(cx_future_free(future), 0);
    assert_int_equal(cx_queue_free(queue), 0);
    cx_group_free(group);
    cx_generator_free(generator);
    assert_int_equal(cx_subscription_free(subscription), 0);
    assert_int_equal(cx_broadcast_free(broadcast), 0);
    return arg;
}

TASK_TEST(nothing_is_waited_for_where_there_is_nothing)
{
    void *item;

    (void)make_all(NULL);
    assert_int_equal(cx_event_wait(NULL), -EINVAL);
    assert_int_equal(cx_lock_acquire(NULL), -EINVAL);
    assert_int_equal(cx_condition_wait(NULL, lock), -EINVAL);
    assert_int_equal(cx_condition_wait(condition, NULL), -EINVAL);
    assert_int_equal(cx_semaphore_acquire(NULL), -EINVAL);
    assert_int_equal(cx_barrier_wait(NULL), -EINVAL);
    assert_int_equal(cx_future_wait(NULL, &item), -EINVAL);
    assert_int_equal(cx_queue_get(NULL, &item), -EINVAL);
    assert_int_equal(cx_queue_get(queue, NULL), -EINVAL);
    assert_int_equal(cx_queue_put(NULL, NULL), -EINVAL);
    assert_int_equal(cx_group_wait(NULL), -EINVAL);
    assert_int_equal(cx_generator_next(NULL, &item), -EINVAL);
    assert_int_equal(cx_generator_next(generator, NULL), -EINVAL);
    assert_int_equal(cx_subscription_get(NULL, &item), -EINVAL);
    assert_int_equal(cx_subscription_get(subscription, NULL), -EINVAL);
    assert_int_equal(cx_await(NULL, NULL), -EINVAL);
    assert_int_equal(cx_gather(NULL, &item, NULL, 1), -EINVAL);
    assert_int_equal(cx_gather(return_arg, NULL, NULL, 1), -EINVAL);
    assert_int_equal(cx_wait_any(NULL, 1), -EINVAL);
    assert_int_equal(cx_wait_any(NULL, 0), -EINVAL);
    (void)free_all(NULL);
}

TASK_TEST(nothing_is_done_to_what_is_not_there)
{
    void *item;

    (void)make_all(NULL);
    assert_int_equal(cx_event_set(NULL), -EINVAL);
    assert_int_equal(cx_event_clear(NULL), -EINVAL);
    assert_false(cx_event_is_set(NULL));
    assert_int_equal(cx_lock_release(NULL), -EINVAL);
    assert_false(cx_lock_is_held(NULL));
    assert_int_equal(cx_condition_signal(NULL), -EINVAL);
    assert_int_equal(cx_condition_broadcast(NULL), -EINVAL);
    assert_int_equal(cx_semaphore_release(NULL), -EINVAL);
    assert_int_equal(cx_future_set(NULL, NULL), -EINVAL);
    assert_false(cx_future_is_done(NULL));
    assert_int_equal(cx_queue_try_put(NULL, NULL), -EINVAL);
    assert_int_equal(cx_queue_try_get(NULL, &item), -EINVAL);
    assert_int_equal(cx_queue_try_get(queue, NULL), -EINVAL);
    assert_int_equal(cx_queue_close(NULL), -EINVAL);
    assert_int_equal(cx_queue_len(NULL), 0);
    assert_int_equal(cx_queue_try_select(NULL, 0), -EINVAL);
    assert_int_equal(cx_group_start(NULL, do_nothing, NULL), -EINVAL);
    assert_int_equal(cx_group_start(group, NULL, NULL), -EINVAL);
    assert_int_equal(cx_group_errors(NULL, NULL, 0), 0);
    assert_int_equal(cx_generate(NULL, NULL), -EPERM);
    assert_int_equal(cx_broadcast_put(NULL, NULL), -EINVAL);
    assert_int_equal(cx_subscription_try_get(NULL, &item), -EINVAL);
    assert_int_equal(cx_subscription_try_get(subscription, NULL), -EINVAL);
    assert_int_equal(cx_cancel(NULL), -EINVAL);
    cx_task_detach(NULL);
    assert_null(cx_task_name(NULL));
    cx_remote_cancel(NULL);
    cx_remote_detach(NULL);
    (void)free_all(NULL);
}

TASK_TEST(nothing_is_freed_where_there_is_nothing)
{
    assert_int_equal(cx_event_free(NULL), 0);
    assert_int_equal(cx_lock_free(NULL), 0);
    assert_int_equal(cx_condition_free(NULL), 0);
    assert_int_equal(cx_semaphore_free(NULL), 0);
    assert_int_equal(cx_barrier_free(NULL), 0);
    assert_int_equal(cx_future_free(NULL), 0);
    assert_int_equal(cx_queue_free(NULL), 0);
    assert_int_equal(cx_broadcast_free(NULL), 0);
    assert_int_equal(cx_subscription_free(NULL), 0);
    cx_channel_unref(NULL);
    cx_loop_unref(NULL);
    assert_false(cx_call_cancel(NULL));
    cx_call_detach(NULL);
}

static void refuse_to_wait(void)
{
    cx_queue_op op = {.queue = queue};
    cx_task *task = cx_task_create(return_arg, NULL);
    cx_remote *remote =
        cx_task_create_threadsafe(cx_loop_current(), return_arg, NULL);
    void *item = NULL;

    assert_int_equal(cx_event_wait(event), -EPERM);
    assert_int_equal(cx_lock_acquire(lock), -EPERM);
    assert_int_equal(cx_lock_release(lock), -EPERM);
    assert_int_equal(cx_condition_wait(condition, lock), -EPERM);
    assert_int_equal(cx_semaphore_acquire(semaphore), -EPERM);
    assert_int_equal(cx_barrier_wait(barrier), -EPERM);
    assert_int_equal(cx_future_wait(future, NULL), -EPERM);
    assert_int_equal(cx_queue_get(queue, &item), -EPERM);
    assert_int_equal(cx_queue_put(queue, NULL), -EPERM);
    assert_int_equal(cx_queue_select(&op, 1), -EPERM);
    assert_int_equal(cx_group_start(group, do_nothing, NULL), -EPERM);
    assert_int_equal(cx_group_wait(group), -EPERM);
    assert_int_equal(cx_generator_next(generator, &item), -EPERM);
    assert_int_equal(cx_subscription_get(subscription, &item), -EPERM);
    assert_int_equal(cx_await(task, NULL), -EPERM);
    assert_int_equal(cx_wait_any(&task, 1), -EPERM);
    assert_int_equal(cx_gather(return_arg, &item, NULL, 1), -EPERM);
    assert_int_equal(cx_remote_await(remote, NULL), -EPERM);
    assert_int_equal(cx_sleep(1), -EPERM);
    assert_int_equal(cx_sleep_until(1), -EPERM);
    assert_int_equal(cx_yield(), -EPERM);
    assert_int_equal(cx_task_check(), -EPERM);
    cx_task_detach(task);
    cx_remote_detach(remote);
}

static void waiting_is_refused_outside_of_tasks(void **state)
{
    (void)state;
    outside_of_tasks(make_all, refuse_to_wait, free_all);
}

static void *use_elsewhere(void *arg)
{
    cx_queue_op op = {.queue = queue};
    void *item;

    assert_int_equal(cx_event_wait(event), -EXDEV);
    assert_int_equal(cx_event_clear(event), -EXDEV);
    assert_int_equal(cx_lock_acquire(lock), -EXDEV);
    assert_int_equal(cx_lock_release(lock), -EPERM);
    assert_int_equal(cx_condition_wait(condition, lock), -EXDEV);
    assert_int_equal(cx_condition_signal(condition), -EXDEV);
    assert_int_equal(cx_condition_broadcast(condition), -EXDEV);
    assert_int_equal(cx_semaphore_acquire(semaphore), -EXDEV);
    assert_int_equal(cx_semaphore_release(semaphore), -EXDEV);
    assert_int_equal(cx_barrier_wait(barrier), -EXDEV);
    assert_int_equal(cx_future_wait(future, NULL), -EXDEV);
    assert_int_equal(cx_future_set(future, NULL), -EXDEV);
    assert_int_equal(cx_queue_get(queue, &item), -EXDEV);
    assert_int_equal(cx_queue_put(queue, NULL), -EXDEV);
    assert_int_equal(cx_queue_try_get(queue, &item), -EXDEV);
    assert_int_equal(cx_queue_close(queue), -EXDEV);
    assert_int_equal(cx_queue_select(&op, 1), -EXDEV);
    assert_int_equal(cx_queue_try_select(&op, 1), -EXDEV);
    assert_int_equal(cx_generator_next(generator, &item), -EXDEV);
    assert_int_equal(cx_subscription_get(subscription, &item), -EXDEV);
    assert_int_equal(cx_event_free(event), -EXDEV);
    assert_int_equal(cx_lock_free(lock), -EXDEV);
    assert_int_equal(cx_condition_free(condition), -EXDEV);
    assert_int_equal(cx_semaphore_free(semaphore), -EXDEV);
    assert_int_equal(cx_barrier_free(barrier), -EXDEV);
    assert_int_equal(cx_future_free(future), -EXDEV);
    assert_int_equal(cx_queue_free(queue), -EXDEV);
    assert_int_equal(cx_subscription_free(subscription), -EXDEV);
    assert_int_equal(cx_broadcast_free(broadcast), -EXDEV);
    return arg;
}

TASK_TEST(what_another_loop_made_is_refused)
{
    (void)make_all(NULL);
    elsewhere(use_elsewhere, NULL);
    (void)free_all(NULL);
}

static int return_7(void *arg)
{
    (void)arg;
    return -7;
}

/* Of functions that tell nothing. */
static void *ignore_elsewhere(void *calls)
{
    cx_group_cancel(group);
    cx_group_free(group);
    cx_generator_free(generator);
    cx_call_detach(*(cx_call **)calls);
    assert_false(cx_call_cancel(*(cx_call **)calls));
    return NULL;
}

TASK_TEST(what_tells_nothing_leaves_another_loop_s_alone)
{
    cx_call *call = cx_call_later(1000000, (void (*)(void *))free, NULL);
    void *value;

    (void)make_all(NULL);
    assert_int_equal(cx_group_start(group, return_7, NULL), 0);
    elsewhere(ignore_elsewhere, &call);
    assert_int_equal(cx_group_wait(group), -7);
    assert_int_equal(cx_generator_next(generator, &value), 0);
    assert_true(cx_call_cancel(call));
    (void)free_all(NULL);
}

static void *await_elsewhere(void *task)
{
    cx_task *of_another[] = {task};

    assert_int_equal(cx_await(task, NULL), -EXDEV);
    assert_int_equal(cx_cancel(task), -EXDEV);
    assert_int_equal(cx_wait_any(of_another, 1), -EXDEV);
    cx_task_detach(task);
    return NULL;
}

TASK_TEST(a_task_of_another_loop_is_left_alone)
{
    cx_task *task = cx_task_create(return_arg, as_pointer(3));
    void *result;

    elsewhere(await_elsewhere, task);
    assert_int_equal(cx_await(task, &result), 0);
    assert_ptr_equal(result, as_pointer(3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_waited_for_where_there_is_nothing),
        cmocka_unit_test(nothing_is_done_to_what_is_not_there),
        cmocka_unit_test(nothing_is_freed_where_there_is_nothing),
        cmocka_unit_test(waiting_is_refused_outside_of_tasks),
        cmocka_unit_test(what_another_loop_made_is_refused),
        cmocka_unit_test(what_tells_nothing_leaves_another_loop_s_alone),
        cmocka_unit_test(a_task_of_another_loop_is_left_alone),
    };

    return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
