/* SPDX-License-Identifier: MIT */
/*
 * Loops, as other threads know them: where to send work to. A handle outlives
 * its loop and may be used on any thread; what is sent to a loop that has
 * ended is refused.
 */
#ifndef CTXVAR_LOOP_H
#define CTXVAR_LOOP_H

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

/** A loop, as other threads know it; counted. */
typedef struct cx_loop cx_loop;

/**
 * Give the loop of the calling thread.
 *
 * @return the loop, borrowed until it ends; NULL: this thread has none.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: asyncio.get_running_loop().  Since: 0.1
 */
CX__API cx_loop *cx_loop_current(void);

/**
 * Hold a loop's handle once more, beyond the end of the loop.
 *
 * @param loop  Borrowed; NULL is ignored.
 * @return loop, now owned once more by the caller.
 *
 * Suspends: never. Threads: any. Cost: one atomic addition.
 * Source: own.  Since: 0.1
 */
CX__API cx_loop *cx_loop_ref(cx_loop *loop);

/**
 * Let go of a loop's handle. The loop itself does not mind.
 *
 * @param loop  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API void cx_loop_unref(cx_loop *loop);

CX__END_DECLS

#endif
