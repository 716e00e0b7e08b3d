/* SPDX-License-Identifier: MIT */
/*
 * Waiting: what every function that suspends is made of.
 *
 *     struct sleep sleep = {.wait.abandon = sleep_abandon, ...};
 *     int error = cx__wait_begin(task);
 *
 *     if (error != 0)
 *         return error;
 *     ...have cx__wake() called some time...
 *     return cx__wait(task, &sleep.wait);
 */
#ifndef CTXVAR_TASK_WAIT_H
#define CTXVAR_TASK_WAIT_H

#include "loop.h"

/* What a task waits for. Lives on its stack, commonly in something larger. */
struct cx__wait {
    /*
     * Somebody cancels the task. True: nobody will wake it any more, and the
     * wait gives -ECANCELED. False: it is too late, and the wake will come.
     */
    bool (*abandon)(struct cx__wait *wait);
};

/* 0: the task may wait; -ECANCELED: it is cancelled, and has let others run. */
int cx__wait_begin(cx_task *task);

/* Suspend the running task until it is woken; what it is woken with. */
static inline int cx__wait(cx_task *task, struct cx__wait *wait)
{
    task->state = CX__WAITING;
    task->wait = wait;
    cx__loop_switch(task->loop, task);
    return task->woken_with;
}

/* Make a waiting task ready, after those that are so already. */
void cx__wake(cx_task *task, int result);

/* cx_cancel(), for a task of this thread. */
void cx__task_cancel(cx_task *task);

#endif
