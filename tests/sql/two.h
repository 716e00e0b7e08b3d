/* SPDX-License-Identifier: MIT */
/*
 * What the attack tests share: two tenants with the same ids, and every value
 * of B's says SECRET. B has a table that A lacks, users_b, with the same rows.
 */
#ifndef CTXVAR_TESTS_SQL_TWO_H
#define CTXVAR_TESTS_SQL_TWO_H

#include "support.h"

enum { ROWS = 100 };

struct two {
    cx_tenant *a;
    cx_tenant *b;
};

/* The rows of a tenant: 1, "<word> 1", 1 and so on. */
static CX__UNUSED void row_name(char *name, size_t size, const char *word,
                                int64_t i)
{
    (void)snprintf(name, size, "%s %d", word, (int)i);
}

static CX__UNUSED void fill(cx_db *db, cx_tenant *tenant, const char *word)
{
    CX_WITH_TENANT(tenant) {
        for (int i = 1; i <= ROWS; i++) {
            char name[32];

            row_name(name, sizeof(name), word, i);
            assert_ok(cx_db_sql(db,
                                "INSERT INTO users (id, name, age)"
                                " VALUES ($1, $2, $1)",
                                CX_PARAMS(i, name), NULL));
        }
    }
}

static CX__UNUSED void two_make(struct two *two, struct folder *folder,
                                cx_db *db)
{
    template_exec(folder,
                  "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT,"
                  " name TEXT NOT NULL, age INTEGER);"
                  "CREATE INDEX users_name ON users (name)");
    two->a = tenant_make(db, "A");
    template_exec(folder, "CREATE TABLE users_b (id INTEGER PRIMARY KEY,"
                          " name TEXT NOT NULL, age INTEGER)");
    two->b = tenant_make(db, "B");
    fill(db, two->a, "open");
    fill(db, two->b, "SECRET");
    CX_WITH_TENANT(two->b) {
        assert_ok(run(db, "INSERT INTO users_b SELECT * FROM users"));
    }
}

/* Every field of every row is what it was filled with. */
static CX__UNUSED void assert_rows(cx_db *db, const char *text,
                                   const char *word)
{
    cx_rows rows;

    assert_ok(cx_db_sql(db, text, NULL, &rows));
    assert_int_equal(rows.len, ROWS);
    assert_int_equal(rows.columns, 3);
    for (int64_t i = 1; i <= ROWS; i++) {
        const cx_param *row = rows.field + 3 * (i - 1);
        char name[32];

        row_name(name, sizeof(name), word, i);
        assert_int_equal(row[0].kind, CX_KIND_I64);
        assert_int_equal(row[0].i64, i);
        assert_int_equal(row[1].kind, CX_KIND_TEXT);
        assert_string_equal(row[1].text.data, name);
        assert_int_equal(row[2].kind, CX_KIND_I64);
        assert_int_equal(row[2].i64, i);
    }
    cx_rows_fini(&rows);
}

/* That a tenant's rows are what they were, read with a lease of their own. */
static CX__UNUSED void assert_whole(cx_db *db, cx_tenant *tenant,
                                    const char *word)
{
    CX_WITH_TENANT(tenant) {
        assert_rows(db, "SELECT * FROM users ORDER BY id", word);
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
    char command[512];
    FILE *pipe;

    (void)snprintf(command, sizeof(command),
                   "psql -qXAt '%s' -c \"SELECT 'cx_' || oid || '_%d' FROM"
                   " pg_database WHERE datname = current_database()\"",
                   folder->url, id);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(role, 48, pipe));
    assert_int_equal(pclose(pipe), 0);
    role[strcspn(role, "\n")] = '\0';
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

/* A statement that must be refused, and so must its explanation. */
static CX__UNUSED void assert_refused(cx_db *db, const char *text)
{
    cx_rows rows = {.len = 0};
    int error = cx_db_sql(db, text, NULL, &rows);

    if (error != -EACCES && error != -EINVAL)
        fail_msg("%s: %d (%s)", text, error, cx_db_problem());
    assert_null(strstr(cx_db_problem(), "SECRET"));
    cx_rows_fini(&rows);
}

#define assert_all_refused(db, ...)                                            \
    do {                                                                       \
        static const char *const texts_[] = {__VA_ARGS__};                     \
                                                                               \
        for (size_t i_ = 0; i_ < sizeof(texts_) / sizeof(texts_[0]); i_++)     \
            assert_refused((db), texts_[i_]);                                  \
    } while (0)

/* A statement that may run, and must not show B's. */
static CX__UNUSED void assert_own(cx_db *db, const char *text)
{
    cx_rows rows = {.len = 0};

    if (cx_db_sql(db, text, NULL, &rows) == 0)
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
