/* SPDX-License-Identifier: MIT */
/*
 * System calls that fail, as they do where descriptors or memory have run out
 * or a peer is gone already: the error is told, or passes, and nothing is
 * left open.
 */
#include "faults.h"

#include <ctxvar/fd.h>
#include <ctxvar/file.h>
#include <ctxvar/loop.h>
#include <ctxvar/process.h>
#include <ctxvar/resolve.h>
#include <ctxvar/stream.h>
#include <ctxvar/udp.h>

TASK_TEST(without_a_socket_nobody_is_reached)
{
    cx_stream *stream;
    cx_listener *listener;
    cx_udp *udp;
    int before = descriptors();

    break_call("socket", 0, EMFILE);
    assert_int_equal(cx_tcp_connect("127.0.0.1", 1, &stream), -EMFILE);
    assert_met(before);
    break_call("socket", 0, EMFILE);
    assert_int_equal(cx_unix_connect("@x", &stream), -EMFILE);
    assert_met(before);
    break_call("socket", 0, EMFILE);
    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), -EMFILE);
    assert_met(before);
    break_call("socket", 0, EMFILE);
    assert_int_equal(cx_udp_open("127.0.0.1", 0, &udp), -EMFILE);
    assert_met(before);
}

TASK_TEST(a_socket_that_cannot_be_bound_is_closed)
{
    cx_listener *listener;
    cx_udp *udp;
    int before = descriptors();

    break_call("bind", 0, EACCES);
    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), -EACCES);
    assert_met(before);
    break_call("bind", 0, EACCES);
    assert_int_equal(cx_udp_open("127.0.0.1", 0, &udp), -EACCES);
    assert_met(before);
}

TASK_TEST(a_socket_that_cannot_listen_is_closed_and_its_path_removed)
{
    const char *path = "/tmp/ctxvar-faults-socket";
    cx_listener *listener;
    int before = descriptors();

    (void)unlink(path);
    break_call("listen", 0, EADDRINUSE);
    assert_int_equal(cx_unix_listen(path, NULL, &listener), -EADDRINUSE);
    assert_met(before);
    assert_int_equal(access(path, F_OK), -1);
}

TASK_TEST(without_version_6_of_the_protocol_it_listens_on_version_4)
{
    cx_listener *listener;
    cx_stream *stream;

    break_call("socket", 0, EAFNOSUPPORT);
    assert_int_equal(cx_tcp_listen(NULL, 0, NULL, &listener), 0);
    assert_int_equal(cx_tcp_connect("127.0.0.1",
                                    (uint16_t)cx_listener_port(listener),
                                    &stream),
                     0);
    cx_stream_close(stream);
    cx_listener_close(listener);
    break_call("bind", 0, EADDRNOTAVAIL);
    assert_int_equal(cx_tcp_listen(NULL, 0, NULL, &listener), 0);
    cx_listener_close(listener);
}

TASK_TEST(a_port_that_cannot_be_told_says_why)
{
    cx_listener *listener;

    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
    break_call("getsockname", 0, ENOBUFS);
    assert_int_equal(cx_listener_port(listener), -ENOBUFS);
    cx_listener_close(listener);
}

TASK_TEST(a_loop_that_cannot_watch_leaves_the_descriptor_to_its_owner)
{
    cx_stream *stream;
    int fd[2];
    int before;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    before = descriptors();
    break_call("epoll_ctl", 0, ENOSPC);
    assert_int_equal(cx_stream_open(fd[0], &stream), -ENOSPC);
    assert_met(before);
    break_call("fcntl", 0, EBADF);
    assert_int_equal(cx_stream_open(fd[0], &stream), -EBADF);
    assert_met(before);
    break_call("fcntl", 1, EPERM);
    assert_int_equal(cx_stream_open(fd[0], &stream), -EPERM);
    assert_met(before);
    assert_int_equal(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
    (void)close(fd[0]);
    (void)close(fd[1]);
}

TASK_TEST(a_descriptor_that_cannot_be_watched_is_not_waited_for)
{
    int before = descriptors();
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    break_call("epoll_ctl", 0, ENOSPC);
    assert_int_equal(cx_fd_wait(fd[0], CX_READABLE), -ENOSPC);
    (void)close(fd[0]);
    (void)close(fd[1]);
    assert_met(before);
}

static void *do_nothing(void *arg)
{
    return arg;
}

static void assert_no_loop(const char *call, int after, int error)
{
    int before = descriptors();

    break_call(call, after, error);
    assert_int_equal(cx_run(do_nothing, NULL, NULL), -error);
    assert_met(before);
}

/* The eventfds are those that are tried before libuv is, and the inbox's. */
static void a_loop_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(cx_run(do_nothing, NULL, NULL), 0);
    assert_no_loop("epoll_create1", 0, EMFILE);
    assert_no_loop("eventfd", 0, ENFILE);
    assert_no_loop("eventfd", 8, ENFILE);
    assert_no_loop("epoll_ctl", 0, ENOSPC);
    assert_no_loop("epoll_ctl", 1, ENOSPC);
    assert_int_equal(cx_run(do_nothing, NULL, NULL), 0);
}

static void
a_programs_loop_that_cannot_be_joined_is_left_as_it_was(void **state)
{
    uv_loop_t uv;

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    break_call("uv_poll_init", 0, UV_ENOMEM);
    assert_int_equal(cx_loop_attach(&uv), -ENOMEM);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
}

TASK_TEST(a_pipe_that_cannot_be_had_is_none)
{
    cx_stream *reader, *writer;
    int before = descriptors();

    break_call("pipe2", 0, ENFILE);
    assert_int_equal(cx_pipe(&reader, &writer), -ENFILE);
    assert_met(before);
}

TASK_TEST(a_program_whose_pipes_cannot_be_had_is_not_started)
{
    char *const argv[] = {"cat", NULL};
    const cx_process_options options = {
        .argv = argv, .in = CX_PROCESS_PIPE, .out = CX_PROCESS_PIPE};
    cx_process *process = NULL;
    cx_stream *reader, *writer;
    int before;

    /* The poller stays. */
    assert_int_equal(cx_pipe(&reader, &writer), 0);
    before = descriptors();
    break_call("socketpair", 1, EMFILE);
    assert_int_equal(cx_process_start(&options, &process), -EMFILE);
    assert_met(before);
    assert_null(process);
    cx_stream_close(reader);
    cx_stream_close(writer);
}

/* A connection that waits to be accepted. */
struct pending {
    cx_listener *listener;
    cx_stream *here;
};

static struct pending pend(void)
{
    struct pending pending;

    assert_int_equal(cx_unix_listen("@ctxvar-faults", NULL, &pending.listener),
                     0);
    assert_int_equal(cx_unix_connect("@ctxvar-faults", &pending.here), 0);
    return pending;
}

static void drop(struct pending pending)
{
    cx_stream_close(pending.here);
    cx_listener_close(pending.listener);
}

TASK_TEST(a_connection_that_has_gone_already_is_passed_over)
{
    const int gone[] = {ECONNABORTED, EPROTO,       ENETDOWN,
                        EHOSTDOWN,    EHOSTUNREACH, ENETUNREACH,
                        ENOPROTOOPT,  ENONET,       EINTR};

    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        struct pending pending = pend();
        cx_stream *there;

        break_call("accept4", 0, gone[i]);
        assert_int_equal(cx_accept(pending.listener, &there), 0);
        assert_int_equal(fault.times, 0);
        cx_stream_close(there);
        drop(pending);
    }
}

static void greet(cx_stream *stream, void *arg)
{
    (void)arg;
    (void)cx_stream_write(stream, "x", 1);
}

static void *serve(void *listener)
{
    return as_pointer(cx_serve(listener, greet, NULL, 0));
}

TASK_TEST(a_server_waits_until_there_is_enough_again)
{
    const int scarce[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};

    for (size_t i = 0; i < sizeof(scarce) / sizeof(scarce[0]); i++) {
        struct pending pending = pend();
        cx_task *server;
        char byte;

        break_call("accept4", 0, scarce[i]);
        server = cx_task_create(serve, pending.listener);
        assert_int_equal(cx_stream_read(pending.here, &byte, 1), 1);
        assert_int_equal(fault.times, 0);
        assert_int_equal(cx_cancel(server), 0);
        assert_int_equal(cx_await(server, NULL), 0);
        drop(pending);
    }
}

TASK_TEST(a_server_ends_with_an_error_that_does_not_pass)
{
    struct pending pending = pend();
    void *error;

    break_call("accept4", 0, EINVAL);
    assert_int_equal(cx_await(cx_task_create(serve, pending.listener), &error),
                     0);
    assert_ptr_equal(error, as_pointer(-EINVAL));
    drop(pending);
}

TASK_TEST(a_connection_whose_start_was_interrupted_is_waited_for)
{
    cx_listener *listener;
    cx_stream *here, *there;

    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, NULL, &listener), 0);
    break_call("connect", 0, EINTR);
    assert_int_equal(cx_tcp_connect("127.0.0.1",
                                    (uint16_t)cx_listener_port(listener),
                                    &here),
                     0);
    assert_int_equal(fault.times, 0);
    assert_int_equal(cx_accept(listener, &there), 0);
    cx_stream_close(here);
    cx_stream_close(there);
    cx_listener_close(listener);
}

TASK_TEST(a_read_that_was_interrupted_reads_again)
{
    cx_stream *reader, *writer;
    char byte;

    assert_int_equal(cx_pipe(&reader, &writer), 0);
    assert_int_equal(cx_stream_write(writer, "x", 1), 0);
    break_call("read", 0, EINTR);
    assert_int_equal(cx_stream_read(reader, &byte, 1), 1);
    assert_int_equal(fault.times, 0);
    break_call("read", 0, EIO);
    assert_int_equal(cx_stream_read(reader, &byte, 1), -EIO);
    cx_stream_close(reader);
    cx_stream_close(writer);
}

TASK_TEST(why_a_lookup_fails_is_told_as_an_errno)
{
    const struct {
        int from;
        int to;
    } errors[] = {{UV_EAI_NONAME, -ENOENT},
                  {UV_EAI_NODATA, -ENOENT},
                  {UV_EAI_SERVICE, -ENOENT},
                  {UV_EAI_ADDRFAMILY, -ENOENT},
                  {UV_EAI_AGAIN, -EAGAIN},
                  {UV_EAI_MEMORY, -ENOMEM},
                  {UV_EAI_BADFLAGS, -EINVAL},
                  {UV_EAI_BADHINTS, -EINVAL},
                  {UV_EAI_FAMILY, -EINVAL},
                  {UV_EAI_SOCKTYPE, -EINVAL},
                  {UV_EAI_OVERFLOW, -ENAMETOOLONG},
                  {UV_EAI_FAIL, -EIO},
                  {UV_ENOMEM, -ENOMEM}};
    struct addrinfo *list;

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        break_call("uv_getaddrinfo", 0, errors[i].from);
        assert_int_equal(cx_resolve("name.invalid", NULL, NULL, &list),
                         errors[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_socket_nobody_is_reached),
        cmocka_unit_test(a_socket_that_cannot_be_bound_is_closed),
        cmocka_unit_test(
            a_socket_that_cannot_listen_is_closed_and_its_path_removed),
        cmocka_unit_test(
            without_version_6_of_the_protocol_it_listens_on_version_4),
        cmocka_unit_test(a_port_that_cannot_be_told_says_why),
        cmocka_unit_test(
            a_loop_that_cannot_watch_leaves_the_descriptor_to_its_owner),
        cmocka_unit_test(a_descriptor_that_cannot_be_watched_is_not_waited_for),
        cmocka_unit_test(a_loop_that_cannot_be_made_is_an_error),
        cmocka_unit_test(
            a_programs_loop_that_cannot_be_joined_is_left_as_it_was),
        cmocka_unit_test(a_pipe_that_cannot_be_had_is_none),
        cmocka_unit_test(a_program_whose_pipes_cannot_be_had_is_not_started),
        cmocka_unit_test(a_connection_that_has_gone_already_is_passed_over),
        cmocka_unit_test(a_server_waits_until_there_is_enough_again),
        cmocka_unit_test(a_server_ends_with_an_error_that_does_not_pass),
        cmocka_unit_test(
            a_connection_whose_start_was_interrupted_is_waited_for),
        cmocka_unit_test(a_read_that_was_interrupted_reads_again),
        cmocka_unit_test(why_a_lookup_fails_is_told_as_an_errno),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
