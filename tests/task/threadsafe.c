/* SPDX-License-Identifier: MIT */
/* A loop, as other threads know it, and what they send to it. */
#include "support.h"

#include <ctxvar/loop.h>

static void outside_of_a_loop_there_is_none(void **state)
{
    (void)state;
    assert_null(cx_loop_current());
}

TASK_TEST(a_thread_has_one_loop_for_all_its_tasks)
{
    cx_loop *loop = cx_loop_current();

    assert_non_null(loop);
    assert_ptr_equal(cx_loop_current(), loop);
}

static void *hold_loop(void *arg)
{
    *(cx_loop **)arg = cx_loop_ref(cx_loop_current());
    return NULL;
}

static void a_handle_outlives_its_loop(void **state)
{
    cx_loop *loop = NULL;

    (void)state;
    assert_int_equal(cx_run(hold_loop, &loop, NULL), 0);
    assert_non_null(loop);
    assert_ptr_equal(cx_loop_ref(loop), loop);
    cx_loop_unref(loop);
    cx_loop_unref(loop);
    cx_loop_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_of_a_loop_there_is_none),
        cmocka_unit_test(a_thread_has_one_loop_for_all_its_tasks),
        cmocka_unit_test(a_handle_outlives_its_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
