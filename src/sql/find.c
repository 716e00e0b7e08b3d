/* SPDX-License-Identifier: MIT */
/* Rows that are read by their models: one by its key, a count, a list. */
#include <errno.h>

#include "arena.h"
#include "call.h"
#include "database.h"
#include "problem.h"
#include "row.h"

static int find(cx_db *db, const cx_model *model, enum cx__operation operation,
                void *row, cx_arena *arena)
{
    struct cx__call call;
    int result = cx__model_begin(model, row);

    if (result == 0)
        result = cx__row_check_arena(model, arena);
    if (result == 0)
        result = cx__call_begin(&call, db, model, operation);
    if (result != 0)
        return result;
    if (operation == CX__LOCK && call.connection->depth == 0)
        result = cx__problem(-EINVAL, "outside of a transaction");
    if (result == 0)
        result = cx__row_bind(call.statement, row);
    if (result == 0)
        result = cx__call_step(&call);
    if (result == 1)
        result = cx__row_read(call.statement, row, arena);
    else if (result == 0)
        result = cx__wordless(-ENOENT);
    return cx__call_end(&call, result);
}

int cx_model_find(cx_db *db, const cx_model *model, void *row, cx_arena *arena)
{
    return find(db, model, CX__FIND, row, arena);
}

int cx_model_lock(cx_db *db, const cx_model *model, void *row, cx_arena *arena)
{
    return find(db, model, CX__LOCK, row, arena);
}

int cx_model_count(cx_db *db, const cx_model *model, const cx_query *query,
                   int64_t *n)
{
    struct cx__call call;
    cx_param count;
    int result = cx__model_begin(model, n);

    if (result == 0)
        result = cx__call_query(&call, db, model, CX__COUNT, query);
    if (result != 0)
        return result;
    result = cx__call_step(&call);
    if (result == 1) {
        result = call.engine->column(call.statement, 0, CX_KIND_I64, &count);
        if (result == 0)
            *n = count.i64;
    }
    return cx__call_end(&call, result);
}

/* Rows as they come in: `n`, with room for `room` of them. */
struct array {
    char *rows;
    size_t n;
    size_t room;
};

static int array_grow(struct array *array, size_t size, cx_arena *arena)
{
    size_t room = array->room != 0 ? array->room * 2 : 8;
    char *rows;

    if (array->n < array->room)
        return 0;
    if (room > SIZE_MAX / 2 / size)
        return -E2BIG;
    rows = cx__arena_alloc(arena, room * size);
    if (rows == NULL)
        return -ENOMEM;
    if (array->n > 0)
        memcpy(rows, array->rows, array->n * size);
    array->rows = rows;
    array->room = room;
    return 0;
}

static int read_all(struct cx__call *call, struct array *array, cx_arena *arena)
{
    const cx_model *model = call->model;
    int result;

    while ((result = cx__call_step(call)) == 1) {
        char *row;

        result = array_grow(array, model->size, arena);
        if (result != 0)
            return result;
        row = array->rows + array->n * model->size;
        memset(row, 0, model->size);
        result = cx__row_read(call->statement, row, arena);
        if (result != 0)
            return result;
        array->n++;
    }
    return result;
}

int cx_model_list(cx_db *db, const cx_model *model, const cx_query *query,
                  void **rows, size_t *n, cx_arena *arena)
{
    struct array array = {.rows = NULL};
    struct cx__call call;
    int error = rows != NULL && n != NULL ? cx__model_begin(model, arena)
                                          : cx__wordless(-EINVAL);

    if (error == 0)
        error = cx__call_query(&call, db, model, CX__SELECT, query);
    if (error != 0)
        return error;
    error = cx__call_end(&call, read_all(&call, &array, arena));
    if (error == 0) {
        *rows = array.rows;
        *n = array.n;
    }
    return error;
}
