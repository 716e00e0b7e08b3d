/* SPDX-License-Identifier: MIT */
/*
 * Broadcasts: one item for many, between the tasks of one loop. Each
 * subscription gets every item that is put from then on, in order.
 *
 * A put never waits. A broadcast keeps so many items, and a subscription that
 * falls behind by more loses the oldest and is told so: if the putter waited
 * instead, one subscriber that stalls would stop all the others with it.
 */
#ifndef CTXVAR_BROADCAST_H
#define CTXVAR_BROADCAST_H

#include <stddef.h>

#include <ctxvar/task.h>
#include <ctxvar/var.h>

CX__BEGIN_DECLS

/** Items on their way from some tasks to many. */
typedef struct cx_broadcast cx_broadcast;

/** One of the many. */
typedef struct cx_subscription cx_subscription;

/**
 * Make a broadcast that nobody has subscribed to.
 *
 * @param limit  How many items a subscription may be behind.
 * @param type   Borrowed for the broadcast's life: how items are owned. Each
 *               is taken once when it is put, and held once for each who gets
 *               it. NULL: plain pointers, borrowed.
 * @return the broadcast, owned by the caller, or NULL with errno
 *   EINVAL       limit is 0, or the type has unref without ref
 *   ENOMEM       no memory
 *   EPERM        this thread runs no loop
 *
 * Suspends: never. Threads: a loop's.
 * Cost: one allocation, of limit places.
 * Source: tokio::sync::broadcast::channel().  Since: 0.1
 */
CX__API cx_broadcast *cx_broadcast_new(size_t limit, const cx_type *type);

/**
 * Free a broadcast.
 *
 * @param broadcast  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       it has subscriptions
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_broadcast_free(cx_broadcast *broadcast);

/**
 * Put an item, for each subscription there is now.
 *
 * Without subscriptions it is not taken. It is let go of as soon as all have
 * got it, or when it makes room for a newer one.
 *
 * @param broadcast  Borrowed.
 * @param item       Taken, as the broadcast's type says; NULL is an item as
 *                   well.
 * @return 0, or, with nobody getting it,
 *   -EPIPE       it is closed
 *   -ENOMEM      the type could not take the item
 *   -EINVAL      broadcast is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(waiting tasks).
 * Source: tokio::sync::broadcast, Sender::send().  Since: 0.1
 */
CX__API int cx_broadcast_put(cx_broadcast *broadcast, void *item);

/**
 * Close a broadcast: nothing more can be put, and who waits for an item that
 * will not come is told so.
 *
 * @param broadcast  Borrowed; one that is closed stays so.
 * @return 0, or
 *   -EINVAL      broadcast is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that it was made on.
 * Cost: O(waiting tasks).
 * Source: tokio::sync::broadcast, the last Sender's drop.  Since: 0.1
 */
CX__API int cx_broadcast_close(cx_broadcast *broadcast);

/**
 * Subscribe to a broadcast: to all that is put from now on.
 *
 * @param broadcast  Borrowed; it cannot be freed before the subscription.
 * @return the subscription, owned by the caller, or NULL with errno
 *   EINVAL       broadcast is NULL
 *   ENOMEM       no memory
 *   EXDEV        it is another thread's
 *
 * Suspends: never. Threads: the loop's that the broadcast was made on.
 * Cost: one allocation.
 * Source: tokio::sync::broadcast, Sender::subscribe().  Since: 0.1
 */
CX__API cx_subscription *cx_subscription_new(cx_broadcast *broadcast);

/**
 * End a subscription, and forget the items that it has yet to get.
 *
 * @param subscription  Owned, given up on success; NULL is ignored.
 * @return 0, or, with nothing freed,
 *   -EBUSY       a task is getting an item
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that the broadcast was made on.
 * Cost: O(items that it has yet to get).
 * Source: tokio::sync::broadcast, Receiver's drop.  Since: 0.1
 */
CX__API int cx_subscription_free(cx_subscription *subscription);

/**
 * Get the next item of a subscription, waiting for one.
 *
 * Items that were put before the broadcast was closed still come.
 *
 * @param subscription  Borrowed.
 * @param item          Written on success; if the broadcast has a type, held
 *                      for the caller, who lets go of it with type->unref.
 * @return 0, or, with no item got,
 *   -EOVERFLOW   it was behind by more than the broadcast keeps: items were
 *                lost, and the next one is the oldest that is kept
 *   -EPIPE       the broadcast is closed, and there are no more items
 *   -EBUSY       another task is getting an item
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed
 *   -EINVAL      subscription or item is NULL
 *   -EXDEV       it is another thread's
 *   -EPERM       not called within a task
 *
 * Suspends: while there is none. Threads: a loop's, within a task.
 * Cost: O(1).
 * Source: tokio::sync::broadcast, Receiver::recv().  Since: 0.1
 */
CX__API int cx_subscription_get(cx_subscription *subscription, void **item);

/**
 * Get the next item of a subscription that has one.
 *
 * @param subscription  Borrowed.
 * @param item          As for cx_subscription_get().
 * @return 0, or, with no item got,
 *   -EAGAIN      there is none
 *   -EOVERFLOW   items were lost, as for cx_subscription_get()
 *   -EPIPE       the broadcast is closed, and there are no more items
 *   -EBUSY       a task is getting an item
 *   -EINVAL      subscription or item is NULL
 *   -EXDEV       it is another thread's
 *
 * Suspends: never. Threads: the loop's that the broadcast was made on.
 * Cost: O(1).
 * Source: tokio::sync::broadcast, Receiver::try_recv().  Since: 0.1
 */
CX__API int cx_subscription_try_get(cx_subscription *subscription, void **item);

CX__END_DECLS

#endif
