/* SPDX-License-Identifier: MIT */
/*
 * Statements in PostgreSQL, one after the other; many at once are
 * postgres_batch.c.
 *
 * Parameters go in binary where a value is of the type that the server has
 * said; else as text, of which the server makes what it can. Rows come in
 * binary, which no setting of the session changes; as text where there
 * is a column of a type that is not ours, as a program's own statement may
 * have. They come one by one, so that a large answer is not held in memory, and
 * one that nobody wants any more costs the connection and not the memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "param.h"
#include "pool.h"
#include "postgres_statement.h"
#include "problem.h"

int cx__pg_broken(struct cx__pg_connection *connection, int error)
{
    if ((error != 0 &&
         PQtransactionStatus(connection->wire->pg) == PQTRANS_ACTIVE) ||
        PQstatus(connection->wire->pg) != CONNECTION_OK)
        cx__pg_give_up(connection);
    return error;
}

int cx__pg_unsent(struct cx__pg_connection *connection)
{
    cx__pg_give_up(connection);
    return cx__wire_unsent(connection->wire);
}

int cx__pg_make_way(struct cx__pg_connection *connection)
{
    struct cx__pg_statement *running = connection->running;
    PGresult *result = NULL;
    int error = connection->base.broken ? cx__wire_lost() : 0;

    while (running != NULL && error == 0) {
        error = cx__wire_next(connection->wire, &result);
        if (error == 0 && result == NULL)
            break;
        if (error == 0)
            error = cx__pg_stash_add(&running->stash, result);
    }
    connection->running = NULL;
    if (cx__pg_broken(connection, error) == 0 && running != NULL)
        error = cx__pg_check_session(connection);
    return error;
}

/*
 * A program's own statement may have the server round numbers where they are
 * text. Text of other kinds that is not as we have it cannot be read.
 */
int cx__pg_make_ready(struct cx__pg_statement *statement)
{
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    int error = cx__pg_make_way(connection);

    if (error == 0 && connection->raw && statement->inexact &&
        statement->base.origin != CX__PROGRAM)
        error = cx__pg_broken(
            connection,
            cx__wire_run(connection->wire, "SET extra_float_digits = 1"));
    return error;
}

static int send_prepare(struct cx__pg_connection *connection, const char *name,
                        cx_text text)
{
    char *copy;
    int sent;

    if (text.len > CX__PARAM_MOST)
        return cx__problem(-E2BIG, "a statement that is too long");
    if (memchr(text.data, '\0', text.len) != NULL)
        return cx__problem(-EINVAL, "a NUL in a statement");
    sent = cx__pg_make_way(connection);
    if (sent != 0)
        return sent;
    copy = strndup(text.data, text.len);
    if (copy == NULL)
        return -ENOMEM;
    sent = PQsendPrepare(connection->wire->pg, name, copy, 0, NULL);
    free(copy);
    if (sent != 1)
        return cx__pg_unsent(connection);
    return cx__pg_broken(connection, cx__wire_finish(connection->wire, NULL));
}

static int send_describe(struct cx__pg_connection *connection,
                         struct cx__pg_statement *statement)
{
    if (PQsendDescribePrepared(connection->wire->pg, statement->name) != 1)
        return cx__pg_unsent(connection);
    return cx__pg_broken(connection,
                         cx__wire_finish(connection->wire, &statement->about));
}

/* In which form its rows come. */
static void choose_form(struct cx__pg_statement *statement)
{
    bool has_floats = false;

    statement->binary = true;
    for (int i = 0; i < PQnfields(statement->about); i++) {
        Oid type = PQftype(statement->about, i);

        statement->binary &= cx__pg_is_ours(type);
        has_floats |= cx__pg_kind(type) == CX_KIND_F64;
    }
    statement->inexact = has_floats && !statement->binary;
}

/* What the server has told of it: its parameters, and its rows. */
static int take_description(struct cx__pg_statement *statement)
{
    unsigned n = (unsigned)PQnparams(statement->about);

    choose_form(statement);
    statement->base.parameters = n;
    statement->value = calloc(n + 1, sizeof(*statement->value));
    statement->length = calloc(n + 1, sizeof(*statement->length));
    statement->format = calloc(n + 1, sizeof(*statement->format));
    return statement->value != NULL && statement->length != NULL &&
                   statement->format != NULL
               ? 0
               : -ENOMEM;
}

int cx__pg_prepare(struct cx__connection *base, cx_text text,
                   enum cx__origin origin, struct cx__statement **statement)
{
    struct cx__pg_connection *connection = cx__pg_of(base);
    struct cx__pg_statement *made;
    int error = origin == CX__PROGRAM ? cx__pg_check_raw(text) : 0;

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
    made->base.connection = base;
    error = take_description(made);
    if (error != 0)
        cx__pg_finalize(&made->base);
    else
        *statement = &made->base;
    return error;
}

/* The server keeps it until the connection ends, or is told to forget it; in a
 * transaction that has failed it cannot be told. */
void cx__pg_finalize(struct cx__statement *base)
{
    struct cx__pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    char text[CX__PG_NAME_BYTES + 16];

    cx__pg_reset(base);
    if (!connection->base.broken &&
        PQtransactionStatus(connection->wire->pg) != PQTRANS_INERROR) {
        (void)snprintf(text, sizeof(text), "DEALLOCATE %s", statement->name);
        CX__WIRE_GRACE {
            if (cx__pg_make_way(connection) == 0)
                (void)cx__pg_broken(connection,
                                    cx__wire_run(connection->wire, text));
        }
    }
    PQclear(statement->about);
    free(statement->value);
    free(statement->length);
    free(statement->format);
    free(statement);
}

void cx__pg_unbind(struct cx__pg_statement *statement)
{
    cx__scratch_clear(&statement->held);
    statement->bytes = 0;
}

static Oid type_of(const struct cx__pg_statement *statement, unsigned place)
{
    return PQparamtype(statement->about, (int)place - 1);
}

static void set(struct cx__pg_statement *statement, unsigned place,
                const struct cx__pg_sent *sent)
{
    statement->value[place - 1] = sent->data;
    statement->length[place - 1] = sent->length;
    statement->format[place - 1] = sent->format;
}

int cx__pg_bind(struct cx__statement *base, unsigned place,
                const cx_param *value)
{
    struct cx__pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_sent sent;
    int error;

    statement->bytes += cx__param_bytes(value);
    if (statement->bytes > CX__PARAM_MOST)
        return cx__problem(-E2BIG, "values that are too large together");
    error =
        cx__pg_write(&statement->held, value, type_of(statement, place), &sent);
    if (error == 0)
        set(statement, place, &sent);
    return error;
}

int cx__pg_bind_numbers(struct cx__statement *base, unsigned place,
                        const int64_t *list, size_t n)
{
    struct cx__pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_sent sent;
    int error = cx__pg_write_numbers(&statement->held, list, n,
                                     type_of(statement, place), &sent);

    if (error == 0)
        set(statement, place, &sent);
    return error;
}

int cx__pg_put(struct cx__pg_statement *statement)
{
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);

    if (PQsendQueryPrepared(connection->wire->pg, statement->name,
                            (int)statement->base.parameters, statement->value,
                            statement->length, statement->format,
                            statement->binary) != 1)
        return cx__pg_unsent(connection);
    return 0;
}

static int send(struct cx__pg_statement *statement)
{
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    int error = cx__pg_make_ready(statement);

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
        (void)PQsetSingleRowMode(connection->wire->pg);
    connection->running = statement;
    return cx__wire_flush(connection->wire);
}

void cx__pg_drop_row(struct cx__pg_statement *statement)
{
    PQclear(statement->row);
    statement->row = NULL;
    statement->at = 0;
    statement->whole = false;
    cx__scratch_clear(&statement->scratch);
}

/* The end of the answer: nothing more comes. */
static int finish(struct cx__pg_statement *statement, int failed)
{
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    int error = 0;

    if (connection->running == statement)
        error =
            cx__pg_broken(connection, cx__wire_finish(connection->wire, NULL));
    if (connection->running == statement && error == 0) {
        connection->running = NULL;
        connection->heard = cx_time();
        error = cx__pg_check_session(connection);
    }
    cx__pg_stash_drop(&statement->stash);
    return failed != 0 ? failed : error;
}

/* Rows that were changed; a SELECT counts its own, too. */
static int64_t count_changed(PGresult *result)
{
    return strncmp(PQcmdStatus(result), "SELECT", 6) != 0
               ? strtoll(PQcmdTuples(result), NULL, 10)
               : 0;
}

static int next_row(struct cx__pg_statement *statement)
{
    PGresult *result = NULL;
    int error = 0;

    if (statement->stash.used)
        error = cx__pg_stash_take(&statement->stash, &result);
    else
        error = cx__wire_next(cx__pg_connection_of(statement)->wire, &result);
    if (error != 0)
        return error;
    error = cx__wire_error(result);
    statement->base.spent = error != 0 && cx__wire_is_outdated(result);
    if (error == 0 && PQntuples(result) > 0) {
        statement->row = result;
        statement->whole = PQresultStatus(result) != PGRES_SINGLE_TUPLE &&
                           statement->stash.end == NULL;
        return 1;
    }
    if (error == 0 && statement->base.origin == CX__PROGRAM)
        error = cx__pg_check_done(cx__pg_connection_of(statement), result);
    statement->changed = error == 0 ? count_changed(result) : 0;
    PQclear(result);
    return finish(statement, error);
}

/* The next row of an answer that has come as a whole. */
static bool next_of_whole(struct cx__pg_statement *statement)
{
    if (!statement->whole || statement->at + 1 >= PQntuples(statement->row))
        return false;
    statement->at++;
    cx__scratch_clear(&statement->scratch);
    return true;
}

int cx__pg_step(struct cx__statement *base)
{
    struct cx__pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    bool is_over = statement->whole;
    int result = 0;

    if (next_of_whole(statement))
        return 1;
    cx__pg_drop_row(statement);
    if (!is_over && connection->running != statement && !statement->stash.used)
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
    struct cx__pg_statement *statement = cx__pg_statement_of(base);

    if (statement->row == NULL || (int)place >= PQnfields(statement->row))
        return cx__problem(-EINVAL, "a row without this column");
    return cx__pg_read(&statement->scratch, statement->row, statement->at,
                       (int)place, wanted, value);
}

unsigned cx__pg_columns(const struct cx__statement *base)
{
    return (unsigned)PQnfields(
        CX__OWNER(base, const struct cx__pg_statement, base)->about);
}

const char *cx__pg_name(const struct cx__statement *base, unsigned place)
{
    return PQfname(CX__OWNER(base, const struct cx__pg_statement, base)->about,
                   (int)place);
}

int64_t cx__pg_changed(const struct cx__statement *base)
{
    return CX__OWNER(base, const struct cx__pg_statement, base)->changed;
}

/*
 * Back to where it can be run again. Rows that nobody took are a few on their
 * way, or more than the connection is worth: those of a whole answer.
 */
void cx__pg_reset(struct cx__statement *base)
{
    struct cx__pg_statement *statement = cx__pg_statement_of(base);
    struct cx__pg_connection *connection = cx__pg_connection_of(statement);
    int error = -ENOMEM;

    cx__pg_drop_row(statement);
    cx__pg_stash_drop(&statement->stash);
    cx__pg_unbind(statement);
    if (connection->running != statement || connection->base.broken)
        return;
    if (cx__wire_drop(connection->wire)) {
        error = 0;
    } else {
        CX__WIRE_GRACE {
            error = cx__wire_finish(connection->wire, NULL);
        }
    }
    if (cx__pg_broken(connection, error) == 0)
        (void)cx__pg_check_session(connection);
    connection->running = NULL;
    connection->heard = cx_time();
}

int cx__pg_query(struct cx__connection *base, const char *text, int n,
                 const char *const params[], PGresult **result)
{
    struct cx__pg_connection *connection = cx__pg_of(base);
    int error = cx__pg_make_way(connection);

    if (error == 0)
        error = cx__pg_broken(connection, cx__wire_query(connection->wire, text,
                                                         n, params, result));
    return error;
}
