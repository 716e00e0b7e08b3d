/* SPDX-License-Identifier: MIT */
/* asyncio's queues and generators, in C: the rows of docs/asyncio.md on them.
 */
#include "row.h"

#include <ctxvar/broadcast.h>
#include <ctxvar/generator.h>
#include <ctxvar/queue.h>

static void *put_three(void *queue)
{
    for (intptr_t i = 1; i <= 3; i++)
        check(cx_queue_put(queue, as_pointer(i)) == 0);
    return as_pointer(cx_queue_close(queue));
}

static void put_and_get(void)
{
    cx_queue *queue = cx_queue_new(2); /* a third has to wait */
    cx_task *producer = cx_task_create(put_three, queue);
    void *item;

    for (intptr_t i = 1; i <= 3; i++) {
        check(cx_queue_get(queue, &item) == 0);
        check((intptr_t)item == i);
    }
    check(cx_await(producer, NULL) == 0);
    check(cx_queue_free(queue) == 0);
}

static void nowait(void)
{
    cx_queue *queue = cx_queue_new(1);
    void *item;

    check(cx_queue_try_get(queue, &item) == -EAGAIN);
    check(cx_queue_try_put(queue, NULL) == 0);
    check(cx_queue_try_put(queue, NULL) == -EAGAIN);
    check(cx_queue_len(queue) == 1);
    check(cx_queue_try_get(queue, &item) == 0);
    check(cx_queue_free(queue) == 0);
}

static void shutdown(void)
{
    cx_queue *queue = cx_queue_new(2);
    void *item;

    check(cx_queue_put(queue, NULL) == 0);
    check(cx_queue_close(queue) == 0);
    check(cx_queue_put(queue, NULL) == -EPIPE);
    check(cx_queue_get(queue, &item) == 0); /* what is in it still comes */
    check(cx_queue_get(queue, &item) == -EPIPE);
    check(cx_queue_free(queue) == 0);
}

static void select_queues(void)
{
    cx_queue_op ops[] = {{.queue = cx_queue_new(1)},
                         {.queue = cx_queue_new(1)}};

    check(cx_queue_put(ops[1].queue, as_pointer(7)) == 0);
    check(cx_queue_select(ops, 2) == 1);
    check((intptr_t)ops[1].item == 7);
    check(cx_queue_free(ops[0].queue) == 0);
    check(cx_queue_free(ops[1].queue) == 0);
}

static void broadcast(void)
{
    cx_broadcast *broadcast = cx_broadcast_new(4, NULL);
    cx_subscription *one = cx_subscription_new(broadcast);
    cx_subscription *other = cx_subscription_new(broadcast);
    void *item;

    check(cx_broadcast_put(broadcast, as_pointer(7)) == 0);
    check(cx_subscription_get(one, &item) == 0 && (intptr_t)item == 7);
    check(cx_subscription_get(other, &item) == 0 && (intptr_t)item == 7);
    check(cx_subscription_free(one) == 0);
    check(cx_subscription_free(other) == 0);
    check(cx_broadcast_free(broadcast) == 0);
}

static int count_down(cx_generator *generator, void *from)
{
    int error = 0;

    for (intptr_t i = (intptr_t)from; i > 0 && error == 0; i--) {
        (void)cx_sleep(1);
        error = cx_generate(generator, as_pointer(i));
    }
    return error;
}

static void async_for(void)
{
    cx_generator *generator = cx_generator_new(count_down, as_pointer(3));
    intptr_t seen = 0;
    void *value;

    while (cx_generator_next(generator, &value) == 1)
        seen = seen * 10 + (intptr_t)value;
    check(seen == 321);
    cx_generator_free(generator); /* early, too: it then cleans up */
}

int main(void)
{
    static struct row rows[] = {
        ROW(put_and_get), ROW(nowait),    ROW(shutdown), ROW(select_queues),
        ROW(broadcast),   ROW(async_for), {NULL, NULL},
    };

    return run_all(rows);
}
