/* SPDX-License-Identifier: MIT */
/*
 * What a model is, and whether it matches a table. That is asked when a
 * statement of the model's is made, and so before its first use on each
 * connection.
 */
#include <errno.h>
#include <stdio.h>

#include "database.h"
#include "lease.h"
#include "model.h"
#include "problem.h"
#include "row.h"

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

/* In each row of an array. */
static bool is_within(const cx_model *model, const cx_column *column)
{
    const struct cx__member *member = cx__member_of(column);

    return member->size <= model->size &&
           column->offset <= model->size - member->size &&
           column->offset % member->aligned == 0 &&
           model->size % member->aligned == 0;
}

/* What is wrong with a column, those before which are sound; NULL: nothing
 * is. */
static const char *flaw(const cx_model *model, size_t i)
{
    const cx_column *column = &model->columns[i];
    bool is_text =
        column->field == CX__FIELD_TEXT || column->field == CX__FIELD_BLOB;

    if (!is_name(cx__column_name(column)))
        return "has no name";
    if (cx__model_column(model, cx__column_name(column)) != (int)i)
        return "is there twice";
    if (cx__member_of(column) == NULL)
        return "is of no kind";
    if (!is_within(model, column))
        return "is not within the struct";
    if (column->null && !is_text)
        return "is .null, and neither text nor bytes";
    if (column->automatic && (column->field != CX__FIELD_I64 ||
                              cx__model_key(model) != (cx__columns)1 << i))
        return "is .automatic, and not an int64_t that is the key";
    return NULL;
}

static int no_table(void)
{
    return cx__problem(-EPROTOTYPE, "a model without a table's name");
}

int cx__model_begin(const cx_model *model, const void *needed)
{
    if (model == NULL || needed == NULL)
        return cx__wordless(-EINVAL);
    if (model->table == NULL)
        return no_table();
    if (model->columns == NULL || model->columns_len == 0 ||
        model->columns_len > CX__COLUMNS_MOST)
        return cx__problem(-EPROTOTYPE, "a model has 1 to %d columns",
                           CX__COLUMNS_MOST);
    return 0;
}

static int check_sound(const cx_model *model)
{
    if (!is_name(model->table))
        return no_table();
    for (size_t i = 0; i < model->columns_len; i++) {
        const char *what = flaw(model, i);

        if (what != NULL)
            return cx__problem(-EPROTOTYPE, "column %zu of the model of %s %s",
                               i + 1, model->table, what);
    }
    return 0;
}

int cx__model_sound(const cx_model *model, cx_db *db)
{
    size_t place =
        ((uintptr_t)model / _Alignof(cx_model) * UINT64_C(0x9e3779b97f4a7c15)) /
        (UINT64_MAX / CX__SOUND + 1);
    int error;

    if (db->sound[place] == model)
        return 0;
    error = check_sound(model);
    if (error == 0)
        db->sound[place] = model;
    return error;
}

static int check_version(const cx_model *model,
                         struct cx__connection *connection)
{
    int error = cx__lease_look(connection);
    int version = connection->version;
    char range[64];

    if (error != 0 || (version >= model->from &&
                       (model->until == 0 || version <= model->until)))
        return error;
    if (model->until == 0)
        (void)snprintf(range, sizeof(range), "%d and later", model->from);
    else if (model->from == 0)
        (void)snprintf(range, sizeof(range), "up to %d", model->until);
    else
        (void)snprintf(range, sizeof(range), "%d to %d", model->from,
                       model->until);
    return cx__problem(-ERANGE,
                       "the tenant's tables are of version %d, and the model"
                       " of %s is for %s",
                       version, model->table, range);
}

/* What is said of one row must not be said of many. */
static int check_key(const cx_model *model, enum cx__operation operation)
{
    bool needs_key = operation == CX__FIND || operation == CX__LOCK ||
                     operation == CX__UPDATE || operation == CX__DELETE;

    if (!needs_key || cx__model_key(model) != 0)
        return 0;
    return cx__problem(-EPROTOTYPE, "the model has no key");
}

int cx__model_match(const cx_model *model, enum cx__operation operation,
                    struct cx__connection *connection)
{
    int error = check_key(model, operation);

    if (error == 0)
        error = check_version(model, connection);
    return error == 0 ? cx__model_compare(model, operation, connection) : error;
}

int cx__model_problem(const cx_model *model, enum cx__operation operation,
                      int error)
{
    static const char *const verbs[] = {
        [CX__INSERT] = "insert into", [CX__FIND] = "find in",
        [CX__FIND_ANY] = "find in",   [CX__LOCK] = "lock in",
        [CX__UPDATE] = "update",      [CX__DELETE] = "delete from",
        [CX__COUNT] = "count in",     [CX__SELECT] = "read"};

    if (cx_db_problem()[0] == '\0')
        return error;
    return cx__problem(error, "%s %s: %s", verbs[operation], model->table,
                       cx_db_problem());
}

int cx_model_check(cx_db *db, const cx_model *model)
{
    struct cx__connection *connection;
    int error = cx__model_begin(model, db);

    if (error == 0)
        error = cx__lease_begin(db, &connection);
    if (error != 0)
        return error;
    error = cx__model_sound(model, db);
    if (error == 0)
        error = cx__model_match(model, CX__SELECT, connection);
    cx__lease_end(connection);
    return error;
}
