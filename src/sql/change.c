/* SPDX-License-Identifier: MIT */
/* Rows that are written by their models: insert, update, delete. */
#include <errno.h>

#include <ctxvar/transaction.h>

#include "call.h"
#include "database.h"
#include "problem.h"
#include "row.h"

/* The member for a number that the database gives, an int64_t. */
static int64_t *number_of(const cx_model *model, void *row, int column)
{
    return (int64_t *)((char *)row + model->columns[column].offset);
}

/* The column whose number the database is to give; negative: none. */
static int automatic(const cx_model *model, void *row)
{
    for (int i = 0; i < (int)model->columns_len; i++) {
        if (model->columns[i].automatic && *number_of(model, row, i) == 0)
            return i;
    }
    return -1;
}

/* All but that one. */
static cx__columns columns_given(const cx_model *model, int number)
{
    cx__columns all = cx__model_all(model);

    return number >= 0 ? all & ~((cx__columns)1 << number) : all;
}

/* A statement that gives no rows. */
static int run(struct cx__call *call)
{
    int result = cx__call_step(call);

    return result == 1 ? -EINVAL : result;
}

/* A table may be told to leave out, without an error, what would be there
 * twice. */
static int kept_out(void)
{
    return cx__problem(-EEXIST, "the table does not take it");
}

/* The number of the row that has just been inserted; there is one <=> there is
 * such a row. */
static int number_given(struct cx__call *call, bool is_row, int64_t *number)
{
    const struct cx__engine *engine = call->engine;
    cx_param field;
    int error;

    if (engine->returning ? !is_row : engine->changed(call->statement) == 0)
        return kept_out();
    if (!engine->returning) {
        *number = engine->inserted(call->statement);
        return 0;
    }
    error = engine->column(call->statement, 0, CX_KIND_I64, &field);
    if (error == 0)
        *number = field.i64;
    return error;
}

/* An insert into a table that numbers its rows. */
static int run_numbered(struct cx__call *call, int64_t *number)
{
    int64_t given = 0;
    int result = cx__call_step(call);

    if (result < 0)
        return result;
    result = number_given(call, result == 1, &given);
    if (result == 0 && call->engine->returning)
        result = run(call);
    if (result == 0)
        *number = given;
    return result;
}

static int insert(struct cx__call *call, void *row)
{
    int given = automatic(call->model, row);
    int error = cx__call_prepare(call, columns_given(call->model, given));

    if (error == 0)
        error = cx__row_bind(call->statement, row);
    if (error != 0)
        return error;
    if (given >= 0)
        return run_numbered(call, number_of(call->model, row, given));
    error = run(call);
    return error == 0 && call->engine->changed(call->statement) == 0
               ? kept_out()
               : error;
}

int cx_model_insert(cx_db *db, const cx_model *model, void *row)
{
    struct cx__call call;
    int error = cx__model_begin(model, row);

    if (error == 0)
        error = cx__call_open(&call, db, model, CX__INSERT);
    return error == 0 ? cx__call_end(&call, insert(&call, row)) : error;
}

/* Rows by the array; given: the column that the database numbers in all of
 * them, negative: none. */
struct inserts {
    struct cx__call call;
    int given;
    char *rows;
};

static void *insert_row(const struct inserts *inserts, size_t i)
{
    return inserts->rows + i * inserts->call.model->size;
}

static int insert_bind(void *arg, size_t i)
{
    struct inserts *inserts = arg;

    return cx__row_bind(inserts->call.statement, insert_row(inserts, i));
}

static int insert_take(void *arg, size_t i, bool is_row)
{
    struct inserts *inserts = arg;
    struct cx__call *call = &inserts->call;

    if (inserts->given >= 0)
        return number_given(
            call, is_row,
            number_of(call->model, insert_row(inserts, i), inserts->given));
    /* Of many at once nothing is told but errors. */
    return call->engine->run_batch == NULL &&
                   call->engine->changed(call->statement) == 0
               ? kept_out()
               : 0;
}

/* One statement has to do for all. */
static int check_alike(const struct inserts *inserts, size_t n, int given)
{
    const cx_model *model = inserts->call.model;

    for (size_t i = 0; i < n; i++) {
        if (automatic(model, insert_row(inserts, i)) != given)
            return cx__problem(-EINVAL, "rows with a number beside rows"
                                        " without");
    }
    return 0;
}

/* They have not been inserted, and so have no numbers. */
static void forget_numbers(const struct inserts *inserts, size_t n)
{
    for (size_t i = 0; inserts->given >= 0 && i < n; i++)
        *number_of(inserts->call.model, insert_row(inserts, i),
                   inserts->given) = 0;
}

static int insert_all(struct inserts *inserts, size_t n)
{
    struct cx__batch batch = {n, insert_bind, insert_take, inserts};
    int given = automatic(inserts->call.model, inserts->rows);
    int error = check_alike(inserts, n, given);

    if (error != 0)
        return error;
    inserts->given = given;
    error = cx__call_prepare(&inserts->call,
                             columns_given(inserts->call.model, given));
    return error == 0 ? cx__call_batch(&inserts->call, &batch) : error;
}

int cx_model_insert_many(cx_db *db, const cx_model *model, void *rows, size_t n)
{
    struct inserts inserts = {.rows = rows, .given = -1};
    int error;

    if (n == 0)
        return cx__wordless(0);
    error = cx__model_begin(model, rows);
    if (error != 0)
        return error;
    CX_TRANSACTION(db, &error) {
        error = cx__call_open(&inserts.call, db, model, CX__INSERT);
        if (error == 0)
            error = cx__call_end(&inserts.call, insert_all(&inserts, n));
    }
    if (error != 0)
        forget_numbers(&inserts, n);
    return error;
}

static int not_to_update(const cx_model *model, const char *name)
{
    if (cx__model_column(model, name) >= 0)
        return cx__problem(-EINVAL,
                           "%.63s is of the key, by which the row is"
                           " found",
                           name);
    return cx__problem(-EINVAL, "the model has no column %.63s to update",
                       name != NULL ? name : "without a name");
}

/* The columns of some names, which must not be the key's; NULL: all others. */
static int columns_of(const cx_model *model, const cx_names *only,
                      cx__columns *columns)
{
    cx__columns others = cx__model_all(model) & ~cx__model_key(model);

    *columns = only != NULL ? 0 : others;
    if (only != NULL && only->list == NULL && only->len > 0)
        return cx__wordless(-EINVAL);
    for (size_t i = 0; only != NULL && i < only->len; i++) {
        int column = cx__model_column(model, only->list[i]);

        if (column < 0 || (others >> column & 1) == 0)
            return not_to_update(model, only->list[i]);
        *columns |= (cx__columns)1 << column;
    }
    if (*columns == 0)
        return cx__problem(-EINVAL, "no column to update");
    return 0;
}

/* Why a statement on the row of a key has changed nothing: there is no such
 * row, or the table keeps it as it is. */
static int nothing_changed(const struct cx__call *call, const void *row)
{
    struct cx__call look = *call;
    int result;

    look.operation = CX__FIND;
    result = cx__call_prepare(&look, 0);
    if (result != 0)
        return result;
    result = cx__row_bind(look.statement, row);
    if (result == 0)
        result = cx__call_step(&look);
    cx__statement_done(look.statement);
    if (result == 1)
        return kept_out();
    return result == 0 ? cx__wordless(-ENOENT) : result;
}

/* A statement on the row of a key. */
static int run_on_row(struct cx__call *call, const void *row)
{
    int error = run(call);

    return error == 0 && call->engine->changed(call->statement) == 0
               ? nothing_changed(call, row)
               : error;
}

static int update(struct cx__call *call, const void *row, const cx_names *only)
{
    cx__columns columns;
    int error = columns_of(call->model, only, &columns);

    if (error == 0)
        error = cx__call_prepare(call, columns);
    if (error == 0)
        error = cx__row_bind(call->statement, row);
    return error == 0 ? run_on_row(call, row) : error;
}

int cx_model_update(cx_db *db, const cx_model *model, const void *row,
                    const cx_names *only)
{
    struct cx__call call;
    int error = cx__model_begin(model, row);

    if (error == 0)
        error = cx__call_open(&call, db, model, CX__UPDATE);
    return error == 0 ? cx__call_end(&call, update(&call, row, only)) : error;
}

int cx_model_delete(cx_db *db, const cx_model *model, const void *row)
{
    struct cx__call call;
    int error = cx__model_begin(model, row);

    if (error == 0)
        error = cx__call_begin(&call, db, model, CX__DELETE);
    if (error != 0)
        return error;
    error = cx__row_bind(call.statement, row);
    if (error == 0)
        error = run_on_row(&call, row);
    return cx__call_end(&call, error);
}
