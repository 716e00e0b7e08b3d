/* SPDX-License-Identifier: MIT */
/*
 * A task's call of a function on a worker, and the task's wait for it. The
 * job lies on the task's stack, which lasts as long: the task waits until the
 * job is back, cancelled or not. The job can ask whether it is.
 */
#include <errno.h>

#include "executor.h"
#include "inbox.h"
#include "loop.h"
#include "wait.h"

/*
 * unwanted  why nobody wants the result any more, or 0; written by the loop's
 *           thread, read by the worker
 */
struct task_job {
    struct cx__wait wait;
    struct cx__job job;
    struct cx__post post;
    cx_task *task;
    cx_executor *executor;
    cx_snapshot *snapshot; /* of the context that it was submitted in */
    cx_task_fn *fn;
    void *value; /* fn's argument, later its result */
    int error;
    int unwanted;
};

/* The job that this thread runs. */
static CX__THREAD_LOCAL const struct task_job *running CX__INITIAL_EXEC;

static void job_call(void *arg)
{
    struct task_job *job = arg;

    running = job;
    job->value = job->fn(job->value);
    running = NULL;
}

int cx_job_check(void)
{
    return running != NULL
               ? __atomic_load_n(&running->unwanted, __ATOMIC_RELAXED)
               : -EPERM;
}

/* On the loop's thread. */
static void job_arrive(struct cx__post *post)
{
    struct task_job *job = CX__OWNER(post, struct task_job, post);

    cx__wake(job->task, job->error);
}

/* On a worker. Once it is posted, the job is its task's. */
static void job_run(struct cx__job *base)
{
    struct task_job *job = CX__OWNER(base, struct task_job, job);

    job->error = cx_snapshot_run(job->snapshot, job_call, job);
    cx_snapshot_unref(job->snapshot);
    cx__inbox_send(job->task->loop->inbox, &job->post);
}

static bool job_abandon(struct cx__wait *wait)
{
    struct task_job *job = CX__OWNER(wait, struct task_job, wait);
    int why = cx__is_cancelled(job->task) ? -ECANCELED : -ETIMEDOUT;

    if (cx__executor_withdraw(job->executor, &job->job)) {
        cx_snapshot_unref(job->snapshot);
        return true;
    }
    __atomic_store_n(&job->unwanted, why, __ATOMIC_RELAXED);
    return false;
}

static const struct cx__wait_kind job_kind = {"executor", job_abandon};

static int job_wait(struct task_job *job)
{
    int error;

    job->snapshot = cx_snapshot_new();
    if (job->snapshot == NULL)
        return -errno;
    error = cx__executor_submit(job->executor, &job->job);
    if (error != 0) {
        cx_snapshot_unref(job->snapshot);
        return error;
    }
    return cx__wait(job->task, &job->wait);
}

int cx_run_in_executor(cx_executor *executor, cx_task_fn *fn, void *arg,
                       void **result)
{
    cx_task *task = cx__task_running();
    struct task_job job = {.wait.kind = &job_kind,
                           .job.run = job_run,
                           .post.arrive = job_arrive,
                           .task = task,
                           .executor = executor,
                           .fn = fn,
                           .value = arg};
    int error;

    if (task == NULL || fn == NULL)
        return task == NULL ? -EPERM : -EINVAL;
    error = cx__wait_begin(task);
    if (error == 0 && executor == NULL) {
        job.executor = cx__executor_default();
        error = job.executor != NULL ? 0 : -errno;
    }
    if (error == 0)
        error = job_wait(&job);
    if (error == 0 && result != NULL)
        *result = job.value;
    return error;
}
