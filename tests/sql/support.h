/* SPDX-License-Identifier: MIT */
/* What the tests of databases share: a folder for one, and a database in it. */
#ifndef CTXVAR_TESTS_SQL_SUPPORT_H
#define CTXVAR_TESTS_SQL_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>

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

static CX__UNUSED cx_tenant *tenant_make(cx_db *db, const char *name)
{
    cx_tenant *tenant = NULL;

    assert_ok(cx_tenant_create(db, CX_TEXT(name), &tenant));
    return tenant;
}

#endif
