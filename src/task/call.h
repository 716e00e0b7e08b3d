/* SPDX-License-Identifier: MIT */
/*
 * Calls from the inside: what a loop keeps of those that it is to make.
 */
#ifndef CTXVAR_TASK_CALL_H
#define CTXVAR_TASK_CALL_H

#include <ctxvar/call.h>

#include "list.h"

struct cx__loop;

struct cx__calls {
    struct cx__list due;  /* those to be made now, the first one first */
    struct cx__list rest; /* those whose time has not come, or is over */
    size_t ahead;         /* how many are to be made, or to be made again */
    unsigned made;        /* how many have their task, which has not begun */
};

void cx__calls_init(struct cx__calls *calls);

/* Give calls that are due their tasks, unless there is no memory, or enough of
 * such tasks that are ready. */
void cx__calls_make(struct cx__loop *loop);

/* Call off all whose time has not come. */
void cx__calls_drop(struct cx__loop *loop);

/* None is ahead: what is left are handles that nobody gave up. */
void cx__calls_fini(struct cx__calls *calls);

/* cx_call_soon_threadsafe(), on behalf of a call at `site`. */
int cx__call_threadsafe(cx_loop *loop, void (*fn)(void *), void *arg,
                        const void *site);

#endif
