/* SPDX-License-Identifier: MIT */
/*
 * A model beside its table: each column is there and holds what the member
 * does, and the model's key, if it has one, is the table's whole key. With a
 * part of that a call on one row would be one on many.
 */
#include <errno.h>

#include "database.h"
#include "problem.h"
#include "row.h"
#include "words.h"

/*
 * found  there is such a table
 * seen   the model's columns that it has
 * words  how they differ
 */
struct comparison {
    const cx_model *model;
    const struct cx__engine *engine;
    enum cx__operation operation;
    bool found;
    cx__columns seen;
    struct cx__words words;
};

static void say(struct comparison *comparison, const char *column,
                const char *what)
{
    cx__words_print(&comparison->words, "%s%s %s",
                    comparison->words.len > 0 ? "; " : "", column, what);
}

static void compare_column(struct comparison *comparison, size_t i,
                           const struct cx__found *found)
{
    const cx_model *model = comparison->model;
    const cx_column *column = &model->columns[i];
    cx_kind kind = cx__row_kind(model, i);

    if ((found->kinds >> kind & 1) == 0) {
        say(comparison, found->name, "is declared");
        cx__words_print(
            &comparison->words, " %s, and %s is kept in %s",
            found->declared[0] != '\0' ? found->declared : "without a type",
            cx__kind_words(kind), comparison->engine->declares[kind]);
    }
    if (!found->not_null && !cx__row_may_be_null(model, i))
        say(comparison, found->name, "may be NULL");
    if (column->key && !found->key)
        say(comparison, found->name, "is not the key");
    if (column->automatic && !found->numbered)
        say(comparison, found->name, "is not numbered");
    comparison->seen |= (cx__columns)1 << i;
}

/* A model may well have fewer columns than its table, if it only reads. */
static void compare(void *arg, const struct cx__found *found)
{
    struct comparison *comparison = arg;
    const cx_model *model = comparison->model;
    int i = cx__model_column(model, found->name);
    bool is_key = i >= 0 && model->columns[i].key;

    comparison->found = true;
    if (i >= 0)
        compare_column(comparison, (size_t)i, found);
    if (found->key && !is_key && cx__model_key(model) != 0)
        say(comparison, found->name, "is of the key, too");
    if (found->needed && i < 0 && comparison->operation == CX__INSERT)
        say(comparison, found->name, "is not given, and must be");
}

static void say_missing(struct comparison *comparison)
{
    const cx_model *model = comparison->model;

    if (!comparison->found)
        cx__words_add(&comparison->words, "there is no such table");
    for (size_t i = 0; comparison->found && i < model->columns_len; i++) {
        if ((comparison->seen >> i & 1) == 0)
            say(comparison, cx__column_name(&model->columns[i]), "is missing");
    }
}

int cx__model_compare(const cx_model *model, enum cx__operation operation,
                      struct cx__connection *connection)
{
    struct comparison comparison = {.model = model,
                                    .engine = connection->db->engine,
                                    .operation = operation};
    struct cx__words *words = &comparison.words;
    int error = comparison.engine->table_columns(connection, model->table,
                                                 compare, &comparison);

    if (error == 0)
        say_missing(&comparison);
    if (error == 0 && words->failed)
        error = -ENOMEM;
    if (error == 0 && words->len > 0)
        error = cx__problem(-EPROTOTYPE, "%s: %s", model->table, words->data);
    cx__words_fini(words);
    return error;
}
