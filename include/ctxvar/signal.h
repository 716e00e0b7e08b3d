/* SPDX-License-Identifier: MIT */
/* Signals, as something that a task waits for. */
#ifndef CTXVAR_SIGNAL_H
#define CTXVAR_SIGNAL_H

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A signal that is caught for as long as this is open; of one loop. */
typedef struct cx_signal cx_signal;

/**
 * Catch a signal from now on, in place of what it does by default.
 *
 * Several, of several loops, may be open for one signal: each gets it.
 *
 * @param signum  SIGINT, SIGTERM, SIGHUP and the like.
 * @param caught  Written on success: owned by the caller.
 * @return 0, or
 *   -EINVAL      signum is none, cannot be caught, or is a fault's, SIGSEGV
 *                and the like; or caught is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task
 *
 * Suspends: never. Threads: a loop's, within a task. Cost: system calls.
 * Source: asyncio, loop.add_signal_handler().  Since: 0.1
 */
CX__API int cx_signal_open(int signum, cx_signal **caught);

/**
 * Wait until a signal has come since it was opened or last waited for.
 *
 * @param caught  Borrowed.
 * @return how often it has come since, 1 or more; the system counts signals
 *         that come close together as one; or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       another task waits for it
 *   -EINVAL      caught is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: until it comes. Threads: its loop's, within a task. Cost: O(1).
 * Source: sigwaitinfo().  Since: 0.1
 */
CX__API int cx_signal_wait(cx_signal *caught);

/**
 * Call a function each time a signal has come, until cancelled.
 *
 * Each call runs in a fresh copy of the context in which this was called, and
 * may wait; a signal that comes meanwhile is told when it has returned.
 *
 * @param caught  Borrowed.
 * @param fn      Called with arg.
 * @param arg     Handed to fn.
 * @return never 0:
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      fn is NULL
 *   and the other errors of cx_signal_wait()
 *
 * Suspends: yes. Threads: its loop's, within a task. Cost: a copy of the
 * context each time.
 * Source: asyncio, loop.add_signal_handler().  Since: 0.1
 */
CX__API int cx_signal_serve(cx_signal *caught, void (*fn)(void *), void *arg);

/**
 * Leave a signal to whoever else has it open, else to what it did before.
 *
 * @param caught  Owned, given up on success; NULL is ignored.
 * @return 0, or
 *   -EBUSY       a task waits for it
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: its loop's. Cost: system calls.
 * Source: asyncio, loop.remove_signal_handler().  Since: 0.1
 */
CX__API int cx_signal_close(cx_signal *caught);

CX__END_DECLS

#endif
