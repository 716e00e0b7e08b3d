/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors: which of them can be read or written.
 *
 * The rule of whoever owns a descriptor: try the system call first, and wait
 * only when that says EAGAIN.
 */
#ifndef CTXVAR_TASK_POLLER_H
#define CTXVAR_TASK_POLLER_H

#include <stdbool.h>
#include <stddef.h>

#include <ctxvar/fd.h>

struct cx__loop;

struct cx__watched;

struct cx__poller {
    int epoll;
    struct cx__watched *watched; /* by descriptor */
    size_t room;
};

/* 0 or a negative errno. */
int cx__poller_init(struct cx__poller *poller);
void cx__poller_fini(struct cx__poller *poller);

/* What wakes a loop besides the descriptors of its tasks. */
enum cx__source {
    CX__FROM_INBOX = -1, /* edge-triggered: nobody reads it */
    CX__FROM_UV = -2
};
int cx__poller_add_source(struct cx__poller *poller, int fd,
                          enum cx__source source);

/* Wait until something is ready, or for so many milliseconds, -1 for ever; and
 * wake those who wait for it. */
void cx__poller_poll(struct cx__loop *loop, int timeout);

/*
 * Have a descriptor watched, before anything waits for it. 0; -ENOMEM,
 * -EMFILE, -ENOSPC and the like. -EPERM: it is a file, which is always ready.
 */
int cx__poller_add(struct cx__loop *loop, int fd);

/*
 * The same for one wait for these events, before each wait for a descriptor
 * of somebody else's: the kernel then tells what it is ready for by now.
 */
int cx__poller_arm(struct cx__loop *loop, int fd, int events);

/*
 * Keep a descriptor of somebody else's until it is dropped: what it was armed
 * for it stays armed for, so that most waits need not arm it. 0; -EEXIST,
 * -ENOMEM.
 */
int cx__poller_keep(struct cx__loop *loop, int fd);

/* The end of that, or of having been armed for a wait. */
void cx__poller_drop(struct cx__loop *loop, int fd);

/* A watched descriptor is about to be closed: who waits for it gets -EBADF. */
void cx__poller_remove(struct cx__loop *loop, int fd);

/*
 * Suspend the running task until a watched descriptor that has said EAGAIN is
 * ready: for which of the events it is, CX_READABLE and CX_WRITABLE, or the
 * errors of cx__wait(); -EBUSY: another task waits for one of them.
 * cx__wait_begin() is the caller's.
 */
int cx__poller_wait(int fd, int events);

/*
 * A watched stream socket has given all that it had, which saves the system
 * call that would say EAGAIN; and, is it so still?
 */
void cx__poller_drained(struct cx__loop *loop, int fd);
bool cx__poller_is_drained(const struct cx__loop *loop, int fd);

#endif
