/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/sync.h>

#include "waiters.h"

/* here >= the length of waiters: those who have given up are found out when
 * there seem to be enough */
struct cx_barrier {
    struct cx__waiters waiters;
    size_t parties;
    size_t here;
};

cx_barrier *cx_barrier_new(size_t parties)
{
    cx_barrier *barrier = parties != 0 ? calloc(1, sizeof(*barrier)) : NULL;
    int error = parties == 0 ? -EINVAL : -ENOMEM;

    if (barrier != NULL)
        error = cx__waiters_init(&barrier->waiters, "barrier");
    if (error != 0) {
        free(barrier);
        errno = -error;
        return NULL;
    }
    barrier->parties = parties;
    return barrier;
}

int cx_barrier_free(cx_barrier *barrier)
{
    int error = barrier != NULL ? cx__waiters_end(&barrier->waiters) : 0;

    if (error == 0)
        free(barrier);
    return error;
}

/* Is the caller the last? */
static bool is_complete(cx_barrier *barrier)
{
    if (barrier->here + 1 >= barrier->parties)
        barrier->here = cx__waiters_count(&barrier->waiters);
    return barrier->here + 1 == barrier->parties;
}

int cx_barrier_wait(cx_barrier *barrier)
{
    int error =
        barrier != NULL ? cx__waiters_begin(&barrier->waiters) : -EINVAL;

    if (error != 0)
        return error;
    if (is_complete(barrier)) {
        barrier->here = 0;
        cx__waiters_wake_all(&barrier->waiters, 0);
        return 1;
    }
    barrier->here++;
    return cx__waiters_wait(&barrier->waiters, NULL);
}
