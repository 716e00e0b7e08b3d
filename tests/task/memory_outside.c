/* SPDX-License-Identifier: MIT */
/* Out of memory on the way outside: what memory.c says of loops and tasks, of
 * datagrams, files, programs, signals, name lookups and dumps. */
#include "scarce.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>

#include <ctxvar/debug.h>
#include <ctxvar/file.h>
#include <ctxvar/process.h>
#include <ctxvar/resolve.h>
#include <ctxvar/signal.h>
#include <ctxvar/udp.h>

static void *udp_short(void *nth)
{
    cx_udp *udp = NULL;
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_udp_open("127.0.0.1", 0, &udp);
    scarce = PLENTY;
    cx_udp_close(udp);
    return as_pointer(error);
}

SWEEP(udp)

static void a_datagram_socket_is_there_or_not_for_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(udp), 2);
}

static void *load_short(void *nth)
{
    char *data = NULL;
    size_t size;
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_file_load("/proc/kallsyms", &data, &size);
    scarce = PLENTY;
    if ((data != NULL) != (error == 0))
        error = -EIO;
    free(data);
    return as_pointer(error);
}

SWEEP(load)

static void a_file_is_loaded_whole_or_not_for_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(load) >= 2);
}

static void *start_short(void *nth)
{
    char *const argv[] = {"cat", NULL};
    const cx_process_options options = {.argv = argv,
                                        .in = CX_PROCESS_PIPE,
                                        .out = CX_PROCESS_PIPE,
                                        .err = CX_PROCESS_PIPE};
    cx_process *process = NULL;
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_process_start(&options, &process);
    scarce = PLENTY;
    cx_process_close(process, 0);
    if (error == 0 && cx_process_wait(process, NULL) != 0)
        error = -EIO;
    cx_process_free(process);
    return as_pointer(error);
}

SWEEP(start)

static void a_program_starts_or_not_for_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(start), 5);
}

static void *try_catch_short(void *nth)
{
    cx_signal *caught = NULL;
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_signal_open(SIGUSR1, &caught);
    scarce = PLENTY;
    if (error == 0 && cx_signal_close(caught) != 0)
        error = -EIO;
    return as_pointer(error);
}

SWEEP(try_catch)

static void a_signal_is_caught_or_not_for_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(try_catch), 1);
}

/* A name, since an address needs no looking up. */
static void *resolve_short(void *nth)
{
    struct addrinfo *list = NULL;
    int error;

    scarce = (int)(intptr_t)nth;
    error = cx_resolve("localhost", "80", NULL, &list);
    scarce = PLENTY;
    if (list != NULL)
        freeaddrinfo(list);
    return as_pointer(error);
}

SWEEP(resolve)

static void a_lookup_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(resolve), 1);
}

static void *dump_short(void *nth)
{
    FILE *out = fopen("/dev/null", "w");
    int error;

    assert_non_null(out);
    scarce = (int)(intptr_t)nth;
    error = cx_task_dump(out);
    scarce = PLENTY;
    (void)fclose(out);
    return as_pointer(error);
}

SWEEP(dump)

static void a_dump_survives_want_of_memory(void **state)
{
    (void)state;
    assert_int_equal(sweep(dump), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_socket_is_there_or_not_for_want_of_memory),
        cmocka_unit_test(a_file_is_loaded_whole_or_not_for_want_of_memory),
        cmocka_unit_test(a_program_starts_or_not_for_want_of_memory),
        cmocka_unit_test(a_signal_is_caught_or_not_for_want_of_memory),
        cmocka_unit_test(a_lookup_survives_want_of_memory),
        cmocka_unit_test(a_dump_survives_want_of_memory),
    };

    return cmocka_run_group_tests_name("memory_outside", tests, NULL, NULL);
}
