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

TASK_TEST(a_value_that_nobody_waited_for_is_there_at_once)
{
    void *value;
    cx_generator *generator = cx_generator_new(sleep_between, NULL);

    CX_TIMEOUT(1) {
        assert_int_equal(cx_generator_next(generator, &value), -ETIMEDOUT);
    }
    assert_int_equal(cx_sleep(10), 0);
    assert_int_equal(cx_generator_next(generator, &value), 1);
    assert_ptr_equal(value, as_pointer(9));
    assert_int_equal(cx_generator_next(generator, &value), 0);
    cx_generator_free(generator);
}

static void *ask_when_cancelled(void *generator)
{
    void *value;

    assert_int_equal(cx_cancel(cx_task_current()), 0);
    return as_pointer(cx_generator_next(generator, &value));
}

TASK_TEST(a_cancelled_task_asks_for_nothing)
{
    int until = 1;
    cx_generator *generator = cx_generator_new(count_up, &until);
    void *value;
    void *error;

    assert_int_equal(
        cx_await(cx_task_create(ask_when_cancelled, generator), &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    assert_int_equal(cx_generator_next(generator, &value), 1);
    assert_ptr_equal(value, as_pointer(1));
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

/* Frees the generator that is its argument's, and goes on. */
static int free_itself(cx_generator *generator, void *arg)
{
    int *error = arg;

    cx_generator_free(generator);
    *error = cx_generate(generator, NULL);
    return -EIO;
}

TASK_TEST(one_that_frees_itself_goes_when_it_has_ended)
{
    int error = 0;
    void *value;
    cx_generator *generator = cx_generator_new(free_itself, &error);

    assert_int_equal(cx_generator_next(generator, &value), -EIO);
    assert_int_equal(error, -ECANCELED);
}

static void *free_generator(void *generator)
{
    cx_generator_free(generator);
    return NULL;
}

static int await_who_frees(cx_generator *generator, void *arg)
{
    cx_task *task = cx_task_create(free_generator, generator);

    (void)arg;
    CX_SHIELD {
        assert_int_equal(cx_await(task, NULL), 0);
    }
    return cx_generate(generator, NULL);
}

TASK_TEST(one_that_awaits_who_frees_it_goes_when_it_has_ended)
{
    void *value;
    cx_generator *generator = cx_generator_new(await_who_frees, NULL);

    assert_int_equal(cx_generator_next(generator, &value), -ECANCELED);
}

/* Frees a generator when it is released: outside of tasks. */
static void release_generator(void *generator)
{
    cx_generator_free(generator);
}

static void *take_generator(const void *generator)
{
    return (void *)(uintptr_t)generator;
}

static void ref_generator(void *generator)
{
    (void)generator;
}

static const cx_type owned_generator = {.name = "generator",
                                        .take = take_generator,
                                        .ref = ref_generator,
                                        .unref = release_generator};

CX_VAR(void *, kept, .type = &owned_generator, .inherit = CX_INHERIT_NONE);

static void *keep(void *generator)
{
    assert_int_equal(cx_set(kept, generator), 0);
    return NULL;
}

TASK_TEST(one_that_is_freed_outside_of_tasks_is_cancelled_and_goes)
{
    int until = 3;
    void *value;
    cx_generator *generator = cx_generator_new(count_up, &until);

    cleaned = 0;
    assert_int_equal(cx_generator_next(generator, &value), 1);
    assert_int_equal(cx_await(cx_task_create(keep, generator), NULL), 0);
    while (cleaned == 0)
        assert_int_equal(cx_yield(), 0);
}

TASK_TEST(one_that_has_ended_is_freed_outside_of_tasks)
{
    int until = 0;
    void *value;
    cx_generator *generator = cx_generator_new(count_up, &until);

    assert_int_equal(cx_generator_next(generator, &value), 0);
    assert_int_equal(cx_await(cx_task_create(keep, generator), NULL), 0);
}

/* Its value is released when its function has ended, and its task has not. */
static int keep_itself(cx_generator *generator, void *arg)
{
    (void)arg;
    (void)keep(generator);
    return 0;
}

TASK_TEST(one_that_goes_with_its_own_context_is_freed)
{
    void *value;
    cx_generator *generator = cx_generator_new(keep_itself, NULL);

    assert_int_equal(cx_generator_next(generator, &value), 0);
}

static void *ask(void *generator)
{
    void *value;

    return as_pointer(cx_generator_next(generator, &value));
}

TASK_TEST(who_asks_has_an_answer_when_another_frees_it)
{
    void *answer;
    cx_generator *generator = cx_generator_new(fail_at_once, NULL);
    cx_task *task = cx_task_create(ask, generator);

    /* It asks; then the function ends, and it is to have the answer. */
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_yield(), 0);
    cx_generator_free(generator);
    assert_int_equal(cx_await(task, &answer), 0);
    assert_ptr_equal(answer, as_pointer(-EIO));
}

TASK_TEST(two_do_not_ask_at_once)
{
    void *value, *answer;
    cx_generator *generator = cx_generator_new(sleep_between, NULL);
    cx_task *task = cx_task_create(ask, generator);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_generator_next(generator, &value), -EBUSY);
    assert_int_equal(cx_await(task, &answer), 0);
    assert_ptr_equal(answer, as_pointer(1));
    cx_generator_free(generator);
}

static void without_a_task_nothing_is_generated(void **state)
{
    (void)state;
    assert_null(cx_generator_new(fail_at_once, NULL));
    assert_int_equal(errno, EPERM);
    cx_generator_free(NULL);
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
        cmocka_unit_test(a_value_that_nobody_waited_for_is_there_at_once),
        cmocka_unit_test(a_cancelled_task_asks_for_nothing),
        cmocka_unit_test(a_generator_that_asks_itself_is_refused),
        cmocka_unit_test(one_that_frees_itself_goes_when_it_has_ended),
        cmocka_unit_test(one_that_awaits_who_frees_it_goes_when_it_has_ended),
        cmocka_unit_test(
            one_that_is_freed_outside_of_tasks_is_cancelled_and_goes),
        cmocka_unit_test(one_that_has_ended_is_freed_outside_of_tasks),
        cmocka_unit_test(one_that_goes_with_its_own_context_is_freed),
        cmocka_unit_test(who_asks_has_an_answer_when_another_frees_it),
        cmocka_unit_test(two_do_not_ask_at_once),
        cmocka_unit_test(without_a_task_nothing_is_generated),
    };

    return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
