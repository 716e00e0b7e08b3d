/* SPDX-License-Identifier: MIT */
/*
 * Tables: the arrays of entries that contexts and snapshots share.
 *
 * A table with one holder may be written; one with more is copied first. The
 * drawing is in <ctxvar/detail.h>.
 */
#ifndef CTXVAR_CORE_TABLE_H
#define CTXVAR_CORE_TABLE_H

#include <ctxvar/var.h>

/* Without a slot; held by everybody and counted by nobody. */
extern struct cx__table cx__empty_table;

/* Who a copy is for, as the bits of cx_inherit that keep a variable out. */
enum cx__copy_for {
    CX__FOR_THREAD = CX_INHERIT_TASKS,
    CX__FOR_TASK = CX_INHERIT_THREADS,
    CX__FOR_SNAPSHOT = CX_INHERIT_NONE, /* both bits: kept out of either */
};

/* Memory for one reset: a table, and pages linked through entry[0].value. */
struct cx__spare {
    struct cx__table *table;
    uint32_t len; /* the slots that table has room for */
    struct cx__page *pages;
    uint32_t pages_len;
};

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

/*
 * What a copy holds: the table itself, or, where a variable in it is not for
 * everybody, one without what stays behind and with cells of its own. NULL
 * with errno ENOMEM.
 */
struct cx__table *cx__table_copy(struct cx__table *table,
                                 enum cx__copy_for whom);

/* The same for a run of a snapshot on this thread. */
struct cx__table *cx__table_copy_for_run(struct cx__table *table);

/* What a write leaves over, to be released once the change is made. */
struct cx__remains {
    struct cx__table *table;
    struct cx__page *page;
    bool moved;       /* the table is a husk: its entries live on */
    uint32_t in_hand; /* holds on it besides the context's */
};

/*
 * Make *table writable at a slot, replacing it by one with room where it is
 * shared or too short. NULL: no memory, and *table is as it was. With a spare
 * that covers it (cx__spare_fill()), it cannot fail.
 *
 * It runs no code of the program's but cx_type.ref. What does, and what a
 * signal handler may still be reading, is left to cx__remains_release().
 */
struct cx__entry *cx__table_write(struct cx__table **table, uint32_t slot,
                                  struct cx__spare *spare,
                                  struct cx__remains *remains);
void cx__remains_release(const struct cx__remains *remains);

/* Note down of a variable that is being set how its entry must be copied and
 * released. */
void cx__table_mark(struct cx__table *table, const cx_var *var);

/* The entry of a variable, or NULL where it is not set. */
const struct cx__entry *cx__table_find(const struct cx__table *table,
                                       const cx_var *var);

/* Put a value into an entry that is writable, or take it out. The entry's
 * hold on the value goes with it. */
static inline void cx__table_put(struct cx__table *table, cx_var *var,
                                 cx_value value)
{
    struct cx__page *page = table->page[var->slot / CX__PAGE_SLOTS];
    struct cx__entry *entry = &page->entry[var->slot % CX__PAGE_SLOTS];

    if (entry->var == NULL)
        cx__table_mark(table, var);
    cx__entry_put(entry, var, value);
}

void cx__table_clear(struct cx__table *table, const cx_var *var);

size_t cx__table_len(const struct cx__table *table);

/* Call a function for each entry; stops at the first non-zero result. */
int cx__table_each(const struct cx__table *table,
                   int (*fn)(cx_var *, cx_value, void *), void *arg);

/* Set aside, in *spare, what `tokens` resets in this table may need once it
 * is shared: 0, -1 with errno ENOMEM. */
int cx__spare_fill(struct cx__spare **spare, const struct cx__table *table,
                   uint64_t tokens);
void cx__spare_free(struct cx__spare *spare);

#endif
