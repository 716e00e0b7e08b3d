/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/future.h>

#include "waiters.h"

struct cx_future {
    struct cx__waiters waiters; /* none, once it is done */
    bool done;
    int error;
    void *result;
};

cx_future *cx_future_new(void)
{
    cx_future *future = calloc(1, sizeof(*future));
    int error =
        future != NULL ? cx__waiters_init(&future->waiters, "future") : -ENOMEM;

    if (error == 0)
        return future;
    free(future);
    errno = -error;
    return NULL;
}

int cx_future_free(cx_future *future)
{
    int error = future != NULL ? cx__waiters_end(&future->waiters) : 0;

    if (error == 0)
        free(future);
    return error;
}

/* Who waits is given the result here: by the time it runs, the future may be
 * gone. */
static void give(void **to, void *result)
{
    if (to != NULL)
        *to = result;
}

static int future_end(cx_future *future, void *result, int error)
{
    int refused =
        future != NULL ? cx__waiters_check(&future->waiters) : -EINVAL;

    if (refused != 0)
        return refused;
    if (future->done)
        return -EALREADY;
    future->done = true;
    future->result = result;
    future->error = error;
    while (error == 0 && cx__waiters_any(&future->waiters))
        give(cx__waiters_wake(&future->waiters, 0), result);
    cx__waiters_wake_all(&future->waiters, error);
    return 0;
}

int cx_future_set(cx_future *future, void *result)
{
    return future_end(future, result, 0);
}

int cx_future_fail(cx_future *future, int error)
{
    return error < 0 ? future_end(future, NULL, error) : -EINVAL;
}

bool cx_future_is_done(const cx_future *future)
{
    return future != NULL && future->done;
}

int cx_future_wait(cx_future *future, void **result)
{
    int error = future != NULL ? cx__waiters_begin(&future->waiters) : -EINVAL;

    if (error != 0)
        return error;
    if (!future->done)
        return cx__waiters_wait(&future->waiters, result);
    if (future->error == 0)
        give(result, future->result);
    return future->error;
}
