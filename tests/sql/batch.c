/* SPDX-License-Identifier: MIT */
/* Models: rows in and out by the array. */
#include "users.h"

#include <ctxvar/transaction.h>

enum { MANY = 600, NAME_BYTES = 32 }; /* more than go at once */

/* New rows, each of its own name. */
static void rows_name(User *rows, char names[][NAME_BYTES], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(names[i], NAME_BYTES, "user %zu", i);
        rows[i] = (User){.name = CX_TEXT(names[i]), .rank = (int32_t)i};
    }
}

static int64_t users_count(cx_db *db)
{
    int64_t n = -1;

    assert_ok(cx_db_count(db, &user_model, NULL, &n));
    return n;
}

USERS_TEST(rows_that_are_inserted_together_are_numbered_in_order)
{
    static User rows[MANY];
    static char names[MANY][NAME_BYTES];

    rows_name(rows, names, MANY);
    assert_ok(cx_db_insert_many(db, &user_model, rows, MANY));
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rows[i].id, i + 1);
    assert_int_equal(users_count(db), MANY);
}

USERS_TEST(rows_that_are_found_together_are_each_its_own)
{
    static User rows[MANY];
    static User got[MANY];
    static char names[MANY][NAME_BYTES];
    CX_ARENA(arena);

    rows_name(rows, names, MANY);
    assert_ok(cx_db_insert_many(db, &user_model, rows, MANY));
    got[0].id = 1;
    assert_ok(cx_db_find(db, &user_model, &got[0], &arena));
    for (int i = 0; i < MANY; i++)
        got[i] = (User){.id = MANY - i};
    assert_ok(cx_db_find_many(db, &user_model, got, MANY, NULL, &arena));
    for (int i = 0; i < MANY; i++) {
        assert_string_equal(got[i].name.data, names[MANY - i - 1]);
        assert_int_equal(got[i].rank, MANY - i - 1);
    }
}

USERS_TEST(a_row_that_is_asked_for_more_than_once_is_found_each_time)
{
    int64_t ann = user_add(db, "Ann", 1);
    int64_t bob = user_add(db, "Bob", 2);
    User rows[5] = {
        {.id = bob}, {.id = ann}, {.id = bob}, {.id = 77}, {.id = ann}};
    bool found[5];
    CX_ARENA(arena);

    assert_ok(cx_db_find_many(db, &user_model, rows, 5, found, &arena));
    assert_true(found[0] && found[1] && found[2] && !found[3] && found[4]);
    assert_string_equal(rows[0].name.data, "Bob");
    assert_string_equal(rows[1].name.data, "Ann");
    assert_string_equal(rows[2].name.data, "Bob");
    assert_string_equal(rows[4].name.data, "Ann");
    assert_true(rows[2].id == bob && rows[3].id == 77);
}

USERS_TEST(keys_of_any_size_are_found_together)
{
    static const int64_t keys[] = {INT64_MIN, -1, 1, INT64_MAX};
    User rows[4];
    CX_ARENA(arena);

    for (int i = 0; i < 4; i++) {
        rows[i] = (User){.id = keys[i], .name = CX_TEXT(&"abcd"[i])};
        assert_ok(cx_db_insert(db, &user_model, &rows[i]));
        rows[i] = (User){.id = keys[i]};
    }
    assert_ok(cx_db_find_many(db, &user_model, rows, 4, NULL, &arena));
    for (int i = 0; i < 4; i++)
        assert_string_equal(rows[i].name.data, &"abcd"[i]);
}

typedef struct Place {
    cx_text country;
    cx_text city;
    int64_t people;
} Place;

static const cx_column place_columns[] = {
    CX_COLUMN(Place, country, .key = true),
    CX_COLUMN(Place, city, .key = true),
    CX_COLUMN(Place, people),
};
CX_MODEL(Place, place_model, "places", place_columns);

DB_TEST(keys_that_are_no_numbers_are_found_together)
{
    Place rows[3] = {{CX_TEXT("fr"), CX_TEXT("Paris"), 1},
                     {CX_TEXT("us"), CX_TEXT("Paris"), 2},
                     {CX_TEXT("us"), CX_TEXT("Lyon"), 3}};
    bool found[3];
    cx_tenant *tenant;
    CX_ARENA(arena);

    template_exec(folder, "CREATE TABLE places (country TEXT NOT NULL,"
                          " city TEXT NOT NULL, people INTEGER NOT NULL,"
                          " PRIMARY KEY (country, city))");
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(cx_db_insert_many(db, &place_model, rows, 2));
        rows[0].people = rows[1].people = 0;
        assert_ok(cx_db_find_many(db, &place_model, rows, 3, found, &arena));
    }
    assert_true(found[0] && found[1] && !found[2]);
    assert_true(rows[0].people == 1 && rows[1].people == 2);
    cx_tenant_unref(tenant);
}

USERS_TEST(a_row_that_is_missing_among_many_is_told)
{
    User rows[3] = {{.id = user_add(db, "Ann", 1)}, {.id = 77}, {.id = 1}};
    bool found[3] = {false, true, false};
    CX_ARENA(arena);

    assert_ok(cx_db_find_many(db, &user_model, rows, 3, found, &arena));
    assert_true(found[0] && !found[1] && found[2]);
    assert_string_equal(rows[2].name.data, "Ann");
    assert_null(rows[1].name.data);
    assert_int_equal(cx_db_find_many(db, &user_model, rows, 3, NULL, &arena),
                     -ENOENT);
    assert_int_equal(users_count(db), 1);
}

USERS_TEST(of_rows_one_of_which_is_refused_none_is_inserted)
{
    static User rows[MANY];
    static char names[MANY][NAME_BYTES];

    rows_name(rows, names, MANY);
    rows[MANY / 2].name = rows[0].name;
    assert_int_equal(cx_db_insert_many(db, &user_model, rows, MANY), -EEXIST);
    assert_words("insert into users: UNIQUE constraint failed:"
                 " users.name");
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rows[i].id, 0);
    assert_int_equal(users_count(db), 0);
    rows[MANY / 2].name = CX_TEXT("somebody else");
    assert_ok(cx_db_insert_many(db, &user_model, rows, MANY));
}

USERS_TEST(a_value_that_cannot_be_stored_stops_all)
{
    User rows[3] = {{.name = CX_TEXT("Ann")},
                    {.name = {"\xff", 1}},
                    {.name = CX_TEXT("Cid")}};

    assert_int_equal(cx_db_insert_many(db, &user_model, rows, 3), -EILSEQ);
    assert_int_equal(users_count(db), 0);
    assert_int_equal(rows[0].id, 0);
    assert_int_equal(user_add(db, "Bob", 1) > 0, 1);
}

USERS_TEST(a_transaction_outlives_rows_that_were_refused_in_it)
{
    User rows[2] = {{.name = CX_TEXT("Bob")}, {.name = CX_TEXT("Ann")}};
    int error;

    CX_TRANSACTION(db, &error) {
        (void)user_add(db, "Ann", 1);
        assert_int_equal(cx_db_insert_many(db, &user_model, rows, 2), -EEXIST);
        (void)user_add(db, "Cid", 1);
    }
    assert_ok(error);
    assert_int_equal(users_count(db), 2);
}

USERS_TEST(rows_with_and_without_a_number_are_refused)
{
    User rows[2] = {{.name = CX_TEXT("Ann")},
                    {.id = 9, .name = CX_TEXT("Bob")}};

    assert_int_equal(cx_db_insert_many(db, &user_model, rows, 2), -EINVAL);
    assert_words("insert into users: rows with a number beside rows without");
    assert_int_equal(rows[0].id, 0);
    rows[0].id = 4;
    assert_ok(cx_db_insert_many(db, &user_model, rows, 2));
    assert_int_equal(rows[0].id, 4);
    assert_int_equal(users_count(db), 2);
}

USERS_TEST(no_rows_are_nothing_to_do)
{
    User none[1] = {{.id = 0}};
    CX_ARENA(arena);

    assert_ok(cx_db_insert_many(db, &user_model, none, 0));
    assert_ok(cx_db_insert_many(db, &user_model, (User *)NULL, 0));
    assert_int_equal(cx_db_insert_many(db, &user_model, (User *)NULL, 1),
                     -EINVAL);
    assert_ok(cx_db_find_many(db, &user_model, none, 0, NULL, &arena));
    assert_ok(cx_db_find_many(db, &user_model, (User *)NULL, 0, NULL, NULL));
    assert_int_equal(
        cx_db_find_many(db, &user_model, (User *)NULL, 1, NULL, &arena),
        -EINVAL);
}

USERS_TEST(many_can_be_found_while_rows_are_read)
{
    User rows[2] = {{.id = user_add(db, "Ann", 1)},
                    {.id = user_add(db, "Bob", 2)}};
    User each;
    int error;
    int n = 0;
    CX_ARENA(arena);

    CX_DB_EACH(db, &user_model, CX_QUERY(.order = "name"), &each, &error) {
        assert_ok(cx_db_find_many(db, &user_model, rows, 2, NULL, &arena));
        assert_string_equal(each.name.data, rows[n].name.data);
        n++;
    }
    assert_ok(error);
    assert_int_equal(n, 2);
}

struct search {
    cx_db *db;
    int error;
};

static void *find_again(void *arg)
{
    struct search *search = arg;

    do {
        User rows[64];
        bool found[64];
        CX_ARENA(arena);

        for (int i = 0; i < 64; i++)
            rows[i] = (User){.id = i};
        search->error =
            cx_db_find_many(search->db, &user_model, rows, 64, found, &arena);
        if (search->error == 0)
            search->error = cx_yield();
    } while (search->error == 0);
    return NULL;
}

USERS_TEST(a_search_that_is_cancelled_leaves_the_next_one_whole)
{
    (void)user_add(db, "Ann", 1);
    for (int i = 0; i < 20; i++) {
        struct search search = {.db = db};
        cx_task *task = cx_task_create(find_again, &search);

        for (int turn = 0; turn < i; turn++)
            assert_int_equal(cx_yield(), 0);
        assert_int_equal(cx_cancel(task), 0);
        assert_int_equal(cx_await(task, NULL), 0);
        assert_int_equal(search.error, -ECANCELED);
        assert_int_equal(users_count(db), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_are_inserted_together_are_numbered_in_order),
        cmocka_unit_test(rows_that_are_found_together_are_each_its_own),
        cmocka_unit_test(
            a_row_that_is_asked_for_more_than_once_is_found_each_time),
        cmocka_unit_test(keys_of_any_size_are_found_together),
        cmocka_unit_test(keys_that_are_no_numbers_are_found_together),
        cmocka_unit_test(a_row_that_is_missing_among_many_is_told),
        cmocka_unit_test(of_rows_one_of_which_is_refused_none_is_inserted),
        cmocka_unit_test(a_value_that_cannot_be_stored_stops_all),
        cmocka_unit_test(a_transaction_outlives_rows_that_were_refused_in_it),
        cmocka_unit_test(rows_with_and_without_a_number_are_refused),
        cmocka_unit_test(no_rows_are_nothing_to_do),
        cmocka_unit_test(many_can_be_found_while_rows_are_read),
        cmocka_unit_test(a_search_that_is_cancelled_leaves_the_next_one_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
