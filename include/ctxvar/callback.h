/* SPDX-License-Identifier: MIT */
/*
 * Carrying the context through any callback interface and into any thread,
 * and mirroring a variable into what knows no contexts.
 */
#ifndef CTXVAR_CALLBACK_H
#define CTXVAR_CALLBACK_H

#include <pthread.h>

#include <ctxvar/context.h>

CX__BEGIN_DECLS

/** A function bound to the context that it was registered in. */
typedef struct cx_callback cx_callback;

/**
 * Bind a function and its argument to a snapshot of the current context.
 *
 * Hand cx_callback_call as the function and the result as its user data to
 * whatever calls back later, once or often, on whatever thread:
 *
 *     on_ready(source, cx_callback_call, cx_callback_new(handle, request));
 *
 * @param fn   Called by each cx_callback_call().
 * @param arg  Borrowed; handed to fn.
 * @return the callback, owned by the caller, or NULL with errno
 *   EINVAL       fn is NULL
 *   ENOMEM       no memory
 *   ESHUTDOWN    this thread is past its last destructor
 *
 * Suspends: never. Threads: any. Cost: a snapshot and one allocation.
 * Source: TC39 AsyncContext.Snapshot.wrap.  Since: 0.1
 */
CX__API cx_callback *cx_callback_new(void (*fn)(void *), void *arg);

/**
 * Call a bound function in a fresh copy of its context: what it sets is seen
 * by nobody after, not by its next call either.
 *
 * @param callback  Borrowed, a cx_callback; NULL is ignored. Its function
 *                  may free it.
 *
 * Memory for one call is set aside, so that calls that do not overlap cannot
 * fail. A call that finds no memory is not made: one that overlaps another,
 * or any while a CX_GLOBAL() or a variable of restricted inheritance is in
 * the context.
 *
 * Suspends: never by itself. Threads: any, many at once. Cost: O(1).
 * Source: TC39 AsyncContext.Snapshot.wrap.  Since: 0.1
 */
CX__API void cx_callback_call(void *callback);

/**
 * Free a callback and let go of its context.
 *
 * @param callback  Owned, given up; NULL is ignored. A call that is under way
 *                  keeps what it needs.
 *
 * Suspends: never. Threads: any. Cost: as cx_snapshot_unref().
 * Source: own.  Since: 0.1
 */
CX__API void cx_callback_free(cx_callback *callback);

/**
 * Create a thread that starts in a copy of the current context.
 *
 * Variables with CX_INHERIT_TASKS or CX_INHERIT_NONE stay behind. Errors are
 * negative, as everywhere here, unlike those of pthread_create().
 *
 * @param thread  Written on success.
 * @param attr    Borrowed; NULL: the default attributes.
 * @param fn      The thread's function.
 * @param arg     Handed to fn.
 * @return 0, or
 *   -EINVAL      thread or fn is NULL, or attr is invalid
 *   -EPERM       attr asks for scheduling that is not permitted
 *   -EAGAIN      no more threads can be had
 *   -ENOMEM      no memory
 *   -ESHUTDOWN   this thread is past its last destructor
 *
 * Suspends: never. Threads: any. Cost: a snapshot and a thread.
 * Source: CPython 3.14, Thread(context=).  Since: 0.1
 */
CX__API int cx_thread_create(pthread_t *thread, const pthread_attr_t *attr,
                             void *(*fn)(void *), void *arg);

/**
 * Call a function whenever the current value of a variable changes, by set,
 * reset, unset, run or switch, on the thread where it does: to mirror it into
 * something that knows no contexts, as uselocale().
 *
 * It is called after the change, only when the bytes of the value differ: not
 * for the value that there is when the watch begins, nor when the values go
 * with their thread. At a switch, watchers of variables that are no longer set
 * come first. Not being set counts as the default, or zero. A watcher may set
 * other variables; its own is -EBUSY to it.
 *
 * @param var      Borrowed; held until cx_unwatch().
 * @param changed  Given the value, borrowed for the call.
 * @param arg      Handed to changed.
 * @return 0, or
 *   -EINVAL      var or changed is NULL, or var is a CX_GLOBAL()
 *   -ENOSPC      there are 64 watches
 *
 * Suspends: never. Threads: any; watches all of them. Cost: once anything is
 * watched, a switch compares the watched variables.
 * Source: .NET AsyncLocal valueChangedHandler; folly onSet and onUnset.
 * Since: 0.1
 */
CX__API int cx_watch(cx_var *var, void (*changed)(cx_value now, void *arg),
                     void *arg);

/**
 * Stop what cx_watch() began.
 *
 * A call that has begun on another thread may still be under way.
 *
 * @param var      Borrowed.
 * @param changed  As given to cx_watch().
 * @param arg      As given to cx_watch().
 * @return 0, or
 *   -ENOENT      there is no such watch
 *
 * Suspends: never. Threads: any. Cost: O(1).
 * Source: own.  Since: 0.1
 */
CX__API int cx_unwatch(cx_var *var, void (*changed)(cx_value now, void *arg),
                       void *arg);

CX__END_DECLS

#endif
