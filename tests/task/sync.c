/* SPDX-License-Identifier: MIT */
/* Events, locks, conditions, semaphores, barriers, queues and futures. */
#include <ctxvar/future.h>
#include <ctxvar/queue.h>
#include <ctxvar/sync.h>

#include "support.h"

static struct trace trace;

static void trace_begin(void)
{
    trace = (struct trace){.len = 0};
}

/* A task that says its name when what it waited for came, '!' if it did not. */
struct waiter {
    char name;
    void *on;
    int error;
};

static void say(struct waiter *waiter)
{
    trace_add(&trace, waiter->error >= 0 ? waiter->name : '!');
}

static void *wait_event(void *arg)
{
    struct waiter *waiter = arg;

    waiter->error = cx_event_wait(waiter->on);
    say(waiter);
    return NULL;
}

TASK_TEST(an_event_wakes_all_who_wait_and_lets_later_ones_pass)
{
    cx_event *event = cx_event_new();
    struct waiter a = {'a', event, 0}, b = {'b', event, 0};
    cx_task *tasks[2] = {cx_task_create(wait_event, &a),
                         cx_task_create(wait_event, &b)};

    trace_begin();
    assert_int_equal(cx_yield(), 0);
    assert_traced(&trace, "");
    assert_int_equal(cx_event_free(event), -EBUSY);
    assert_int_equal(cx_event_set(event), 0);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
    assert_traced(&trace, "ab");
    assert_int_equal(cx_event_wait(event), 0);
    assert_int_equal(cx_event_clear(event), 0);
    assert_false(cx_event_is_set(event));
    CX_TIMEOUT(1) {
        assert_int_equal(cx_event_wait(event), -ETIMEDOUT);
    }
    assert_int_equal(cx_event_free(event), 0);
}

CX_VAR(int, number);

static void *wait_and_read(void *arg)
{
    (void)cx_set(number, 1);
    (void)cx_event_wait(arg);
    return as_pointer(cx_get(number));
}

/* Behaviour 96. */
TASK_TEST(a_waiter_wakes_in_its_own_context)
{
    cx_event *event = cx_event_new();
    cx_task *task = cx_task_create(wait_and_read, event);
    void *seen;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_set(number, 2), 0);
    assert_int_equal(cx_event_set(event), 0);
    assert_int_equal(cx_await(task, &seen), 0);
    assert_int_equal((intptr_t)seen, 1);
    assert_int_equal(cx_event_free(event), 0);
}

static void *hold_lock(void *arg)
{
    struct waiter *waiter = arg;

    waiter->error = cx_lock_acquire(waiter->on);
    say(waiter);
    if (waiter->error == 0) {
        (void)cx_sleep(1);
        (void)cx_lock_release(waiter->on);
    }
    return NULL;
}

TASK_TEST(a_lock_is_handed_over_first_come_first_served)
{
    cx_lock *lock = cx_lock_new();
    struct waiter a = {'a', lock, 0}, b = {'b', lock, 0}, c = {'c', lock, 0};
    cx_task *tasks[3];

    trace_begin();
    assert_int_equal(cx_lock_acquire(lock), 0);
    tasks[0] = cx_task_create(hold_lock, &a);
    tasks[1] = cx_task_create(hold_lock, &b);
    tasks[2] = cx_task_create(hold_lock, &c);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(tasks[1]), 0);
    assert_int_equal(cx_lock_release(lock), 0);
    /* It is a's by now, though a has yet to run. */
    assert_true(cx_lock_is_held(lock));
    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    assert_traced(&trace, "!ac");
    assert_int_equal(b.error, -ECANCELED);
    assert_int_equal(cx_lock_free(lock), 0);
}

TASK_TEST(a_lock_tells_misuse)
{
    cx_lock *lock = cx_lock_new();

    assert_int_equal(cx_lock_release(lock), -EPERM);
    assert_int_equal(cx_lock_acquire(lock), 0);
    assert_int_equal(cx_lock_acquire(lock), -EDEADLK);
    assert_int_equal(cx_lock_free(lock), -EBUSY);
    assert_int_equal(cx_lock_release(lock), 0);
    assert_int_equal(cx_lock_free(lock), 0);
    assert_int_equal(cx_lock_acquire(NULL), -EINVAL);
    assert_int_equal(cx_lock_free(NULL), 0);
}

TASK_TEST(a_locked_block_gives_the_lock_back_however_it_is_left)
{
    cx_lock *lock = cx_lock_new();
    int held_inside = 0;

    for (int i = 0; i < 2; i++) {
        CX_LOCKED(lock) {
            held_inside += cx_lock_is_held(lock);
            continue;
        }
    }
    assert_int_equal(held_inside, 2);
    assert_false(cx_lock_is_held(lock));
    assert_int_equal(cx_cancel(cx_task_current()), 0);
    CX_LOCKED(lock) {
        fail();
    }
    else held_inside = -1;
    assert_int_equal(held_inside, -1);
    assert_int_equal(cx_lock_free(lock), 0);
}

struct guarded {
    cx_lock *lock;
    cx_condition *changed;
    int value;
};

static void *wait_for_value(void *arg)
{
    struct guarded *guarded = arg;
    int error = cx_lock_acquire(guarded->lock);

    while (error == 0 && guarded->value == 0)
        error = cx_condition_wait(guarded->changed, guarded->lock);
    /* Held again, whatever ended the wait. */
    if (cx_lock_release(guarded->lock) != 0)
        error = -EIO;
    return as_pointer(error);
}

TASK_TEST(a_condition_gives_the_lock_back_while_it_waits)
{
    struct guarded guarded = {cx_lock_new(), cx_condition_new(), 0};
    cx_task *tasks[2] = {cx_task_create(wait_for_value, &guarded),
                         cx_task_create(wait_for_value, &guarded)};
    void *error;

    assert_int_equal(cx_condition_wait(guarded.changed, guarded.lock), -EPERM);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_lock_acquire(guarded.lock), 0);
    assert_int_equal(cx_cancel(tasks[0]), 0);
    guarded.value = 1;
    assert_int_equal(cx_condition_broadcast(guarded.changed), 0);
    assert_int_equal(cx_lock_release(guarded.lock), 0);
    assert_int_equal(cx_await(tasks[0], &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    assert_int_equal(cx_await(tasks[1], &error), 0);
    assert_int_equal((intptr_t)error, 0);
    assert_int_equal(cx_condition_free(guarded.changed), 0);
    assert_int_equal(cx_lock_free(guarded.lock), 0);
}

static void *take_semaphore(void *arg)
{
    struct waiter *waiter = arg;

    waiter->error = cx_semaphore_acquire(waiter->on);
    say(waiter);
    return NULL;
}

TASK_TEST(a_semaphore_serves_waiters_in_order_and_loses_no_release)
{
    cx_semaphore *semaphore = cx_semaphore_new(1);
    struct waiter a = {'a', semaphore, 0}, b = {'b', semaphore, 0};
    cx_task *tasks[2];

    trace_begin();
    assert_int_equal(cx_semaphore_acquire(semaphore), 0);
    tasks[0] = cx_task_create(take_semaphore, &a);
    tasks[1] = cx_task_create(take_semaphore, &b);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_semaphore_free(semaphore), -EBUSY);
    assert_int_equal(cx_semaphore_release(semaphore), 0);
    /* Served before the cancel came: the cancel is too late. */
    assert_int_equal(cx_cancel(tasks[0]), 0);
    assert_int_equal(cx_semaphore_release(semaphore), 0);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
    assert_traced(&trace, "ab");
    assert_int_equal(cx_semaphore_free(semaphore), 0);
}

static void *wait_barrier(void *arg)
{
    struct waiter *waiter = arg;

    waiter->error = cx_barrier_wait(waiter->on);
    say(waiter);
    return NULL;
}

TASK_TEST(a_barrier_lets_all_go_when_the_last_is_there)
{
    cx_barrier *barrier = cx_barrier_new(3);
    struct waiter a = {'a', barrier, 0}, b = {'b', barrier, 0};
    struct waiter c = {'c', barrier, 0};
    cx_task *tasks[3] = {cx_task_create(wait_barrier, &a),
                         cx_task_create(wait_barrier, &b),
                         cx_task_create(wait_barrier, &c)};

    trace_begin();
    assert_int_equal(cx_yield(), 0);
    assert_traced(&trace, "c");
    assert_int_equal(c.error, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    assert_traced(&trace, "cab");
    assert_int_equal(cx_barrier_free(barrier), 0);
    assert_null(cx_barrier_new(0));
}

TASK_TEST(one_that_is_leaving_a_barrier_does_not_count)
{
    cx_barrier *barrier = cx_barrier_new(2);
    struct waiter a = {'a', barrier, 0}, b = {'b', barrier, 0};
    cx_task *tasks[2] = {cx_task_create(wait_barrier, &a), NULL};

    assert_int_equal(cx_yield(), 0);
    tasks[1] = cx_task_create(wait_barrier, &b);
    /* It is ready to go, after the other has come. */
    assert_int_equal(cx_cancel(tasks[0]), 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_barrier_wait(barrier), 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    assert_int_equal(a.error, -ECANCELED);
    assert_int_equal(b.error, 0);
    assert_int_equal(cx_barrier_free(barrier), 0);
}

TASK_TEST(one_that_left_a_barrier_does_not_count)
{
    cx_barrier *barrier = cx_barrier_new(2);
    struct waiter a = {'a', barrier, 0}, b = {'b', barrier, 0};
    cx_task *task = cx_task_create(wait_barrier, &a);

    trace_begin();
    CX_TIMEOUT(1) {
        cx_task *late = NULL;

        assert_int_equal(cx_cancel(task), 0);
        assert_int_equal(cx_await(task, NULL), 0);
        late = cx_task_create(wait_barrier, &b);
        assert_int_equal(cx_await(late, NULL), -ETIMEDOUT);
        cx_task_detach(late);
    }
    assert_int_equal(cx_sleep(2), 0);
    assert_traced(&trace, "!!");
    assert_int_equal(b.error, -ETIMEDOUT);
    assert_int_equal(cx_barrier_free(barrier), 0);
}

static void *put_three(void *queue)
{
    intptr_t put = 0;

    for (intptr_t i = 1; i <= 3; i++)
        put += cx_queue_put(queue, as_pointer(i)) == 0;
    (void)cx_queue_close(queue);
    return as_pointer(put);
}

TASK_TEST(a_bounded_queue_keeps_the_order_and_its_items_outlive_its_close)
{
    cx_queue *queue = cx_queue_new(1);
    cx_task *task = cx_task_create(put_three, queue);
    void *item, *put;

    for (intptr_t i = 1; i <= 3; i++) {
        assert_int_equal(cx_queue_get(queue, &item), 0);
        assert_ptr_equal(item, as_pointer(i));
    }
    assert_int_equal(cx_queue_get(queue, &item), -EPIPE);
    assert_int_equal(cx_queue_put(queue, NULL), -EPIPE);
    assert_int_equal(cx_await(task, &put), 0);
    assert_int_equal((intptr_t)put, 3);
    assert_int_equal(cx_queue_free(queue), 0);
}

TASK_TEST(a_queue_that_is_full_or_empty_says_so_to_who_only_tries)
{
    cx_queue *queue = cx_queue_new(2);
    void *item;

    assert_int_equal(cx_queue_try_get(queue, &item), -EAGAIN);
    assert_int_equal(cx_queue_try_put(queue, as_pointer(1)), 0);
    assert_int_equal(cx_queue_try_put(queue, NULL), 0);
    assert_int_equal(cx_queue_try_put(queue, as_pointer(3)), -EAGAIN);
    assert_int_equal(cx_queue_len(queue), 2);
    assert_int_equal(cx_queue_try_get(queue, &item), 0);
    assert_ptr_equal(item, as_pointer(1));
    CX_TIMEOUT(1) {
        assert_int_equal(cx_queue_put(queue, NULL), 0);
        assert_int_equal(cx_queue_put(queue, NULL), -ETIMEDOUT);
    }
    assert_int_equal(cx_queue_len(queue), 2);
    assert_int_equal(cx_queue_free(queue), 0);
}

TASK_TEST(a_queue_without_limit_grows_and_keeps_the_order)
{
    cx_queue *queue = cx_queue_new(0);
    intptr_t next = 0;
    void *item;

    for (intptr_t i = 0; i < 1000; i++) {
        assert_int_equal(cx_queue_try_put(queue, as_pointer(i)), 0);
        if (i % 3 == 0) {
            assert_int_equal(cx_queue_try_get(queue, &item), 0);
            assert_ptr_equal(item, as_pointer(next++));
        }
    }
    while (cx_queue_try_get(queue, &item) == 0)
        assert_ptr_equal(item, as_pointer(next++));
    assert_int_equal(next, 1000);
    assert_int_equal(cx_queue_free(queue), 0);
}

static void *get_item(void *queue)
{
    void *item = NULL;
    int error = cx_queue_get(queue, &item);

    return error == 0 ? item : as_pointer(error);
}

TASK_TEST(an_item_that_was_given_is_not_lost_by_a_late_cancel)
{
    cx_queue *queue = cx_queue_new(0);
    cx_task *task = cx_task_create(get_item, queue);
    void *item;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_queue_free(queue), -EBUSY);
    assert_int_equal(cx_queue_put(queue, as_pointer(9)), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &item), 0);
    assert_ptr_equal(item, as_pointer(9));
    task = cx_task_create(get_item, queue);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_queue_close(queue), 0);
    assert_int_equal(cx_await(task, &item), 0);
    assert_int_equal((intptr_t)item, -EPIPE);
    assert_int_equal(cx_queue_free(queue), 0);
}

static void *wait_future(void *arg)
{
    void *result = NULL;
    int error = cx_future_wait(arg, &result);

    return error == 0 ? result : as_pointer(error);
}

TASK_TEST(a_future_has_one_result_for_all_who_wait)
{
    cx_future *future = cx_future_new();
    cx_task *tasks[2] = {cx_task_create(wait_future, future),
                         cx_task_create(wait_future, future)};
    void *result;

    assert_int_equal(cx_yield(), 0);
    assert_false(cx_future_is_done(future));
    assert_int_equal(cx_future_free(future), -EBUSY);
    assert_int_equal(cx_future_set(future, as_pointer(4)), 0);
    assert_int_equal(cx_future_set(future, as_pointer(5)), -EALREADY);
    assert_int_equal(cx_future_fail(future, -EIO), -EALREADY);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cx_await(tasks[i], &result), 0);
        assert_ptr_equal(result, as_pointer(4));
    }
    assert_int_equal(cx_future_free(future), 0);
}

TASK_TEST(a_future_that_failed_gives_its_error)
{
    cx_future *future = cx_future_new();

    assert_int_equal(cx_future_fail(future, 1), -EINVAL);
    assert_int_equal(cx_future_fail(future, -EIO), 0);
    assert_int_equal(cx_future_wait(future, NULL), -EIO);
    assert_int_equal(cx_future_free(future), 0);
}

TASK_TEST(who_was_woken_by_a_future_does_without_it)
{
    cx_future *right = cx_future_new(), *wrong = cx_future_new();
    cx_task *tasks[2] = {cx_task_create(wait_future, right),
                         cx_task_create(wait_future, wrong)};
    void *result;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_future_set(right, as_pointer(4)), 0);
    assert_int_equal(cx_future_free(right), 0);
    assert_int_equal(cx_future_fail(wrong, -EIO), 0);
    assert_int_equal(cx_future_free(wrong), 0);
    assert_int_equal(cx_await(tasks[0], &result), 0);
    assert_ptr_equal(result, as_pointer(4));
    assert_int_equal(cx_await(tasks[1], &result), 0);
    assert_ptr_equal(result, as_pointer(-EIO));
}

static void nothing_is_made_or_waited_for_without_a_loop(void **state)
{
    (void)state;
    assert_null(cx_event_new());
    assert_int_equal(errno, EPERM);
    assert_null(cx_lock_new());
    assert_null(cx_condition_new());
    assert_null(cx_semaphore_new(1));
    assert_null(cx_barrier_new(1));
    assert_null(cx_queue_new(1));
    assert_null(cx_future_new());
    assert_int_equal(errno, EPERM);
}

static void *use_elsewhere(void *event)
{
    return as_pointer(cx_event_set(event));
}

TASK_TEST(what_is_another_thread_s_is_refused)
{
    cx_event *event = cx_event_new();
    void *error;

    assert_int_equal(cx_run_in_executor(NULL, use_elsewhere, event, &error), 0);
    assert_int_equal((intptr_t)error, -EXDEV);
    assert_false(cx_event_is_set(event));
    assert_int_equal(cx_event_free(event), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_wakes_all_who_wait_and_lets_later_ones_pass),
        cmocka_unit_test(a_waiter_wakes_in_its_own_context),
        cmocka_unit_test(a_lock_is_handed_over_first_come_first_served),
        cmocka_unit_test(a_lock_tells_misuse),
        cmocka_unit_test(a_locked_block_gives_the_lock_back_however_it_is_left),
        cmocka_unit_test(a_condition_gives_the_lock_back_while_it_waits),
        cmocka_unit_test(
            a_semaphore_serves_waiters_in_order_and_loses_no_release),
        cmocka_unit_test(a_barrier_lets_all_go_when_the_last_is_there),
        cmocka_unit_test(one_that_is_leaving_a_barrier_does_not_count),
        cmocka_unit_test(one_that_left_a_barrier_does_not_count),
        cmocka_unit_test(
            a_bounded_queue_keeps_the_order_and_its_items_outlive_its_close),
        cmocka_unit_test(
            a_queue_that_is_full_or_empty_says_so_to_who_only_tries),
        cmocka_unit_test(a_queue_without_limit_grows_and_keeps_the_order),
        cmocka_unit_test(an_item_that_was_given_is_not_lost_by_a_late_cancel),
        cmocka_unit_test(a_future_has_one_result_for_all_who_wait),
        cmocka_unit_test(a_future_that_failed_gives_its_error),
        cmocka_unit_test(who_was_woken_by_a_future_does_without_it),
        cmocka_unit_test(nothing_is_made_or_waited_for_without_a_loop),
        cmocka_unit_test(what_is_another_thread_s_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
