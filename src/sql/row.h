/* SPDX-License-Identifier: MIT */
/* Rows: structs of the program's to fields and back. */
#ifndef CTXVAR_SQL_ROW_H
#define CTXVAR_SQL_ROW_H

#include "model.h"

/*
 * A kind of member.
 *
 * size     in bytes
 * aligned  to so many
 * value    bytes of its value, which comes first; in a cx_maybe they are
 *          followed by whether it is there
 * kind     what it is read as
 */
struct cx__member {
    unsigned char size;
    unsigned char aligned;
    unsigned char value;
    unsigned char kind;
};

/* That of a column; NULL: there is no such kind. */
const struct cx__member *cx__member_of(const cx_column *column);

/* What a member is read as, and what that is in words. */
cx_kind cx__row_kind(const cx_model *model, size_t i);
const char *cx__kind_words(cx_kind kind);

/* May a member be NULL? */
bool cx__row_may_be_null(const cx_model *model, size_t i);

/* Where a member lies in a row, and as what. */
struct cx__slot {
    unsigned offset;
    unsigned char column; /* of the model's */
    unsigned char kind;
    unsigned char bytes; /* of its value */
    bool maybe;
    bool null; /* may be NULL */
};

/* Where a statement's parameters are in a row, and then where its columns
 * go. */
struct cx__layout {
    const cx_model *model;
    unsigned parameters;
    unsigned columns;
    struct cx__slot slot[];
};

/* One whose parameters are some columns and then the key; columns: what its
 * rows have. NULL: no memory. */
struct cx__layout *cx__layout_new(const cx_model *model, cx__columns parameters,
                                  cx__columns key, cx__columns columns);

/* A member's value, borrowed from the row. */
void cx__slot_get(const struct cx__slot *slot, const void *row,
                  cx_param *field);

/* Bind a statement's parameters, which are borrowed from the row. */
int cx__row_bind(struct cx__statement *statement, const void *row);

/* What is read has to lie somewhere: 0 or the problem. */
int cx__row_check_arena(const cx_model *model, const cx_arena *arena);

/* Read the row that a statement is at; text goes into the arena, NULL: it is
 * borrowed until the next step. On error the row is as it was. */
int cx__row_read(struct cx__statement *statement, void *row, cx_arena *arena);

#endif
