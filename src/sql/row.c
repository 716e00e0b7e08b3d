/* SPDX-License-Identifier: MIT */
/*
 * Rows. A row is read in two passes: all fields, where something may be wrong,
 * then all members, where nothing can be.
 */
#include <errno.h>

#include "arena.h"
#include "database.h"
#include "problem.h"
#include "row.h"

enum { PLAIN = CX__FIELD_MAYBE - 1 };

static bool may_be_null(const cx_column *column)
{
    return column->null || (column->field & CX__FIELD_MAYBE) != 0;
}

static inline cx_kind kind_of(unsigned field)
{
    static const cx_kind kinds[CX__FIELD_MAYBE] = {
        [CX__FIELD_I64] = CX_KIND_I64,
        [CX__FIELD_I32] = CX_KIND_I64,
        [CX__FIELD_F64] = CX_KIND_F64,
        [CX__FIELD_BOOL] = CX_KIND_BOOL,
        [CX__FIELD_TEXT] = CX_KIND_TEXT,
        [CX__FIELD_BLOB] = CX_KIND_BLOB,
        [CX__FIELD_TIMESTAMP] = CX_KIND_TIMESTAMP};

    return kinds[field & PLAIN];
}

cx_kind cx__row_kind(const cx_model *model, size_t i)
{
    return kind_of(model->columns[i].field);
}

const char *cx__kind_words(cx_kind kind)
{
    static const char *const words[] = {
        [CX_KIND_NULL] = "nothing",    [CX_KIND_I64] = "a whole number",
        [CX_KIND_F64] = "a number",    [CX_KIND_BOOL] = "true or false",
        [CX_KIND_TEXT] = "text",       [CX_KIND_BLOB] = "bytes",
        [CX_KIND_TIMESTAMP] = "a time"};

    return (size_t)kind < sizeof(words) / sizeof(words[0]) ? words[kind]
                                                           : "of no kind";
}

bool cx__row_may_be_null(const cx_model *model, size_t i)
{
    return may_be_null(&model->columns[i]);
}

/* Is a member that may be missing there? */
static bool is_set(const void *member, unsigned field)
{
    switch (field & PLAIN) {
    case CX__FIELD_I64:
        return ((const cx_maybe_i64 *)member)->set;
    case CX__FIELD_I32:
        return ((const cx_maybe_i32 *)member)->set;
    case CX__FIELD_F64:
        return ((const cx_maybe_f64 *)member)->set;
    case CX__FIELD_BOOL:
        return ((const cx_maybe_bool *)member)->set;
    default:
        return ((const cx_maybe_timestamp *)member)->set;
    }
}

/* In a cx_maybe the value comes first, so that it lies where a plain one
 * would. */
static cx_param plain_field(const void *member, unsigned field)
{
    switch (field & PLAIN) {
    case CX__FIELD_I64:
        return cx__param_i64(*(const int64_t *)member);
    case CX__FIELD_I32:
        return cx__param_i64(*(const int32_t *)member);
    case CX__FIELD_F64:
        return cx__param_f64(*(const double *)member);
    case CX__FIELD_BOOL:
        return cx__param_bool(*(const bool *)member);
    case CX__FIELD_TEXT:
        return cx__param_text(*(const cx_text *)member);
    case CX__FIELD_BLOB:
        return cx__param_blob(*(const cx_blob *)member);
    default:
        return cx__param_timestamp(*(const cx_timestamp *)member);
    }
}

cx_param cx__row_field(const cx_model *model, const void *row, size_t i)
{
    const cx_column *column = &model->columns[i];
    const void *member = (const char *)row + column->offset;

    if ((column->field & CX__FIELD_MAYBE) != 0 &&
        !is_set(member, column->field))
        return cx__param_null();
    return plain_field(member, column->field);
}

int cx__row_check(const cx_model *model, size_t i, const cx_param *field)
{
    const cx_column *column = &model->columns[i];

    if (field->kind != CX_KIND_NULL || may_be_null(column))
        return 0;
    return cx__problem(-EDOM, "%s.%s must not be NULL", model->table,
                       cx__column_name(column));
}

static int misfit(const cx_model *model, size_t i, const char *why)
{
    return cx__problem(-EBADMSG, "%s.%s is %s", model->table,
                       cx__column_name(&model->columns[i]), why);
}

/* Does a field that was read fit the member? 0 or the problem. */
static inline int fits(const cx_model *model, size_t i, const cx_param *field)
{
    const cx_column *column = &model->columns[i];

    if (field->kind == CX_KIND_NULL)
        return may_be_null(column) ? 0 : misfit(model, i, "NULL");
    if ((column->field & PLAIN) == CX__FIELD_I32 &&
        field->i64 != (int32_t)field->i64)
        return misfit(model, i, "more than 32 bits");
    return 0;
}

static void set_flag(void *member, unsigned field, bool set)
{
    switch (field & PLAIN) {
    case CX__FIELD_I64:
        ((cx_maybe_i64 *)member)->set = set;
        break;
    case CX__FIELD_I32:
        ((cx_maybe_i32 *)member)->set = set;
        break;
    case CX__FIELD_F64:
        ((cx_maybe_f64 *)member)->set = set;
        break;
    case CX__FIELD_BOOL:
        ((cx_maybe_bool *)member)->set = set;
        break;
    default:
        ((cx_maybe_timestamp *)member)->set = set;
        break;
    }
}

static inline void put(const cx_model *model, void *row, size_t i,
                       const cx_param *field)
{
    static const cx_param zero = {.kind = CX_KIND_NULL};
    const cx_column *column = &model->columns[i];
    void *member = (char *)row + column->offset;
    bool set = field->kind != CX_KIND_NULL;

    /* A missing value is 0, or text without data. */
    if (!set)
        field = &zero;
    if ((column->field & CX__FIELD_MAYBE) != 0)
        set_flag(member, column->field, set);
    switch (column->field & PLAIN) {
    case CX__FIELD_I64:
        *(int64_t *)member = field->i64;
        break;
    case CX__FIELD_I32:
        *(int32_t *)member = (int32_t)field->i64;
        break;
    case CX__FIELD_F64:
        *(double *)member = field->f64;
        break;
    case CX__FIELD_BOOL:
        *(bool *)member = field->boolean;
        break;
    case CX__FIELD_TEXT:
        *(cx_text *)member = field->text;
        break;
    case CX__FIELD_BLOB:
        *(cx_blob *)member = field->blob;
        break;
    default:
        *(cx_timestamp *)member = field->timestamp;
        break;
    }
}

void cx__row_put(const cx_model *model, void *row, size_t i,
                 const cx_param *field)
{
    put(model, row, i, field);
}

/* One field, checked, and with its text kept. */
static inline int read_field(const cx_model *model, size_t i,
                             const struct cx__engine *engine,
                             struct cx__statement *statement, unsigned place,
                             cx_arena *arena, cx_param *field)
{
    int error = engine->column(statement, place,
                               kind_of(model->columns[i].field), field);

    if (error == -EBADMSG)
        return misfit(model, i, cx_db_problem());
    if (error == 0)
        error = fits(model, i, field);
    if (error == 0 && arena != NULL &&
        (field->kind == CX_KIND_TEXT || field->kind == CX_KIND_BLOB))
        error = cx__arena_keep(arena, field);
    return error;
}

int cx__row_read(const cx_model *model, struct cx__statement *statement,
                 cx__columns columns, void *row, cx_arena *arena)
{
    const struct cx__engine *engine = statement->connection->db->engine;
    cx_param fields[CX__COLUMNS_MOST];
    cx__columns left = columns;
    unsigned n = 0;

    for (; left != 0; left &= left - 1, n++) {
        int error = read_field(model, (size_t)__builtin_ctzll(left), engine,
                               statement, n, arena, &fields[n]);

        if (error != 0)
            return error;
    }
    n = 0;
    for (left = columns; left != 0; left &= left - 1)
        put(model, row, (size_t)__builtin_ctzll(left), &fields[n++]);
    return 0;
}

static bool has_text(const cx_model *model)
{
    for (size_t i = 0; i < model->columns_len; i++) {
        cx_kind kind = cx__row_kind(model, i);

        if (kind == CX_KIND_TEXT || kind == CX_KIND_BLOB)
            return true;
    }
    return false;
}

int cx__row_check_arena(const cx_model *model, const cx_arena *arena)
{
    if (arena != NULL || !has_text(model))
        return 0;
    return cx__problem(-EINVAL, "%s has text, for which there is no arena",
                       model->table);
}
