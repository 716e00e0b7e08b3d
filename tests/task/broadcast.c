/* SPDX-License-Identifier: MIT */
/* Broadcasts and their subscriptions. */
#include "support.h"

#include <ctxvar/broadcast.h>
#include <ctxvar/executor.h>

enum { LIMIT = 4 };

static void assert_gets(cx_subscription *subscription, intptr_t expected)
{
    void *item = as_pointer(-EIO);

    assert_int_equal(cx_subscription_try_get(subscription, &item), 0);
    assert_ptr_equal(item, as_pointer(expected));
}

static void assert_gets_none(cx_subscription *subscription, int why)
{
    void *item;

    assert_int_equal(cx_subscription_try_get(subscription, &item), why);
}

static void put_numbers(cx_broadcast *broadcast, intptr_t from, intptr_t to)
{
    for (intptr_t i = from; i <= to; i++)
        assert_int_equal(cx_broadcast_put(broadcast, as_pointer(i)), 0);
}

static void end(cx_broadcast *broadcast, cx_subscription *a, cx_subscription *b)
{
    assert_int_equal(cx_subscription_free(a), 0);
    assert_int_equal(cx_subscription_free(b), 0);
    assert_int_equal(cx_broadcast_free(broadcast), 0);
}

TASK_TEST(each_subscription_gets_every_item_in_order)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    cx_subscription *a = cx_subscription_new(broadcast);
    cx_subscription *b = cx_subscription_new(broadcast);

    put_numbers(broadcast, 1, 3);
    for (intptr_t i = 1; i <= 3; i++)
        assert_gets(a, i);
    for (intptr_t i = 1; i <= 3; i++)
        assert_gets(b, i);
    assert_gets_none(a, -EAGAIN);
    end(broadcast, a, b);
}

TASK_TEST(a_subscription_begins_with_the_next_item)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    cx_subscription *early = cx_subscription_new(broadcast);
    cx_subscription *late;

    put_numbers(broadcast, 1, 1);
    late = cx_subscription_new(broadcast);
    put_numbers(broadcast, 2, 2);
    assert_gets(late, 2);
    assert_gets(early, 1);
    end(broadcast, early, late);
}

TASK_TEST(who_falls_behind_is_told_once_and_goes_on_with_what_is_kept)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    cx_subscription *slow = cx_subscription_new(broadcast);

    put_numbers(broadcast, 1, LIMIT + 1);
    assert_gets_none(slow, -EOVERFLOW);
    for (intptr_t i = 2; i <= LIMIT + 1; i++)
        assert_gets(slow, i);
    assert_gets_none(slow, -EAGAIN);
    end(broadcast, slow, NULL);
}

TASK_TEST(who_is_behind_by_no_more_than_is_kept_loses_nothing)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    cx_subscription *slow = cx_subscription_new(broadcast);

    put_numbers(broadcast, 1, LIMIT);
    for (intptr_t i = 1; i <= LIMIT; i++)
        assert_gets(slow, i);
    end(broadcast, slow, NULL);
}

TASK_TEST(one_that_falls_behind_takes_nothing_from_the_others)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    cx_subscription *slow = cx_subscription_new(broadcast);
    cx_subscription *quick = cx_subscription_new(broadcast);

    for (intptr_t i = 1; i <= 3 * LIMIT; i++) {
        put_numbers(broadcast, i, i);
        assert_gets(quick, i);
    }
    assert_gets_none(slow, -EOVERFLOW);
    end(broadcast, slow, quick);
}

/* A task that gets one item. */
struct getter {
    cx_subscription *subscription;
    void *item;
    int error;
};

static void *get_one(void *arg)
{
    struct getter *getter = arg;

    getter->error = cx_subscription_get(getter->subscription, &getter->item);
    return NULL;
}

static cx_task *getter_start(struct getter *getter, cx_broadcast *broadcast)
{
    cx_task *task;

    *getter = (struct getter){.subscription = cx_subscription_new(broadcast),
                              .error = -EIO};
    task = cx_task_create(get_one, getter);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(getter->error, -EIO);
    return task;
}

TASK_TEST(all_who_wait_get_the_item)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    struct getter a, b;
    cx_task *tasks[2] = {getter_start(&a, broadcast),
                         getter_start(&b, broadcast)};

    put_numbers(broadcast, 7, 7);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
    assert_int_equal(a.error, 0);
    assert_ptr_equal(a.item, as_pointer(7));
    assert_int_equal(b.error, 0);
    assert_ptr_equal(b.item, as_pointer(7));
    end(broadcast, a.subscription, b.subscription);
}

/* Before it runs again, more is put than is kept. */
TASK_TEST(who_was_woken_has_its_item_whatever_is_put_meanwhile)
{
    cx_broadcast *broadcast = cx_broadcast_new(1, NULL);
    struct getter getter;
    cx_task *task = getter_start(&getter, broadcast);

    put_numbers(broadcast, 1, 2);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.error, 0);
    assert_ptr_equal(getter.item, as_pointer(1));
    assert_gets(getter.subscription, 2);
    assert_gets_none(getter.subscription, -EAGAIN);
    end(broadcast, getter.subscription, NULL);
}

TASK_TEST(an_item_that_was_got_is_not_lost_by_a_late_cancel)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    struct getter getter;
    cx_task *task = getter_start(&getter, broadcast);

    put_numbers(broadcast, 1, 1);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.error, 0);
    assert_gets_none(getter.subscription, -EAGAIN);
    end(broadcast, getter.subscription, NULL);
}

TASK_TEST(one_that_is_cancelled_leaves_the_item_to_its_subscription)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    struct getter getter;
    cx_task *task = getter_start(&getter, broadcast);

    assert_int_equal(cx_cancel(task), 0);
    put_numbers(broadcast, 1, 1);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.error, -ECANCELED);
    assert_gets(getter.subscription, 1);
    end(broadcast, getter.subscription, NULL);
}

TASK_TEST(a_wait_for_an_item_ends_at_the_deadline)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    cx_subscription *subscription = cx_subscription_new(broadcast);
    void *item;

    CX_TIMEOUT(1) {
        assert_int_equal(cx_subscription_get(subscription, &item), -ETIMEDOUT);
    }
    end(broadcast, subscription, NULL);
}

TASK_TEST(what_is_in_use_is_not_freed)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    struct getter getter;
    cx_task *task = getter_start(&getter, broadcast);

    assert_int_equal(cx_broadcast_free(broadcast), -EBUSY);
    assert_int_equal(cx_subscription_free(getter.subscription), -EBUSY);
    assert_gets_none(getter.subscription, -EBUSY);
    put_numbers(broadcast, 1, 1);
    /* It is awake, and has yet to run. */
    assert_int_equal(cx_subscription_free(getter.subscription), -EBUSY);
    assert_int_equal(cx_await(task, NULL), 0);
    end(broadcast, getter.subscription, NULL);
}

TASK_TEST(items_outlive_the_close)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    cx_subscription *subscription = cx_subscription_new(broadcast);
    void *item;

    put_numbers(broadcast, 1, 1);
    assert_int_equal(cx_broadcast_close(broadcast), 0);
    assert_int_equal(cx_broadcast_put(broadcast, NULL), -EPIPE);
    assert_gets(subscription, 1);
    assert_gets_none(subscription, -EPIPE);
    assert_int_equal(cx_subscription_get(subscription, &item), -EPIPE);
    end(broadcast, subscription, NULL);
}

TASK_TEST(a_close_wakes_those_who_wait)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, NULL);
    struct getter getter;
    cx_task *task = getter_start(&getter, broadcast);

    assert_int_equal(cx_broadcast_close(broadcast), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(getter.error, -EPIPE);
    end(broadcast, getter.subscription, NULL);
}

/* Items whose holds are counted. */

static int value;

TASK_TEST(an_item_is_let_go_of_when_the_last_one_has_got_it)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, &counted);
    cx_subscription *a = cx_subscription_new(broadcast);
    cx_subscription *b = cx_subscription_new(broadcast);
    void *item;

    assert_int_equal(cx_broadcast_put(broadcast, &value), 0);
    assert_int_equal(held_now(), 1);
    assert_int_equal(cx_subscription_try_get(a, &item), 0);
    assert_int_equal(held_now(), 2);
    counted.unref(item);
    assert_int_equal(cx_subscription_try_get(b, &item), 0);
    assert_int_equal(held_now(), 1);
    counted.unref(item);
    assert_int_equal(held_now(), 0);
    end(broadcast, a, b);
}

TASK_TEST(an_item_that_nobody_has_subscribed_to_is_not_taken)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, &counted);

    assert_int_equal(cx_broadcast_put(broadcast, &value), 0);
    assert_int_equal(held_now(), 0);
    end(broadcast, NULL, NULL);
}

TASK_TEST(an_item_that_is_lost_is_let_go_of)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, &counted);
    cx_subscription *slow = cx_subscription_new(broadcast);

    for (int i = 0; i < 3 * LIMIT; i++)
        assert_int_equal(cx_broadcast_put(broadcast, &value), 0);
    assert_int_equal(held_now(), LIMIT);
    end(broadcast, slow, NULL);
    assert_int_equal(held_now(), 0);
}

TASK_TEST(the_end_of_a_subscription_lets_go_of_what_it_has_not_got)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, &counted);
    cx_subscription *a = cx_subscription_new(broadcast);
    cx_subscription *b = cx_subscription_new(broadcast);
    void *item;

    for (int i = 0; i < 2; i++)
        assert_int_equal(cx_broadcast_put(broadcast, &value), 0);
    assert_int_equal(cx_subscription_try_get(a, &item), 0);
    counted.unref(item);
    assert_int_equal(cx_subscription_free(b), 0);
    assert_int_equal(held_now(), 1);
    end(broadcast, a, NULL);
    assert_int_equal(held_now(), 0);
}

TASK_TEST(each_who_waits_gets_a_hold_of_its_own)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, &counted);
    struct getter a, b;
    cx_task *tasks[2] = {getter_start(&a, broadcast),
                         getter_start(&b, broadcast)};

    assert_int_equal(cx_broadcast_put(broadcast, &value), 0);
    assert_int_equal(held_now(), 2);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
    counted.unref(a.item);
    counted.unref(b.item);
    assert_int_equal(held_now(), 0);
    end(broadcast, a.subscription, b.subscription);
}

TASK_TEST(a_string_is_copied_for_the_subscribers)
{
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, &cx_string);
    cx_subscription *subscription = cx_subscription_new(broadcast);
    char text[] = "hello";
    void *item;

    assert_int_equal(cx_broadcast_put(broadcast, text), 0);
    text[0] = 'j';
    assert_int_equal(cx_subscription_try_get(subscription, &item), 0);
    assert_string_equal(item, "hello");
    cx_string.unref(item);
    assert_int_equal(cx_broadcast_put(broadcast, NULL), 0);
    assert_int_equal(cx_subscription_try_get(subscription, &item), 0);
    assert_null(item);
    end(broadcast, subscription, NULL);
}

static void *take_nothing(const void *item)
{
    (void)item;
    return NULL;
}

TASK_TEST(an_item_that_cannot_be_taken_is_got_by_nobody)
{
    const cx_type type = {.take = take_nothing};
    cx_broadcast *broadcast = cx_broadcast_new(LIMIT, &type);
    cx_subscription *subscription = cx_subscription_new(broadcast);

    assert_int_equal(cx_broadcast_put(broadcast, &value), -ENOMEM);
    assert_gets_none(subscription, -EAGAIN);
    end(broadcast, subscription, NULL);
}

/* Misuse. */

TASK_TEST(what_makes_no_sense_is_refused)
{
    const cx_type unowned = {.unref = held_unref};
    void *item;

    assert_null(cx_broadcast_new(0, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(cx_broadcast_new(1, &unowned));
    assert_int_equal(errno, EINVAL);
    assert_null(cx_broadcast_new(SIZE_MAX, NULL));
    assert_int_equal(errno, ENOMEM);
    assert_null(cx_subscription_new(NULL));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(cx_broadcast_put(NULL, NULL), -EINVAL);
    assert_int_equal(cx_broadcast_close(NULL), -EINVAL);
    assert_int_equal(cx_subscription_get(NULL, &item), -EINVAL);
    assert_int_equal(cx_subscription_try_get(NULL, &item), -EINVAL);
    end(NULL, NULL, NULL);
}

static void without_a_loop_there_is_no_broadcast(void **state)
{
    (void)state;
    assert_null(cx_broadcast_new(1, NULL));
    assert_int_equal(errno, EPERM);
}

static void *put_elsewhere(void *broadcast)
{
    return as_pointer(cx_broadcast_put(broadcast, NULL));
}

TASK_TEST(another_threads_broadcast_is_refused)
{
    cx_broadcast *broadcast = cx_broadcast_new(1, NULL);
    void *error;

    assert_int_equal(cx_run_in_executor(NULL, put_elsewhere, broadcast, &error),
                     0);
    assert_int_equal((intptr_t)error, -EXDEV);
    end(broadcast, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_subscription_gets_every_item_in_order),
        cmocka_unit_test(a_subscription_begins_with_the_next_item),
        cmocka_unit_test(
            who_falls_behind_is_told_once_and_goes_on_with_what_is_kept),
        cmocka_unit_test(who_is_behind_by_no_more_than_is_kept_loses_nothing),
        cmocka_unit_test(one_that_falls_behind_takes_nothing_from_the_others),
        cmocka_unit_test(all_who_wait_get_the_item),
        cmocka_unit_test(who_was_woken_has_its_item_whatever_is_put_meanwhile),
        cmocka_unit_test(an_item_that_was_got_is_not_lost_by_a_late_cancel),
        cmocka_unit_test(
            one_that_is_cancelled_leaves_the_item_to_its_subscription),
        cmocka_unit_test(a_wait_for_an_item_ends_at_the_deadline),
        cmocka_unit_test(what_is_in_use_is_not_freed),
        cmocka_unit_test(items_outlive_the_close),
        cmocka_unit_test(a_close_wakes_those_who_wait),
        cmocka_unit_test(an_item_is_let_go_of_when_the_last_one_has_got_it),
        cmocka_unit_test(an_item_that_nobody_has_subscribed_to_is_not_taken),
        cmocka_unit_test(an_item_that_is_lost_is_let_go_of),
        cmocka_unit_test(
            the_end_of_a_subscription_lets_go_of_what_it_has_not_got),
        cmocka_unit_test(each_who_waits_gets_a_hold_of_its_own),
        cmocka_unit_test(a_string_is_copied_for_the_subscribers),
        cmocka_unit_test(an_item_that_cannot_be_taken_is_got_by_nobody),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(without_a_loop_there_is_no_broadcast),
        cmocka_unit_test(another_threads_broadcast_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
