/* SPDX-License-Identifier: MIT */
/*
 * Stacks for tasks: address space by the slab, memory by the touch, reused
 * last in first out. They belong to one loop, and so to one thread.
 */
#ifndef CTXVAR_TASK_STACK_H
#define CTXVAR_TASK_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "list.h"

enum {
    CX__STACK_DEFAULT = 256 << 10, /* bytes */
    CX__STACK_GUARD = 16 << 10,    /* bytes below each stack */
    CX__STACK_CLASSES = 5          /* 16 KiB to 8 MiB */
};

/*
 * One mapping of up to 64 stacks of a class. Each slot is its guard, then its
 * stack, which grows down towards it:
 *
 *     base                                       base + count * slot_bytes
 *     | guard |      stack 0 | guard |      stack 1 | ...
 *
 * A stack is in use, warm or cold. Warm ones are linked through their tops;
 * cold ones hold no memory at all and are known by a bit alone.
 */
struct cx__slab {
    struct cx__list link; /* in its class; those with cold stacks come first */
    struct cx__stack_class *class;
    char *base;
    uint64_t cold; /* a bit a stack */
    unsigned count;
    enum cx__guard guard;
    unsigned number[64]; /* Valgrind's for each stack */
};

/* A stack in use. */
struct cx__stack {
    char *low;
    char *high;
    struct cx__slab *slab;
};

struct cx__stack_class {
    size_t bytes; /* of a stack */
    struct cx__list slabs;
    struct cx__warm_stack *warm;
    size_t warm_len;
};

struct cx__stacks {
    struct cx__stack_class class[CX__STACK_CLASSES];
};

void cx__stacks_init(struct cx__stacks *stacks);

/* Unmap all. None is in use any more. */
void cx__stacks_fini(struct cx__stacks *stacks);

/* A stack of at least this size: 0, -EINVAL (there are none so large) or
 * -ENOMEM. */
int cx__stack_take(struct cx__stacks *stacks, size_t bytes,
                   struct cx__stack *stack);

/* Give it back, from another stack. */
void cx__stack_give(struct cx__stack stack);

/* Give some of the memory back that only free stacks hold: for when there is
 * nothing better to do. */
void cx__stacks_trim(struct cx__stacks *stacks);

/* Address space of all, guards included. */
size_t cx__stacks_bytes(const struct cx__stacks *stacks);

/* False: something has written over the low end of an unguarded stack. */
bool cx__stack_is_whole(struct cx__stack stack);

#endif
