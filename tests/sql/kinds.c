/* SPDX-License-Identifier: MIT */
/*
 * Models whose columns may be missing, each of another kind; and models that
 * are none, which are refused before a statement is made of them.
 */
#include <ctxvar/model.h>

#include "support.h"

typedef struct Thing {
    int64_t id;
    cx_maybe_i64 large;
    cx_maybe_i32 small;
    cx_maybe_f64 weight;
    cx_maybe_bool good;
    cx_maybe_timestamp at;
} Thing;

static const cx_column thing_columns[] = {
    CX_COLUMN(Thing, id, .key = true, .automatic = true),
    CX_COLUMN(Thing, large),
    CX_COLUMN(Thing, small),
    CX_COLUMN(Thing, weight),
    CX_COLUMN(Thing, good),
    CX_COLUMN(Thing, at),
};
CX_MODEL(Thing, thing_model, "things", thing_columns);

static const char table[] =
    "CREATE TABLE things (id INTEGER PRIMARY KEY, large INTEGER,"
    " small INTEGER, weight REAL, good INTEGER, at INTEGER)";
static const char table_on_server[] =
    "CREATE TABLE things (id INTEGER PRIMARY KEY, large INTEGER,"
    " small INTEGER, weight REAL, good boolean, at timestamptz)";

/* A test in which a tenant with an empty table is the current one. */
#define THINGS_TEST(name, script)                                              \
    static void name##_in(cx_db *db);                                          \
    DB_TEST(name)                                                              \
    {                                                                          \
        cx_tenant *tenant;                                                     \
                                                                               \
        template_exec(folder, (script));                                       \
        tenant = tenant_make(db, "A");                                         \
        CX_WITH_TENANT(tenant) {                                               \
            name##_in(db);                                                     \
        }                                                                      \
        cx_tenant_unref(tenant);                                               \
    }                                                                          \
    static void name##_in(CX__UNUSED cx_db *db)

/* The thing in which those columns are there that have a bit in `set`. */
static Thing thing_of(unsigned set)
{
    return (Thing){.large = {INT64_MIN, (set & 1) != 0},
                   .small = {INT32_MAX, (set & 2) != 0},
                   .weight = {-0.5, (set & 4) != 0},
                   .good = {true, (set & 8) != 0},
                   .at = {{-1}, (set & 16) != 0}};
}

static void assert_thing(const Thing *got, unsigned set)
{
    Thing put = thing_of(set);

    assert_int_equal(got->large.set, put.large.set);
    assert_int_equal(got->small.set, put.small.set);
    assert_int_equal(got->weight.set, put.weight.set);
    assert_int_equal(got->good.set, put.good.set);
    assert_int_equal(got->at.set, put.at.set);
    assert_true(!put.large.set || got->large.value == put.large.value);
    assert_true(!put.small.set || got->small.value == put.small.value);
    assert_true(!put.weight.set || got->weight.value == put.weight.value);
    assert_true(!put.good.set || got->good.value == put.good.value);
    assert_true(!put.at.set || got->at.value.us == put.at.value.us);
}

/* How many there are that are the same but for their numbers. */
static int64_t count_equal(cx_db *db, const Thing *thing)
{
    int64_t n = -1;

    assert_ok(cx_db_count(
        db, &thing_model,
        CX_QUERY(CX_WHERE(
            CX_IS("id", CX_EQ, thing->id), CX_IS("large", CX_EQ, thing->large),
            CX_IS("small", CX_EQ, thing->small),
            CX_IS("weight", CX_EQ, thing->weight),
            CX_IS("good", CX_EQ, thing->good), CX_IS("at", CX_EQ, thing->at))),
        &n));
    return n;
}

THINGS_TEST(columns_that_may_be_missing_are_so_one_by_one,
            server() == NULL ? table : table_on_server)
{
    for (unsigned set = 0; set < 32; set++) {
        Thing thing = thing_of(set);
        Thing got = thing_of(~set);

        assert_ok(cx_db_insert(db, &thing_model, &thing));
        got.id = thing.id;
        assert_ok(cx_db_find(db, &thing_model, &got, NULL));
        assert_thing(&got, set);
        assert_int_equal(count_equal(db, &thing), 1);
        thing = thing_of(~set);
        thing.id = got.id;
        assert_ok(cx_db_update(db, &thing_model, &thing, NULL));
        assert_ok(cx_db_find(db, &thing_model, &got, NULL));
        assert_thing(&got, ~set);
    }
}

THINGS_TEST(a_field_that_a_member_cannot_hold_leaves_the_row_as_it_was,
            server() == NULL ? table : table_on_server)
{
    Thing thing = thing_of(31);

    assert_ok(cx_db_insert(db, &thing_model, &thing));
    assert_ok(run(db, "UPDATE things SET small = -2147483649, large = 1"));
    assert_int_equal(cx_db_find(db, &thing_model, &thing, NULL), -EBADMSG);
    assert_words("find in things: things.small is more than 32 bits");
    assert_thing(&thing, 31);
}

/* More columns than a model has, and ones that are none. */
static cx_column many_columns[57];

enum { I64 = CX__FIELD_I64, TEXT = CX__FIELD_TEXT };

#define MAYBE(kind) (CX__FIELD_##kind | CX__FIELD_MAYBE)

/* The second column of a model, whose first is sound, and what it is. */
static const struct unsound {
    cx_column column;
    const char *what;
} unsound[] = {
    {{.member = NULL, .field = I64}, "has no name"},
    {{.member = "", .field = I64}, "has no name"},
    {{.member = "a\"", .field = I64}, "has no name"},
    {{.member = "a b", .field = I64}, "has no name"},
    {{.member = "x", .column = "\xc3\xa9", .field = I64}, "has no name"},
    {{.member = "a234567890123456789012345678901234567890123456789012345678901"
                "234",
      .field = I64},
     "has no name"},
    {{.member = "id", .field = I64}, "is there twice"},
    {{.member = "x", .column = "id", .field = I64}, "is there twice"},
    {{.member = "x", .field = CX__FIELD_NONE}, "is of no kind"},
    {{.member = "x", .field = CX__FIELD_TIMESTAMP + 1}, "is of no kind"},
    {{.member = "x", .field = MAYBE(NONE)}, "is of no kind"},
    {{.member = "x", .field = MAYBE(TEXT)}, "is of no kind"},
    {{.member = "x", .field = MAYBE(BLOB)}, "is of no kind"},
    {{.member = "x", .field = 32 | I64}, "is of no kind"},
    {{.member = "x", .field = UINT32_MAX}, "is of no kind"},
    {{.member = "x", .field = I64, .offset = sizeof(Thing) - 7},
     "is not within the struct"},
    {{.member = "x", .field = I64, .offset = UINT32_MAX},
     "is not within the struct"},
    {{.member = "x", .field = TEXT, .offset = sizeof(Thing) - 8},
     "is not within the struct"},
    {{.member = "x", .field = MAYBE(I64), .offset = sizeof(Thing) - 8},
     "is not within the struct"},
    {{.member = "x", .field = MAYBE(BOOL), .offset = sizeof(Thing) - 1},
     "is not within the struct"},
    {{.member = "x", .field = I64, .offset = 4}, "is not within the struct"},
    {{.member = "x", .field = I64, .null = true},
     "is .null, and neither text nor bytes"},
    {{.member = "x", .field = MAYBE(I64), .null = true},
     "is .null, and neither text nor bytes"},
    {{.member = "x", .field = I64, .automatic = true},
     "is .automatic, and not an int64_t that is the key"},
    {{.member = "x", .field = I64, .key = true, .automatic = true},
     "is .automatic, and not an int64_t that is the key"},
    {{.member = "x", .field = CX__FIELD_I32, .key = true, .automatic = true},
     "is .automatic, and not an int64_t that is the key"},
};

/* All that can be asked with a model. */
static void assert_none(cx_db *db, const cx_model *model)
{
    Thing things[2] = {{.id = 1}};
    int error = 0;
    void *rows;
    int64_t count;
    size_t n;
    CX_ARENA(arena);

    assert_int_equal(cx_model_check(db, model), -EPROTOTYPE);
    assert_int_equal(cx_model_insert(db, model, things), -EPROTOTYPE);
    assert_int_equal(cx_model_insert_many(db, model, things, 2), -EPROTOTYPE);
    assert_int_equal(cx_model_find(db, model, things, &arena), -EPROTOTYPE);
    assert_int_equal(cx_model_find_many(db, model, things, 2, NULL, &arena),
                     -EPROTOTYPE);
    assert_int_equal(cx_model_update(db, model, things, NULL), -EPROTOTYPE);
    assert_int_equal(cx_model_update(db, model, things, CX_ONLY("x")),
                     -EPROTOTYPE);
    assert_int_equal(cx_model_delete(db, model, things), -EPROTOTYPE);
    assert_int_equal(cx_model_count(db, model,
                                    CX_QUERY(CX_WHERE(CX_IS("x", CX_EQ, 1))),
                                    &count),
                     -EPROTOTYPE);
    assert_int_equal(
        cx_model_list(db, model, CX_QUERY(.order = "x"), &rows, &n, &arena),
        -EPROTOTYPE);
    (void)cx__cursor_begin(db, model, NULL, things, &error);
    assert_int_equal(error, -EPROTOTYPE);
}

THINGS_TEST(a_column_that_is_none_is_refused_by_its_number,
            server() == NULL ? table : table_on_server)
{
    for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++) {
        const cx_column columns[] = {
            {.member = "id", .field = I64, .key = true}, unsound[i].column};
        cx_model model = {.table = "things",
                          .columns = columns,
                          .columns_len = 2,
                          .size = sizeof(Thing)};
        char expected[128];

        (void)snprintf(expected, sizeof(expected),
                       "column 2 of the model of things %s", unsound[i].what);
        assert_none(db, &model);
        assert_int_equal(cx_model_check(db, &model), -EPROTOTYPE);
        assert_string_equal(cx_db_problem(), expected);
    }
}

THINGS_TEST(a_model_without_a_table_or_columns_or_with_too_many_is_refused,
            server() == NULL ? table : table_on_server)
{
    const cx_model models[] = {
        {.table = "things", .size = sizeof(Thing)},
        {.table = "things", .columns = thing_columns, .size = sizeof(Thing)},
        {.table = "things", .columns_len = 1, .size = sizeof(Thing)},
        {.table = "things",
         .columns = many_columns,
         .columns_len = 57,
         .size = sizeof(Thing)},
        {.table = "things", .columns = thing_columns, .columns_len = 1},
        {.columns = thing_columns, .columns_len = 1, .size = sizeof(Thing)},
        {.table = "things\" --",
         .columns = thing_columns,
         .columns_len = 1,
         .size = sizeof(Thing)},
    };

    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        assert_none(db, &models[i]);
}

CX_MODEL(Thing, late_model, "things", thing_columns, .from = 3);

THINGS_TEST(a_query_for_tables_of_another_version_is_refused,
            server() == NULL ? table : table_on_server)
{
    Thing *things;
    int64_t count;
    size_t n;
    int error;
    Thing thing;
    CX_ARENA(arena);

    assert_int_equal(cx_db_count(db, &late_model, NULL, &count), -ERANGE);
    assert_int_equal(cx_db_list(db, &late_model, NULL, &things, &n, &arena),
                     -ERANGE);
    CX_DB_EACH(db, &late_model, NULL, &thing, &error) {
        fail();
    }
    assert_int_equal(error, -ERANGE);
}

THINGS_TEST(what_is_not_given_is_refused,
            server() == NULL ? table : table_on_server)
{
    const cx_model *model = &thing_model.model;
    Thing thing = {.id = 1};
    void *rows;
    int64_t count;
    size_t n;
    CX_ARENA(arena);

    assert_int_equal(cx_model_check(db, NULL), -EINVAL);
    assert_int_equal(cx_model_find(db, NULL, &thing, NULL), -EINVAL);
    assert_int_equal(cx_model_find(db, model, NULL, NULL), -EINVAL);
    assert_int_equal(cx_model_count(db, model, NULL, NULL), -EINVAL);
    assert_int_equal(cx_model_list(db, model, NULL, NULL, &n, &arena), -EINVAL);
    assert_int_equal(cx_model_list(db, model, NULL, &rows, NULL, &arena),
                     -EINVAL);
    assert_int_equal(cx_model_list(db, model, NULL, &rows, &n, NULL), -EINVAL);
    assert_string_equal(cx_db_problem(), "");
    assert_int_equal(cx_model_update(db, model, &thing, &(cx_names){.len = 1}),
                     -EINVAL);
    assert_int_equal(
        cx_model_count(db, model, CX_QUERY(.where_len = 1), &count), -EINVAL);
    assert_int_equal(cx_db_sql(db, "SELECT $1", &(cx_params){.len = 1}, NULL),
                     -EINVAL);
    CX_DB_EACH(db, &thing_model, NULL, &thing, NULL) {
        fail();
    }
    cx_arena_fini(NULL);
}

static const char odd_table[] =
    "CREATE TABLE things (id BIGINT PRIMARY KEY, large, small DECIMAL(9),"
    " weight FLOAT, good BOOLEAN, at DATETIME)";

/* As SQLite tells from what is declared. */
THINGS_TEST(what_columns_hold_is_told_whatever_they_are_declared,
            server() == NULL ? odd_table : table_on_server)
{
    if (server() != NULL)
        return;
    assert_int_equal(cx_db_check(db, &thing_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(),
                        "things: id is not numbered; large is declared without"
                        " a type, and a whole number is kept in INTEGER; small"
                        " is declared DECIMAL(9), and a whole number is kept in"
                        " INTEGER; good is declared BOOLEAN, and true or false"
                        " is kept in INTEGER; at is declared DATETIME, and a"
                        " time is kept in INTEGER");
}

static const char falling_table[] =
    "CREATE TABLE things (id INTEGER PRIMARY KEY DESC, large INTEGER,"
    " small INTEGER, weight REAL, good INTEGER, at INTEGER)";

/* To such a key SQLite does not give its own number of the row, but NULL. */
THINGS_TEST(a_key_that_is_not_sqlites_own_number_is_not_numbered,
            server() == NULL ? falling_table : table_on_server)
{
    Thing thing = {.id = 0};

    if (server() != NULL)
        return;
    assert_int_equal(cx_db_check(db, &thing_model), -EPROTOTYPE);
    assert_string_equal(cx_db_problem(), "things: id is not numbered");
    assert_int_equal(cx_db_insert(db, &thing_model, &thing), -EPROTOTYPE);
}

static const char ignoring_table[] =
    "CREATE TABLE things (id INTEGER PRIMARY KEY,"
    " large INTEGER UNIQUE ON CONFLICT IGNORE, small INTEGER, weight REAL,"
    " good INTEGER, at INTEGER)";

/* SQLite's number is then still that of the row before. */
THINGS_TEST(a_row_that_the_table_keeps_out_is_not_said_to_be_inserted,
            server() == NULL ? ignoring_table : table_on_server)
{
    Thing thing = {.large = {5, true}};
    Thing things[] = {{.large = {6, true}}, {.large = {5, true}}};
    int64_t n = 0;

    if (server() != NULL)
        return;
    assert_int_equal(cx_db_insert(db, &thing_model, &thing), 0);
    thing.id = 0;
    assert_int_equal(cx_db_insert(db, &thing_model, &thing), -EEXIST);
    assert_int_equal(thing.id, 0);
    thing.id = 7;
    assert_int_equal(cx_db_insert(db, &thing_model, &thing), -EEXIST);
    assert_int_equal(cx_db_insert_many(db, &thing_model, things, 2), -EEXIST);
    assert_int_equal(things[0].id, 0);
    things[0].id = 8;
    things[1].id = 9;
    assert_int_equal(cx_db_insert_many(db, &thing_model, things, 2), -EEXIST);
    assert_int_equal(cx_db_count(db, &thing_model, NULL, &n), 0);
    assert_int_equal(n, 1);
    /* Nor that a row which it keeps as it is was not there. */
    things[0] = (Thing){.large = {6, true}};
    assert_int_equal(cx_db_insert(db, &thing_model, &things[0]), 0);
    things[0].large.value = 5;
    assert_int_equal(cx_db_update(db, &thing_model, &things[0], NULL), -EEXIST);
    things[0].id = 99;
    assert_int_equal(cx_db_update(db, &thing_model, &things[0], NULL), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_that_may_be_missing_are_so_one_by_one),
        cmocka_unit_test(
            a_field_that_a_member_cannot_hold_leaves_the_row_as_it_was),
        cmocka_unit_test(a_column_that_is_none_is_refused_by_its_number),
        cmocka_unit_test(
            a_model_without_a_table_or_columns_or_with_too_many_is_refused),
        cmocka_unit_test(a_query_for_tables_of_another_version_is_refused),
        cmocka_unit_test(what_is_not_given_is_refused),
        cmocka_unit_test(what_columns_hold_is_told_whatever_they_are_declared),
        cmocka_unit_test(a_key_that_is_not_sqlites_own_number_is_not_numbered),
        cmocka_unit_test(
            a_row_that_the_table_keeps_out_is_not_said_to_be_inserted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
