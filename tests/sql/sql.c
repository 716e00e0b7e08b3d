/* SPDX-License-Identifier: MIT */
/* Statements of a program's own on the current tenant's tables. */
#include "support.h"

#include <ctxvar/transaction.h>

#include "sql/database.h"
#include "sql/engine.h"

static const char tables[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " age INTEGER CHECK (age >= 0), photo BLOB, weight REAL)";

/* A test in which a tenant with an empty table `users` is the current one. */
#define SQL_TEST(name)                                                         \
    static void name##_in(cx_db *db, cx_tenant *tenant);                       \
    DB_TEST(name)                                                              \
    {                                                                          \
        cx_tenant *tenant;                                                     \
                                                                               \
        template_exec(folder, tables);                                         \
        tenant = tenant_make(db, "A");                                         \
        CX_WITH_TENANT(tenant) {                                               \
            name##_in(db, tenant);                                             \
        }                                                                      \
        cx_tenant_unref(tenant);                                               \
    }                                                                          \
    static void name##_in(CX__UNUSED cx_db *db, CX__UNUSED cx_tenant *tenant)

static int add(cx_db *db, const char *name, int age)
{
    return cx_db_sql(db, "INSERT INTO users (name, age) VALUES ($1, $2)",
                     CX_PARAMS(name, age), NULL);
}

SQL_TEST(what_is_written_is_read)
{
    static const unsigned char bytes[] = {0, 1, 255};
    cx_blob photo = {bytes, sizeof(bytes)};
    cx_rows rows;

    assert_ok(cx_db_sql(db,
                        "INSERT INTO users (name, age, photo, weight)"
                        " VALUES ($1, $2, $3, $4)",
                        CX_PARAMS("Ann", INT64_MAX, photo, 0.5), NULL));
    assert_ok(cx_db_sql(db, "SELECT id, name, age, photo, weight FROM users",
                        NULL, &rows));
    assert_int_equal(rows.len, 1);
    assert_int_equal(rows.columns, 5);
    assert_string_equal(rows.names[1], "name");
    assert_int_equal(rows.field[0].i64, 1);
    assert_string_equal(rows.field[1].text.data, "Ann");
    assert_int_equal(rows.field[1].text.len, 3);
    assert_true(rows.field[2].i64 == INT64_MAX);
    assert_int_equal(rows.field[3].kind, CX_KIND_BLOB);
    assert_memory_equal(rows.field[3].blob.data, bytes, 3);
    assert_true(rows.field[4].f64 == 0.5);
    cx_rows_fini(&rows);
}

SQL_TEST(text_in_the_place_of_a_number_is_refused)
{
    assert_int_equal(run(db, "INSERT INTO users (id, name)"
                             " VALUES ('x', 'Ann')"),
                     -EDOM);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 0);
}

SQL_TEST(a_parameter_of_no_kind_is_refused)
{
    cx_param value = {.kind = (cx_kind)99};
    cx_params params = {&value, 1};
    int error = cx_db_sql(db, "DELETE FROM users WHERE id = $1", &params, NULL);

    /* The engines differ in which. */
    assert_true(error == -EINVAL || error == -EDOM);
}

SQL_TEST(null_goes_in_and_comes_out)
{
    cx_rows rows;

    assert_ok(cx_db_sql(db, "INSERT INTO users (name, age) VALUES ($1, $2)",
                        CX_PARAMS("Ann", CX_NULL), NULL));
    assert_ok(cx_db_sql(db, "SELECT age FROM users", NULL, &rows));
    assert_int_equal(rows.field->kind, CX_KIND_NULL);
    cx_rows_fini(&rows);
}

SQL_TEST(parameters_go_where_their_numbers_say)
{
    cx_rows rows;

    assert_ok(cx_db_sql(
        db,
        "SELECT CAST($2 AS INTEGER), CAST($1 AS INTEGER), CAST($2 AS INTEGER)",
        CX_PARAMS(1, 2), &rows));
    assert_int_equal(rows.field[0].i64, 2);
    assert_int_equal(rows.field[1].i64, 1);
    assert_int_equal(rows.field[2].i64, 2);
    cx_rows_fini(&rows);
}

SQL_TEST(a_parameter_too_many_or_too_few_is_refused)
{
    assert_int_equal(cx_db_sql(db, "SELECT $1", NULL, NULL), -EINVAL);
    assert_string_equal(cx_db_problem(),
                        "the statement takes 1 parameter, and 0 were given");
    assert_int_equal(cx_db_sql(db, "SELECT $1, $2", CX_PARAMS(1), NULL),
                     -EINVAL);
    assert_string_equal(cx_db_problem(),
                        "the statement takes 2 parameters, and 1 was given");
    assert_int_equal(cx_db_sql(db, "SELECT $1, $3", CX_PARAMS(1, 2), NULL),
                     -EINVAL);
}

SQL_TEST(parameters_have_numbers_on_every_engine)
{
    static const char *const texts[] = {
        "SELECT name FROM users WHERE id = ?",
        "SELECT name FROM users WHERE id = ?1",
        "SELECT name FROM users WHERE id = :id",
        "SELECT name FROM users WHERE id = $id"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(cx_db_sql(db, texts[i], CX_PARAMS(1), NULL), -EINVAL);
        assert_words("parameters are $1, $2 and so on");
    }
}

SQL_TEST(changes_are_counted)
{
    cx_rows rows;

    assert_ok(add(db, "Ann", 20));
    assert_ok(add(db, "Bob", 30));
    assert_ok(cx_db_sql(db, "UPDATE users SET age = age + 1", NULL, &rows));
    assert_int_equal(rows.changed, 2);
    cx_rows_fini(&rows);
    assert_ok(cx_db_sql(db, "SELECT 1", NULL, &rows));
    assert_int_equal(rows.changed, 0);
    cx_rows_fini(&rows);
}

SQL_TEST(a_second_statement_is_refused)
{
    assert_int_equal(run(db, "SELECT 1; SELECT 2"), -EINVAL);
    assert_ok(run(db, "SELECT 1; "));
    assert_ok(run(db, "/* x */ SELECT 1; -- SELECT 2"));
    assert_ok(run(db, "SELECT 1; /* SELECT 2 */ ; -- x\n"));
    assert_int_equal(run(db, "SELECT 1; -- x\n SELECT 2"), -EINVAL);
    assert_int_equal(run(db, "SELECT 1; /* x */ SELECT 2"), -EINVAL);
}

SQL_TEST(no_statement_is_refused)
{
    assert_int_equal(run(db, ""), -EINVAL);
    assert_int_equal(run(db, "-- nothing"), -EINVAL);
    assert_int_equal(run(db, "SELEKT"), -EINVAL);
    assert_words("near \"SELEKT\": syntax error");
}

SQL_TEST(a_key_that_is_there_is_refused)
{
    assert_ok(add(db, "Ann", 20));
    assert_int_equal(add(db, "Ann", 20), -EEXIST);
    assert_words("UNIQUE constraint failed: users.name");
}

SQL_TEST(what_a_constraint_refuses_is_refused)
{
    assert_int_equal(add(db, "Ann", -1), -EDOM);
    assert_int_equal(add(db, NULL, 1), -EDOM);
}

SQL_TEST(text_that_is_not_utf8_is_refused)
{
    assert_int_equal(add(db, "\xff", 1), -EILSEQ);
    assert_int_equal(add(db, "\xc0\x80", 1), -EILSEQ);
    assert_int_equal(add(db, "\xed\xa0\x80", 1), -EILSEQ);
    assert_ok(add(db, "\xf0\x9f\x90\x99", 1));
}

SQL_TEST(a_number_that_is_none_is_refused)
{
    assert_int_equal(cx_db_sql(db, "UPDATE users SET weight = $1",
                               CX_PARAMS(__builtin_nan("")), NULL),
                     -EDOM);
}

struct sum {
    cx_db *db;
    int64_t sum;
};

static int add_field(const cx_param *fields, size_t n, void *arg)
{
    struct sum *sum = arg;

    assert_int_equal(n, 1);
    sum->sum = sum->sum * 10 + fields->i64;
    return 0;
}

SQL_TEST(each_row_is_met_in_order)
{
    struct sum sum = {.db = db};

    assert_ok(
        cx_db_sql_each(db, "SELECT 1 UNION SELECT 2 UNION SELECT 3 ORDER BY 1",
                       NULL, add_field, &sum));
    assert_int_equal(sum.sum, 123);
}

static int add_fields_of_each(const cx_param *fields, size_t n, void *arg)
{
    struct sum *sum = arg;

    (void)fields;
    (void)n;
    return cx_db_sql_each(sum->db, "SELECT 1 UNION SELECT 2 ORDER BY 1", NULL,
                          add_field, sum);
}

SQL_TEST(a_statement_runs_within_itself)
{
    struct sum sum = {.db = db};

    assert_ok(cx_db_sql_each(db, "SELECT 1 UNION SELECT 2 ORDER BY 1", NULL,
                             add_fields_of_each, &sum));
    assert_int_equal(sum.sum, 1212);
}

static int stop(const cx_param *fields, size_t n, void *arg)
{
    (void)n;
    (void)arg;
    return fields->i64 == 2 ? 77 : 0;
}

SQL_TEST(each_stops_where_it_is_told_to)
{
    assert_int_equal(
        cx_db_sql_each(db, "SELECT 1 UNION SELECT 2 UNION SELECT 3 ORDER BY 1",
                       NULL, stop, NULL),
        77);
    assert_int_equal(number(db, "SELECT 5"), 5);
}

/* Whether the transaction within each row is committed. */
struct within {
    cx_db *db;
    int outcome;
    int rows;
};

static int add_in_transaction(const cx_param *fields, size_t n, void *arg)
{
    struct within *within = arg;
    char name[32];
    int error = -1;

    (void)n;
    (void)snprintf(name, sizeof(name), "within %d", (int)fields->i64);
    within->rows++;
    CX_TRANSACTION(within->db, &error) {
        assert_ok(add(within->db, name, 1));
        error = within->outcome;
    }
    assert_int_equal(error, within->outcome);
    return 0;
}

/* More than are read ahead of a statement that reads. */
static const char insert_many[] =
    "INSERT INTO users (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
    " SELECT i + 1 FROM n WHERE i < 1000) SELECT 'user ' || i FROM n"
    " RETURNING id, name";

SQL_TEST(a_transaction_is_committed_within_the_rows_of_an_insert)
{
    struct within within = {.db = db};

    assert_ok(
        cx_db_sql_each(db, insert_many, NULL, add_in_transaction, &within));
    assert_int_equal(within.rows, 1000);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 2000);
}

SQL_TEST(a_transaction_that_is_rolled_back_within_the_rows_leaves_the_insert)
{
    struct within within = {.db = db, .outcome = -7};

    assert_ok(
        cx_db_sql_each(db, insert_many, NULL, add_in_transaction, &within));
    assert_int_equal(within.rows, 1000);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 1000);
}

SQL_TEST(transactions_end_within_the_rows_of_a_select)
{
    struct within within = {.db = db};

    for (int i = 0; i < 2; i++) {
        within.outcome = i == 0 ? -7 : 0;
        assert_ok(cx_db_sql_each(db, "SELECT 1 UNION SELECT 2 UNION SELECT 3",
                                 NULL, add_in_transaction, &within));
    }
    assert_int_equal(within.rows, 6);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 3);
}

SQL_TEST(rows_that_are_inserted_are_given_to_the_last)
{
    struct sum sum = {.db = db};
    cx_rows rows;

    assert_ok(cx_db_sql(db, insert_many, NULL, &rows));
    assert_int_equal(rows.len, 1000);
    assert_string_equal(rows.field[2 * 999 + 1].text.data, "user 1000");
    assert_int_equal(rows.changed, 1000);
    cx_rows_fini(&rows);
    assert_ok(cx_db_sql_each(db, "DELETE FROM users WHERE id > $1 RETURNING 1",
                             CX_PARAMS(995), add_field, &sum));
    assert_int_equal(sum.sum, 11111);
}

/* child: 0 in a child process, which returns `result` for the first row. */
struct split {
    pid_t child;
    int result;
    int rows;
};

static int split_at_first(const cx_param *fields, size_t n, void *arg)
{
    struct split *split = arg;

    (void)fields;
    (void)n;
    if (split->rows++ > 0)
        return 0;
    split->child = fork();
    if (split->child == 0)
        return split->result;
    assert_int_equal(status_of(split->child),
                     split->result != 0 ? split->result : EXDEV);
    return 0;
}

SQL_TEST(a_child_process_leaves_the_rows_to_its_parent)
{
    for (int result = 0; result <= 7; result += 7) {
        struct split split = {.child = -1, .result = result};
        int error = cx_db_sql_each(
            db,
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
            " SELECT i + 1 FROM n WHERE i < 20000) SELECT 'user ' || i FROM n",
            NULL, split_at_first, &split);

        if (split.child == 0)
            leave(abs(error));
        assert_ok(error);
        assert_int_equal(split.rows, 20000);
    }
}

SQL_TEST(more_statements_than_are_kept_all_run)
{
    for (int i = 0; i < 200; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "SELECT %d", i);
        assert_int_equal(number(db, text), i);
    }
    assert_int_equal(number(db, "SELECT 0"), 0);
}

/* Statements that are each run within the one before. */
struct nest {
    cx_db *db;
    int depth;
};

static int nest(const cx_param *fields, size_t n, void *arg)
{
    struct nest *within = arg;
    char text[32];

    (void)fields;
    (void)n;
    (void)snprintf(text, sizeof(text), "SELECT %d", within->depth);
    if (within->depth-- == 0)
        return 0;
    return cx_db_sql_each(within->db, text, NULL, nest, within);
}

SQL_TEST(statements_that_were_within_each_other_are_not_all_kept)
{
    struct nest within = {db, 100};
    const struct cx__connection *idle;

    assert_ok(nest(NULL, 0, &within));
    assert_int_equal(number(db, "SELECT 777"), 777);
    idle = CX__OWNER(db->idle.prev, struct cx__connection, aged);
    assert_true(idle->prepared <= 64);
}

SQL_TEST(a_long_statement_is_not_kept)
{
    enum { LONG = 100000 };
    char *text = malloc(LONG + 32);
    const struct cx__connection *idle;
    unsigned kept;

    assert_non_null(text);
    assert_int_equal(number(db, "SELECT 1"), 1);
    idle = CX__OWNER(db->idle.prev, struct cx__connection, aged);
    kept = idle->prepared;
    (void)memset(text, ' ', LONG);
    (void)snprintf(text + LONG, 32, "SELECT 4711");
    assert_int_equal(number(db, text), 4711);
    assert_int_equal(number(db, text), 4711);
    assert_int_equal(idle->prepared, kept);
    free(text);
}

SQL_TEST(a_long_statement_that_fails_is_told_as_a_short_one)
{
    enum { LONG = 70000 };
    char *text = malloc(LONG + 64);
    int error;

    assert_non_null(text);
    (void)memset(text, ' ', LONG);
    (void)snprintf(text + LONG, 64, "INSERT INTO users (name) VALUES (NULL)");
    CX_TRANSACTION(db, &error) {
        error = run(db, text);
        assert_int_equal(error, -EDOM);
        assert_null(strstr(cx_db_problem(), "earlier"));
        assert_non_null(strstr(cx_db_problem(), "name"));
    }
    assert_int_equal(error, -EDOM);
    free(text);
}

SQL_TEST(a_change_that_is_explained_is_not_made)
{
    cx_rows rows;
    int error;

    assert_ok(add(db, "Ann", 1));
    CX_TRANSACTION(db, &error) {
        assert_ok(add(db, "Bob", 1));
        error =
            cx_db_sql(db,
                      server() != NULL ? "EXPLAIN DELETE FROM users"
                                       : "EXPLAIN QUERY PLAN DELETE FROM users",
                      NULL, &rows);
        assert_ok(error);
        assert_int_equal(rows.changed, 0);
        cx_rows_fini(&rows);
        assert_ok(add(db, "Cid", 1));
    }
    assert_ok(error);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 3);
}

/* More of them than an engine takes. */
SQL_TEST(too_many_parameters_are_refused_and_no_more)
{
    enum { MANY = 7499 };
    cx_param *values = calloc(MANY, sizeof(*values));
    cx_params params = {values, MANY};

    assert_non_null(values);
    assert_int_equal(cx_db_sql(db, "SELECT $1", &params, NULL), -E2BIG);
    assert_non_null(strstr(cx_db_problem(), "parameters"));
    assert_int_equal(number(db, "SELECT 1"), 1);
    free(values);
}

DB_TEST(columns_that_another_process_drops_are_told)
{
    static const char text[] = "SELECT * FROM users";
    cx_tenant *tenant;
    cx_rows rows;

    template_exec(folder, tables);
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(cx_db_sql(db, text, NULL, &rows));
        assert_int_equal(rows.columns, 5);
        assert_string_equal(rows.names[4], "weight");
        cx_rows_fini(&rows);
        assert_ok(add(db, "Ann", 1));
        if (server() == NULL) {
            file_exec(folder, "t1.db", "ALTER TABLE users DROP COLUMN weight");
            assert_int_equal(cx_db_sql(db, text, NULL, &rows), -ESTALE);
        } else {
            server_run(folder->url, "ALTER TABLE t1.users DROP COLUMN weight");
        }
        assert_ok(cx_db_sql(db, text, NULL, &rows));
        assert_int_equal(rows.columns, 4);
        cx_rows_fini(&rows);
    }
    cx_tenant_unref(tenant);
}

static void *count_users(void *db)
{
    return as_pointer(number(db, "SELECT count(*) FROM users"));
}

SQL_TEST(a_child_task_reads_what_its_parent_wrote)
{
    void *result = NULL;

    assert_ok(add(db, "Ann", 1));
    assert_int_equal(cx_await(cx_task_create(count_users, db), &result), 0);
    assert_int_equal((intptr_t)result, 1);
}

SQL_TEST(a_problem_is_its_own_tasks)
{
    assert_int_equal(run(db, "SELEKT"), -EINVAL);
    assert_int_equal(cx_await(cx_task_create(count_users, db), NULL), 0);
    assert_words("near \"SELEKT\": syntax error");
}

SQL_TEST(a_problem_is_forgotten_by_the_next_call)
{
    assert_int_equal(run(db, "SELEKT"), -EINVAL);
    assert_int_equal(cx_db_sql(db, NULL, NULL, NULL), -EINVAL);
    assert_string_equal(cx_db_problem(), "");
    assert_int_equal(run(db, "SELEKT"), -EINVAL);
    assert_int_equal(cx_db_open(NULL, NULL, NULL), -EINVAL);
    assert_string_equal(cx_db_problem(), "");
}

/* PostgreSQL has them. */
SQL_TEST(a_row_may_have_no_columns)
{
    cx_rows rows = {.len = 0};

    if (server() == NULL) {
        assert_int_equal(run(db, "SELECT"), -EINVAL);
        return;
    }
    assert_ok(cx_db_sql(db, "SELECT FROM generate_series(1, 20)", NULL, &rows));
    assert_int_equal(rows.len, 20);
    assert_int_equal(rows.columns, 0);
    cx_rows_fini(&rows);
}

DB_TEST(the_same_statement_reads_each_tenants_own_rows)
{
    cx_tenant *tenants[2];

    template_exec(folder, tables);
    tenants[0] = tenant_make(db, "A");
    tenants[1] = tenant_make(db, "B");
    for (int i = 0; i < 2; i++) {
        CX_WITH_TENANT(tenants[i]) {
            assert_ok(add(db, "Ann", i));
        }
    }
    for (int i = 0; i < 10; i++) {
        CX_WITH_TENANT(tenants[i % 2]) {
            assert_int_equal(number(db, "SELECT age FROM users"), i % 2);
        }
    }
    cx_tenant_unref(tenants[0]);
    cx_tenant_unref(tenants[1]);
}

DB_TEST(another_databases_tenant_is_refused)
{
    struct folder other_folder;
    cx_tenant *tenant;
    cx_db *other;

    folder_make(&other_folder);
    assert_ok(cx_db_open(other_folder.url, NULL, &other));
    tenant = tenant_make(other, "A");
    CX_WITH_TENANT(tenant) {
        assert_int_equal(run(db, "SELECT 1"), -EKEYREJECTED);
        assert_ok(run(other, "SELECT 1"));
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(other));
    folder_remove(&other_folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(text_in_the_place_of_a_number_is_refused),
        cmocka_unit_test(a_parameter_of_no_kind_is_refused),
        cmocka_unit_test(null_goes_in_and_comes_out),
        cmocka_unit_test(parameters_go_where_their_numbers_say),
        cmocka_unit_test(a_parameter_too_many_or_too_few_is_refused),
        cmocka_unit_test(parameters_have_numbers_on_every_engine),
        cmocka_unit_test(changes_are_counted),
        cmocka_unit_test(a_second_statement_is_refused),
        cmocka_unit_test(no_statement_is_refused),
        cmocka_unit_test(a_key_that_is_there_is_refused),
        cmocka_unit_test(what_a_constraint_refuses_is_refused),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(a_number_that_is_none_is_refused),
        cmocka_unit_test(each_row_is_met_in_order),
        cmocka_unit_test(a_statement_runs_within_itself),
        cmocka_unit_test(each_stops_where_it_is_told_to),
        cmocka_unit_test(
            a_transaction_is_committed_within_the_rows_of_an_insert),
        cmocka_unit_test(
            a_transaction_that_is_rolled_back_within_the_rows_leaves_the_insert),
        cmocka_unit_test(transactions_end_within_the_rows_of_a_select),
        cmocka_unit_test(rows_that_are_inserted_are_given_to_the_last),
        cmocka_unit_test(a_child_process_leaves_the_rows_to_its_parent),
        cmocka_unit_test(more_statements_than_are_kept_all_run),
        cmocka_unit_test(
            statements_that_were_within_each_other_are_not_all_kept),
        cmocka_unit_test(a_long_statement_is_not_kept),
        cmocka_unit_test(a_long_statement_that_fails_is_told_as_a_short_one),
        cmocka_unit_test(a_change_that_is_explained_is_not_made),
        cmocka_unit_test(too_many_parameters_are_refused_and_no_more),
        cmocka_unit_test(columns_that_another_process_drops_are_told),
        cmocka_unit_test(a_child_task_reads_what_its_parent_wrote),
        cmocka_unit_test(a_problem_is_its_own_tasks),
        cmocka_unit_test(a_problem_is_forgotten_by_the_next_call),
        cmocka_unit_test(a_row_may_have_no_columns),
        cmocka_unit_test(the_same_statement_reads_each_tenants_own_rows),
        cmocka_unit_test(another_databases_tenant_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
