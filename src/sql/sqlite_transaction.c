/* SPDX-License-Identifier: MIT */
/*
 * Transactions of SQLite's, and whose turn it is to write.
 *
 * SQLite has one writer at a time for each file. Tasks of this process wait
 * for their turn here, first come, first served; the busy handler, which
 * sleeps and tries again, is left for other processes.
 */
#include "sqlite.h"

int cx__sqlite_writer(struct cx__sqlite_connection *connection)
{
    int error = 0;

    if (connection->writes == 0)
        error = cx_lock_acquire(connection->base.pool->writer);
    if (error == 0)
        connection->writes++;
    return error;
}

void cx__sqlite_writer_done(struct cx__sqlite_connection *connection)
{
    if (--connection->writes == 0)
        (void)cx_lock_release(connection->base.pool->writer);
}

/* How many pages have been written before their commits, since there were more
 * than SQLite keeps. */
static int spilled(const struct cx__sqlite_connection *connection)
{
    int n = 0;
    int most;

    (void)sqlite3_db_status(connection->handle, SQLITE_DBSTATUS_CACHE_SPILL, &n,
                            &most, 0);
    return n;
}

/* Run a statement that begins or ends one. */
static int run(struct cx__connection *connection, const char *text,
               bool is_long)
{
    struct cx__statement *statement;
    int error = cx__statement_own(connection, text, &statement);

    if (error == 0) {
        error = cx__sqlite_step_whole(statement, is_long);
        cx__statement_done(statement);
    }
    return error;
}

/* Who has it next must not be in somebody else's transaction. Closing it is a
 * way to roll back that does not fail. */
static void break_if_in_one(struct cx__sqlite_connection *connection)
{
    if (sqlite3_get_autocommit(connection->handle) == 0)
        connection->base.broken = true;
}

int cx__sqlite_begin(struct cx__connection *base, unsigned depth)
{
    struct cx__sqlite_connection *connection = cx__sqlite_connection_of(base);
    int error;

    if (depth == 0) {
        error = cx__sqlite_writer(connection);
        if (error != 0)
            return error;
    }
    if (sqlite3_get_autocommit(connection->handle) != 0)
        connection->spilled = spilled(connection);
    error = run(base, depth > 0 ? "SAVEPOINT cx" : "BEGIN IMMEDIATE", false);
    if (error != 0 && base->depth == 0)
        break_if_in_one(connection);
    if (error != 0 && depth == 0)
        cx__sqlite_writer_done(connection);
    return error;
}

/*
 * The end of one, this way or that. What SQLite has spilled it reads and writes
 * once more, and gives back files in which it was kept: that is seconds of a
 * large transaction, and so not the loop's.
 */
static int end(struct cx__connection *base, const char *text)
{
    const struct cx__sqlite_connection *connection =
        cx__sqlite_connection_of(base);

    return run(base, text, spilled(connection) != connection->spilled);
}

int cx__sqlite_commit(struct cx__connection *base, unsigned depth)
{
    int error = 0;

    CX_SHIELD {
        error = end(base, depth > 0 ? "RELEASE cx" : "COMMIT");
    }
    if (error == 0 && depth == 0)
        cx__sqlite_writer_done(cx__sqlite_connection_of(base));
    return error;
}

static int rollback(struct cx__connection *base, unsigned depth)
{
    int error;

    if (depth == 0)
        return end(base, "ROLLBACK");
    error = end(base, "ROLLBACK TO cx");
    return error == 0 ? end(base, "RELEASE cx") : error;
}

int cx__sqlite_rollback(struct cx__connection *base, unsigned depth)
{
    struct cx__sqlite_connection *connection = cx__sqlite_connection_of(base);
    int error = 0;

    CX_SHIELD {
        /* SQLite may have done so by itself. */
        error = sqlite3_get_autocommit(connection->handle) != 0
                    ? 0
                    : rollback(base, depth);
    }
    /* What was to be undone must not be committed with the rest. */
    if (error != 0 && depth > 0)
        base->lost = true;
    if (depth == 0 || base->depth == 0)
        break_if_in_one(connection);
    if (depth == 0)
        cx__sqlite_writer_done(connection);
    return error;
}
