/* SPDX-License-Identifier: MIT */
/*
 * Rows by the array.
 *
 * Those whose key is one whole number, as most are, are asked for by one
 * statement with all the numbers, where an engine takes such a parameter. What
 * it gives comes in any order and each row once, however often it was asked
 * for. Of other keys there is a run of the statement for each.
 */
#include <errno.h>

#include "call.h"
#include "database.h"
#include "problem.h"
#include "row.h"

enum { PART_MOST = 256 };

/* found: which of them are there; NULL: all must be. */
struct finds {
    struct cx__call call;
    char *rows;
    bool *found;
    cx_arena *arena;
};

static void *find_row(const struct finds *finds, size_t i)
{
    return finds->rows + i * finds->call.model->size;
}

/* Note whether a row is there: 0, or that it must be. */
static int note(const struct finds *finds, size_t i, bool is_there)
{
    if (finds->found != NULL)
        finds->found[i] = is_there;
    return is_there || finds->found != NULL ? 0 : cx__wordless(-ENOENT);
}

static int find_bind(void *arg, size_t i)
{
    struct finds *finds = arg;

    return cx__row_bind(finds->call.statement, find_row(finds, i));
}

static int find_take(void *arg, size_t i, bool is_row)
{
    struct finds *finds = arg;
    struct cx__call *call = &finds->call;
    int error = note(finds, i, is_row);

    if (is_row)
        error = cx__row_read(call->statement, find_row(finds, i), finds->arena);
    return error;
}

/* One run for each. */
static int find_each(struct finds *finds, cx_db *db, const cx_model *model,
                     size_t n)
{
    struct cx__batch batch = {n, find_bind, find_take, finds};
    int error = cx__call_begin(&finds->call, db, model, CX__FIND);

    if (error != 0)
        return error;
    return cx__call_end(&finds->call, cx__call_batch(&finds->call, &batch));
}

/* Rows that are asked for together, the first of which is row `from`. */
struct part {
    size_t from;
    size_t n;
    int64_t key[PART_MOST];
    bool is_there[PART_MOST];
};

/* The slot of the key, which is the only parameter. */
static const struct cx__slot *key_of(const struct finds *finds)
{
    return &finds->call.statement->layout->slot[0];
}

static void part_fill(struct part *part, const struct finds *finds)
{
    for (size_t i = 0; i < part->n; i++) {
        cx_param key;

        cx__slot_get(key_of(finds), find_row(finds, part->from + i), &key);
        part->key[i] = key.i64;
        part->is_there[i] = false;
    }
}

/* Put the row that came into all that asked for it. */
static int part_take(struct part *part, const struct finds *finds)
{
    const struct cx__call *call = &finds->call;
    cx_param key;
    int error = call->engine->column(call->statement, key_of(finds)->column,
                                     CX_KIND_I64, &key);

    for (size_t i = 0; error == 0 && i < part->n; i++) {
        if (part->key[i] != key.i64)
            continue;
        error = cx__row_read(call->statement, find_row(finds, part->from + i),
                             finds->arena);
        part->is_there[i] = true;
    }
    return error;
}

static int part_run(struct part *part, struct finds *finds)
{
    struct cx__call *call = &finds->call;
    int result;

    part_fill(part, finds);
    result = call->engine->bind_numbers(call->statement, 1, part->key, part->n);
    while (result == 0 && (result = cx__call_step(call)) == 1)
        result = part_take(part, finds);
    call->engine->reset(call->statement);
    for (size_t i = 0; result == 0 && i < part->n; i++)
        result = note(finds, part->from + i, part->is_there[i]);
    return result;
}

static int run_parts(struct finds *finds, size_t n)
{
    struct part part = {.from = 0};
    int error = 0;

    for (; error == 0 && part.from < n; part.from += part.n) {
        part.n = n - part.from < PART_MOST ? n - part.from : PART_MOST;
        error = part_run(&part, finds);
    }
    return error;
}

/* All by one statement. */
static int find_together(struct finds *finds, cx_db *db, const cx_model *model,
                         size_t n)
{
    int error = cx__call_begin(&finds->call, db, model, CX__FIND_ANY);

    if (error != 0)
        return error;
    return cx__call_end(&finds->call, run_parts(finds, n));
}

/* Is the key one column, and that a number? */
static bool is_number(const cx_model *model)
{
    cx__columns key = cx__model_key(model);
    unsigned field;

    if (key == 0 || (key & (key - 1)) != 0)
        return false;
    field = model->columns[__builtin_ctzll(key)].field;
    return field == CX__FIELD_I64 || field == CX__FIELD_I32;
}

int cx_model_find_many(cx_db *db, const cx_model *model, void *rows, size_t n,
                       bool *found, cx_arena *arena)
{
    struct finds finds = {.rows = rows, .found = found, .arena = arena};
    int error = cx__db_check(db);

    if (error != 0 || n == 0)
        return error;
    error = cx__model_begin(model, rows);
    if (error == 0)
        error = cx__row_check_arena(model, arena);
    if (error != 0)
        return error;
    return db->engine->bind_numbers != NULL && is_number(model)
               ? find_together(&finds, db, model, n)
               : find_each(&finds, db, model, n);
}
