/* SPDX-License-Identifier: MIT */
/*
 * Executors from the inside: jobs, the queue they wait in, the threads.
 */
#ifndef CTXVAR_TASK_EXECUTOR_H
#define CTXVAR_TASK_EXECUTOR_H

#include <ctxvar/executor.h>

#include "list.h"

/*
 * Something for a worker to run.
 *
 *             submit            a worker takes it
 *   (new) -------------> QUEUED ------------------> run() is called, and the
 *                          |                        job is its caller's again
 *                          | withdraw
 *                          v
 *                        (new)
 */
struct cx__job {
    struct cx__list link; /* in the executor's queue, while QUEUED */
    bool queued;          /* under the executor's lock */
    void (*run)(struct cx__job *job); /* on a worker; may end job's life */
};

/* 0; -ENOBUFS, -ESHUTDOWN, or -EAGAIN and the like: no thread can be had. */
int cx__executor_submit(cx_executor *executor, struct cx__job *job);

/* Take a job back. False: a worker has it. */
bool cx__executor_withdraw(cx_executor *executor, struct cx__job *job);

/* The default pool, made at need; NULL with errno. */
cx_executor *cx__executor_default(void);

#endif
