/* SPDX-License-Identifier: MIT */
/* Sleeping tasks, as their loop sees them. */
#ifndef CTXVAR_TASK_SLEEP_H
#define CTXVAR_TASK_SLEEP_H

#include "heap.h"

/* Wake the task that a deadline, just taken out of the heap, belongs to. */
void cx__sleep_over(struct cx__deadline *deadline);

#endif
