/* SPDX-License-Identifier: MIT */
/*
 * The inbox. uv_async_send() wakes and orders nothing: it looks at a flag,
 * unordered with what was written before. So it is called with the lock held
 * that the loop takes before it looks, and
 *
 * - a send that finds the loop's wake-up still to come can be sure that its
 *   post is seen by it: the flag was cleared before the loop took the lock;
 * - when the loop has the post, its sender is done with the loop, which may
 *   then close.
 *
 * A post that is not the first leaves the waking to the one that was.
 */
#include "inbox.h"
#include "list.h"

static void inbox_open(uv_async_t *wake)
{
    struct cx__inbox *inbox = CX__OWNER(wake, struct cx__inbox, wake);
    struct cx__fifo_link *next;

    (void)pthread_mutex_lock(&inbox->lock);
    next = inbox->posts.head;
    cx__fifo_init(&inbox->posts);
    (void)pthread_mutex_unlock(&inbox->lock);
    while (next != NULL) {
        struct cx__post *post = CX__OWNER(next, struct cx__post, link);

        next = next->next;
        post->arrive(post);
    }
}

int cx__inbox_init(struct cx__inbox *inbox, uv_loop_t *uv)
{
    int error = uv_async_init(uv, &inbox->wake, inbox_open);

    if (error != 0)
        return error;
    cx__fifo_init(&inbox->posts);
    return -pthread_mutex_init(&inbox->lock, NULL);
}

void cx__inbox_close(struct cx__inbox *inbox)
{
    uv_close((uv_handle_t *)&inbox->wake, NULL);
}

void cx__inbox_fini(struct cx__inbox *inbox)
{
    (void)pthread_mutex_destroy(&inbox->lock);
}

void cx__inbox_send(struct cx__inbox *inbox, struct cx__post *post)
{
    bool first;

    (void)pthread_mutex_lock(&inbox->lock);
    first = inbox->posts.head == NULL;
    cx__fifo_push(&inbox->posts, &post->link);
    if (first)
        (void)uv_async_send(&inbox->wake);
    (void)pthread_mutex_unlock(&inbox->lock);
}
