/* SPDX-License-Identifier: MIT */
/*
 * Tasks for another thread's loop, whose result comes back: to a plain thread,
 * which blocks for it, or to a task, which alone waits.
 */
#ifndef CTXVAR_REMOTE_H
#define CTXVAR_REMOTE_H

#include <ctxvar/loop.h>
#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A task of a loop, as any thread knows it. */
typedef struct cx_remote cx_remote;

/**
 * Create a task on another thread's loop, in a copy of the calling thread's
 * context.
 *
 * Those of one thread start in the order of their creation. Once this has
 * succeeded, the function is called, cancelled if need be: a loop that ends
 * does so first.
 *
 * @param loop  Borrowed.
 * @param fn    The task's function, called once, on the loop's thread.
 * @param arg   Handed to fn.
 * @return the task, whose handle goes to the caller until cx_remote_await() or
 *         cx_remote_detach(); or NULL with errno
 *   EINVAL       loop or fn is NULL
 *   ENOMEM       no memory
 *   ESHUTDOWN    the loop has ended, or its main task has; or this thread is
 *                past its last destructor
 *
 * Suspends: never. Threads: any. Cost: as cx_call_soon_threadsafe(), and an
 * allocation.
 * Source: asyncio.run_coroutine_threadsafe().  Since: 0.1
 */
CX__API cx_remote *cx_task_create_threadsafe(cx_loop *loop, cx_task_fn *fn,
                                             void *arg);

/**
 * Wait until a task of another thread's loop has ended, take its result and
 * give up its handle.
 *
 * Within a task, only that task waits; elsewhere, the thread does. Being
 * cancelled or too late oneself while waiting leaves the other task alone, and
 * its handle with the caller.
 *
 * @param remote  Owned, given up on success; on error still yours.
 * @param result  Written on success: what the task's function returned;
 *                NULL: not wanted.
 * @return 0, or
 *   -ECANCELED   the calling task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EBUSY       somebody awaits it
 *   -EPERM       this thread runs a loop, but no task called this
 *   -EINVAL      remote is NULL
 *
 * Suspends: yes, unless it has ended; outside of loops it blocks the thread.
 * Threads: any. Cost: some microseconds, to be woken.
 * Source: asyncio.wrap_future(); concurrent.futures, Future.result().
 * Since: 0.1
 */
CX__API int cx_remote_await(cx_remote *remote, void **result);

/**
 * Cancel a task of another thread's loop, as cx_cancel() does.
 *
 * @param remote  Borrowed; NULL is ignored. A task that has ended is left as
 *                it is.
 *
 * Suspends: never. Threads: any. Cost: a lock; some microseconds if the loop
 * sleeps.
 * Source: concurrent.futures, Future.cancel().  Since: 0.1
 */
CX__API void cx_remote_cancel(cx_remote *remote);

/**
 * Give up the handle of a task of another thread's loop: it goes on, and
 * nobody will await it.
 *
 * @param remote  Owned, given up; NULL is ignored. Nobody awaits it.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: pthread_detach().  Since: 0.1
 */
CX__API void cx_remote_detach(cx_remote *remote);

CX__END_DECLS

#endif
