/* SPDX-License-Identifier: MIT */
/* Rows: structs of the program's to fields and back. */
#ifndef CTXVAR_SQL_ROW_H
#define CTXVAR_SQL_ROW_H

#include "model.h"

/* A member's value, borrowed from the row. */
cx_param cx__row_field(const cx_model *model, const void *row, size_t i);

/* May that be stored? 0 or the problem. */
int cx__row_check(const cx_model *model, size_t i, const cx_param *field);

/* What a member is read as, and what that is in words. */
cx_kind cx__row_kind(const cx_model *model, size_t i);
const char *cx__kind_words(cx_kind kind);

/* May a member be NULL? */
bool cx__row_may_be_null(const cx_model *model, size_t i);

/* What is read has to lie somewhere: 0 or the problem. */
int cx__row_check_arena(const cx_model *model, const cx_arena *arena);

/* Write a field that fits into its member. */
void cx__row_put(const cx_model *model, void *row, size_t i,
                 const cx_param *field);

/* Read the columns of the row that a statement is at, all of which are in its
 * result in this order; text goes into the arena, NULL: it is borrowed until
 * the next step. On error the row is as it was. */
int cx__row_read(const cx_model *model, struct cx__statement *statement,
                 cx__columns columns, void *row, cx_arena *arena);

#endif
