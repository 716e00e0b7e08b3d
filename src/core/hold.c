/* SPDX-License-Identifier: MIT */
/*
 * Holds on tables. What holds what:
 *
 *     context, snapshot --refs--> table --refs--> page --> entry --> value
 */
#include "context.h"
#include "hold.h"
#include "page.h"
#include "table.h"
#include "thread.h"
#include "variable.h"

struct cx__table cx__empty_table = {.refs = 1};

CX__THREAD_LOCAL uint32_t cx__in_hand;

static bool is_current(const struct cx__table *table)
{
    return table == cx__tls.scope[0].table;
}

/* What is held by a context that is entered here, and by nothing else, no
 * other thread can count. */
static void hand_fill(struct cx__table *table)
{
    if (__atomic_load_n(&table->refs, __ATOMIC_ACQUIRE) == 1 &&
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

static void table_free(struct cx__table *table)
{
    cx__page_each(table->page[0], cx__entry_unref);
    for (uint32_t i = 1; i < cx__pages_of(table->len); i++)
        cx__page_unref(table->page[i]);
    cx__free(table, cx__table_bytes(table->len));
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
        cx__free(table, cx__table_bytes(table->len));
    else
        table_queue(table);
}

void cx__table_drop(struct cx__table *table, uint32_t n)
{
    if (cx__drop(&table->refs, n))
        table_release(table);
}

void cx__table_unref_any(struct cx__table *table)
{
    if (table == &cx__empty_table)
        return;
    if (!is_current(table)) {
        cx__table_drop(table, 1);
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
