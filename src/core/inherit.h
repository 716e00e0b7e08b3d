/* SPDX-License-Identifier: MIT */
/*
 * What a copy of a table gets: who it is for, and which variables stay behind.
 */
#ifndef CTXVAR_CORE_INHERIT_H
#define CTXVAR_CORE_INHERIT_H

#include "hold.h"

/* Who a copy is for, as the bits of cx_inherit that keep a variable out. */
enum cx__copy_for {
    CX__FOR_THREAD = CX_INHERIT_TASKS,
    CX__FOR_TASK = CX_INHERIT_THREADS,
    CX__FOR_SNAPSHOT = CX_INHERIT_NONE, /* both bits: kept out of either */
};

/* A copy without what stays behind, and with cells of its own. NULL with errno
 * ENOMEM. */
struct cx__table *cx__table_inherit(struct cx__table *table,
                                    enum cx__copy_for whom);

/*
 * What a copy holds: the table itself, or, where a variable in it is not for
 * everybody, a copy. NULL with errno ENOMEM.
 */
static inline struct cx__table *cx__table_copy(struct cx__table *table,
                                               enum cx__copy_for whom)
{
    return CX__LIKELY(table->limited == 0) ? cx__table_ref(table)
                                           : cx__table_inherit(table, whom);
}

/* The same for a run of a snapshot on this thread. */
struct cx__table *cx__table_copy_for_run(struct cx__table *table);

#endif
