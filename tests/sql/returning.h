/* SPDX-License-Identifier: MIT */
/* Statements that change rows and give some, where few may be kept. */
#ifndef CTXVAR_TESTS_SQL_RETURNING_H
#define CTXVAR_TESTS_SQL_RETURNING_H

#include "users.h"

enum { ROWS_BYTES = 50000 };

#define INSERT_MANY                                                            \
    "INSERT INTO users (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"     \
    " SELECT i + 1 FROM n WHERE i < 1000)"                                     \
    " SELECT 'a user with a long name ' || i FROM n RETURNING id, name"

/* A test as USERS_TEST() makes it, of a database with a bound. */
#define BOUND_TEST(name)                                                       \
    static void name##_in(cx_db *db, cx_tenant *tenant);                       \
    TASK_TEST(name)                                                            \
    {                                                                          \
        cx_db_options options = {.rows_bytes = ROWS_BYTES};                    \
        struct folder folder;                                                  \
        cx_tenant *tenant;                                                     \
        cx_db *db;                                                             \
                                                                               \
        folder_make(&folder);                                                  \
        assert_ok(cx_db_open(folder.url, &options, &db));                      \
        users_make(&folder);                                                   \
        tenant = tenant_make(db, "A");                                         \
        CX_WITH_TENANT(tenant) {                                               \
            name##_in(db, tenant);                                             \
        }                                                                      \
        cx_tenant_unref(tenant);                                               \
        assert_ok(cx_db_close(db));                                            \
        folder_remove(&folder);                                                \
    }                                                                          \
    static void name##_in(CX__UNUSED cx_db *db, CX__UNUSED cx_tenant *tenant)

static CX__UNUSED int count_row(const cx_param *fields, size_t n, void *arg)
{
    (void)fields;
    (void)n;
    ++*(int *)arg;
    return 0;
}

static CX__UNUSED int64_t count_users(cx_db *db)
{
    return number(db, "SELECT count(*) FROM users");
}

#endif
