/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/sync.h>

#include "waiters.h"

struct cx_semaphore {
    struct cx__waiters waiters; /* none, while free > 0 */
    size_t free;
};

cx_semaphore *cx_semaphore_new(size_t n)
{
    cx_semaphore *semaphore = calloc(1, sizeof(*semaphore));
    int error = semaphore != NULL
                    ? cx__waiters_init(&semaphore->waiters, "semaphore")
                    : -ENOMEM;

    if (error != 0) {
        free(semaphore);
        errno = -error;
        return NULL;
    }
    semaphore->free = n;
    return semaphore;
}

int cx_semaphore_free(cx_semaphore *semaphore)
{
    int error = semaphore != NULL ? cx__waiters_end(&semaphore->waiters) : 0;

    if (error == 0)
        free(semaphore);
    return error;
}

int cx_semaphore_acquire(cx_semaphore *semaphore)
{
    int error =
        semaphore != NULL ? cx__waiters_begin(&semaphore->waiters) : -EINVAL;

    if (error != 0)
        return error;
    if (semaphore->free == 0)
        return cx__waiters_wait(&semaphore->waiters, NULL);
    semaphore->free--;
    return 0;
}

int cx_semaphore_release(cx_semaphore *semaphore)
{
    int error =
        semaphore != NULL ? cx__waiters_check(&semaphore->waiters) : -EINVAL;

    if (error != 0)
        return error;
    if (cx__waiters_any(&semaphore->waiters))
        (void)cx__waiters_wake(&semaphore->waiters, 0);
    else
        semaphore->free++;
    return 0;
}
