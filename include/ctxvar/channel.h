/* SPDX-License-Identifier: MIT */
/*
 * Channels: queues between threads. Plain threads put and get, and block; so
 * do tasks of any loop, of which then only the task waits. Bounded, closing,
 * first in, first out.
 *
 * Between the tasks of one loop, the queues of <ctxvar/queue.h> do without the
 * lock.
 */
#ifndef CTXVAR_CHANNEL_H
#define CTXVAR_CHANNEL_H

#include <stddef.h>

#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** Items on their way from one thread to another; counted. */
typedef struct cx_channel cx_channel;

/**
 * Make an empty channel.
 *
 * @param limit  How many items it holds before a put has to wait.
 * @return the channel, owned once by the caller, or NULL with errno
 *   EINVAL       limit is 0
 *   ENOMEM       no memory
 *
 * Suspends: never. Threads: any. Cost: one allocation, of limit places.
 * Source: Go, make(chan T, n); Rust, mpsc::sync_channel().  Since: 0.1
 */
CX__API cx_channel *cx_channel_new(size_t limit);

/**
 * Hold a channel once more; each thread that uses it does, or knows of one
 * that does for as long.
 *
 * @param channel  Borrowed; NULL is ignored.
 * @return channel, now owned once more by the caller.
 *
 * Suspends: never. Threads: any. Cost: one atomic addition.
 * Source: own.  Since: 0.1
 */
CX__API cx_channel *cx_channel_ref(cx_channel *channel);

/**
 * Let go of a channel. With the last who does, the items that are in it are
 * forgotten.
 *
 * @param channel  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API void cx_channel_unref(cx_channel *channel);

/**
 * Put an item into a channel, waiting while it is full.
 *
 * @param channel  Borrowed.
 * @param item     Borrowed from the caller and handed to whoever gets it; NULL
 *                 is an item as well.
 * @return 0, or, with the item not in the channel,
 *   -EPIPE       it is closed, or was while this waited
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      channel is NULL
 *   -EPERM       this thread runs a loop, but no task called this
 *
 * Suspends: while it is full; outside of loops it blocks the thread. Threads:
 * any. Cost: a lock; some microseconds to wake another thread that waits.
 * Source: Go, ch <- item; Rust, SyncSender::send().  Since: 0.1
 */
CX__API int cx_channel_put(cx_channel *channel, void *item);

/**
 * Put an item into a channel that is not full.
 *
 * @param channel  Borrowed.
 * @param item     As for cx_channel_put().
 * @return 0, or, with the item not in the channel,
 *   -EAGAIN      it is full
 *   -EPIPE       it is closed
 *   -EINVAL      channel is NULL
 *
 * Suspends: never. Threads: any. Cost: as cx_channel_put().
 * Source: Rust, SyncSender::try_send().  Since: 0.1
 */
CX__API int cx_channel_try_put(cx_channel *channel, void *item);

/**
 * Get the first item of a channel, waiting for one.
 *
 * Items that were put before it was closed still come.
 *
 * @param channel  Borrowed.
 * @param item     Written on success.
 * @return 0, or, with no item taken,
 *   -EPIPE       it is closed and empty
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      channel or item is NULL
 *   -EPERM       this thread runs a loop, but no task called this
 *
 * Suspends: while it is empty; outside of loops it blocks the thread. Threads:
 * any. Cost: as cx_channel_put().
 * Source: Go, <-ch; Rust, Receiver::recv().  Since: 0.1
 */
CX__API int cx_channel_get(cx_channel *channel, void **item);

/**
 * Get the first item of a channel that is not empty.
 *
 * @param channel  Borrowed.
 * @param item     Written on success.
 * @return 0, or, with no item taken,
 *   -EAGAIN      it is empty
 *   -EPIPE       it is closed and empty
 *   -EINVAL      channel or item is NULL
 *
 * Suspends: never. Threads: any. Cost: as cx_channel_put().
 * Source: Rust, Receiver::try_recv().  Since: 0.1
 */
CX__API int cx_channel_try_get(cx_channel *channel, void **item);

/**
 * Close a channel: nothing more can be put, and who waits for an item that
 * will not come, or for room, is told so.
 *
 * @param channel  Borrowed; one that is closed stays so.
 * @return 0, or
 *   -EINVAL      channel is NULL
 *
 * Suspends: never. Threads: any. Cost: O(those who wait).
 * Source: Go, close(); asyncio, Queue.shutdown().  Since: 0.1
 */
CX__API int cx_channel_close(cx_channel *channel);

CX__END_DECLS

#endif
