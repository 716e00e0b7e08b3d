/* SPDX-License-Identifier: MIT */
/* Streams and listeners. */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <ctxvar/deadline.h>
#include <ctxvar/group.h>
#include <ctxvar/stream.h>

#include "platform/sanitizer.h"

CX_VAR(int, request);

static cx_stream *pipe_reader, *pipe_writer;

static void open_pipe(void)
{
    assert_int_equal(cx_pipe(&pipe_reader, &pipe_writer), 0);
}

static void close_pipe(void)
{
    cx_stream_close(pipe_reader);
    cx_stream_close(pipe_writer);
}

/* Both ends of a connection. */
static void open_pair(cx_stream *end[2])
{
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(cx_stream_open(fd[0], &end[0]), 0);
    assert_int_equal(cx_stream_open(fd[1], &end[1]), 0);
}

static void close_pair(cx_stream *end[2])
{
    cx_stream_close(end[0]);
    cx_stream_close(end[1]);
}

static void put(cx_stream *stream, const char *text)
{
    assert_int_equal(cx_stream_write(stream, text, strlen(text)), 0);
}

static void *write_hello(void *arg)
{
    put(arg, "hello");
    return arg;
}

static void *close_it(void *arg)
{
    cx_stream_close(arg);
    return NULL;
}

TASK_TEST(a_read_waits_for_bytes)
{
    char data[16];
    cx_task *task;

    open_pipe();
    task = cx_task_create(write_hello, pipe_writer);
    assert_int_equal(cx_stream_read(pipe_reader, data, sizeof(data)), 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(cx_await(task, NULL), 0);
    close_pipe();
}

TASK_TEST(a_read_at_the_end_gives_0)
{
    char byte;

    open_pipe();
    cx_task_detach(cx_task_create(close_it, pipe_writer));
    assert_int_equal(cx_stream_read(pipe_reader, &byte, 1), 0);
    assert_int_equal(cx_stream_read(pipe_reader, &byte, 1), 0);
    cx_stream_close(pipe_reader);
}

TASK_TEST(lines_lose_their_ends_and_the_last_may_lack_its)
{
    char *line;

    open_pipe();
    put(pipe_writer, "one\ntwo\r\n\nlast");
    cx_stream_close(pipe_writer);
    assert_int_equal(cx_stream_read_line(pipe_reader, &line), 3);
    assert_string_equal(line, "one");
    assert_int_equal(cx_stream_read_line(pipe_reader, &line), 3);
    assert_string_equal(line, "two");
    assert_int_equal(cx_stream_read_line(pipe_reader, &line), 0);
    assert_string_equal(line, "");
    assert_int_equal(cx_stream_read_line(pipe_reader, &line), 4);
    assert_string_equal(line, "last");
    assert_int_equal(cx_stream_read_line(pipe_reader, &line), -ENODATA);
    cx_stream_close(pipe_reader);
}

TASK_TEST(a_delimiter_may_come_in_pieces)
{
    static const char *const pieces[] = {"head\r", "\n\r", "\nbody"};
    const char *data;
    char rest[8];
    cx_stream *end[2];

    open_pair(end);
    for (size_t i = 0; i < 3; i++) {
        put(end[0], pieces[i]);
        if (i < 2) {
            CX_TIMEOUT(1) {
                assert_int_equal(
                    cx_stream_read_until(end[1], "\r\n\r\n", 4, &data),
                    -ETIMEDOUT);
            }
        }
    }
    assert_int_equal(cx_stream_read_until(end[1], "\r\n\r\n", 4, &data), 8);
    assert_memory_equal(data, "head\r\n\r\n", 8);
    assert_int_equal(cx_stream_read(end[1], rest, sizeof(rest)), 4);
    assert_memory_equal(rest, "body", 4);
    close_pair(end);
}

TASK_TEST(a_stream_that_ends_before_the_delimiter_keeps_what_came)
{
    const char *data;
    char rest[8];

    open_pipe();
    put(pipe_writer, "abc");
    cx_stream_close(pipe_writer);
    assert_int_equal(cx_stream_read_until(pipe_reader, ";", 1, &data),
                     -ENODATA);
    assert_int_equal(cx_stream_read_exactly(pipe_reader, 4, &data), -ENODATA);
    assert_int_equal(cx_stream_read(pipe_reader, rest, sizeof(rest)), 3);
    cx_stream_close(pipe_reader);
}

static void *write_much(void *arg)
{
    static char much[3 << 20];

    (void)memset(much, 'x', sizeof(much));
    return as_pointer(cx_stream_write(arg, much, sizeof(much)));
}

TASK_TEST(what_never_ends_is_refused_at_a_mebibyte)
{
    char *line;
    const char *data;
    void *error;
    cx_stream *end[2];
    cx_task *task;

    open_pair(end);
    task = cx_task_create(write_much, end[0]);
    assert_int_equal(cx_stream_read_line(end[1], &line), -EMSGSIZE);
    assert_int_equal(cx_stream_read_exactly(end[1], (1 << 20) + 1, &data),
                     -EMSGSIZE);
    assert_int_equal(cx_stream_read_exactly(end[1], 1 << 20, &data), 0);
    assert_int_equal(data[(1 << 20) - 1], 'x');
    cx_stream_close(end[1]);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -EPIPE);
    cx_stream_close(end[0]);
}

TASK_TEST(a_large_write_waits_for_its_reader)
{
    size_t got = 0;
    void *error;
    static char data[1 << 16];
    cx_stream *end[2];
    cx_task *task;

    open_pair(end);
    task = cx_task_create(write_much, end[0]);
    while (got < 3 << 20) {
        ssize_t n = cx_stream_read(end[1], data, sizeof(data));

        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, 0);
    close_pair(end);
}

static volatile sig_atomic_t pipe_signals;

static void count_signal(int signum)
{
    (void)signum;
    pipe_signals++;
}

TASK_TEST(a_pipe_whose_reader_is_gone_gives_epipe_and_no_signal)
{
    struct sigaction before;
    const struct sigaction count = {.sa_handler = count_signal};

    assert_int_equal(sigaction(SIGPIPE, &count, &before), 0);
    open_pipe();
    cx_stream_close(pipe_reader);
    assert_int_equal(cx_stream_write(pipe_writer, "x", 1), -EPIPE);
    assert_int_equal(pipe_signals, 0);
    cx_stream_close(pipe_writer);
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
}

static void *read_one(void *arg)
{
    char byte;

    return as_pointer(cx_stream_read(arg, &byte, 1));
}

TASK_TEST(closing_a_stream_wakes_who_reads_it)
{
    void *error;
    cx_task *task;

    open_pipe();
    task = cx_task_create(read_one, pipe_reader);
    assert_int_equal(cx_yield(), 0);
    cx_stream_close(pipe_reader);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -EBADF);
    cx_stream_close(pipe_writer);
}

TASK_TEST(a_stream_has_one_reader_and_one_writer_at_a_time)
{
    char byte;
    cx_task *task;

    open_pipe();
    task = cx_task_create(read_one, pipe_reader);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_stream_read(pipe_reader, &byte, 1), -EBUSY);
    put(pipe_writer, "x");
    assert_int_equal(cx_await(task, NULL), 0);
    close_pipe();
}

TASK_TEST(a_cancelled_read_has_taken_nothing)
{
    void *error;
    char byte;
    cx_task *task;

    open_pipe();
    task = cx_task_create(read_one, pipe_reader);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    put(pipe_writer, "x");
    assert_int_equal(cx_stream_read(pipe_reader, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close_pipe();
}

TASK_TEST(a_deadline_ends_a_read)
{
    char byte;

    open_pipe();
    CX_TIMEOUT(1) {
        assert_int_equal(cx_stream_read(pipe_reader, &byte, 1), -ETIMEDOUT);
    }
    close_pipe();
}

TASK_TEST(a_file_is_no_stream)
{
    cx_stream *stream;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(cx_stream_open(fd, &stream), -EINVAL);
    assert_int_equal(close(fd), 0);
    assert_int_equal(cx_stream_open(fd, &stream), -EBADF);
}

static void streams_outside_of_a_task_are_refused(void **state)
{
    cx_stream *a, *b;

    (void)state;
    assert_int_equal(cx_pipe(&a, &b), -EPERM);
    assert_int_equal(cx_stream_open(0, &a), -EPERM);
    assert_int_equal(cx_tcp_connect("::1", 1, &a), -EPERM);
}

/* Servers. */

static void echo(cx_stream *stream, void *arg)
{
    char data[256];
    ssize_t n;

    (void)arg;
    while ((n = cx_stream_read(stream, data, sizeof(data))) > 0 &&
           cx_stream_write(stream, data, (size_t)n) == 0)
        continue;
}

static void *serve_echo(void *arg)
{
    return as_pointer(cx_serve(arg, echo, NULL, 0));
}

static void ask(cx_stream *stream)
{
    char *line;

    put(stream, "ping\n");
    assert_int_equal(cx_stream_read_line(stream, &line), 4);
    assert_string_equal(line, "ping");
}

static void stop(cx_task *server, cx_listener *listener)
{
    void *error;

    assert_int_equal(cx_cancel(server), 0);
    assert_int_equal(cx_await(server, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
    cx_listener_close(listener);
}

TASK_TEST(a_tcp_server_answers_each_connection)
{
    cx_stream *stream[20];
    cx_listener *listener;
    cx_task *server;
    int port;

    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
    port = cx_listener_port(listener);
    assert_in_range(port, 1, 65535);
    server = cx_task_create(serve_echo, listener);
    for (int i = 0; i < 20; i++)
        assert_int_equal(
            cx_tcp_connect("localhost", (uint16_t)port, &stream[i]), 0);
    for (int i = 0; i < 20; i++)
        ask(stream[i]);
    for (int i = 0; i < 20; i++)
        cx_stream_close(stream[i]);
    stop(server, listener);
}

TASK_TEST(nobody_listening_is_refused)
{
    cx_listener *listener;
    cx_stream *stream;
    int port;

    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
    port = cx_listener_port(listener);
    cx_listener_close(listener);
    assert_int_equal(cx_tcp_connect("127.0.0.1", (uint16_t)port, &stream),
                     -ECONNREFUSED);
    assert_int_equal(cx_unix_connect("@ctxvar-nobody", &stream), -ECONNREFUSED);
}

TASK_TEST(a_taken_port_is_refused)
{
    cx_listener *listener, *second;
    uint16_t port;

    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
    port = (uint16_t)cx_listener_port(listener);
    assert_int_equal(cx_tcp_listen("127.0.0.1", port, NULL, &second),
                     -EADDRINUSE);
    cx_listener_close(listener);
}

static char directory[] = "/tmp/ctxvar-stream-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/socket", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

TASK_TEST(a_unix_listener_takes_its_path_and_gives_it_back)
{
    cx_listener *listener, *second;
    cx_stream *stream;
    cx_task *server;

    assert_int_equal(cx_unix_listen(path, NULL, &listener), 0);
    assert_int_equal(cx_unix_listen(path, NULL, &second), -EADDRINUSE);
    assert_int_equal(cx_listener_port(listener), -EAFNOSUPPORT);
    server = cx_task_create(serve_echo, listener);
    assert_int_equal(cx_unix_connect(path, &stream), 0);
    ask(stream);
    cx_stream_close(stream);
    stop(server, listener);
    assert_int_equal(access(path, F_OK), -1);
}

TASK_TEST(a_socket_left_over_is_replaced_and_a_file_is_not)
{
    cx_listener *listener;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(cx_unix_listen(path, NULL, &listener), 0);
    cx_listener_close(listener);

    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(close(fd), 0);
    assert_int_equal(cx_unix_listen(path, NULL, &listener), -EADDRINUSE);
    assert_int_equal(unlink(path), 0);
}

TASK_TEST(a_path_too_long_is_refused)
{
    char longer[200];
    cx_listener *listener;
    cx_stream *stream;

    (void)memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(cx_unix_listen(longer, NULL, &listener), -ENAMETOOLONG);
    assert_int_equal(cx_unix_connect(longer, &stream), -ENAMETOOLONG);
}

/* Tell what the variable is, and change it. */
static void tell_request(cx_stream *stream, void *arg)
{
    char text[16];

    (void)arg;
    (void)snprintf(text, sizeof(text), "%d\n", cx_get(request));
    assert_int_equal(cx_set(request, 99), 0);
    put(stream, text);
}

static void *serve_requests(void *arg)
{
    assert_int_equal(cx_set(request, 7), 0);
    return as_pointer(cx_serve(arg, tell_request, NULL, 0));
}

/* Behaviour 91. */
TASK_TEST(each_connection_has_a_fresh_copy_of_the_servers_context)
{
    cx_listener *listener;
    cx_task *server;

    assert_int_equal(cx_unix_listen("@ctxvar-fresh", NULL, &listener), 0);
    server = cx_task_create(serve_requests, listener);
    assert_int_equal(cx_set(request, 1), 0);
    for (int i = 0; i < 3; i++) {
        cx_stream *stream;
        char *line;

        assert_int_equal(cx_unix_connect("@ctxvar-fresh", &stream), 0);
        assert_int_equal(cx_stream_read_line(stream, &line), 1);
        assert_string_equal(line, "7");
        cx_stream_close(stream);
    }
    stop(server, listener);
    assert_int_equal(cx_get(request), 1);
}

static int served, served_most;

static void count_served(cx_stream *stream, void *arg)
{
    char byte;

    (void)arg;
    if (++served > served_most)
        served_most = served;
    (void)cx_stream_read(stream, &byte, 1);
    served--;
}

static void *serve_two(void *arg)
{
    return as_pointer(cx_serve(arg, count_served, NULL, 2));
}

TASK_TEST(a_server_serves_no_more_at_once_than_its_limit)
{
    cx_stream *stream[5];
    cx_listener *listener;
    cx_task *server;

    served_most = 0;
    assert_int_equal(cx_unix_listen("@ctxvar-limit", NULL, &listener), 0);
    server = cx_task_create(serve_two, listener);
    for (int i = 0; i < 5; i++)
        assert_int_equal(cx_unix_connect("@ctxvar-limit", &stream[i]), 0);
    while (served < 2)
        assert_int_equal(cx_yield(), 0);
    for (int i = 0; i < 5; i++) {
        char byte;

        put(stream[i], "x");
        assert_int_equal(cx_stream_read(stream[i], &byte, 1), 0);
        cx_stream_close(stream[i]);
    }
    assert_int_equal(served_most, 2);
    stop(server, listener);
}

TASK_TEST(closing_the_listener_lets_connections_end_by_themselves)
{
    void *error;
    cx_stream *stream;
    cx_listener *listener;
    cx_task *server;

    assert_int_equal(cx_unix_listen("@ctxvar-drain", NULL, &listener), 0);
    server = cx_task_create(serve_echo, listener);
    assert_int_equal(cx_unix_connect("@ctxvar-drain", &stream), 0);
    ask(stream);
    cx_listener_close(listener);
    ask(stream);
    cx_stream_close(stream);
    assert_int_equal(cx_await(server, &error), 0);
    assert_int_equal((intptr_t)error, -EBADF);
}

TASK_TEST(a_server_without_descriptors_goes_on_when_there_are_some)
{
    struct rlimit before, none;
    cx_stream *stream;
    cx_listener *listener;
    cx_task *server;

    if (cx__under_valgrind())
        return; /* it gives descriptors beyond the limit */
    assert_int_equal(cx_unix_listen("@ctxvar-scarce", NULL, &listener), 0);
    server = cx_task_create(serve_echo, listener);
    assert_int_equal(cx_unix_connect("@ctxvar-scarce", &stream), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    put(stream, "x");
    CX_TIMEOUT(30) {
        assert_int_equal(read_one(stream) == as_pointer(-ETIMEDOUT), 1);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal((intptr_t)read_one(stream), 1);
    cx_stream_close(stream);
    stop(server, listener);
}

/* A task that has always something to read, and one that has not. */
static bool flooding;

static void *flood(void *arg)
{
    cx_stream **end = arg;
    char byte = 'x';

    while (flooding) {
        assert_int_equal(cx_stream_write(end[0], &byte, 1), 0);
        assert_int_equal(cx_stream_read(end[1], &byte, 1), 1);
    }
    return NULL;
}

TASK_TEST(a_stream_that_never_waits_starves_nobody)
{
    cx_stream *end[2];
    cx_task *task;

    open_pair(end);
    flooding = true;
    task = cx_task_create(flood, end);
    assert_int_equal(cx_sleep(2), 0);
    flooding = false;
    assert_int_equal(cx_await(task, NULL), 0);
    close_pair(end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_waits_for_bytes),
        cmocka_unit_test(a_read_at_the_end_gives_0),
        cmocka_unit_test(lines_lose_their_ends_and_the_last_may_lack_its),
        cmocka_unit_test(a_delimiter_may_come_in_pieces),
        cmocka_unit_test(
            a_stream_that_ends_before_the_delimiter_keeps_what_came),
        cmocka_unit_test(what_never_ends_is_refused_at_a_mebibyte),
        cmocka_unit_test(a_large_write_waits_for_its_reader),
        cmocka_unit_test(a_pipe_whose_reader_is_gone_gives_epipe_and_no_signal),
        cmocka_unit_test(closing_a_stream_wakes_who_reads_it),
        cmocka_unit_test(a_stream_has_one_reader_and_one_writer_at_a_time),
        cmocka_unit_test(a_cancelled_read_has_taken_nothing),
        cmocka_unit_test(a_deadline_ends_a_read),
        cmocka_unit_test(a_file_is_no_stream),
        cmocka_unit_test(streams_outside_of_a_task_are_refused),
        cmocka_unit_test(a_tcp_server_answers_each_connection),
        cmocka_unit_test(nobody_listening_is_refused),
        cmocka_unit_test(a_taken_port_is_refused),
        cmocka_unit_test(a_unix_listener_takes_its_path_and_gives_it_back),
        cmocka_unit_test(a_socket_left_over_is_replaced_and_a_file_is_not),
        cmocka_unit_test(a_path_too_long_is_refused),
        cmocka_unit_test(
            each_connection_has_a_fresh_copy_of_the_servers_context),
        cmocka_unit_test(a_server_serves_no_more_at_once_than_its_limit),
        cmocka_unit_test(
            closing_the_listener_lets_connections_end_by_themselves),
        cmocka_unit_test(
            a_server_without_descriptors_goes_on_when_there_are_some),
        cmocka_unit_test(a_stream_that_never_waits_starves_nobody),
    };

    return cmocka_run_group_tests_name("stream", tests, make_directory,
                                       remove_directory);
}
