/* SPDX-License-Identifier: MIT */
/*
 * The inbox of a loop: where other threads leave what is for it, and wake it.
 */
#ifndef CTXVAR_TASK_INBOX_H
#define CTXVAR_TASK_INBOX_H

#include <pthread.h>
#include <uv.h>

#include "fifo.h"

/* Something left for a loop; the sender's memory until it arrives. */
struct cx__post {
    struct cx__fifo_link link;
    void (*arrive)(struct cx__post *post); /* on the loop's thread */
};

struct cx__inbox {
    pthread_mutex_t lock; /* of posts, and held to wake the loop */
    struct cx__fifo posts;
    uv_async_t wake;
};

/* 0, or a negative errno of libuv's. */
int cx__inbox_init(struct cx__inbox *inbox, uv_loop_t *uv);

/* Nobody will send any more. The loop runs once more after this. */
void cx__inbox_close(struct cx__inbox *inbox);
void cx__inbox_fini(struct cx__inbox *inbox);

/* From any thread. The inbox must last until the post has arrived. */
void cx__inbox_send(struct cx__inbox *inbox, struct cx__post *post);

#endif
