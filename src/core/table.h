/* SPDX-License-Identifier: MIT */
/*
 * Tables: the arrays of entries that contexts and snapshots share.
 *
 * A table with one holder may be written; one with more is copied first. The
 * drawing is in <ctxvar/detail.h>.
 */
#ifndef CTXVAR_CORE_TABLE_H
#define CTXVAR_CORE_TABLE_H

#include "page.h"

struct cx__spare;

static inline uint32_t cx__pages_of(uint32_t len)
{
    return (len + CX__PAGE_SLOTS - 1) / CX__PAGE_SLOTS;
}

/* The entries on the first page. */
static inline uint32_t cx__first_len(uint32_t len)
{
    return len < CX__PAGE_SLOTS ? len : CX__PAGE_SLOTS;
}

static inline size_t cx__table_bytes(uint32_t len)
{
    return sizeof(struct cx__table) +
           cx__pages_of(len) * sizeof(struct cx__page *) +
           cx__page_bytes(cx__first_len(len));
}

/*
 * A table with room for len slots and the same entries. Moving takes over the
 * pages and the holds on values, and leaves `from` a husk; copying shares the
 * pages but the first. NULL: no memory.
 */
struct cx__table *cx__table_grow(const struct cx__table *from, uint32_t len,
                                 bool move, struct cx__spare *spare);

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
 * that covers it, it cannot fail.
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

#endif
