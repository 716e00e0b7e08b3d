/* SPDX-License-Identifier: MIT */
/* The database's own thread, and how a task waits for it. */
#include <errno.h>

#include "problem.h"
#include "sqlite.h"

int cx__sqlite_run(struct cx__sqlite *sqlite, cx_task_fn *fn, void *arg)
{
    return cx_run_in_executor(sqlite->executor, fn, arg, NULL);
}

/* Run a job whose outcome is wanted, where need be with fewer files open. */
static int run_job(cx_db *db, cx_task_fn *fn, void *job,
                   const struct cx__outcome *outcome)
{
    struct cx__sqlite *sqlite = cx__sqlite_of(db);
    int error = cx__sqlite_run(sqlite, fn, job);

    if (error == 0 && outcome->error == -EMFILE &&
        !cx__list_is_empty(&db->idle)) {
        cx__pool_close_idle(db);
        error = cx__sqlite_run(sqlite, fn, job);
    }
    return error;
}

int cx__sqlite_work(cx_db *db, cx_task_fn *fn, void *job,
                    const struct cx__outcome *outcome)
{
    uint64_t since = cx_time();
    int n = 0;
    int error;

    while ((error = run_job(db, fn, job, outcome)) == 0 &&
           outcome->error == -EBUSY) {
        error = cx__sqlite_wait(cx__sqlite_of(db), since, n++);
        if (error != 0)
            break;
    }
    return error == 0 || error == -EBUSY ? cx__sqlite_tell(outcome) : error;
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
