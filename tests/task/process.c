/* SPDX-License-Identifier: MIT */
/* Child processes and signals. */
#include "support.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctxvar/deadline.h>
#include <ctxvar/process.h>
#include <ctxvar/signal.h>

static cx_process *start(const cx_process_options *options)
{
    cx_process *process = NULL;

    assert_int_equal(cx_process_start(options, &process), 0);
    return process;
}

/* A shell that runs a command. */
static cx_process *start_shell(const char *command, enum cx_process_io in,
                               enum cx_process_io out)
{
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};

    return start(&(cx_process_options){.argv = argv, .in = in, .out = out});
}

static int end_of(cx_process *process)
{
    int status = -1;

    assert_int_equal(cx_process_wait(process, &status), 0);
    cx_process_free(process);
    return status;
}

TASK_TEST(the_status_is_what_the_program_returned)
{
    int status =
        end_of(start_shell("exit 7", CX_PROCESS_NULL, CX_PROCESS_NULL));

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

TASK_TEST(a_program_reads_and_writes_streams)
{
    char *line;
    cx_process *process =
        start_shell("tr a-z A-Z", CX_PROCESS_PIPE, CX_PROCESS_PIPE);

    assert_null(cx_process_stream(process, 2));
    assert_int_equal(
        cx_stream_write(cx_process_stream(process, 0), "hello\n", 6), 0);
    cx_process_close(process, 0);
    assert_int_equal(cx_stream_read_line(cx_process_stream(process, 1), &line),
                     5);
    assert_string_equal(line, "HELLO");
    assert_int_equal(cx_stream_read_line(cx_process_stream(process, 1), &line),
                     -ENODATA);
    assert_int_equal(end_of(process), 0);
}

TASK_TEST(environment_and_directory_are_the_callers_choice)
{
    char *const argv[] = {"/bin/sh", "-c", "echo $WHO; pwd", NULL};
    char *const env[] = {"WHO=A", NULL};
    char *line;
    cx_process *process = start(&(cx_process_options){
        .argv = argv, .env = env, .directory = "/", .out = CX_PROCESS_PIPE});

    assert_int_equal(cx_stream_read_line(cx_process_stream(process, 1), &line),
                     1);
    assert_string_equal(line, "A");
    assert_int_equal(cx_stream_read_line(cx_process_stream(process, 1), &line),
                     1);
    assert_string_equal(line, "/");
    assert_int_equal(end_of(process), 0);
}

TASK_TEST(a_program_that_is_not_there_is_refused)
{
    char *const argv[] = {"ctxvar-no-such-program", NULL};
    char *const none[] = {NULL};
    cx_process *process;

    assert_int_equal(
        cx_process_start(&(cx_process_options){.argv = argv,
                                               .in = CX_PROCESS_PIPE,
                                               .out = CX_PROCESS_PIPE},
                         &process),
        -ENOENT);
    assert_int_equal(
        cx_process_start(&(cx_process_options){.argv = none}, &process),
        -EINVAL);
    assert_int_equal(cx_process_start(NULL, &process), -EINVAL);
}

TASK_TEST(a_program_is_killed_by_a_signal)
{
    cx_process *process =
        start_shell("exec sleep 1000", CX_PROCESS_NULL, CX_PROCESS_NULL);
    int status;

    assert_true(cx_process_id(process) > 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_process_wait(process, NULL), -ETIMEDOUT);
    }
    assert_int_equal(cx_process_signal(process, SIGTERM), 0);
    assert_int_equal(cx_process_wait(process, &status), 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_int_equal(cx_process_signal(process, SIGTERM), -ESRCH);
    cx_process_free(process);
}

/* The end of its output is seen only once nobody has it open any more. */
TASK_TEST(a_program_that_is_let_go_of_is_killed)
{
    int fd[2];
    char byte;
    cx_stream *stream;
    cx_process *process;

    assert_int_equal(pipe(fd), 0);
    assert_int_equal(cx_stream_open(fd[0], &stream), 0);
    process = start_shell("exec sleep 1000", CX_PROCESS_NULL, CX_PROCESS_NULL);
    assert_int_equal(close(fd[1]), 0);
    cx_process_free(process);
    assert_int_equal(cx_stream_read(stream, &byte, 1), 0);
    cx_stream_close(stream);
}

TASK_TEST(the_end_is_told_as_often_as_asked_for)
{
    cx_process *process =
        start_shell("exit 3", CX_PROCESS_NULL, CX_PROCESS_NULL);
    int status;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(cx_process_wait(process, &status), 0);
        assert_int_equal(WEXITSTATUS(status), 3);
    }
    assert_int_equal(cx_process_wait(process, NULL), 0);
    cx_process_free(process);
}

static void *wait_when_cancelled(void *process)
{
    assert_int_equal(cx_cancel(cx_task_current()), 0);
    return as_pointer(cx_process_wait(process, NULL));
}

TASK_TEST(a_cancelled_task_waits_for_no_program)
{
    cx_process *process =
        start_shell("exit 3", CX_PROCESS_NULL, CX_PROCESS_NULL);
    void *error;

    assert_int_equal(
        cx_await(cx_task_create(wait_when_cancelled, process), &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    (void)end_of(process);
}

static void *status_of(void *process)
{
    int status;
    int error = cx_process_wait(process, &status);

    return as_pointer(error == 0 ? status : error);
}

TASK_TEST(who_waits_for_a_program_that_is_let_go_of_is_told)
{
    cx_process *process =
        start_shell("exec sleep 1000", CX_PROCESS_NULL, CX_PROCESS_NULL);
    cx_task *task = cx_task_create(status_of, process);
    void *status;

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_process_wait(process, NULL), -EBUSY);
    cx_process_free(process);
    assert_int_equal(cx_await(task, &status), 0);
    assert_int_equal(WTERMSIG((int)(intptr_t)status), SIGKILL);
}

static pid_t left;

TASK_TEST(what_the_loop_still_has_is_closed_with_it)
{
    cx_signal *caught;
    cx_stream *reader, *writer;

    left = cx_process_id(
        start_shell("exec sleep 1000", CX_PROCESS_PIPE, CX_PROCESS_PIPE));
    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    assert_int_equal(cx_pipe(&reader, &writer), 0);
}

static void a_program_does_not_outlive_its_loop(void **state)
{
    (void)state;
    assert_int_equal(kill(left, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* Signals. */

TASK_TEST(a_signal_is_counted_until_it_is_waited_for)
{
    cx_signal *caught;

    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_signal_wait(caught), -ETIMEDOUT);
    }
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cx_signal_wait(caught), 1);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_signal_wait(caught), -ETIMEDOUT);
    }
    assert_int_equal(cx_signal_close(caught), 0);
}

CX_VAR(int, request);

static void *wait_signal(void *arg)
{
    assert_int_equal(cx_set(request, 5), 0);
    assert_int_equal(cx_signal_wait(arg), 1);
    return as_pointer(cx_get(request));
}

TASK_TEST(a_task_hears_of_a_signal_in_its_own_context)
{
    void *value;
    cx_signal *caught;
    cx_task *task;

    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    assert_int_equal(cx_set(request, 1), 0);
    task = cx_task_create(wait_signal, caught);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_signal_wait(caught), -EBUSY);
    assert_int_equal(cx_signal_close(caught), -EBUSY);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cx_await(task, &value), 0);
    assert_int_equal((intptr_t)value, 5);
    assert_int_equal(cx_signal_close(caught), 0);
}

TASK_TEST(signals_that_came_before_the_wait_are_counted)
{
    cx_signal *caught;

    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(raise(SIGUSR1), 0);
        assert_int_equal(cx_sleep(1), 0);
    }
    assert_int_equal(cx_signal_wait(caught), 3);
    assert_int_equal(cx_signal_close(caught), 0);
}

static void *count_signals(void *caught)
{
    return as_pointer(cx_signal_wait(caught));
}

/* Both are told in one poll. */
TASK_TEST(signals_that_come_before_who_waits_has_run_are_counted)
{
    cx_signal *caught;
    cx_task *task;
    void *count;

    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    task = cx_task_create(count_signals, caught);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cx_await(task, &count), 0);
    assert_ptr_equal(count, as_pointer(2));
    assert_int_equal(cx_signal_close(caught), 0);
}

static void *count_when_cancelled(void *caught)
{
    assert_int_equal(cx_cancel(cx_task_current()), 0);
    return as_pointer(cx_signal_wait(caught));
}

TASK_TEST(a_cancelled_task_takes_no_signal)
{
    cx_signal *caught;
    void *error;

    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(
        cx_await(cx_task_create(count_when_cancelled, caught), &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    assert_int_equal(cx_signal_wait(caught), 1);
    assert_int_equal(cx_signal_close(caught), 0);
}

/* Of two, libuv tells the one at the lower address first. */
static void open_in_order(cx_signal *caught[2])
{
    assert_int_equal(cx_signal_open(SIGUSR1, &caught[0]), 0);
    assert_int_equal(cx_signal_open(SIGUSR1, &caught[1]), 0);
    if ((uintptr_t)caught[0] > (uintptr_t)caught[1]) {
        cx_signal *higher = caught[0];

        caught[0] = caught[1];
        caught[1] = higher;
    }
}

TASK_TEST(a_signal_is_not_closed_before_who_was_woken_by_it_has_run)
{
    cx_signal *caught[2];
    cx_task *task;

    open_in_order(caught);
    task = cx_task_create(wait_signal, caught[1]);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cx_signal_wait(caught[0]), 1);
    assert_int_equal(cx_signal_close(caught[1]), -EBUSY);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(cx_signal_close(caught[0]), 0);
    assert_int_equal(cx_signal_close(caught[1]), 0);
}

static int fires;

static void on_signal(void *arg)
{
    assert_int_equal(cx_get(request), 5);
    assert_int_equal(cx_set(request, 6), 0);
    fires++;
    (void)arg;
}

static void *serve_signal(void *arg)
{
    assert_int_equal(cx_set(request, 5), 0);
    return as_pointer(cx_signal_serve(arg, on_signal, NULL));
}

/* Behaviour 93. */
TASK_TEST(each_signal_is_served_in_a_fresh_copy)
{
    void *error;
    cx_signal *caught;
    cx_task *task;

    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    fires = 0;
    task = cx_task_create(serve_signal, caught);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(raise(SIGUSR1), 0);
        while (fires < i)
            assert_int_equal(cx_yield(), 0);
    }
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    assert_int_equal(cx_signal_close(caught), 0);
}

TASK_TEST(what_is_no_signal_is_refused)
{
    cx_signal *caught;

    assert_int_equal(cx_signal_open(0, &caught), -EINVAL);
    assert_int_equal(cx_signal_open(SIGKILL, &caught), -EINVAL);
    assert_int_equal(cx_signal_open(9999, &caught), -EINVAL);
    assert_int_equal(cx_signal_open(SIGUSR1, NULL), -EINVAL);
    assert_int_equal(cx_signal_wait(NULL), -EINVAL);
}

static void outside_of_a_task_all_is_refused(void **state)
{
    char *const argv[] = {"true", NULL};
    cx_process *process;
    cx_signal *caught;

    (void)state;
    assert_int_equal(
        cx_process_start(&(cx_process_options){.argv = argv}, &process),
        -EPERM);
    assert_int_equal(cx_signal_open(SIGUSR1, &caught), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_is_what_the_program_returned),
        cmocka_unit_test(a_program_reads_and_writes_streams),
        cmocka_unit_test(environment_and_directory_are_the_callers_choice),
        cmocka_unit_test(a_program_that_is_not_there_is_refused),
        cmocka_unit_test(a_program_is_killed_by_a_signal),
        cmocka_unit_test(a_program_that_is_let_go_of_is_killed),
        cmocka_unit_test(the_end_is_told_as_often_as_asked_for),
        cmocka_unit_test(a_cancelled_task_waits_for_no_program),
        cmocka_unit_test(who_waits_for_a_program_that_is_let_go_of_is_told),
        cmocka_unit_test(what_the_loop_still_has_is_closed_with_it),
        cmocka_unit_test(a_program_does_not_outlive_its_loop),
        cmocka_unit_test(a_signal_is_counted_until_it_is_waited_for),
        cmocka_unit_test(a_task_hears_of_a_signal_in_its_own_context),
        cmocka_unit_test(signals_that_came_before_the_wait_are_counted),
        cmocka_unit_test(
            signals_that_come_before_who_waits_has_run_are_counted),
        cmocka_unit_test(a_cancelled_task_takes_no_signal),
        cmocka_unit_test(
            a_signal_is_not_closed_before_who_was_woken_by_it_has_run),
        cmocka_unit_test(each_signal_is_served_in_a_fresh_copy),
        cmocka_unit_test(what_is_no_signal_is_refused),
        cmocka_unit_test(outside_of_a_task_all_is_refused),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
