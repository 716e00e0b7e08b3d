/* SPDX-License-Identifier: MIT */
/* What a tenant is told of its tables. */
#include "two.h"

#include <ctxvar/migrate.h>
#include <ctxvar/transaction.h>

/* Rows as one text: fields apart by "|", rows by ";". */
static void text_of(const cx_rows *rows, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < rows->len * rows->columns; i++) {
        const cx_param *field = &rows->field[i];
        const char *end = (i + 1) % rows->columns == 0 ? ";" : "|";

        at += (size_t)snprintf(text + at, size - at, "%s%s",
                               field->kind == CX_KIND_TEXT ? field->text.data
                               : field->boolean            ? "yes"
                                                           : "no",
                               end);
    }
}

static void assert_tables(cx_db *db, const char *expected)
{
    char text[1024];
    cx_rows rows;

    assert_ok(cx_db_tables(db, &rows));
    assert_int_equal(rows.columns, 1);
    assert_string_equal(rows.names[0], "table");
    text_of(&rows, text, sizeof(text));
    assert_string_equal(text, expected);
    cx_rows_fini(&rows);
}

static void assert_columns(cx_db *db, const char *table, const char *expected)
{
    static const char *const names[] = {"column", "type", "not null", "key",
                                        "numbered"};
    char text[1024];
    cx_rows rows;

    assert_ok(cx_db_columns(db, table, &rows));
    assert_int_equal(rows.columns, 5);
    for (size_t i = 0; i < rows.columns; i++)
        assert_string_equal(rows.names[i], names[i]);
    text_of(&rows, text, sizeof(text));
    assert_string_equal(text, expected);
    cx_rows_fini(&rows);
}

#define COMMON                                                                 \
    "CREATE TABLE item (\"order\" bigint, place bigint DEFAULT 0,"             \
    " price numeric(10,2), PRIMARY KEY (\"order\", place));"                   \
    "CREATE TABLE \"It's odd\" (\"a b\" bigint);"

static const cx_migration migrations[] = {
    {1, "tables",
     .sqlite = COMMON "CREATE TABLE users (id INTEGER PRIMARY KEY,"
                      " name VARCHAR(20) NOT NULL, anything)",
     .postgres = COMMON "CREATE TABLE users (id bigserial PRIMARY KEY,"
                        " name varchar(20) NOT NULL,"
                        " at timestamptz DEFAULT now())"},
};

/* A tenant that has them. */
static cx_tenant *with_tables(cx_db *db)
{
    cx_migrate_report report;

    assert_ok(cx_migrate(db, migrations, 1, NULL, &report));
    return tenant_make(db, "A");
}

/* A test in which such a one is the current one. */
#define TABLES_TEST(name)                                                      \
    static void name##_in(cx_db *db);                                          \
    DB_TEST(name)                                                              \
    {                                                                          \
        cx_tenant *tenant = with_tables(db);                                   \
                                                                               \
        CX_WITH_TENANT(tenant) {                                               \
            name##_in(db);                                                     \
        }                                                                      \
        cx_tenant_unref(tenant);                                               \
    }                                                                          \
    static void name##_in(cx_db *db)

TABLES_TEST(tables_are_told_by_name_and_the_library_s_own_are_not)
{
    assert_tables(db, "It's odd;item;users;");
}

TABLES_TEST(columns_are_told_as_they_were_declared)
{
    if (server() == NULL)
        assert_columns(db, "users",
                       "id|INTEGER|yes|yes|yes;name|VARCHAR(20)|yes|no|no;"
                       "anything||no|no|no;");
    else
        assert_columns(db, "users",
                       "id|bigint|yes|yes|yes;"
                       "name|character varying(20)|yes|no|no;"
                       "at|timestamp with time zone|no|no|no;");
    assert_columns(db, "item",
                   "order|bigint|yes|yes|no;place|bigint|yes|yes|no;"
                   "price|numeric(10,2)|no|no|no;");
    assert_columns(db, "It's odd", "a b|bigint|no|no|no;");
}

TABLES_TEST(what_is_no_table_of_the_tenant_s_is_not_found)
{
    static const char *const names[] = {
        "",         "nope",       "USERS",         "users_pkey",
        "cx_room",  "t1.users",   "cx_migrations", "sqlite_schema",
        "pg_class", "users\"; --"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cx_rows rows;

        assert_int_equal(cx_db_columns(db, names[i], &rows), -ENOENT);
        assert_string_equal(cx_db_problem(), "there is no such table");
    }
}

TABLES_TEST(without_a_tenant_there_are_no_tables)
{
    cx_rows rows;

    assert_int_equal(cx_db_tables(db, NULL), -EINVAL);
    assert_int_equal(cx_db_columns(db, NULL, &rows), -EINVAL);
    assert_int_equal(cx_db_columns(db, "users", NULL), -EINVAL);
    CX_WITH_TENANT(NULL) {
        assert_int_equal(cx_db_tables(db, &rows), -ENOKEY);
        assert_int_equal(cx_db_columns(db, "users", &rows), -ENOKEY);
    }
}

TABLES_TEST(tables_are_told_within_a_transaction)
{
    int error;

    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "INSERT INTO item VALUES (1, 1, 1)"));
        assert_tables(db, "It's odd;item;users;");
        assert_columns(db, "It's odd", "a b|bigint|no|no|no;");
    }
    assert_ok(error);
    assert_int_equal(number(db, "SELECT count(*) FROM item"), 1);
}

static int tell(const cx_param *fields, size_t n, void *db)
{
    (void)fields;
    (void)n;
    assert_tables(db, "It's odd;item;users;");
    return 0;
}

TABLES_TEST(tables_are_told_while_rows_are_read)
{
    assert_ok(run(db, "INSERT INTO item VALUES (1, 1, 1), (1, 2, 1)"));
    assert_ok(cx_db_sql_each(db, "SELECT * FROM item", NULL, tell, db));
}

/* SQLite goes on as if the statement had not been there. */
TABLES_TEST(a_transaction_that_was_ended_tells_of_no_tables)
{
    cx_rows rows;
    int error;

    if (server() == NULL)
        return;
    CX_TRANSACTION(db, &error) {
        assert_int_equal(run(db, "SELECT nope"), -EINVAL);
        assert_int_equal(cx_db_tables(db, &rows), -ECONNABORTED);
        assert_int_equal(cx_db_columns(db, "item", &rows), -ECONNABORTED);
    }
    assert_int_equal(error, -ECONNABORTED);
    assert_tables(db, "It's odd;item;users;");
}

/* What a statement of its own does to its session is not asked for tables. */
TABLES_TEST(a_search_path_leads_to_no_other_tables)
{
    int error;

    if (server() == NULL)
        return;
    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "SET search_path = pg_catalog"));
        assert_tables(db, "It's odd;item;users;");
    }
}

DB_TEST(rows_beyond_the_bound_are_too_many)
{
    const cx_db_options options = {.rows_bytes = 64};
    cx_tenant *tenant;
    cx_db *small;
    cx_rows rows;

    tenant = with_tables(db);
    assert_ok(cx_db_open(folder->url, &options, &small));
    cx_tenant_unref(tenant);
    assert_ok(cx_tenant_find(small, CX_TEXT("A"), &tenant));
    CX_WITH_TENANT(tenant) {
        assert_int_equal(cx_db_tables(small, &rows), -E2BIG);
        assert_int_equal(cx_db_columns(small, "item", &rows), -E2BIG);
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(small));
}

/* S2, S12, P2, P10. */
ATTACK(a_tenant_is_told_of_its_own_tables_alone)
{
    cx_rows rows;

    assert_tables(db, "users;");
    assert_int_equal(cx_db_columns(db, "users_b", &rows), -ENOENT);
    CX_WITH_TENANT(two->b) {
        assert_tables(db, "users;users_b;");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_told_by_name_and_the_library_s_own_are_not),
        cmocka_unit_test(columns_are_told_as_they_were_declared),
        cmocka_unit_test(what_is_no_table_of_the_tenant_s_is_not_found),
        cmocka_unit_test(without_a_tenant_there_are_no_tables),
        cmocka_unit_test(tables_are_told_within_a_transaction),
        cmocka_unit_test(tables_are_told_while_rows_are_read),
        cmocka_unit_test(a_transaction_that_was_ended_tells_of_no_tables),
        cmocka_unit_test(a_search_path_leads_to_no_other_tables),
        cmocka_unit_test(rows_beyond_the_bound_are_too_many),
        cmocka_unit_test(a_tenant_is_told_of_its_own_tables_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
