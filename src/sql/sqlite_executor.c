/* SPDX-License-Identifier: MIT */
/* The database's own thread, and how a task waits for it. */
#include "sqlite.h"

int cx__sqlite_run(struct cx__sqlite *sqlite, cx_task_fn *fn, void *arg)
{
    return cx_run_in_executor(sqlite->executor, fn, arg, NULL);
}

void cx__sqlite_must_run(cx_executor *executor, cx_task_fn *fn, void *arg)
{
    int error = -1;

    if (cx_task_current() != NULL) {
        CX_SHIELD {
            error = cx_run_in_executor(executor, fn, arg, NULL);
        }
    }
    if (error != 0)
        (void)fn(arg);
}
