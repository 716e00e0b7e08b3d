/* SPDX-License-Identifier: MIT */
/*
 * Executors: threads for what blocks or computes, so that a loop need not
 * wait for it. Jobs are given to them by cx_run_in_executor() of
 * <ctxvar/task.h>.
 *
 * Every job runs in a copy of the context that it was submitted in, taken at
 * that moment. What it sets is seen by nobody after.
 */
#ifndef CTXVAR_EXECUTOR_H
#define CTXVAR_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <ctxvar/platform.h>

CX__BEGIN_DECLS

/** A pool of threads with one queue, first in, first out. */
typedef struct cx_executor cx_executor;

/** What a pool is to be like; zero members are the defaults. */
typedef struct cx_executor_options {
    /** How many threads at most; 0: as many as processors and four more, 32
     *  at most. They are made as they are needed. */
    unsigned threads;
    /** Copied; what the threads are called, cut off after 15 bytes. */
    const char *name;
    /** How many jobs may wait for a thread; 0: any number. */
    size_t queue_limit;
    /** How much the threads give way to others where processors are scarce, so
     *  that the loop goes on: from 0 to 19, as nice(2). */
    int nice;
} cx_executor_options;

/**
 * Make a pool of threads. None is started yet.
 *
 * @param options  Borrowed for the call; NULL: the defaults.
 * @return the executor, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *
 * Suspends: never. Threads: any. Cost: one allocation.
 * Source: Python, ThreadPoolExecutor().  Since: 0.1
 */
CX__API cx_executor *cx_executor_new(const cx_executor_options *options);

/**
 * Run the jobs that are queued, end the threads and free a pool.
 *
 * The thread that calls this waits for all of that. From a job of the pool
 * itself it does nothing, since it would wait for ever.
 *
 * @param executor  Owned, given up; NULL is ignored. Nobody may submit to it
 *                  any more, nor wait for a job of it on the calling thread's
 *                  loop without being cancelled first.
 *
 * Suspends: never; blocks the thread. Threads: any but the pool's own.
 * Cost: that of the jobs that are left.
 * Source: Python, Executor.shutdown(wait=True).  Since: 0.1
 */
CX__API void cx_executor_free(cx_executor *executor);

/**
 * Ask, in a job, whether its result is still wanted.
 *
 * A job that has begun is waited for, whatever happens to its task meanwhile.
 * One that computes for long asks now and then, and returns when there is no
 * need to go on.
 *
 * @return 0, or, from then on each time,
 *   -ECANCELED   the task that waits for the job is cancelled
 *   -ETIMEDOUT   its deadline has passed
 *   -EPERM       not called within a job
 *
 * Suspends: never. Threads: an executor's, within a job. Cost: one load.
 * Source: Trio, from_thread.check_cancelled().  Since: 0.1
 */
CX__API int cx_job_check(void);

CX__END_DECLS

#endif
