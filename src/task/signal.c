/* SPDX-License-Identifier: MIT */
/* Signals: libuv catches and counts them, a task waits for the count. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <ctxvar/signal.h>

#include "debug.h"
#include "wait.h"

/* waiter: the task that waits, until it runs again */
struct cx_signal {
    struct cx__resource resource;
    uv_signal_t handle;
    struct cx__wait wait;
    struct cx__loop *loop;
    cx_task *waiter;
    int count; /* not told yet */
};

static void signal_came(uv_signal_t *handle, int signum)
{
    cx_signal *caught = CX__OWNER(handle, cx_signal, handle);

    (void)signum;
    caught->count++;
    if (caught->waiter != NULL && caught->waiter->state == CX__WAITING)
        cx__wake(caught->waiter, 0);
}

static void signal_close(struct cx__resource *resource)
{
    (void)cx_signal_close(CX__OWNER(resource, cx_signal, resource));
}

/* Where a handler returns, what raised it is done again. */
static bool is_fault(int signum)
{
    return signum == SIGSEGV || signum == SIGBUS || signum == SIGFPE ||
           signum == SIGILL;
}

int cx_signal_open(int signum, cx_signal **caught)
{
    cx_task *task = cx__task_running();
    cx_signal *opened;
    int error;

    if (task == NULL)
        return -EPERM;
    if (caught == NULL || is_fault(signum))
        return -EINVAL;
    opened = calloc(1, sizeof(*opened));
    if (opened == NULL)
        return -ENOMEM;
    opened->loop = task->loop;
    cx__resource_add(&task->loop->resources, &opened->resource, signal_close);
    (void)uv_signal_init(cx__loop_uv(task->loop), &opened->handle);
    uv_unref((uv_handle_t *)&opened->handle);
    error = uv_signal_start(&opened->handle, signal_came, signum);
    if (error != 0)
        (void)cx_signal_close(opened);
    else
        *caught = opened;
    return error;
}

static bool signal_abandon(struct cx__wait *wait)
{
    (void)wait;
    return true;
}

static const struct cx__wait_kind signal_kind = {"signal", signal_abandon};

int cx_signal_wait(cx_signal *caught)
{
    cx_task *task = cx__task_running();
    int error, count;

    if (task == NULL)
        return -EPERM;
    if (caught == NULL)
        return -EINVAL;
    if (caught->loop != task->loop)
        return cx__wrong_thread("signal");
    if (caught->waiter != NULL)
        return -EBUSY;
    error = cx__wait_begin(task);
    if (error == 0 && caught->count == 0) {
        caught->waiter = task;
        caught->wait.kind = &signal_kind;
        error = cx__wait(task, &caught->wait);
        caught->waiter = NULL;
    }
    if (error != 0)
        return error;
    count = caught->count;
    caught->count = 0;
    return count;
}

static void signal_free(uv_handle_t *handle)
{
    free(CX__OWNER((uv_signal_t *)handle, cx_signal, handle));
}

int cx_signal_close(cx_signal *caught)
{
    if (caught == NULL)
        return 0;
    if (caught->loop != cx__loop_here)
        return cx__wrong_thread("signal");
    if (caught->waiter != NULL)
        return -EBUSY;
    cx__resource_remove(&caught->resource);
    (void)cx__loop_uv(caught->loop);
    uv_close((uv_handle_t *)&caught->handle, signal_free);
    return 0;
}
