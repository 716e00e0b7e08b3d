/* SPDX-License-Identifier: MIT */
/*
 * Each field is written into memory first, since a column is as wide as its
 * widest field. Width is counted in code points.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ctxvar/task.h>

#include "rows.h"
#include "tame.h"

enum { ROWS_AT_ONCE = 64 };

static void write_blob(FILE *out, cx_blob blob)
{
    const unsigned char *bytes = blob.data;

    for (size_t i = 0; i < blob.len; i++)
        fprintf(out, "%02x", bytes[i]);
}

static void write_timestamp(FILE *out, cx_timestamp timestamp)
{
    int64_t us = timestamp.us % 1000000;
    time_t seconds = timestamp.us / 1000000 - (us < 0);
    struct tm utc;
    char text[64];

    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, sizeof(text), "%F %T", &utc) == 0)
        fprintf(out, "%" PRId64 " us", timestamp.us);
    else
        fprintf(out, "%s.%06" PRId64 "Z", text, us < 0 ? us + 1000000 : us);
}

static void write_f64(FILE *out, double value)
{
    char text[32];

    /* As short as it can be and still be the same number. */
    (void)snprintf(text, sizeof(text), "%.15g", value);
    if (strtod(text, NULL) != value)
        (void)snprintf(text, sizeof(text), "%.17g", value);
    fputs(text, out);
}

static void write_field(FILE *out, const cx_param *field)
{
    switch (field->kind) {
    case CX_KIND_NULL:
        fputs("NULL", out);
        break;
    case CX_KIND_I64:
        fprintf(out, "%" PRId64, field->i64);
        break;
    case CX_KIND_F64:
        write_f64(out, field->f64);
        break;
    case CX_KIND_BOOL:
        fputs(field->boolean ? "true" : "false", out);
        break;
    case CX_KIND_TEXT:
        (void)fwrite(field->text.data, 1, field->text.len, out);
        break;
    case CX_KIND_BLOB:
        write_blob(out, field->blob);
        break;
    case CX_KIND_TIMESTAMP:
        write_timestamp(out, field->timestamp);
        break;
    }
}

/* A field as text, owned; NULL: no memory. */
static char *text_of(const cx_param *field)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    write_field(out, field);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    (void)tame(text, size);
    return text;
}

static int width_of(const char *text)
{
    int width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* A table on its way out: the names, then the fields. */
struct table {
    const cx_rows *rows;
    char **texts;
    size_t len;
    int *widths; /* of the columns */
};

/* The i-th text as a parameter: a name, or a field. */
static cx_param cell_of(const struct table *table, size_t i)
{
    size_t columns = table->rows->columns;

    if (i < columns)
        return CX_PARAM(table->rows->names[i]);
    return table->rows->field[i - columns];
}

/* Numbers end at the same place; the last column is not filled up. */
static void print_cell(const struct table *table, size_t i)
{
    size_t c = i % table->rows->columns;
    bool last = c + 1 == table->rows->columns;
    cx_kind kind = cell_of(table, i).kind;
    bool right = kind == CX_KIND_I64 || kind == CX_KIND_F64;
    int fill = table->widths[c] - width_of(table->texts[i]);

    printf("%*s%s%*s%s", right ? fill : 0, "", table->texts[i],
           right || last ? 0 : fill, "", last ? "\n" : "  ");
}

static void print_rule(const struct table *table)
{
    for (size_t c = 0; c < table->rows->columns; c++) {
        for (int i = 0; i < table->widths[c]; i++)
            putchar('-');
        fputs(c + 1 == table->rows->columns ? "\n" : "  ", stdout);
    }
}

/* At the begin of a row: now and then the others have their turn, and may
 * cancel what this one does. */
static int let_others(const struct table *table, size_t i)
{
    size_t columns = table->rows->columns;

    return i % columns == 0 && i / columns % ROWS_AT_ONCE == 0 ? cx_yield() : 0;
}

static int measure(struct table *table)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < table->len; i++) {
        int *width = &table->widths[i % table->rows->columns];
        cx_param cell = cell_of(table, i);

        table->texts[i] = text_of(&cell);
        if (table->texts[i] == NULL)
            return -ENOMEM;
        if (width_of(table->texts[i]) > *width)
            *width = width_of(table->texts[i]);
        error = let_others(table, i);
    }
    return error;
}

static int print_table(const struct table *table)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < table->len; i++) {
        if (i == table->rows->columns)
            print_rule(table);
        print_cell(table, i);
        error = let_others(table, i + 1);
    }
    if (table->rows->len == 0)
        print_rule(table);
    return error;
}

static int print_rows(const cx_rows *rows)
{
    struct table table = {.rows = rows, .len = (rows->len + 1) * rows->columns};
    int error = -ENOMEM;

    table.texts = calloc(table.len, sizeof(*table.texts));
    table.widths = calloc(rows->columns, sizeof(*table.widths));
    if (table.texts != NULL && table.widths != NULL)
        error = measure(&table);
    if (error == 0)
        error = print_table(&table);
    for (size_t i = 0; table.texts != NULL && i < table.len; i++)
        free(table.texts[i]);
    free(table.texts);
    free(table.widths);
    return error;
}

/* Of rows that are not shown, or not all, it is told how many there are. */
void rows_print(const cx_rows *rows)
{
    int error;

    if (rows->columns == 0) {
        printf("(%" PRId64 " row%s changed)\n", rows->changed,
               rows->changed == 1 ? "" : "s");
    } else {
        error = print_rows(rows);
        printf("(%zu row%s%s)\n", rows->len, rows->len == 1 ? "" : "s",
               error == 0         ? ""
               : error == -ENOMEM ? ", no memory to show them"
                                  : ", not all of which are shown");
    }
    fflush(stdout);
}
