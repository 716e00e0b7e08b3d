/* SPDX-License-Identifier: MIT */
/*
 * Telling which task it was whose stack has overflowed, before the process
 * ends of it: the one thing that the library ever prints.
 */
#ifndef CTXVAR_TASK_OVERFLOW_H
#define CTXVAR_TASK_OVERFLOW_H

#include <signal.h>

#include <ctxvar/task.h>

/* Where a thread runs signal handlers whose own stack is full. */
struct cx__fault_stack {
    void *memory; /* NULL: the thread had such a stack already */
};

/* For this thread, until fini: 0 or -ENOMEM. */
int cx__fault_stack_init(struct cx__fault_stack *stack);
void cx__fault_stack_fini(struct cx__fault_stack *stack);

/* A task has overwritten what lies below its stack, and nobody noticed. The
 * next task's record may lie there, so that the process cannot go on. */
_Noreturn void cx__overflow_late(const cx_task *task);

#endif
