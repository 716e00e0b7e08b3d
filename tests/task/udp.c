/* SPDX-License-Identifier: MIT */
/* Datagrams, and the lookup of names. */
#include "support.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include <ctxvar/deadline.h>
#include <ctxvar/resolve.h>
#include <ctxvar/udp.h>

static cx_udp *open_udp(void)
{
    cx_udp *udp = NULL;

    assert_int_equal(cx_udp_open("127.0.0.1", 0, &udp), 0);
    return udp;
}

/* Answer one datagram. */
static void *answer(void *arg)
{
    char data[16];
    cx_udp_peer peer;
    ssize_t n = cx_udp_receive(arg, data, sizeof(data), &peer);

    assert_true(n >= 0);
    assert_int_equal(cx_udp_send(arg, data, (size_t)n, &peer), 0);
    return NULL;
}

TASK_TEST(a_datagram_tells_where_to_answer)
{
    char data[16];
    cx_udp_peer server_at;
    cx_udp *server = open_udp();
    cx_udp *client = open_udp();
    cx_task *task = cx_task_create(answer, server);

    assert_int_equal(cx_udp_find(client, "localhost",
                                 (uint16_t)cx_udp_port(server), &server_at),
                     0);
    assert_int_equal(cx_udp_send(client, "hello", 5, &server_at), 0);
    assert_int_equal(cx_udp_receive(client, data, sizeof(data), NULL), 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(cx_await(task, NULL), 0);
    cx_udp_close(server);
    cx_udp_close(client);
}

TASK_TEST(the_length_of_what_did_not_fit_is_told)
{
    char data[2];
    cx_udp_peer self;
    cx_udp *udp = open_udp();

    assert_int_equal(
        cx_udp_find(udp, "127.0.0.1", (uint16_t)cx_udp_port(udp), &self), 0);
    assert_int_equal(cx_udp_send(udp, "hello", 5, &self), 0);
    assert_int_equal(cx_udp_receive(udp, data, sizeof(data), NULL), 5);
    assert_int_equal(cx_udp_send(udp, NULL, 0, &self), 0);
    assert_int_equal(cx_udp_receive(udp, data, sizeof(data), NULL), 0);
    cx_udp_close(udp);
}

TASK_TEST(too_large_a_datagram_is_refused)
{
    static char much[70000];
    cx_udp_peer self;
    cx_udp *udp = open_udp();

    assert_int_equal(cx_udp_find(udp, "127.0.0.1", 9, &self), 0);
    assert_int_equal(cx_udp_send(udp, much, sizeof(much), &self), -EMSGSIZE);
    cx_udp_close(udp);
}

static void *receive(void *arg)
{
    return as_pointer(cx_udp_receive(arg, NULL, 0, NULL));
}

TASK_TEST(closing_wakes_who_receives)
{
    void *error;
    cx_udp *udp = open_udp();
    cx_task *task = cx_task_create(receive, udp);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_udp_receive(udp, NULL, 0, NULL), -EBUSY);
    cx_udp_close(udp);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -EBADF);
}

TASK_TEST(another_kind_of_address_is_not_found)
{
    cx_udp_peer peer;
    cx_udp *udp = open_udp();

    assert_int_equal(cx_udp_find(udp, "::1", 9, &peer), -ENOENT);
    assert_int_equal(cx_udp_find(udp, NULL, 9, &peer), -EINVAL);
    cx_udp_close(udp);
}

/* Names. */

TASK_TEST(a_name_has_addresses)
{
    const struct addrinfo hints = {.ai_family = AF_INET,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;

    assert_int_equal(cx_resolve("localhost", "80", &hints, &list), 0);
    assert_int_equal(list->ai_family, AF_INET);
    assert_int_equal(((struct sockaddr_in *)(void *)list->ai_addr)->sin_port,
                     htons(80));
    freeaddrinfo(list);
}

TASK_TEST(what_has_no_address_is_told)
{
    const struct addrinfo wrong = {.ai_family = 9999};
    struct addrinfo *list;

    assert_int_equal(cx_resolve("localhost", "no-such-service", NULL, &list),
                     -ENOENT);
    assert_int_equal(cx_resolve("localhost", NULL, &wrong, &list), -EINVAL);
    assert_int_equal(cx_resolve(NULL, NULL, NULL, &list), -EINVAL);
    assert_int_equal(cx_resolve("localhost", NULL, NULL, NULL), -EINVAL);
}

static void *resolve_localhost(void *arg)
{
    struct addrinfo *list;

    (void)arg;
    return as_pointer(cx_resolve("localhost", "80", NULL, &list));
}

TASK_TEST(a_lookup_that_nobody_waits_for_any_more_frees_itself)
{
    void *error;
    cx_task *task = cx_task_create(resolve_localhost, NULL);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -ECANCELED);
}

static void outside_of_a_task_all_is_refused(void **state)
{
    cx_udp *udp;
    struct addrinfo *list;

    (void)state;
    assert_int_equal(cx_udp_open("127.0.0.1", 0, &udp), -EPERM);
    assert_int_equal(cx_resolve("127.0.0.1", NULL, NULL, &list), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_tells_where_to_answer),
        cmocka_unit_test(the_length_of_what_did_not_fit_is_told),
        cmocka_unit_test(too_large_a_datagram_is_refused),
        cmocka_unit_test(closing_wakes_who_receives),
        cmocka_unit_test(another_kind_of_address_is_not_found),
        cmocka_unit_test(a_name_has_addresses),
        cmocka_unit_test(what_has_no_address_is_told),
        cmocka_unit_test(a_lookup_that_nobody_waits_for_any_more_frees_itself),
        cmocka_unit_test(outside_of_a_task_all_is_refused),
    };

    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
