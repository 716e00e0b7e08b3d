/* SPDX-License-Identifier: MIT */
/* Statements of PostgreSQL from the inside: what runs them shares this. */
#ifndef CTXVAR_SQL_POSTGRES_STATEMENT_H
#define CTXVAR_SQL_POSTGRES_STATEMENT_H

#include "postgres.h"
#include "postgres_value.h"
#include "statement.h"

enum { CX__PG_NAME_BYTES = 16 };

/* What has been taken into memory of an answer. */
struct cx__pg_stash {
    bool used;
    PGresult *rows; /* in one; NULL: there were none */
    int at;         /* the next of them */
    PGresult *end;  /* what follows them; NULL: it was taken */
};

/*
 *            step                 the last result
 *   (idle) --------> SENT ---------------------------> (idle)
 *                     |                                   ^
 *                     | another is to be sent             | the last of them
 *                     +---------------------> STASHED ----+
 *
 * SENT      <=> connection->running == this: the connection is its until the
 *               last result has come
 * STASHED   <=> stash.used: its results are in memory
 *
 * about    what the server tells of it: its parameters and columns
 * binary   all columns are read in binary; without it, all are text
 * inexact  there are numbers of which text may be a part only
 * row      what it gives now, which is
 * at       this row of it
 * whole    that is its answer: no other comes
 * changed  rows, by its last run
 */
struct cx__pg_statement {
    struct cx__statement base;
    char name[CX__PG_NAME_BYTES];
    PGresult *about;
    PGresult *row;
    int at;
    bool whole;
    bool binary;
    bool inexact;
    struct cx__pg_stash stash;
    int64_t changed;
    struct cx__scratch scratch; /* what columns of the row are read into */
    struct cx__scratch held;    /* what parameters are written into */
    const char **value;         /* of each parameter, as libpq wants them */
    int *length;
    int *format;
    size_t bytes; /* of all of them */
};

static inline struct cx__pg_statement *
cx__pg_statement_of(struct cx__statement *statement)
{
    return CX__OWNER(statement, struct cx__pg_statement, base);
}

static inline struct cx__pg_connection *
cx__pg_connection_of(const struct cx__pg_statement *statement)
{
    return cx__pg_of(statement->base.connection);
}

/* Something else is to be sent: what is still to come of the statement that
 * runs is taken into memory. */
int cx__pg_make_way(struct cx__pg_connection *connection);

/* The same, since this statement is. */
int cx__pg_make_ready(struct cx__pg_statement *statement);

/* The connection is of no use any more, and with it the transaction. */
static inline void cx__pg_give_up(struct cx__pg_connection *connection)
{
    connection->base.broken = true;
    connection->base.lost = connection->inside > 0;
}

/* After an answer: give up if it was not taken to its end. Returns error. */
int cx__pg_broken(struct cx__pg_connection *connection, int error);

/* libpq has not taken what was to be sent: give up. Returns why. */
int cx__pg_unsent(struct cx__pg_connection *connection);

/* May a program's own statement be that? 0 or -EACCES. */
int cx__pg_check_raw(cx_text text);

/* The same, once the server says what it was: too late for more than to give
 * up. */
int cx__pg_check_done(struct cx__pg_connection *connection, PGresult *result);

/* After an answer's end: is the session in the transaction that it was in, and
 * is text what it was? Else give up: -EACCES. */
int cx__pg_check_session(struct cx__pg_connection *connection);

/* Keep a result, which is the stash's from here on, also after an error: 0 or
 * -ENOMEM. */
int cx__pg_stash_add(struct cx__pg_stash *stash, PGresult *result);

/* The next of them, the caller's; NULL: there is none. 0 or -ENOMEM. */
int cx__pg_stash_take(struct cx__pg_stash *stash, PGresult **result);

void cx__pg_stash_drop(struct cx__pg_stash *stash);

/* Nothing is bound any more. */
void cx__pg_unbind(struct cx__pg_statement *statement);

/* Have libpq send it, with what was bound. */
int cx__pg_put(struct cx__pg_statement *statement);

/* The row that it was at is no longer wanted. */
void cx__pg_drop_row(struct cx__pg_statement *statement);

#endif
