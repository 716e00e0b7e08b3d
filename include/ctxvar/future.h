/* SPDX-License-Identifier: MIT */
/*
 * Futures: a result that is to come, for any number of tasks of one loop to
 * wait for. Whoever brings it, a task or a callback on the loop's thread, sets
 * it once.
 */
#ifndef CTXVAR_FUTURE_H
#define CTXVAR_FUTURE_H

#include <stdbool.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A result that is to come. */
typedef struct cx_future cx_future;

/**
 * Make a future without a result.
 *
 * @return the future, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation.
 * Source: asyncio.Future().  Since: 0.1
 */
CX__API cx_future *cx_future_new(void);

/**
 * Free a future.
 *
 * @param future  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task waits for it
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_future_free(cx_future *future);

/**
 * Give a future its result, and wake all who wait for it.
 *
 * @param future  Borrowed.
 * @param result  Handed to whoever waits.
 * @return 0, or
 *   -EALREADY    it has a result or an error
 *   -EINVAL      future is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(waiting tasks).
 * Source: asyncio, Future.set_result().  Since: 0.1
 */
CX__API int cx_future_set(cx_future *future, void *result);

/**
 * Give a future an error instead of a result.
 *
 * @param future  Borrowed.
 * @param error   A negative errno, which waits for it return.
 * @return 0, or
 *   -EALREADY    it has a result or an error
 *   -EINVAL      future is NULL, or error is not negative
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(waiting tasks).
 * Source: asyncio, Future.set_exception().  Since: 0.1
 */
CX__API int cx_future_fail(cx_future *future, int error);

/**
 * Tell whether a future has its result or error.
 *
 * @param future  Borrowed; NULL has none.
 * @return true when it has.
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Future.done().  Since: 0.1
 */
CX__API bool cx_future_is_done(const cx_future *future);

/**
 * Wait for the result of a future.
 *
 * @param future  Borrowed.
 * @param result  Written when it has a result; NULL: not wanted.
 * @return 0, the error that the future was given, or
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      future is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: yes, unless it is done. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: asyncio, await future.  Since: 0.1
 */
CX__API int cx_future_wait(cx_future *future, void **result);

CX__END_DECLS

#endif
