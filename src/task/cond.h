/* SPDX-License-Identifier: MIT */
/* Condition variables for plain threads, which wait until a deadline. */
#ifndef CTXVAR_TASK_COND_H
#define CTXVAR_TASK_COND_H

#include <pthread.h>
#include <stdint.h>

/* One that waits by the clock of uv_hrtime(). */
void cx__cond_init(pthread_cond_t *cond);

/* Wait for a signal, with the lock held, until a time of uv_hrtime();
 * UINT64_MAX: for ever. 0 or -ETIMEDOUT. */
int cx__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock,
                  uint64_t deadline);

#endif
