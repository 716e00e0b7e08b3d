/* SPDX-License-Identifier: MIT */
/* Values as PostgreSQL takes and gives them. */
#ifndef CTXVAR_SQL_POSTGRES_VALUE_H
#define CTXVAR_SQL_POSTGRES_VALUE_H

#include <libpq-fe.h>

#include <ctxvar/data.h>

enum {
    CX__SCRATCH_FIRST = 128,
    CX__PG_NUMBER_BYTES = 64,
    CX__PG_I64_BYTES = 21,
    CX__OID_FLOAT4 = 700
};

/* Memory that lasts until it is cleared; the first of it is here. */
struct cx__scratch {
    struct cx__scratch_block *blocks;
    size_t used; /* of first */
    char first[CX__SCRATCH_FIRST];
};

void cx__scratch_clear(struct cx__scratch *scratch);

/* NULL: there is none. */
char *cx__scratch_take(struct cx__scratch *scratch, size_t bytes);

/* A parameter as it is sent: format 1, that many bytes; 0, text that ends with
 * a NUL. data NULL: SQL's NULL. */
struct cx__pg_sent {
    const char *data;
    int length;
    int format;
};

/* A value for a parameter of a type, which may borrow from it. 0 or
 * -ENOMEM. */
int cx__pg_write(struct cx__scratch *scratch, const cx_param *value, Oid type,
                 struct cx__pg_sent *sent);

/* One that is neither text nor bytes, as text: of CX__PG_I64_BYTES at most if
 * it is a whole number, else of CX__PG_NUMBER_BYTES. */
void cx__pg_write_number(char *text, const cx_param *value);

/* Whole numbers, n > 0, for a parameter of a type that is an array. 0 or
 * -ENOMEM. */
int cx__pg_write_numbers(struct cx__scratch *scratch, const int64_t *list,
                         size_t n, Oid type, struct cx__pg_sent *sent);

/* What a type of the server's is to us; text, if it is none of ours. */
cx_kind cx__pg_kind(Oid type);
bool cx__pg_is_ours(Oid type);

/* A field of a row of a result as the kind that is wanted; CX_KIND_NULL: as
 * what it is. 0, -EBADMSG with words as engine.h has them, -ENOMEM. */
int cx__pg_read(struct cx__scratch *scratch, const PGresult *rows, int row,
                int column, cx_kind wanted, cx_param *value);

/* The same of what is text, as the kind that value is of. */
int cx__pg_read_text(struct cx__scratch *scratch, const char *text, size_t len,
                     Oid type, cx_param *value);

/* How a field does not fit: -EBADMSG, with its words. */
enum cx__pg_misfit { CX__PG_KIND, CX__PG_RANGE, CX__PG_INFINITE };
int cx__pg_misfit(enum cx__pg_misfit misfit);

#endif
