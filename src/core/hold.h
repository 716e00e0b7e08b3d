/* SPDX-License-Identifier: MIT */
/*
 * Holds on tables: counting them, and what the last one brings about.
 */
#ifndef CTXVAR_CORE_HOLD_H
#define CTXVAR_CORE_HOLD_H

#include <ctxvar/var.h>

/* Without a slot; held by everybody and counted by nobody. */
extern struct cx__table cx__empty_table;

/*
 * Holds on the current table that this thread keeps in hand, so that copying
 * the current context, and letting go of copies, need no atomic operation.
 * They are given back when another table becomes current; until then they
 * change nothing, since what is current is held anyway.
 *
 * table->refs == its holders + what threads have in hand of it
 *
 * Nothing is in hand of cx__empty_table.
 */
enum { CX__HAND_SIZE = 32 };

extern CX__THREAD_LOCAL uint32_t cx__in_hand;
void cx__hand_back(struct cx__table *table);

/* What the two below do with any other table, or an empty or a full hand. */
struct cx__table *cx__table_ref_any(struct cx__table *table);
void cx__table_unref_any(struct cx__table *table);

static inline struct cx__table *cx__table_ref(struct cx__table *table)
{
    if (CX__LIKELY(table == cx__tls.scope[0].table && cx__in_hand != 0)) {
        cx__in_hand--;
        return table;
    }
    return cx__table_ref_any(table);
}

static inline void cx__table_unref(struct cx__table *table)
{
    if (CX__LIKELY(table == cx__tls.scope[0].table && cx__in_hand != 0 &&
                   cx__in_hand <= CX__HAND_SIZE))
        cx__in_hand++;
    else
        cx__table_unref_any(table);
}

/* Make a table the one that this thread reads; its context holds it. */
static inline void cx__table_make_current(struct cx__table *table)
{
    struct cx__table *old = cx__tls.scope[0].table;

    __atomic_signal_fence(__ATOMIC_RELEASE);
    cx__tls.scope[0].table = table;
    if (cx__in_hand != 0 && old != table)
        cx__hand_back(old);
}

/* The same, where the current context has replaced its table: what was in
 * hand of the old one is left to be given back with it. */
static inline uint32_t cx__table_replace_current(struct cx__table *table)
{
    uint32_t in_hand = 0;

    if (cx__tls.scope[0].table != table) {
        in_hand = cx__in_hand;
        cx__in_hand = 0;
        cx__table_make_current(table);
    }
    return in_hand;
}

/* So many holds less, on a table that is not current. */
void cx__table_drop(struct cx__table *table, uint32_t n);

#endif
