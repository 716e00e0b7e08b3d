/* SPDX-License-Identifier: MIT */
/* Statements of PostgreSQL from the inside: what runs them shares this. */
#ifndef CTXVAR_SQL_POSTGRES_STATEMENT_H
#define CTXVAR_SQL_POSTGRES_STATEMENT_H

#include "postgres.h"
#include "postgres_value.h"
#include "statement.h"

enum { CX__PG_NAME_BYTES = 16 };

/*
 *            step                 the last result
 *   (idle) --------> SENT ---------------------------> (idle)
 *                     |                                   ^
 *                     | another is to be sent             | the last of them
 *                     +---------------------> STASHED ----+
 *
 * SENT      <=> connection->running == this: the connection is its until the
 *               last result has come
 * STASHED   <=> stash != NULL: its results are in memory
 *
 * about    what the server tells of it: its parameters and columns
 * row      what it gives now, which is
 * at       this row of it
 * whole    that is its answer: no other comes
 * changed  rows, by its last run
 */
struct pg_statement {
    struct cx__statement base;
    char name[CX__PG_NAME_BYTES];
    PGresult *about;
    PGresult *row;
    int at;
    bool whole;
    PGresult **stash;
    size_t stash_len;
    size_t stash_at; /* the next of them */
    int64_t changed;
    struct cx__scratch scratch; /* what columns of the row are read into */
    struct cx__scratch held;    /* what parameters are written into */
    const char **value;
    int *length;
    int *format;
    unsigned n; /* parameters that were bound */
    unsigned room;
};

static inline struct pg_statement *
cx__pg_statement_of(struct cx__statement *statement)
{
    return CX__OWNER(statement, struct pg_statement, base);
}

static inline struct cx__pg_connection *
cx__pg_connection_of(const struct pg_statement *statement)
{
    return cx__pg_of(statement->base.connection);
}

/* Something else is to be sent: what is still to come of the statement that
 * runs is taken into memory. */
int cx__pg_make_way(struct cx__pg_connection *connection);

/* After an answer: one that was not taken to its end leaves the connection of
 * no use, and with it the transaction. Returns error. */
int cx__pg_broken(struct cx__pg_connection *connection, int error);

/* That the connection is lost: the error, with its words. */
int cx__pg_lost(void);

/* Has the transaction that we are in been left, or another begun? */
int cx__pg_check_transaction(struct cx__pg_connection *connection);

/* Nothing is bound any more. */
void cx__pg_unbind(struct pg_statement *statement);

/* Have libpq send it, with what was bound. */
int cx__pg_put(struct pg_statement *statement);

/* The row that it was at is no longer wanted. */
void cx__pg_drop_row(struct pg_statement *statement);

#endif
