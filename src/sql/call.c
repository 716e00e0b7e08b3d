/* SPDX-License-Identifier: MIT */
/*
 * Calls on models. A statement is looked up by the model, what it does and
 * with which columns: all of that is one number, and two statements never
 * share it. A query's is looked up by its text.
 */
#include <errno.h>
#include <stdlib.h>

#include "call.h"
#include "database.h"
#include "lease.h"
#include "param.h"
#include "problem.h"
#include "row.h"
#include "text.h"

/* Parameters of a query beside those of its predicates: limit and offset. */
enum { AROUND = 2 };

static void write_text(struct cx__words *words, const struct cx__call *call,
                       cx__columns columns)
{
    switch (call->operation) {
    case CX__INSERT:
        cx__text_insert(words, call->model, columns, call->engine->returning);
        break;
    case CX__FIND:
        cx__text_find(words, call->model);
        break;
    case CX__FIND_ANY:
        cx__text_find_any(words, call->model);
        break;
    case CX__LOCK:
        cx__text_find(words, call->model);
        if (call->engine->for_update != NULL)
            cx__words_add(words, call->engine->for_update);
        break;
    case CX__UPDATE:
        cx__text_update(words, call->model, columns);
        break;
    case CX__DELETE:
        cx__text_delete(words, call->model);
        break;
    case CX__COUNT:
    case CX__SELECT:
        /* A query's is written by whoever looks it up. */
        break;
    }
}

/* How the rows of such a statement are; NULL: no memory. */
static struct cx__layout *layout_of(const struct cx__call *call,
                                    cx__columns columns)
{
    const cx_model *model = call->model;
    cx__columns all = cx__model_all(model);
    cx__columns key = cx__model_key(model);

    switch (call->operation) {
    case CX__INSERT:
        return cx__layout_new(model, columns, 0, 0);
    case CX__FIND:
    case CX__LOCK:
        return cx__layout_new(model, 0, key, all & ~key);
    case CX__FIND_ANY:
        return cx__layout_new(model, 0, key, all);
    case CX__UPDATE:
    case CX__DELETE:
        return cx__layout_new(model, columns, key, 0);
    case CX__SELECT:
        return cx__layout_new(model, 0, 0, all);
    case CX__COUNT:
        break;
    }
    return cx__layout_new(model, 0, 0, 0);
}

/* A new statement, of a model that matches its table. */
static int make(struct cx__call *call, const struct cx__shape *shape,
                const struct cx__words *words, cx__columns columns)
{
    struct cx__layout *layout = words->failed ? NULL : layout_of(call, columns);
    int error;

    if (layout == NULL)
        return -ENOMEM;
    error = cx__statement_make(call->connection, shape, cx__words_text(words),
                               CX__MODEL, &call->statement);
    if (error != 0) {
        free(layout);
        return error;
    }
    call->statement->layout = layout;
    call->statement->few = call->operation != CX__SELECT;
    return 0;
}

static int make_shape(struct cx__call *call, const struct cx__shape *shape,
                      cx__columns columns)
{
    struct cx__words words = {.data = NULL};
    int error = cx__model_match(call->model, call->operation, call->connection);

    if (error != 0)
        return error;
    write_text(&words, call, columns);
    error = make(call, shape, &words, columns);
    cx__words_fini(&words);
    return error;
}

int cx__call_open(struct cx__call *call, cx_db *db, const cx_model *model,
                  enum cx__operation operation)
{
    int error;

    *call = (struct cx__call){.model = model, .operation = operation};
    error = cx__lease_begin(db, &call->connection);
    if (error != 0)
        return error;
    call->engine = db->engine;
    error = cx__model_sound(model, db);
    if (error != 0)
        cx__lease_end(call->connection);
    return error;
}

int cx__call_prepare(struct cx__call *call, cx__columns columns)
{
    struct cx__shape shape = {
        .owner = call->model,
        .shape = (uint64_t)call->operation << CX__COLUMNS_MOST | columns};

    call->statement = cx__statement_find(call->connection, &shape);
    return call->statement != NULL ? 0 : make_shape(call, &shape, columns);
}

int cx__call_begin(struct cx__call *call, cx_db *db, const cx_model *model,
                   enum cx__operation operation)
{
    int error = cx__call_open(call, db, model, operation);

    if (error != 0)
        return error;
    error = cx__call_prepare(call, 0);
    return error == 0 ? 0 : cx__call_end(call, error);
}

/* The same of a query. Its text is what it is looked up by, and so was made
 * before. */
static int match_and_make(struct cx__call *call, const struct cx__shape *shape,
                          const struct cx__words *words)
{
    int error = cx__model_match(call->model, call->operation, call->connection);

    return error == 0 ? make(call, shape, words, 0) : error;
}

static int find_or_make_query(struct cx__call *call, const cx_query *query)
{
    struct cx__words words = {.data = NULL};
    struct cx__shape shape;
    int error = cx__text_select(&words, call->model, query, call->operation);

    if (error == 0) {
        shape = cx__shape_of_text(cx__words_text(&words));
        shape.owner = call->model;
        call->statement =
            words.failed ? NULL : cx__statement_find(call->connection, &shape);
        if (call->statement == NULL)
            error = match_and_make(call, &shape, &words);
    }
    cx__words_fini(&words);
    return error;
}

static int bind(struct cx__call *call, const cx_param *value)
{
    int error = cx__param_check(value);

    if (error != 0)
        return error;
    return call->engine->bind(call->statement, ++call->bound, value);
}

/* The parameters of its text, in their order there. */
static int bind_query(struct cx__call *call, const cx_query *query)
{
    bool is_list = call->operation != CX__COUNT;
    cx_param limit = cx__param_i64(query->limit != 0 && query->limit < INT64_MAX
                                       ? (int64_t)query->limit
                                       : INT64_MAX);
    cx_param offset = cx__param_i64(
        query->offset < INT64_MAX ? (int64_t)query->offset : INT64_MAX);
    int error = 0;

    for (size_t i = 0; error == 0 && i < query->where_len; i++) {
        if (cx__text_has_value(&query->where[i]))
            error = bind(call, &query->where[i].value);
    }
    if (error == 0 && is_list && cx__text_has_limit(query))
        error = bind(call, &limit);
    if (error == 0 && is_list && query->offset != 0)
        error = bind(call, &offset);
    return error;
}

int cx__call_query(struct cx__call *call, cx_db *db, const cx_model *model,
                   enum cx__operation operation, const cx_query *query)
{
    static const cx_query all;
    int error = cx__call_open(call, db, model, operation);

    if (error != 0)
        return error;
    if (query == NULL)
        query = &all;
    error = cx__param_check_number(call->engine, query->where_len + AROUND);
    if (error == 0)
        error = find_or_make_query(call, query);
    if (error == 0)
        error = bind_query(call, query);
    return error == 0 ? 0 : cx__call_end(call, error);
}

int cx__call_step(struct cx__call *call)
{
    return call->engine->step(call->statement);
}

static int run_one(struct cx__call *call, const struct cx__batch *batch,
                   size_t i)
{
    int result = batch->bind(batch->arg, i);

    if (result == 0)
        result = cx__call_step(call);
    if (result >= 0)
        result = batch->take(batch->arg, i, result == 1);
    call->engine->reset(call->statement);
    return result;
}

int cx__call_batch(struct cx__call *call, const struct cx__batch *batch)
{
    int error = 0;

    if (call->engine->run_batch != NULL)
        return call->engine->run_batch(call->statement, batch);
    for (size_t i = 0; i < batch->n && error == 0; i++)
        error = run_one(call, batch, i);
    return error;
}

int cx__call_end(struct cx__call *call, int error)
{
    cx__statement_done(call->statement);
    cx__lease_end(call->connection);
    call->statement = NULL;
    return error < 0 ? cx__model_problem(call->model, call->operation, error)
                     : error;
}
