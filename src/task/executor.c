/* SPDX-License-Identifier: MIT */
/*
 * Executors: a queue of jobs and the threads that take from it, made one by
 * one while there are jobs that no idle thread will take.
 *
 * A worker inherits nothing: its thread is a plain one, whose context is
 * empty and stays so, because a job brings its own. Nor do signals meant for
 * the program arrive there.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "executor.h"

enum { NAME_BYTES = 16, DEFAULT_MOST = 32, DEFAULT_MORE = 4 };

/*
 * len   == the length of queue
 * idle  == the workers that wait for work
 * made  == the workers that run, idle or not; thread[0] to thread[made - 1]
 */
struct cx_executor {
    pthread_mutex_t lock; /* of all that changes below */
    pthread_cond_t work;
    struct cx__list queue;
    size_t len;
    size_t limit; /* SIZE_MAX: none */
    unsigned idle;
    unsigned made;
    unsigned most;
    bool closing;
    int nice;
    char name[NAME_BYTES];
    pthread_t thread[]; /* room for `most` */
};

/* The executor that this thread works for. */
static CX__THREAD_LOCAL cx_executor *employer CX__INITIAL_EXEC;

static struct cx__job *take_job(cx_executor *executor)
{
    struct cx__job *job = CX__OWNER(executor->queue.next, struct cx__job, link);

    cx__list_remove(&job->link);
    job->queued = false;
    executor->len--;
    return job;
}

/* The next job, waiting for one; NULL: there will be no more. Locked. */
static struct cx__job *next_job(cx_executor *executor)
{
    while (executor->len == 0 && !executor->closing) {
        executor->idle++;
        (void)pthread_cond_wait(&executor->work, &executor->lock);
        executor->idle--;
    }
    return executor->len > 0 ? take_job(executor) : NULL;
}

static void *worker_main(void *arg)
{
    cx_executor *executor = arg;
    struct cx__job *job;

    employer = executor;
    (void)pthread_setname_np(pthread_self(), executor->name);
    /* On Linux a thread's own. */
    if (executor->nice > 0)
        (void)nice(executor->nice);
    (void)pthread_mutex_lock(&executor->lock);
    while ((job = next_job(executor)) != NULL) {
        (void)pthread_mutex_unlock(&executor->lock);
        job->run(job);
        (void)pthread_mutex_lock(&executor->lock);
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return NULL;
}

static int worker_start(cx_executor *executor)
{
    pthread_t *thread = &executor->thread[executor->made];
    sigset_t all, before;
    int error;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, worker_main, executor);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return -error;
    executor->made++;
    return 0;
}

/* See to it that somebody will take one more job. Locked. */
static int workers_ready(cx_executor *executor)
{
    int error;

    if (executor->closing)
        return -ESHUTDOWN;
    if (executor->len >= executor->limit)
        return -ENOBUFS;
    if (executor->len < executor->idle || executor->made == executor->most)
        return 0;
    error = worker_start(executor);
    return executor->made > 0 ? 0 : error;
}

int cx__executor_submit(cx_executor *executor, struct cx__job *job)
{
    int error;

    (void)pthread_mutex_lock(&executor->lock);
    error = workers_ready(executor);
    if (error == 0) {
        cx__list_insert(&executor->queue, &job->link);
        job->queued = true;
        executor->len++;
        (void)pthread_cond_signal(&executor->work);
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return error;
}

bool cx__executor_withdraw(cx_executor *executor, struct cx__job *job)
{
    bool queued;

    (void)pthread_mutex_lock(&executor->lock);
    queued = job->queued;
    if (queued) {
        cx__list_remove(&job->link);
        job->queued = false;
        executor->len--;
    }
    (void)pthread_mutex_unlock(&executor->lock);
    return queued;
}

static unsigned default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1 || cores > DEFAULT_MOST - DEFAULT_MORE)
        return cores < 1 ? DEFAULT_MORE : DEFAULT_MOST;
    return (unsigned)cores + DEFAULT_MORE;
}

cx_executor *cx_executor_new(const cx_executor_options *options)
{
    static const cx_executor_options none;
    unsigned most;
    cx_executor *executor;

    if (options == NULL)
        options = &none;
    most = options->threads != 0 ? options->threads : default_threads();
    executor = calloc(1, sizeof(*executor) + most * sizeof(pthread_t));
    if (executor == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    (void)pthread_mutex_init(&executor->lock, NULL);
    (void)pthread_cond_init(&executor->work, NULL);
    cx__list_init(&executor->queue);
    executor->most = most;
    executor->limit =
        options->queue_limit != 0 ? options->queue_limit : SIZE_MAX;
    executor->nice = options->nice;
    (void)snprintf(executor->name, sizeof(executor->name), "%s",
                   options->name != NULL ? options->name : "cx-executor");
    return executor;
}

void cx_executor_free(cx_executor *executor)
{
    if (executor == NULL || executor == employer)
        return;
    (void)pthread_mutex_lock(&executor->lock);
    executor->closing = true;
    (void)pthread_cond_broadcast(&executor->work);
    (void)pthread_mutex_unlock(&executor->lock);
    for (unsigned i = 0; i < executor->made; i++)
        (void)pthread_join(executor->thread[i], NULL);
    (void)pthread_cond_destroy(&executor->work);
    (void)pthread_mutex_destroy(&executor->lock);
    free(executor);
}

/* The default pool. */
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static cx_executor *pool;

cx_executor *cx__executor_default(void)
{
    cx_executor *executor;

    (void)pthread_mutex_lock(&pool_lock);
    if (pool == NULL)
        pool = cx_executor_new(NULL);
    executor = pool;
    (void)pthread_mutex_unlock(&pool_lock);
    return executor;
}

static bool is_busy(cx_executor *executor)
{
    bool busy;

    (void)pthread_mutex_lock(&executor->lock);
    busy = executor->len > 0 || executor->idle < executor->made;
    (void)pthread_mutex_unlock(&executor->lock);
    return busy;
}

/*
 * The process ends, or the library is unloaded: the pool goes too, unless a
 * thread that is still there waits for a job, which may last for ever.
 */
__attribute__((destructor)) static void pool_end(void)
{
    if (pool != NULL && !is_busy(pool))
        cx_executor_free(pool);
}
