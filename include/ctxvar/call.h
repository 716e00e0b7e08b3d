/* SPDX-License-Identifier: MIT */
/*
 * Calls: functions that a loop is to call later, at a time, again and again,
 * or on behalf of another thread.
 *
 * Each call runs in a task of its own, so that it may wait, and in a fresh
 * copy of the context that it was asked for in: what it sets is seen by nobody
 * after, not by its next call either. A deadline is part of that context;
 * CX_NO_TIMEOUT keeps it out. A call that is still to come holds no stack.
 *
 * When memory for its task is not there in time, a call is made as soon as it
 * is. When the main task ends, calls whose time has not come are called off;
 * those whose time has come are still made, cancelled as all tasks are then.
 */
#ifndef CTXVAR_CALL_H
#define CTXVAR_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <ctxvar/loop.h>
#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A call that a loop is to make; of one loop. */
typedef struct cx_call cx_call;

/**
 * Have a function called, after the tasks that are ready now.
 *
 * @param fn   Called once, in a task of its own.
 * @param arg  Handed to fn.
 * @return the call, whose handle goes to the caller until cx_call_cancel() or
 *         cx_call_detach(), at the latest until the loop ends; or NULL with
 *         errno
 *   EPERM        this thread runs no loop
 *   EINVAL       fn is NULL
 *   ENOMEM       no memory
 *   ESHUTDOWN    the main task has ended
 *
 * Suspends: never. Threads: a loop's. Cost: one allocation and a snapshot now,
 * a task later.
 * Source: asyncio, loop.call_soon().  Since: 0.1
 */
CX__API cx_call *cx_call_soon(void (*fn)(void *), void *arg);

/**
 * Have a function called after some time, never less.
 *
 * Calls that are due in the same millisecond are made in the order in which
 * they were asked for.
 *
 * @param ms   Milliseconds; 0: as cx_call_soon(). More than can be counted:
 *             never.
 * @param fn   Called once, in a task of its own.
 * @param arg  Handed to fn.
 * @return as cx_call_soon().
 *
 * Suspends: never. Threads: a loop's. Cost: as cx_call_soon(), and O(log
 * sleepers).
 * Source: asyncio, loop.call_later().  Since: 0.1
 */
CX__API cx_call *cx_call_later(uint64_t ms, void (*fn)(void *), void *arg);

/**
 * Have a function called again and again, in step with the clock.
 *
 * One call at a time: while the function runs or waits, those that fall due
 * are left out, and the next one is made when the one after them is.
 *
 * @param ms   Milliseconds from one call to the next, and to the first.
 * @param fn   Called in a task of its own each time.
 * @param arg  Handed to fn.
 * @return as cx_call_soon(); EINVAL also if ms is 0.
 *
 * Suspends: never. Threads: a loop's. Cost: as cx_call_later() each time.
 * Source: trio.sleep_until() in a loop; JavaScript, setInterval().  Since: 0.1
 */
CX__API cx_call *cx_call_every(uint64_t ms, void (*fn)(void *), void *arg);

/**
 * Call off what is still to come of a call, let go of its context at once, and
 * give up its handle.
 *
 * A function that has begun runs to its end. It may call off itself.
 *
 * @param call  Owned, given up; NULL is ignored, and so is one of another
 *              thread.
 * @return true: the function was not called, or, with cx_call_every(), is not
 *         running, and will not be called any more. false: it has begun.
 *
 * Suspends: never. Threads: that of the call. Cost: O(log sleepers).
 * Source: asyncio, Handle.cancel(); Go, the stop of context.AfterFunc().
 * Since: 0.1
 */
CX__API bool cx_call_cancel(cx_call *call);

/**
 * Give up the handle of a call, which is made all the same.
 *
 * @param call  Owned, given up; NULL is ignored, and so is one of another
 *              thread.
 *
 * Suspends: never. Threads: that of the call. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API void cx_call_detach(cx_call *call);

/**
 * Have a function called by another thread's loop, in a copy of the calling
 * thread's context.
 *
 * Those of one thread are made in the order in which they were asked for. Once
 * this has succeeded, the function is called: a loop that ends makes its calls
 * first.
 *
 * @param loop  Borrowed.
 * @param fn    Called once, in a task of its own on the loop's thread.
 * @param arg   Handed to fn.
 * @return 0, or
 *   -ESHUTDOWN   the loop has ended, or its main task has; or this thread is
 *                past its last destructor
 *   -EINVAL      loop or fn is NULL
 *   -ENOMEM      no memory
 *
 * Suspends: never. Threads: any. Cost: as cx_call_soon(), and a lock; some
 * microseconds if the loop sleeps.
 * Source: asyncio, loop.call_soon_threadsafe().  Since: 0.1
 */
CX__API int cx_call_soon_threadsafe(cx_loop *loop, void (*fn)(void *),
                                    void *arg);

CX__END_DECLS

#endif
