/* SPDX-License-Identifier: MIT */
/*
 * Databases that are shared by tenants, each of which has tables of its own
 * that no other one can reach. Tenants are <ctxvar/tenant.h>.
 *
 * A database belongs to the loop that it was opened on and is used by the
 * tasks of that loop, whose stacks must have 128 KiB (the default is more).
 * What is asked of it while it is busy suspends the task that asks, and never
 * the loop; the deadline of the context holds for it.
 *
 * Any function that takes a cx_db or a cx_tenant and can fail may return
 *
 *   -ECANCELED   the task is cancelled
 *   -ETIMEDOUT   the deadline has passed, or what the server itself gives a
 *                statement
 *   -EBUSY       another process has had a lock for a minute; where there is a
 *                deadline, that says how long it is waited for. In a
 *                transaction also that it has to give way to another one, and
 *                is to be run again: see CX_TRANSACTION()
 *   -EIO         the database cannot be read or written; -ENOSPC: it is full;
 *                -EROFS: it is read-only; -EUCLEAN: it is damaged
 *   -ECONNREFUSED  the server cannot be connected to
 *   -ECONNRESET  the connection to the server is lost
 *   -EAGAIN      the server has no connection left, is short of something, or
 *                is starting
 *   -EMFILE      no more file descriptors
 *   -ENOMEM      no memory
 *   -EINVAL      a pointer is NULL that must not be
 *   -ESHUTDOWN   it is being closed
 *   -EXDEV       it is another thread's, or another process's
 *   -EPERM       not called within a task: before cx_run(), or by a job of an
 *                executor
 *
 * with nothing changed, and cx_db_problem() has more to say where the number
 * does not say it all. Only of a change that is asked of a server outside of a
 * transaction is it unknown whether it was made, if its answer did not come:
 * after -ECANCELED, -ETIMEDOUT and -ECONNRESET. In a transaction that is told
 * apart: -ENOTRECOVERABLE. And of a statement of one's own that changes rows
 * and gives some, -ENOMEM, and on a server -E2BIG, may be of the rows that it
 * gives: what it changes may be changed then, unless a transaction around it is
 * rolled back.
 */
#ifndef CTXVAR_DATABASE_H
#define CTXVAR_DATABASE_H

#include <ctxvar/data.h>
#include <ctxvar/task.h>

CX__BEGIN_DECLS

/** A database: the tenants in it, and connections to them. */
typedef struct cx_db cx_db;

/** What a database is to be like; zero members are the defaults. There are
 *  100,000 connections at most. */
typedef struct cx_db_options {
    /** How many connections are open at most, to all tenants; 0: 128. Those
     *  that nobody uses are kept for the next one, and closed for others. */
    unsigned connections;
    /** How many of them one tenant has in use at most; 0: 8. Who wants more
     *  waits, first come, first served. */
    unsigned connections_each;
    /** How many bytes the rows of one cx_db_sql() may take; 0: 256 MiB. On
     *  SQLite that holds for a single row, and for all rows of a statement that
     *  changes some, in cx_db_sql_each(), too. A row from a server is there
     *  before it counts. */
    size_t rows_bytes;
    /** Open only what is there already; nothing is made. */
    bool existing;
} cx_db_options;

/**
 * Open a database; an empty one is made where there is nothing.
 *
 * "sqlite:DIR" is a folder, made if it is missing, with a file for each
 * tenant and one in which they are listed. Nothing else is to be kept there.
 * Several processes may have it open, each its own: one that was forked while
 * its parent had a database on SQLite open can open none. A program that forks
 * does so first, and its children open the database. "sqlite:/DIR" begins at
 * the root, and so does "sqlite:///DIR"; "sqlite://DIR" would name a host, and
 * is refused.
 *
 * "postgresql://...", or "postgres://...", is a database on a server, as
 * libpq's URLs name it, for this alone: a schema and a role that logs in for
 * each tenant, and a schema "ctxvar" in which they are listed. The URL's role
 * makes them: it owns the database and may create roles. What everybody has in
 * the database is taken away when it is opened first.
 *
 * @param url      Copied.
 * @param options  Borrowed for the call; NULL: the defaults.
 * @param db       Written on success; the caller's until cx_db_close().
 * @return 0, an error of any call, or, with nothing opened,
 *   -EINVAL      url names no engine that is known, or is none; or an option
 *                is out of bounds
 *   -ENOENT      there is no folder in which to make it, or nothing to open
 *   -ENOTEMPTY   the folder or the server's database is used for something
 *                else
 *   -ENOTDIR     there is something else in the place of the folder
 *   -EACCES      the folder or its files may not be used, or the server does
 *                not let the URL's role in
 *   -EXDEV       on SQLite: this process was forked from one that had such a
 *                database open
 *   -EPROTONOSUPPORT  it was written by a later version of this library
 *
 * Suspends: yes; one that fails, as long as cx_db_close() besides. Threads: a
 * loop's, within a task. Cost: a thread, and some milliseconds.
 * Source: own.  Since: 0.1
 */
CX__API int cx_db_open(const char *url, const cx_db_options *options,
                       cx_db **db);

/**
 * Close a database and free it. Handles of its tenants stay valid and can
 * only be let go of.
 *
 * A server is told of each statement that was given up, by a cancel or a
 * deadline, on a thread; that it was is waited for here, so that the process
 * may end next, but for no longer than a second: it may not answer.
 *
 * @param db  Owned, given up on success; NULL is ignored.
 * @return 0, an error of any call, or, with nothing closed,
 *   -EBUSY       a task uses it: it is in a transaction, amid rows, in
 *                cx_tenant_each(), cx_migrate() or cx_migrate_versions(), or
 *                waits for a connection
 *
 * Suspends: yes, cancelled or not. Threads: the loop's that it was opened on,
 * within a task.
 * Cost: that of closing each connection, and that wait.
 * Source: own.  Since: 0.1
 */
CX__API int cx_db_close(cx_db *db);

/**
 * Tell in words why the last call on a database failed that this task made.
 *
 * They are to be asked for at once, and only if that call failed: the next one
 * forgets them, but what fails elsewhere, as on a socket, does not, and they
 * are not about that.
 *
 * They name the operation and the table, and never a row's values or a
 * tenant. They are the calling task's own: they lie in its context, and copies
 * of that context do not have them.
 *
 * @return the words, borrowed until the next call on a database in this context
 *         or its end; "" when the error's number says it all, as mostly of
 *         -ECANCELED, -ETIMEDOUT, -ENOMEM, -ESHUTDOWN, -EINVAL of a pointer
 *         that is NULL, and -ENOENT of a row or a tenant that is not there.
 *
 * Suspends: never. Threads: any, asks the caller's context. Cost: as
 * cx_get().
 * Source: own.  Since: 0.1
 */
CX__API const char *cx_db_problem(void);

/**
 * What a statement gave, all of it in memory.
 *
 * Of what kind a field is, its value says on SQLite, and on PostgreSQL the
 * type of its column; NULL is CX_KIND_NULL on both.
 *
 *     kind               SQLite    PostgreSQL
 *     CX_KIND_I64        INTEGER   bigint, integer, smallint, oid
 *     CX_KIND_F64        REAL      double precision, real
 *     CX_KIND_BOOL       never     boolean
 *     CX_KIND_TEXT       TEXT      text, and each type that is not here
 *     CX_KIND_BLOB       BLOB      bytea
 *     CX_KIND_TIMESTAMP  never     timestamptz, timestamp
 *
 * So on SQLite a model's booleans and timestamps are integers here, 0 or 1 and
 * microseconds; and on PostgreSQL numeric is text, and with it sum() and avg()
 * of bigint, and so are dates. "CAST(sum(age) AS bigint)" is a number on both.
 */
typedef struct cx_rows {
    size_t len;            /**< rows */
    size_t columns;        /**< fields of each */
    const char **names;    /**< of the columns */
    const cx_param *field; /**< len x columns, row by row */
    int64_t changed;       /**< rows that were inserted, updated or deleted */
    cx_arena arena;        /**< what all that lies in */
} cx_rows;

/**
 * Let go of the rows of a statement.
 *
 * @param rows  Borrowed, empty from here on; NULL is ignored, and so is {0}.
 *
 * Suspends: never. Threads: any, one at a time. Cost: as cx_arena_fini().
 * Source: own.  Since: 0.1
 */
CX__API void cx_rows_fini(cx_rows *rows);

/**
 * Run a statement of one's own on the current tenant's tables.
 *
 * The database refuses what is not the tenant's: other files, the engine's own
 * tables, changes of tables. It may read and write rows, and that is all.
 *
 * @param db      Borrowed.
 * @param text    Borrowed for the call: one statement, with parameters $1, $2
 *                and so on; ?, :name and the like are refused.
 * @param params  Borrowed for the call; NULL: none. CX_PARAMS(...) makes them.
 *                1,000 at most on SQLite, 7,498 on a server.
 * @param rows    Written on success, for cx_rows_fini(); NULL: not wanted.
 * @return 0, an error of any call, or
 *   -ENOKEY      there is no current tenant
 *   -EKEYREJECTED  it is another database's, or another one than that of the
 *                transaction that this task is in
 *   -ECONNABORTED  that transaction was ended by an earlier failure
 *   -ESTALE      it was dropped, or its file is not its own any more
 *   -EDEADLK     this task has another tenant's connection, and would wait for
 *                ever for this one's: those who have the connections wait for
 *                one, too. It is to end what it has that for, and try again
 *   -EINVAL      it is no statement, or more than one, or lacks parameters
 *   -EACCES      it is refused
 *   -EEXIST      there is a row with this key already
 *   -EDOM        a value that a constraint refuses, or that is no number
 *   -EILSEQ      text that is not UTF-8, or has a NUL in it
 *   -E2BIG       a limit is exceeded: the statement is too long or deep, a
 *                value is too large, or all rows together are, for the
 *                database's rows_bytes; cx_db_sql_each() takes them one by one
 *
 * On SQLite it runs on a thread beside the loop, whatever it takes. A cancel
 * and the deadline are heeded between its rows and those it looks at, but not
 * within one: a LIKE of the longest pattern, 100 bytes, over the largest value,
 * 64 MiB, can take half a minute, and a row can ask for several. A text has a
 * mebibyte at most, which can take seconds to prepare; the memory for that has
 * no bound: a program that runs the statements of strangers gives SQLite's one,
 * for all of the process, with sqlite3_hard_heap_limit64(); beyond it is
 * -ENOMEM.
 *
 * Suspends: yes. Threads: the database's loop's, within a task.
 * Cost: that of the statement, which is prepared once; on SQLite, some
 * microseconds to a thread and back.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_db_sql(cx_db *db, const char *text,
                                     const cx_params *params, cx_rows *rows);

/**
 * Run a statement of one's own, and call a function for each row as it comes.
 *
 * What the function calls on this database it does on the same connection: on
 * PostgreSQL, the rows that are still to come are taken into memory before
 * that, however many there are. It may wait.
 *
 * A statement that changes rows and gives some has done all of it on SQLite
 * before the first call: no writer waits for fn, and whatever that returns, it
 * stays done. So all of its rows are kept until then; if they take more than
 * the database's rows_bytes, nothing is changed, fn is not called, and the
 * error is -E2BIG.
 *
 * PostgreSQL sends the rows as they are taken, and commits when the last one
 * is sent: until then, others wait for those that are changed. If fn stops when
 * more are to come than do within a second, the connection is closed, and with
 * it goes what is not committed: the transaction around it, or the change.
 *
 * @param db      Borrowed.
 * @param text    As for cx_db_sql().
 * @param params  As for cx_db_sql().
 * @param fn      Called with the fields of a row, borrowed until it returns,
 *                how many there are, and arg; anything but 0 stops.
 * @param arg     Handed to fn.
 * @return as cx_db_sql(), or what fn returned.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: as cx_db_sql(); memory for the rows that are read ahead, on SQLite 64
 * of them or 64 KiB.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int
cx_db_sql_each(cx_db *db, const char *text, const cx_params *params,
               int (*fn)(const cx_param *fields, size_t n, void *arg),
               void *arg);

/**
 * Tell which tables the current tenant has.
 *
 * They are those that its migrations have made, in the order of the bytes of
 * their names: none of another tenant's, and none of the library's own.
 *
 * @param db    Borrowed.
 * @param rows  Written on success, for cx_rows_fini(): a row for each table,
 *              whose one field, "table", is its name, a text.
 * @return 0, an error of any call, or
 *   -ENOKEY      there is no current tenant
 *   -EKEYREJECTED  it is another database's, or another one than that of the
 *                transaction that this task is in
 *   -ECONNABORTED  that transaction was ended by an earlier failure
 *   -ESTALE      it was dropped, or its file is not its own any more
 *   -EDEADLK     as cx_db_sql()
 *   -E2BIG       the rows are more than the database's rows_bytes
 *
 * Suspends: yes. Threads: the database's loop's, within a task.
 * Cost: a query.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_db_tables(cx_db *db, cx_rows *rows);

/**
 * Tell which columns a table of the current tenant's has.
 *
 * A row for each, in the table's order, is the same on both engines:
 *
 *     column    text   its name
 *     type      text   as the database tells what was declared; "" on SQLite,
 *                      where nothing was
 *     not null  bool   it is declared so, or is of the key
 *     key       bool   it is the table's primary key, or a part of it
 *     numbered  bool   the database numbers new rows by it
 *
 * @param db     Borrowed.
 * @param table  Borrowed for the call: its name, letter by letter.
 * @param rows   Written on success, for cx_rows_fini().
 * @return as cx_db_tables(), or
 *   -ENOENT      the tenant has no such table
 *
 * Suspends: yes. Threads: the database's loop's, within a task.
 * Cost: two queries; on SQLite four.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_db_columns(cx_db *db, const char *table,
                                         cx_rows *rows);

CX__END_DECLS

#endif
