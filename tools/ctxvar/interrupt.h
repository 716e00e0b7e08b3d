/* SPDX-License-Identifier: MIT */
/*
 * An interrupt, SIGINT, as a cancel of what runs. A job in the background,
 * which ignores it, goes on to do so.
 */
#ifndef CTXVAR_TOOL_INTERRUPT_H
#define CTXVAR_TOOL_INTERRUPT_H

#include <stdbool.h>

#include <ctxvar/signal.h>

/*
 * caught, server  NULL: nothing is caught
 * work            NULL: nothing runs
 * came            one has come since this was last set to false
 */
struct interrupt {
    cx_signal *caught;
    cx_task *server; /* the task that waits for it */
    cx_task *work;   /* the task that it cancels */
    bool came;
    bool echoed;    /* a terminal shows it, on a line that is to end there */
    bool insistent; /* one more, while the work has not ended, ends the
                       program */
};

/* Within a task: 0, or an error. */
int interrupt_open(struct interrupt *interrupt);

/* Call a function in a task of its own, which an interrupt cancels, and wait
 * for its end. */
int interrupt_run(struct interrupt *interrupt, cx_task_fn *fn, void *arg);

/* NULL in it is ignored. */
void interrupt_close(struct interrupt *interrupt);

#endif
