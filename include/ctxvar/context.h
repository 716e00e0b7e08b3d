/* SPDX-License-Identifier: MIT */
/*
 * Contexts: what the variables of <ctxvar/var.h> are read from, and the
 * snapshots that carry their values to other work.
 *
 * Every thread has a current context and starts in an empty one of its own.
 * A context is mutable and can be entered in one place at a time; a snapshot
 * is immutable, and any number of threads may run in it at once. Copying
 * either is O(1): the values are shared until somebody sets one.
 *
 * A context that is entered belongs to its thread until it is left. Asking
 * another thread's entered context for its values is refused, not raced.
 */
#ifndef CTXVAR_CONTEXT_H
#define CTXVAR_CONTEXT_H

#include <stdio.h>

#include <ctxvar/var.h>

CX__BEGIN_DECLS

/** A mapping of variables to values; counted; may be handed to any thread. */
typedef struct cx_context cx_context;

/** What a context held at one moment; counted; immutable. */
typedef struct cx_snapshot cx_snapshot;

/**
 * Make an empty context.
 *
 * @return the context, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   ESHUTDOWN    this thread is past its last destructor
 *
 * Suspends: never. Threads: any. Cost: O(1), from a free list.
 * Source: PEP 567, Context().  Since: 0.1
 */
CX__API cx_context *cx_context_new(void);

/**
 * Copy the current context.
 *
 * What is set afterwards in one is not seen in the other. Variables with
 * CX_INHERIT_THREADS or CX_INHERIT_NONE stay behind.
 *
 * @return the copy, owned by the caller, or NULL with errno as
 *         cx_context_new().
 *
 * Suspends: never. Threads: any, copies the caller's context. Cost: O(1);
 * O(variables) while a variable with restricted inheritance or a CX_GLOBAL()
 * is set.
 * Source: PEP 567, copy_context().  Since: 0.1
 */
CX__API cx_context *cx_context_copy(void);

/**
 * Copy a context.
 *
 * @param ctx  Borrowed; NULL is the current context.
 * @return as cx_context_copy(); errno also
 *   EBUSY        it is entered on another thread
 *
 * Suspends: never. Threads: any; while others use ctx, none but readers.
 * Cost: as cx_context_copy().
 * Source: PEP 567, Context.copy().  Since: 0.1
 */
CX__API cx_context *cx_context_copy_of(const cx_context *ctx);

/**
 * Hold a context once more.
 *
 * @param ctx  Borrowed; NULL is ignored.
 * @return ctx, now owned once more by the caller.
 *
 * Suspends: never. Threads: any. Cost: one atomic addition.
 * Source: own.  Since: 0.1
 */
CX__API cx_context *cx_context_ref(cx_context *ctx);

/**
 * Let go of a context; with its last holder its values are released.
 *
 * @param ctx  Owned, given up; NULL is ignored. A context that is entered
 *             stays until it is left.
 *
 * Suspends: never. Threads: any. Cost: O(1), or O(owned values) for the last
 * holder.
 * Source: own.  Since: 0.1
 */
CX__API void cx_context_unref(cx_context *ctx);

/**
 * Give the current context.
 *
 * @return the context, borrowed until it is left; NULL with errno ENOMEM or
 *         ESHUTDOWN when the thread's own had to be made and could not be.
 *
 * Suspends: never. Threads: any, gives the caller's. Cost: O(1).
 * Source: PEP 567, PyThreadState.context.  Since: 0.1
 */
CX__API cx_context *cx_context_current(void);

/**
 * Call a function in a context: what it sets stays there.
 *
 * @param ctx  Borrowed; held while fn runs.
 * @param fn   Called once, on this thread, before this returns. It must return
 *             on the thread that it began on.
 * @param arg  Handed to fn.
 * @return 0, or, without having called fn,
 *   -EBUSY       the context is current or entered, here or on another thread
 *   -EINVAL      ctx or fn is NULL
 *   -ENOMEM      no memory
 *   -ESHUTDOWN   this thread is past its last destructor
 *
 * Suspends: never by itself. Threads: any. Cost: an enter and an exit.
 * Source: PEP 567, Context.run().  Since: 0.1
 */
CX__API int cx_context_run(cx_context *ctx, void (*fn)(void *), void *arg);

/**
 * Make a context the current one, until cx_context_exit(): the first half of
 * a run, for language bindings. Nests strictly.
 *
 * @param ctx  Borrowed; held until it is left.
 * @return 0, or
 *   -EBUSY       it is current or entered, here or on another thread
 *   -EINVAL      ctx is NULL
 *   -ENOMEM      no memory
 *   -ESHUTDOWN   this thread is past its last destructor
 *
 * Suspends: never. Threads: any. Cost: O(1), one atomic operation, as has the
 * exit: a context is claimed by one thread at a time.
 * Source: PEP 567, PyContext_Enter().  Since: 0.1
 */
CX__API int cx_context_enter(cx_context *ctx);

/**
 * Leave the context that cx_context_enter() made current: what was current
 * before is so again.
 *
 * @param ctx  Borrowed.
 * @return 0, or, with nothing changed,
 *   -EINVAL      it is not the current one, or was not entered; or NULL
 *
 * Suspends: never. Threads: the one that entered. Cost: O(1).
 * Source: PEP 567, PyContext_Exit().  Since: 0.1
 */
CX__API int cx_context_exit(cx_context *ctx);

/**
 * Exchange the current context, for schedulers: two stores at a coroutine
 * switch. It is its own inverse, and knows no nesting:
 *
 *     cx_context *mine = cx_context_swap(theirs);
 *     resume(coroutine);
 *     theirs = cx_context_swap(mine);
 *
 * @param next  Borrowed while current; the scheduler keeps the reference.
 *              NULL is the thread's own context.
 * @return the context that was current, borrowed; NULL for the thread's own
 *         while nothing was ever set in it.
 *
 * Suspends: never. Threads: any; a context is current on one at a time.
 * Cost: O(1), no atomic operation.
 * Source: own; greenlet's gr_context.  Since: 0.1
 */
CX__API cx_context *cx_context_swap(cx_context *next);

/**
 * Find the value that a context holds for a variable.
 *
 * @param ctx  Borrowed; NULL is the current context.
 * @param var  Borrowed.
 * @param out  Written when it is set; NULL: only ask. Borrowed from ctx.
 * @return false: not set there (a default is not looked at), or ctx is
 *         entered on another thread.
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: PEP 567, Context.get().  Since: 0.1
 */
CX__API bool cx_context_find(const cx_context *ctx, const cx_var *var,
                             cx_value *out);

/**
 * Count the variables that are set in a context.
 *
 * @param ctx  Borrowed; NULL is the current context.
 * @return their number; 0 when ctx is entered on another thread.
 *
 * Suspends: never. Threads: any. Cost: O(variables / 32).
 * Source: PEP 567, len(Context).  Since: 0.1
 */
CX__API size_t cx_context_len(const cx_context *ctx);

/**
 * Call a function for every variable that is set in a context, as it is at
 * the time of this call: fn may set and unset as it likes.
 *
 * @param ctx  Borrowed; NULL is the current context.
 * @param fn   Given the variable and the value, both borrowed for the call.
 * @param arg  Handed to fn.
 * @return 0, the first non-zero result of fn, which ends it, or
 *   -EBUSY       ctx is entered on another thread
 *   -EINVAL      fn is NULL
 *   -ENOMEM      no memory, with tokens open in ctx; fn was not called
 *
 * Suspends: never by itself. Threads: any. Cost: O(variables).
 * Source: PEP 567, Context.items().  Since: 0.1
 */
CX__API int cx_context_each(const cx_context *ctx,
                            int (*fn)(cx_var *, cx_value, void *arg),
                            void *arg);

/**
 * Write the variables that are set in a context, one "title = value" a line.
 *
 * @param ctx  Borrowed; NULL is the current context.
 * @param out  Borrowed.
 * @return 0, or
 *   -EBUSY       ctx is entered on another thread
 *   -EINVAL      out is NULL
 *   -ENOMEM      no memory, with tokens open in ctx; nothing was written
 *   -EIO         writing failed
 *
 * Suspends: never. Threads: any. Cost: O(variables).
 * Source: own.  Since: 0.1
 */
CX__API int cx_context_dump(const cx_context *ctx, FILE *out);

/**
 * Take a snapshot of the current context.
 *
 * Variables with CX_INHERIT_NONE stay behind; those for tasks or threads
 * alone are given to the runs they are for.
 *
 * @return the snapshot, owned by the caller, or NULL with errno
 *   ENOMEM       no memory
 *   ESHUTDOWN    this thread is past its last destructor
 *
 * Suspends: never. Threads: any. Cost: O(1), as cx_context_copy().
 * Source: TC39 AsyncContext.Snapshot.  Since: 0.1
 */
CX__API cx_snapshot *cx_snapshot_new(void);

/**
 * Hold a snapshot once more.
 *
 * @param snapshot  Borrowed; NULL is ignored.
 * @return snapshot, now owned once more by the caller.
 *
 * Suspends: never. Threads: any. Cost: one atomic addition.
 * Source: own.  Since: 0.1
 */
CX__API cx_snapshot *cx_snapshot_ref(cx_snapshot *snapshot);

/**
 * Let go of a snapshot; with its last holder its values are released.
 *
 * @param snapshot  Owned, given up; NULL is ignored.
 *
 * Suspends: never. Threads: any. Cost: as cx_context_unref().
 * Source: own.  Since: 0.1
 */
CX__API void cx_snapshot_unref(cx_snapshot *snapshot);

/**
 * Call a function in a fresh copy of a snapshot: what it sets is gone when
 * it returns, and no other run sees it.
 *
 * @param snapshot  Borrowed; held while fn runs.
 * @param fn        As for cx_context_run().
 * @param arg       Handed to fn.
 * @return 0, or, without having called fn,
 *   -EINVAL      snapshot or fn is NULL
 *   -ENOMEM      no memory
 *   -ESHUTDOWN   this thread is past its last destructor
 *
 * Suspends: never by itself. Threads: any, many at once. Cost: O(1).
 * Source: TC39 AsyncContext.Snapshot.run.  Since: 0.1
 */
CX__API int cx_snapshot_run(cx_snapshot *snapshot, void (*fn)(void *),
                            void *arg);

/**
 * Make a context that starts with what a snapshot holds.
 *
 * @param snapshot  Borrowed.
 * @return the context, owned by the caller, or NULL with errno
 *   EINVAL       snapshot is NULL
 *   ENOMEM       no memory
 *   ESHUTDOWN    this thread is past its last destructor
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API cx_context *cx_context_of(const cx_snapshot *snapshot);

CX__END_DECLS

#endif
