/* SPDX-License-Identifier: MIT */
/*
 * Lanes: threads beside the loop's for the statements that a program wrote, or
 * whoever talked it into running them.
 *
 * Where SQLite calls back in the middle of a statement, others have their
 * turn. It does not do so within a function, nor in a row that is made without
 * a loop: one LIKE over some megabytes is a second, and a SELECT may have
 * hundreds. What a model asks has no functions. So a program's own statement
 * is prepared and run on a thread of its own while its task waits; the
 * connection is its alone meanwhile. A cancel and a deadline are heeded where
 * SQLite calls back.
 *
 * The way there and back takes as long as many rows, so that rows are read
 * ahead: those that come within a millisecond, up to a bound. Of a statement
 * that writes all are, and so it is over, and the next writer's turn has come,
 * before the program has the first of them: while SQLite is in the middle of a
 * write it refuses to commit, and a program may begin a transaction between two
 * rows, or wait for another writer. How much they may take has an end, too, and
 * by then the rows are written; so they are written in a savepoint, to which
 * SQLite goes back.
 *
 * A few others are run so as well, in which SQLite is long at what calls nobody
 * back: a migration's script, a row of megabytes that is written, and the end
 * of a transaction of more pages than are kept in memory.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/deadline.h>

#include "arena.h"
#include "database.h"
#include "problem.h"
#include "sqlite_statement.h"

enum { ROWS_MOST = 64, BYTES_MOST = 64 << 10 };

/* The depth of a savepoint, be there a transaction around it or not. */
enum { WITHIN = 1 };

/* A row with all its columns. */
struct row {
    struct row *next;
    cx_param field[];
};

/*
 * given  the row that was given last, and
 * rest   those after it that were read; all lie in the arena
 * end    where the next of them goes
 * len    rows that were read at once, and their bytes
 * over   there are none more, and
 * last   what is to be told after them
 */
struct cx__ahead {
    struct row *given;
    struct row *rest;
    struct row **end;
    unsigned columns;
    unsigned len;
    size_t bytes;
    bool over;
    cx_arena arena;
    struct cx__outcome last;
};

static void forget(struct cx__ahead *ahead)
{
    cx_arena_fini(&ahead->arena);
    ahead->given = ahead->rest = NULL;
    ahead->end = &ahead->rest;
    ahead->len = 0;
    ahead->bytes = 0;
}

struct cx__ahead *cx__ahead_new(void)
{
    struct cx__ahead *ahead = calloc(1, sizeof(*ahead));

    if (ahead != NULL)
        forget(ahead);
    return ahead;
}

void cx__ahead_free(struct cx__ahead *ahead)
{
    if (ahead != NULL)
        cx_arena_fini(&ahead->arena);
    free(ahead);
}

int cx__lane_run(struct cx__sqlite_connection *connection, cx_task_fn *fn,
                 void *job)
{
    int error;

    connection->trusted = false;
    connection->on_lane = true;
    connection->has_deadline = cx_deadline() != UINT64_MAX;
    error = cx_run_in_executor(cx__sqlite_of(connection->base.db)->lanes, fn,
                               job, NULL);
    connection->on_lane = false;
    return error != 0 ? cx__wordless(error) : 0;
}

struct prepare_job {
    sqlite3 *connection;
    cx_text text;
    sqlite3_stmt **handle;
    const char **tail;
    int code;
};

static void *prepare_run(void *arg)
{
    struct prepare_job *job = arg;

    job->code =
        sqlite3_prepare_v3(job->connection, job->text.data, (int)job->text.len,
                           SQLITE_PREPARE_PERSISTENT, job->handle, job->tail);
    return NULL;
}

int cx__lane_prepare(struct cx__sqlite_connection *connection, cx_text text,
                     sqlite3_stmt **handle, const char **tail)
{
    struct prepare_job job = {.connection = connection->handle,
                              .text = text,
                              .handle = handle,
                              .tail = tail};
    int error = cx__lane_run(connection, prepare_run, &job);

    return error != 0 ? error : job.code;
}

struct step_job {
    sqlite3_stmt *handle;
    int code;
};

static void *step_run(void *arg)
{
    struct step_job *job = arg;

    job->code = sqlite3_step(job->handle);
    return NULL;
}

int cx__lane_step_once(struct cx__sqlite_connection *connection,
                       sqlite3_stmt *handle, int *code)
{
    struct step_job job = {.handle = handle};
    int error = cx__lane_run(connection, step_run, &job);

    *code = job.code;
    return error;
}

/*
 * all       to the end
 * unwanted  its rows are not kept
 * most      bytes that may be kept: of all rows with `all`, else of each
 * code      what SQLite's last step came to
 * failed    why the row that it gave was not kept; 0: it was
 */
struct read_job {
    sqlite3_stmt *handle;
    struct cx__ahead *ahead;
    bool all;
    bool unwanted;
    size_t most;
    int code;
    int failed;
};

/* Keep a field, if there are so many bytes left for it, which are taken. */
static int keep_field(struct cx__ahead *ahead, cx_param *field, size_t *left)
{
    size_t bytes = cx__arena_bytes(field);

    if (bytes > *left)
        return -E2BIG;
    *left -= bytes;
    ahead->bytes += bytes;
    return cx__arena_keep(&ahead->arena, field);
}

/* Keep the row that SQLite is at. All have as many columns. */
static int keep_row(struct cx__ahead *ahead, sqlite3_stmt *handle, size_t left)
{
    unsigned columns = (unsigned)sqlite3_data_count(handle);
    struct row *row = cx__arena_alloc(
        &ahead->arena, sizeof(struct row) + columns * sizeof(cx_param));
    int error = row != NULL ? 0 : -ENOMEM;

    ahead->columns = columns;
    for (unsigned i = 0; error == 0 && i < columns; i++) {
        error = cx__sqlite_field(handle, i, CX_KIND_NULL, &row->field[i]);
        if (error == 0)
            error = keep_field(ahead, &row->field[i], &left);
    }
    if (error == 0) {
        row->next = NULL;
        *ahead->end = row;
        ahead->end = &row->next;
        ahead->len++;
    }
    return error;
}

static void *read_run(void *arg)
{
    struct read_job *job = arg;
    struct cx__ahead *ahead = job->ahead;
    uint64_t now = cx_time();

    do {
        job->code = sqlite3_step(job->handle);
        if (job->code == SQLITE_ROW && !job->unwanted)
            job->failed =
                keep_row(ahead, job->handle,
                         job->all ? job->most - ahead->bytes : job->most);
    } while (job->code == SQLITE_ROW && job->failed == 0 &&
             (job->all || (ahead->len < ROWS_MOST &&
                           ahead->bytes < BYTES_MOST && cx_time() == now)));
    ahead->over = job->code != SQLITE_ROW || job->failed != 0;
    return NULL;
}

/* The next rows, or what there is instead, which is told after them: 0, or that
 * nothing was run. */
static int read_on(struct cx__sqlite_statement *statement)
{
    struct cx__sqlite_connection *connection =
        cx__sqlite_connection_of(statement->base.connection);
    struct read_job job = {.handle = statement->handle,
                           .ahead = statement->ahead,
                           .all = statement->writes || statement->base.unwanted,
                           .unwanted = statement->base.unwanted,
                           .most = connection->base.db->rows_bytes};
    int error;

    forget(job.ahead);
    connection->trusted = false;
    connection->stepped = statement->handle;
    error = cx__lane_run(connection, read_run, &job);
    connection->stepped = NULL;
    if (error != 0)
        return error;
    if (job.failed == -E2BIG)
        (void)cx__sqlite_refuse(&job.ahead->last, job.failed,
                                cx__problem_many_rows);
    else
        (void)cx__sqlite_step_outcome(connection,
                                      job.failed != 0 ? SQLITE_NOMEM : job.code,
                                      &job.ahead->last);
    return 0;
}

/* What is not written to the end has no rows. */
static int write_all(struct cx__sqlite_statement *statement)
{
    int error = read_on(statement);

    if (error == 0)
        error = cx__sqlite_tell(&statement->ahead->last);
    if (error != 0) {
        forget(statement->ahead);
        (void)sqlite3_reset(statement->handle);
    }
    return error;
}

/* All of it is written, or nothing. */
static int write_or_undo(struct cx__sqlite_statement *statement)
{
    struct cx__connection *connection = statement->base.connection;
    int error = cx__sqlite_begin(connection, WITHIN);

    if (error != 0)
        return error;
    error = write_all(statement);
    if (error == 0)
        error = cx__sqlite_commit(connection, WITHIN);
    if (error != 0) {
        forget(statement->ahead);
        (void)cx__sqlite_rollback(connection, WITHIN);
    }
    return error;
}

static int write_in_turn(struct cx__sqlite_statement *statement)
{
    struct cx__sqlite_connection *connection =
        cx__sqlite_connection_of(statement->base.connection);
    int error = cx__sqlite_writer(connection);

    if (error != 0)
        return error;
    error = sqlite3_column_count(statement->handle) > 0
                ? write_or_undo(statement)
                : write_all(statement);
    cx__sqlite_writer_done(connection);
    return error;
}

int cx__lane_step(struct cx__sqlite_statement *statement)
{
    struct cx__ahead *ahead = statement->ahead;
    int error = 0;

    if (ahead->rest == NULL && !ahead->over)
        error =
            statement->writes ? write_in_turn(statement) : read_on(statement);
    if (error != 0)
        return error;
    ahead->given = ahead->rest;
    if (ahead->given == NULL)
        return cx__sqlite_tell(&ahead->last);
    ahead->rest = ahead->given->next;
    return 1;
}

void cx__lane_column(const struct cx__sqlite_statement *statement,
                     unsigned place, cx_param *value)
{
    const struct cx__ahead *ahead = statement->ahead;

    /* A table may have fewer columns than when the statement was made. */
    *value =
        place < ahead->columns ? ahead->given->field[place] : cx__param_null();
}

void cx__lane_reset(struct cx__sqlite_statement *statement)
{
    struct cx__ahead *ahead = statement->ahead;

    forget(ahead);
    ahead->over = false;
    ahead->last.error = 0;
}
