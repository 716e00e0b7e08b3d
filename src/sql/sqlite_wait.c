/* SPDX-License-Identifier: MIT */
/*
 * Waiting within SQLite: the task that runs the statement is suspended where
 * SQLite calls back, and other tasks run. On a lane it is suspended already,
 * and the thread waits.
 */
#include <errno.h>
#include <unistd.h>

#include <ctxvar/deadline.h>
#include <ctxvar/executor.h>

#include "sqlite.h"
#include "task/yield.h"

enum {
    SLEEP_MOST = 20, /* ms */
    OPS = 100,       /* of the virtual machine between looks at the clock */
};

static uint64_t sleep_ms(int n)
{
    return n < 4 ? UINT64_C(1) << n : SLEEP_MOST;
}

/* Has it been waited for long enough? */
static bool is_over(const struct cx__sqlite *sqlite, uint64_t since)
{
    return cx_time() - since >= sqlite->patience_ms;
}

int cx__sqlite_wait(const struct cx__sqlite *sqlite, uint64_t since, int n)
{
    /* Who has set a deadline has said for how long. */
    if (cx_deadline() == UINT64_MAX && is_over(sqlite, since))
        return -EBUSY;
    return cx_sleep(sleep_ms(n));
}

/* Is what the lane does still wanted? */
static bool is_wanted(struct cx__sqlite_connection *connection)
{
    connection->why = cx_job_check();
    return connection->why == 0;
}

/* Another process has the lock. */
static int is_busy(void *arg, int n)
{
    struct cx__sqlite_connection *connection = arg;
    const struct cx__sqlite *sqlite = connection->sqlite;

    if (n == 0)
        connection->since = cx_time();
    if (connection->on_lane) {
        (void)usleep((useconds_t)sleep_ms(n) * 1000);
        return is_wanted(connection) && (connection->has_deadline ||
                                         !is_over(sqlite, connection->since));
    }
    /* The database's own thread serves others meanwhile. */
    if (cx_task_current() == NULL)
        return 0;
    connection->why = cx__sqlite_wait(sqlite, connection->since, n);
    return connection->why == 0;
}

/*
 * Has the statement come to its end? SQLite calls back once more then, when it
 * has committed, and would tell that as an interrupt if it were stopped. What
 * only reads may be told so.
 */
static bool has_ended(const struct cx__sqlite_connection *connection)
{
    return connection->stepped != NULL &&
           sqlite3_stmt_busy(connection->stepped) == 0;
}

/* A long statement: once in a millisecond the other tasks have their turn. */
static int is_to_stop(void *arg)
{
    struct cx__sqlite_connection *connection = arg;
    uint64_t now;

    if (connection->on_lane)
        return !has_ended(connection) && !is_wanted(connection);
    if (cx_task_current() == NULL)
        return 0;
    now = cx_time();
    if (now == connection->slice || has_ended(connection))
        return 0;
    connection->why = cx__yield_long();
    connection->slice = cx_time();
    return connection->why != 0;
}

void cx__sqlite_waits(struct cx__sqlite_connection *connection)
{
    (void)sqlite3_busy_handler(connection->handle, is_busy, connection);
    sqlite3_progress_handler(connection->handle, OPS, is_to_stop, connection);
}
