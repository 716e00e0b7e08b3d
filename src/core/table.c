/* SPDX-License-Identifier: MIT */
/*
 * Tables: their layout, copy on write, and looking into them.
 */
#include "hold.h"
#include "spare.h"
#include "table.h"
#include "thread.h"
#include "variable.h"

/* The room a table needs to have a slot: steps of 8, then of a page. */
static uint32_t len_for(uint32_t slot)
{
    uint32_t step = slot < CX__PAGE_SLOTS ? CX__STEP : CX__PAGE_SLOTS;

    return (slot / step + 1) * step;
}

/* Lay out a block as an empty table, but for the first page's entries. */
static struct cx__table *table_init(void *block, uint32_t len)
{
    struct cx__table *table = block;
    uint32_t pages = cx__pages_of(len);
    struct cx__page *first = (struct cx__page *)&table->page[pages];

    *table = (struct cx__table){.refs = 1, .len = len};
    table->page[0] = first;
    for (uint32_t i = 1; i < pages; i++)
        table->page[i] = &cx__empty_page;
    first->refs = 1;
    first->managed = first->limited = 0;
    return table;
}

/* Has a scope's table a holder besides its context? What is in hand is of the
 * current table; those of thread variables are never shared. */
static bool table_shared(struct cx__table *table)
{
    uint32_t refs = __atomic_load_n(&table->refs, __ATOMIC_ACQUIRE);

    if (CX__LIKELY(refs == 1) || refs - cx__in_hand != 1)
        return refs != 1;
    cx__hand_back(table);
    return false;
}

struct cx__table *cx__table_grow(const struct cx__table *from, uint32_t len,
                                 bool move, struct cx__spare *spare)
{
    void *block = spare != NULL ? cx__spare_take_table(spare, len)
                                : cx__alloc(cx__table_bytes(len));
    struct cx__table *table;

    if (block == NULL)
        return NULL;
    table = table_init(block, len);
    table->limited = from->limited;
    if (from->len == 0) {
        cx__page_clear(table->page[0], 0, cx__first_len(len));
        return table;
    }
    cx__page_fill(table->page[0], from->page[0], cx__first_len(from->len),
                  cx__first_len(len));
    if (!move)
        cx__page_each(table->page[0], cx__entry_ref);
    for (uint32_t i = 1; i < cx__pages_of(from->len); i++)
        table->page[i] = move ? from->page[i] : cx__page_ref(from->page[i]);
    return table;
}

/* What is left of a table whose entries have moved. */
static void husk_free(struct cx__table *table)
{
    if (table != &cx__empty_table)
        cx__free(table, cx__table_bytes(table->len));
}

struct cx__entry *cx__table_write(struct cx__table **table, uint32_t slot,
                                  struct cx__spare *spare,
                                  struct cx__remains *remains)
{
    struct cx__table *own = *table;
    bool move = !table_shared(own);
    struct cx__page **page;

    *remains = (struct cx__remains){.moved = move};
    if (slot >= own->len || !move) {
        uint32_t len = slot < own->len ? own->len : len_for(slot);

        own = cx__table_grow(own, len, move, spare);
        if (own == NULL)
            return NULL;
        remains->table = *table;
    }
    page = &own->page[slot / CX__PAGE_SLOTS];
    if (cx__is_shared(&(*page)->refs)) {
        struct cx__page *copy = cx__page_copy(*page, spare);

        if (copy == NULL) {
            if (own != *table && move)
                husk_free(own);
            else if (own != *table)
                cx__table_drop(own, 1);
            return NULL;
        }
        remains->page = *page;
        __atomic_signal_fence(__ATOMIC_RELEASE);
        *page = copy;
    }
    *table = own;
    return &(*page)->entry[slot % CX__PAGE_SLOTS];
}

void cx__remains_release(const struct cx__remains *remains)
{
    struct cx__table *table = remains->table;

    if (remains->page != NULL)
        cx__page_unref(remains->page);
    if (table == NULL)
        return;
    if (remains->moved)
        husk_free(table);
    else
        cx__table_drop(table, 1 + remains->in_hand);
}

static const struct cx__entry *entry_at(const struct cx__table *table,
                                        uint32_t slot)
{
    return &table->page[slot / CX__PAGE_SLOTS]->entry[slot % CX__PAGE_SLOTS];
}

const struct cx__entry *cx__table_find(const struct cx__table *table,
                                       const cx_var *var)
{
    uint32_t slot = __atomic_load_n(&var->slot, __ATOMIC_RELAXED);

    if (slot < table->len && entry_at(table, slot)->var == var)
        return entry_at(table, slot);
    return NULL;
}

int cx__table_each(const struct cx__table *table,
                   int (*fn)(cx_var *, cx_value, void *), void *arg)
{
    for (uint32_t i = 0; i < table->len; i++) {
        const struct cx__entry *entry = entry_at(table, i);
        int result = entry->var != NULL ? fn(entry->var, entry->value, arg) : 0;

        if (result != 0)
            return result;
    }
    return 0;
}

void cx__table_mark(struct cx__table *table, const cx_var *var)
{
    struct cx__page *page = table->page[var->slot / CX__PAGE_SLOTS];
    uint32_t bit = 1u << var->slot % CX__PAGE_SLOTS;
    unsigned flags = cx__var_flags(var);

    if ((flags & CX__MANAGED) != 0)
        page->managed |= bit;
    if ((flags & CX__LIMITED) != 0) {
        page->limited |= bit;
        table->limited++;
    }
}

void cx__table_clear(struct cx__table *table, const cx_var *var)
{
    struct cx__page *page = table->page[var->slot / CX__PAGE_SLOTS];
    uint32_t i = var->slot % CX__PAGE_SLOTS;

    if ((page->limited & 1u << i) != 0)
        table->limited--;
    cx__page_unset(page, i);
}

size_t cx__table_len(const struct cx__table *table)
{
    size_t len = 0;

    for (uint32_t i = 0; i < table->len; i++)
        len += entry_at(table, i)->var != NULL;
    return len;
}
