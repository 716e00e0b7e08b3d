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
 * ahead: those that come within a millisecond, up to a bound.
 */
#include <errno.h>
#include <stdlib.h>

#include <ctxvar/deadline.h>

#include "arena.h"
#include "problem.h"
#include "sqlite_statement.h"

enum { ROWS_MOST = 64, BYTES_MOST = 64 << 10 };

/*
 * row    what was read, each row with all its columns, in the arena
 * at     the next of them
 * code   what SQLite's last step came to; SQLITE_ROW: there may be more
 * last   what is to be told after them, once there are none more
 */
struct cx__ahead {
    cx_param *row[ROWS_MOST];
    unsigned columns;
    unsigned len;
    unsigned at;
    size_t bytes;
    int code;
    cx_arena arena;
    struct cx__outcome last;
};

struct cx__ahead *cx__ahead_new(void)
{
    struct cx__ahead *ahead = calloc(1, sizeof(*ahead));

    if (ahead != NULL)
        ahead->code = SQLITE_ROW;
    return ahead;
}

void cx__ahead_free(struct cx__ahead *ahead)
{
    if (ahead != NULL)
        cx_arena_fini(&ahead->arena);
    free(ahead);
}

/* Have a job done with a connection, which the loop's thread does without. */
static int hop(struct cx__sqlite_connection *connection, cx_task_fn *fn,
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
    int error = hop(connection, prepare_run, &job);

    return error != 0 ? error : job.code;
}

struct read_job {
    sqlite3_stmt *handle;
    struct cx__ahead *ahead;
};

/* Keep the row that SQLite is at: 0 or -ENOMEM. All have as many columns. */
static int keep_row(struct cx__ahead *ahead, sqlite3_stmt *handle)
{
    unsigned columns = (unsigned)sqlite3_data_count(handle);
    size_t bytes = (columns + 1) * sizeof(cx_param);
    cx_param *row = cx__arena_alloc(&ahead->arena, bytes);
    int error = row != NULL ? 0 : -ENOMEM;

    ahead->columns = columns;
    for (unsigned i = 0; error == 0 && i < columns; i++) {
        error = cx__sqlite_field(handle, i, CX_KIND_NULL, &row[i]);
        if (error == 0)
            error = cx__arena_keep(&ahead->arena, &row[i]);
        if (error == 0 &&
            (row[i].kind == CX_KIND_TEXT || row[i].kind == CX_KIND_BLOB))
            bytes += row[i].text.len;
    }
    if (error == 0) {
        ahead->row[ahead->len++] = row;
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
    } while (ahead->code == SQLITE_ROW && ahead->len < ROWS_MOST &&
             ahead->bytes < BYTES_MOST && cx_time() == now);
    return NULL;
}

static void forget(struct cx__ahead *ahead)
{
    cx_arena_fini(&ahead->arena);
    ahead->len = ahead->at = 0;
    ahead->bytes = 0;
}

/* The next rows, or what there is instead. */
static int read_on(struct sqlite_statement *statement)
{
    struct cx__sqlite_connection *connection =
        cx__sqlite_connection_of(statement->base.connection);
    struct read_job job = {statement->handle, statement->ahead};
    int error;

    forget(job.ahead);
    error = hop(connection, read_run, &job);
    if (error == 0)
        (void)cx__sqlite_step_outcome(connection, job.ahead->code,
                                      &job.ahead->last);
    return error;
}

int cx__lane_step(struct sqlite_statement *statement)
{
    struct cx__ahead *ahead = statement->ahead;
    int error = 0;

    if (ahead->at == ahead->len && ahead->code == SQLITE_ROW)
        error = read_on(statement);
    if (error != 0)
        return error;
    if (ahead->at == ahead->len)
        return cx__sqlite_tell(&ahead->last);
    ahead->at++;
    return 1;
}

void cx__lane_column(const struct sqlite_statement *statement, unsigned place,
                     cx_param *value)
{
    const struct cx__ahead *ahead = statement->ahead;

    /* A table may have fewer columns than when the statement was made. */
    *value = place < ahead->columns ? ahead->row[ahead->at - 1][place]
                                    : cx__param_null();
}

void cx__lane_reset(struct sqlite_statement *statement)
{
    struct cx__ahead *ahead = statement->ahead;

    forget(ahead);
    ahead->code = SQLITE_ROW;
    ahead->last.error = 0;
}
