/* SPDX-License-Identifier: MIT */
/*
 * Statements in PostgreSQL, one after the other; many at once are
 * postgres_batch.c.
 *
 * Values go and come as text, but for bytes: the server knows their types, and
 * a program's own statement may give any. Rows come one by one, so that a
 * large answer is not held in memory, and one that nobody wants any more costs
 * the connection and not the memory.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "postgres_statement.h"
#include "problem.h"

enum { PARAMS_FIRST = 8 };

/* What ends or begins a transaction, or would change what a statement of ours
 * means, is not for a program's own SQL: transactions are the library's. */
static const char *const refused[] = {
    "abort",     "begin",  "close",    "commit",  "deallocate", "discard",
    "end",       "listen", "notify",   "prepare", "release",    "rollback",
    "savepoint", "start",  "unlisten", "copy",
};

/* Where the first word begins, past blanks and comments. */
static size_t skip_blanks(cx_text text)
{
    size_t at = 0;
    unsigned depth = 0;

    while (at < text.len) {
        const char *rest = text.data + at;
        size_t left = text.len - at;

        if (left >= 2 && strncmp(rest, "/*", 2) == 0) {
            depth++;
            at += 2;
        } else if (depth > 0) {
            bool ends = left >= 2 && strncmp(rest, "*/", 2) == 0;

            depth -= ends;
            at += ends ? 2 : 1;
        } else if (left >= 2 && strncmp(rest, "--", 2) == 0) {
            const char *line = memchr(rest, '\n', left);

            at = line != NULL ? (size_t)(line - text.data) + 1 : text.len;
        } else if (strchr(" \t\r\n\f\v;(", *rest) != NULL && *rest != '\0') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

static bool is_word_of(cx_text text, size_t at, const char *word)
{
    size_t len = strlen(word);

    if (text.len - at < len || strncasecmp(text.data + at, word, len) != 0)
        return false;
    return text.len - at == len ||
           strchr(" \t\r\n\f\v;(-/", text.data[at + len]) != NULL;
}

static int check_raw(cx_text text)
{
    size_t at = skip_blanks(text);

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (is_word_of(text, at, refused[i]))
            return cx__problem(
                -EACCES, "%s is not for a program's own statement", refused[i]);
    }
    return 0;
}

int cx__pg_broken(struct cx__pg_connection *connection, int error)
{
    if ((error != 0 &&
         PQtransactionStatus(connection->pq->pg) == PQTRANS_ACTIVE) ||
        PQstatus(connection->pq->pg) != CONNECTION_OK) {
        connection->base.broken = true;
        connection->base.lost = connection->inside > 0;
    }
    return error;
}

int cx__pg_lost(void)
{
    return cx__problem(-ECONNRESET, "the connection to the database is lost");
}

/* Keep a result for later: 0 or -ENOMEM. */
static int stash_add(struct pg_statement *statement, PGresult *result)
{
    size_t len = statement->stash_len;
    PGresult **stash = statement->stash;

    if ((len & (len - 1)) == 0) {
        stash = realloc(stash, (len != 0 ? 2 * len : 1) * sizeof(PGresult *));
        if (stash == NULL)
            return -ENOMEM;
        statement->stash = stash;
    }
    assert(stash != NULL);
    stash[statement->stash_len++] = result;
    return 0;
}

static void stash_drop(struct pg_statement *statement)
{
    while (statement->stash != NULL &&
           statement->stash_at < statement->stash_len)
        PQclear(statement->stash[statement->stash_at++]);
    free(statement->stash);
    statement->stash = NULL;
    statement->stash_len = statement->stash_at = 0;
}

int cx__pg_make_way(struct cx__pg_connection *connection)
{
    struct pg_statement *running = connection->running;
    PGresult *result = NULL;
    int error = connection->base.broken ? cx__pg_lost() : 0;

    while (running != NULL && error == 0) {
        error = cx__pq_next(connection->pq, &result);
        if (error == 0 && result == NULL)
            break;
        if (error == 0)
            error = stash_add(running, result);
    }
    connection->running = NULL;
    return cx__pg_broken(connection, error);
}

static int send_prepare(struct cx__pg_connection *connection, const char *name,
                        cx_text text)
{
    char *copy;
    int sent;

    if (memchr(text.data, '\0', text.len) != NULL)
        return cx__problem(-EINVAL, "a NUL in a statement");
    sent = cx__pg_make_way(connection);
    if (sent != 0)
        return sent;
    copy = strndup(text.data, text.len);
    if (copy == NULL)
        return -ENOMEM;
    sent = PQsendPrepare(connection->pq->pg, name, copy, 0, NULL);
    free(copy);
    if (sent != 1)
        return cx__pg_broken(connection, cx__pg_lost());
    return cx__pg_broken(connection, cx__pq_finish(connection->pq, NULL));
}

static int send_describe(struct cx__pg_connection *connection,
                         struct pg_statement *statement)
{
    if (PQsendDescribePrepared(connection->pq->pg, statement->name) != 1)
        return cx__pg_broken(connection, cx__pg_lost());
    return cx__pg_broken(connection,
                         cx__pq_finish(connection->pq, &statement->about));
}

int cx__pg_prepare(struct cx__connection *base, cx_text text,
                   enum cx__origin origin, struct cx__statement **statement)
{
    struct cx__pg_connection *connection = cx__pg_of(base);
    struct pg_statement *made;
    int error = origin == CX__PROGRAM ? check_raw(text) : 0;

    if (error != 0)
        return error;
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return -ENOMEM;
    (void)snprintf(made->name, sizeof(made->name), "cx%u", connection->made++);
    error = send_prepare(connection, made->name, text);
    if (error == 0)
        error = send_describe(connection, made);
    if (error != 0) {
        free(made);
        return error;
    }
    made->base.parameters = (unsigned)PQnparams(made->about);
    *statement = &made->base;
    return 0;
}

/* The server keeps it until the connection ends, or is told to forget it. */
void cx__pg_finalize(struct cx__statement *base)
{
    struct pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    char text[CX__PG_NAME_BYTES + 16];

    cx__pg_reset(base);
    if (!connection->base.broken) {
        (void)snprintf(text, sizeof(text), "DEALLOCATE %s", statement->name);
        CX__PQ_GRACE {
            if (cx__pg_make_way(connection) == 0)
                (void)cx__pg_broken(connection,
                                    cx__pq_run(connection->pq, text));
        }
    }
    PQclear(statement->about);
    free(statement->value);
    free(statement->length);
    free(statement->format);
    free(statement);
}

/* Room for so many parameters. */
static int reserve(struct pg_statement *statement, unsigned n)
{
    unsigned room = statement->room != 0 ? statement->room : PARAMS_FIRST;
    const char **value;
    int *length, *format;

    if (n <= statement->room)
        return 0;
    while (room < n)
        room *= 2;
    value = realloc(statement->value, room * sizeof(*value));
    if (value != NULL)
        statement->value = value;
    length = realloc(statement->length, room * sizeof(*length));
    if (length != NULL)
        statement->length = length;
    format = realloc(statement->format, room * sizeof(*format));
    if (format != NULL)
        statement->format = format;
    if (value == NULL || length == NULL || format == NULL)
        return -ENOMEM;
    statement->room = room;
    return 0;
}

void cx__pg_unbind(struct pg_statement *statement)
{
    cx__scratch_clear(&statement->held);
    statement->n = 0;
}

int cx__pg_bind(struct cx__statement *base, unsigned place,
                const cx_param *value)
{
    struct pg_statement *statement = cx__pg_statement_of(base);
    int error = reserve(statement, place);
    unsigned i = place - 1;

    if (error != 0)
        return error;
    for (; statement->n < place; statement->n++)
        statement->value[statement->n] = NULL;
    statement->format[i] = value->kind == CX_KIND_BLOB;
    statement->length[i] =
        value->kind == CX_KIND_BLOB ? (int)value->blob.len : 0;
    return cx__pg_write(&statement->held, value, &statement->value[i]);
}

int cx__pg_put(struct pg_statement *statement)
{
    PGconn *pg = cx__pg_connection_of(statement)->pq->pg;

    if (PQsendQueryPrepared(pg, statement->name, (int)statement->n,
                            statement->value, statement->length,
                            statement->format, 0) != 1)
        return cx__pg_lost();
    return 0;
}

static int send(struct pg_statement *statement)
{
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    int error = cx__pg_make_way(connection);

    if (error != 0)
        return error;
    if (statement->base.origin == CX__PROGRAM) {
        connection->raw = true;
        connection->base.unsettled = true;
    }
    error = cx__pg_put(statement);
    if (error != 0)
        return error;
    if (!statement->base.few)
        (void)PQsetSingleRowMode(connection->pq->pg);
    connection->running = statement;
    return cx__pq_flush(connection->pq);
}

void cx__pg_drop_row(struct pg_statement *statement)
{
    PQclear(statement->row);
    statement->row = NULL;
    statement->at = 0;
    statement->whole = false;
    cx__scratch_clear(&statement->scratch);
}

int cx__pg_check_transaction(struct cx__pg_connection *connection)
{
    PGTransactionStatusType status = PQtransactionStatus(connection->pq->pg);
    bool inside = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;

    if (inside == (connection->inside > 0))
        return 0;
    connection->base.broken = true;
    return cx__problem(-EACCES, "a statement that ended the transaction, or"
                                " began one");
}

/* The end of the answer: nothing more comes. */
static int finish(struct pg_statement *statement, int failed)
{
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    int error = 0;

    if (connection->running == statement)
        error = cx__pg_broken(connection, cx__pq_finish(connection->pq, NULL));
    if (connection->running == statement && error == 0) {
        connection->running = NULL;
        connection->heard = cx_time();
        error = cx__pg_check_transaction(connection);
    }
    stash_drop(statement);
    return failed != 0 ? failed : error;
}

/* Rows that were changed; a SELECT counts its own, too. */
static int64_t count_changed(PGresult *result)
{
    return strncmp(PQcmdStatus(result), "SELECT", 6) != 0
               ? strtoll(PQcmdTuples(result), NULL, 10)
               : 0;
}

static int next_row(struct pg_statement *statement)
{
    PGresult *result = NULL;
    int error = 0;

    if (statement->stash != NULL && statement->stash_at < statement->stash_len)
        result = statement->stash[statement->stash_at++];
    else
        error = cx__pq_next(cx__pg_connection_of(statement)->pq, &result);
    if (error != 0)
        return error;
    error = cx__pq_error(result);
    if (error == 0 && PQntuples(result) > 0) {
        statement->row = result;
        statement->whole = PQresultStatus(result) != PGRES_SINGLE_TUPLE;
        return 1;
    }
    statement->changed = error == 0 ? count_changed(result) : 0;
    PQclear(result);
    return finish(statement, error);
}

/* The next row of an answer that has come as a whole. */
static bool next_of_whole(struct pg_statement *statement)
{
    if (!statement->whole || statement->at + 1 >= PQntuples(statement->row))
        return false;
    statement->at++;
    cx__scratch_clear(&statement->scratch);
    return true;
}

int cx__pg_step(struct cx__statement *base)
{
    struct pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    bool is_over = statement->whole;
    int result = 0;

    if (next_of_whole(statement))
        return 1;
    cx__pg_drop_row(statement);
    if (!is_over && connection->running != statement &&
        statement->stash == NULL)
        result = send(statement);
    if (result == 0)
        result = is_over ? finish(statement, 0) : next_row(statement);
    if (result < 0)
        (void)cx__pg_broken(connection, result);
    return result;
}

int cx__pg_column(struct cx__statement *base, unsigned place, cx_kind wanted,
                  cx_param *value)
{
    struct pg_statement *statement = cx__pg_statement_of(base);

    if (statement->row == NULL || (int)place >= PQnfields(statement->row))
        return cx__problem(-EINVAL, "a row without this column");
    return cx__pg_read(&statement->scratch, statement->row, statement->at,
                       (int)place, wanted, value);
}

unsigned cx__pg_columns(const struct cx__statement *base)
{
    return (unsigned)PQnfields(
        CX__OWNER(base, const struct pg_statement, base)->about);
}

const char *cx__pg_name(const struct cx__statement *base, unsigned place)
{
    return PQfname(CX__OWNER(base, const struct pg_statement, base)->about,
                   (int)place);
}

int64_t cx__pg_changed(const struct cx__statement *base)
{
    return CX__OWNER(base, const struct pg_statement, base)->changed;
}

/*
 * Back to where it can be run again. Rows that nobody took are a few on their
 * way, or more than the connection is worth: those of a whole answer.
 */
void cx__pg_reset(struct cx__statement *base)
{
    struct pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    int error = -ENOMEM;

    cx__pg_drop_row(statement);
    stash_drop(statement);
    cx__pg_unbind(statement);
    if (connection->running != statement || connection->base.broken)
        return;
    if (cx__pq_drop(connection->pq)) {
        error = 0;
    } else {
        CX__PQ_GRACE {
            error = cx__pq_finish(connection->pq, NULL);
        }
    }
    (void)cx__pg_broken(connection, error);
    connection->running = NULL;
    connection->heard = cx_time();
}

int cx__pg_query(struct cx__connection *base, const char *text, int n,
                 const char *const params[], PGresult **result)
{
    struct cx__pg_connection *connection = cx__pg_of(base);
    int error = cx__pg_make_way(connection);

    if (error == 0)
        error = cx__pg_broken(
            connection, cx__pq_query(connection->pq, text, n, params, result));
    return error;
}
