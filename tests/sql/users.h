/* SPDX-License-Identifier: MIT */
/* A model with a member of every kind, and the table that it matches. */
#ifndef CTXVAR_TESTS_SQL_USERS_H
#define CTXVAR_TESTS_SQL_USERS_H

#include <ctxvar/model.h>

#include "support.h"

typedef struct User {
    int64_t id;
    cx_text name;
    cx_maybe_i64 age;
    int32_t rank;
    double weight;
    bool active;
    cx_blob photo;
    cx_timestamp joined;
    cx_maybe_timestamp left;
} User;

static const cx_column user_columns[] = {
    CX_COLUMN(User, id, .key = true, .automatic = true),
    CX_COLUMN(User, name),
    CX_COLUMN(User, age),
    CX_COLUMN(User, rank),
    CX_COLUMN(User, weight),
    CX_COLUMN(User, active),
    CX_COLUMN(User, photo, .null = true),
    CX_COLUMN(User, joined),
    CX_COLUMN(User, left, .column = "left_at"),
};
CX_MODEL(User, user_model, "users", user_columns);

static const char user_table[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " age INTEGER, rank INTEGER NOT NULL DEFAULT 0, weight REAL NOT NULL"
    " DEFAULT 0, active INTEGER NOT NULL DEFAULT 0, photo BLOB,"
    " joined INTEGER NOT NULL DEFAULT 0, left_at INTEGER)";
static const char user_table_on_server[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " age INTEGER, rank INTEGER NOT NULL DEFAULT 0, weight REAL NOT NULL"
    " DEFAULT 0, active boolean NOT NULL DEFAULT false, photo BLOB,"
    " joined timestamptz NOT NULL DEFAULT to_timestamp(0),"
    " left_at timestamptz)";

static CX__UNUSED void users_make(const struct folder *folder)
{
    template_exec(folder, server() == NULL ? user_table : user_table_on_server);
}

/* A test in which a tenant with an empty table `users` is the current one. */
#define USERS_TEST(name)                                                       \
    static void name##_in(struct folder *folder, cx_db *db,                    \
                          cx_tenant *tenant);                                  \
    DB_TEST(name)                                                              \
    {                                                                          \
        cx_tenant *tenant;                                                     \
                                                                               \
        users_make(folder);                                                    \
        tenant = tenant_make(db, "A");                                         \
        CX_WITH_TENANT(tenant) {                                               \
            name##_in(folder, db, tenant);                                     \
        }                                                                      \
        cx_tenant_unref(tenant);                                               \
    }                                                                          \
    static void name##_in(CX__UNUSED struct folder *folder,                    \
                          CX__UNUSED cx_db *db, CX__UNUSED cx_tenant *tenant)

static CX__UNUSED int64_t user_add(cx_db *db, const char *name, int64_t age)
{
    User user = {.name = CX_TEXT(name), .age = {age, true}};

    assert_ok(cx_db_insert(db, &user_model, &user));
    return user.id;
}

#endif
