/* SPDX-License-Identifier: MIT */
/* Out of memory, where tasks read, write and serve: what memory.c says of loops
 * and tasks, of streams, listeners, servers and descriptors. */
#include "scarce.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <ctxvar/fd.h>
#include <ctxvar/stream.h>

CX_VAR(int, limited, .inherit = CX_INHERIT_TASKS);

static void *try_pipe_short(void *nth)
{
    cx_stream *const none = as_pointer(-1);
    cx_stream *reader = none, *writer = none;
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_pipe(&reader, &writer);
    scarce = PLENTY;
    if (error == 0) {
        cx_stream_close(reader);
        cx_stream_close(writer);
    } else if (reader != none || writer != none) {
        error = -EIO;
    }
    return as_pointer(error);
}

SWEEP(try_pipe)

static void a_pipe_is_made_or_not_for_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(try_pipe), 3);
}

/* The descriptor stays the caller's. */
static void *try_open_short(void *nth)
{
    cx_stream *stream = NULL;
    int fd[2];
    int error;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    scarce = (int)(intptr_t)nth;
    error = cx_stream_open(fd[0], &stream);
    scarce = PLENTY;
    if (error != 0 && close(fd[0]) != 0)
        error = -EIO;
    cx_stream_close(stream);
    (void)close(fd[1]);
    return as_pointer(error);
}

SWEEP(try_open)

static void a_descriptor_that_is_no_stream_stays_open(void **state)
{
    (void)state;
    assert_int_equal(sweep(try_open), 2);
}

enum { LINE = 10000 }; /* more than a stream's first buffer */

/* Read again what could not be read. */
static int read_line_again(cx_stream *reader, int error)
{
    char *line;

    if (cx_stream_read_line(reader, &line) != LINE - 1 ||
        strspn(line, "x") != LINE - 1)
        return -EIO;
    return error;
}

static void *try_read_short(void *nth)
{
    static char text[LINE];
    cx_stream *reader, *writer;
    char *line;
    int error;

    memset(text, 'x', LINE - 1);
    text[LINE - 1] = '\n';
    assert_int_equal(cx_pipe(&reader, &writer), 0);
    assert_int_equal(cx_stream_write(writer, text, LINE), 0);
    scarce = (int)(intptr_t)nth;
    error = (int)cx_stream_read_line(reader, &line);
    scarce = PLENTY;
    error = error > 0 ? 0 : read_line_again(reader, error);
    cx_stream_close(reader);
    cx_stream_close(writer);
    return as_pointer(error);
}

SWEEP(try_read)

static void what_there_is_no_memory_to_read_is_read_later(void **state)
{
    (void)state;
    assert_int_equal(sweep(try_read), 3);
}

static int listen_unix(cx_listener **listener)
{
    return cx_unix_listen("@ctxvar-memory", NULL, listener);
}

static char path[] = "/tmp/ctxvar-memory-XXXXXX";

/* Where it fails, no file is left. */
static int listen_path(cx_listener **listener)
{
    int error = cx_unix_listen(path, NULL, listener);

    assert_int_equal(access(path, F_OK), error == 0 ? 0 : -1);
    return error;
}

static int listen_tcp(cx_listener **listener)
{
    return cx_tcp_listen("127.0.0.1", 0, NULL, listener);
}

static int (*listen_to)(cx_listener **listener);

static void *try_listen_short(void *nth)
{
    cx_listener *listener = NULL;
    int error;

    scarce = (int)(intptr_t)nth;
    error = listen_to(&listener);
    scarce = PLENTY;
    cx_listener_close(listener);
    return as_pointer(error);
}

SWEEP(try_listen)

static void a_listener_is_there_or_not_for_want_of_memory(void **state)
{
    (void)state;
    listen_to = listen_unix;
    assert_int_equal(sweep(try_listen), 2);
    assert_int_equal(close(mkstemp(path)), 0);
    assert_int_equal(unlink(path), 0);
    listen_to = listen_path;
    assert_int_equal(sweep(try_listen), 2);
    listen_to = listen_tcp;
    assert_int_equal(sweep(try_listen), 2);
}

/* A connection that there was no memory for is closed. */
static void *try_connect_short(void *nth)
{
    cx_listener *listener;
    cx_stream *here = NULL, *there = NULL;
    int error;

    assert_int_equal(listen_tcp(&listener), 0);
    scarce = (int)(intptr_t)nth;
    error = cx_tcp_connect("127.0.0.1", (uint16_t)cx_listener_port(listener),
                           &here);
    if (error == 0)
        error = cx_accept(listener, &there);
    scarce = PLENTY;
    cx_stream_close(here);
    cx_stream_close(there);
    cx_listener_close(listener);
    return as_pointer(error);
}

SWEEP(try_connect)

static void a_connection_is_there_or_not_for_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(try_connect), 2);
}

static int served;

static void greet(cx_stream *stream, void *arg)
{
    (void)arg;
    served++;
    (void)cx_stream_write(stream, "hello\n", 6);
}

static void *run_server(void *listener)
{
    return as_pointer(cx_serve(listener, greet, NULL, 0));
}

/* A client that needs no memory: how much the server says. */
static ssize_t ask(void)
{
    static const struct sockaddr_un at = {AF_UNIX, "\0ctxvar-memory"};
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + 14;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char data[16];
    ssize_t n;

    assert_int_equal(connect(fd, (const struct sockaddr *)&at, size), 0);
    assert_int_equal(cx_fd_wait(fd, CX_READABLE), CX_READABLE);
    n = read(fd, data, sizeof(data));
    (void)close(fd);
    return n;
}

/* The server closes what it cannot serve, and goes on. */
static void *serve_short(void *nth)
{
    cx_listener *listener;
    cx_task *server;
    ssize_t first;

    assert_int_equal(listen_unix(&listener), 0);
    server = cx_task_create(run_server, listener);
    served = 0;
    assert_int_equal(cx_yield(), 0);
    scarce = (int)(intptr_t)nth;
    first = ask();
    scarce = PLENTY;
    assert_int_equal(first != 0 ? first : ask(), 6);
    cx_listener_close(listener);
    assert_int_equal(cx_await(server, NULL), 0);
    assert_int_equal(served, 1);
    return as_pointer(first != 0 ? 0 : -ENOMEM);
}

SWEEP(serve)

static void a_server_that_lacks_memory_goes_on_when_there_is_some(void **state)
{
    (void)state;
    assert_true(sweep(serve) > 3);
}

static void call(void *arg)
{
    ++*(int *)arg;
    if (*(int *)arg == 2)
        (void)cx_cancel(cx_task_current());
}

static void *serve_fd_short(void *nth)
{
    int fd[2];
    int made = 0;
    int error;

    (void)cx_set(limited, 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    scarce = (int)(intptr_t)nth;
    error = cx_fd_serve(fd[0], CX_WRITABLE, call, &made);
    scarce = PLENTY;
    (void)close(fd[0]);
    (void)close(fd[1]);
    return as_pointer(error == -ECANCELED && made == 2 ? 0 : error);
}

SWEEP(serve_fd)

static void serving_a_descriptor_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(serve_fd) >= 2);
}

static void *wait_fd_short(void *nth)
{
    int fd[2];
    int error;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    scarce = (int)(intptr_t)nth;
    error = cx_fd_wait(fd[0], CX_WRITABLE);
    scarce = PLENTY;
    (void)close(fd[0]);
    (void)close(fd[1]);
    return as_pointer(error == CX_WRITABLE ? 0 : error);
}

SWEEP(wait_fd)

static void waiting_for_a_descriptor_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(wait_fd), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_is_made_or_not_for_want_of_memory),
        cmocka_unit_test(a_descriptor_that_is_no_stream_stays_open),
        cmocka_unit_test(what_there_is_no_memory_to_read_is_read_later),
        cmocka_unit_test(a_listener_is_there_or_not_for_want_of_memory),
        cmocka_unit_test(a_connection_is_there_or_not_for_want_of_memory),
        cmocka_unit_test(a_server_that_lacks_memory_goes_on_when_there_is_some),
        cmocka_unit_test(serving_a_descriptor_survives_want_of_memory),
        cmocka_unit_test(waiting_for_a_descriptor_survives_want_of_memory),
    };

    return cmocka_run_group_tests_name("memory_stream", tests, NULL, NULL);
}
