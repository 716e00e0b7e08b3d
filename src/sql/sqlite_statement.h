/* SPDX-License-Identifier: MIT */
/* Statements of SQLite's from the inside: what runs them shares this. */
#ifndef CTXVAR_SQL_SQLITE_STATEMENT_H
#define CTXVAR_SQL_SQLITE_STATEMENT_H

#include "sqlite.h"

struct cx__ahead;

/*
 * place    by the number in a parameter's name, its place by SQLite's count;
 *          NULL: they are the same
 * writes   it needs the writer's turn, and
 * writing  has it, until it is reset; never on a lane, which takes it itself
 * large    it has a parameter that takes long to write
 * ahead    what its lane has read; NULL <=> it runs on the loop
 */
struct cx__sqlite_statement {
    struct cx__statement base;
    sqlite3_stmt *handle;
    unsigned short *place;
    bool writes;
    bool writing;
    bool large;
    struct cx__ahead *ahead;
};

static inline struct cx__sqlite_statement *
cx__sqlite_statement_of(struct cx__statement *statement)
{
    return CX__OWNER(statement, struct cx__sqlite_statement, base);
}

/* A field of the row that SQLite is at, borrowed from it, as the kind that is
 * wanted; CX_KIND_NULL, which never misfits: as what it is. */
int cx__sqlite_field(sqlite3_stmt *handle, unsigned place, cx_kind wanted,
                     cx_param *value);

/* sqlite_lane.c: statements that run beside the loop. */

/* Have a job done with a connection, which the loop's thread does without: 0,
 * or the error that kept it from being run. */
int cx__lane_run(struct cx__sqlite_connection *connection, cx_task_fn *fn,
                 void *job);

/* sqlite3_step(), likewise. */
int cx__lane_step_once(struct cx__sqlite_connection *connection,
                       sqlite3_stmt *handle, int *code);

/* sqlite3_prepare_v3(): its code, or the error that kept it from being run. */
int cx__lane_prepare(struct cx__sqlite_connection *connection, cx_text text,
                     sqlite3_stmt **handle, const char **tail);

/* What is read ahead of such a statement; NULL: no memory. */
struct cx__ahead *cx__ahead_new(void);
void cx__ahead_free(struct cx__ahead *ahead);

/* As the engine's, but that a row is read as what it is. */
int cx__lane_step(struct cx__sqlite_statement *statement);
void cx__lane_column(const struct cx__sqlite_statement *statement,
                     unsigned place, cx_param *value);
void cx__lane_reset(struct cx__sqlite_statement *statement);

#endif
