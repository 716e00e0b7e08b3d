/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: a stack each, and the switch from one to another. The switch is
 * Boost.Context's; what it leaves out is added here: the current context,
 * errno, and what sanitizers want to know.
 *
 * Not a scheduler: who is next is the loop's business.
 *
 * What lies between a public function and the jump is inline: each return on
 * the way out would be to somewhere else than the processor predicts.
 */
#ifndef CTXVAR_TASK_SWITCH_H
#define CTXVAR_TASK_SWITCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <ctxvar/context.h>

#include "../platform/jump.h"
#include "../platform/sanitizer.h"

/*
 * running <=> at and context are stale: they are written at the switch away
 */
struct cx__coroutine {
    void *at;                 /* where it stands while another runs */
    cx_context *context;      /* what was current there; borrowed */
    struct cx__coroutine *to; /* the one that it last switched to */
    void (*main)(struct cx__coroutine *self); /* never returns */
    struct cx__fiber fiber;
};

/*
 * A coroutine that will start in main, in a context, on the stack from low up
 * to high. Its modes of floating point are those of the caller.
 */
void cx__coroutine_init(struct cx__coroutine *coroutine, char *low, char *high,
                        cx_context *context,
                        void (*main)(struct cx__coroutine *self));

/* The coroutine that the thread is when it begins. */
void cx__coroutine_init_thread(struct cx__coroutine *coroutine);

/* The end of one made by cx__coroutine_init(), said on another stack. */
void cx__coroutine_fini(struct cx__coroutine *coroutine);

/*
 * Run `to`, until somebody switches to `from`. Exchanges the current context
 * with it; errno stays that of each.
 */
static inline void cx__coroutine_switch(struct cx__coroutine *from,
                                        struct cx__coroutine *to)
{
    struct cx__transfer arrived;
    struct cx__coroutine *before;
    int error = errno;

    from->to = to;
    from->context = cx_context_swap(to->context);
    cx__fiber_leave(&from->fiber, &to->fiber, false);
    arrived = cx__jump(to->at, from);
    before = arrived.from;
    before->at = arrived.at;
    cx__fiber_arrive(&from->fiber, &before->fiber);
    errno = error;
}

/* The same for good: nobody will switch to `from` again. */
_Noreturn void cx__coroutine_leave(struct cx__coroutine *from,
                                   struct cx__coroutine *to);

#endif
