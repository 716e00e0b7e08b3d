/* SPDX-License-Identifier: MIT */
/*
 * Queues. An item goes straight to a getter that waits; one that a putter
 * waits with moves in as soon as there is room, so that items come out in the
 * order in which their puts began.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
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
    int error;

    if (queue == NULL)
        return 0;
    error = cx__waiters_end(&queue->getters);
    if (error == 0)
        error = cx__waiters_end(&queue->putters);
    if (error != 0)
        return error;
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

/* A number below n. Turns that are counted would not do: tasks that select by
 * turns might each find the same one first for ever. */
static size_t draw(size_t n)
{
    static CX__THREAD_LOCAL uint32_t state = 1;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % n;
}

/* Do one of several operations that can be done now: which, or -EAGAIN. Each
 * call begins to look at any of them, so that none is left out for ever. */
static int select_now(cx_queue_op ops[], size_t n)
{
    size_t first = draw(n);

    for (size_t i = 0; i < n; i++) {
        size_t at = first + i < n ? first + i : first + i - n;
        cx_queue_op *op = &ops[at];
        int error =
            op->put ? put(op->queue, op->item) : get(op->queue, &op->item);

        if (error == -EAGAIN)
            continue;
        op->error = error;
        return (int)at;
    }
    return -EAGAIN;
}

static int select_check(const cx_queue_op ops[], size_t n)
{
    if (ops == NULL || n == 0)
        return -EINVAL;
    if (n > CX__WAIT_ANY_MOST)
        return -E2BIG;
    for (size_t i = 0; i < n; i++) {
        int error = ops[i].queue != NULL
                        ? cx__waiters_check(&ops[i].queue->getters)
                        : -EINVAL;

        if (error != 0)
            return error;
    }
    return 0;
}

int cx_queue_try_select(cx_queue_op ops[], size_t n)
{
    int error = select_check(ops, n);

    return error == 0 ? select_now(ops, n) : error;
}

/* Wait for all of them, until one is done. */
static int select_wait(cx_queue_op ops[], size_t n)
{
    struct cx__waiters *waiters[CX__WAIT_ANY_MOST];
    void **items[CX__WAIT_ANY_MOST];
    size_t chosen = 0;
    int error;

    for (size_t i = 0; i < n; i++) {
        waiters[i] =
            ops[i].put ? &ops[i].queue->putters : &ops[i].queue->getters;
        items[i] = &ops[i].item;
    }
    error = cx__waiters_wait_any(waiters, items, n, &chosen);
    if (error != 0 && error != -EPIPE)
        return error;
    ops[chosen].error = error;
    return (int)chosen;
}

int cx_queue_select(cx_queue_op ops[], size_t n)
{
    cx_task *task = cx__task_running();
    int result = task != NULL ? select_check(ops, n) : -EPERM;

    if (result == 0)
        result = cx__wait_begin(task);
    if (result == 0)
        result = select_now(ops, n);
    return result == -EAGAIN ? select_wait(ops, n) : result;
}
