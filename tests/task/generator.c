/* SPDX-License-Identifier: MIT */
/* Generators. */
#include "support.h"

#include <ctxvar/deadline.h>
#include <ctxvar/generator.h>

CX_VAR(int, request);

static int cleaned;

static int count_up(cx_generator *generator, void *arg)
{
    int until = *(int *)arg;
    int error = 0;

    for (int i = 1; i <= until && error == 0; i++)
        error = cx_generate(generator, as_pointer(i));
    cleaned++;
    return error;
}

TASK_TEST(values_come_one_by_one_and_end)
{
    int until = 3;
    intptr_t sum = 0;
    void *value;
    cx_generator *generator = cx_generator_new(count_up, &until);

    while (cx_generator_next(generator, &value) == 1)
        sum = sum * 10 + (intptr_t)value;
    assert_int_equal(sum, 123);
    assert_int_equal(cx_generator_next(generator, &value), 0);
    cx_generator_free(generator);
}

TASK_TEST(one_that_nobody_asks_never_begins)
{
    int until = 3;

    cleaned = 0;
    cx_generator_free(cx_generator_new(count_up, &until));
    assert_int_equal(cleaned, 0);
}

TASK_TEST(one_that_is_freed_early_cleans_up)
{
    int until = 3;
    void *value;
    cx_generator *generator = cx_generator_new(count_up, &until);

    cleaned = 0;
    assert_int_equal(cx_generator_next(generator, &value), 1);
    cx_generator_free(generator);
    assert_int_equal(cleaned, 1);
}

static int generate_in_a_shield(cx_generator *generator, void *arg)
{
    int *error = arg;

    CX_SHIELD {
        *error = cx_generate(generator, NULL);
    }
    CX_SHIELD {
        assert_int_equal(cx_generate(generator, NULL), -ECANCELED);
    }
    return 0;
}

TASK_TEST(one_that_is_freed_waits_for_nobody_in_a_shield_either)
{
    int error = 0;
    void *value;
    cx_generator *generator = cx_generator_new(generate_in_a_shield, &error);

    assert_int_equal(cx_generator_next(generator, &value), 1);
    cx_generator_free(generator);
    assert_int_equal(error, -ECANCELED);
}

static int fail_at_once(cx_generator *generator, void *arg)
{
    (void)generator;
    (void)arg;
    return -EIO;
}

TASK_TEST(an_error_is_told_again_and_again)
{
    void *value;
    cx_generator *generator = cx_generator_new(fail_at_once, NULL);

    assert_int_equal(cx_generator_next(generator, &value), -EIO);
    assert_int_equal(cx_generator_next(generator, &value), -EIO);
    cx_generator_free(generator);
}

static int tell_request(cx_generator *generator, void *arg)
{
    (void)arg;
    for (;;) {
        int error = cx_generate(generator, as_pointer(cx_get(request)));

        if (error != 0)
            return error;
        assert_int_equal(cx_set(request, cx_get(request) + 1), 0);
    }
}

/* Behaviour 98: with a context of its own, it stays on its own. */
TASK_TEST(a_generator_stays_in_its_own_context)
{
    void *value;
    cx_generator *generator;

    assert_int_equal(cx_set(request, 5), 0);
    generator = cx_generator_new(tell_request, NULL);
    assert_int_equal(cx_set(request, 1), 0);
    assert_int_equal(cx_generator_next(generator, &value), 1);
    assert_ptr_equal(value, as_pointer(5));
    assert_int_equal(cx_generator_next(generator, &value), 1);
    assert_ptr_equal(value, as_pointer(6));
    assert_int_equal(cx_get(request), 1);
    cx_generator_free(generator);
}

static int sleep_between(cx_generator *generator, void *arg)
{
    (void)arg;
    assert_int_equal(cx_sleep(5), 0);
    return cx_generate(generator, as_pointer(9));
}

TASK_TEST(a_value_that_came_too_late_is_the_next)
{
    void *value;
    cx_generator *generator = cx_generator_new(sleep_between, NULL);

    CX_TIMEOUT(1) {
        assert_int_equal(cx_generator_next(generator, &value), -ETIMEDOUT);
    }
    assert_int_equal(cx_generator_next(generator, &value), 1);
    assert_ptr_equal(value, as_pointer(9));
    cx_generator_free(generator);
}

static int ask_itself(cx_generator *generator, void *arg)
{
    void *value;

    (void)arg;
    return cx_generator_next(generator, &value);
}

TASK_TEST(a_generator_that_asks_itself_is_refused)
{
    void *value;
    cx_generator *generator = cx_generator_new(ask_itself, NULL);

    assert_int_equal(cx_generate(generator, NULL), -EPERM);
    assert_int_equal(cx_generator_next(generator, &value), -EDEADLK);
    cx_generator_free(generator);
    assert_null(cx_generator_new(NULL, NULL));
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_one_by_one_and_end),
        cmocka_unit_test(one_that_nobody_asks_never_begins),
        cmocka_unit_test(one_that_is_freed_early_cleans_up),
        cmocka_unit_test(one_that_is_freed_waits_for_nobody_in_a_shield_either),
        cmocka_unit_test(an_error_is_told_again_and_again),
        cmocka_unit_test(a_generator_stays_in_its_own_context),
        cmocka_unit_test(a_value_that_came_too_late_is_the_next),
        cmocka_unit_test(a_generator_that_asks_itself_is_refused),
    };

    return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
