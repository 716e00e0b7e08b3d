/* SPDX-License-Identifier: MIT */
/*
 * Tasks from the inside. Those of one loop are all on its thread, so that
 * nothing here is locked.
 */
#ifndef CTXVAR_TASK_TASK_H
#define CTXVAR_TASK_TASK_H

#include <ctxvar/task.h>

#include "fifo.h"
#include "heap.h"
#include "list.h"
#include "site.h"
#include "stack.h"
#include "switch.h"

struct cx__loop;

enum cx__task_state { CX__READY, CX__RUNNING, CX__WAITING, CX__ENDED };

/*
 * A task. It lies near the top of its own stack, which it starts below itself
 * and its name:
 *
 *     stack.low                                        stack.high
 *     | <-- grows down           | name | cx_task | ... |
 *
 *            create               resume               fn returns
 *   (new) ----------> READY ---------------> RUNNING --------------> ENDED
 *                       ^                       |                      |
 *                       |  wake, cancel         | wait          await, |
 *                       +------- WAITING <------+              detach, |
 *                                                       end of loop    v
 *                                                                    (gone)
 *
 * READY   <=> linked in loop->ready
 * RUNNING <=> it has the thread; loop->running is it, or NULL while its values
 *             are released at its end
 * WAITING <=> wait != NULL
 * ENDED   <=> context == NULL, and value is the result
 *
 * awaiter->awaiting == this <=> awaiter is WAITING for this, or was woken by
 * its end and has yet to take the result
 */
struct cx_task {
    struct cx__fifo_link ready;
    struct cx__coroutine coroutine;
    struct cx__loop *loop;
    struct cx__wait *wait; /* on its stack */
    int woken_with;
    int late; /* what it is woken with when its deadline is due */
    struct cx__deadline deadline; /* in loop->sleepers <=> timed */
    bool timed;
    uint8_t state; /* enum cx__task_state */
    bool cancelled;
    bool detached; /* the runtime frees it */
    unsigned shields;
    uint64_t held_off; /* the deadline that a shield holds off; else none */
    cx_task *awaiter;
    cx_task *awaiting;
    cx_context *context; /* its own; what is current may be one within */
    cx_task_fn *fn;
    void *value;         /* fn's argument, later its result */
    struct cx__list all; /* in loop->tasks */
    uint64_t id;         /* of its loop's tasks, from 1 */
    uint64_t parent;     /* the id of its creator; 0: none */
    const void *site;    /* where it was created */
    uint64_t since;      /* loop->now when it began to wait */
    const char *name;
    struct cx__stack stack;
};

/* A task that is READY, created by a call at `site`; NULL with errno. */
cx_task *cx__task_new(struct cx__loop *loop, const cx_task_options *options,
                      cx_task_fn *fn, void *arg, const void *site);

/* cx_task_create_with(), on behalf of a call at `site`. */
cx_task *cx__task_create(const cx_task_options *options, cx_task_fn *fn,
                         void *arg, const void *site);

/* The end of a task that has ENDED. */
void cx__task_free(cx_task *task);

/* The task that a stack in use belongs to. */
cx_task *cx__task_at(struct cx__stack stack);

#endif
