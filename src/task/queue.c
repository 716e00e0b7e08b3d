/* SPDX-License-Identifier: MIT */
/*
 * Queues. An item goes straight to a getter that waits; one that a putter
 * waits with moves in as soon as there is room, so that items come out in the
 * order in which their puts began.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/queue.h>

#include "waiters.h"

/*
 * len > 0               => nobody waits in getters
 * somebody is in putters => len == limit
 * closed                 => nobody waits
 * items is a ring of `room` places, the first at `first`
 */
struct cx_queue {
    struct cx__waiters getters;
    struct cx__waiters putters;
    size_t limit;
    size_t room;
    size_t first;
    size_t len;
    bool closed;
    void **items;
};

cx_queue *cx_queue_new(size_t limit)
{
    cx_queue *queue = calloc(1, sizeof(*queue));
    int error = queue != NULL
                    ? cx__waiters_init(&queue->getters, "queue with an item")
                    : -ENOMEM;

    if (error == 0)
        error = cx__waiters_init(&queue->putters, "queue with room");
    if (error != 0) {
        free(queue);
        errno = -error;
        return NULL;
    }
    queue->limit = limit != 0 ? limit : SIZE_MAX;
    return queue;
}

int cx_queue_free(cx_queue *queue)
{
    if (queue == NULL)
        return 0;
    if (cx__waiters_any(&queue->getters) || cx__waiters_any(&queue->putters))
        return -EBUSY;
    free(queue->items);
    free(queue);
    return 0;
}

/* The place of the i-th item. */
static size_t place(const cx_queue *queue, size_t i)
{
    size_t at = queue->first + i;

    return at < queue->room ? at : at - queue->room;
}

/* Room for one more item. */
static int queue_reserve(cx_queue *queue)
{
    size_t room = queue->room != 0 ? queue->room * 2 : 8;
    void **items;

    if (queue->len < queue->room)
        return 0;
    items = malloc(room * sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < queue->len; i++)
        items[i] = queue->items[place(queue, i)];
    free(queue->items);
    queue->items = items;
    queue->room = room;
    queue->first = 0;
    return 0;
}

static void push(cx_queue *queue, void *item)
{
    assert(queue->len < queue->room);
    queue->items[place(queue, queue->len++)] = item;
}

static void *pop(cx_queue *queue)
{
    void *item = queue->items[queue->first];

    queue->first = place(queue, 1);
    queue->len--;
    if (cx__waiters_any(&queue->putters))
        push(queue, *cx__waiters_wake(&queue->putters, 0));
    return item;
}

/* Put without waiting; -EAGAIN: it is full. */
static int put(cx_queue *queue, void *item)
{
    int error;

    if (queue->closed)
        return -EPIPE;
    if (cx__waiters_any(&queue->getters)) {
        *cx__waiters_wake(&queue->getters, 0) = item;
        return 0;
    }
    if (queue->len >= queue->limit)
        return -EAGAIN;
    error = queue_reserve(queue);
    if (error == 0)
        push(queue, item);
    return error;
}

int cx_queue_put(cx_queue *queue, void *item)
{
    int error = queue != NULL ? cx__waiters_begin(&queue->putters) : -EINVAL;

    if (error == 0)
        error = put(queue, item);
    return error == -EAGAIN ? cx__waiters_wait(&queue->putters, &item) : error;
}

int cx_queue_try_put(cx_queue *queue, void *item)
{
    int error = queue != NULL ? cx__waiters_check(&queue->putters) : -EINVAL;

    return error == 0 ? put(queue, item) : error;
}

/* Get without waiting; -EAGAIN: it is empty. */
static int get(cx_queue *queue, void **item)
{
    if (queue->len == 0)
        return queue->closed ? -EPIPE : -EAGAIN;
    *item = pop(queue);
    return 0;
}

int cx_queue_get(cx_queue *queue, void **item)
{
    int error = queue != NULL && item != NULL
                    ? cx__waiters_begin(&queue->getters)
                    : -EINVAL;

    if (error == 0)
        error = get(queue, item);
    return error == -EAGAIN ? cx__waiters_wait(&queue->getters, item) : error;
}

int cx_queue_try_get(cx_queue *queue, void **item)
{
    int error = queue != NULL && item != NULL
                    ? cx__waiters_check(&queue->getters)
                    : -EINVAL;

    return error == 0 ? get(queue, item) : error;
}

int cx_queue_close(cx_queue *queue)
{
    int error = queue != NULL ? cx__waiters_check(&queue->getters) : -EINVAL;

    if (error == 0) {
        queue->closed = true;
        cx__waiters_wake_all(&queue->getters, -EPIPE);
        cx__waiters_wake_all(&queue->putters, -EPIPE);
    }
    return error;
}

size_t cx_queue_len(const cx_queue *queue)
{
    return queue != NULL ? queue->len : 0;
}
