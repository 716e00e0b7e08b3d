/* SPDX-License-Identifier: MIT */
/*
 * What a model is, and whether it matches a table. That is asked when a
 * statement of the model's is made, and so before its first use on each
 * connection.
 */
#include <errno.h>

#include "database.h"
#include "lease.h"
#include "model.h"
#include "problem.h"
#include "words.h"

enum { NAME_MOST = 63 };

cx__columns cx__model_all(const cx_model *model)
{
    return UINT64_MAX >> (64 - model->columns_len);
}

cx__columns cx__model_key(const cx_model *model)
{
    cx__columns key = 0;

    for (size_t i = 0; i < model->columns_len; i++)
        key |= (cx__columns)model->columns[i].key << i;
    return key;
}

const char *cx__column_name(const cx_column *column)
{
    return column->column != NULL ? column->column : column->member;
}

int cx__model_column(const cx_model *model, const char *name)
{
    for (size_t i = 0; name != NULL && i < model->columns_len; i++) {
        if (strcmp(cx__column_name(&model->columns[i]), name) == 0)
            return (int)i;
    }
    return -1;
}

/* Names go into statements as they are. */
static bool is_name(const char *name)
{
    size_t len = name != NULL ? strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789_")
                              : 0;

    return len > 0 && len <= NAME_MOST && name[len] == '\0';
}

/* What a member takes of its struct; 0: there is no such kind. */
static size_t field_size(unsigned field)
{
    static const size_t plain[] = {[CX__FIELD_I64] = sizeof(int64_t),
                                   [CX__FIELD_I32] = sizeof(int32_t),
                                   [CX__FIELD_F64] = sizeof(double),
                                   [CX__FIELD_BOOL] = sizeof(bool),
                                   [CX__FIELD_TEXT] = sizeof(cx_text),
                                   [CX__FIELD_BLOB] = sizeof(cx_blob),
                                   [CX__FIELD_TIMESTAMP] =
                                       sizeof(cx_timestamp)};
    unsigned kind = field & ~(unsigned)CX__FIELD_MAYBE;

    return kind < sizeof(plain) / sizeof(plain[0]) ? plain[kind] : 0;
}

static bool is_sound_column(const cx_model *model, const cx_column *column)
{
    size_t size = field_size(column->field);

    return is_name(cx__column_name(column)) && size > 0 &&
           size <= model->size && column->offset <= model->size - size &&
           (!column->automatic ||
            (column->key && column->field == CX__FIELD_I64));
}

int cx__model_begin(const cx_model *model, const void *row)
{
    if (model == NULL || row == NULL)
        return cx__wordless(-EINVAL);
    if (model->columns == NULL || model->columns_len == 0 ||
        model->columns_len > CX__COLUMNS_MOST)
        return cx__problem(-EPROTOTYPE, "a model has 1 to %d columns",
                           CX__COLUMNS_MOST);
    return 0;
}

static int check_sound(const cx_model *model)
{
    if (!is_name(model->table))
        return cx__problem(-EPROTOTYPE, "a model without a table's name");
    for (size_t i = 0; i < model->columns_len; i++) {
        if (!is_sound_column(model, &model->columns[i]))
            return cx__problem(-EPROTOTYPE,
                               "column %zu of the model of %s is none", i + 1,
                               model->table);
    }
    return 0;
}

static int check_version(const cx_model *model,
                         struct cx__connection *connection)
{
    int error = cx__lease_look(connection);
    int version = connection->version;

    if (error != 0 || (version >= model->from &&
                       (model->until == 0 || version <= model->until)))
        return error;
    return cx__problem(-ERANGE,
                       "the tenant's tables are of version %d, and the model"
                       " of %s is for %d to %d",
                       version, model->table, model->from, model->until);
}

static int check_table(const cx_model *model, struct cx__connection *connection)
{
    struct cx__words words = {.data = NULL};
    int error = connection->db->engine->compare(connection, model, &words);

    if (error == 0 && words.failed)
        error = -ENOMEM;
    if (error == 0 && words.len > 0)
        error = cx__problem(-EPROTOTYPE, "%s: %s", model->table, words.data);
    cx__words_fini(&words);
    return error;
}

int cx__model_match(const cx_model *model, struct cx__connection *connection)
{
    int error = check_sound(model);

    if (error == 0)
        error = check_version(model, connection);
    return error == 0 ? check_table(model, connection) : error;
}

int cx__model_problem(const cx_model *model, enum cx__operation operation,
                      int error)
{
    static const char *const verbs[] = {
        [CX__INSERT] = "insert into", [CX__FIND] = "find in",
        [CX__LOCK] = "lock in",       [CX__UPDATE] = "update",
        [CX__DELETE] = "delete from", [CX__COUNT] = "count in",
        [CX__SELECT] = "read"};

    if (cx_db_problem()[0] == '\0')
        return error;
    return cx__problem(error, "%s %s: %s", verbs[operation],
                       is_name(model->table) ? model->table : "a table",
                       cx_db_problem());
}

int cx_model_check(cx_db *db, const cx_model *model)
{
    struct cx__connection *connection;
    int error = cx__model_begin(model, model);

    if (error == 0)
        error = cx__lease_begin(db, &connection);
    if (error == 0) {
        error = cx__model_match(model, connection);
        cx__lease_end(connection);
    }
    return error;
}
