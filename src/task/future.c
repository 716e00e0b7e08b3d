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
    if (future != NULL && cx__waiters_any(&future->waiters))
        return -EBUSY;
    free(future);
    return 0;
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
    cx__waiters_wake_all(&future->waiters, 0);
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

    if (error == 0 && !future->done)
        error = cx__waiters_wait(&future->waiters, NULL);
    if (error != 0)
        return error;
    if (future->error == 0 && result != NULL)
        *result = future->result;
    return future->error;
}
