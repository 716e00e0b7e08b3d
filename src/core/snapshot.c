/* SPDX-License-Identifier: MIT */
/*
 * Snapshots. A snapshot is one more hold on a table: what is shared is never
 * written, so that a table that a snapshot holds is immutable by itself.
 */
#include <errno.h>

#include "context.h"
#include "snapshot.h"
#include "thread.h"

static struct cx__table *table_of(const cx_snapshot *snapshot)
{
    return (struct cx__table *)(uintptr_t)snapshot;
}

struct cx__table *cx__snapshot_for(enum cx__copy_for whom)
{
    cx_context *ctx = (cx_context *)cx__tls.scope[0].context;

    if (cx__thread_get() == NULL || cx__context_reserve(ctx) != 0)
        return NULL;
    return cx__table_copy(cx__tls.scope[0].table, whom);
}

cx_snapshot *cx_snapshot_new(void)
{
    return (cx_snapshot *)cx__snapshot_for(CX__FOR_SNAPSHOT);
}

cx_snapshot *cx_snapshot_ref(cx_snapshot *snapshot)
{
    if (snapshot != NULL)
        (void)cx__table_ref(table_of(snapshot));
    return snapshot;
}

void cx_snapshot_unref(cx_snapshot *snapshot)
{
    if (snapshot != NULL)
        cx__table_unref(table_of(snapshot));
}

cx_context *cx_context_of(const cx_snapshot *snapshot)
{
    struct cx__table *table;

    if (snapshot == NULL) {
        errno = EINVAL;
        return NULL;
    }
    if (cx__thread_get() == NULL)
        return NULL;
    table = cx__table_copy_for_run(table_of(snapshot));
    return table != NULL ? cx__context_with(table) : NULL;
}

int cx_snapshot_run(cx_snapshot *snapshot, void (*fn)(void *), void *arg)
{
    cx_context *ctx;

    if (snapshot == NULL || fn == NULL)
        return -EINVAL;
    ctx = cx_context_of(snapshot);
    if (ctx == NULL)
        return -errno;
    cx__context_call(ctx, fn, arg);
    cx_context_unref(ctx);
    return 0;
}
