/* SPDX-License-Identifier: MIT */
/*
 * Queues between the tasks of one loop: bounded, closing, first in, first out.
 */
#ifndef CTXVAR_QUEUE_H
#define CTXVAR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** Items on their way from one task to another. */
typedef struct cx_queue cx_queue;

/**
 * Make an empty queue.
 *
 * @param limit  How many items it holds before a put has to wait; 0: any
 * number.
 * @return the queue, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation.
 * Source: asyncio.Queue().  Since: 0.1
 */
CX__API cx_queue *cx_queue_new(size_t limit);

/**
 * Free a queue, and forget the items that are in it.
 *
 * @param queue  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task waits to put or get
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_queue_free(cx_queue *queue);

/**
 * Put an item into a queue, waiting while it is full.
 *
 * @param queue  Borrowed.
 * @param item   Borrowed from the caller and handed to whoever gets it; NULL is
 * an item as well.
 * @return 0, or, with the item not in the queue,
 *   -EPIPE       it is closed, or was while this waited
 *   -ENOMEM      no memory
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      queue is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while it is full. Threads: a loop's, within a task.
 * Cost: O(1) amortized.
 * Source: asyncio, Queue.put().  Since: 0.1
 */
CX__API int cx_queue_put(cx_queue *queue, void *item);

/**
 * Put an item into a queue that is not full.
 *
 * @param queue  Borrowed.
 * @param item   As for cx_queue_put().
 * @return 0, or, with the item not in the queue,
 *   -EAGAIN      it is full
 *   -EPIPE       it is closed
 *   -ENOMEM      no memory
 *   -EINVAL      queue is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1) amortized.
 * Source: asyncio, Queue.put_nowait().  Since: 0.1
 */
CX__API int cx_queue_try_put(cx_queue *queue, void *item);

/**
 * Get the first item of a queue, waiting for one.
 *
 * Items that were put before it was closed still come.
 *
 * @param queue  Borrowed.
 * @param item   Written on success.
 * @return 0, or, with no item taken,
 *   -EPIPE       it is closed and empty
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      queue or item is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while it is empty. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: asyncio, Queue.get().  Since: 0.1
 */
CX__API int cx_queue_get(cx_queue *queue, void **item);

/**
 * Get the first item of a queue that is not empty.
 *
 * @param queue  Borrowed.
 * @param item   Written on success.
 * @return 0, or, with no item taken,
 *   -EAGAIN      it is empty
 *   -EPIPE       it is closed and empty
 *   -EINVAL      queue or item is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Queue.get_nowait().  Since: 0.1
 */
CX__API int cx_queue_try_get(cx_queue *queue, void **item);

/**
 * Close a queue: nothing more can be put, and who waits for an item that
 * will not come is told so.
 *
 * @param queue  Borrowed; one that is closed stays so.
 * @return 0, or
 *   -EINVAL      queue is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(waiting tasks).
 * Source: asyncio, Queue.shutdown().  Since: 0.1
 */
CX__API int cx_queue_close(cx_queue *queue);

/**
 * Count the items in a queue.
 *
 * @param queue  Borrowed; NULL has none.
 * @return their number.
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: asyncio, Queue.qsize().  Since: 0.1
 */
CX__API size_t cx_queue_len(const cx_queue *queue);

/** One of several operations, of which cx_queue_select() does one. */
typedef struct cx_queue_op {
    cx_queue *queue; /**< borrowed */
    bool put;        /**< put the item; else get one */
    void *item;      /**< to be put; or written with what was got */
    int error;       /**< written if it is the one that was done: 0; -EPIPE: it
                          is closed; -ENOMEM */
} cx_queue_op;

/**
 * Do one of several operations on queues, waiting until one can be done.
 *
 * Of several that can be done at once each has its turn. The others are not
 * begun, and nothing is written to them.
 *
 * @param ops  n operations, 32 at most; of one queue several may be.
 * @param n    How many.
 * @return the place of the one that was done, whose .error tells how; or, with
 *         none done,
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -E2BIG       there are more than 32
 *   -EINVAL      there is none, or one without a queue
 *   -EXDEV       a queue is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: until one can be done. Threads: a loop's, within a task.
 * Cost: O(n).
 * Source: Go, select.  Since: 0.1
 */
CX__API int cx_queue_select(cx_queue_op ops[], size_t n);

/**
 * Do one of several operations on queues that can be done now.
 *
 * @param ops  As for cx_queue_select().
 * @param n    How many.
 * @return as cx_queue_select(), or
 *   -EAGAIN      none can be done
 *
 * Suspends: never. Threads: the loop's that they were made on.
 * Cost: O(n).
 * Source: Go, select with a default.  Since: 0.1
 */
CX__API int cx_queue_try_select(cx_queue_op ops[], size_t n);

CX__END_DECLS

#endif
