/* SPDX-License-Identifier: MIT */
/*
 * Statements, prepared once and kept with their connection, and so with one
 * tenant.
 */
#ifndef CTXVAR_SQL_STATEMENT_H
#define CTXVAR_SQL_STATEMENT_H

#include "engine.h"

struct cx__layout;

/*
 * What a statement is looked up by: whose it is, which of its owner's it is,
 * and, where that is a hash of its text, the text. A program's own statements
 * have no owner.
 */
struct cx__shape {
    const void *owner;
    uint64_t shape;
    cx_text text;
};

/*
 * An engine's own begins with this.
 *
 * origin      whose text it is
 * layout      a model's: how its rows are; it goes with the statement
 * parameters  how many it has; the engine says
 * few         rows, so that all may come at once; who makes it says so
 * unwanted    its rows are, in this run; who runs it says so
 * spent       it cannot be run again; the engine says so
 * busy        somebody runs it; it is not found meanwhile, so that one that is
 *             run within itself is there twice
 */
struct cx__statement {
    struct cx__connection *connection;
    struct cx__list used;       /* in its statements, the last one first */
    struct cx__statement *next; /* in its bucket */
    struct cx__shape shape;     /* with a copy of the text */
    enum cx__origin origin;
    struct cx__layout *layout;
    unsigned parameters;
    bool few;
    bool unwanted;
    bool spent;
    bool busy;
};

/* Of an engine's connection that has just been made. */
void cx__statements_init(struct cx__connection *connection);
/* Finalize all. */
void cx__statements_fini(struct cx__connection *connection);

/* One that is kept, busy from here on; NULL: there is none. */
struct cx__statement *cx__statement_find(struct cx__connection *connection,
                                         const struct cx__shape *shape);

/* A new one, busy from here on. */
int cx__statement_make(struct cx__connection *connection,
                       const struct cx__shape *shape, cx_text text,
                       enum cx__origin origin,
                       struct cx__statement **statement);

/* The end of a run: it is kept for the next, unless it is long or spent. NULL
 * is ignored. */
void cx__statement_done(struct cx__statement *statement);

/* One of the library's own, whose text stays where it is. */
int cx__statement_own(struct cx__connection *connection, const char *text,
                      struct cx__statement **statement);

/* The shape of a text, without an owner. */
struct cx__shape cx__shape_of_text(cx_text text);

#endif
