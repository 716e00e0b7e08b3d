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
 * that writes all are, and so it is over before the program has the first of
 * them: while SQLite is in the middle of a write it refuses to commit, and a
 * program may begin a transaction between two rows.
 *
 * A few others are run so as well, in which SQLite is long at what calls nobody
 * back: a migration's script, a row of megabytes that is written, and the end
 * of a transaction of more pages than are kept in memory.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/deadline.h>

#include "arena.h"
#include "problem.h"
#include "sqlite_statement.h"

enum { ROWS_MOST = 64, BYTES_MOST = 64 << 10 };

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
 * code   what SQLite's last step came to; SQLITE_ROW: there may be more
 * last   what is to be told after them, once there are none more
 */
struct cx__ahead {
    struct row *given;
    struct row *rest;
    struct row **end;
    unsigned columns;
    unsigned len;
    size_t bytes;
    int code;
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

    if (ahead != NULL) {
        forget(ahead);
        ahead->code = SQLITE_ROW;
    }
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

/* all: to the end. */
struct read_job {
    sqlite3_stmt *handle;
    struct cx__ahead *ahead;
    bool all;
};

/* Keep the row that SQLite is at: 0 or -ENOMEM. All have as many columns. */
static int keep_row(struct cx__ahead *ahead, sqlite3_stmt *handle)
{
    unsigned columns = (unsigned)sqlite3_data_count(handle);
    size_t bytes = sizeof(struct row) + columns * sizeof(cx_param);
    struct row *row = cx__arena_alloc(&ahead->arena, bytes);
    int error = row != NULL ? 0 : -ENOMEM;

    ahead->columns = columns;
    for (unsigned i = 0; error == 0 && i < columns; i++) {
        cx_param *field = &row->field[i];

        error = cx__sqlite_field(handle, i, CX_KIND_NULL, field);
        if (error == 0)
            error = cx__arena_keep(&ahead->arena, field);
        if (error == 0 &&
            (field->kind == CX_KIND_TEXT || field->kind == CX_KIND_BLOB))
            bytes += field->text.len;
    }
    if (error == 0) {
        row->next = NULL;
        *ahead->end = row;
        ahead->end = &row->next;
        ahead->len++;
        ahead->bytes += bytes;
    }
    return error;
}

static void *read_run(void *arg)
{
    struct read_job *job = arg;
    struct cx__ahead *ahead = job->ahead;
    uint64_t now = cx_time();

    do {
        ahead->code = sqlite3_step(job->handle);
        if (ahead->code == SQLITE_ROW && keep_row(ahead, job->handle) != 0)
            ahead->code = SQLITE_NOMEM;
    } while (ahead->code == SQLITE_ROW &&
             (job->all || (ahead->len < ROWS_MOST &&
                           ahead->bytes < BYTES_MOST && cx_time() == now)));
    return NULL;
}

/* The next rows, or what there is instead. */
static int read_on(struct sqlite_statement *statement)
{
    struct cx__sqlite_connection *connection =
        cx__sqlite_connection_of(statement->base.connection);
    struct read_job job = {statement->handle, statement->ahead,
                           statement->writes};
    int error;

    forget(job.ahead);
    connection->stepped = statement->handle;
    error = cx__lane_run(connection, read_run, &job);
    connection->stepped = NULL;
    if (error != 0)
        return error;
    error =
        cx__sqlite_step_outcome(connection, job.ahead->code, &job.ahead->last);
    /* What was not written has no rows. */
    if (error != 0 && job.all)
        forget(job.ahead);
    return 0;
}

int cx__lane_step(struct sqlite_statement *statement)
{
    struct cx__ahead *ahead = statement->ahead;
    int error = 0;

    if (ahead->rest == NULL && ahead->code == SQLITE_ROW)
        error = read_on(statement);
    if (error != 0)
        return error;
    ahead->given = ahead->rest;
    if (ahead->given == NULL)
        return cx__sqlite_tell(&ahead->last);
    ahead->rest = ahead->given->next;
    return 1;
}

void cx__lane_column(const struct sqlite_statement *statement, unsigned place,
                     cx_param *value)
{
    const struct cx__ahead *ahead = statement->ahead;

    /* A table may have fewer columns than when the statement was made. */
    *value =
        place < ahead->columns ? ahead->given->field[place] : cx__param_null();
}

void cx__lane_reset(struct sqlite_statement *statement)
{
    struct cx__ahead *ahead = statement->ahead;

    forget(ahead);
    ahead->code = SQLITE_ROW;
    ahead->last.error = 0;
}
