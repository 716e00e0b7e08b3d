/* SPDX-License-Identifier: MIT */
/*
 * The deadline of the current context, as waits see it. It is a context
 * variable, so that it is where the work is: in tasks, groups and pool jobs.
 */
#ifndef CTXVAR_TASK_DEADLINE_H
#define CTXVAR_TASK_DEADLINE_H

#include <ctxvar/deadline.h>
#include <ctxvar/var.h>

/* Milliseconds, as cx_time() counts them; UINT64_MAX: none. */
CX_VAR_DECLARE(uint64_t, cx__deadline_var);

static inline uint64_t cx__deadline_ms(void)
{
    const struct cx__entry *entry = cx__entry_of(&cx__deadline_var.var, 0);

    return entry != NULL ? entry->value.u64 : UINT64_MAX;
}

/* A time of cx_time() as one of uv_hrtime(). */
static inline uint64_t cx__time_ns(uint64_t ms)
{
    return ms < UINT64_MAX / 1000000 ? ms * 1000000 : UINT64_MAX;
}

static inline uint64_t cx__deadline_ns(void)
{
    return cx__time_ns(cx__deadline_ms());
}

#endif
