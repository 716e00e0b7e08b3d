/* SPDX-License-Identifier: MIT */
/*
 * Memory that a context has set aside for its resets: what a reset in a shared
 * table may need, so that it cannot fail.
 */
#ifndef CTXVAR_CORE_SPARE_H
#define CTXVAR_CORE_SPARE_H

#include <ctxvar/var.h>

/* Of a table, and of pages linked through entry[0].value. */
struct cx__spare {
    void *table;  /* NULL: none */
    uint32_t len; /* the slots that it has room for */
    struct cx__page *pages;
    uint32_t pages_len;
};

/* Set aside, in *spare, what `tokens` resets in this table may need once it
 * is shared: 0, -1 with errno ENOMEM. */
int cx__spare_fill(struct cx__spare **spare, const struct cx__table *table,
                   uint64_t tokens);
void cx__spare_free(struct cx__spare *spare);

/* A block for a table with room for so many slots, or for a page: what is set
 * aside is for just this, so that no other is asked for then. NULL: no
 * memory. */
void *cx__spare_take_table(struct cx__spare *spare, uint32_t len);
void *cx__spare_take_page(struct cx__spare *spare);

#endif
