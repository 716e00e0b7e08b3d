/* SPDX-License-Identifier: MIT */
/*
 * Cancels: what tells a server to give up a statement. libpq sends one on a
 * connection of its own and blocks, for ever if the server does not move; so
 * each has a thread, which nobody waits for but who closes the database, and
 * that not for long: a program that ends next would end the thread with it.
 *
 *                 start                 sent
 *     PGcancel ----------> a thread ----------> an item in a channel that the
 *              n + 1                            database and the thread hold;
 *                                               taken from it: n - 1
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "postgres_wire.h"

/* A server that does not move is not told more often than it may hear. */
enum { CANCELS_MOST = 8 };

/* One that is on its way. */
struct cancel {
    PGcancel *pg;
    cx_channel *sent;
};

int cx__wire_cancels_init(struct cx__wire_cancels *cancels)
{
    *cancels = (struct cx__wire_cancels){.sent = cx_channel_new(CANCELS_MOST)};
    return cancels->sent != NULL ? 0 : -ENOMEM;
}

void cx__wire_cancels_fini(struct cx__wire_cancels *cancels)
{
    int error = 0;
    void *ignored;

    CX__WIRE_GRACE {
        while (cancels->n > 0 && error == 0) {
            error = cx_channel_get(cancels->sent, &ignored);
            cancels->n--;
        }
    }
    cx_channel_unref(cancels->sent);
}

static void cancel_free(struct cancel *cancel)
{
    PQfreeCancel(cancel->pg);
    cx_channel_unref(cancel->sent);
    free(cancel);
}

static void *cancel_run(void *arg)
{
    struct cancel *cancel = arg;
    char ignored[256];

    (void)PQcancel(cancel->pg, ignored, sizeof(ignored));
    (void)cx_channel_try_put(cancel->sent, NULL);
    cancel_free(cancel);
    return NULL;
}

/* Signals are for others. */
static int start_thread(struct cancel *cancel)
{
    pthread_attr_t detached;
    sigset_t all, before;
    pthread_t thread;
    int error = pthread_attr_init(&detached);

    if (error != 0)
        return error;
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &detached, cancel_run, cancel);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&detached);
    return error;
}

/* Is there room for one more in the channel? */
static bool has_room(struct cx__wire_cancels *cancels)
{
    void *ignored;

    while (cx_channel_try_get(cancels->sent, &ignored) == 0)
        cancels->n--;
    return cancels->n < CANCELS_MOST;
}

/*
 * It may arrive when the server's process is gone and its number is another's:
 * it also has a key, which is that process's alone.
 */
void cx__wire_cancel(struct cx__wire_cancels *cancels,
                     const struct cx__wire *wire)
{
    struct cancel *cancel = has_room(cancels) ? malloc(sizeof(*cancel)) : NULL;

    if (cancel == NULL)
        return;
    *cancel = (struct cancel){.pg = PQgetCancel(wire->pg),
                              .sent = cx_channel_ref(cancels->sent)};
    if (cancel->pg != NULL && start_thread(cancel) == 0)
        cancels->n++;
    else
        cancel_free(cancel);
}
