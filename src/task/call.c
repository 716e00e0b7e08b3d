/* SPDX-License-Identifier: MIT */
/*
 * Calls. One that waits for its time is an entry in the loop's heap of
 * deadlines and a snapshot; it gets a task, and so a stack, when it is made.
 */
#include <errno.h>
#include <stdlib.h>

#include "call.h"
#include "loop.h"

enum {
    MS = 1000000,   /* ns */
    MADE_MOST = 64, /* who asks faster than calls are made fills no memory
                       with stacks */
};

/*
 *            its time comes         there is memory         starts
 *   WAITING ---------------> DUE -------------------> MADE ---------> RUNNING
 *     ^                       ^                                          |
 *     | every                 | soon, threadsafe                returns  |
 *     +-----------------------|------------------------------------------+
 *                           (new)                                        |
 *                                            (gone) <------- ENDED <-----+
 *                                                   given up
 */
enum call_state { WAITING, DUE, MADE, RUNNING, ENDED };

/*
 * WAITING       <=> deadline is in loop->sleepers
 * DUE           <=> linked in loop->calls.due; else in loop->calls.rest
 * WAITING, DUE  =>  counted in loop->calls.ahead; with every, in any state
 *                   until it is called off
 * MADE, RUNNING <=> its task is there, and frees it in the end unless owned
 */
struct cx_call {
    struct cx__list link;
    struct cx__deadline deadline;
    struct cx__post post; /* until it has arrived from another thread */
    struct cx__loop *loop;
    enum call_state state;
    bool owned; /* somebody has the handle */
    bool off;   /* called off */
    uint64_t due;
    uint64_t every; /* ns; 0: once */
    cx_snapshot *snapshot;
    cx_task *task; /* while MADE */
    const void *site;
    void (*fn)(void *);
    void *arg;
};

static void call_move(struct cx_call *call, struct cx__list *list,
                      enum call_state state)
{
    cx__list_remove(&call->link);
    cx__list_insert(list, &call->link);
    call->state = state;
}

/* It will not be made again: let go of its context. */
static void call_end(struct cx_call *call)
{
    if (call->snapshot == NULL)
        return;
    cx_snapshot_unref(call->snapshot);
    call->snapshot = NULL;
    call->loop->calls.ahead--;
}

static void call_free(struct cx_call *call)
{
    call_end(call);
    cx__list_remove(&call->link);
    free(call);
}

static void call_wait(struct cx_call *call)
{
    cx__heap_push(&call->loop->sleepers, &call->deadline, call->due);
    call->state = WAITING;
}

/* To the first beat that is still to come. */
static void call_wait_again(struct cx_call *call)
{
    uint64_t now = uv_hrtime();
    uint64_t late = now > call->due ? now - call->due : 0;

    call->due += (late / call->every + 1) * call->every;
    call_wait(call);
}

static void *call_main(void *arg)
{
    struct cx_call *call = arg;

    call->state = RUNNING;
    call->loop->calls.made--;
    if (!call->off)
        call->fn(call->arg);
    call->state = ENDED;
    if (call->every == 0 || call->off || call->loop->closing)
        call_end(call);
    else
        call_wait_again(call);
    if (call->state == ENDED && !call->owned)
        call_free(call);
    return NULL;
}

/* Give a call its task. False: there is no memory. */
static bool call_make(struct cx_call *call)
{
    cx_task_options options = {.name = "call",
                               .context = cx_context_of(call->snapshot)};
    cx_task *task =
        options.context != NULL
            ? cx__task_new(call->loop, &options, call_main, call, call->site)
            : NULL;

    cx_context_unref(options.context);
    if (task == NULL)
        return false;
    task->detached = true;
    call->task = task;
    call->loop->calls.made++;
    call_move(call, &call->loop->calls.rest, MADE);
    if (call->every == 0)
        call_end(call);
    return true;
}

void cx__calls_make(struct cx__loop *loop)
{
    struct cx__list *due = &loop->calls.due;

    while (loop->calls.made < MADE_MOST && !cx__list_is_empty(due) &&
           call_make(CX__OWNER(due->next, struct cx_call, link)))
        ;
}

static void call_over(struct cx__deadline *deadline)
{
    struct cx_call *call = CX__OWNER(deadline, struct cx_call, deadline);

    call_move(call, &call->loop->calls.due, DUE);
    cx__calls_make(call->loop);
}

void cx__calls_init(struct cx__calls *calls)
{
    cx__list_init(&calls->due);
    cx__list_init(&calls->rest);
    calls->ahead = 0;
    calls->made = 0;
}

void cx__calls_drop(struct cx__loop *loop)
{
    struct cx__list *link = loop->calls.rest.next;

    while (link != &loop->calls.rest) {
        struct cx_call *call = CX__OWNER(link, struct cx_call, link);

        link = link->next;
        if (call->state != WAITING)
            continue;
        cx__heap_remove(&loop->sleepers, &call->deadline);
        call->state = ENDED;
        call_end(call);
        if (!call->owned)
            call_free(call);
    }
}

void cx__calls_fini(struct cx__calls *calls)
{
    struct cx__list *link = calls->rest.next;

    while (link != &calls->rest) {
        struct cx_call *call = CX__OWNER(link, struct cx_call, link);

        link = link->next;
        free(call);
    }
}

/* A call in the current context, of no loop yet; NULL with errno. */
static struct cx_call *call_new(void (*fn)(void *), void *arg, const void *site)
{
    cx_snapshot *snapshot = cx_snapshot_new();
    struct cx_call *call;

    if (snapshot == NULL)
        return NULL;
    call = malloc(sizeof(*call));
    if (call == NULL) {
        cx_snapshot_unref(snapshot);
        errno = ENOMEM;
        return NULL;
    }
    *call = (struct cx_call){.deadline.over = call_over,
                             .snapshot = snapshot,
                             .site = site,
                             .fn = fn,
                             .arg = arg};
    return call;
}

/* A call becomes its loop's. */
static void call_enter(struct cx_call *call, struct cx__loop *loop)
{
    call->loop = loop;
    call->state = DUE;
    cx__list_insert(&loop->calls.due, &call->link);
    loop->calls.ahead++;
    cx__loop_stir(loop);
}

/* May a function be called here, and that often? 0 or a negative errno. */
static int call_check(struct cx__loop *loop, void (*fn)(void *))
{
    if (loop == NULL)
        return -EPERM;
    if (fn == NULL)
        return -EINVAL;
    if (loop->closing)
        return -ESHUTDOWN;
    return cx__loop_reserve(loop);
}

static cx_call *call_ask(void (*fn)(void *), void *arg, const void *site)
{
    struct cx__loop *loop = cx__loop_here;
    int error = call_check(loop, fn);
    struct cx_call *call;

    if (error != 0) {
        errno = -error;
        return NULL;
    }
    call = call_new(fn, arg, site);
    if (call == NULL)
        return NULL;
    call_enter(call, loop);
    call->owned = true;
    return call;
}

/* Have it wait, instead of being due. */
static cx_call *call_put_off(cx_call *call, uint64_t ms)
{
    if (call == NULL)
        return NULL;
    call->due = cx__loop_due(ms);
    call_move(call, &call->loop->calls.rest, WAITING);
    call_wait(call);
    return call;
}

cx_call *cx_call_soon(void (*fn)(void *), void *arg)
{
    return call_ask(fn, arg, CX__SITE);
}

cx_call *cx_call_later(uint64_t ms, void (*fn)(void *), void *arg)
{
    cx_call *call = call_ask(fn, arg, CX__SITE);

    return ms != 0 ? call_put_off(call, ms) : call;
}

cx_call *cx_call_every(uint64_t ms, void (*fn)(void *), void *arg)
{
    cx_call *call = call_ask(ms != 0 ? fn : NULL, arg, CX__SITE);

    call = call_put_off(call, ms);
    if (call != NULL)
        call->every = ms * MS;
    return call;
}

/* Its task, which will find nothing to do, is to hold no values until then.
 * Without memory, it does. */
static void call_strip(struct cx_call *call)
{
    cx_task *task = call->task;
    cx_context *empty = cx_context_new();

    if (empty == NULL)
        return;
    cx_context_unref(task->context);
    task->context = empty;
    task->coroutine.context = empty;
}

bool cx_call_cancel(cx_call *call)
{
    bool begun;

    if (call == NULL || call->loop != cx__loop_here)
        return false;
    begun = call->state == RUNNING || call->state == ENDED;
    if (call->state == WAITING)
        cx__heap_remove(&call->loop->sleepers, &call->deadline);
    if (call->state == MADE)
        call_strip(call);
    if (call->state == MADE || call->state == RUNNING) {
        call->off = true;
        call->owned = false;
        call_end(call);
    } else {
        call_free(call);
    }
    return !begun;
}

void cx_call_detach(cx_call *call)
{
    if (call == NULL || call->loop != cx__loop_here)
        return;
    if (call->state == ENDED)
        call_free(call);
    else
        call->owned = false;
}

static void call_arrive(struct cx__post *post)
{
    call_enter(CX__OWNER(post, struct cx_call, post), cx__loop_here);
}

int cx__call_threadsafe(cx_loop *loop, void (*fn)(void *), void *arg,
                        const void *site)
{
    struct cx_call *call;
    int error;

    if (loop == NULL || fn == NULL)
        return -EINVAL;
    call = call_new(fn, arg, site);
    if (call == NULL)
        return -errno;
    call->post.arrive = call_arrive;
    error = cx__inbox_offer(loop, &call->post);
    if (error != 0) {
        cx_snapshot_unref(call->snapshot);
        free(call);
    }
    return error;
}

int cx_call_soon_threadsafe(cx_loop *loop, void (*fn)(void *), void *arg)
{
    return cx__call_threadsafe(loop, fn, arg, CX__SITE);
}
