/* SPDX-License-Identifier: MIT */
/* Awaiting another task's end. */
#include <errno.h>

#include "debug.h"
#include "loop.h"
#include "wait.h"

struct await {
    struct cx__wait wait;
    cx_task *task; /* the one that waits */
};

/* Would the task, waiting for another, in the end wait for itself? */
static bool is_circle(const cx_task *task, const cx_task *other)
{
    while (other != NULL && other != task)
        other = other->awaiting;
    return other != NULL;
}

static int await_check(const cx_task *task, const cx_task *other)
{
    if (task == NULL)
        return -EPERM;
    if (other == NULL)
        return -EINVAL;
    if (other->loop != task->loop)
        return cx__wrong_thread("task");
    if (is_circle(task, other))
        return -EDEADLK;
    if (other->detached)
        return -EINVAL;
    return other->awaiter != NULL ? -EBUSY : 0;
}

static bool await_abandon(struct cx__wait *wait)
{
    cx_task *task = CX__OWNER(wait, struct await, wait)->task;

    task->awaiting->awaiter = NULL;
    task->awaiting = NULL;
    return true;
}

static const struct cx__wait_kind await_kind = {"end", await_abandon};

/* Wait until another task has ended: 0 or -ECANCELED. */
static int await_end(cx_task *task, cx_task *other)
{
    struct await await = {.wait.kind = &await_kind, .task = task};
    int error;

    task->awaiting = other;
    other->awaiter = task;
    error = cx__wait(task, &await.wait);
    task->awaiting = NULL;
    return error;
}

int cx_await(cx_task *task, void **result)
{
    cx_task *self = cx__task_running();
    int error = await_check(self, task);

    if (error == 0)
        error = cx__wait_begin(self);
    if (error == 0 && task->state != CX__ENDED)
        error = await_end(self, task);
    if (error != 0)
        return error;
    if (result != NULL)
        *result = task->value;
    cx__task_free(task);
    return 0;
}
