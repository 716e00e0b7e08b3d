/* SPDX-License-Identifier: MIT */
/*
 * Tasks for another thread's loop. Such a task is a call that the loop makes,
 * whose result is kept for whoever awaits it; calls see to it that it runs.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <ctxvar/remote.h>

#include "call.h"
#include "inbox.h"
#include "site.h"
#include "wait.h"

/* A task that awaits another loop's. */
struct remote_wait {
    struct cx__wait wait;
    struct cx__post post;
    cx_task *task;
    cx_remote *remote;
};

/*
 * refs      the handle's, the running function's, that of `stop` on its way
 * task      set by, and for, its loop's thread; NULL: not begun, or ended
 * ended     =>  value is the result
 * awaited   <=> somebody is in cx_remote_await()
 * waiter    a task that is to be sent its post; => awaited
 */
struct cx_remote {
    uint32_t refs;
    cx_loop *loop;
    cx_task *task;
    cx_task_fn *fn;
    void *value; /* fn's argument, later its result */
    struct cx__post stop;
    pthread_mutex_t lock; /* of what is below */
    pthread_cond_t end;
    bool cancelled;
    bool ended;
    bool awaited;
    struct remote_wait *waiter;
};

static void remote_unref(cx_remote *remote)
{
    if (__atomic_fetch_sub(&remote->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    (void)pthread_cond_destroy(&remote->end);
    (void)pthread_mutex_destroy(&remote->lock);
    cx_loop_unref(remote->loop);
    free(remote);
}

/* On the loop's thread, as the calls below. */
static void stop_arrive(struct cx__post *post)
{
    cx_remote *remote = CX__OWNER(post, cx_remote, stop);

    if (remote->task != NULL)
        cx__task_cancel(remote->task);
    remote_unref(remote);
}

static bool remote_begin(cx_remote *remote)
{
    bool cancelled;

    remote->task = cx_task_current();
    (void)pthread_mutex_lock(&remote->lock);
    cancelled = remote->cancelled;
    (void)pthread_mutex_unlock(&remote->lock);
    return cancelled;
}

static void remote_end(cx_remote *remote)
{
    struct remote_wait *waiter;

    remote->task = NULL;
    (void)pthread_mutex_lock(&remote->lock);
    remote->ended = true;
    waiter = remote->waiter;
    remote->waiter = NULL;
    (void)pthread_cond_signal(&remote->end);
    (void)pthread_mutex_unlock(&remote->lock);
    if (waiter != NULL)
        cx__inbox_send(waiter->task->loop->inbox, &waiter->post);
    remote_unref(remote);
}

static void remote_main(void *arg)
{
    cx_remote *remote = arg;

    if (remote_begin(remote))
        cx__task_cancel(remote->task);
    remote->value = remote->fn(remote->value);
    remote_end(remote);
}

static void remote_init(cx_remote *remote)
{
    pthread_condattr_t attributes;

    (void)pthread_mutex_init(&remote->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&remote->end, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

cx_remote *cx_task_create_threadsafe(cx_loop *loop, cx_task_fn *fn, void *arg)
{
    cx_remote *remote;
    int error;

    if (loop == NULL || fn == NULL) {
        errno = EINVAL;
        return NULL;
    }
    remote = malloc(sizeof(*remote));
    if (remote == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *remote = (cx_remote){.refs = 2,
                          .loop = cx_loop_ref(loop),
                          .fn = fn,
                          .value = arg,
                          .stop.arrive = stop_arrive};
    remote_init(remote);
    error = cx__call_threadsafe(loop, remote_main, remote, CX__SITE);
    if (error == 0)
        return remote;
    remote->refs = 1;
    remote_unref(remote);
    errno = -error;
    return NULL;
}

/* Be the one who awaits it: 0 or -EBUSY. */
static int remote_claim(cx_remote *remote)
{
    int error = 0;

    (void)pthread_mutex_lock(&remote->lock);
    if (remote->awaited)
        error = -EBUSY;
    remote->awaited = true;
    (void)pthread_mutex_unlock(&remote->lock);
    return error;
}

static void remote_give_back(cx_remote *remote)
{
    (void)pthread_mutex_lock(&remote->lock);
    remote->awaited = false;
    (void)pthread_mutex_unlock(&remote->lock);
}

static bool remote_abandon(struct cx__wait *base)
{
    struct remote_wait *wait = CX__OWNER(base, struct remote_wait, wait);
    cx_remote *remote = wait->remote;
    bool waiting;

    (void)pthread_mutex_lock(&remote->lock);
    waiting = remote->waiter != NULL;
    remote->waiter = NULL;
    (void)pthread_mutex_unlock(&remote->lock);
    return waiting;
}

static const struct cx__wait_kind remote_kind = {"task of another loop",
                                                 remote_abandon};

static void remote_arrive(struct cx__post *post)
{
    cx__wake(CX__OWNER(post, struct remote_wait, post)->task, 0);
}

/* Have the end sent to a task, unless it has come: whether it has. */
static bool remote_enter(cx_remote *remote, struct remote_wait *wait)
{
    bool ended;

    (void)pthread_mutex_lock(&remote->lock);
    ended = remote->ended;
    if (!ended)
        remote->waiter = wait;
    (void)pthread_mutex_unlock(&remote->lock);
    return ended;
}

static int wait_as_task(cx_remote *remote, cx_task *task)
{
    struct remote_wait wait = {.wait.kind = &remote_kind,
                               .post.arrive = remote_arrive,
                               .task = task,
                               .remote = remote};
    int error = cx__wait_begin(task);

    if (error != 0 || remote_enter(remote, &wait))
        return error;
    return cx__wait(task, &wait.wait);
}

static int wait_as_thread(cx_remote *remote)
{
    uint64_t deadline = cx__deadline_ns();
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                             .tv_nsec = (long)(deadline % 1000000000)};
    int error = 0;

    (void)pthread_mutex_lock(&remote->lock);
    while (!remote->ended && error == 0) {
        if (deadline == UINT64_MAX)
            error = pthread_cond_wait(&remote->end, &remote->lock);
        else
            error = pthread_cond_timedwait(&remote->end, &remote->lock, &until);
    }
    if (remote->ended)
        error = 0;
    (void)pthread_mutex_unlock(&remote->lock);
    return -error;
}

int cx_remote_await(cx_remote *remote, void **result)
{
    cx_task *task = cx__task_running();
    int error;

    if (remote == NULL)
        return -EINVAL;
    if (task == NULL && cx__loop_here != NULL)
        return -EPERM;
    error = remote_claim(remote);
    if (error != 0)
        return error;
    error = task != NULL ? wait_as_task(remote, task) : wait_as_thread(remote);
    if (error != 0) {
        remote_give_back(remote);
        return error;
    }
    if (result != NULL)
        *result = remote->value;
    remote_unref(remote);
    return 0;
}

void cx_remote_cancel(cx_remote *remote)
{
    bool first;

    if (remote == NULL)
        return;
    (void)pthread_mutex_lock(&remote->lock);
    first = !remote->cancelled && !remote->ended;
    remote->cancelled = true;
    (void)pthread_mutex_unlock(&remote->lock);
    if (!first)
        return;
    (void)__atomic_fetch_add(&remote->refs, 1, __ATOMIC_RELAXED);
    /* A loop that ends has cancelled it already. */
    if (cx__inbox_offer(remote->loop, &remote->stop) != 0)
        remote_unref(remote);
}

void cx_remote_detach(cx_remote *remote)
{
    if (remote != NULL)
        remote_unref(remote);
}
