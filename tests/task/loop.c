/* SPDX-License-Identifier: MIT */
/* Running a loop: its beginning, its end, and several of them. */
#include "support.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

static void result_of_run_is_that_of_the_main_task(void **state)
{
    void *result = NULL;

    (void)state;
    assert_int_equal(cx_run(return_arg, as_pointer(4), &result), 0);
    assert_ptr_equal(result, as_pointer(4));
}

static void running_nothing_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cx_run(NULL, NULL, NULL), -EINVAL);
}

static void a_loop_can_be_run_after_another(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(cx_run(return_arg, NULL, NULL), 0);
}

/* libuv would abort at the end. */
static void a_program_without_standard_input_runs_a_loop(void **state)
{
    int input = dup(STDIN_FILENO);

    (void)state;
    assert_true(input > STDERR_FILENO);
    assert_int_equal(close(STDIN_FILENO), 0);
    assert_int_equal(cx_run(return_arg, NULL, NULL), 0);
    assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(input), 0);
}

TASK_TEST(running_a_loop_within_a_task_is_refused)
{
    assert_int_equal(cx_run(return_arg, NULL, NULL), -EBUSY);
}

static int ended;

static void *end_when_cancelled(void *arg)
{
    int error = cx_sleep(UINT64_MAX);

    ended += error == -ECANCELED;
    return arg;
}

static void *leave_tasks_behind(void *arg)
{
    for (int i = 0; i < 3; i++)
        (void)cx_task_create(end_when_cancelled, NULL);
    (void)cx_yield();
    (void)cx_task_create(end_when_cancelled, NULL);
    return arg;
}

static void tasks_left_behind_are_cancelled_and_awaited(void **state)
{
    (void)state;
    ended = 0;
    assert_int_equal(cx_run(leave_tasks_behind, NULL, NULL), 0);
    assert_int_equal(ended, 4);
}

static void *create_when_cancelled(void *arg)
{
    (void)cx_sleep(UINT64_MAX);
    cx_task_detach(cx_task_create(end_when_cancelled, NULL));
    return arg;
}

static void *leave_a_creator_behind(void *arg)
{
    cx_task_detach(cx_task_create(create_when_cancelled, NULL));
    (void)cx_yield();
    return arg;
}

static void tasks_created_after_the_main_task_are_cancelled_too(void **state)
{
    (void)state;
    ended = 0;
    assert_int_equal(cx_run(leave_a_creator_behind, NULL, NULL), 0);
    assert_int_equal(ended, 1);
}

static struct trace order;

static void *trace_when_cancelled(void *arg)
{
    (void)cx_sleep(UINT64_MAX);
    trace_add(&order, *(char *)arg);
    return NULL;
}

static void *leave_three_behind(void *arg)
{
    char *names = arg;

    for (int i = 0; i < 3; i++)
        (void)cx_task_create(trace_when_cancelled, &names[i]);
    (void)cx_yield();
    return NULL;
}

static void tasks_left_behind_are_cancelled_in_the_order_of_age(void **state)
{
    char names[] = "abc";

    (void)state;
    order = (struct trace){.len = 0};
    assert_int_equal(cx_run(leave_three_behind, names, NULL), 0);
    assert_traced(&order, "abc");
}

static void *leave_ended_tasks_behind(void *arg)
{
    for (int i = 0; i < 100; i++)
        (void)cx_task_create(return_arg, NULL);
    (void)cx_yield();
    return arg;
}

/* Seen by the leak checkers. */
static void handles_that_nobody_gave_up_go_with_the_loop(void **state)
{
    (void)state;
    assert_int_equal(cx_run(leave_ended_tasks_behind, NULL, NULL), 0);
}

/* Two loops at once: each waits for the other's thread, and so for it. */
struct meeting {
    int here; /* threads that have come */
    int all;
};

static void *meet(void *arg)
{
    struct meeting *meeting = arg;

    __atomic_add_fetch(&meeting->here, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&meeting->here, __ATOMIC_SEQ_CST) < meeting->all)
        (void)cx_sleep(1);
    for (int i = 0; i < 1000; i++) {
        if (cx_await(cx_task_create(return_arg, NULL), NULL) != 0)
            return NULL;
    }
    return arg;
}

static void *run_and_meet(void *arg)
{
    void *result = NULL;

    (void)cx_run(meet, arg, &result);
    return result;
}

static void threads_run_a_loop_each_at_once(void **state)
{
    struct meeting meeting = {.all = 4};
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, run_and_meet, &meeting), 0);
    for (int i = 0; i < 4; i++) {
        void *result;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &meeting);
    }
}

static void *run_a_loop(void *arg)
{
    void *result = NULL;
    int error = cx_run(return_arg, arg, &result);

    return error == 0 ? result : NULL;
}

TASK_TEST(a_job_can_run_a_loop_of_its_own)
{
    void *result;

    assert_int_equal(
        cx_run_in_executor(NULL, run_a_loop, as_pointer(6), &result), 0);
    assert_ptr_equal(result, as_pointer(6));
}

static void
without_file_descriptors_it_is_refused_and_can_be_retried(void **state)
{
    struct rlimit before, none;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(cx_run(return_arg, NULL, NULL), -EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(cx_run(return_arg, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_of_run_is_that_of_the_main_task),
        cmocka_unit_test(running_nothing_is_refused),
        cmocka_unit_test(a_loop_can_be_run_after_another),
        cmocka_unit_test(a_program_without_standard_input_runs_a_loop),
        cmocka_unit_test(running_a_loop_within_a_task_is_refused),
        cmocka_unit_test(tasks_left_behind_are_cancelled_and_awaited),
        cmocka_unit_test(tasks_created_after_the_main_task_are_cancelled_too),
        cmocka_unit_test(tasks_left_behind_are_cancelled_in_the_order_of_age),
        cmocka_unit_test(handles_that_nobody_gave_up_go_with_the_loop),
        cmocka_unit_test(threads_run_a_loop_each_at_once),
        cmocka_unit_test(a_job_can_run_a_loop_of_its_own),
        cmocka_unit_test(
            without_file_descriptors_it_is_refused_and_can_be_retried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
