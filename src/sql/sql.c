/* SPDX-License-Identifier: MIT */
/* Statements of the program's own. */
#include <errno.h>
#include <stdlib.h>

#include "arena.h"
#include "collection.h"
#include "lease.h"
#include "param.h"
#include "problem.h"
#include "statement.h"

typedef int fields_fn(const cx_param *fields, size_t n, void *arg);

/*
 * A statement on its way: on a lease of the running task. Fields are read
 * into `field`, which has room for one row.
 */
struct run {
    struct cx__connection *connection;
    struct cx__statement *statement;
    const struct cx__engine *engine;
    unsigned columns;
    cx_param *field;
};

static int bind_all(const struct run *run, const cx_params *params)
{
    size_t n = params != NULL ? params->len : 0;
    unsigned wanted = run->statement->parameters;
    int error = 0;

    if (n != wanted)
        return cx__problem(-EINVAL,
                           "the statement takes %u parameter%s, and %zu %s"
                           " given",
                           wanted, wanted == 1 ? "" : "s", n,
                           n == 1 ? "was" : "were");
    if (n > 0 && params->list == NULL)
        return cx__wordless(-EINVAL);
    for (size_t i = 0; error == 0 && i < n; i++) {
        error = cx__param_check(&params->list[i]);
        if (error == 0)
            error = run->engine->bind(run->statement, (unsigned)i + 1,
                                      &params->list[i]);
    }
    return error;
}

static int prepare(struct run *run, cx_text text)
{
    struct cx__shape shape = cx__shape_of_text(text);

    run->statement = cx__statement_find(run->connection, &shape);
    if (run->statement != NULL)
        return 0;
    return cx__statement_make(run->connection, &shape, text, CX__PROGRAM,
                              &run->statement);
}

static void run_end(struct run *run)
{
    free(run->field);
    cx__statement_done(run->statement);
    cx__lease_end(run->connection);
}

static int run_begin(struct run *run, cx_db *db, const char *text,
                     const cx_params *params)
{
    int error = cx__lease_begin(db, &run->connection);

    if (error != 0)
        return error;
    run->engine = db->engine;
    if (params != NULL)
        error = cx__param_check_number(run->engine, params->len);
    if (error == 0)
        error = prepare(run, CX_TEXT(text));
    if (error == 0)
        error = bind_all(run, params);
    if (error == 0) {
        run->columns = run->engine->columns(run->statement);
        run->field = calloc(run->columns + 1, sizeof(cx_param));
        error = run->field != NULL ? 0 : -ENOMEM;
    }
    if (error != 0)
        run_end(run);
    return error;
}

/* The fields of the row that a statement is at. One that is prepared anew,
 * since another process has changed the tables, may have others. */
static int read_fields(const struct run *run)
{
    int error = 0;

    if (run->engine->columns(run->statement) != run->columns)
        return cx__problem(-ESTALE, "the tables are not what they were");
    for (unsigned i = 0; error == 0 && i < run->columns; i++) {
        error = run->engine->column(run->statement, i, CX_KIND_NULL,
                                    &run->field[i]);
        if (error == -EBADMSG)
            error = cx__problem(error, "the column %s is %s",
                                run->engine->name(run->statement, i),
                                cx_db_problem());
    }
    return error;
}

static int run_all(const struct run *run, fields_fn *fn, void *arg)
{
    int result;

    while ((result = run->engine->step(run->statement)) == 1) {
        result = read_fields(run);
        if (result == 0)
            result = fn(run->field, run->columns, arg);
        if (result == 0 && !cx__db_is_here(run->connection->db))
            result = cx__wordless(-EXDEV);
        if (result != 0)
            break;
    }
    return result;
}

int cx_db_sql_each(cx_db *db, const char *text, const cx_params *params,
                   fields_fn *fn, void *arg)
{
    struct run run = {.columns = 0};
    int error = text != NULL && fn != NULL ? run_begin(&run, db, text, params)
                                           : cx__wordless(-EINVAL);

    if (error != 0)
        return error;
    error = run_all(&run, fn, arg);
    run_end(&run);
    return error;
}

static int collect_names(const struct run *run, cx_rows *rows)
{
    unsigned columns = run->engine->columns(run->statement);

    rows->columns = columns;
    rows->names = cx__arena_alloc(&rows->arena, (columns + 1) * sizeof(char *));
    if (rows->names == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < columns; i++) {
        cx_text name = CX_TEXT(run->engine->name(run->statement, i));

        rows->names[i] = name.data != NULL
                             ? cx__arena_copy(&rows->arena, name.data, name.len)
                             : NULL;
        if (rows->names[i] == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int collect(const cx_param *fields, size_t n, void *all)
{
    return cx__collection_add(all, fields, n);
}

static int ignore(const cx_param *fields, size_t n, void *arg)
{
    (void)fields;
    (void)n;
    (void)arg;
    return 0;
}

int cx_db_sql(cx_db *db, const char *text, const cx_params *params,
              cx_rows *rows)
{
    struct cx__collection all = {.room = 0};
    struct run run = {.columns = 0};
    int error = text != NULL ? run_begin(&run, db, text, params)
                             : cx__wordless(-EINVAL);

    if (error != 0)
        return error;
    all.left = db->rows_bytes;
    run.statement->unwanted = rows == NULL;
    error = run_all(&run, rows != NULL ? collect : ignore, &all);
    if (error == 0 && rows != NULL)
        error = collect_names(&run, &all.rows);
    all.rows.changed = run.engine->changed(run.statement);
    run_end(&run);
    return cx__collection_end(&all, error, rows);
}

void cx_rows_fini(cx_rows *rows)
{
    if (rows == NULL)
        return;
    cx_arena_fini(&rows->arena);
    *rows = (cx_rows){.len = 0};
}
