/* SPDX-License-Identifier: MIT */
/* Waiting for a descriptor of somebody else's. */
#include <errno.h>
#include <fcntl.h>

#include <ctxvar/fd.h>

#include "loop.h"
#include "wait.h"

int cx_fd_add(int fd)
{
    if (cx__loop_here == NULL)
        return -EPERM;
    if (fcntl(fd, F_GETFD) < 0)
        return -EBADF;
    return cx__poller_keep(cx__loop_here, fd);
}

void cx_fd_remove(int fd)
{
    if (cx__loop_here != NULL)
        cx__poller_drop(cx__loop_here, fd);
}

int cx_fd_wait(int fd, int events)
{
    cx_task *task = cx__task_running();
    int error;

    if (task == NULL)
        return -EPERM;
    if (events == 0 || (events & ~(CX_READABLE | CX_WRITABLE)) != 0)
        return -EINVAL;
    error = cx__wait_begin(task);
    if (error == 0)
        error = cx__poller_arm(task->loop, fd, events);
    if (error == -EPERM)
        return events;
    return error == 0 ? cx__poller_wait(fd, events) : error;
}
