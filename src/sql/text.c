/* SPDX-License-Identifier: MIT */
/*
 * The statements of models, as text. All names in them are the model's own,
 * which have been found to be letters, digits and underscores; all values are
 * parameters. One text does for each engine, but for what its engine.h says of
 * it, so that nothing is written here that only one of them knows.
 */
#include <errno.h>

#include "problem.h"
#include "row.h"
#include "text.h"

static bool has(cx__columns columns, size_t i)
{
    return (columns >> i & 1) != 0;
}

static void add_name(struct cx__words *words, const cx_model *model, size_t i)
{
    cx__words_print(words, "\"%s\"", cx__column_name(&model->columns[i]));
}

static void add_table(struct cx__words *words, const char *before,
                      const cx_model *model)
{
    cx__words_print(words, "%s\"%s\"", before, model->table);
}

/* Names with commas between. */
static void add_names(struct cx__words *words, const cx_model *model,
                      cx__columns columns)
{
    const char *comma = "";

    for (size_t i = 0; i < model->columns_len; i++) {
        if (!has(columns, i))
            continue;
        cx__words_add(words, comma);
        add_name(words, model, i);
        comma = ", ";
    }
}

/* `name = $n` for each, with something between. */
static void add_equal(struct cx__words *words, const cx_model *model,
                      cx__columns columns, const char *between, unsigned *n)
{
    const char *before = "";

    for (size_t i = 0; i < model->columns_len; i++) {
        if (!has(columns, i))
            continue;
        cx__words_add(words, before);
        add_name(words, model, i);
        cx__words_print(words, " = $%u", ++*n);
        before = between;
    }
}

static void add_key(struct cx__words *words, const cx_model *model, unsigned n)
{
    cx__words_add(words, " WHERE ");
    add_equal(words, model, cx__model_key(model), " AND ", &n);
}

/* The number that the database gives the row. */
static void add_returning(struct cx__words *words, const cx_model *model,
                          cx__columns columns)
{
    for (size_t i = 0; i < model->columns_len; i++) {
        if (model->columns[i].automatic && !has(columns, i)) {
            cx__words_add(words, " RETURNING ");
            add_name(words, model, i);
        }
    }
}

static void add_values(struct cx__words *words, const cx_model *model,
                       cx__columns columns)
{
    unsigned n = 0;

    if (columns == 0) {
        cx__words_add(words, " DEFAULT VALUES");
        return;
    }
    cx__words_add(words, " (");
    add_names(words, model, columns);
    cx__words_add(words, ") VALUES (");
    for (size_t i = 0; i < model->columns_len; i++) {
        if (has(columns, i))
            cx__words_print(words, n == 0 ? "$%u" : ", $%u", n + 1), n++;
    }
    cx__words_add(words, ")");
}

void cx__text_insert(struct cx__words *words, const cx_model *model,
                     cx__columns columns, bool returning)
{
    add_table(words, "INSERT INTO ", model);
    add_values(words, model, columns);
    if (returning)
        add_returning(words, model, columns);
}

void cx__text_find(struct cx__words *words, const cx_model *model)
{
    cx__columns others = cx__model_all(model) & ~cx__model_key(model);

    cx__words_add(words, "SELECT ");
    if (others != 0)
        add_names(words, model, others);
    else
        cx__words_add(words, "1");
    add_table(words, " FROM ", model);
    add_key(words, model, 0);
}

void cx__text_find_any(struct cx__words *words, const cx_model *model)
{
    cx__words_add(words, "SELECT ");
    add_names(words, model, cx__model_all(model));
    add_table(words, " FROM ", model);
    cx__words_add(words, " WHERE ");
    add_names(words, model, cx__model_key(model));
    cx__words_add(words, " = ANY($1)");
}

void cx__text_update(struct cx__words *words, const cx_model *model,
                     cx__columns columns)
{
    unsigned n = 0;

    add_table(words, "UPDATE ", model);
    cx__words_add(words, " SET ");
    add_equal(words, model, columns, ", ", &n);
    add_key(words, model, n);
}

void cx__text_delete(struct cx__words *words, const cx_model *model)
{
    add_table(words, "DELETE FROM ", model);
    add_key(words, model, 0);
}

static int no_column(const cx_model *model, const char *name)
{
    return cx__problem(-EINVAL, "the model of %s has no column %.63s",
                       model->table, name != NULL ? name : "without a name");
}

/* C's true and false are whole numbers; and those are numbers. */
static bool is_of_kind(const cx_param *value, cx_kind wanted)
{
    if (value->kind == CX_KIND_I64 && wanted == CX_KIND_BOOL)
        return value->i64 == 0 || value->i64 == 1;
    return value->kind == wanted || value->kind == CX_KIND_NULL ||
           (value->kind == CX_KIND_I64 && wanted == CX_KIND_F64);
}

/* Engines would each make something else of a value of another kind. */
static int check_kind(const cx_model *model, size_t i, const cx_param *value)
{
    cx_kind wanted = cx__row_kind(model, i);

    if (is_of_kind(value, wanted))
        return 0;
    return cx__problem(-EINVAL, "%s.%s is %s, and the value %s", model->table,
                       cx__column_name(&model->columns[i]),
                       cx__kind_words(wanted), cx__kind_words(value->kind));
}

/* With a value that may be larger than the column's. */
static void add_comparison(struct cx__words *words, const cx_model *model,
                           size_t i, const char *compare, unsigned n)
{
    unsigned field = model->columns[i].field & ~(unsigned)CX__FIELD_MAYBE;

    cx__words_print(
        words, field == CX__FIELD_I32 ? " %s CAST($%u AS bigint)" : " %s $%u",
        compare, n);
}

static int add_predicate(struct cx__words *words, const cx_model *model,
                         const cx_predicate *predicate, unsigned *n)
{
    static const char *const compares[] = {
        [CX_EQ] = "=", [CX_NE] = "IS DISTINCT FROM",
        [CX_LT] = "<", [CX_LE] = "<=",
        [CX_GT] = ">", [CX_GE] = ">="};
    int i = cx__model_column(model, predicate->column);
    int error;

    if (i < 0)
        return no_column(model, predicate->column);
    error = check_kind(model, (size_t)i, &predicate->value);
    if (error != 0)
        return error;
    if ((unsigned)predicate->compare >= sizeof(compares) / sizeof(compares[0]))
        return cx__problem(-EINVAL, "no such comparison");
    add_name(words, model, (size_t)i);
    if (cx__text_has_value(predicate))
        add_comparison(words, model, (size_t)i, compares[predicate->compare],
                       ++*n);
    else
        cx__words_add(words, predicate->compare == CX_EQ ? " IS NULL"
                                                         : " IS NOT NULL");
    return 0;
}

static int add_where(struct cx__words *words, const cx_model *model,
                     const cx_query *query, unsigned *n)
{
    int error = query->where == NULL && query->where_len > 0
                    ? cx__wordless(-EINVAL)
                    : 0;

    for (size_t i = 0; error == 0 && i < query->where_len; i++) {
        cx__words_add(words, i == 0 ? " WHERE " : " AND ");
        error = add_predicate(words, model, &query->where[i], n);
    }
    return error;
}

/* Engines differ in where NULL comes. A count has no order, but the query's
 * column must be one. */
static int add_order(struct cx__words *words, const cx_model *model,
                     const cx_query *query, enum cx__operation operation)
{
    const char *way = query->descending ? " DESC" : "";
    cx__columns key = cx__model_key(model);
    int by = cx__model_column(model, query->order);

    if (by < 0)
        return no_column(model, query->order);
    if (operation == CX__COUNT)
        return 0;
    cx__words_add(words, " ORDER BY ");
    add_name(words, model, (size_t)by);
    cx__words_print(words, "%s NULLS %s", way,
                    query->descending ? "LAST" : "FIRST");
    for (size_t i = 0; i < model->columns_len; i++) {
        if (has(key, i) && i != (size_t)by) {
            cx__words_add(words, ", ");
            add_name(words, model, i);
            cx__words_add(words, way);
        }
    }
    return 0;
}

static void add_limit(struct cx__words *words, const cx_query *query,
                      unsigned n)
{
    if (cx__text_has_limit(query))
        cx__words_print(words, " LIMIT $%u", n + 1);
    if (query->offset != 0)
        cx__words_print(words, " OFFSET $%u", n + 2);
}

int cx__text_select(struct cx__words *words, const cx_model *model,
                    const cx_query *query, enum cx__operation operation)
{
    unsigned n = 0;
    int error;

    cx__words_add(words, "SELECT ");
    if (operation == CX__COUNT)
        cx__words_add(words, "count(*)");
    else
        add_names(words, model, cx__model_all(model));
    add_table(words, " FROM ", model);
    error = add_where(words, model, query, &n);
    if (error == 0 && query->order != NULL)
        error = add_order(words, model, query, operation);
    if (error == 0 && operation != CX__COUNT)
        add_limit(words, query, n);
    return error;
}
