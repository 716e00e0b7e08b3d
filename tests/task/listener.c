/* SPDX-License-Identifier: MIT */
/* Listeners: what they listen on, and what is left of them. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctxvar/deadline.h>
#include <ctxvar/stream.h>

static char directory[] = "/tmp/ctxvar-listener-XXXXXX";
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

/* Can a client of this address be accepted? */
static void assert_reached(cx_listener *listener, const char *host)
{
    uint16_t port = (uint16_t)cx_listener_port(listener);
    cx_stream *here, *there;

    assert_int_equal(cx_tcp_connect(host, port, &here), 0);
    assert_int_equal(cx_accept(listener, &there), 0);
    cx_stream_close(here);
    cx_stream_close(there);
}

TASK_TEST(without_a_host_it_listens_on_all_addresses)
{
    cx_listener *listener;

    assert_int_equal(cx_tcp_listen(NULL, 0, NULL, &listener), 0);
    assert_reached(listener, "127.0.0.1");
    assert_reached(listener, "127.0.0.2");
    cx_listener_close(listener);
}

TASK_TEST(a_port_is_shared_by_those_who_say_so)
{
    const cx_listen_options shared = {.reuse_port = true};
    cx_listener *first, *second, *third;
    uint16_t port;

    assert_int_equal(cx_tcp_listen("127.0.0.1", 0, &shared, &first), 0);
    port = (uint16_t)cx_listener_port(first);
    assert_int_equal(cx_tcp_listen("127.0.0.1", port, &shared, &second), 0);
    assert_int_equal(cx_tcp_listen("127.0.0.1", port, NULL, &third),
                     -EADDRINUSE);
    cx_listener_close(first);
    assert_reached(second, "127.0.0.1");
    cx_listener_close(second);
}

TASK_TEST(a_host_that_is_none_is_refused)
{
    cx_listener *listener;

    assert_int_equal(cx_tcp_listen("256.0.0.1.invalid", 0, NULL, &listener),
                     -ENOENT);
    assert_int_equal(cx_tcp_listen("192.0.2.1", 0, NULL, &listener),
                     -EADDRNOTAVAIL);
}

static void *connect_again(void *arg)
{
    cx_stream *stream;
    int error = cx_unix_connect(path, &stream);

    (void)arg;
    if (error == 0)
        cx_stream_close(stream);
    return as_pointer(error);
}

/* Clients until one has to wait: how many there are. */
static int fill(cx_stream *clients[], int most)
{
    int n = 0;
    int error = 0;

    while (n < most && error == 0) {
        CX_TIMEOUT(20) {
            error = cx_unix_connect(path, &clients[n]);
        }
        n += error == 0;
    }
    assert_int_equal(error, -ETIMEDOUT);
    return n;
}

TASK_TEST(a_client_waits_while_the_backlog_is_full)
{
    enum { MOST = 8 };
    const cx_listen_options small = {.backlog = 1};
    cx_listener *listener;
    cx_stream *clients[MOST], *there;
    cx_task *task;
    void *error;
    int n;

    assert_int_equal(cx_unix_listen(path, &small, &listener), 0);
    n = fill(clients, MOST);
    task = cx_task_create(connect_again, NULL);
    for (int i = 0; i <= n; i++) {
        assert_int_equal(cx_accept(listener, &there), 0);
        cx_stream_close(there);
    }
    assert_int_equal(cx_await(task, &error), 0);
    assert_ptr_equal(error, NULL);
    for (int i = 0; i < n; i++)
        cx_stream_close(clients[i]);
    cx_listener_close(listener);
}

TASK_TEST(a_client_that_waits_for_a_server_can_be_cancelled)
{
    enum { MOST = 8 };
    const cx_listen_options small = {.backlog = 1};
    cx_listener *listener;
    cx_stream *clients[MOST];
    cx_task *task;
    void *error;
    int n;

    assert_int_equal(cx_unix_listen(path, &small, &listener), 0);
    n = fill(clients, MOST);
    task = cx_task_create(connect_again, NULL);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_ptr_equal(error, as_pointer(-ECANCELED));
    for (int i = 0; i < n; i++)
        cx_stream_close(clients[i]);
    cx_listener_close(listener);
}

TASK_TEST(a_path_that_is_another_s_by_now_is_left_alone)
{
    cx_listener *first, *second;

    assert_int_equal(cx_unix_listen(path, NULL, &first), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cx_unix_listen(path, NULL, &second), 0);
    cx_listener_close(first);
    assert_int_equal(access(path, F_OK), 0);
    cx_listener_close(second);
    assert_int_equal(access(path, F_OK), -1);
}

TASK_TEST(a_path_that_is_gone_already_is_no_matter)
{
    cx_listener *listener;

    assert_int_equal(cx_unix_listen(path, NULL, &listener), 0);
    assert_int_equal(unlink(path), 0);
    cx_listener_close(listener);
    assert_int_equal(access(path, F_OK), -1);
}

TASK_TEST(a_path_in_no_folder_is_refused)
{
    cx_listener *listener;

    assert_int_equal(cx_unix_listen("/nowhere/socket", NULL, &listener),
                     -ENOENT);
}

static void *accept_one(void *listener)
{
    cx_stream *stream;

    return as_pointer(cx_accept(listener, &stream));
}

TASK_TEST(a_listener_has_one_who_accepts_at_a_time)
{
    cx_listener *listener;
    cx_stream *stream;
    cx_task *task;
    void *error;

    assert_int_equal(cx_unix_listen(path, NULL, &listener), 0);
    task = cx_task_create(accept_one, listener);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_accept(listener, &stream), -EBUSY);
    cx_listener_close(listener);
    assert_int_equal(cx_await(task, &error), 0);
    assert_ptr_equal(error, as_pointer(-EBADF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_host_it_listens_on_all_addresses),
        cmocka_unit_test(a_port_is_shared_by_those_who_say_so),
        cmocka_unit_test(a_host_that_is_none_is_refused),
        cmocka_unit_test(a_client_waits_while_the_backlog_is_full),
        cmocka_unit_test(a_client_that_waits_for_a_server_can_be_cancelled),
        cmocka_unit_test(a_path_that_is_another_s_by_now_is_left_alone),
        cmocka_unit_test(a_path_that_is_gone_already_is_no_matter),
        cmocka_unit_test(a_path_in_no_folder_is_refused),
        cmocka_unit_test(a_listener_has_one_who_accepts_at_a_time),
    };

    return cmocka_run_group_tests_name("listener", tests, make_directory,
                                       remove_directory);
}
