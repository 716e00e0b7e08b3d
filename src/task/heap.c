/* SPDX-License-Identifier: MIT */
/* The heap of deadlines. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "heap.h"

enum { CHILDREN = 4, FIRST_ROOM = 64 };

static bool is_before(const struct cx__heap_entry *a,
                      const struct cx__heap_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct cx__heap *heap, size_t i, struct cx__heap_entry entry)
{
    heap->entry[i] = entry;
    entry.deadline->index = i;
}

/* Put an entry where it belongs on the way from i to the root. */
static void sift_up(struct cx__heap *heap, size_t i,
                    struct cx__heap_entry entry)
{
    while (i > 0) {
        size_t parent = (i - 1) / CHILDREN;

        if (!is_before(&entry, &heap->entry[parent]))
            break;
        put(heap, i, heap->entry[parent]);
        i = parent;
    }
    put(heap, i, entry);
}

static size_t first_child(const struct cx__heap *heap, size_t i)
{
    size_t child = i * CHILDREN + 1;
    size_t end = child + CHILDREN < heap->len ? child + CHILDREN : heap->len;
    size_t first = child;

    for (child++; child < end; child++) {
        if (is_before(&heap->entry[child], &heap->entry[first]))
            first = child;
    }
    return first;
}

/* Put an entry where it belongs on the way from i to the leaves. */
static void sift_down(struct cx__heap *heap, size_t i,
                      struct cx__heap_entry entry)
{
    while (i * CHILDREN + 1 < heap->len) {
        size_t child = first_child(heap, i);

        if (!is_before(&heap->entry[child], &entry))
            break;
        put(heap, i, heap->entry[child]);
        i = child;
    }
    put(heap, i, entry);
}

int cx__heap_reserve(struct cx__heap *heap, size_t room)
{
    struct cx__heap_entry *entry;
    size_t twice = heap->room > 0 ? heap->room * 2 : FIRST_ROOM;

    if (room <= heap->room)
        return 0;
    if (room < twice)
        room = twice;
    entry = realloc(heap->entry, room * sizeof(*entry));
    if (entry == NULL)
        return -ENOMEM;
    heap->entry = entry;
    heap->room = room;
    return 0;
}

void cx__heap_fini(struct cx__heap *heap)
{
    free(heap->entry);
}

void cx__heap_push(struct cx__heap *heap, struct cx__deadline *deadline,
                   uint64_t due)
{
    struct cx__heap_entry entry = {due, heap->order++, deadline};

    assert(heap->len < heap->room);
    sift_up(heap, heap->len++, entry);
}

void cx__heap_remove(struct cx__heap *heap, const struct cx__deadline *deadline)
{
    size_t i = deadline->index;
    struct cx__heap_entry last = heap->entry[--heap->len];

    if (i == heap->len)
        return;
    if (i > 0 && is_before(&last, &heap->entry[(i - 1) / CHILDREN]))
        sift_up(heap, i, last);
    else
        sift_down(heap, i, last);
}

struct cx__deadline *cx__heap_pop(struct cx__heap *heap, uint64_t now)
{
    struct cx__deadline *first;

    if (heap->len == 0 || heap->entry[0].due > now)
        return NULL;
    first = heap->entry[0].deadline;
    cx__heap_remove(heap, first);
    return first;
}
