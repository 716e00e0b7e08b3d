/* SPDX-License-Identifier: MIT */
/* What the tests of databases share: a folder for one, and a database in it. */
#ifndef CTXVAR_TESTS_SQL_SUPPORT_H
#define CTXVAR_TESTS_SQL_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include <ctxvar/tenant.h>

#include "task/support.h"

/* A folder of this test's own, and the URL of a database in it. */
struct folder {
    char path[64];
    char url[96];
};

static CX__UNUSED void folder_make(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof(folder->path),
                   "/tmp/ctxvar-sql-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    (void)snprintf(folder->url, sizeof(folder->url), "sqlite:%s/db",
                   folder->path);
}

static CX__UNUSED void folder_remove(const struct folder *folder)
{
    char command[96];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder->path);
    assert_int_equal(system(command), 0);
}

/* Run a script on one of a database's files, past the library. */
static CX__UNUSED void file_exec(const struct folder *folder, const char *name,
                                 const char *script)
{
    char path[128];
    char *message = NULL;
    sqlite3 *handle;

    (void)snprintf(path, sizeof(path), "%s/db/%s", folder->path, name);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, script, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", name, message);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* A test whose body has a database, db, in a folder, both of its own. */
#define DB_TEST(name)                                                          \
    static void name##_with(struct folder *folder, cx_db *db);                 \
    TASK_TEST(name)                                                            \
    {                                                                          \
        struct folder folder;                                                  \
        cx_db *db;                                                             \
                                                                               \
        folder_make(&folder);                                                  \
        assert_ok(cx_db_open(folder.url, NULL, &db));                          \
        name##_with(&folder, db);                                              \
        assert_ok(cx_db_close(db));                                            \
        folder_remove(&folder);                                                \
    }                                                                          \
    static void name##_with(CX__UNUSED struct folder *folder,                  \
                            CX__UNUSED cx_db *db)

/* 0, else the words that were left are shown. */
#define assert_ok(call)                                                        \
    do {                                                                       \
        int error_ = (call);                                                   \
                                                                               \
        if (error_ != 0)                                                       \
            print_error("%s: %s (%s)\n", #call, strerror(-error_),             \
                        cx_db_problem());                                      \
        assert_int_equal(error_, 0);                                           \
    } while (0)

/* Run a statement whose rows are not wanted. */
static CX__UNUSED int run(cx_db *db, const char *text)
{
    return cx_db_sql(db, text, NULL, NULL);
}

/* The one number that a statement gives. */
static CX__UNUSED int64_t number(cx_db *db, const char *text)
{
    cx_rows rows;
    int64_t value = -1;

    assert_ok(cx_db_sql(db, text, NULL, &rows));
    if (rows.len == 1 && rows.columns == 1 && rows.field->kind == CX_KIND_I64)
        value = rows.field->i64;
    cx_rows_fini(&rows);
    return value;
}

static CX__UNUSED cx_tenant *tenant_make(cx_db *db, const char *name)
{
    cx_tenant *tenant = NULL;

    assert_ok(cx_tenant_create(db, CX_TEXT(name), &tenant));
    return tenant;
}

#endif
