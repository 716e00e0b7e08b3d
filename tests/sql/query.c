/* SPDX-License-Identifier: MIT */
/* Queries on models: which rows, in what order, how many. */
#include "users.h"

static void add_five(cx_db *db)
{
    User eve = {.name = CX_TEXT("Eve")};

    (void)user_add(db, "Ann", 30);
    (void)user_add(db, "Bob", 20);
    (void)user_add(db, "Cid", 20);
    (void)user_add(db, "Dot", 40);
    assert_ok(cx_db_insert(db, &user_model, &eve));
}

/* The names that a query gives, by their first letters. */
static void assert_names(cx_db *db, const cx_query *query, const char *expected)
{
    struct trace trace = {.len = 0};
    int error = -1;
    User user;

    CX_DB_EACH(db, &user_model, query, &user, &error) {
        trace_add(&trace, user.name.data[0]);
    }
    assert_ok(error);
    assert_traced(&trace, expected);
}

static void assert_count(cx_db *db, const cx_query *query, int64_t expected)
{
    int64_t n = -1;

    assert_ok(cx_db_count(db, &user_model, query, &n));
    assert_int_equal(n, expected);
}

USERS_TEST(without_a_query_all_rows_are_met)
{
    assert_count(db, NULL, 0);
    assert_names(db, NULL, "");
    add_five(db);
    assert_count(db, NULL, 5);
    assert_names(db, NULL, "ABCDE");
}

USERS_TEST(conditions_choose_rows)
{
    add_five(db);
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_EQ, 20))), "BC");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_LT, 30))), "BC");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_LE, 30))), "ABC");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_GT, 30))), "D");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_GE, 30))), "AD");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("name", CX_EQ, "Dot"))), "D");
    assert_count(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_EQ, 20))), 2);
}

USERS_TEST(values_may_be_wider_than_their_column)
{
    User ann = {.name = CX_TEXT("Ann"), .rank = 7, .weight = 2};

    assert_ok(cx_db_insert(db, &user_model, &ann));
    assert_count(db, CX_QUERY(CX_WHERE(CX_IS("rank", CX_LT, INT64_MAX))), 1);
    assert_count(db, CX_QUERY(CX_WHERE(CX_IS("rank", CX_EQ, INT64_MIN))), 0);
    assert_count(db, CX_QUERY(CX_WHERE(CX_IS("weight", CX_EQ, 2))), 1);
    assert_count(db, CX_QUERY(CX_WHERE(CX_IS("active", CX_EQ, false))), 1);
    assert_count(db, CX_QUERY(CX_WHERE(CX_IS("active", CX_NE, true))), 1);
    assert_count(db, CX_QUERY(CX_WHERE(CX_IS("active", CX_EQ, ann.active))), 1);
}

/* One engine would find none, and the other refuse it or find all. */
USERS_TEST(a_value_of_another_kind_than_its_column_is_refused)
{
    static const unsigned char byte[1] = {0};
    cx_timestamp now = {0};
    cx_blob blob = {byte, 1};
    const cx_predicate wrong[] = {CX_IS("joined", CX_GE, "2026-01-01"),
                                  CX_IS("joined", CX_GE, 0),
                                  CX_IS("age", CX_LT, "x"),
                                  CX_IS("age", CX_LT, 2.5),
                                  CX_IS("age", CX_EQ, now),
                                  CX_IS("active", CX_EQ, "true"),
                                  CX_IS("active", CX_EQ, 2),
                                  CX_IS("name", CX_EQ, blob),
                                  CX_IS("name", CX_EQ, 7),
                                  CX_IS("photo", CX_EQ, "x"),
                                  CX_IS("weight", CX_EQ, "x"),
                                  {"age", CX_EQ, {.kind = (cx_kind)99}}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const cx_query query = {.where = &wrong[i], .where_len = 1};
        int64_t n;

        assert_int_equal(cx_db_count(db, &user_model, &query, &n), -EINVAL);
        assert_non_null(strstr(cx_db_problem(), wrong[i].column));
    }
    assert_int_equal(
        cx_db_count(db, &user_model,
                    CX_QUERY(CX_WHERE(CX_IS("joined", CX_GE, "x"))),
                    &(int64_t){0}),
        -EINVAL);
    assert_string_equal(cx_db_problem(), "count in users: users.joined is a"
                                         " time, and the value text");
}

USERS_TEST(null_is_equal_to_null_alone)
{
    add_five(db);
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_EQ, CX_NULL))), "E");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_NE, CX_NULL))), "ABCD");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_NE, 20))), "ADE");
    assert_names(db, CX_QUERY(CX_WHERE(CX_IS("age", CX_LT, CX_NULL))), "");
}

USERS_TEST(all_conditions_must_hold)
{
    add_five(db);
    assert_names(db,
                 CX_QUERY(CX_WHERE(CX_IS("age", CX_EQ, 20),
                                   CX_IS("photo", CX_EQ, CX_NULL),
                                   CX_IS("name", CX_GT, "Bob"))),
                 "C");
}

USERS_TEST(rows_come_in_the_order_that_is_asked_for)
{
    add_five(db);
    assert_names(db, CX_QUERY(.order = "age"), "EBCAD");
    assert_names(db, CX_QUERY(.order = "age", .descending = true), "DACBE");
}

USERS_TEST(a_limit_and_an_offset_make_pages)
{
    add_five(db);
    assert_names(db, CX_QUERY(.order = "name", .limit = 2), "AB");
    assert_names(db, CX_QUERY(.order = "name", .limit = 2, .offset = 2), "CD");
    assert_names(db, CX_QUERY(.order = "name", .offset = 3), "DE");
    assert_names(db, CX_QUERY(.order = "name", .limit = UINT64_MAX), "ABCDE");
    assert_names(db, CX_QUERY(.order = "name", .offset = UINT64_MAX), "");
    assert_count(db, CX_QUERY(.limit = 2, .offset = 9), 5);
}

USERS_TEST(a_column_that_is_not_there_is_refused)
{
    int64_t n;
    int error = 0;
    User user;

    assert_int_equal(cx_db_count(db, &user_model,
                                 CX_QUERY(CX_WHERE(CX_IS("x", CX_EQ, 1))), &n),
                     -EINVAL);
    assert_words("count in users: the model of users has no column x");
    assert_int_equal(cx_db_count(db, &user_model, CX_QUERY(.order = "x"), &n),
                     -EINVAL);
    CX_DB_EACH(db, &user_model, CX_QUERY(.order = "name\"; --"), &user,
               &error) {
        fail();
    }
    assert_int_equal(error, -EINVAL);
}

USERS_TEST(a_list_is_all_rows_at_once)
{
    User *users = NULL;
    size_t n = 0;
    CX_ARENA(arena);

    for (int i = 0; i < 100; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "user %d", i);
        (void)user_add(db, name, i);
    }
    assert_ok(cx_db_list(db, &user_model, CX_QUERY(.order = "id"), &users, &n,
                         &arena));
    assert_int_equal(n, 100);
    for (int i = 0; i < 100; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "user %d", i);
        assert_string_equal(users[i].name.data, name);
        assert_int_equal(users[i].age.value, i);
    }
}

USERS_TEST(a_list_of_nothing_is_empty)
{
    User *users = NULL;
    size_t n = 1;
    CX_ARENA(arena);

    assert_ok(cx_db_list(db, &user_model, NULL, &users, &n, &arena));
    assert_int_equal(n, 0);
}

USERS_TEST(a_loop_that_is_left_lets_go_of_its_connection)
{
    int error = -1;
    User user;

    add_five(db);
    for (int i = 0; i < 100; i++) {
        CX_DB_EACH(db, &user_model, NULL, &user, &error) {
            break;
        }
    }
    assert_int_equal(error, 0);
}

static int find_bob(cx_db *db, int *error)
{
    User user;

    CX_DB_EACH(db, &user_model, NULL, &user, error) {
        if (user.name.data[0] == 'B')
            return (int)user.id;
    }
    return -1;
}

USERS_TEST(a_loop_may_be_returned_from)
{
    int error;

    add_five(db);
    assert_int_equal(find_bob(db, &error), 2);
}

USERS_TEST(the_block_may_write_what_it_reads)
{
    int error = -1;
    User user;

    add_five(db);
    CX_DB_EACH(db, &user_model, CX_QUERY(.order = "id"), &user, &error) {
        user.rank = (int32_t)user.id;
        assert_ok(cx_db_update(db, &user_model, &user, CX_ONLY("rank")));
    }
    assert_ok(error);
    assert_int_equal(number(db, "SELECT CAST(sum(rank) AS INTEGER) FROM users"),
                     15);
}

USERS_TEST(loops_may_be_within_each_other)
{
    int outer_error = -1, inner_error = -1, n = 0;
    User outer, inner;

    add_five(db);
    CX_DB_EACH(db, &user_model, NULL, &outer, &outer_error) {
        CX_DB_EACH(db, &user_model, NULL, &inner, &inner_error) {
            n++;
        }
    }
    assert_int_equal(n, 25);
}

static void *add_eve(void *db)
{
    (void)user_add(db, "Zoe", 1);
    return NULL;
}

USERS_TEST(another_task_writes_while_a_loop_reads)
{
    int error = -1, n = 0;
    User user;

    add_five(db);
    CX_DB_EACH(db, &user_model, NULL, &user, &error) {
        if (n++ == 0)
            assert_int_equal(cx_await(cx_task_create(add_eve, db), NULL), 0);
    }
    assert_int_equal(n, 5);
    assert_count(db, NULL, 6);
}

USERS_TEST(another_tenant_may_be_read_within_a_loop)
{
    cx_tenant *other = tenant_make(db, "B");
    int error = -1;
    User user;

    add_five(db);
    CX_DB_EACH(db, &user_model, NULL, &user, &error) {
        CX_WITH_TENANT(other) {
            assert_count(db, NULL, 0);
        }
    }
    assert_ok(error);
    cx_tenant_unref(other);
}

USERS_TEST(a_database_with_a_task_that_reads_is_not_closed)
{
    int error = -1;
    User user;

    add_five(db);
    CX_DB_EACH(db, &user_model, NULL, &user, &error) {
        assert_int_equal(cx_db_close(db), -EBUSY);
        assert_string_not_equal(cx_db_problem(), "");
        assert_int_equal(cx_tenant_drop(tenant), -EBUSY);
    }
    assert_ok(error);
}

/* Rows of which most are still on their way when the first has come. */
static void add_many(cx_db *db)
{
    assert_ok(run(db, "INSERT INTO users (name) WITH RECURSIVE n (i) AS"
                      " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
                      " i < 20000) SELECT 'user ' || i FROM n"));
}

/* In a child process, at the first row: go on, or leave the loop. */
static void fork_in_loop(cx_db *db, bool goes_on, int expected)
{
    pid_t child = -1;
    int error = -1, n = 0;
    User user;

    CX_DB_EACH(db, &user_model, NULL, &user, &error) {
        if (n++ == 0) {
            child = fork();
            if (child == 0 && !goes_on)
                break;
            if (child != 0)
                assert_int_equal(status_of(child), expected);
        }
    }
    if (child == 0)
        leave(-error);
    assert_ok(error);
    assert_int_equal(n, 20000);
}

USERS_TEST(a_child_process_leaves_the_rows_of_a_loop_to_its_parent)
{
    add_many(db);
    fork_in_loop(db, true, EXDEV);
    fork_in_loop(db, false, 0);
    assert_count(db, NULL, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_query_all_rows_are_met),
        cmocka_unit_test(conditions_choose_rows),
        cmocka_unit_test(values_may_be_wider_than_their_column),
        cmocka_unit_test(a_value_of_another_kind_than_its_column_is_refused),
        cmocka_unit_test(null_is_equal_to_null_alone),
        cmocka_unit_test(all_conditions_must_hold),
        cmocka_unit_test(rows_come_in_the_order_that_is_asked_for),
        cmocka_unit_test(a_limit_and_an_offset_make_pages),
        cmocka_unit_test(a_column_that_is_not_there_is_refused),
        cmocka_unit_test(a_list_is_all_rows_at_once),
        cmocka_unit_test(a_list_of_nothing_is_empty),
        cmocka_unit_test(a_loop_that_is_left_lets_go_of_its_connection),
        cmocka_unit_test(a_loop_may_be_returned_from),
        cmocka_unit_test(the_block_may_write_what_it_reads),
        cmocka_unit_test(loops_may_be_within_each_other),
        cmocka_unit_test(another_task_writes_while_a_loop_reads),
        cmocka_unit_test(another_tenant_may_be_read_within_a_loop),
        cmocka_unit_test(a_database_with_a_task_that_reads_is_not_closed),
        cmocka_unit_test(
            a_child_process_leaves_the_rows_of_a_loop_to_its_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
