/* SPDX-License-Identifier: MIT */
/* Models: rows in and out of a struct, one by one. */
#include "users.h"

#include <math.h>

static const unsigned char bytes[] = {0, 1, 254, 255};

static User full_user(void)
{
    return (User){.name = CX_TEXT("Ann \xf0\x9f\x90\x99"),
                  .age = {INT64_MIN, true},
                  .rank = INT32_MIN,
                  .weight = -0.1,
                  .active = true,
                  .photo = {bytes, sizeof(bytes)},
                  .joined = {INT64_C(-62135596800000000)},
                  .left = {{INT64_MAX}, true}};
}

static void assert_text(cx_text text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_string_equal(text.data, expected);
}

USERS_TEST(a_row_comes_back_as_it_was_put_in)
{
    User put = full_user();
    User got = {.id = 0};
    CX_ARENA(arena);

    assert_ok(cx_db_insert(db, &user_model, &put));
    got.id = put.id;
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_text(got.name, put.name.data);
    assert_true(got.age.set && got.age.value == INT64_MIN);
    assert_int_equal(got.rank, INT32_MIN);
    assert_true(got.weight == put.weight);
    assert_true(got.active);
    assert_int_equal(got.photo.len, sizeof(bytes));
    assert_memory_equal(got.photo.data, bytes, sizeof(bytes));
    assert_true(got.joined.us == put.joined.us);
    assert_true(got.left.set && got.left.value.us == INT64_MAX);
}

USERS_TEST(a_row_can_be_written_down_in_the_call)
{
    User got = {.id = 7};
    CX_ARENA(arena);

    assert_ok(cx_db_insert(
        db, &user_model,
        &(User){.id = 7, .name = CX_TEXT("Ann"), .rank = 3, .weight = 0.5}));
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_text(got.name, "Ann");
    assert_true(got.rank == 3 && got.weight == 0.5 && !got.age.set);
    assert_ok(cx_db_update(db, &user_model, (&(User){.id = 7, .rank = 4}),
                           CX_ONLY("rank")));
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_int_equal(got.rank, 4);
    assert_ok(cx_db_delete(db, &user_model, &(User){.id = 7}));
}

USERS_TEST(what_is_missing_comes_back_as_missing)
{
    User put = {.name = CX_TEXT("")};
    User got = full_user();
    CX_ARENA(arena);

    assert_ok(cx_db_insert(db, &user_model, &put));
    got.id = put.id;
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_non_null(got.name.data);
    assert_int_equal(got.name.len, 0);
    assert_false(got.age.set);
    assert_null(got.photo.data);
    assert_false(got.left.set);
}

USERS_TEST(bytes_of_no_length_are_not_missing)
{
    User put = {.name = CX_TEXT("Ann"), .photo = {"", 0}};
    User got = {.id = 1};
    CX_ARENA(arena);

    assert_ok(cx_db_insert(db, &user_model, &put));
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_non_null(got.photo.data);
    assert_int_equal(got.photo.len, 0);
}

USERS_TEST(the_database_numbers_new_rows)
{
    User user = {.name = CX_TEXT("Ann")};

    assert_ok(cx_db_insert(db, &user_model, &user));
    assert_int_equal(user.id, 1);
    user = (User){.id = 40, .name = CX_TEXT("Bob")};
    assert_ok(cx_db_insert(db, &user_model, &user));
    assert_int_equal(user.id, 40);
    /* A sequence on a server knows nothing of numbers that it did not give. */
    assert_int_equal(user_add(db, "Cid", 1), server() == NULL ? 41 : 2);
}

USERS_TEST(a_key_that_is_there_is_refused_by_the_models_name)
{
    User user = {.name = CX_TEXT("Ann")};

    assert_ok(cx_db_insert(db, &user_model, &user));
    assert_int_equal(cx_db_insert(db, &user_model, &user), -EEXIST);
    assert_words("insert into users: UNIQUE constraint failed:"
                 " users.id");
}

USERS_TEST(a_row_that_is_not_there_is_not_found)
{
    User user = {.id = 7, .rank = 3};
    CX_ARENA(arena);

    assert_int_equal(cx_db_find(db, &user_model, &user, &arena), -ENOENT);
    assert_int_equal(user.rank, 3);
    assert_int_equal(cx_db_update(db, &user_model, &user, CX_ONLY("rank")),
                     -ENOENT);
    assert_int_equal(cx_db_delete(db, &user_model, &user), -ENOENT);
}

USERS_TEST(text_needs_an_arena)
{
    User user = {.id = user_add(db, "Ann", 1)};

    assert_int_equal(cx_db_find(db, &user_model, &user, NULL), -EINVAL);
}

USERS_TEST(an_update_changes_the_whole_row)
{
    User user = full_user();
    User got;
    CX_ARENA(arena);

    assert_ok(cx_db_insert(db, &user_model, &user));
    got = (User){.id = user.id};
    user = (User){.id = user.id, .name = CX_TEXT("Bob")};
    assert_ok(cx_db_update(db, &user_model, &user, NULL));
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_text(got.name, "Bob");
    assert_false(got.age.set);
    assert_false(got.active);
}

USERS_TEST(an_update_of_some_columns_leaves_the_others)
{
    User user = full_user();
    User got;
    CX_ARENA(arena);

    assert_ok(cx_db_insert(db, &user_model, &user));
    got = (User){.id = user.id};
    user = (User){.id = user.id, .name = CX_TEXT("Bob"), .rank = 9};
    assert_ok(cx_db_update(db, &user_model, &user, CX_ONLY("rank", "left_at")));
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_text(got.name, "Ann \xf0\x9f\x90\x99");
    assert_int_equal(got.rank, 9);
    assert_false(got.left.set);
}

USERS_TEST(an_update_of_a_column_that_is_not_there_is_refused)
{
    User user = {.id = user_add(db, "Ann", 1)};

    assert_int_equal(cx_db_update(db, &user_model, &user, CX_ONLY("x")),
                     -EINVAL);
    assert_string_equal(cx_db_problem(), "update users: the model has no column"
                                         " x to update");
    assert_int_equal(cx_db_update(db, &user_model, &user, CX_ONLY(NULL)),
                     -EINVAL);
}

USERS_TEST(an_update_of_the_key_is_refused)
{
    User user = {.id = user_add(db, "Ann", 1)};

    assert_int_equal(cx_db_update(db, &user_model, &user, CX_ONLY("id")),
                     -EINVAL);
    assert_string_equal(cx_db_problem(), "update users: id is of the key, by"
                                         " which the row is found");
}

USERS_TEST(a_deleted_row_is_gone)
{
    User user = {.id = user_add(db, "Ann", 1)};
    CX_ARENA(arena);

    assert_ok(cx_db_delete(db, &user_model, &user));
    assert_int_equal(cx_db_find(db, &user_model, &user, &arena), -ENOENT);
}

USERS_TEST(null_where_none_may_be_is_refused_before_it_is_sent)
{
    User user = {.id = 1};

    assert_int_equal(cx_db_insert(db, &user_model, &user), -EDOM);
    assert_words("insert into users: users.name must not be NULL");
}

USERS_TEST(text_that_is_not_utf8_is_refused)
{
    User user = {.name = CX_TEXT("\xfe")};

    assert_int_equal(cx_db_insert(db, &user_model, &user), -EILSEQ);
    user.name = (cx_text){"a\0b", 3};
    assert_int_equal(cx_db_insert(db, &user_model, &user), -EILSEQ);
}

USERS_TEST(a_number_that_is_none_is_refused)
{
    User user = {.name = CX_TEXT("Ann"), .weight = NAN};

    assert_int_equal(cx_db_insert(db, &user_model, &user), -EDOM);
    user.weight = INFINITY;
    assert_ok(cx_db_insert(db, &user_model, &user));
}

/* Fields that were not written by the model. */
USERS_TEST(a_field_that_the_member_cannot_hold_is_told)
{
    User user = {.id = user_add(db, "Ann", 1)};
    CX_ARENA(arena);

    assert_ok(run(db, "UPDATE users SET rank = 2147483648"));
    assert_int_equal(cx_db_find(db, &user_model, &user, &arena), -EBADMSG);
    assert_words("find in users: users.rank is more than 32 bits");
    if (server() != NULL)
        return;
    assert_ok(run(db, "UPDATE users SET rank = 'x'"));
    assert_int_equal(cx_db_find(db, &user_model, &user, &arena), -EBADMSG);
    assert_ok(run(db, "UPDATE users SET rank = 1, active = 2"));
    assert_int_equal(cx_db_find(db, &user_model, &user, &arena), -EBADMSG);
    assert_words("find in users: users.active is of another kind");
}

/* Models that do not match. */

typedef struct Wrong {
    cx_text id;
    cx_text name;
    int64_t weight;
    cx_text email;
    int64_t age;
} Wrong;

static const cx_column wrong_columns[] = {
    CX_COLUMN(Wrong, id),     CX_COLUMN(Wrong, name, .key = true),
    CX_COLUMN(Wrong, weight), CX_COLUMN(Wrong, email),
    CX_COLUMN(Wrong, age),
};
CX_MODEL(Wrong, wrong_model, "users", wrong_columns);
CX_MODEL(Wrong, nowhere_model, "none", wrong_columns);
CX_MODEL(Wrong, hostile_model, "users\"; DROP TABLE users; --", wrong_columns);
CX_MODEL(Wrong, late_model, "users", wrong_columns, .from = 3, .until = 4);
CX_MODEL(Wrong, later_model, "users", wrong_columns, .from = 2);
CX_MODEL(User, until_model, "users", user_columns, .until = 2);

USERS_TEST(a_model_that_does_not_match_is_told_column_by_column)
{
    Wrong wrong = {.name = CX_TEXT("Ann")};

    assert_int_equal(cx_db_check(db, &wrong_model), -EPROTOTYPE);
    assert_string_equal(
        cx_db_problem(),
        server() == NULL
            ? "users: id is declared INTEGER, and text is kept in TEXT; id is"
              " of the key, too; name is not the key; age may be NULL; weight"
              " is declared REAL, and a whole number is kept in INTEGER; email"
              " is missing"
            : "users: id is declared bigint, and text is kept in text; id is"
              " of the key, too; name is not the key; age may be NULL; weight"
              " is declared double precision, and a whole number is kept in"
              " bigint; email is missing");
    assert_int_equal(cx_db_delete(db, &wrong_model, &wrong), -EPROTOTYPE);
}

USERS_TEST(a_model_that_matches_is_found_to)
{
    assert_ok(cx_db_check(db, &user_model));
}

USERS_TEST(a_table_that_is_not_there_is_told)
{
    assert_int_equal(cx_db_check(db, &nowhere_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "none: there is no such table");
}

USERS_TEST(a_models_name_is_no_way_into_a_statement)
{
    assert_int_equal(cx_db_check(db, &hostile_model), -EPROTOTYPE);
    assert_words("a model without a table's name");
}

USERS_TEST(tables_of_another_version_are_refused)
{
    assert_int_equal(cx_db_check(db, &late_model), -ERANGE);
    assert_string_equal(cx_db_problem(),
                        "the tenant's tables are of version 0, and the model"
                        " of users is for 3 to 4");
    assert_int_equal(cx_db_check(db, &later_model), -ERANGE);
    assert_string_equal(cx_db_problem(),
                        "the tenant's tables are of version 0, and the model"
                        " of users is for 2 and later");
    assert_ok(cx_db_check(db, &until_model));
}

/* A key of two columns and nothing else. */
typedef struct Link {
    int64_t from;
    cx_text to;
} Link;

static const cx_column link_columns[] = {
    CX_COLUMN(Link, from, .key = true, .column = "source"),
    CX_COLUMN(Link, to, .key = true, .column = "target"),
};
CX_MODEL(Link, link_model, "links", link_columns);

DB_TEST(a_key_may_be_several_columns)
{
    Link link = {1, CX_TEXT("x")};
    cx_tenant *tenant;
    CX_ARENA(arena);

    template_exec(folder,
                  "CREATE TABLE links (source INTEGER NOT NULL, target TEXT NOT"
                  " NULL, PRIMARY KEY (source, target))");
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        assert_ok(cx_db_insert(db, &link_model, &link));
        assert_int_equal(cx_db_insert(db, &link_model, &link), -EEXIST);
        assert_ok(cx_db_find(db, &link_model, &link, &arena));
        link.to = CX_TEXT("y");
        assert_int_equal(cx_db_find(db, &link_model, &link, &arena), -ENOENT);
        assert_int_equal(cx_db_update(db, &link_model, &link, NULL), -EINVAL);
    }
    cx_tenant_unref(tenant);
}

/* Keys that are not the table's: a call on one row would be one on many. */
static const cx_column part_columns[] = {
    CX_COLUMN(Link, from, .key = true, .column = "source"),
    CX_COLUMN(Link, to, .column = "target"),
};
CX_MODEL(Link, part_model, "links", part_columns);

static const cx_column other_columns[] = {
    CX_COLUMN(Link, from, .column = "source"),
    CX_COLUMN(Link, to, .key = true, .column = "target"),
};
CX_MODEL(Link, other_model, "notes", other_columns);

static const cx_column keyless_columns[] = {
    CX_COLUMN(Link, from, .column = "source"),
    CX_COLUMN(Link, to, .column = "target"),
};
CX_MODEL(Link, keyless_model, "links", keyless_columns);

static const cx_column from_columns[] = {
    CX_COLUMN(Link, from, .column = "source"),
};
CX_MODEL(Link, from_model, "links", from_columns);

static const cx_column numbered_columns[] = {
    CX_COLUMN(Link, from, .key = true, .automatic = true, .column = "source"),
};
CX_MODEL(Link, numbered_model, "links", numbered_columns);
CX_MODEL(Link, plain_model, "plain", numbered_columns);
CX_MODEL(Link, capital_model, "Plain", numbered_columns);

/* A test in which a tenant with tables of links is the current one. */
#define LINKS_TEST(name)                                                       \
    static void name##_in(cx_db *db);                                          \
    DB_TEST(name)                                                              \
    {                                                                          \
        cx_tenant *tenant;                                                     \
                                                                               \
        template_exec(folder, link_tables);                                    \
        tenant = tenant_make(db, "A");                                         \
        CX_WITH_TENANT(tenant) {                                               \
            name##_in(db);                                                     \
        }                                                                      \
        cx_tenant_unref(tenant);                                               \
    }                                                                          \
    static void name##_in(cx_db *db)

static const char link_tables[] =
    "CREATE TABLE links (source INTEGER NOT NULL, target TEXT NOT NULL,"
    " PRIMARY KEY (source, target));"
    "CREATE TABLE notes (source INTEGER PRIMARY KEY, target TEXT NOT NULL);"
    "CREATE TABLE plain (source BIGINT NOT NULL PRIMARY KEY)";

static void add_links(cx_db *db)
{
    Link links[] = {{1, CX_TEXT("a")}, {1, CX_TEXT("b")}, {2, CX_TEXT("a")}};

    assert_ok(cx_db_insert_many(db, &link_model, links, 3));
}

LINKS_TEST(a_part_of_the_tables_key_is_no_key)
{
    Link link = {1, CX_TEXT("a")};

    add_links(db);
    assert_int_equal(cx_db_check(db, &part_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "links: target is of the key, too");
    assert_int_equal(cx_db_delete(db, &part_model, &link), -EPROTOTYPE);
    assert_int_equal(cx_db_update(db, &part_model, &link, NULL), -EPROTOTYPE);
    assert_int_equal(number(db, "SELECT count(*) FROM links"), 3);
}

LINKS_TEST(another_key_than_the_tables_is_told)
{
    assert_int_equal(cx_db_check(db, &other_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "notes: source is of the key, too;"
                                         " target is not the key");
}

LINKS_TEST(a_model_without_a_key_reads_and_inserts_and_names_no_row)
{
    Link link = {3, CX_TEXT("c")};
    Link *links;
    int64_t n;
    size_t len;
    CX_ARENA(arena);

    add_links(db);
    assert_ok(cx_db_check(db, &keyless_model));
    assert_ok(cx_db_insert(db, &keyless_model, &link));
    assert_ok(cx_db_count(db, &keyless_model, NULL, &n));
    assert_int_equal(n, 4);
    assert_ok(cx_db_list(db, &keyless_model, CX_QUERY(.order = "source"),
                         &links, &len, &arena));
    assert_int_equal(len, 4);
    assert_int_equal(cx_db_find(db, &keyless_model, &link, &arena),
                     -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "find in links: the model has no key");
    assert_int_equal(
        cx_db_find_many(db, &keyless_model, &link, 1, NULL, &arena),
        -EPROTOTYPE);
    assert_int_equal(cx_db_update(db, &keyless_model, &link, NULL),
                     -EPROTOTYPE);
    assert_int_equal(cx_db_delete(db, &keyless_model, &link), -EPROTOTYPE);
    assert_int_equal(number(db, "SELECT count(*) FROM links"), 4);
}

LINKS_TEST(a_column_that_a_model_lacks_is_missed_by_an_insert_alone)
{
    Link link = {1, {NULL, 0}};
    int64_t n = 0;

    add_links(db);
    assert_ok(cx_db_check(db, &from_model));
    assert_ok(cx_db_count(db, &from_model,
                          CX_QUERY(CX_WHERE(CX_IS("source", CX_EQ, 1))), &n));
    assert_int_equal(n, 2);
    assert_int_equal(cx_db_insert(db, &from_model, &link), -EPROTOTYPE);
    assert_string_equal(
        cx_db_problem(),
        "insert into links: links: target is not given, and must be");
}

LINKS_TEST(what_the_database_does_not_number_is_not_automatic)
{
    Link link = {.from = 0};

    assert_int_equal(cx_db_check(db, &numbered_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "links: source is not numbered;"
                                         " target is of the key, too");
    assert_int_equal(cx_db_check(db, &plain_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "plain: source is not numbered");
    assert_int_equal(cx_db_insert(db, &plain_model, &link), -EPROTOTYPE);
}

LINKS_TEST(the_letters_of_a_name_are_as_the_tables)
{
    assert_int_equal(cx_db_check(db, &capital_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "Plain: there is no such table");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_comes_back_as_it_was_put_in),
        cmocka_unit_test(a_row_can_be_written_down_in_the_call),
        cmocka_unit_test(what_is_missing_comes_back_as_missing),
        cmocka_unit_test(bytes_of_no_length_are_not_missing),
        cmocka_unit_test(the_database_numbers_new_rows),
        cmocka_unit_test(a_key_that_is_there_is_refused_by_the_models_name),
        cmocka_unit_test(a_row_that_is_not_there_is_not_found),
        cmocka_unit_test(text_needs_an_arena),
        cmocka_unit_test(an_update_changes_the_whole_row),
        cmocka_unit_test(an_update_of_some_columns_leaves_the_others),
        cmocka_unit_test(an_update_of_a_column_that_is_not_there_is_refused),
        cmocka_unit_test(an_update_of_the_key_is_refused),
        cmocka_unit_test(a_deleted_row_is_gone),
        cmocka_unit_test(null_where_none_may_be_is_refused_before_it_is_sent),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(a_number_that_is_none_is_refused),
        cmocka_unit_test(a_field_that_the_member_cannot_hold_is_told),
        cmocka_unit_test(a_model_that_does_not_match_is_told_column_by_column),
        cmocka_unit_test(a_model_that_matches_is_found_to),
        cmocka_unit_test(a_table_that_is_not_there_is_told),
        cmocka_unit_test(a_models_name_is_no_way_into_a_statement),
        cmocka_unit_test(tables_of_another_version_are_refused),
        cmocka_unit_test(a_key_may_be_several_columns),
        cmocka_unit_test(a_part_of_the_tables_key_is_no_key),
        cmocka_unit_test(another_key_than_the_tables_is_told),
        cmocka_unit_test(
            a_model_without_a_key_reads_and_inserts_and_names_no_row),
        cmocka_unit_test(
            a_column_that_a_model_lacks_is_missed_by_an_insert_alone),
        cmocka_unit_test(what_the_database_does_not_number_is_not_automatic),
        cmocka_unit_test(the_letters_of_a_name_are_as_the_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
