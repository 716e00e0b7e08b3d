/* SPDX-License-Identifier: MIT */
/*
 * Tasks that wait for the same thing, first come, first served. What locks,
 * events, queues and the like are made of.
 *
 * They are of one loop. One that is woken is off the list, and has what it
 * was woken for: a cancel or a deadline that comes later is too late.
 */
#ifndef CTXVAR_TASK_WAITERS_H
#define CTXVAR_TASK_WAITERS_H

#include "list.h"
#include "loop.h"
#include "wait.h"

struct cx__waiters {
    struct cx__wait_kind kind;
    struct cx__loop *loop;
    struct cx__list list;
};

/* Waiters of this thread's loop, for what dumps call so: 0, or -EPERM where
 * there is none. */
int cx__waiters_init(struct cx__waiters *waiters, const char *name);

/* May this thread use them? 0 or -EXDEV. */
int cx__waiters_check(const struct cx__waiters *waiters);

/* May what they are of be freed by this thread? 0, -EXDEV, or -EBUSY: there
 * are some. */
int cx__waiters_end(const struct cx__waiters *waiters);

/* May the running task wait here? 0, -EPERM, -EXDEV, and as cx__wait_begin().
 */
int cx__waiters_begin(const struct cx__waiters *waiters);

/* Wait, after that: 0 once woken, -ECANCELED or -ETIMEDOUT. The item is the
 * waiter's, for whoever wakes it to read or write; NULL: none. */
int cx__waiters_wait(struct cx__waiters *waiters, void **item);

/*
 * The same in several places at once, of one loop, no more than
 * CX__WAIT_ANY_MOST of them: where it was woken is `chosen`, if it was.
 */
enum { CX__WAIT_ANY_MOST = 32 };
int cx__waiters_wait_any(struct cx__waiters *const waiters[],
                         void **const items[], size_t n, size_t *chosen);

/* The first waiter's item, and wake it. Only while there is any. */
void **cx__waiters_wake(struct cx__waiters *waiters, int result);
void cx__waiters_wake_all(struct cx__waiters *waiters, int result);

size_t cx__waiters_count(const struct cx__waiters *waiters);

static inline bool cx__waiters_any(const struct cx__waiters *waiters)
{
    return !cx__list_is_empty(&waiters->list);
}

#endif
