/* SPDX-License-Identifier: MIT */
/*
 * Scripts of migrations: statement after statement, each of them guarded.
 *
 * References between tables are looked at when a script has ended, and not
 * while it runs: a table that is built anew under another name and takes the
 * place of the old one is how SQLite has most changes done.
 */
#include <errno.h>

#include "problem.h"
#include "sqlite_statement.h"

/* A script, from its next statement on. */
struct script {
    struct cx__sqlite_connection *connection;
    const char *rest;
    struct cx__outcome outcome;
};

/* Run a statement to its end, whatever rows it gives. */
static int run(sqlite3_stmt *statement)
{
    int code;

    do
        code = sqlite3_step(statement);
    while (code == SQLITE_ROW);
    return code;
}

static void run_first(struct script *script)
{
    sqlite3 *handle = script->connection->handle;
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(handle, script->rest, -1, &statement, &script->rest);

    /* NULL: a comment. */
    if (code == SQLITE_OK && statement != NULL)
        code = run(statement);
    (void)cx__sqlite_step_outcome(script->connection, code, &script->outcome);
    (void)sqlite3_finalize(statement);
}

/* On a lane. */
static void *script_run(void *arg)
{
    struct script *script = arg;

    while (script->outcome.error == 0 && *script->rest != '\0')
        run_first(script);
    return NULL;
}

/* Run a statement of the library's own: 1, it gives a row, 0 or the error. */
static int run_own(struct cx__connection *connection, const char *text)
{
    struct cx__statement *statement;
    int result = cx__statement_own(connection, text, &statement);

    if (result == 0) {
        result = cx__sqlite_step(statement);
        cx__statement_done(statement);
    }
    return result;
}

/* A script, in one field, that removes the tables of a room. */
static const char removals[] =
    "SELECT group_concat('DROP TABLE \"' || replace(name, '\"', '\"\"') ||"
    " '\"', ';') FROM sqlite_schema WHERE type = 'table'"
    " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE 'cx\\_%' ESCAPE '\\'";

/* Does each reference lead somewhere? */
static int check_references(struct cx__connection *connection)
{
    int result = run_own(connection, "PRAGMA foreign_key_check");

    return result == 1 ? cx__problem(-EDOM, "a row refers to another one that"
                                            " is not there")
                       : result;
}

/* Other connections look at the version again when they see the tables change,
 * which a script that changes only rows does not have them see. */
static int change_tables(struct cx__connection *connection)
{
    int error =
        run_own(connection, "CREATE INDEX cx_change ON cx_migrations (at)");

    return error == 0 ? run_own(connection, "DROP INDEX cx_change") : error;
}

const char *cx__sqlite_script_of(const cx_migration *migration)
{
    return migration->sqlite;
}

int cx__sqlite_run_script(struct cx__connection *base, const char *text)
{
    struct cx__sqlite_connection *connection = cx__sqlite_connection_of(base);
    struct script script = {.connection = connection, .rest = text};
    int error;

    connection->trusted = false;
    /* ALTER TABLE prepares more while it runs. */
    connection->preparing = true;
    error = cx__lane_run(connection, script_run, &script);
    connection->preparing = false;
    if (error == 0)
        error = cx__sqlite_tell(&script.outcome);
    if (error == 0)
        error = check_references(base);
    return error == 0 ? change_tables(base) : error;
}

/* NULL: there are no tables. */
static int make_removals(struct cx__connection *connection, char **script)
{
    cx_param text = {.kind = CX_KIND_NULL};
    struct cx__statement *statement;
    int result = cx__statement_own(connection, removals, &statement);

    *script = NULL;
    if (result != 0)
        return result;
    result = cx__sqlite_step(statement);
    if (result == 1)
        result = cx__sqlite_column(statement, 0, CX_KIND_NULL, &text);
    if (result == 0 && text.kind == CX_KIND_TEXT) {
        *script = sqlite3_mprintf("%s", text.text.data);
        result = *script != NULL ? 0 : cx__wordless(-ENOMEM);
    }
    cx__statement_done(statement);
    return result;
}

static int remove_tables(struct cx__connection *base)
{
    struct cx__sqlite_connection *connection = cx__sqlite_connection_of(base);
    char *script;
    int error = make_removals(base, &script);
    int code = SQLITE_OK;

    if (error != 0)
        return error;
    connection->trusted = true;
    connection->preparing = true;
    if (script != NULL)
        code = sqlite3_exec(connection->handle, script, NULL, NULL, NULL);
    connection->preparing = false;
    sqlite3_free(script);
    return code == SQLITE_OK ? 0 : cx__sqlite_problem(connection, code);
}

int cx__sqlite_clear(struct cx__connection *connection)
{
    int error = remove_tables(connection);

    return error == 0 ? run_own(connection, "DELETE FROM cx_migrations")
                      : error;
}
