/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that a stream, a listener or the like owns: who uses it now,
 * and its end while somebody does.
 */
#ifndef CTXVAR_TASK_ENDPOINT_H
#define CTXVAR_TASK_ENDPOINT_H

#include <ctxvar/fd.h>

#include "loop.h"

/*
 * One task reads and one writes at a time. When it is closed meanwhile, they
 * are woken, and the last to leave frees it.
 *
 *     open ---- close, nobody in it ----------------------> freed
 *       |                                                     ^
 *       +------ close ----> fd == -1 ---- the last leaves ----+
 */
struct cx__endpoint {
    struct cx__resource resource;
    struct cx__loop *loop;
    int fd;
    int users;       /* CX_READABLE: one reads; CX_WRITABLE: one writes */
    unsigned streak; /* operations since the last that let others run */
    void (*free)(struct cx__endpoint *endpoint);
};

/* Take a descriptor, of the running task's loop: 0, or the errors of
 * cx__poller_add(), and the descriptor is still the caller's. */
int cx__endpoint_open(struct cx__endpoint *endpoint, int fd,
                      void (*close)(struct cx__resource *resource),
                      void (*free)(struct cx__endpoint *endpoint));

void cx__endpoint_close(struct cx__endpoint *endpoint);

/* The running task begins to read or write: 0 or -EPERM, -EXDEV, -EBUSY, and
 * the errors of cx__wait_begin(). */
int cx__endpoint_begin(struct cx__endpoint *endpoint, int user);

/* It has done so. The endpoint may be gone. */
void cx__endpoint_end(struct cx__endpoint *endpoint, int user);

/* A system call has failed: wait if it was because it would have waited. 0:
 * try again; else its error, or that of the wait. */
int cx__endpoint_retry(struct cx__endpoint *endpoint, int user, int error);

#endif
