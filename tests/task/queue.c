/* SPDX-License-Identifier: MIT */
/* Queues that are in use; sync.c has their order, select.c several of them. */
#include "support.h"

#include <ctxvar/deadline.h>
#include <ctxvar/queue.h>

static void *put_1(void *queue)
{
    return as_pointer(cx_queue_put(queue, as_pointer(1)));
}

static void *get_one(void *queue)
{
    void *item = NULL;
    int error = cx_queue_get(queue, &item);

    return error == 0 ? item : as_pointer(error);
}

TASK_TEST(a_queue_is_not_freed_while_a_task_waits_at_it)
{
    cx_queue *queue = cx_queue_new(1);
    cx_task *getter = cx_task_create(get_one, queue);
    cx_task *putter;
    void *item;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_queue_free(queue), -EBUSY);
    assert_int_equal(cx_queue_put(queue, as_pointer(2)), 0);
    assert_int_equal(cx_await(getter, &item), 0);
    assert_ptr_equal(item, as_pointer(2));
    assert_int_equal(cx_queue_put(queue, as_pointer(3)), 0);
    putter = cx_task_create(put_1, queue);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_queue_free(queue), -EBUSY);
    assert_int_equal(cx_queue_get(queue, &item), 0);
    assert_int_equal(cx_await(putter, NULL), 0);
    assert_int_equal(cx_queue_free(queue), 0);
}

static void *use_when_cancelled(void *queue)
{
    void *item;

    assert_int_equal(cx_cancel(cx_task_current()), 0);
    assert_int_equal(cx_queue_put(queue, NULL), -ECANCELED);
    assert_int_equal(cx_queue_get(queue, &item), -ECANCELED);
    assert_int_equal(cx_queue_try_put(queue, as_pointer(5)), 0);
    assert_int_equal(cx_queue_try_get(queue, &item), 0);
    return item;
}

TASK_TEST(a_cancelled_task_can_use_a_queue_without_waiting_alone)
{
    cx_queue *queue = cx_queue_new(0);
    void *item;

    assert_int_equal(cx_await(cx_task_create(use_when_cancelled, queue), &item),
                     0);
    assert_ptr_equal(item, as_pointer(5));
    assert_int_equal(cx_queue_len(queue), 0);
    assert_int_equal(cx_queue_free(queue), 0);
}

TASK_TEST(a_put_that_is_too_late_leaves_the_queue_as_it_was)
{
    cx_queue *queue = cx_queue_new(1);
    void *item;

    assert_int_equal(cx_queue_put(queue, as_pointer(1)), 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_queue_put(queue, as_pointer(2)), -ETIMEDOUT);
    }
    assert_int_equal(cx_queue_get(queue, &item), 0);
    assert_ptr_equal(item, as_pointer(1));
    assert_int_equal(cx_queue_len(queue), 0);
    assert_int_equal(cx_queue_free(queue), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_is_not_freed_while_a_task_waits_at_it),
        cmocka_unit_test(
            a_cancelled_task_can_use_a_queue_without_waiting_alone),
        cmocka_unit_test(a_put_that_is_too_late_leaves_the_queue_as_it_was),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
