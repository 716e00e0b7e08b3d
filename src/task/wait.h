/* SPDX-License-Identifier: MIT */
/*
 * Waiting: what every function that suspends is made of.
 *
 *     struct thing thing = {.wait.kind = &thing_kind, ...};
 *     int error = cx__wait_begin(task);
 *
 *     if (error != 0)
 *         return error;
 *     ...have cx__wake() called some time...
 *     return cx__wait(task, &thing.wait);
 */
#ifndef CTXVAR_TASK_WAIT_H
#define CTXVAR_TASK_WAIT_H

#include "deadline.h"
#include "loop.h"

/* What a task waits for. Lives on its stack, commonly in something larger. */
struct cx__wait {
    const struct cx__wait_kind *kind;
};

struct cx__wait_kind {
    const char *name; /* for dumps */
    /*
     * The task is cancelled, or its deadline has passed. True: nobody will
     * wake it any more, and the wait ends so. False: it is too late, and the
     * wake will come.
     */
    bool (*abandon)(struct cx__wait *wait);
};

/* Is the task cancelled, and not in a shield? */
static inline bool cx__is_cancelled(const cx_task *task)
{
    return task->cancelled && task->shields == 0;
}

/*
 * May the task wait? 0; -ECANCELED: it is cancelled; -ETIMEDOUT: its deadline
 * has passed. If not, it has let others run.
 */
int cx__wait_begin(cx_task *task);

/* Suspend the running task until it is woken; what it is woken with. */
static inline int cx__wait_untimed(cx_task *task, struct cx__wait *wait)
{
    task->state = CX__WAITING;
    task->wait = wait;
    task->since = task->loop->now;
    cx__loop_switch(task->loop, task);
    return task->woken_with;
}

/* The same, but no longer than until a time of uv_hrtime(), which gives 0, or
 * until the deadline of the context, which gives -ETIMEDOUT. */
int cx__wait_until(cx_task *task, struct cx__wait *wait, uint64_t due);

/* Suspend the running task until it is woken, or its deadline passes. */
static inline int cx__wait(cx_task *task, struct cx__wait *wait)
{
    return CX__LIKELY(cx__deadline_ms() == UINT64_MAX)
               ? cx__wait_untimed(task, wait)
               : cx__wait_until(task, wait, UINT64_MAX);
}

/* Make a waiting task ready, after those that are so already. */
void cx__wake(cx_task *task, int result);

/* cx_cancel(), for a task of this thread. */
void cx__task_cancel(cx_task *task);

#endif
