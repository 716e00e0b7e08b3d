/* SPDX-License-Identifier: MIT */
/*
 * The inbox of a loop: where other threads leave what is for it, and wake it.
 * It is also what they hold of a loop: struct cx__loop ends with its thread's
 * run, the inbox with the last who knows it.
 */
#ifndef CTXVAR_TASK_INBOX_H
#define CTXVAR_TASK_INBOX_H

#include <pthread.h>
#include <stdbool.h>

#include <ctxvar/loop.h>

#include "fifo.h"
#include "poller.h"

/* Something left for a loop; the sender's memory until it arrives. */
struct cx__post {
    struct cx__fifo_link link;
    void (*arrive)(struct cx__post *post); /* on the loop's thread */
};

/*
 *           shut                 close
 *   open ----------> shut ----------------> closed, and nobody sends
 *   any sender       only those that the
 *                    loop's tasks wait for
 */
struct cx_loop {
    uint32_t refs;        /* the loop's own, and cx_loop_ref()s */
    pthread_mutex_t lock; /* of what is below, and held to wake the loop */
    struct cx__fifo posts;
    bool shut;
    int wake; /* an eventfd, written to and never read */
};

/* An open inbox, which wakes a loop by its poller; NULL with errno. */
cx_loop *cx__inbox_new(struct cx__poller *poller);

/* Take what others have left. */
void cx__inbox_take(cx_loop *inbox);

/* Take nothing more from strangers; what they have left arrives now. */
void cx__inbox_shut(cx_loop *inbox);

/* Nobody will send any more, and the loop lets go of its inbox. */
void cx__inbox_close(cx_loop *inbox);

/* From any thread, while a task of the loop waits for the post. */
void cx__inbox_send(cx_loop *inbox, struct cx__post *post);

/* From any thread: 0 or -ESHUTDOWN. */
int cx__inbox_offer(cx_loop *inbox, struct cx__post *post);

#endif
