/* SPDX-License-Identifier: MIT */
/*
 * The inbox. Its eventfd is written to, to wake the loop, with the lock held
 * that the loop takes before it looks: when the loop has a post, its sender is
 * done with the loop, which may then close, and a stranger that finds the
 * inbox open is not too late for the wake-up.
 *
 * A post that is not the first leaves the waking to the one that was. The
 * poller tells of each write, so that nobody need read.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

void cx__inbox_take(cx_loop *inbox)
{
    inbox_empty(inbox, false);
}

static int wake_open(cx_loop *inbox, struct cx__poller *poller)
{
    int error;

    inbox->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->wake < 0)
        return -errno;
    error = cx__poller_add_source(poller, inbox->wake, CX__FROM_INBOX);
    if (error != 0)
        (void)close(inbox->wake);
    return error;
}

cx_loop *cx__inbox_new(struct cx__poller *poller)
{
    cx_loop *inbox = calloc(1, sizeof(*inbox));
    int error = inbox != NULL ? wake_open(inbox, poller) : -ENOMEM;

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

void cx__inbox_close(cx_loop *inbox)
{
    (void)close(inbox->wake);
    cx_loop_unref(inbox);
}

/* Locked. */
static void inbox_put(cx_loop *inbox, struct cx__post *post)
{
    bool first = inbox->posts.head == NULL;

    cx__fifo_push(&inbox->posts, &post->link);
    if (first)
        (void)eventfd_write(inbox->wake, 1);
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
