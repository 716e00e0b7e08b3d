/* SPDX-License-Identifier: MIT */
/*
 * Tables and their pages: copy on write, filtered copies, and release.
 *
 * What holds what:
 *
 *     context, snapshot --refs--> table --refs--> page --> entry --> value
 *
 * The first page is part of its table and has one holder as long as the table
 * lives. An entry in k pages holds its value k times, as its type counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "table.h"
#include "thread.h"
#include "variable.h"

enum { STEP = 8 }; /* slots by which a table of one page grows */

struct cx__table cx__empty_table = {.refs = 1};

/* Stands for a page on which nothing is set. Its refs is never 1. */
static struct cx__page empty_page;

static bool is_shared(const uint32_t *refs)
{
    return __atomic_load_n(refs, __ATOMIC_ACQUIRE) != 1;
}

/* So many holds less; true for the last. */
static bool drop(uint32_t *refs, uint32_t n)
{
    return __atomic_load_n(refs, __ATOMIC_ACQUIRE) == n ||
           __atomic_fetch_sub(refs, n, __ATOMIC_ACQ_REL) == n;
}

static uint32_t pages_of(uint32_t len)
{
    return (len + CX__PAGE_SLOTS - 1) / CX__PAGE_SLOTS;
}

static uint32_t first_len(uint32_t len)
{
    return len < CX__PAGE_SLOTS ? len : CX__PAGE_SLOTS;
}

static size_t page_bytes(uint32_t len)
{
    return offsetof(struct cx__page, entry) + len * sizeof(struct cx__entry);
}

static size_t table_bytes(uint32_t len)
{
    return sizeof(struct cx__table) +
           pages_of(len) * sizeof(struct cx__page *) +
           page_bytes(first_len(len));
}

/* The room a table needs to have a slot: steps of 8, then of a page. */
static uint32_t len_for(uint32_t slot)
{
    uint32_t step = slot < CX__PAGE_SLOTS ? STEP : CX__PAGE_SLOTS;

    return (slot / step + 1) * step;
}

/* Lay out a block as an empty table, but for the first page's entries. */
static struct cx__table *table_init(void *block, uint32_t len)
{
    struct cx__table *table = block;
    uint32_t pages = pages_of(len);
    struct cx__page *first = (struct cx__page *)&table->page[pages];

    *table = (struct cx__table){.refs = 1, .len = len};
    table->page[0] = first;
    for (uint32_t i = 1; i < pages; i++)
        table->page[i] = &empty_page;
    first->refs = 1;
    first->managed = first->limited = 0;
    return table;
}

/* Memory that was set aside is for just this: no other is asked for then. */
static struct cx__table *table_alloc(uint32_t len, struct cx__spare *spare)
{
    void *block;

    if (spare != NULL && spare->table != NULL && spare->len == len) {
        block = spare->table;
        spare->table = NULL;
    } else {
        block = cx__alloc(table_bytes(len));
    }
    return block != NULL ? table_init(block, len) : NULL;
}

static struct cx__page *page_alloc(struct cx__spare *spare)
{
    struct cx__page *page;

    if (spare == NULL || spare->pages == NULL)
        return cx__alloc(page_bytes(CX__PAGE_SLOTS));
    page = spare->pages;
    spare->pages = page->entry[0].value.ptr;
    spare->pages_len--;
    return page;
}

static struct cx__page *page_ref(struct cx__page *page)
{
    if (page != &empty_page)
        (void)__atomic_fetch_add(&page->refs, 1, __ATOMIC_RELAXED);
    return page;
}

/* Call a function for each entry whose bit is set. */
static void page_each(const struct cx__page *page, uint32_t bits,
                      void (*fn)(const struct cx__entry *))
{
    for (; bits != 0; bits &= bits - 1)
        fn(&page->entry[__builtin_ctz(bits)]);
}

/* Lengths are multiples of STEP: copies of a size that the compiler knows are
 * much cheaper for the few entries that there mostly are. */
static void entries_copy(struct cx__entry *to, const struct cx__entry *from,
                         uint32_t len)
{
    for (uint32_t i = 0; i < len; i += STEP)
        memcpy(&to[i], &from[i], STEP * sizeof(to[0]));
}

static void entries_clear(struct cx__entry *entry, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += STEP)
        memset(&entry[i], 0, STEP * sizeof(entry[0]));
}

/* Copy a page's entries into one of room for at least as many. */
static void page_fill(struct cx__page *to, const struct cx__page *from,
                      uint32_t from_len, uint32_t to_len)
{
    to->refs = 1;
    to->managed = from->managed;
    to->limited = from->limited;
    entries_copy(to->entry, from->entry, from_len);
    entries_clear(&to->entry[from_len], to_len - from_len);
}

static struct cx__page *page_copy(const struct cx__page *from,
                                  struct cx__spare *spare)
{
    struct cx__page *page = page_alloc(spare);

    if (page != NULL) {
        page_fill(page, from, CX__PAGE_SLOTS, CX__PAGE_SLOTS);
        page_each(page, page->managed, cx__entry_ref);
    }
    return page;
}

CX__THREAD_LOCAL uint32_t cx__in_hand;

static bool is_current(const struct cx__table *table)
{
    return table == cx__tls.scope[0].table;
}

/* What is held by a context that is entered here, and by nothing else, no
 * other thread can count. */
static void hand_fill(struct cx__table *table)
{
    if (__atomic_load_n(&table->refs, __ATOMIC_RELAXED) == 1 &&
        cx__context_is_here((cx_context *)cx__tls.scope[0].context))
        __atomic_store_n(&table->refs, 1 + CX__HAND_SIZE, __ATOMIC_RELAXED);
    else
        (void)__atomic_fetch_add(&table->refs, CX__HAND_SIZE, __ATOMIC_RELAXED);
    cx__in_hand = CX__HAND_SIZE;
}

struct cx__table *cx__table_ref_any(struct cx__table *table)
{
    if (table == &cx__empty_table)
        return table;
    if (!is_current(table)) {
        (void)__atomic_fetch_add(&table->refs, 1, __ATOMIC_RELAXED);
        return table;
    }
    hand_fill(table);
    cx__in_hand--;
    return table;
}

/*
 * Tables whose last holder has gone, on this thread. Releasing a value may
 * drop a context that holds a value that holds a context ...: those tables
 * queue here instead of recursing.
 */
static CX__THREAD_LOCAL struct {
    struct cx__table *head; /* linked through origin */
    bool busy;
} dying;

static void page_unref(struct cx__page *page)
{
    if (page != &empty_page && drop(&page->refs, 1)) {
        page_each(page, page->managed, cx__entry_unref);
        cx__free(page, page_bytes(CX__PAGE_SLOTS));
    }
}

static void table_free(struct cx__table *table)
{
    page_each(table->page[0], table->page[0]->managed, cx__entry_unref);
    for (uint32_t i = 1; i < pages_of(table->len); i++)
        page_unref(table->page[i]);
    cx__free(table, table_bytes(table->len));
}

static void __attribute__((noinline)) table_queue(struct cx__table *table)
{
    table->origin = (uintptr_t)dying.head;
    dying.head = table;
    if (dying.busy)
        return;
    dying.busy = true;
    while (dying.head != NULL) {
        struct cx__table *next = dying.head;

        dying.head = (struct cx__table *)(uintptr_t)next->origin;
        table_free(next);
    }
    dying.busy = false;
}

/* Without a value to release there is nothing that could recurse. */
static void table_release(struct cx__table *table)
{
    if (table->page[0]->managed == 0 && table->len <= CX__PAGE_SLOTS)
        cx__free(table, table_bytes(table->len));
    else
        table_queue(table);
}

void cx__table_unref_any(struct cx__table *table)
{
    if (table == &cx__empty_table)
        return;
    if (!is_current(table)) {
        if (drop(&table->refs, 1))
            table_release(table);
        return;
    }
    if (++cx__in_hand > CX__HAND_SIZE)
        cx__hand_back(table);
}

void cx__hand_back(struct cx__table *table)
{
    uint32_t n = cx__in_hand;

    cx__in_hand = 0;
    if (__atomic_fetch_sub(&table->refs, n, __ATOMIC_ACQ_REL) == n)
        table_release(table);
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

/*
 * A table with room for len slots and the same entries. Moving takes over the
 * pages and the holds on values, and leaves `from` a husk; copying shares the
 * pages but the first.
 */
static struct cx__table *table_grow(const struct cx__table *from, uint32_t len,
                                    bool move, struct cx__spare *spare)
{
    struct cx__table *table = table_alloc(len, spare);

    if (table == NULL)
        return NULL;
    table->limited = from->limited;
    if (from->len == 0) {
        entries_clear(table->page[0]->entry, first_len(len));
        return table;
    }
    page_fill(table->page[0], from->page[0], first_len(from->len),
              first_len(len));
    if (!move)
        page_each(table->page[0], table->page[0]->managed, cx__entry_ref);
    for (uint32_t i = 1; i < pages_of(from->len); i++)
        table->page[i] = move ? from->page[i] : page_ref(from->page[i]);
    return table;
}

/* What is left of a table whose entries have moved. */
static void husk_free(struct cx__table *table)
{
    if (table != &cx__empty_table)
        cx__free(table, table_bytes(table->len));
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

        own = table_grow(own, len, move, spare);
        if (own == NULL)
            return NULL;
        remains->table = *table;
    }
    page = &own->page[slot / CX__PAGE_SLOTS];
    if (is_shared(&(*page)->refs)) {
        struct cx__page *copy = page_copy(*page, spare);

        if (copy == NULL) {
            if (own != *table && move)
                husk_free(own);
            else if (own != *table)
                cx__table_unref(own);
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
        page_unref(remains->page);
    if (table == NULL)
        return;
    if (remains->moved)
        husk_free(table);
    else if (drop(&table->refs, 1 + remains->in_hand))
        table_release(table);
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

static void page_clear(struct cx__page *page, uint32_t i)
{
    page->managed &= ~(1u << i);
    page->limited &= ~(1u << i);
    page->entry[i].var = NULL;
}

void cx__table_clear(struct cx__table *table, const cx_var *var)
{
    struct cx__page *page = table->page[var->slot / CX__PAGE_SLOTS];
    uint32_t i = var->slot % CX__PAGE_SLOTS;

    if ((page->limited & 1u << i) != 0)
        table->limited--;
    page_clear(page, i);
}

size_t cx__table_len(const struct cx__table *table)
{
    size_t len = 0;

    for (uint32_t i = 0; i < table->len; i++)
        len += entry_at(table, i)->var != NULL;
    return len;
}

/*
 * Make an entry of a fresh page right for the copy that it is in: gone, if
 * its variable stays behind, or with a cell of its own. False: no memory, and
 * the entry is gone.
 */
static bool entry_inherit(struct cx__table *table, struct cx__page *page,
                          uint32_t i, enum cx__copy_for whom)
{
    struct cx__entry *entry = &page->entry[i];
    const cx_var *var = entry->var;
    struct cx__entry shared = *entry;
    bool stays = ((unsigned)*var->inherit & whom) == whom;
    bool ok = true;

    if (!stays && (cx__var_flags(var) & CX__CELL) != 0) {
        entry->value.ptr = cx__cell_new(var, shared.value.ptr);
        ok = entry->value.ptr != NULL;
    } else if (!stays) {
        return true;
    }
    if (stays || !ok) {
        page_clear(page, i);
        table->limited--;
    }
    if ((cx__var_flags(var) & CX__MANAGED) != 0)
        cx__entry_unref(&shared);
    return ok;
}

static bool page_inherit(struct cx__table *table, struct cx__page **page,
                         enum cx__copy_for whom)
{
    bool ok = true;

    if (is_shared(&(*page)->refs)) {
        struct cx__page *copy = page_copy(*page, NULL);

        if (copy == NULL)
            return false;
        page_unref(*page);
        *page = copy;
    }
    for (uint32_t bits = (*page)->limited; bits != 0; bits &= bits - 1)
        ok &= entry_inherit(table, *page, (uint32_t)__builtin_ctz(bits), whom);
    return ok;
}

static struct cx__table *table_inherit(const struct cx__table *from,
                                       enum cx__copy_for whom)
{
    struct cx__table *table = table_grow(from, from->len, false, NULL);
    bool ok = table != NULL;

    for (uint32_t i = 0; ok && i < pages_of(table->len); i++) {
        if (table->page[i]->limited != 0)
            ok = page_inherit(table, &table->page[i], whom);
    }
    if (!ok) {
        if (table != NULL)
            cx__table_unref(table);
        errno = ENOMEM;
        return NULL;
    }
    table->origin = cx__thread_id();
    return table;
}

/* What stays behind is released meanwhile, by code of the program's, which
 * may set variables: so the table is held, and cannot be written in place. */
static struct cx__table *__attribute__((noinline))
table_inherit_held(struct cx__table *from, enum cx__copy_for whom)
{
    struct cx__table *table;

    (void)cx__table_ref(from);
    table = table_inherit(from, whom);
    cx__table_unref(from);
    return table;
}

struct cx__table *cx__table_copy(struct cx__table *table,
                                 enum cx__copy_for whom)
{
    return CX__LIKELY(table->limited == 0) ? cx__table_ref(table)
                                           : table_inherit_held(table, whom);
}

struct cx__table *cx__table_copy_for_run(struct cx__table *table)
{
    if (CX__LIKELY(table->limited == 0))
        return cx__table_ref(table);
    return table_inherit_held(table, table->origin == cx__thread_id()
                                         ? CX__FOR_TASK
                                         : CX__FOR_THREAD);
}

static void spare_free_table(struct cx__spare *spare)
{
    if (spare->table != NULL)
        cx__free(spare->table, table_bytes(spare->len));
    spare->table = NULL;
}

static int spare_fill_table(struct cx__spare *spare, uint32_t len)
{
    if (spare->table != NULL && spare->len == len)
        return 0;
    spare_free_table(spare);
    spare->table = cx__alloc(table_bytes(len));
    spare->len = len;
    return spare->table != NULL ? 0 : -1;
}

static int spare_fill_pages(struct cx__spare *spare, uint64_t pages)
{
    while (spare->pages_len < pages) {
        struct cx__page *page = page_alloc(NULL);

        if (page == NULL)
            return -1;
        page->entry[0].value.ptr = spare->pages;
        spare->pages = page;
        spare->pages_len++;
    }
    return 0;
}

int cx__spare_fill(struct cx__spare **spare, const struct cx__table *table,
                   uint64_t tokens)
{
    uint32_t shareable = pages_of(table->len) - 1;

    if (*spare == NULL) {
        *spare = cx__alloc(sizeof(**spare));
        if (*spare != NULL)
            **spare = (struct cx__spare){.len = 0};
    }
    if (*spare != NULL && spare_fill_table(*spare, table->len) == 0 &&
        spare_fill_pages(*spare, tokens < shareable ? tokens : shareable) == 0)
        return 0;
    errno = ENOMEM;
    return -1;
}

void cx__spare_free(struct cx__spare *spare)
{
    if (spare == NULL)
        return;
    spare_free_table(spare);
    while (spare->pages != NULL) {
        struct cx__page *page = spare->pages;

        spare->pages = page->entry[0].value.ptr;
        cx__free(page, page_bytes(CX__PAGE_SLOTS));
    }
    cx__free(spare, sizeof(*spare));
}
