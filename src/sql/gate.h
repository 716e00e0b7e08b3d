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

int cx__gate_wait(struct cx__gate *gate);

/* As cx_semaphore_acquire(), but that it does not look at cancels and
 * deadlines where there is a place. */
static inline int cx__gate_enter(struct cx__gate *gate)
{
    if (CX__LIKELY(gate->free > 0)) {
        gate->free--;
        return 0;
    }
    return cx__gate_wait(gate);
}

static inline void cx__gate_leave(struct cx__gate *gate)
{
    if (CX__LIKELY(gate->waiting == 0))
        gate->free++;
    else
        (void)cx_semaphore_release(gate->places);
}

#endif
