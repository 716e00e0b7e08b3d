/* SPDX-License-Identifier: MIT */
/*
 * Needs: nothing
 *
 * Plain POSIX threads, and a thread pool with a queue of its own.
 *
 *     cc threads.c $(pkg-config --cflags --libs ctxvar) -pthread -o threads
 *
 * The two lines: a job takes cx_snapshot_new() along where it is submitted,
 * and a worker calls cx_snapshot_run() where it would call the job's function.
 * The workers are older than any tenant; what counts is who submitted. A
 * thread of one's own takes one line: cx_thread_create() for pthread_create().
 */
#include <ctxvar/callback.h>

#include "expect.h"

enum { JOBS = 4 };

struct job {
    void (*fn)(void *arg);
    void *arg;
    cx_snapshot *snapshot;
};

CX_VAR(const char *, tenant, .initial = "nobody");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t submission = PTHREAD_COND_INITIALIZER;
static struct job jobs[JOBS];
static int submitted, taken;

static void submit(void (*fn)(void *arg), void *arg)
{
    struct job job = {.fn = fn, .arg = arg, .snapshot = cx_snapshot_new()};

    pthread_mutex_lock(&lock);
    jobs[submitted++] = job;
    pthread_cond_broadcast(&submission);
    pthread_mutex_unlock(&lock);
}

static bool take(struct job *job)
{
    pthread_mutex_lock(&lock);
    while (taken == submitted && taken < JOBS)
        pthread_cond_wait(&submission, &lock);
    *job = taken < JOBS ? jobs[taken++] : (struct job){.fn = NULL};
    pthread_mutex_unlock(&lock);
    return job->fn != NULL;
}

static void *work(void *unused)
{
    struct job job;

    while (take(&job)) {
        cx_snapshot_run(job.snapshot, job.fn, job.arg);
        cx_snapshot_unref(job.snapshot);
        expect("a worker after a job", cx_get(tenant), "nobody");
    }
    return unused;
}

static void report(void *submitter)
{
    expect("a job", cx_get(tenant), submitter);
    cx_set(tenant, "left behind"); /* in a copy of its own: gone with the job */
}

static void *begin(void *creator)
{
    expect("a thread", cx_get(tenant), creator);
    return NULL;
}

int main(void)
{
    char *tenants[JOBS] = {"acme", "globex", "initech", "umbrella"};
    pthread_t threads[4];
    int error = pthread_create(&threads[0], NULL, work, NULL) |
                pthread_create(&threads[1], NULL, work, NULL);

    for (int i = 0; i < JOBS; i++) {
        CX_WITH(tenant, tenants[i]) {
            submit(report, tenants[i]);
        }
    }
    CX_WITH(tenant, "acme") {
        error |= pthread_create(&threads[2], NULL, begin, "nobody") |
                 cx_thread_create(&threads[3], NULL, begin, "acme");
    }
    need(error == 0, "threads");
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return verdict(2 * JOBS + 2);
}
