/* SPDX-License-Identifier: MIT */
/*
 * Models from the inside: what a call on one begins and ends with.
 */
#ifndef CTXVAR_SQL_MODEL_H
#define CTXVAR_SQL_MODEL_H

#include <ctxvar/model.h>

#include "statement.h"

/* What a statement does; with a set of columns, its shape. */
enum cx__operation {
    CX__INSERT = 1,
    CX__FIND,
    CX__FIND_ANY,
    CX__LOCK,
    CX__UPDATE,
    CX__DELETE,
    CX__COUNT,
    CX__SELECT
};

/* A set of a model's columns, as bits. */
typedef uint64_t cx__columns;

enum { CX__COLUMNS_MOST = 56 };

/* The columns that are the key, and all. */
cx__columns cx__model_key(const cx_model *model);
cx__columns cx__model_all(const cx_model *model);

/* The number of a column; negative: the model has none of this name. */
int cx__model_column(const cx_model *model, const char *name);

/* What a column is called. */
const char *cx__column_name(const cx_column *column);

/* May a call on it begin? needed: what else the call must be given. 0, -EINVAL
 * or -EPROTOTYPE. */
int cx__model_begin(const cx_model *model, const void *needed);

/* Is it sound? Until that is known, nothing of a column but its bits is to be
 * used. */
int cx__model_sound(const cx_model *model, cx_db *db);

/* Does it, which is sound, match the table that a connection sees, for this
 * operation? */
int cx__model_match(const cx_model *model, enum cx__operation operation,
                    struct cx__connection *connection);

/* compare.c: of that, the columns. -EPROTOTYPE has words of each. */
int cx__model_compare(const cx_model *model, enum cx__operation operation,
                      struct cx__connection *connection);

/* Put what was done to which table before the words of a problem. */
int cx__model_problem(const cx_model *model, enum cx__operation operation,
                      int error);

#endif
