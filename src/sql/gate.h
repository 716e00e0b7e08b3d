/* SPDX-License-Identifier: MIT */
/*
 * A gate: so many at a time, who waits first is let in first. A semaphore
 * where nobody waits is two calls; this is an addition.
 */
#ifndef CTXVAR_SQL_GATE_H
#define CTXVAR_SQL_GATE_H

#include <ctxvar/sync.h>

/*
 * free + inside + what the semaphore has == the most there may be inside
 *
 * Who leaves while somebody waits hands the place over, through the semaphore.
 * If that one is gone by then, the place stays there for the next who waits.
 */
struct cx__gate {
    unsigned free;
    unsigned waiting;
    cx_semaphore *places;
};

/* 0 or -ENOMEM. */
int cx__gate_init(struct cx__gate *gate, unsigned most);
void cx__gate_fini(struct cx__gate *gate);

/* Take a place if there is one. */
static inline bool cx__gate_try(struct cx__gate *gate)
{
    if (gate->free == 0)
        return false;
    gate->free--;
    return true;
}

/* Wait for a place, where there is none. As cx_semaphore_acquire(). */
int cx__gate_wait(struct cx__gate *gate);

static inline void cx__gate_leave(struct cx__gate *gate)
{
    if (CX__LIKELY(gate->waiting == 0))
        gate->free++;
    else
        (void)cx_semaphore_release(gate->places);
}

#endif
