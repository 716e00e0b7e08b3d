/* SPDX-License-Identifier: MIT */
/*
 * Rows. A row is read in two passes: all fields, where something may be wrong,
 * then all members, where nothing can be.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "database.h"
#include "param.h"
#include "problem.h"
#include "row.h"

/* A value, by its size: these are all there are. */
enum { BOOL = 1, I32 = 4, WORD = 8, BYTES = 16 };

_Static_assert(sizeof(bool) == BOOL, "truth is a byte");
_Static_assert(sizeof(cx_text) == BYTES && sizeof(cx_blob) == BYTES,
               "text and bytes are a pointer and a length");
_Static_assert(sizeof(double) == WORD && sizeof(cx_timestamp) == WORD,
               "numbers and times are of one size");
_Static_assert(offsetof(cx_maybe_i64, set) == WORD &&
                   offsetof(cx_maybe_i32, set) == I32 &&
                   offsetof(cx_maybe_f64, set) == WORD &&
                   offsetof(cx_maybe_bool, set) == BOOL &&
                   offsetof(cx_maybe_timestamp, set) == WORD,
               "whether a value is there follows it");

const struct cx__member *cx__member_of(const cx_column *column)
{
#define PLAIN(type, kind)                                                      \
    {                                                                          \
        sizeof(type), _Alignof(type), sizeof(type), kind                       \
    }
#define MAYBE(type, kind)                                                      \
    {                                                                          \
        sizeof(type), _Alignof(type), offsetof(type, set), kind                \
    }
    static const struct cx__member members[] = {
        [CX__FIELD_I64] = PLAIN(int64_t, CX_KIND_I64),
        [CX__FIELD_I32] = PLAIN(int32_t, CX_KIND_I64),
        [CX__FIELD_F64] = PLAIN(double, CX_KIND_F64),
        [CX__FIELD_BOOL] = PLAIN(bool, CX_KIND_BOOL),
        [CX__FIELD_TEXT] = PLAIN(cx_text, CX_KIND_TEXT),
        [CX__FIELD_BLOB] = PLAIN(cx_blob, CX_KIND_BLOB),
        [CX__FIELD_TIMESTAMP] = PLAIN(cx_timestamp, CX_KIND_TIMESTAMP),
        [CX__FIELD_MAYBE | CX__FIELD_I64] = MAYBE(cx_maybe_i64, CX_KIND_I64),
        [CX__FIELD_MAYBE | CX__FIELD_I32] = MAYBE(cx_maybe_i32, CX_KIND_I64),
        [CX__FIELD_MAYBE | CX__FIELD_F64] = MAYBE(cx_maybe_f64, CX_KIND_F64),
        [CX__FIELD_MAYBE | CX__FIELD_BOOL] = MAYBE(cx_maybe_bool, CX_KIND_BOOL),
        [CX__FIELD_MAYBE | CX__FIELD_TIMESTAMP] =
            MAYBE(cx_maybe_timestamp, CX_KIND_TIMESTAMP)};
#undef PLAIN
#undef MAYBE

    return column->field < sizeof(members) / sizeof(members[0]) &&
                   members[column->field].size != 0
               ? &members[column->field]
               : NULL;
}

cx_kind cx__row_kind(const cx_model *model, size_t i)
{
    return cx__member_of(&model->columns[i])->kind;
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

static bool is_maybe(const cx_column *column)
{
    return (column->field & CX__FIELD_MAYBE) != 0;
}

bool cx__row_may_be_null(const cx_model *model, size_t i)
{
    return model->columns[i].null || is_maybe(&model->columns[i]);
}

/* The slots of some columns; what follows them. */
static struct cx__slot *add_slots(struct cx__slot *slot, const cx_model *model,
                                  cx__columns columns)
{
    for (; columns != 0; columns &= columns - 1, slot++) {
        size_t i = (size_t)__builtin_ctzll(columns);
        const cx_column *column = &model->columns[i];
        const struct cx__member *member = cx__member_of(column);

        *slot = (struct cx__slot){.offset = column->offset,
                                  .column = (unsigned char)i,
                                  .kind = member->kind,
                                  .bytes = member->value,
                                  .maybe = is_maybe(column),
                                  .null = cx__row_may_be_null(model, i)};
    }
    return slot;
}

static unsigned count(cx__columns columns)
{
    return (unsigned)__builtin_popcountll(columns);
}

struct cx__layout *cx__layout_new(const cx_model *model, cx__columns parameters,
                                  cx__columns key, cx__columns columns)
{
    unsigned n = count(parameters) + count(key);
    struct cx__layout *layout = malloc(
        sizeof(*layout) + (n + count(columns)) * sizeof(struct cx__slot));
    struct cx__slot *slot;

    if (layout == NULL)
        return NULL;
    layout->model = model;
    layout->parameters = n;
    layout->columns = count(columns);
    slot = add_slots(layout->slot, model, parameters);
    slot = add_slots(slot, model, key);
    (void)add_slots(slot, model, columns);
    return layout;
}

void cx__slot_get(const struct cx__slot *slot, const void *row, cx_param *field)
{
    const char *member = (const char *)row + slot->offset;
    int32_t i32;

    field->kind = slot->kind;
    switch (slot->bytes) {
    case WORD:
        memcpy(&field->i64, member, WORD);
        break;
    case BYTES:
        memcpy(&field->text, member, BYTES);
        if (field->text.data == NULL)
            field->kind = CX_KIND_NULL;
        break;
    case I32:
        memcpy(&i32, member, I32);
        field->i64 = i32;
        break;
    default:
        memcpy(&field->boolean, member, BOOL);
        break;
    }
    if (slot->maybe && !*(const bool *)(member + slot->bytes))
        field->kind = CX_KIND_NULL;
}

static void slot_put(const struct cx__slot *slot, void *row,
                     const cx_param *field)
{
    char *member = (char *)row + slot->offset;
    bool set = field->kind != CX_KIND_NULL;

    if (slot->maybe)
        *(bool *)(member + slot->bytes) = set;
    /* A missing value is 0, or text without data. */
    if (!CX__LIKELY(set))
        memset(member, 0, slot->bytes);
    else if (slot->bytes == WORD)
        memcpy(member, &field->i64, WORD);
    else if (slot->bytes == BYTES)
        memcpy(member, &field->text, BYTES);
    else if (slot->bytes == I32)
        *(int32_t *)member = (int32_t)field->i64;
    else
        *(bool *)member = field->boolean;
}

__attribute__((cold)) static int null_not_to_be(const cx_model *model, size_t i)
{
    return cx__problem(-EDOM, "%s.%s must not be NULL", model->table,
                       cx__column_name(&model->columns[i]));
}

int cx__row_bind(struct cx__statement *statement, const void *row)
{
    const struct cx__engine *engine = statement->connection->db->engine;
    const struct cx__layout *layout = statement->layout;
    int error = 0;

    for (unsigned i = 0; error == 0 && i < layout->parameters; i++) {
        const struct cx__slot *slot = &layout->slot[i];
        cx_param field;

        cx__slot_get(slot, row, &field);
        if (field.kind == CX_KIND_NULL && !slot->null)
            return null_not_to_be(layout->model, slot->column);
        error = cx__param_check(&field);
        if (error == 0)
            error = engine->bind(statement, i + 1, &field);
    }
    return error;
}

__attribute__((cold)) static int misfit(const cx_model *model, size_t i,
                                        const char *why)
{
    return cx__problem(-EBADMSG, "%s.%s is %s", model->table,
                       cx__column_name(&model->columns[i]), why);
}

/* Does a field that was read fit the member? 0 or the problem. */
static inline int check_fit(const cx_model *model, const struct cx__slot *slot,
                            const cx_param *field)
{
    if (!CX__LIKELY(field->kind != CX_KIND_NULL))
        return slot->null ? 0 : misfit(model, slot->column, "NULL");
    if (slot->bytes == I32 && field->i64 != (int32_t)field->i64)
        return misfit(model, slot->column, "more than 32 bits");
    return 0;
}

/* One field, checked, and with its text kept. */
static inline int read_field(struct cx__statement *statement, unsigned place,
                             const struct cx__slot *slot, cx_arena *arena,
                             cx_param *field)
{
    const cx_model *model = statement->layout->model;
    int error = statement->connection->db->engine->column(statement, place,
                                                          slot->kind, field);

    if (!CX__LIKELY(error == 0))
        return error == -EBADMSG ? misfit(model, slot->column, cx_db_problem())
                                 : error;
    error = check_fit(model, slot, field);
    if (error == 0 && arena != NULL && slot->bytes == BYTES)
        error = cx__arena_keep(arena, field);
    return error;
}

int cx__row_read(struct cx__statement *statement, void *row, cx_arena *arena)
{
    const struct cx__layout *layout = statement->layout;
    const struct cx__slot *slot = &layout->slot[layout->parameters];
    unsigned n = layout->columns;
    cx_param fields[CX__COLUMNS_MOST];

    for (unsigned i = 0; i < n; i++) {
        int error = read_field(statement, i, &slot[i], arena, &fields[i]);

        if (error != 0)
            return error;
    }
    for (unsigned i = 0; i < n; i++)
        slot_put(&slot[i], row, &fields[i]);
    return 0;
}

static bool has_text(const cx_model *model)
{
    for (size_t i = 0; i < model->columns_len; i++) {
        unsigned field = model->columns[i].field;

        if (field == CX__FIELD_TEXT || field == CX__FIELD_BLOB)
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
