/* SPDX-License-Identifier: MIT */
/* A call on a model: a statement of its on a lease of the running task. */
#ifndef CTXVAR_SQL_CALL_H
#define CTXVAR_SQL_CALL_H

#include "model.h"

/*
 * bound  parameters of a query that have been given so far
 */
struct cx__call {
    const cx_model *model;
    enum cx__operation operation;
    const struct cx__engine *engine;
    struct cx__connection *connection;
    struct cx__statement *statement;
    unsigned bound;
};

/* A call that is to have a statement: from here on the model is known to be
 * sound. */
int cx__call_open(struct cx__call *call, cx_db *db, const cx_model *model,
                  enum cx__operation operation);

/* Its statement, whose text follows from a set of columns. */
int cx__call_prepare(struct cx__call *call, cx__columns columns);

/* Both, where it follows from the model. */
int cx__call_begin(struct cx__call *call, cx_db *db, const cx_model *model,
                   enum cx__operation operation);

/* Statements whose text follows from a query; its values are bound. */
int cx__call_query(struct cx__call *call, cx_db *db, const cx_model *model,
                   enum cx__operation operation, const cx_query *query);

/* The next row: 1, 0 or the error. */
int cx__call_step(struct cx__call *call);

/* A run for each of many rows, whose parameters are bound anew. */
int cx__call_batch(struct cx__call *call, const struct cx__batch *batch);

/* The end of a call that began, with what came of it. */
int cx__call_end(struct cx__call *call, int error);

#endif
