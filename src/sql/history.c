/* SPDX-License-Identifier: MIT */
/*
 * Histories. What was applied must be what the list that was given begins with,
 * in the same order. A room keeps no scripts: one is told from what it was by
 * its checksum.
 */
#include <errno.h>
#include <time.h>

#include "database.h"
#include "fnv.h"
#include "history.h"
#include "param.h"
#include "problem.h"
#include "statement.h"

static const char list_applied[] =
    "SELECT version, checksum FROM cx_migrations ORDER BY version";
static const char add_applied[] =
    "INSERT INTO cx_migrations (version, name, checksum, at)"
    " VALUES ($1, $2, $3, $4)";
static const char set_checksum[] = "UPDATE cx_migrations SET checksum = $1"
                                   " WHERE version = $2 AND checksum <> $1";

const char *cx__history_script(const struct cx__scripts *scripts, size_t n)
{
    const char *script = scripts->engine->script_of(&scripts->list[n]);

    return script != NULL ? script : "";
}

static int64_t checksum(const struct cx__scripts *scripts, size_t n)
{
    return (int64_t)cx__fnv1a(CX_TEXT(cx__history_script(scripts, n)));
}

/* Is a script that was applied the list's next? */
static int check_applied(const struct cx__scripts *scripts,
                         const struct cx__history *history, int64_t sum)
{
    size_t n = history->n;

    if (n == scripts->len)
        return -ERANGE;
    if (scripts->list[n].version != history->version)
        return -EPROTOTYPE;
    return history->version == scripts->changed || checksum(scripts, n) == sum
               ? 0
               : -EPROTOTYPE;
}

int cx__history_refuse(const struct cx__scripts *scripts,
                       const struct cx__history *history, int error)
{
    long long version = history->version;

    if (error == -ERANGE)
        return cx__problem(error,
                           "the tables are of version %lld, which the"
                           " list does not have",
                           version);
    if (error == -EPROTOTYPE && scripts->list[history->n].version != version)
        return cx__problem(error,
                           "version %lld was applied where the"
                           " list has version %d",
                           version, scripts->list[history->n].version);
    if (error == -EPROTOTYPE)
        return cx__problem(
            error, "version %lld was changed since it was applied", version);
    return error;
}

static int walk_applied(const struct cx__scripts *scripts,
                        struct cx__statement *statement,
                        struct cx__history *history)
{
    const struct cx__engine *engine = scripts->engine;
    int result;

    while ((result = engine->step(statement)) == 1) {
        cx_param version, sum;

        result = engine->column(statement, 0, CX_KIND_I64, &version);
        if (result == 0)
            result = engine->column(statement, 1, CX_KIND_I64, &sum);
        if (result != 0)
            return result;
        history->version = version.i64;
        result = check_applied(scripts, history, sum.i64);
        if (result != 0)
            return result;
        history->n++;
    }
    return result;
}

int cx__history_read(const struct cx__scripts *scripts,
                     struct cx__connection *connection,
                     struct cx__history *history)
{
    struct cx__statement *statement;
    int error = cx__statement_own(connection, list_applied, &statement);

    *history = (struct cx__history){.n = 0};
    if (error == 0) {
        error = walk_applied(scripts, statement, history);
        cx__statement_done(statement);
    }
    return error;
}

/* Change a room's list: how many rows, or the error. */
static int change(struct cx__connection *connection, const char *text,
                  const cx_param *values, unsigned n)
{
    const struct cx__engine *engine = connection->db->engine;
    struct cx__statement *statement;
    int result = cx__statement_own(connection, text, &statement);

    if (result != 0)
        return result;
    for (unsigned i = 0; result == 0 && i < n; i++)
        result = engine->bind(statement, i + 1, &values[i]);
    if (result == 0)
        result = engine->step(statement);
    if (result == 0)
        result = (int)engine->changed(statement);
    cx__statement_done(statement);
    return result;
}

int cx__history_add(const struct cx__scripts *scripts,
                    struct cx__connection *connection, size_t n)
{
    const cx_param values[] = {
        cx__param_i64(scripts->list[n].version),
        cx__param_string(scripts->list[n].name),
        cx__param_i64(checksum(scripts, n)),
        cx__param_i64((int64_t)time(NULL)),
    };
    int result = cx__param_check(&values[1]);

    if (result == 0)
        result = change(connection, add_applied, values, 4);
    return result < 0 ? result : 0;
}

int cx__history_accept_changed(const struct cx__scripts *scripts,
                               struct cx__connection *connection)
{
    for (size_t n = 0; n < scripts->len; n++) {
        const cx_param values[] = {
            cx__param_i64(checksum(scripts, n)),
            cx__param_i64(scripts->list[n].version),
        };

        if (scripts->list[n].version == scripts->changed)
            return change(connection, set_checksum, values, 2);
    }
    return 0;
}
