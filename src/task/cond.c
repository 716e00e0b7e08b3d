/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "cond.h"

enum { SECOND = 1000000000 }; /* ns */

void cx__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

int cx__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock,
                  uint64_t deadline)
{
    struct timespec until = {.tv_sec = (time_t)(deadline / SECOND),
                             .tv_nsec = (long)(deadline % SECOND)};

    return deadline == UINT64_MAX ? -pthread_cond_wait(cond, lock)
                                  : -pthread_cond_timedwait(cond, lock, &until);
}
