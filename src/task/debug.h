/* SPDX-License-Identifier: MIT */
/* Reports of what a program does that it should not, if it asks for them. */
#ifndef CTXVAR_TASK_DEBUG_H
#define CTXVAR_TASK_DEBUG_H

#include <ctxvar/debug.h>
#include <ctxvar/task.h>

struct cx__loop;

/* Does the environment ask for reports? Once a loop has been made. */
extern bool cx__debugging;

/* A loop is made: look at the environment, if nobody has. */
void cx__debug_init(void);

/* Report, if asked to: as printf() writes it, without an end of line. */
__attribute__((format(printf, 1, 2))) void cx__report(const char *format, ...);

/* What belongs to a loop was used on another thread: -EXDEV. */
int cx__wrong_thread(const char *what);

/* The first ready task has the thread for one switch; the clock is watched. */
void cx__debug_switch(struct cx__loop *loop);

/* A loop ends: report the tasks that it still has, whose end nobody has asked
 * for; those that were detached have gone. */
void cx__debug_tasks_left(const struct cx__loop *loop);

#endif
