/* SPDX-License-Identifier: MIT */
/* The descriptors of streams and listeners. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "debug.h"
#include "endpoint.h"
#include "wait.h"

/*
 * After so many operations that did not have to wait, a task lets the others
 * run: a peer that never stops sending must not have the loop to itself.
 */
enum { STREAK_MOST = 64 };

static int make_nonblocking(int fd, int flags)
{
    if (flags < 0)
        return -errno;
    if ((flags & O_NONBLOCK) != 0)
        return 0;
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : -errno;
}

int cx__endpoint_open(struct cx__endpoint *endpoint, int fd,
                      void (*close)(struct cx__resource *resource),
                      void (*free)(struct cx__endpoint *endpoint))
{
    struct cx__loop *loop = cx__task_running()->loop;
    int flags = fcntl(fd, F_GETFL);
    int error = make_nonblocking(fd, flags);

    if (error != 0)
        return error;
    error = cx__poller_add(loop, fd);
    if (error != 0) {
        (void)fcntl(fd, F_SETFL, flags);
        return error;
    }
    *endpoint = (struct cx__endpoint){.loop = loop, .fd = fd, .free = free};
    cx__resource_add(&loop->resources, &endpoint->resource, close);
    return 0;
}

void cx__endpoint_close(struct cx__endpoint *endpoint)
{
    cx__resource_remove(&endpoint->resource);
    cx__poller_remove(endpoint->loop, endpoint->fd);
    (void)close(endpoint->fd);
    endpoint->fd = -1;
    if (endpoint->users == 0)
        endpoint->free(endpoint);
}

int cx__endpoint_begin(struct cx__endpoint *endpoint, int user)
{
    cx_task *task = cx__task_running();
    int error;

    if (task == NULL)
        return -EPERM;
    if (endpoint->loop != task->loop)
        return cx__wrong_thread("descriptor");
    if ((endpoint->users & user) != 0)
        return -EBUSY;
    endpoint->users |= user;
    error = cx__wait_begin(task);
    if (error == 0 && ++endpoint->streak >= STREAK_MOST) {
        endpoint->streak = 0;
        error = cx_yield();
    }
    if (error == 0 && endpoint->fd < 0)
        error = -EBADF;
    if (error != 0)
        cx__endpoint_end(endpoint, user);
    return error;
}

void cx__endpoint_end(struct cx__endpoint *endpoint, int user)
{
    endpoint->users &= ~user;
    if (endpoint->users == 0 && endpoint->fd < 0)
        endpoint->free(endpoint);
}

int cx__endpoint_retry(struct cx__endpoint *endpoint, int user, int error)
{
    int ready;

    if (error == EINTR)
        return 0;
    if (error != EAGAIN)
        return -error;
    endpoint->streak = 0;
    ready = cx__poller_wait(endpoint->fd, user);
    if (ready < 0)
        return ready;
    return endpoint->fd >= 0 ? 0 : -EBADF;
}
