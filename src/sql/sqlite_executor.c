/* SPDX-License-Identifier: MIT */
/* The database's own thread, and how a task waits for it. */
#include <errno.h>

#include "problem.h"
#include "sqlite.h"

int cx__sqlite_run(struct cx__sqlite *sqlite, cx_task_fn *fn, void *arg)
{
    return cx_run_in_executor(sqlite->executor, fn, arg, NULL);
}

int cx__sqlite_work(cx_db *db, cx_task_fn *fn, void *job,
                    const struct cx__outcome *outcome)
{
    struct cx__sqlite *sqlite = cx__sqlite_of(db);
    int error = cx__sqlite_run(sqlite, fn, job);

    if (error == 0 && outcome->error == -EMFILE &&
        !cx__list_is_empty(&db->idle)) {
        cx__pool_close_idle(db);
        error = cx__sqlite_run(sqlite, fn, job);
    }
    return error == 0 ? cx__sqlite_tell(outcome) : error;
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
