/* SPDX-License-Identifier: MIT */
/*
 * What a connection may do. A tenant is kept from the others by its file: a
 * connection has one, and no way to name another. All that is here is the
 * second line, and keeps the connection itself as the next task expects it.
 *
 * - Defensive settings: no writable schema, no extensions, no views and
 *   triggers, nothing in a file's schema is trusted, since a file may come
 *   from elsewhere.
 * - Limits: none of SQLite's own is meant for statements from strangers. A
 *   pattern is compared with each place of a value, and nobody can stop that.
 *   ATTACH has none left, and with it go VACUUM and VACUUM INTO.
 * - An authorizer that allows what is listed below, and nothing else.
 */
#include <errno.h>
#include <string.h>

#include "sqlite.h"

/* Functions that only compute, and not the square of what they are given, as
 * json_patch() does. Sorted. */
static const char *const functions[] = {"->",
                                        "->>",
                                        "abs",
                                        "acos",
                                        "acosh",
                                        "asin",
                                        "asinh",
                                        "atan",
                                        "atan2",
                                        "atanh",
                                        "avg",
                                        "ceil",
                                        "ceiling",
                                        "changes",
                                        "char",
                                        "coalesce",
                                        "cos",
                                        "cosh",
                                        "count",
                                        "cume_dist",
                                        "current_date",
                                        "current_time",
                                        "current_timestamp",
                                        "date",
                                        "datetime",
                                        "degrees",
                                        "dense_rank",
                                        "exp",
                                        "first_value",
                                        "floor",
                                        "format",
                                        "glob",
                                        "group_concat",
                                        "hex",
                                        "ifnull",
                                        "iif",
                                        "instr",
                                        "json",
                                        "json_array",
                                        "json_array_length",
                                        "json_extract",
                                        "json_group_array",
                                        "json_group_object",
                                        "json_insert",
                                        "json_object",
                                        "json_quote",
                                        "json_remove",
                                        "json_replace",
                                        "json_set",
                                        "json_type",
                                        "json_valid",
                                        "julianday",
                                        "lag",
                                        "last_insert_rowid",
                                        "last_value",
                                        "lead",
                                        "length",
                                        "like",
                                        "likelihood",
                                        "likely",
                                        "ln",
                                        "log",
                                        "log10",
                                        "log2",
                                        "lower",
                                        "ltrim",
                                        "max",
                                        "min",
                                        "mod",
                                        "nth_value",
                                        "ntile",
                                        "nullif",
                                        "percent_rank",
                                        "pi",
                                        "pow",
                                        "power",
                                        "printf",
                                        "quote",
                                        "radians",
                                        "random",
                                        "randomblob",
                                        "rank",
                                        "replace",
                                        "round",
                                        "row_number",
                                        "rtrim",
                                        "sign",
                                        "sin",
                                        "sinh",
                                        "sqrt",
                                        "strftime",
                                        "string_agg",
                                        "substr",
                                        "substring",
                                        "sum",
                                        "tan",
                                        "tanh",
                                        "time",
                                        "timediff",
                                        "total",
                                        "total_changes",
                                        "trim",
                                        "trunc",
                                        "typeof",
                                        "unhex",
                                        "unicode",
                                        "unixepoch",
                                        "unlikely",
                                        "upper",
                                        "zeroblob"};

/* Tables that are nobody's, by how their names begin. */
static const char *const foreign[] = {"sqlite_", "cx_", "pragma_", "dbstat"};

static bool is_function(const char *name)
{
    size_t low = 0;
    size_t high = sizeof(functions) / sizeof(functions[0]);

    while (name != NULL && low < high) {
        size_t middle = (low + high) / 2;
        int order = sqlite3_stricmp(name, functions[middle]);

        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

bool cx__sqlite_is_own(const char *table, const char *database)
{
    if (table == NULL || (database != NULL && strcmp(database, "main") != 0))
        return false;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (sqlite3_strnicmp(table, foreign[i], (int)strlen(foreign[i])) == 0)
            return false;
    }
    return true;
}

/* What may be done to rows. */
static bool is_data(int action, const char *first, const char *second,
                    const char *database)
{
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return true;
    case SQLITE_FUNCTION:
        return is_function(second);
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        return cx__sqlite_is_own(first, database);
    default:
        return false;
    }
}

/*
 * SQLite prepares a statement anew when the tables have changed. If that was
 * another process's migration, what this connection knows of their version is
 * not true any more, and it is not to be used again.
 */
static bool is_trusted(struct cx__sqlite_connection *connection)
{
    if (!connection->preparing)
        connection->base.broken = true;
    return connection->trusted;
}

static int guard_data(void *arg, int action, const char *first,
                      const char *second, const char *database,
                      const char *inner)
{
    (void)inner;
    return is_trusted(arg) || is_data(action, first, second, database)
               ? SQLITE_OK
               : SQLITE_DENY;
}

/* Is it where SQLite keeps what a migration changes? It writes there by itself
 * meanwhile, and asks for that, too. A script cannot write the schema, which is
 * SQLITE_DBCONFIG_DEFENSIVE; where its tables count from it may set. */
static bool is_kept(const char *table)
{
    return strcmp(table, "sqlite_master") == 0 ||
           strcmp(table, "sqlite_temp_master") == 0 ||
           strcmp(table, "sqlite_sequence") == 0;
}

/* What may be done to tables. */
static bool is_schema(int action, const char *first, const char *second,
                      const char *database)
{
    switch (action) {
    case SQLITE_CREATE_TABLE:
        /* SQLite's own comes with the first AUTOINCREMENT. */
        return cx__sqlite_is_own(first, database) || is_kept(first);
    case SQLITE_DROP_TABLE:
        return cx__sqlite_is_own(first, database);
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_ALTER_TABLE:
        return cx__sqlite_is_own(
            second, action == SQLITE_ALTER_TABLE ? first : database);
    case SQLITE_REINDEX:
        return database == NULL || strcmp(database, "main") == 0;
    case SQLITE_FUNCTION:
        /* What ALTER TABLE is made of, and nobody else can call. */
        return sqlite3_strnicmp(second, "sqlite_rename_", 14) == 0 ||
               sqlite3_stricmp(second, "sqlite_drop_column") == 0;
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        /* The rows that there are, looked at for a column that is added. */
        return is_kept(first) || strcmp(first, "pragma_quick_check") == 0;
    case SQLITE_PRAGMA:
        return strcmp(first, "quick_check") == 0;
    default:
        return false;
    }
}

/* What a script may well ask for, and does not get; NULL: something else. */
static const char *refusal(int action)
{
    switch (action) {
    case SQLITE_CREATE_VIEW:
        return "a migration makes no views";
    case SQLITE_CREATE_TRIGGER:
        return "a migration makes no triggers";
    case SQLITE_CREATE_VTABLE:
        return "a migration makes no virtual tables";
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
        return "a migration makes no temporary tables";
    default:
        return NULL;
    }
}

static int guard_schema(void *arg, int action, const char *first,
                        const char *second, const char *database,
                        const char *inner)
{
    struct cx__sqlite_connection *connection = arg;

    if (guard_data(arg, action, first, second, database, inner) == SQLITE_OK ||
        is_schema(action, first, second, database))
        return SQLITE_OK;
    connection->refusal = refusal(action);
    return SQLITE_DENY;
}

static const struct setting {
    int what;
    int value;
} settings[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
    {SQLITE_DBCONFIG_DQS_DML, 0},
    {SQLITE_DBCONFIG_DQS_DDL, 0},
    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
};

static const struct setting limits[] = {
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_LENGTH, 64 << 20},
    {SQLITE_LIMIT_SQL_LENGTH, 1 << 20},
    {SQLITE_LIMIT_EXPR_DEPTH, 100},
    {SQLITE_LIMIT_COMPOUND_SELECT, 50},
    {SQLITE_LIMIT_VDBE_OP, 100000},
    {SQLITE_LIMIT_FUNCTION_ARG, 100},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
    {SQLITE_LIMIT_VARIABLE_NUMBER, CX__SQLITE_PARAMETERS},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 10},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

/* Virtual tables go, too, but for those that show only what they are given. */
static int drop_modules(sqlite3 *handle)
{
    static const char *keep[] = {"json_each", "json_tree", NULL};

    return sqlite3_drop_modules(handle, keep);
}

static int configure(sqlite3 *handle, const struct setting *setting)
{
    int is = -1;
    int code = sqlite3_db_config(handle, setting->what, setting->value, &is);

    return code == SQLITE_OK && is != setting->value ? SQLITE_MISUSE : code;
}

/* SQLite makes such a table when it is first named, as if it were asked to
 * make any. So they are named here, where that is allowed. */
static int name_modules(sqlite3 *handle)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(handle, "SELECT 1 FROM json_each(1), json_tree(1)",
                           -1, &statement, NULL);
    (void)sqlite3_finalize(statement);
    return code;
}

int cx__sqlite_harden(struct cx__sqlite_connection *connection,
                      enum cx__room room)
{
    /* A migration's references are looked at when it has ended. */
    const struct setting references = {SQLITE_DBCONFIG_ENABLE_FKEY,
                                       room != CX__SCHEMA};
    sqlite3 *handle = connection->handle;
    int code = drop_modules(handle);

    if (code == SQLITE_OK)
        code = cx__sqlite_functions(handle);
    for (size_t i = 0;
         code == SQLITE_OK && i < sizeof(settings) / sizeof(settings[0]); i++)
        code = configure(handle, &settings[i]);
    if (code == SQLITE_OK)
        code = configure(handle, &references);
    if (code != SQLITE_OK)
        return code;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        (void)sqlite3_limit(handle, limits[i].what, limits[i].value);
    code = sqlite3_set_authorizer(
        handle, room == CX__SCHEMA ? guard_schema : guard_data, connection);
    return code == SQLITE_OK ? name_modules(handle) : code;
}
