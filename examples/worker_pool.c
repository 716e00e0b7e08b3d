/* SPDX-License-Identifier: MIT */
/*
 * Needs: nothing
 *
 * A pool of workers behind a bounded queue: a job runs in the context of who
 * submitted it, whichever worker takes it, and also on a thread.
 *
 *     cc worker_pool.c $(pkg-config --cflags --libs ctxvar-task) -o worker_pool
 *
 * The two lines: a job takes cx_snapshot_new() along where it is submitted, and
 * a worker calls cx_snapshot_run() where it would call the job's function.
 */
#include <ctxvar/group.h>
#include <ctxvar/queue.h>

#include "expect.h"

enum { WORKERS = 4, CLIENTS = 3, JOBS = 50 };

struct job {
    void (*fn)(void *arg);
    void *arg;
    cx_snapshot *snapshot;
};

CX_VAR(const char *, client, .initial = "nobody");

static cx_queue *queue;
static int right;

/* Part of a job, on a thread: it knows its client by its context. */
static void *read_client(void *unused)
{
    (void)unused;
    return (void *)cx_get(client);
}

static void work(void *submitter)
{
    void *seen = NULL;

    (void)cx_run_in_executor(NULL, read_client, NULL, &seen);
    right += seen == submitter;
    cx_set(client, "left behind"); /* in a copy of its own: gone with the job */
}

static int worker(void *unused)
{
    void *item;

    (void)unused;
    while (cx_queue_get(queue, &item) == 0) {
        struct job *job = item;

        (void)cx_snapshot_run(job->snapshot, job->fn, job->arg);
        cx_snapshot_unref(job->snapshot);
        free(job);
    }
    expect("a worker, afterwards", cx_get(client), "nobody");
    return 0;
}

static void *submit_all(void *name)
{
    need(cx_set(client, name) == 0, "memory");
    for (int i = 0; i < JOBS; i++) {
        struct job *job = malloc(sizeof(*job));

        need(job != NULL, "memory");
        *job = (struct job){work, name, cx_snapshot_new()};
        (void)cx_queue_put(queue, job); /* waits while it is full */
    }
    return NULL;
}

static void *run(void *arg)
{
    void *clients[CLIENTS] = {"acme", "globex", "initech"};
    cx_group *workers = cx_group_new(NULL);
    char seen[32];

    queue = cx_queue_new(8);
    for (int i = 0; i < WORKERS; i++)
        need(cx_group_start(workers, worker, NULL) == 0, "task");
    need(cx_gather(submit_all, clients, NULL, CLIENTS) == 0, "tasks");
    (void)cx_queue_close(queue); /* the workers do what is in it, and end */
    (void)cx_group_wait(workers);
    cx_group_free(workers);
    (void)cx_queue_free(queue);
    (void)snprintf(seen, sizeof(seen), "%d of 150", right);
    expect("jobs with their client", seen, "150 of 150");
    return arg;
}

int main(void)
{
    need(cx_run(run, NULL, NULL) == 0, "loop");
    return verdict(WORKERS + 1);
}
