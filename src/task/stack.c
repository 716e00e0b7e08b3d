/* SPDX-License-Identifier: MIT */
/*
 * Stacks: slabs of them, warm ones and cold ones.
 *
 *              take                    give                    trim
 *   cold ----------------> in use ----------------> warm ----------------> cold
 *                             ^                       |
 *                             +-----------------------+
 *                                       take
 *
 * cold   <=> its bit is set in its slab; none of its pages are present
 * warm   <=> linked in its class, most recent first; its pages are as its last
 *            task left them
 *
 * A new slab's stacks are cold, and a slab all of whose stacks are cold again
 * is unmapped, unless it is the last of its class: so a burst of tasks costs
 * memory while it lasts, and no longer.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/platform.h>

#include "stack.h"

#include "../platform/pages.h"
#include "../platform/sanitizer.h"

enum {
    SLAB_STACKS = 64,      /* at most: the bits of cx__slab.cold */
    SLAB_BYTES = 16 << 20, /* of stacks, at most */
    KEEP_WARM = 256,       /* stacks that trimming leaves alone */
    TRIM_AT_ONCE = 256,    /* stacks: some tenths of a millisecond */
};

/* Written to the low end of a stack that has no guard. */
static const uint64_t canary = 0x7bd1c0ffee5ca1edu;

/* At the top of a warm stack. */
struct cx__warm_stack {
    struct cx__warm_stack *next;
    struct cx__slab *slab;
};

static size_t slot_bytes(const struct cx__stack_class *class)
{
    return CX__STACK_GUARD + class->bytes;
}

static unsigned slab_stacks(const struct cx__stack_class *class)
{
    size_t count = SLAB_BYTES / class->bytes;

    return count < SLAB_STACKS ? (unsigned)count : SLAB_STACKS;
}

static uint64_t all_bits(unsigned count)
{
    return ~(uint64_t)0 >> (64 - count);
}

static struct cx__stack slab_stack(struct cx__slab *slab, unsigned i)
{
    char *slot = slab->base + i * slot_bytes(slab->class);
    char *low = slot + CX__STACK_GUARD;

    return (struct cx__stack){low, low + slab->class->bytes, slab};
}

static unsigned stack_index(struct cx__stack stack)
{
    const struct cx__slab *slab = stack.slab;

    return (unsigned)((size_t)(stack.low - slab->base) /
                      slot_bytes(slab->class));
}

static void slab_prepare(struct cx__slab *slab)
{
    const struct cx__stack_class *class = slab->class;

    /* Refused by kernels without huge pages: then there is no need. */
    (void)madvise(slab->base, slab->count * slot_bytes(class), MADV_NOHUGEPAGE);
    slab->guard = cx__guard_install(slab->base, slot_bytes(class), slab->count,
                                    CX__STACK_GUARD);
    for (unsigned i = 0; i < slab->count; i++) {
        struct cx__stack stack = slab_stack(slab, i);

        slab->number[i] = cx__stack_announce(stack.low, class->bytes);
    }
}

static struct cx__slab *slab_new(struct cx__stack_class *class)
{
    struct cx__slab *slab = malloc(sizeof(*slab));
    unsigned count = slab_stacks(class);
    char *base;

    if (slab == NULL)
        return NULL;
    base = mmap(NULL, count * slot_bytes(class), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) {
        free(slab);
        return NULL;
    }
    *slab = (struct cx__slab){
        .class = class, .base = base, .count = count, .cold = all_bits(count)};
    slab_prepare(slab);
    cx__list_insert(class->slabs.next, &slab->link);
    return slab;
}

static void slab_free(struct cx__slab *slab)
{
    cx__list_remove(&slab->link);
    for (unsigned i = 0; i < slab->count; i++)
        cx__stack_revoke(slab->number[i]);
    cx__guard_remove(slab->guard, slab->count);
    (void)munmap(slab->base, slab->count * slot_bytes(slab->class));
    free(slab);
}

/* The slab of a link in its class. */
static struct cx__slab *slab_of(struct cx__list *link)
{
    return CX__OWNER(link, struct cx__slab, link);
}

void cx__stacks_init(struct cx__stacks *stacks)
{
    size_t bytes = 16 << 10;

    for (size_t i = 0; i < CX__STACK_CLASSES; i++) {
        stacks->class[i] = (struct cx__stack_class){.bytes = bytes};
        cx__list_init(&stacks->class[i].slabs);
        bytes *= i < 3 ? 4 : 8;
    }
}

void cx__stacks_fini(struct cx__stacks *stacks)
{
    for (size_t i = 0; i < CX__STACK_CLASSES; i++) {
        while (!cx__list_is_empty(&stacks->class[i].slabs))
            slab_free(slab_of(stacks->class[i].slabs.next));
    }
}

static struct cx__stack_class *class_for(struct cx__stacks *stacks,
                                         size_t bytes)
{
    for (size_t i = 0; i < CX__STACK_CLASSES; i++) {
        if (bytes <= stacks->class[i].bytes)
            return &stacks->class[i];
    }
    return NULL;
}

static struct cx__stack take_warm(struct cx__stack_class *class)
{
    struct cx__warm_stack *warm = class->warm;
    char *high = (char *)(warm + 1);

    class->warm = warm->next;
    class->warm_len--;
    return (struct cx__stack){high - class->bytes, high, warm->slab};
}

static struct cx__stack take_cold(struct cx__slab *slab)
{
    unsigned i = (unsigned)__builtin_ctzll(slab->cold);
    struct cx__stack stack = slab_stack(slab, i);

    slab->cold &= slab->cold - 1;
    if (slab->cold == 0) {
        cx__list_remove(&slab->link);
        cx__list_insert(&slab->class->slabs, &slab->link);
    }
    if (slab->guard == CX__GUARD_NONE)
        *(uint64_t *)(void *)stack.low = canary;
    return stack;
}

/* A slab of the class that has a cold stack, made at need; NULL: no memory. */
static struct cx__slab *slab_with_cold(struct cx__stack_class *class)
{
    if (!cx__list_is_empty(&class->slabs)) {
        struct cx__slab *first = slab_of(class->slabs.next);

        if (first->cold != 0)
            return first;
    }
    return slab_new(class);
}

int cx__stack_take(struct cx__stacks *stacks, size_t bytes,
                   struct cx__stack *stack)
{
    struct cx__stack_class *class = class_for(stacks, bytes);
    struct cx__slab *slab;

    if (class == NULL)
        return -EINVAL;
    if (CX__LIKELY(class->warm != NULL)) {
        *stack = take_warm(class);
        return 0;
    }
    slab = slab_with_cold(class);
    if (slab == NULL)
        return -ENOMEM;
    *stack = take_cold(slab);
    return 0;
}

void cx__stack_give(struct cx__stack stack)
{
    struct cx__stack_class *class = stack.slab->class;
    struct cx__warm_stack *warm = (struct cx__warm_stack *)(void *)stack.high;

    warm--;
    *warm = (struct cx__warm_stack){.next = class->warm, .slab = stack.slab};
    class->warm = warm;
    class->warm_len++;
}

/* Let go of a free stack's memory, and of its slab with the last of them. */
static void stack_cool(struct cx__stack stack)
{
    struct cx__slab *slab = stack.slab;
    struct cx__list *slabs = &slab->class->slabs;

    (void)madvise(stack.low, slab->class->bytes, MADV_DONTNEED);
    if (slab->cold == 0) {
        cx__list_remove(&slab->link);
        cx__list_insert(slabs->next, &slab->link);
    }
    slab->cold |= (uint64_t)1 << stack_index(stack);
    if (slab->cold == all_bits(slab->count) && slabs->next != slabs->prev)
        slab_free(slab);
}

void cx__stacks_trim(struct cx__stacks *stacks)
{
    unsigned left = TRIM_AT_ONCE;

    for (size_t i = 0; i < CX__STACK_CLASSES; i++) {
        struct cx__stack_class *class = &stacks->class[i];

        for (; class->warm_len > KEEP_WARM && left > 0; left--)
            stack_cool(take_warm(class));
    }
}

size_t cx__stacks_bytes(const struct cx__stacks *stacks)
{
    size_t bytes = 0;

    for (size_t i = 0; i < CX__STACK_CLASSES; i++) {
        const struct cx__stack_class *class = &stacks->class[i];

        for (struct cx__list *link = class->slabs.next; link != &class->slabs;
             link = link->next)
            bytes += slab_of(link)->count * slot_bytes(class);
    }
    return bytes;
}

bool cx__stack_is_whole(struct cx__stack stack)
{
    return stack.slab->guard != CX__GUARD_NONE ||
           *(const uint64_t *)(void *)stack.low == canary;
}
