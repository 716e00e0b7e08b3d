/* SPDX-License-Identifier: MIT */
/*
 * The note's open question: a context and a thread pool. Each client sends
 * two jobs to a pool of one thread. A job reads the table, then leaves
 * another client's behind in the variable. On the library's executor, neither
 * the client nor the next job on that thread sees it; on a pool that carries
 * nothing, the next job does.
 */
#include <errno.h>
#include <pthread.h>

#include <ctxvar/callback.h>
#include <ctxvar/task.h>

#include "demo.h"

CX_VAR(const char *, user_table);

struct job {
    struct demo *demo;
    const struct client *client;
    bool ok;
    struct reading reading;
};

static void read_users(struct job *job)
{
    job->ok = store_read(job->demo->store, cx_get(user_table),
                         job->client->name, &job->reading);
}

static void report(struct job *job, const char *verb)
{
    if (job->ok)
        demo_report(job->demo, job->client, verb, &job->reading);
    else
        job->demo->failed = true;
}

/* On the pool's thread. */
static void *job_run(void *arg)
{
    struct job *job = arg;
    size_t before = (size_t)(job->client - clients + CLIENTS - 1) % CLIENTS;

    read_users(job);
    (void)cx_set(user_table, clients[before].table);
    return NULL;
}

/* A client: twice a job, and what the client itself reads after it. */
static void *client_run(void *arg)
{
    struct job *job = arg;

    (void)cx_set(user_table, job->client->table);
    for (int i = 0; i < 2 && !job->demo->failed; i++) {
        job->ok = false;
        demo_check(job->demo, "job",
                   cx_run_in_executor(job->demo->database, job_run, job, NULL));
        report(job, "job   ");
        read_users(job);
        report(job, "client");
    }
    return NULL;
}

static void *clients_run(void *arg)
{
    struct job jobs[CLIENTS];
    cx_task *tasks[CLIENTS];

    for (size_t i = 0; i < CLIENTS; i++) {
        jobs[i] = (struct job){.demo = arg, .client = &clients[i]};
        tasks[i] = cx_task_create(client_run, &jobs[i]);
        if (tasks[i] == NULL)
            demo_check(arg, "task", -errno);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (tasks[i] != NULL)
            demo_check(arg, "await", cx_await(tasks[i], NULL));
    }
    return NULL;
}

void executor_run(struct demo *demo)
{
    demo_check(demo, "loop", cx_run(clients_run, demo, NULL));
}

/*
 * A pool as programs have them: a thread that is made once, and takes one job
 * after another.
 *
 * job != NULL <=> a client waits for it; over <=> the thread is to end
 */
struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *job;
    bool over;
};

static void *pool_main(void *arg)
{
    struct pool *pool = arg;

    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->over) {
        if (pool->job != NULL) {
            (void)job_run(pool->job);
            pool->job = NULL;
            (void)pthread_cond_broadcast(&pool->changed);
        }
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void pool_run(struct pool *pool, struct job *job)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->job = job;
    (void)pthread_cond_broadcast(&pool->changed);
    while (pool->job != NULL)
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
    (void)pthread_mutex_unlock(&pool->lock);
}

static void pool_end(struct pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->over = true;
    (void)pthread_cond_broadcast(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
}

static void naive_client(struct demo *demo, struct pool *pool,
                         const struct client *client)
{
    struct job job = {.demo = demo, .client = client};

    CX_WITH(user_table, client->table) {
        for (int i = 0; i < 2 && !demo->failed; i++) {
            pool_run(pool, &job);
            report(&job, "job   ");
            read_users(&job);
            report(&job, "client");
        }
    }
    else demo_check(demo, "client", -ENOMEM);
}

void naive_pool_run(struct demo *demo)
{
    struct pool pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, pool_main, &pool);

    demo_check(demo, "thread", -error);
    if (error != 0)
        return;
    for (size_t i = 0; i < CLIENTS; i++)
        naive_client(demo, &pool, &clients[i]);
    pool_end(&pool);
    (void)pthread_join(thread, NULL);
}
