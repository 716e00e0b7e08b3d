/* SPDX-License-Identifier: MIT */
/*
 * The inbox. uv_async_send() wakes and orders nothing: it looks at a flag,
 * unordered with what was written before. So it is called with the lock held
 * that the loop takes before it looks, and
 *
 * - a send that finds the loop's wake-up still to come can be sure that its
 *   post is seen by it: the flag was cleared before the loop took the lock;
 * - when the loop has the post, its sender is done with the loop, which may
 *   then close;
 * - a stranger that finds the inbox open is not too late for the wake-up.
 *
 * A post that is not the first leaves the waking to the one that was.
 */
#include <errno.h>
#include <stdlib.h>

#include "inbox.h"
#include "loop.h"

/* Empty the inbox, for good if so said. */
static void inbox_empty(cx_loop *inbox, bool shut)
{
    struct cx__fifo_link *next;

    (void)pthread_mutex_lock(&inbox->lock);
    inbox->shut |= shut;
    next = inbox->posts.head;
    cx__fifo_init(&inbox->posts);
    (void)pthread_mutex_unlock(&inbox->lock);
    while (next != NULL) {
        struct cx__post *post = CX__OWNER(next, struct cx__post, link);

        next = next->next;
        post->arrive(post);
    }
}

static void inbox_woken(uv_async_t *wake)
{
    inbox_empty(CX__OWNER(wake, cx_loop, wake), false);
}

cx_loop *cx__inbox_new(uv_loop_t *uv)
{
    cx_loop *inbox = calloc(1, sizeof(*inbox));
    int error =
        inbox != NULL ? uv_async_init(uv, &inbox->wake, inbox_woken) : -ENOMEM;

    if (error != 0) {
        free(inbox);
        errno = -error;
        return NULL;
    }
    inbox->refs = 1;
    (void)pthread_mutex_init(&inbox->lock, NULL);
    cx__fifo_init(&inbox->posts);
    return inbox;
}

void cx__inbox_shut(cx_loop *inbox)
{
    inbox_empty(inbox, true);
}

static void inbox_closed(uv_handle_t *wake)
{
    cx_loop_unref(CX__OWNER(wake, cx_loop, wake));
}

void cx__inbox_close(cx_loop *inbox)
{
    uv_close((uv_handle_t *)&inbox->wake, inbox_closed);
}

/* Locked. */
static void inbox_put(cx_loop *inbox, struct cx__post *post)
{
    bool first = inbox->posts.head == NULL;

    cx__fifo_push(&inbox->posts, &post->link);
    if (first)
        (void)uv_async_send(&inbox->wake);
}

void cx__inbox_send(cx_loop *inbox, struct cx__post *post)
{
    (void)pthread_mutex_lock(&inbox->lock);
    inbox_put(inbox, post);
    (void)pthread_mutex_unlock(&inbox->lock);
}

int cx__inbox_offer(cx_loop *inbox, struct cx__post *post)
{
    int error = 0;

    (void)pthread_mutex_lock(&inbox->lock);
    if (inbox->shut)
        error = -ESHUTDOWN;
    else
        inbox_put(inbox, post);
    (void)pthread_mutex_unlock(&inbox->lock);
    return error;
}

cx_loop *cx_loop_current(void)
{
    return cx__loop_here != NULL ? cx__loop_here->inbox : NULL;
}

cx_loop *cx_loop_ref(cx_loop *loop)
{
    if (loop != NULL)
        (void)__atomic_fetch_add(&loop->refs, 1, __ATOMIC_RELAXED);
    return loop;
}

void cx_loop_unref(cx_loop *loop)
{
    if (loop == NULL ||
        __atomic_fetch_sub(&loop->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    (void)pthread_mutex_destroy(&loop->lock);
    free(loop);
}
