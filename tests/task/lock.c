/* SPDX-License-Identifier: MIT */
/* Locks and conditions: who has them, and who is woken; sync.c has their order.
 */
#include "support.h"

#include <ctxvar/group.h>
#include <ctxvar/sync.h>

struct waiter {
    cx_condition *condition;
    cx_lock *lock;
};

static void *wait_once(void *arg)
{
    struct waiter *waiter = arg;
    int error = cx_lock_acquire(waiter->lock);

    if (error == 0)
        error = cx_condition_wait(waiter->condition, waiter->lock);
    /* It has the lock again, whatever ended the wait. */
    if (cx_lock_release(waiter->lock) != 0)
        error = -EIO;
    return as_pointer(error);
}

static struct waiter make(void)
{
    return (struct waiter){cx_condition_new(), cx_lock_new()};
}

static void drop(struct waiter *waiter)
{
    assert_int_equal(cx_condition_free(waiter->condition), 0);
    assert_int_equal(cx_lock_free(waiter->lock), 0);
}

TASK_TEST(a_signal_of_a_condition_wakes_the_first_alone)
{
    struct waiter waiter = make();
    cx_task *first = cx_task_create(wait_once, &waiter);
    cx_task *second = cx_task_create(wait_once, &waiter);
    cx_task *both[] = {first, second};
    void *error;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_condition_signal(waiter.condition), 0);
    assert_int_equal(cx_wait_any(both, 2), 0);
    assert_int_equal(cx_await(first, &error), 0);
    assert_ptr_equal(error, as_pointer(0));
    assert_int_equal(cx_condition_free(waiter.condition), -EBUSY);
    assert_int_equal(cx_condition_signal(waiter.condition), 0);
    assert_int_equal(cx_await(second, &error), 0);
    assert_ptr_equal(error, as_pointer(0));
    drop(&waiter);
}

TASK_TEST(a_signal_that_nobody_waits_for_is_lost)
{
    struct waiter waiter = make();
    cx_task *task;
    void *error;

    assert_int_equal(cx_condition_signal(waiter.condition), 0);
    task = cx_task_create(wait_once, &waiter);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    drop(&waiter);
}

TASK_TEST(a_condition_is_waited_for_with_its_lock_alone)
{
    struct waiter waiter = make();

    assert_int_equal(cx_condition_wait(waiter.condition, waiter.lock), -EPERM);
    drop(&waiter);
}

static void *release(void *lock)
{
    return as_pointer(cx_lock_release(lock));
}

TASK_TEST(a_lock_is_given_back_by_its_owner_alone)
{
    cx_lock *lock = cx_lock_new();
    void *error;

    assert_int_equal(cx_lock_release(lock), -EPERM);
    assert_int_equal(cx_lock_acquire(lock), 0);
    assert_int_equal(cx_await(cx_task_create(release, lock), &error), 0);
    assert_ptr_equal(error, as_pointer(-EPERM));
    assert_true(cx_lock_is_held(lock));
    assert_int_equal(cx_lock_release(lock), 0);
    assert_int_equal(cx_lock_free(lock), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_of_a_condition_wakes_the_first_alone),
        cmocka_unit_test(a_signal_that_nobody_waits_for_is_lost),
        cmocka_unit_test(a_condition_is_waited_for_with_its_lock_alone),
        cmocka_unit_test(a_lock_is_given_back_by_its_owner_alone),
    };

    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
