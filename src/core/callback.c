/* SPDX-License-Identifier: MIT */
/*
 * Callbacks and threads that carry the context of whoever registered them.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/callback.h>

#include "context.h"
#include "spare.h"
#include "snapshot.h"
#include "thread.h"

/*
 * refs counts the owner and the calls under way. spare is a context with an
 * empty table for the next call, NULL while a call has it.
 */
struct cx_callback {
    void (*fn)(void *);
    void *arg;
    cx_snapshot *snapshot;
    cx_context *spare;
    uint32_t refs;
};

cx_callback *cx_callback_new(void (*fn)(void *), void *arg)
{
    cx_callback *callback;
    cx_context *spare;
    cx_snapshot *snapshot;

    if (fn == NULL) {
        errno = EINVAL;
        return NULL;
    }
    snapshot = cx_snapshot_new();
    if (snapshot == NULL)
        return NULL;
    spare = cx_context_new();
    callback = spare != NULL ? malloc(sizeof(*callback)) : NULL;
    if (callback == NULL) {
        cx_context_unref(spare);
        cx_snapshot_unref(snapshot);
        errno = ENOMEM;
        return NULL;
    }
    *callback = (cx_callback){
        .fn = fn, .arg = arg, .snapshot = snapshot, .spare = spare, .refs = 1};
    return callback;
}

void cx_callback_free(cx_callback *callback)
{
    if (callback == NULL ||
        __atomic_fetch_sub(&callback->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    cx_snapshot_unref(callback->snapshot);
    cx_context_unref(callback->spare);
    free(callback);
}

/* The context for a call: the spare one, or else another. */
static cx_context *call_begin(cx_callback *callback)
{
    cx_context *ctx =
        __atomic_exchange_n(&callback->spare, NULL, __ATOMIC_ACQ_REL);
    struct cx__table *table;

    if (ctx == NULL)
        return cx_context_of(callback->snapshot);
    table = cx__table_copy_for_run((struct cx__table *)callback->snapshot);
    if (table == NULL) {
        __atomic_store_n(&callback->spare, ctx, __ATOMIC_RELEASE);
        return NULL;
    }
    ctx->table = table;
    return ctx;
}

/* Give the context back, emptied, unless somebody kept it. */
static void call_end(cx_callback *callback, cx_context *ctx)
{
    cx_context *none = NULL;

    if (__atomic_load_n(&ctx->holds, __ATOMIC_ACQUIRE) == CX__HOLD) {
        struct cx__table *table = ctx->table;

        cx__spare_free(ctx->spare);
        ctx->spare = NULL;
        ctx->table = &cx__empty_table;
        ctx->head = (struct cx__context_head){.id = cx__next_id()};
        cx__table_unref(table);
        if (__atomic_compare_exchange_n(&callback->spare, &none, ctx, false,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            return;
    }
    cx_context_unref(ctx);
}

void cx_callback_call(void *arg)
{
    cx_callback *callback = arg;
    cx_context *ctx;

    if (callback == NULL)
        return;
    (void)__atomic_fetch_add(&callback->refs, 1, __ATOMIC_RELAXED);
    ctx = call_begin(callback);
    if (ctx != NULL) {
        cx__context_call(ctx, callback->fn, callback->arg);
        call_end(callback, ctx);
    }
    cx_callback_free(callback);
}

/* What a thread starts with; all of it is made by its creator, who can fail. */
struct start {
    void *(*fn)(void *);
    void *arg;
    cx_context *ctx;
    struct cx__thread *thread;
};

static void start_free(struct start *start)
{
    cx_context_unref(start->ctx);
    cx__thread_free(start->thread);
    free(start);
}

static struct start *start_new(void *(*fn)(void *), void *arg)
{
    struct cx__table *table = cx__snapshot_for(CX__FOR_THREAD);
    struct start *start;

    if (table == NULL)
        return NULL;
    start = calloc(1, sizeof(*start));
    if (start == NULL) {
        cx__table_unref(table);
        errno = ENOMEM;
        return NULL;
    }
    *start = (struct start){.fn = fn,
                            .arg = arg,
                            .ctx = cx__context_with(table),
                            .thread = cx__thread_new()};
    if (start->ctx == NULL || start->thread == NULL) {
        start_free(start);
        errno = ENOMEM;
        return NULL;
    }
    return start;
}

static void *thread_main(void *arg)
{
    struct start *start = arg;
    void *(*fn)(void *) = start->fn;

    arg = start->arg;
    cx__context_own(start->ctx);
    cx__thread_adopt(start->thread, start->ctx);
    free(start);
    return fn(arg);
}

int cx_thread_create(pthread_t *thread, const pthread_attr_t *attr,
                     void *(*fn)(void *), void *arg)
{
    struct start *start;
    int error;

    if (thread == NULL || fn == NULL)
        return -EINVAL;
    start = start_new(fn, arg);
    if (start == NULL)
        return -errno;
    error = pthread_create(thread, attr, thread_main, start);
    if (error != 0)
        start_free(start);
    return -error;
}
