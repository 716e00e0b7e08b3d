/* SPDX-License-Identifier: MIT */
/*
 * Deadlines in the order in which they fall due: a heap of four children a
 * node, whose keys lie in the array itself. Those due at the same time come
 * out in the order in which they went in.
 */
#ifndef CTXVAR_TASK_HEAP_H
#define CTXVAR_TASK_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in whatever falls due. */
struct cx__deadline {
    size_t index;                                /* where in the heap */
    void (*over)(struct cx__deadline *deadline); /* out of it, and due */
};

struct cx__heap_entry {
    uint64_t due;   /* ns */
    uint64_t order; /* of going in */
    struct cx__deadline *deadline;
};

/*
 * entry[i] is not later than entry[4 * i + 1] ... entry[4 * i + 4], and
 * entry[i].deadline->index == i
 */
struct cx__heap {
    struct cx__heap_entry *entry;
    size_t len;
    size_t room;
    uint64_t order; /* of the next */
};

/* Make room for so many: 0 or -ENOMEM. Pushing within it cannot fail. */
int cx__heap_reserve(struct cx__heap *heap, size_t room);
void cx__heap_fini(struct cx__heap *heap);

void cx__heap_push(struct cx__heap *heap, struct cx__deadline *deadline,
                   uint64_t due);
void cx__heap_remove(struct cx__heap *heap,
                     const struct cx__deadline *deadline);

/* The first to fall due, taken out, if that is by `now`; else NULL. */
struct cx__deadline *cx__heap_pop(struct cx__heap *heap, uint64_t now);

#endif
