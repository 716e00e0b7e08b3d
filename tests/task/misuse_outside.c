/* SPDX-License-Identifier: MIT */
/*
 * Misuse of what lives on the outside: streams, listeners, datagrams, files,
 * programs, signals. The rest is in misuse.c.
 *
 * Not under ThreadSanitizer: it leaves a signal, here of a program that has
 * ended, to the task that ran when it came, which has ended, too.
 */
#include "elsewhere.h"

#include <netdb.h>
#include <signal.h>
#include <sys/stat.h>

#include <ctxvar/fd.h>
#include <ctxvar/file.h>
#include <ctxvar/process.h>
#include <ctxvar/resolve.h>
#include <ctxvar/signal.h>
#include <ctxvar/stream.h>
#include <ctxvar/udp.h>

static cx_stream *reader, *writer;
static cx_listener *listener;
static cx_udp *udp;
static cx_udp_peer peer;
static cx_signal *caught;
static cx_process *process;

static void *make_all(void *arg)
{
    char *const argv[] = {"sleep", "1000", NULL};
    const cx_process_options options = {.argv = argv};

    assert_int_equal(cx_pipe(&reader, &writer), 0);
    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
    assert_int_equal(cx_udp_open("127.0.0.1", 0, &udp), 0);
    assert_int_equal(
        cx_udp_find(udp, "127.0.0.1", (uint16_t)cx_udp_port(udp), &peer), 0);
    assert_int_equal(cx_signal_open(SIGUSR1, &caught), 0);
    assert_int_equal(cx_process_start(&options, &process), 0);
    return arg;
}

static void *free_all(void *arg)
{
    cx_stream_close(reader);
    cx_stream_close(writer);
    cx_listener_close(listener);
    cx_udp_close(udp);
    assert_int_equal(cx_signal_close(caught), 0);
    cx_process_free(process);
    return arg;
}

TASK_TEST(nothing_is_no_stream)
{
    const char *bytes;
    char *line;
    char byte;

    (void)make_all(NULL);
    assert_int_equal(cx_pipe(NULL, &writer), -EINVAL);
    assert_int_equal(cx_pipe(&reader, NULL), -EINVAL);
    assert_int_equal(cx_stream_open(0, NULL), -EINVAL);
    assert_int_equal(cx_stream_fd(NULL), -EINVAL);
    assert_int_equal(cx_stream_read(NULL, &byte, 1), -EINVAL);
    assert_int_equal(cx_stream_read(reader, NULL, 1), -EINVAL);
    assert_int_equal(cx_stream_read_exactly(NULL, 1, &bytes), -EINVAL);
    assert_int_equal(cx_stream_read_exactly(reader, 1, NULL), -EINVAL);
    assert_int_equal(cx_stream_read_until(NULL, "x", 1, &bytes), -EINVAL);
    assert_int_equal(cx_stream_read_until(reader, NULL, 1, &bytes), -EINVAL);
    assert_int_equal(cx_stream_read_until(reader, "x", 0, &bytes), -EINVAL);
    assert_int_equal(cx_stream_read_until(reader, "x", 1, NULL), -EINVAL);
    assert_int_equal(cx_stream_read_line(NULL, &line), -EINVAL);
    assert_int_equal(cx_stream_read_line(reader, NULL), -EINVAL);
    assert_int_equal(cx_stream_write(NULL, "x", 1), -EINVAL);
    assert_int_equal(cx_stream_write(writer, NULL, 1), -EINVAL);
    assert_int_equal(cx_stream_write(writer, NULL, 0), 0);
    assert_int_equal(cx_stream_shutdown(NULL), -EINVAL);
    cx_stream_close(NULL);
    (void)free_all(NULL);
}

static void serve_nothing(cx_stream *stream, void *arg)
{
    (void)stream;
    (void)arg;
}

TASK_TEST(nothing_is_no_server)
{
    cx_stream *stream;

    (void)make_all(NULL);
    assert_int_equal(cx_tcp_connect(NULL, 1, &stream), -EINVAL);
    assert_int_equal(cx_tcp_connect("127.0.0.1", 1, NULL), -EINVAL);
    assert_int_equal(cx_unix_connect(NULL, &stream), -EINVAL);
    assert_int_equal(cx_unix_connect("@x", NULL), -EINVAL);
    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, NULL), -EINVAL);
    assert_int_equal(cx_unix_listen(NULL, NULL, &listener), -EINVAL);
    assert_int_equal(cx_unix_listen("@x", NULL, NULL), -EINVAL);
    assert_int_equal(cx_listener_port(NULL), -EINVAL);
    assert_int_equal(cx_accept(NULL, &stream), -EINVAL);
    assert_int_equal(cx_accept(listener, NULL), -EINVAL);
    assert_int_equal(cx_serve(NULL, serve_nothing, NULL, 0), -EINVAL);
    assert_int_equal(cx_serve(listener, NULL, NULL, 0), -EINVAL);
    cx_listener_close(NULL);
    (void)free_all(NULL);
}

TASK_TEST(nothing_is_no_datagram_socket)
{
    char byte = 'x';

    (void)make_all(NULL);
    assert_int_equal(cx_udp_open(NULL, 0, &udp), -EINVAL);
    assert_int_equal(cx_udp_open("127.0.0.1", 0, NULL), -EINVAL);
    assert_int_equal(cx_udp_find(NULL, "127.0.0.1", 1, &peer), -EINVAL);
    assert_int_equal(cx_udp_find(udp, NULL, 1, &peer), -EINVAL);
    assert_int_equal(cx_udp_find(udp, "127.0.0.1", 1, NULL), -EINVAL);
    assert_int_equal(cx_udp_send(NULL, &byte, 1, &peer), -EINVAL);
    assert_int_equal(cx_udp_send(udp, &byte, 1, NULL), -EINVAL);
    assert_int_equal(cx_udp_send(udp, NULL, 1, &peer), -EINVAL);
    assert_int_equal(cx_udp_send(udp, NULL, 0, &peer), 0);
    assert_int_equal(cx_udp_receive(NULL, &byte, 1, NULL), -EINVAL);
    assert_int_equal(cx_udp_receive(udp, NULL, 1, NULL), -EINVAL);
    assert_int_equal(cx_udp_receive(udp, NULL, 0, NULL), 0);
    assert_int_equal(cx_udp_port(NULL), -EINVAL);
    cx_udp_close(NULL);
    (void)free_all(NULL);
}

TASK_TEST(nothing_is_no_program)
{
    char *const none[] = {NULL};
    char *const argv[] = {"true", NULL};
    cx_process *started;

    (void)make_all(NULL);
    assert_int_equal(cx_process_start(NULL, &started), -EINVAL);
    assert_int_equal(cx_process_start(&(cx_process_options){0}, &started),
                     -EINVAL);
    assert_int_equal(
        cx_process_start(&(cx_process_options){.argv = none}, &started),
        -EINVAL);
    assert_int_equal(
        cx_process_start(&(cx_process_options){.argv = argv}, NULL), -EINVAL);
    assert_int_equal(cx_process_wait(NULL, NULL), -EINVAL);
    assert_int_equal(cx_process_signal(NULL, SIGTERM), -EINVAL);
    assert_int_equal(cx_process_id(NULL), -EINVAL);
    assert_null(cx_process_stream(NULL, 0));
    assert_null(cx_process_stream(process, -1));
    assert_null(cx_process_stream(process, 3));
    cx_process_close(NULL, 0);
    cx_process_close(process, -1);
    cx_process_close(process, 3);
    cx_process_free(NULL);
    (void)free_all(NULL);
}

TASK_TEST(nothing_is_no_file)
{
    struct stat status;
    char *data;

    assert_int_equal(cx_file_open(NULL, 0, 0), -EINVAL);
    assert_int_equal(cx_file_read(0, NULL, 1, 0), -EINVAL);
    assert_int_equal(cx_file_write(0, NULL, 1, 0), -EINVAL);
    assert_int_equal(cx_file_stat(NULL, &status), -EINVAL);
    assert_int_equal(cx_file_stat("/", NULL), -EINVAL);
    assert_int_equal(cx_file_load(NULL, &data, NULL), -EINVAL);
    assert_int_equal(cx_file_load("/", NULL, NULL), -EINVAL);
}

TASK_TEST(nothing_is_no_event)
{
    struct addrinfo *list;

    assert_int_equal(cx_signal_open(SIGUSR1, NULL), -EINVAL);
    assert_int_equal(cx_signal_open(SIGSEGV, &caught), -EINVAL);
    assert_int_equal(cx_signal_open(SIGKILL, &caught), -EINVAL);
    assert_int_equal(cx_signal_wait(NULL), -EINVAL);
    assert_int_equal(cx_signal_serve(NULL, NULL, NULL), -EINVAL);
    assert_int_equal(cx_signal_close(NULL), 0);
    assert_int_equal(cx_fd_wait(0, 0), -EINVAL);
    assert_int_equal(cx_fd_wait(0, 4), -EINVAL);
    assert_int_equal(cx_fd_serve(0, CX_READABLE, NULL, NULL), -EINVAL);
    assert_int_equal(cx_resolve(NULL, NULL, NULL, &list), -EINVAL);
    assert_int_equal(cx_resolve("127.0.0.1", NULL, NULL, NULL), -EINVAL);
}

static void refuse_to_wait(void)
{
    const char *bytes;
    char *line;
    char byte = 'x';
    cx_stream *stream;

    assert_int_equal(cx_stream_read(reader, &byte, 1), -EPERM);
    assert_int_equal(cx_stream_read_exactly(reader, 1, &bytes), -EPERM);
    assert_int_equal(cx_stream_read_until(reader, "x", 1, &bytes), -EPERM);
    assert_int_equal(cx_stream_read_line(reader, &line), -EPERM);
    assert_int_equal(cx_stream_write(writer, &byte, 1), -EPERM);
    assert_int_equal(cx_accept(listener, &stream), -EPERM);
    assert_int_equal(cx_serve(listener, serve_nothing, NULL, 0), -EPERM);
    assert_int_equal(cx_udp_send(udp, &byte, 1, &peer), -EPERM);
    assert_int_equal(cx_udp_receive(udp, &byte, 1, NULL), -EPERM);
    assert_int_equal(cx_udp_find(udp, "127.0.0.1", 1, &peer), -EPERM);
    assert_int_equal(cx_signal_wait(caught), -EPERM);
    assert_int_equal(cx_process_wait(process, NULL), -EPERM);
}

static void refuse_to_open(void)
{
    char *const argv[] = {"true", NULL};
    const cx_process_options options = {.argv = argv};
    struct addrinfo *list;
    struct stat status;
    char byte = 'x';
    char *data;

    assert_int_equal(cx_pipe(&reader, &writer), -EPERM);
    assert_int_equal(cx_stream_open(0, &reader), -EPERM);
    assert_int_equal(cx_tcp_connect("127.0.0.1", 1, &reader), -EPERM);
    assert_int_equal(cx_unix_connect("@x", &reader), -EPERM);
    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), -EPERM);
    assert_int_equal(cx_unix_listen("@x", NULL, &listener), -EPERM);
    assert_int_equal(cx_udp_open("127.0.0.1", 0, &udp), -EPERM);
    assert_int_equal(cx_signal_open(SIGUSR1, &caught), -EPERM);
    assert_int_equal(cx_process_start(&options, &process), -EPERM);
    assert_int_equal(cx_fd_wait(0, CX_READABLE), -EPERM);
    assert_int_equal(cx_resolve("127.0.0.1", NULL, NULL, &list), -EPERM);
    assert_int_equal(cx_file_open("/", 0, 0), -EPERM);
    assert_int_equal(cx_file_close(0), -EPERM);
    assert_int_equal(cx_file_read(0, &byte, 1, 0), -EPERM);
    assert_int_equal(cx_file_write(0, &byte, 1, 0), -EPERM);
    assert_int_equal(cx_file_sync(0), -EPERM);
    assert_int_equal(cx_file_stat("/", &status), -EPERM);
    assert_int_equal(cx_file_load("/", &data, NULL), -EPERM);
}

static void waiting_is_refused_outside_of_tasks(void **state)
{
    (void)state;
    outside_of_tasks(make_all, refuse_to_wait, free_all);
}

static void opening_is_refused_outside_of_tasks(void **state)
{
    (void)state;
    outside_of_tasks(make_all, refuse_to_open, free_all);
}

static void opening_is_refused_without_a_loop(void **state)
{
    (void)state;
    refuse_to_open();
}

static void *use_elsewhere(void *arg)
{
    char byte = 'x';
    cx_stream *stream;

    assert_int_equal(cx_stream_read(reader, &byte, 1), -EXDEV);
    assert_int_equal(cx_stream_write(writer, &byte, 1), -EXDEV);
    assert_int_equal(cx_stream_shutdown(writer), -EXDEV);
    assert_int_equal(cx_accept(listener, &stream), -EXDEV);
    assert_int_equal(cx_udp_send(udp, &byte, 1, &peer), -EXDEV);
    assert_int_equal(cx_udp_receive(udp, &byte, 1, NULL), -EXDEV);
    assert_int_equal(cx_signal_wait(caught), -EXDEV);
    assert_int_equal(cx_signal_close(caught), -EXDEV);
    assert_int_equal(cx_process_wait(process, NULL), -EXDEV);
    assert_int_equal(cx_process_signal(process, SIGTERM), -EXDEV);
    return arg;
}

TASK_TEST(what_another_loop_has_open_is_refused)
{
    (void)make_all(NULL);
    elsewhere(use_elsewhere, NULL);
    (void)free_all(NULL);
}

static void *close_elsewhere(void *arg)
{
    cx_stream_close(reader);
    cx_listener_close(listener);
    cx_udp_close(udp);
    cx_process_free(process);
    return arg;
}

TASK_TEST(what_another_loop_has_open_is_not_closed)
{
    char byte;

    (void)make_all(NULL);
    elsewhere(close_elsewhere, NULL);
    assert_int_equal(cx_stream_write(writer, "x", 1), 0);
    assert_int_equal(cx_stream_read(reader, &byte, 1), 1);
    assert_true(cx_listener_port(listener) > 0);
    assert_true(cx_udp_port(udp) > 0);
    assert_int_equal(cx_process_signal(process, 0), 0);
    (void)free_all(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_no_stream),
        cmocka_unit_test(nothing_is_no_server),
        cmocka_unit_test(nothing_is_no_datagram_socket),
        cmocka_unit_test(nothing_is_no_program),
        cmocka_unit_test(nothing_is_no_file),
        cmocka_unit_test(nothing_is_no_event),
        cmocka_unit_test(waiting_is_refused_outside_of_tasks),
        cmocka_unit_test(opening_is_refused_outside_of_tasks),
        cmocka_unit_test(opening_is_refused_without_a_loop),
        cmocka_unit_test(what_another_loop_has_open_is_refused),
        cmocka_unit_test(what_another_loop_has_open_is_not_closed),
    };

    return cmocka_run_group_tests_name("misuse_outside", tests, NULL, NULL);
}
