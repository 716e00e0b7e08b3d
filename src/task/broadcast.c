/* SPDX-License-Identifier: MIT */
/*
 * Broadcasts. Items are numbered in the order in which they were put; the
 * last of them are kept in a ring, and a subscription is the number of the
 * item that it gets next:
 *
 *     lost             kept                       to come
 *     ..., sent - limit | sent - limit, ..., sent - 1 | sent, ...
 *            ^                      ^                   ^
 *            has lost some          is behind           waits
 *
 * One that waits is handed its item at the put, so that neither a cancel nor
 * newer items come between.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <ctxvar/broadcast.h>

#include "waiters.h"

/* An item that is kept. */
struct slot {
    void *item;
    size_t owed; /* subscriptions that have yet to get it; 0: not held */
};

/*
 * waiters      of subscriptions whose next == sent
 * slots[n % limit] is item n's, for the last `limit` of those put
 */
struct cx_broadcast {
    struct cx__waiters waiters;
    const cx_type *type;
    size_t subscriptions;
    uint64_t sent;
    bool closed;
    size_t limit;
    struct slot slots[];
};

struct cx_subscription {
    cx_broadcast *broadcast;
    uint64_t next;
    bool busy; /* a task is in cx_subscription_get() */
};

static int check(size_t limit, const cx_type *type)
{
    if (limit == 0 || (type != NULL && type->unref != NULL && !type->ref))
        return -EINVAL;
    return limit < SIZE_MAX / 2 / sizeof(struct slot) ? 0 : -ENOMEM;
}

cx_broadcast *cx_broadcast_new(size_t limit, const cx_type *type)
{
    cx_broadcast *broadcast = NULL;
    int error = check(limit, type);

    if (error == 0) {
        broadcast = calloc(1, sizeof(*broadcast) + limit * sizeof(struct slot));
        error = broadcast != NULL
                    ? cx__waiters_init(&broadcast->waiters, "broadcast")
                    : -ENOMEM;
    }
    if (error != 0) {
        free(broadcast);
        errno = -error;
        return NULL;
    }
    broadcast->type = type;
    broadcast->limit = limit;
    return broadcast;
}

int cx_broadcast_free(cx_broadcast *broadcast)
{
    int error = broadcast != NULL ? cx__waiters_end(&broadcast->waiters) : 0;

    if (error == 0 && broadcast != NULL && broadcast->subscriptions > 0)
        error = -EBUSY;
    if (error == 0)
        free(broadcast);
    return error;
}

/* Turn an item that is put into one that is held. */
static int item_take(const cx_type *type, void **item)
{
    if (*item == NULL || type == NULL)
        return 0;
    if (type->take != NULL) {
        *item = type->take(*item);
        return *item != NULL ? 0 : -ENOMEM;
    }
    if (type->ref != NULL)
        type->ref(*item);
    return 0;
}

static void item_ref(const cx_type *type, void *item)
{
    if (item != NULL && type != NULL && type->ref != NULL)
        type->ref(item);
}

static void item_unref(const cx_type *type, void *item)
{
    if (item != NULL && type != NULL && type->unref != NULL)
        type->unref(item);
}

static struct slot *slot_of(cx_broadcast *broadcast, uint64_t number)
{
    return &broadcast->slots[number % broadcast->limit];
}

/* One of those who are owed an item gets it; the last of them, the slot's own
 * hold on it. */
static void *slot_give(const cx_broadcast *broadcast, struct slot *slot)
{
    if (--slot->owed > 0)
        item_ref(broadcast->type, slot->item);
    return slot->item;
}

/* An item that was taken is for all. */
static void put(cx_broadcast *broadcast, void *item)
{
    struct slot *slot = slot_of(broadcast, broadcast->sent++);
    struct slot old = *slot;

    *slot = (struct slot){item, broadcast->subscriptions};
    while (cx__waiters_any(&broadcast->waiters)) {
        void *given = slot_give(broadcast, slot);

        *cx__waiters_wake(&broadcast->waiters, 0) = given;
    }
    /* Last, since it may call anything. */
    if (old.owed > 0)
        item_unref(broadcast->type, old.item);
}

int cx_broadcast_put(cx_broadcast *broadcast, void *item)
{
    int error =
        broadcast != NULL ? cx__waiters_check(&broadcast->waiters) : -EINVAL;

    if (error == 0 && broadcast->closed)
        error = -EPIPE;
    if (error != 0 || broadcast->subscriptions == 0)
        return error;
    error = item_take(broadcast->type, &item);
    if (error == 0)
        put(broadcast, item);
    return error;
}

int cx_broadcast_close(cx_broadcast *broadcast)
{
    int error =
        broadcast != NULL ? cx__waiters_check(&broadcast->waiters) : -EINVAL;

    if (error == 0) {
        broadcast->closed = true;
        cx__waiters_wake_all(&broadcast->waiters, -EPIPE);
    }
    return error;
}

cx_subscription *cx_subscription_new(cx_broadcast *broadcast)
{
    int error =
        broadcast != NULL ? cx__waiters_check(&broadcast->waiters) : -EINVAL;
    cx_subscription *subscription =
        error == 0 ? malloc(sizeof(*subscription)) : NULL;

    if (subscription == NULL) {
        errno = error != 0 ? -error : ENOMEM;
        return NULL;
    }
    *subscription =
        (cx_subscription){.broadcast = broadcast, .next = broadcast->sent};
    broadcast->subscriptions++;
    return subscription;
}

/* Get without waiting; -EAGAIN: there is none. */
static int get(cx_subscription *subscription, void **item)
{
    cx_broadcast *broadcast = subscription->broadcast;
    uint64_t behind = broadcast->sent - subscription->next;

    if (behind > broadcast->limit) {
        subscription->next = broadcast->sent - broadcast->limit;
        return -EOVERFLOW;
    }
    if (behind == 0)
        return broadcast->closed ? -EPIPE : -EAGAIN;
    *item = slot_give(broadcast, slot_of(broadcast, subscription->next++));
    return 0;
}

int cx_subscription_free(cx_subscription *subscription)
{
    cx_broadcast *broadcast;
    void *item;
    int error;

    if (subscription == NULL)
        return 0;
    if (subscription->busy)
        return -EBUSY;
    broadcast = subscription->broadcast;
    error = cx__waiters_check(&broadcast->waiters);
    if (error != 0)
        return error;
    while ((error = get(subscription, &item)) == 0 || error == -EOVERFLOW) {
        if (error == 0)
            item_unref(broadcast->type, item);
    }
    broadcast->subscriptions--;
    free(subscription);
    return 0;
}

/* Whoever is woken has the item; the subscription stays, since it is busy. */
static int wait_for_item(cx_subscription *subscription, void **item)
{
    int error;

    subscription->busy = true;
    error = cx__waiters_wait(&subscription->broadcast->waiters, item);
    subscription->busy = false;
    subscription->next += error == 0;
    return error;
}

int cx_subscription_get(cx_subscription *subscription, void **item)
{
    int error = subscription != NULL && item != NULL
                    ? cx__waiters_begin(&subscription->broadcast->waiters)
                    : -EINVAL;

    if (error == 0)
        error = subscription->busy ? -EBUSY : get(subscription, item);
    return error == -EAGAIN ? wait_for_item(subscription, item) : error;
}

int cx_subscription_try_get(cx_subscription *subscription, void **item)
{
    int error = subscription != NULL && item != NULL
                    ? cx__waiters_check(&subscription->broadcast->waiters)
                    : -EINVAL;

    if (error != 0)
        return error;
    return subscription->busy ? -EBUSY : get(subscription, item);
}
