/* SPDX-License-Identifier: MIT */
/*
 * Where the engines differ, as docs/tenants.md has it: each test is a row of
 * its table.
 */
#include <math.h>

#include "returning.h"

#include <ctxvar/transaction.h>

static bool on_sqlite(void)
{
    return server() == NULL;
}

static void add_five(cx_db *db)
{
    static const char *const names[] = {"Ann", "Bob", "Cid", "Dot", "Eve"};

    for (int i = 0; i < 5; i++)
        (void)user_add(db, names[i], i);
}

USERS_TEST(rows_that_a_loop_adds_to_its_table_are_met_on_sqlite)
{
    int error = -1, n = 0;
    User user;

    add_five(db);
    CX_DB_EACH(db, &user_model, NULL, &user, &error) {
        char name[32];

        (void)snprintf(name, sizeof(name), "user %d", n);
        if (n++ < 5)
            (void)user_add(db, name, 1);
    }
    assert_ok(error);
    assert_int_equal(n, on_sqlite() ? 10 : 5);
}

static void *add_zoe(void *db)
{
    (void)user_add(db, "Zoe", 1);
    return NULL;
}

USERS_TEST(a_loop_that_another_task_overtook_cannot_write_on_sqlite)
{
    int error = -1;
    User user;

    add_five(db);
    CX_DB_EACH(db, &user_model, NULL, &user, &error) {
        assert_int_equal(cx_await(cx_task_create(add_zoe, db), NULL), 0);
        assert_int_equal(cx_db_update(db, &user_model, &user, NULL),
                         on_sqlite() ? -EBUSY : 0);
        break;
    }
    assert_ok(error);
}

USERS_TEST(letters_of_a_quoted_name_count_on_a_server)
{
    assert_ok(run(db, "SELECT NAME FROM USERS"));
    assert_int_equal(run(db, "SELECT \"Name\" FROM users"),
                     on_sqlite() ? 0 : -EINVAL);
}

USERS_TEST(letters_of_a_pattern_count_on_a_server)
{
    add_five(db);
    assert_int_equal(
        number(db, "SELECT count(*) FROM users WHERE name LIKE 'a%'"),
        on_sqlite() ? 1 : 0);
}

USERS_TEST(a_number_that_is_too_large_is_another_one_on_sqlite)
{
    static const char text[] = "SELECT CAST($1 AS BIGINT) + 1";
    cx_rows rows;
    int error = cx_db_sql(db, text, CX_PARAMS(INT64_MAX), &rows);

    assert_int_equal(error, on_sqlite() ? 0 : -EDOM);
    if (error == 0) {
        assert_int_equal(rows.field->kind, CX_KIND_F64);
        cx_rows_fini(&rows);
    }
}

/* The kind of the one field that a statement gives. */
static cx_kind kind_of(cx_db *db, const char *text)
{
    cx_kind kind;
    cx_rows rows;

    assert_ok(cx_db_sql(db, text, NULL, &rows));
    assert_int_equal(rows.len * rows.columns, 1);
    kind = rows.field->kind;
    cx_rows_fini(&rows);
    return kind;
}

USERS_TEST(fields_of_ones_own_statement_are_of_the_engines_kinds)
{
    (void)user_add(db, "Ann", 1);
    assert_int_equal(kind_of(db, "SELECT active FROM users"),
                     on_sqlite() ? CX_KIND_I64 : CX_KIND_BOOL);
    assert_int_equal(kind_of(db, "SELECT joined FROM users"),
                     on_sqlite() ? CX_KIND_I64 : CX_KIND_TIMESTAMP);
    assert_int_equal(kind_of(db, "SELECT sum(age) FROM users"),
                     on_sqlite() ? CX_KIND_I64 : CX_KIND_TEXT);
    assert_int_equal(kind_of(db, "SELECT count(*) FROM users"), CX_KIND_I64);
}

USERS_TEST(a_value_that_its_column_is_not_for_is_stored_on_sqlite)
{
    (void)user_add(db, "Ann", 1);
    assert_int_equal(run(db, "UPDATE users SET age = 'x'"),
                     on_sqlite() ? 0 : -EDOM);
}

USERS_TEST(a_number_that_was_given_by_hand_is_given_again_on_a_server)
{
    User ann = {.id = 1, .name = CX_TEXT("Ann")};
    User bob = {.name = CX_TEXT("Bob")};

    assert_ok(cx_db_insert(db, &user_model, &ann));
    assert_int_equal(cx_db_insert(db, &user_model, &bob),
                     on_sqlite() ? 0 : -EEXIST);
}

USERS_TEST(a_statement_that_failed_ends_a_transaction_on_a_server)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        assert_int_equal(run(db, "INSERT INTO users (name) VALUES (NULL)"),
                         -EDOM);
        assert_int_equal(run(db, "SELECT 1"), on_sqlite() ? 0 : -ECONNABORTED);
    }
    assert_int_equal(error, on_sqlite() ? 0 : -ECONNABORTED);
}

USERS_TEST(a_division_by_nothing_is_null_on_sqlite)
{
    cx_rows rows;
    int error = cx_db_sql(db, "SELECT 1 / 0", NULL, &rows);

    assert_int_equal(error, on_sqlite() ? 0 : -EDOM);
    if (error == 0) {
        assert_int_equal(rows.field->kind, CX_KIND_NULL);
        cx_rows_fini(&rows);
    }
}

USERS_TEST(a_quotient_with_a_fraction_is_text_on_a_server)
{
    assert_int_equal(kind_of(db, "SELECT 5 / 2.0"),
                     on_sqlite() ? CX_KIND_F64 : CX_KIND_TEXT);
    assert_int_equal(kind_of(db, "SELECT 5 / 2"), CX_KIND_I64);
}

USERS_TEST(a_parameter_alone_is_text_on_a_server)
{
    cx_rows rows;

    assert_ok(
        cx_db_sql(db, "SELECT $1, CAST($2 AS bigint)", CX_PARAMS(5, 5), &rows));
    assert_int_equal(rows.field[0].kind,
                     on_sqlite() ? CX_KIND_I64 : CX_KIND_TEXT);
    assert_int_equal(rows.field[1].kind, CX_KIND_I64);
    cx_rows_fini(&rows);
}

USERS_TEST(a_fraction_in_a_column_of_whole_numbers_is_rounded_on_a_server)
{
    User *users = NULL;
    size_t n = 0;
    CX_ARENA(arena);

    assert_ok(run(db, "INSERT INTO users (name, rank) VALUES ('Ann', 1.6)"));
    assert_int_equal(cx_db_list(db, &user_model, NULL, &users, &n, &arena),
                     on_sqlite() ? -EBADMSG : 0);
    if (!on_sqlite())
        assert_int_equal(users[0].rank, 2);
}

USERS_TEST(a_table_of_another_tenant_is_not_there_on_sqlite)
{
    cx_tenant_unref(tenant_make(db, "B"));
    assert_int_equal(run(db, "SELECT * FROM t2.users"),
                     on_sqlite() ? -EINVAL : -EACCES);
}

USERS_TEST(a_number_that_a_failed_insert_took_is_gone_on_a_server)
{
    User again = {.name = CX_TEXT("Ann")};
    int64_t first = user_add(db, "Ann", 1);

    assert_int_equal(cx_db_insert(db, &user_model, &again), -EEXIST);
    assert_int_equal(user_add(db, "Bob", 1) - first, on_sqlite() ? 1 : 2);
}

USERS_TEST(a_column_beside_a_count_is_of_any_row_on_sqlite)
{
    assert_int_equal(run(db, "SELECT name, count(*) FROM users"),
                     on_sqlite() ? 0 : -EINVAL);
}

/* Another process's, as it were. */
USERS_TEST(a_tenant_that_is_dropped_elsewhere_is_missed)
{
    cx_tenant *same;
    cx_db *other;

    (void)user_add(db, "Ann", 1);
    assert_ok(cx_db_open(folder->url, NULL, &other));
    assert_ok(cx_tenant_find(other, CX_TEXT("A"), &same));
    assert_ok(cx_tenant_drop(same));
    cx_tenant_unref(same);
    assert_ok(cx_db_close(other));
    assert_int_equal(run(db, "SELECT name FROM users"), -ESTALE);
    assert_int_equal(cx_db_check(db, &user_model), -ESTALE);
}

BOUND_TEST(a_change_whose_rows_are_too_many_is_undone_on_sqlite)
{
    cx_rows rows;

    assert_int_equal(cx_db_sql(db, INSERT_MANY, NULL, &rows), -E2BIG);
    assert_string_equal(cx_db_problem(), "the rows take too much memory");
    assert_int_equal(count_users(db), on_sqlite() ? 0 : 1000);
}

/* What another connection sees. */
struct view {
    cx_db *db;
    int64_t users;
};

static void *look(void *arg)
{
    struct view *view = arg;

    view->users = count_users(view->db);
    return NULL;
}

static int look_at_first(const cx_param *fields, size_t n, void *arg)
{
    struct view *view = arg;

    (void)fields;
    (void)n;
    if (view->users < 0)
        assert_int_equal(cx_await(cx_task_create(look, view), NULL), 0);
    return 0;
}

/* 20 MB are more than is on its way at once. */
USERS_TEST(a_change_is_made_before_the_first_of_its_rows_on_sqlite)
{
    struct view view = {.db = db, .users = -1};
    char name[20001] = "";

    memset(name, 'x', sizeof(name) - 1);
    assert_ok(cx_db_sql_each(
        db,
        "INSERT INTO users (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
        " SELECT i + 1 FROM n WHERE i < 1000) SELECT 'user ' || i FROM n"
        " RETURNING id, CAST($1 AS text)",
        CX_PARAMS(name), look_at_first, &view));
    assert_int_equal(view.users, on_sqlite() ? 1000 : 0);
    assert_int_equal(count_users(db), 1000);
}

USERS_TEST(a_zero_has_no_sign_on_sqlite)
{
    User user = {.name = CX_TEXT("Ann"), .weight = -0.0};
    User got;
    CX_ARENA(arena);

    assert_ok(cx_db_insert(db, &user_model, &user));
    got = (User){.id = user.id};
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_true(got.weight == 0.0);
    assert_int_equal(signbit(got.weight) != 0, !on_sqlite());
}

USERS_TEST(bytes_that_a_statement_takes_for_text_are_text_on_sqlite)
{
    User user = {.id = user_add(db, "Ann", 1)};
    CX_ARENA(arena);

    assert_int_equal(
        run(db, on_sqlite()
                    ? "UPDATE users SET name = CAST(X'ff' AS TEXT)"
                    : "UPDATE users SET name = convert_from('\\xff', 'UTF8')"),
        on_sqlite() ? 0 : -EDOM);
    assert_ok(cx_db_find(db, &user_model, &user, &arena));
    assert_string_equal(user.name.data, on_sqlite() ? "\xff" : "Ann");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_a_loop_adds_to_its_table_are_met_on_sqlite),
        cmocka_unit_test(
            a_loop_that_another_task_overtook_cannot_write_on_sqlite),
        cmocka_unit_test(letters_of_a_quoted_name_count_on_a_server),
        cmocka_unit_test(letters_of_a_pattern_count_on_a_server),
        cmocka_unit_test(a_number_that_is_too_large_is_another_one_on_sqlite),
        cmocka_unit_test(fields_of_ones_own_statement_are_of_the_engines_kinds),
        cmocka_unit_test(
            a_value_that_its_column_is_not_for_is_stored_on_sqlite),
        cmocka_unit_test(
            a_number_that_was_given_by_hand_is_given_again_on_a_server),
        cmocka_unit_test(
            a_statement_that_failed_ends_a_transaction_on_a_server),
        cmocka_unit_test(a_division_by_nothing_is_null_on_sqlite),
        cmocka_unit_test(a_quotient_with_a_fraction_is_text_on_a_server),
        cmocka_unit_test(a_parameter_alone_is_text_on_a_server),
        cmocka_unit_test(
            a_fraction_in_a_column_of_whole_numbers_is_rounded_on_a_server),
        cmocka_unit_test(a_table_of_another_tenant_is_not_there_on_sqlite),
        cmocka_unit_test(
            a_number_that_a_failed_insert_took_is_gone_on_a_server),
        cmocka_unit_test(a_column_beside_a_count_is_of_any_row_on_sqlite),
        cmocka_unit_test(a_tenant_that_is_dropped_elsewhere_is_missed),
        cmocka_unit_test(a_change_whose_rows_are_too_many_is_undone_on_sqlite),
        cmocka_unit_test(
            a_change_is_made_before_the_first_of_its_rows_on_sqlite),
        cmocka_unit_test(a_zero_has_no_sign_on_sqlite),
        cmocka_unit_test(
            bytes_that_a_statement_takes_for_text_are_text_on_sqlite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
