/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "interrupt.h"

static void came(void *arg)
{
    struct interrupt *interrupt = arg;

    if (interrupt->came && interrupt->insistent) {
        (void)signal(SIGINT, SIG_DFL);
        (void)raise(SIGINT);
    }
    interrupt->came = true;
    if (interrupt->echoed)
        fputc('\n', stderr);
    if (interrupt->work != NULL)
        (void)cx_cancel(interrupt->work);
}

static void *serve(void *arg)
{
    struct interrupt *interrupt = arg;

    (void)cx_signal_serve(interrupt->caught, came, interrupt);
    return NULL;
}

int interrupt_open(struct interrupt *interrupt)
{
    struct sigaction before;
    int error;

    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
        return 0;
    error = cx_signal_open(SIGINT, &interrupt->caught);
    if (error != 0)
        return error;
    interrupt->server = cx_task_create(serve, interrupt);
    if (interrupt->server == NULL) {
        error = -errno;
        (void)cx_signal_close(interrupt->caught);
        interrupt->caught = NULL;
    }
    return error;
}

int interrupt_run(struct interrupt *interrupt, cx_task_fn *fn, void *arg)
{
    int error;

    interrupt->work = cx_task_create(fn, arg);
    if (interrupt->work == NULL)
        return -errno;
    error = cx_await(interrupt->work, NULL);
    interrupt->work = NULL;
    return error;
}

void interrupt_close(struct interrupt *interrupt)
{
    if (interrupt->caught == NULL)
        return;
    (void)cx_cancel(interrupt->server);
    (void)cx_await(interrupt->server, NULL);
    (void)cx_signal_close(interrupt->caught);
    interrupt->caught = NULL;
}
