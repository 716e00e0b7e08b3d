/* SPDX-License-Identifier: MIT */
/*
 * What the attack tests share: two tenants with the same ids, and every value
 * of B's says SECRET. B has a table that A lacks, users_b, with the same rows.
 */
#ifndef CTXVAR_TESTS_SQL_TWO_H
#define CTXVAR_TESTS_SQL_TWO_H

#include "support.h"

#include <ctxvar/model.h>

enum { ROWS = 100 };

struct two {
    cx_tenant *a;
    cx_tenant *b;
};

/* What they both have in their table. */
typedef struct Row {
    int64_t id;
    cx_text name;
    cx_maybe_i64 age;
} Row;

static const cx_column row_columns[] = {
    CX_COLUMN(Row, id, .key = true), CX_COLUMN(Row, name), CX_COLUMN(Row, age)};
CX_MODEL(Row, row_model, "users", row_columns);

/* A database and one of its tenants, for what is called with one argument. */
struct tenancy {
    cx_db *db;
    cx_tenant *tenant;
};

/* The rows of a tenant: 1, "<word> 1", 1 and so on. */
static CX__UNUSED void fill(cx_db *db, cx_tenant *tenant, const char *word,
                            int n)
{
    CX_WITH_TENANT(tenant) {
        assert_ok(
            cx_db_sql(db,
                      "INSERT INTO users (name, age) WITH RECURSIVE n (i)"
                      " AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                      " WHERE i < $2) SELECT CAST($1 AS text) || ' ' || i,"
                      " i FROM n ORDER BY i",
                      CX_PARAMS(word, n), NULL));
    }
}

/* The two, where the template has a table users, whatever else that has. */
static CX__UNUSED void two_add(struct two *two, struct folder *folder,
                               cx_db *db)
{
    two->a = tenant_make(db, "A");
    template_exec(folder, "CREATE TABLE users_b (id INTEGER PRIMARY KEY,"
                          " name TEXT NOT NULL, age INTEGER)");
    two->b = tenant_make(db, "B");
    fill(db, two->a, "open", ROWS);
    fill(db, two->b, "SECRET", ROWS);
    CX_WITH_TENANT(two->b) {
        assert_ok(
            run(db, "INSERT INTO users_b SELECT id, name, age FROM users"));
    }
}

static CX__UNUSED void two_make(struct two *two, struct folder *folder,
                                cx_db *db)
{
    template_exec(folder,
                  "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT,"
                  " name TEXT NOT NULL, age INTEGER);"
                  "CREATE INDEX users_name ON users (name)");
    two_add(two, folder, db);
}

/* What a column has that nobody gave a value. */
static CX__UNUSED bool is_nothing(const cx_param *field)
{
    switch (field->kind) {
    case CX_KIND_I64:
        return field->i64 == 0;
    case CX_KIND_F64:
        return field->f64 == 0;
    case CX_KIND_BOOL:
        return !field->boolean;
    case CX_KIND_TIMESTAMP:
        return field->timestamp.us == 0;
    default:
        return field->kind == CX_KIND_NULL;
    }
}

/* Every field of every row is what it was filled with, or nothing. */
static CX__UNUSED void assert_rows(cx_db *db, const char *text,
                                   const char *word)
{
    cx_rows rows;

    assert_ok(cx_db_sql(db, text, NULL, &rows));
    assert_int_equal(rows.len, ROWS);
    assert_true(rows.columns >= 3);
    for (int64_t i = 1; i <= ROWS; i++) {
        const cx_param *row = rows.field + (int64_t)rows.columns * (i - 1);
        char name[32];

        (void)snprintf(name, sizeof(name), "%s %d", word, (int)i);
        assert_int_equal(row[0].kind, CX_KIND_I64);
        assert_int_equal(row[0].i64, i);
        assert_int_equal(row[1].kind, CX_KIND_TEXT);
        assert_string_equal(row[1].text.data, name);
        assert_int_equal(row[2].kind, CX_KIND_I64);
        assert_int_equal(row[2].i64, i);
        for (size_t j = 3; j < rows.columns; j++)
            assert_true(is_nothing(&row[j]));
    }
    cx_rows_fini(&rows);
}

/* That the current tenant's rows are what they were. */
static CX__UNUSED void assert_users(cx_db *db, const char *word)
{
    assert_rows(db, "SELECT * FROM users ORDER BY id", word);
}

/* That a tenant's rows are, read with a lease of their own. */
static CX__UNUSED void assert_whole(cx_db *db, cx_tenant *tenant,
                                    const char *word)
{
    CX_WITH_TENANT(tenant) {
        assert_users(db, word);
    }
}

static CX__UNUSED void two_check(cx_db *db, const struct two *two)
{
    assert_whole(db, two->a, "open");
    assert_whole(db, two->b, "SECRET");
    CX_WITH_TENANT(two->b) {
        assert_rows(db, "SELECT * FROM users_b ORDER BY id", "SECRET");
    }
}

static CX__UNUSED void two_end(struct two *two)
{
    cx_tenant_unref(two->a);
    cx_tenant_unref(two->b);
}

/* For cx_run(): the two in a folder of which processes then do as they like, */
static CX__UNUSED void *two_make_in(void *folder)
{
    const struct folder *at = folder;
    struct two two;
    cx_db *db;

    assert_ok(cx_db_open(at->url, NULL, &db));
    two_make(&two, folder, db);
    two_end(&two);
    assert_ok(cx_db_close(db));
    return NULL;
}

/* and that they are what they were. */
static CX__UNUSED void *two_check_in(void *folder)
{
    const struct folder *at = folder;
    struct two two;
    cx_db *db;

    assert_ok(cx_db_open(at->url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &two.a));
    assert_ok(cx_tenant_find(db, CX_TEXT("B"), &two.b));
    two_check(db, &two);
    two_end(&two);
    assert_ok(cx_db_close(db));
    return NULL;
}

/* A test of what is done beside the two, after which both are what they were.
 */
#define TWO_TEST(name)                                                         \
    static void name##_beside(struct folder *folder, cx_db *db,                \
                              const struct two *two);                          \
    DB_TEST(name)                                                              \
    {                                                                          \
        struct two two;                                                        \
                                                                               \
        two_make(&two, folder, db);                                            \
        name##_beside(folder, db, &two);                                       \
        two_check(db, &two);                                                   \
        two_end(&two);                                                         \
    }                                                                          \
    static void name##_beside(CX__UNUSED struct folder *folder,                \
                              CX__UNUSED cx_db *db,                            \
                              CX__UNUSED const struct two *two)

/* A test of what A can do, likewise. */
#define ATTACK(name)                                                           \
    static void name##_by(struct folder *folder, cx_db *db,                    \
                          const struct two *two);                              \
    TWO_TEST(name)                                                             \
    {                                                                          \
        CX_WITH_TENANT(two->a) {                                               \
            name##_by(folder, db, two);                                        \
        }                                                                      \
    }                                                                          \
    static void name##_by(CX__UNUSED struct folder *folder,                    \
                          CX__UNUSED cx_db *db,                                \
                          CX__UNUSED const struct two *two)

/* A tenant's role, which is named after the database's number. */
static CX__UNUSED void role_of(const struct folder *folder, int id,
                               char role[48])
{
    char statement[128];

    (void)snprintf(statement, sizeof(statement),
                   "SELECT 'cx_' || oid || '_%d' FROM pg_database"
                   " WHERE datname = current_database()",
                   id);
    server_answer(folder->url, statement, role, 48);
}

static CX__UNUSED bool has_secret(const cx_rows *rows)
{
    for (size_t i = 0; i < rows->len * rows->columns; i++) {
        const cx_param *field = &rows->field[i];

        if ((field->kind == CX_KIND_TEXT || field->kind == CX_KIND_BLOB) &&
            memmem(field->text.data, field->text.len, "SECRET", 6) != NULL)
            return true;
    }
    return false;
}

/* A statement that must not run: -EACCES, or that it names what is not there,
 * -EINVAL. */
static CX__UNUSED void assert_error(cx_db *db, const char *text, int error)
{
    cx_rows rows = {.len = 0};
    int is = cx_db_sql(db, text, NULL, &rows);

    if (is != error)
        fail_msg("%s: %d (%s)", text, is, cx_db_problem());
    assert_null(strstr(cx_db_problem(), "SECRET"));
    cx_rows_fini(&rows);
}

#define assert_all(db, error, ...)                                             \
    do {                                                                       \
        static const char *const texts_[] = {__VA_ARGS__};                     \
                                                                               \
        for (size_t i_ = 0; i_ < sizeof(texts_) / sizeof(texts_[0]); i_++)     \
            assert_error((db), texts_[i_], (error));                           \
    } while (0)

#define assert_all_refused(db, ...) assert_all(db, -EACCES, __VA_ARGS__)
#define assert_all_unknown(db, ...) assert_all(db, -EINVAL, __VA_ARGS__)

/* A statement that runs, and must not show B's. */
static CX__UNUSED void assert_own(cx_db *db, const char *text)
{
    cx_rows rows;

    assert_ok(cx_db_sql(db, text, NULL, &rows));
    assert_false(has_secret(&rows));
    cx_rows_fini(&rows);
}

/* A task that is to have its turn while another's statement runs. */
struct turn_count {
    int n;
    bool ended;
};

static CX__UNUSED void *count_turns(void *arg)
{
    struct turn_count *turns = arg;

    while (!turns->ended && cx_sleep(1) == 0)
        turns->n++;
    return NULL;
}

#endif
