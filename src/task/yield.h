/* SPDX-License-Identifier: MIT */
/* Yielding, for who has been at work for long. */
#ifndef CTXVAR_TASK_YIELD_H
#define CTXVAR_TASK_YIELD_H

#include <ctxvar/task.h>

/* As cx_yield(), but that the loop polls first: those whose sleep is over and
 * those whom something has happened to have their turn, too. Others have it at
 * the end of a round, which has as many switches as the last one had time for,
 * and of long ones that is long. */
CX__API int cx__yield_long(void);

#endif
