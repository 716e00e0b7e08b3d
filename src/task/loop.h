/* SPDX-License-Identifier: MIT */
/*
 * The loop of a thread: which task is next, what time it is, and what comes
 * from outside.
 */
#ifndef CTXVAR_TASK_LOOP_H
#define CTXVAR_TASK_LOOP_H

#include <uv.h>

#include <ctxvar/spawn.h>

#include "call.h"
#include "fifo.h"
#include "heap.h"
#include "inbox.h"
#include "list.h"
#include "overflow.h"
#include "poller.h"
#include "resource.h"
#include "stack.h"
#include "task.h"

struct cx__guest;

/*
 * A loop lives as long as its run; what outlives that, and is for other
 * threads, is its inbox. Its hub is the coroutine that whoever runs it is: it
 * polls, and gives the thread to the first ready task. Tasks then hand the
 * thread to each other, until none is ready or `budget` switches are done.
 */
struct cx__loop {
    struct cx__coroutine hub;
    cx_task *running; /* NULL: the hub is */
    struct cx__fifo ready;
    unsigned budget;  /* switches until the next poll */
    unsigned granted; /* what it started from in this round */
    unsigned batch;   /* what it starts from in the next */
    uint64_t now;     /* uv_hrtime() when this round began */

    uint64_t switches; /* in rounds before this one */
    uint64_t rounds;
    uint64_t created; /* tasks */

    struct cx__list tasks;  /* all, by their age */
    size_t live;            /* those of them that have not ended */
    cx_task *main;          /* NULL once it has ended */
    bool closing;           /* it has: the others are cancelled, new ones too */
    cx_task *dead;          /* ended, for the hub to free */
    void *result;           /* main's */
    cx_failure_fn *failure; /* who is told of errors; or NULL */
    void *failure_arg;

    struct cx__heap sleepers; /* with room for each task and each call */
    struct cx__calls calls;
    struct cx__stacks stacks;
    struct cx__poller poller;
    struct cx__list resources; /* that are open */
    struct cx__fault_stack fault_stack;
    cx_loop *inbox;
    uv_loop_t *uv;
    bool uv_asked;           /* libuv has something to do; cx__loop_uv() */
    struct cx__guest *guest; /* the program runs `uv`; NULL: we do */
};

/* The loop of this thread, or NULL. */
extern CX__THREAD_LOCAL struct cx__loop *cx__loop_here CX__INITIAL_EXEC;

/* The task that runs on this thread, or NULL. */
static inline cx_task *cx__task_running(void)
{
    struct cx__loop *loop = cx__loop_here;

    return loop != NULL ? loop->running : NULL;
}

/* Who gets the thread: the first ready task, or the hub. */
static inline struct cx__coroutine *cx__loop_next(struct cx__loop *loop)
{
    struct cx__fifo_link *link =
        loop->budget > 0 ? cx__fifo_pop(&loop->ready) : NULL;
    cx_task *task;

    if (link == NULL) {
        loop->running = NULL;
        return &loop->hub;
    }
    task = CX__OWNER(link, cx_task, ready);
    task->state = CX__RUNNING;
    loop->budget--;
    loop->running = task;
    return &task->coroutine;
}

/* Give the thread to whoever is next. Returns when the task is resumed. */
static inline void cx__loop_switch(struct cx__loop *loop, cx_task *task)
{
    struct cx__coroutine *next = cx__loop_next(loop);

    if (next != &task->coroutine)
        cx__coroutine_switch(&task->coroutine, next);
}

/* The same for a task that has ended. */
_Noreturn void cx__loop_leave(struct cx__loop *loop, cx_task *task);

/* libuv's loop, for whoever asks it for something. What that is, it does when
 * it is run, for which it must be seen to. */
static inline uv_loop_t *cx__loop_uv(struct cx__loop *loop)
{
    loop->uv_asked = true;
    return loop->uv;
}

/* A loop on one of libuv's: 0 or a negative errno. */
int cx__loop_init(struct cx__loop *loop, uv_loop_t *uv);

/* There is something to do: have the program's loop not wait. */
void cx__guest_stir(struct cx__guest *guest);

/* The same, where it may be the program, and not a task, that has seen to it.
 */
static inline void cx__loop_stir(struct cx__loop *loop)
{
    if (loop->guest != NULL && loop->running == NULL)
        cx__guest_stir(loop->guest);
}

/* Is there anything left to be done? */
static inline bool cx__loop_is_busy(const struct cx__loop *loop)
{
    return loop->live + loop->calls.ahead > 0;
}

/* Have room for one more task or call that sleeps: 0 or -ENOMEM. */
static inline int cx__loop_reserve(struct cx__loop *loop)
{
    return cx__heap_reserve(&loop->sleepers,
                            loop->live + loop->calls.ahead + 1);
}

/* Wake those whose sleep is over, and run ready tasks, but not for long. */
void cx__loop_round(struct cx__loop *loop);

/* When the loop has something to do if nothing happens before: in so many
 * milliseconds; -1: never. */
int cx__loop_timeout(const struct cx__loop *loop);

/* There is an error, perhaps, that nobody waits for. Within a task. */
void cx__failure_tell(struct cx__loop *loop, int error);

/* Nothing new is wanted: cancel all tasks, the oldest first. */
void cx__loop_end(struct cx__loop *loop);

/* All tasks have ended, and the thread has no loop any more: give libuv's part
 * back. libuv runs once more. */
void cx__loop_close(struct cx__loop *loop);
void cx__loop_fini(struct cx__loop *loop);

/* When a sleep that begins now and lasts so long is over. */
uint64_t cx__loop_due(uint64_t ms);

#endif
