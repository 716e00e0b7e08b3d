/* SPDX-License-Identifier: MIT */
/*
 * A loop that a thread runs for itself, from its beginning to its end.
 */
#ifndef CTXVAR_TASK_RUN_H
#define CTXVAR_TASK_RUN_H

#include "loop.h"

struct cx__run {
    struct cx__loop loop;
    uv_loop_t uv;       /* the loop's own */
    uv_prepare_t alive; /* keeps it going */
    int set;            /* what it waits in */
};

/* 0 or a negative errno. */
int cx__run_init(struct cx__run *run);

/* Run the first task, created by a call at `site`, and all that come of it: 0;
 * -ENOMEM: there is none. */
int cx__run_main(struct cx__run *run, cx_task_fn *fn, void *arg,
                 const void *site);
void cx__run_fini(struct cx__run *run);

#endif
