/* SPDX-License-Identifier: MIT */
/* Descriptors that are closed, or whose task is cancelled, in the midst of it.
 */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <ctxvar/stream.h>

#include "task.h"

static void open_pair(cx_stream *end[2])
{
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(cx_stream_open(fd[0], &end[0]), 0);
    assert_int_equal(cx_stream_open(fd[1], &end[1]), 0);
}

static void *read_one(void *stream)
{
    char byte;

    return as_pointer(cx_stream_read(stream, &byte, 1));
}

/* Bytes until an error. */
static void *read_on(void *stream)
{
    char byte;
    ssize_t got;

    while ((got = cx_stream_read(stream, &byte, 1)) > 0)
        continue;
    return as_pointer(got);
}

static ssize_t result_of(cx_task *task)
{
    void *result;

    assert_int_equal(cx_await(task, &result), 0);
    return (intptr_t)result;
}

TASK_TEST(one_that_was_woken_finds_its_stream_closed)
{
    cx_stream *end[2];
    cx_task *reader;

    open_pair(end);
    reader = cx_task_create(read_one, end[0]);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_stream_write(end[1], "x", 1), 0);
    while (reader->state == CX__WAITING)
        assert_int_equal(cx_yield(), 0);
    assert_int_equal(reader->state, CX__READY);
    cx_stream_close(end[0]);
    assert_int_equal(result_of(reader), -EBADF);
    cx_stream_close(end[1]);
}

TASK_TEST(one_that_lets_others_run_finds_its_stream_closed)
{
    static const char many[1000];
    cx_stream *end[2];
    cx_task *reader;

    open_pair(end);
    assert_int_equal(cx_stream_write(end[1], many, sizeof(many)), 0);
    reader = cx_task_create(read_on, end[0]);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(reader->state, CX__READY);
    cx_stream_close(end[0]);
    assert_int_equal(result_of(reader), -EBADF);
    cx_stream_close(end[1]);
}

TASK_TEST(one_that_lets_others_run_can_be_cancelled)
{
    static const char many[1000];
    cx_stream *end[2];
    cx_task *reader;

    open_pair(end);
    assert_int_equal(cx_stream_write(end[1], many, sizeof(many)), 0);
    reader = cx_task_create(read_on, end[0]);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(reader), 0);
    assert_int_equal(result_of(reader), -ECANCELED);
    cx_stream_close(end[0]);
    cx_stream_close(end[1]);
}

static void *use_when_cancelled(void *arg)
{
    cx_stream **end = arg;
    const char *data;
    char *line;

    assert_int_equal(cx_cancel(cx_task_current()), 0);
    assert_int_equal(cx_stream_read(end[0], &(char){0}, 1), -ECANCELED);
    assert_int_equal(cx_stream_read_exactly(end[0], 1, &data), -ECANCELED);
    assert_int_equal(cx_stream_read_until(end[0], "x", 1, &data), -ECANCELED);
    assert_int_equal(cx_stream_read_line(end[0], &line), -ECANCELED);
    assert_int_equal(cx_stream_write(end[1], "y", 1), -ECANCELED);
    return NULL;
}

TASK_TEST(a_cancelled_task_neither_reads_nor_writes)
{
    cx_stream *end[2];
    char byte;

    open_pair(end);
    assert_int_equal(cx_stream_write(end[1], "x", 1), 0);
    assert_int_equal(cx_await(cx_task_create(use_when_cancelled, end), NULL),
                     0);
    assert_int_equal(cx_stream_read(end[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    cx_stream_close(end[1]);
    assert_int_equal(cx_stream_read(end[0], &byte, 1), 0);
    cx_stream_close(end[0]);
}

TASK_TEST(one_that_writes_no_more_may_still_read)
{
    cx_stream *end[2];
    char byte;

    open_pair(end);
    assert_int_equal(cx_stream_shutdown(end[0]), 0);
    assert_int_equal(cx_stream_read(end[1], &byte, 1), 0);
    assert_int_equal(cx_stream_write(end[0], "x", 1), -EPIPE);
    assert_int_equal(cx_stream_write(end[1], "x", 1), 0);
    assert_int_equal(cx_stream_read(end[0], &byte, 1), 1);
    cx_stream_close(end[0]);
    cx_stream_close(end[1]);
}

TASK_TEST(a_pipe_has_no_other_direction_to_leave_open)
{
    cx_stream *reader, *writer;

    assert_int_equal(cx_pipe(&reader, &writer), 0);
    assert_int_equal(cx_stream_shutdown(writer), -ENOTSOCK);
    cx_stream_close(reader);
    cx_stream_close(writer);
}

TASK_TEST(a_read_takes_what_a_line_has_left_first)
{
    cx_stream *end[2];
    char *line;
    char data[8] = "";

    open_pair(end);
    assert_int_equal(cx_stream_write(end[1], "\nabc", 4), 0);
    assert_int_equal(cx_stream_read_line(end[0], &line), 0);
    assert_string_equal(line, "");
    assert_int_equal(cx_stream_read(end[0], data, 2), 2);
    assert_int_equal(cx_stream_read(end[0], data, 0), 0);
    assert_int_equal(cx_stream_read(end[0], data + 2, 5), 1);
    assert_string_equal(data, "abc");
    cx_stream_close(end[0]);
    cx_stream_close(end[1]);
}

TASK_TEST(a_folder_is_no_stream)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cx_stream *stream;

    assert_int_equal(cx_stream_open(fd, &stream), -EINVAL);
    assert_int_equal(close(fd), 0);
}

/* A SIGPIPE of the program's own is not taken for that of a write. */
TASK_TEST(a_sigpipe_that_was_pending_stays_so)
{
    cx_stream *reader, *writer;
    sigset_t pipe_only, before, pending;

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    assert_int_equal(raise(SIGPIPE), 0);
    assert_int_equal(cx_pipe(&reader, &writer), 0);
    cx_stream_close(reader);
    assert_int_equal(cx_stream_write(writer, "x", 1), -EPIPE);
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    assert_int_equal(sigtimedwait(&pipe_only, NULL, &(struct timespec){0}),
                     SIGPIPE);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    cx_stream_close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_was_woken_finds_its_stream_closed),
        cmocka_unit_test(one_that_lets_others_run_finds_its_stream_closed),
        cmocka_unit_test(one_that_lets_others_run_can_be_cancelled),
        cmocka_unit_test(a_cancelled_task_neither_reads_nor_writes),
        cmocka_unit_test(one_that_writes_no_more_may_still_read),
        cmocka_unit_test(a_pipe_has_no_other_direction_to_leave_open),
        cmocka_unit_test(a_read_takes_what_a_line_has_left_first),
        cmocka_unit_test(a_folder_is_no_stream),
        cmocka_unit_test(a_sigpipe_that_was_pending_stays_so),
    };

    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
