/* SPDX-License-Identifier: MIT */
/* Futures that are done; sync.c has those that are waited for. */
#include "support.h"

#include <ctxvar/future.h>

TASK_TEST(what_is_done_is_not_waited_for)
{
    cx_future *future = cx_future_new();
    void *result = NULL;

    assert_int_equal(cx_future_set(future, as_pointer(4)), 0);
    assert_true(cx_future_is_done(future));
    assert_int_equal(cx_future_wait(future, &result), 0);
    assert_ptr_equal(result, as_pointer(4));
    assert_int_equal(cx_future_free(future), 0);
}

static void *wait_for_it_alone(void *future)
{
    return as_pointer(cx_future_wait(future, NULL));
}

TASK_TEST(a_result_that_is_not_wanted_is_waited_for_all_the_same)
{
    cx_future *future = cx_future_new();
    cx_task *task = cx_task_create(wait_for_it_alone, future);
    void *error;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_future_set(future, as_pointer(4)), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_ptr_equal(error, NULL);
    assert_int_equal(cx_future_wait(future, NULL), 0);
    assert_int_equal(cx_future_free(future), 0);
}

TASK_TEST(who_is_cancelled_waits_for_nothing)
{
    cx_future *future = cx_future_new();
    cx_task *task = cx_task_create(wait_for_it_alone, future);
    void *error;

    assert_int_equal(cx_future_set(future, NULL), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    assert_int_equal(cx_future_free(future), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_is_not_waited_for),
        cmocka_unit_test(
            a_result_that_is_not_wanted_is_waited_for_all_the_same),
        cmocka_unit_test(who_is_cancelled_waits_for_nothing),
    };

    return cmocka_run_group_tests_name("future", tests, NULL, NULL);
}
