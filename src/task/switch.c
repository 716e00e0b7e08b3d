/* SPDX-License-Identifier: MIT */
/*
 * The first and the last steps of a coroutine. What Boost.Context starts must
 * not return: the process would end without a word.
 */
#include "switch.h"

void cx__coroutine_entry(struct cx__transfer transfer);
void cx__coroutine_start(struct cx__transfer transfer) __attribute__((used));

CX__ENTRY(cx__coroutine_entry, cx__coroutine_start);

void cx__coroutine_init(struct cx__coroutine *coroutine, char *low, char *high,
                        cx_context *context,
                        void (*main)(struct cx__coroutine *self))
{
    size_t bytes = (size_t)(high - low);

    coroutine->at = make_fcontext(high, bytes, cx__coroutine_entry);
    coroutine->context = context;
    coroutine->main = main;
    cx__fiber_init(&coroutine->fiber, low, bytes);
}

void cx__coroutine_init_thread(struct cx__coroutine *coroutine)
{
    *coroutine = (struct cx__coroutine){.at = NULL};
    cx__fiber_init_thread(&coroutine->fiber);
}

void cx__coroutine_fini(struct cx__coroutine *coroutine)
{
    cx__fiber_fini(&coroutine->fiber);
}

/* On a new stack: note where the one before stands, and begin. */
void cx__coroutine_start(struct cx__transfer transfer)
{
    struct cx__coroutine *before = transfer.from;
    struct cx__coroutine *self = before->to;

    before->at = transfer.at;
    cx__fiber_arrive(&self->fiber, &before->fiber);
    self->main(self);
}

_Noreturn void cx__coroutine_leave(struct cx__coroutine *from,
                                   struct cx__coroutine *to)
{
    from->to = to;
    (void)cx_context_swap(to->context);
    cx__fiber_leave(&from->fiber, &to->fiber, true);
    (void)cx__jump(to->at, from);
    __builtin_unreachable();
}
