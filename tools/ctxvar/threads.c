/* SPDX-License-Identifier: MIT */
/*
 * The note's program on four OS threads, where a thread-local is right: each
 * thread has its own value, and nothing else runs on it.
 */
#include <pthread.h>
#include <time.h>

#include <ctxvar/callback.h>

#include "demo.h"

CX_THREAD_VAR(const char *, user_table);

/* The threads share the demo's lines and count under the lock. */
struct thread {
    struct demo *demo;
    pthread_mutex_t *lock;
    const struct client *client;
    struct timespec from;
};

/* False: there is no point in going on. */
static bool read_users(const struct thread *thread, const char *verb)
{
    struct demo *demo = thread->demo;
    const char *table = cx_get(user_table);
    struct reading reading;
    bool ok = store_read(demo->store, table, thread->client->name, &reading);

    (void)pthread_mutex_lock(thread->lock);
    if (ok)
        demo_report(demo, thread->client, verb, &reading);
    else
        demo->failed = true;
    ok = !demo->failed;
    (void)pthread_mutex_unlock(thread->lock);
    return ok;
}

static void wait_for(const struct thread *thread, unsigned units)
{
    uint64_t ms =
        (uint64_t)units * thread->client->wait * thread->demo->pace_ms;
    uint64_t ns = (uint64_t)thread->from.tv_nsec + ms % 1000 * 1000000;
    struct timespec due = {
        .tv_sec = thread->from.tv_sec + (time_t)(ms / 1000 + ns / 1000000000),
        .tv_nsec = (long)(ns % 1000000000),
    };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
        continue;
}

static void *thread_main(void *arg)
{
    static const char *const verbs[] = {"start", "finish", "start", "finish"};
    const struct thread *thread = arg;

    (void)cx_set(user_table, thread->client->table);
    for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        wait_for(thread, i);
        if (!read_users(thread, verbs[i]))
            break;
    }
    return NULL;
}

void threads_run(struct demo *demo)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct thread threads[CLIENTS];
    pthread_t ids[CLIENTS];
    size_t started = 0;
    struct timespec from;

    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    for (; started < CLIENTS; started++) {
        int error;

        threads[started] =
            (struct thread){demo, &lock, &clients[started], from};
        error = cx_thread_create(&ids[started], NULL, thread_main,
                                 &threads[started]);
        if (error != 0) {
            (void)pthread_mutex_lock(&lock);
            demo_check(demo, "thread", error);
            (void)pthread_mutex_unlock(&lock);
            break;
        }
    }
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(ids[i], NULL);
}
