/* SPDX-License-Identifier: MIT */
/*
 * Tasks in the background, that nobody awaits, and what becomes of their
 * errors: the loop's failure handler is told, in the task that has failed.
 */
#ifndef CTXVAR_SPAWN_H
#define CTXVAR_SPAWN_H

#include <ctxvar/group.h>

CX__BEGIN_DECLS

/** Told of an error that nobody waits for, a negative errno. */
typedef void cx_failure_fn(int error, void *arg);

/**
 * Start a task that nobody awaits, in a copy of the current context.
 *
 * If its function returns an error, the loop's failure handler is told;
 * -ECANCELED is none, since it is what a cancelled task returns. It is
 * cancelled when the main task ends. Its deadline is the caller's, but for
 * CX_NO_TIMEOUT.
 *
 * @param fn   The task's function: 0, or an error, a negative errno.
 * @param arg  Handed to fn.
 * @return 0, or, without a task having been started,
 *   -EINVAL      fn is NULL
 *   -ENOMEM      no memory
 *   -EPERM       not called within a task, nor on a thread whose loop the
 *                program runs
 *
 * Suspends: never. Threads: a loop's. Cost: as cx_task_create(), and one
 * allocation.
 * Source: Go, go; trio, nursery.start_soon().  Since: 0.1
 */
CX__API int cx_spawn(cx_group_fn *fn, void *arg);

/**
 * Say who is told of the errors on this thread's loop that nobody waits for:
 * those of cx_spawn(), and those in a group that is freed before a wait has
 * returned them.
 *
 * The handler runs in the task that has failed, in its context and with its
 * name; for a group, in that which frees it. It may wait. At first there is
 * none, and such errors are lost.
 *
 * @param handler  Called for each; NULL: nobody is told any more.
 * @param arg      Handed to handler.
 * @return 0, or
 *   -EPERM       this thread has no loop
 *
 * Suspends: never. Threads: a loop's. Cost: O(1).
 * Source: asyncio, loop.set_exception_handler().  Since: 0.1
 */
CX__API int cx_on_failure(cx_failure_fn *handler, void *arg);

CX__END_DECLS

#endif
