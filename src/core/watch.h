/* SPDX-License-Identifier: MIT */
/*
 * Who watches which variable, and the calls that follow from a change.
 */
#ifndef CTXVAR_CORE_WATCH_H
#define CTXVAR_CORE_WATCH_H

#include <ctxvar/var.h>

/* Not 0 <=> somebody watches a variable: a switch has to compare. */
extern unsigned cx__watches;

/* The watchers that this thread is in, innermost first. */
struct cx__running {
    const cx_var *var;
    struct cx__running *outer;
};

extern CX__THREAD_LOCAL struct cx__running *cx__running;

/* Is this thread in a watcher of the variable? Then it may not change it. */
static inline bool cx__watch_busy(const cx_var *var)
{
    const struct cx__running *inner = cx__running;

    while (inner != NULL && inner->var != var)
        inner = inner->outer;
    return inner != NULL;
}

/* Call the watchers of a variable, if its value is not what it was. */
void cx__watch_changed(const cx_var *var, cx_value before);

/* Call the watchers of all that differs, now that `after` is current. */
void cx__watch_switched(const struct cx__table *before,
                        const struct cx__table *after);

#endif
