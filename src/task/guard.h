/* SPDX-License-Identifier: MIT */
/*
 * Guards: pages below a stack that nothing can touch, so that a stack that
 * overflows faults instead of writing into its neighbour.
 */
#ifndef CTXVAR_TASK_GUARD_H
#define CTXVAR_TASK_GUARD_H

#include <stddef.h>

/* How the stacks of a slab are guarded, the best first. */
enum cx__guard {
    CX__GUARD_ADVISED,   /* MADV_GUARD_INSTALL: no mapping of its own */
    CX__GUARD_PROTECTED, /* mprotect: two mappings a stack, of which a process
                            has some 65,000 */
    CX__GUARD_NONE       /* an overflow is seen, if at all, at the task's end,
                            by a word at the low end of its stack */
};

/*
 * Guard the first `bytes` of each of `count` slots of `slot_bytes` from base
 * on, in the best way that works here. None of it has been touched yet.
 */
enum cx__guard cx__guard_install(char *base, size_t slot_bytes, unsigned count,
                                 size_t bytes);

/* The slots are about to be unmapped. */
void cx__guard_remove(enum cx__guard guard, unsigned count);

#endif
