/* SPDX-License-Identifier: MIT */
/* Values as PostgreSQL writes them. */
#ifndef CTXVAR_SQL_POSTGRES_VALUE_H
#define CTXVAR_SQL_POSTGRES_VALUE_H

#include <libpq-fe.h>

#include <ctxvar/data.h>

enum { CX__SCRATCH_FIRST = 128 };

/* Memory that lasts until it is cleared; the first of it is here. */
struct cx__scratch {
    struct cx__scratch_block *blocks;
    size_t used; /* of first */
    char first[CX__SCRATCH_FIRST];
};

void cx__scratch_clear(struct cx__scratch *scratch);

/* A parameter as text, or as bytes if it is bytes; NULL for SQL's NULL. 0,
 * -EINVAL with words, -ENOMEM. */
int cx__pg_write(struct cx__scratch *scratch, const cx_param *value,
                 const char **text);

/* Whole numbers as an array, as text. 0 or -ENOMEM. */
int cx__pg_write_numbers(struct cx__scratch *scratch, const int64_t *list,
                         size_t n, const char **text);

/* What a type of the server's is to us. */
cx_kind cx__pg_kind(Oid type);

/* A field of a row of a result as the kind that is wanted; CX_KIND_NULL: as
 * what it is. 0, -EINVAL with words, -ENOMEM. */
int cx__pg_read(struct cx__scratch *scratch, const PGresult *rows, int row,
                int column, cx_kind wanted, cx_param *value);

#endif
