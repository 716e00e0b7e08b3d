/* SPDX-License-Identifier: MIT */
/* Rows on their way into a cx_rows, one after the other. */
#ifndef CTXVAR_SQL_COLLECTION_H
#define CTXVAR_SQL_COLLECTION_H

#include <ctxvar/database.h>

/*
 * Zero but for `left`: empty. field: room for `room` rows; left: how many bytes
 * more they may take.
 */
struct cx__collection {
    cx_rows rows;
    cx_param *field;
    size_t room;
    size_t left;
};

/* Add a row, with copies of what its n fields borrow. */
int cx__collection_add(struct cx__collection *all, const cx_param *fields,
                       size_t n);

/* Hand the rows over; after an error, or with NULL to hand them over to, drop
 * them. Gives the error. */
int cx__collection_end(struct cx__collection *all, int error, cx_rows *rows);

#endif
