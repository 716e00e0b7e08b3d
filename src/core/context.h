/* SPDX-License-Identifier: MIT */
/*
 * Contexts from the inside.
 */
#ifndef CTXVAR_CORE_CONTEXT_H
#define CTXVAR_CORE_CONTEXT_H

#include <ctxvar/context.h>

/*
 * A context.
 *
 *           enter                  exit
 *   IDLE ------------> ENTERED ------------> IDLE
 *
 * holds counts its references twice over, plus one while it is ENTERED: it
 * goes when that reaches 0, be it by an unref or by an exit.
 *
 * ENTERED <=> holds is odd; by is then the address of the entering thread's
 * cx__tls, or NULL for a moment. The context that a thread starts in is
 * ENTERED all the time, and is_own, so that it cannot be left.
 *
 * A scope of cx__tls points to it <=> it is current on that thread; that
 * scope's table is then its table.
 */
struct cx_context {
    struct cx__context_head head;
    struct cx__table *table;
    uint32_t holds;
    bool is_own;
    const struct cx__tls *by;
    cx_context *outer;       /* what was current at the enter; else NULL */
    struct cx__spare *spare; /* for its resets; NULL until it is shared */
};

enum { CX__ENTERED = 1, CX__HOLD = 2 };

static inline bool cx__context_is_entered(const cx_context *ctx)
{
    return (__atomic_load_n(&ctx->holds, __ATOMIC_ACQUIRE) & CX__ENTERED) != 0;
}

static inline bool cx__context_is_by(const cx_context *ctx,
                                     const struct cx__tls *tls)
{
    return __atomic_load_n(&ctx->by, __ATOMIC_RELAXED) == tls;
}

/* Is it entered by this thread? Then no other may ask it for anything. */
static inline bool cx__context_is_here(const cx_context *ctx)
{
    return cx__context_is_entered(ctx) && cx__context_is_by(ctx, &cx__tls);
}

/* A context that holds a table, which it takes over. NULL with errno ENOMEM:
 * the table is released. */
cx_context *cx__context_with(struct cx__table *table);

/* A run of cx_context_run() in a context that nobody else can have. */
void cx__context_call(cx_context *ctx, void (*fn)(void *), void *arg);

/* Make a context of this thread's, in which it starts, or give it up. */
void cx__context_own(cx_context *ctx);
void cx__context_disown(cx_context *ctx);

/* Leave all that this thread has entered, and its own context too: it is
 * about to end, which is no change that watchers hear of. */
void cx__context_leave_all(void);

/* Where a variable of these flags is kept on this thread. */
static inline struct cx__scope *cx__scope_of(unsigned flags)
{
    return &cx__tls.scope[(flags & CX__THREAD) != 0];
}

/* Give a scope the thread's own context, which it did without so far. */
int cx__scope_fill(struct cx__scope *scope, bool variables);

/* As cx__scope_of(), with a context to set it in: 0, -ENOMEM or -ESHUTDOWN. */
static inline int cx__scope_ready(unsigned flags, struct cx__scope **scope)
{
    *scope = cx__scope_of(flags);
    return CX__LIKELY((*scope)->context != NULL)
               ? 0
               : cx__scope_fill(*scope, (flags & CX__THREAD) != 0);
}

/* Make the context ready to be shared, since its resets must not fail: 0, or
 * -ENOMEM, also as errno. */
int cx__context_set_aside(cx_context *ctx);

static inline int cx__context_reserve(cx_context *ctx)
{
    return ctx == NULL || CX__LIKELY(ctx->head.tokens == 0)
               ? 0
               : cx__context_set_aside(ctx);
}

#endif
