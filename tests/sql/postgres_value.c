/* SPDX-License-Identifier: MIT */
/* Values from a server, and what is none of them. */
#include <locale.h>
#include <math.h>

#include "postgres_value.h"
#include "problem.h"
#include "users.h"

enum {
    BOOL = 16,
    BYTEA = 17,
    INT8 = 20,
    TEXT = 25,
    FLOAT8 = 701,
    STAMP = 1114
};

/* A result with one field. */
static PGresult *result_of(Oid type, int format, const char *data, size_t len)
{
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc column = {
        .name = (char[]){"x"}, .format = format, .typid = type};

    assert_non_null(result);
    assert_int_equal(PQsetResultAttrs(result, 1, &column), 1);
    assert_int_equal(
        PQsetvalue(result, 0, 0, (char *)(uintptr_t)data, (int)len), 1);
    return result;
}

static int read_as(cx_kind kind, Oid type, int format, const char *data,
                   size_t len)
{
    struct cx__scratch scratch = {.used = 0};
    PGresult *result = result_of(type, format, data, len);
    cx_param value;
    int error = cx__pg_read(&scratch, result, 0, 0, kind, &value);

    cx__scratch_clear(&scratch);
    PQclear(result);
    return error;
}

static void assert_text_misfits(Oid type, const char *text, const char *words)
{
    int error = read_as(CX_KIND_NULL, type, 0, text, strlen(text));

    if (error != -EBADMSG || strcmp(cx_db_problem(), words) != 0)
        fail_msg("%s: %d (%s)", text, error, cx_db_problem());
}

static void a_moment_that_is_none_is_refused(void **state)
{
    static const char *const moments[] = {"",
                                          "2026",
                                          "2026-01-01",
                                          "2026-00-01 00:00:00",
                                          "2026-13-01 00:00:00",
                                          "2026-999999999-01 00:00:00",
                                          "2026-01-00 00:00:00",
                                          "2026-01-32 00:00:00",
                                          "2026-01-01 25:00:00",
                                          "2026-01-01 00:61:00",
                                          "2026-01-01 00:00:61",
                                          "2026-01-01 00:00:00+01",
                                          "2026-01-01 00:00:00x",
                                          "2026-01-01 00:00:00 AD",
                                          "2026-01-01 00:00:00.5+00 BC ",
                                          "9999999999-01-01 00:00:00",
                                          "23.11.2026 00:00:00",
                                          "-2026-01-01 00:00:00"};

    (void)state;
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
        assert_text_misfits(STAMP, moments[i], "of another kind");
}

static void a_moment_too_far_away_is_out_of_range(void **state)
{
    static const char after[] = "\x7f\xff\xff\xff\xff\xff\xff\xfe";

    (void)state;
    assert_text_misfits(STAMP, "294276-12-31 23:59:59.999999", "out of range");
    assert_text_misfits(STAMP, "294247-01-10 04:00:54.775808+00",
                        "out of range");
    assert_text_misfits(STAMP, "999999999-01-01 00:00:00 BC", "out of range");
    assert_int_equal(read_as(CX_KIND_NULL, STAMP, 1, after, 8), -EBADMSG);
    assert_string_equal(cx_db_problem(), "out of range");
    assert_int_equal(
        read_as(CX_KIND_NULL, STAMP, 0, "294247-01-10 04:00:54.775807", 28), 0);
}

static void bytes_that_are_no_digits_are_refused(void **state)
{
    static const char *const bytes[] = {
        "",      "\\",    "\\x0",  "\\x  ",  "\\x0g",
        "\\x/0", "\\x:0", "\\X00", "\\\\x0", "\\x\xff\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
        assert_text_misfits(BYTEA, bytes[i], "of another kind");
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_text_misfits(INT8, "", "of another kind");
    assert_text_misfits(INT8, "1x", "of another kind");
    assert_text_misfits(INT8, "9223372036854775808", "of another kind");
    assert_text_misfits(FLOAT8, "0,5", "of another kind");
    assert_text_misfits(FLOAT8, "", "of another kind");
    assert_text_misfits(BOOL, "true", "of another kind");
    assert_int_equal(read_as(CX_KIND_NULL, INT8, 0, "1\0002", 3), -EBADMSG);
}

/* Whatever comes, of whatever type, as whatever is wanted. */
static void what_cannot_be_read_is_an_error_and_no_more(void **state)
{
    static const Oid types[] = {BOOL, BYTEA, INT8,   21,    23,   26,   TEXT,
                                114,  700,   FLOAT8, STAMP, 1184, 2950, 0};
    static const char signs[] = "0123456789-: .+\\xabBCinfty";
    unsigned seed = 1;
    char data[64];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t len = (size_t)rand_r(&seed) % 33;
        bool is_text = rand_r(&seed) % 2 == 0;
        int error;

        for (size_t j = 0; j < len; j++)
            data[j] = is_text ? signs[(size_t)rand_r(&seed) % strlen(signs)]
                              : (char)rand_r(&seed);
        error = read_as((cx_kind)(rand_r(&seed) % 7), types[rand_r(&seed) % 14],
                        rand_r(&seed) % 2, data, len);
        assert_true(error == 0 || error == -EBADMSG);
    }
}

/* The first field that a statement gives; not what it points to. */
static int read_with(cx_db *db, const char *statement, const cx_params *params,
                     cx_param *field)
{
    cx_rows rows = {.len = 0};
    int error = cx_db_sql(db, statement, params, &rows);

    if (error == 0)
        *field = rows.field[0];
    cx_rows_fini(&rows);
    return error;
}

static int read_raw(cx_db *db, const char *statement, cx_param *field)
{
    return read_with(db, statement, NULL, field);
}

/* The same as text, beside a column of a type that is none of ours. */
static int read_mixed(cx_db *db, const char *expression, cx_param *field)
{
    char statement[160];

    (void)snprintf(statement, sizeof(statement), "SELECT %s, 1::numeric",
                   expression);
    return read_raw(db, statement, field);
}

USERS_TEST(an_infinite_moment_is_refused_by_its_columns_name)
{
    cx_param field;

    assert_int_equal(
        read_raw(db, "SELECT 'infinity'::timestamptz AS a", &field), -EBADMSG);
    assert_string_equal(cx_db_problem(), "the column a is infinite");
    assert_int_equal(read_mixed(db, "'-infinity'::timestamp AS a", &field),
                     -EBADMSG);
    assert_string_equal(cx_db_problem(), "the column a is infinite");
    assert_int_equal(
        read_mixed(db, "'294276-12-31 23:59:59.999999'::timestamp", &field),
        -EBADMSG);
}

USERS_TEST(an_infinite_moment_in_a_row_is_refused_by_the_columns_name)
{
    User user = {.id = user_add(db, "x", 1)};
    CX_ARENA(arena);

    assert_ok(run(db, "UPDATE users SET joined = 'infinity'"));
    assert_int_equal(cx_db_find(db, &user_model, &user, &arena), -EBADMSG);
    assert_non_null(strstr(cx_db_problem(), "users.joined is infinite"));
}

/* In binary and in text, each value is the same. */
USERS_TEST(both_forms_are_read_as_the_same)
{
    static const struct {
        const char *expression;
        cx_param value;
    } cases[] = {
        {"true", {.kind = CX_KIND_BOOL, .boolean = true}},
        {"false", {.kind = CX_KIND_BOOL, .boolean = false}},
        {"'-32768'::smallint", {.kind = CX_KIND_I64, .i64 = INT16_MIN}},
        {"'-2147483648'::int", {.kind = CX_KIND_I64, .i64 = INT32_MIN}},
        {"'-9223372036854775808'::bigint",
         {.kind = CX_KIND_I64, .i64 = INT64_MIN}},
        {"'4294967295'::oid", {.kind = CX_KIND_I64, .i64 = UINT32_MAX}},
        {"'0.1'::real", {.kind = CX_KIND_F64, .f64 = (double)0.1F}},
        {"'1e-320'::float8", {.kind = CX_KIND_F64, .f64 = 1e-320}},
        {"'-Infinity'::float8", {.kind = CX_KIND_F64, .f64 = -INFINITY}},
        {"'2000-01-01 00:00:00.000001'::timestamp",
         {.kind = CX_KIND_TIMESTAMP, .timestamp = {946684800000001}}},
        {"'0001-01-01 00:00:00 BC'::timestamptz",
         {.kind = CX_KIND_TIMESTAMP, .timestamp = {-62167219200000000}}},
        {"'4714-11-24 00:00:00 BC'::timestamp",
         {.kind = CX_KIND_TIMESTAMP, .timestamp = {-210866803200000000}}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const cx_param *wanted = &cases[i].value;
        char statement[160];
        cx_param binary, text;

        (void)snprintf(statement, sizeof(statement), "SELECT %s",
                       cases[i].expression);
        assert_ok(read_raw(db, statement, &binary));
        assert_ok(read_mixed(db, cases[i].expression, &text));
        assert_int_equal(binary.kind, wanted->kind);
        assert_int_equal(text.kind, wanted->kind);
        if (wanted->kind == CX_KIND_BOOL) {
            assert_int_equal(binary.boolean, wanted->boolean);
            assert_int_equal(text.boolean, wanted->boolean);
        } else {
            assert_true(binary.i64 == wanted->i64);
            assert_true(text.i64 == wanted->i64);
        }
    }
}

/* What the server has of a parameter is what it makes of the same as text. */
static void check_sent(cx_db *db, const char *type, cx_param value,
                       const char *text)
{
    char statement[160];
    cx_param same;

    (void)snprintf(statement, sizeof(statement),
                   "SELECT $1::%s IS NOT DISTINCT FROM $2::text::%s", type,
                   type);
    assert_ok(read_with(db, statement, CX_PARAMS(value, text), &same));
    if (!same.boolean)
        print_error("%s is not %s\n", text, type);
    assert_true(same.boolean);
}

USERS_TEST(what_is_sent_is_what_its_text_says)
{
    static const struct {
        const char *type;
        cx_param value;
        const char *text;
    } cases[] = {
        {"boolean", {.kind = CX_KIND_BOOL, .boolean = true}, "t"},
        {"boolean", {.kind = CX_KIND_BOOL, .boolean = false}, "f"},
        {"bigint",
         {.kind = CX_KIND_I64, .i64 = INT64_MIN},
         "-9223372036854775808"},
        {"bigint", {.kind = CX_KIND_I64, .i64 = -2}, "-2"},
        {"int", {.kind = CX_KIND_I64, .i64 = INT32_MIN}, "-2147483648"},
        {"int", {.kind = CX_KIND_I64, .i64 = INT32_MAX}, "2147483647"},
        {"smallint", {.kind = CX_KIND_I64, .i64 = -7}, "-7"},
        {"numeric", {.kind = CX_KIND_I64, .i64 = 12}, "12"},
        {"float8", {.kind = CX_KIND_I64, .i64 = 3}, "3"},
        {"float8", {.kind = CX_KIND_F64, .f64 = -0.1}, "-0.1"},
        {"float8", {.kind = CX_KIND_F64, .f64 = INFINITY}, "Infinity"},
        {"real", {.kind = CX_KIND_F64, .f64 = 0.5}, "0.5"},
        {"numeric", {.kind = CX_KIND_F64, .f64 = 0.25}, "0.25"},
        {"timestamptz",
         {.kind = CX_KIND_TIMESTAMP, .timestamp = {946684800000001}},
         "2000-01-01 00:00:00.000001+00"},
        {"timestamp",
         {.kind = CX_KIND_TIMESTAMP, .timestamp = {-1}},
         "1969-12-31 23:59:59.999999"},
        {"timestamptz",
         {.kind = CX_KIND_TIMESTAMP, .timestamp = {-62167219200000000}},
         "0001-01-01 00:00:00+00 BC"},
        {"timestamptz",
         {.kind = CX_KIND_TIMESTAMP, .timestamp = {INT64_MAX}},
         "294247-01-10 04:00:54.775807+00"},
        {"date", {.kind = CX_KIND_TIMESTAMP, .timestamp = {0}}, "1970-01-01"},
        {"text", {.kind = CX_KIND_TEXT, .text = {"", 0}}, ""},
        {"text", {.kind = CX_KIND_TEXT, .text = {"\303\244+", 2}}, "\303\244"},
        {"varchar", {.kind = CX_KIND_TEXT, .text = {"x", 1}}, "x"},
        {"jsonb", {.kind = CX_KIND_TEXT, .text = {"[1]", 3}}, "[1]"},
        {"text", {.kind = CX_KIND_I64, .i64 = 5}, "5"},
        {"bytea", {.kind = CX_KIND_BLOB, .blob = {"\0\1", 2}}, "\\x0001"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_sent(db, cases[i].type, cases[i].value, cases[i].text);
}

/* What a type cannot hold is the server's to refuse, in either form. */
USERS_TEST(what_a_type_cannot_hold_is_refused_and_not_cut)
{
    const cx_timestamp early = {INT64_MIN};
    cx_param field;

    assert_int_equal(
        read_with(db, "SELECT $1::int", CX_PARAMS(INT64_C(2147483648)), &field),
        -EDOM);
    assert_int_equal(
        read_with(db, "SELECT $1::smallint", CX_PARAMS(32768), &field), -EDOM);
    assert_int_equal(
        read_with(db, "SELECT $1::timestamptz", CX_PARAMS(early), &field),
        -EDOM);
}

/* A locale of this test's own, in which half is 0,5; false: none is made. */
static bool locale_make(const struct folder *folder)
{
    char command[256];

    (void)snprintf(command, sizeof(command),
                   "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null",
                   folder->path);
    if (system(command) != 0)
        return false;
    assert_int_equal(setenv("LOCPATH", folder->path, 1), 0);
    return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

USERS_TEST(a_decimal_comma_is_the_programs_and_not_the_databases)
{
    User user = {.name = CX_TEXT("x"), .weight = 0.1 + 0.2};
    User got = {.id = 1};
    CX_ARENA(arena);
    cx_param field;

    if (!locale_make(folder))
        skip();
    assert_string_equal(localeconv()->decimal_point, ",");
    assert_ok(cx_db_insert(db, &user_model, &user));
    got.id = user.id;
    assert_ok(cx_db_find(db, &user_model, &got, &arena));
    assert_true(got.weight == user.weight);
    assert_ok(read_mixed(db, "(SELECT weight FROM users)", &field));
    assert_true(field.f64 == user.weight);
    assert_non_null(setlocale(LC_ALL, "C"));
    assert_int_equal(unsetenv("LOCPATH"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_that_is_none_is_refused),
        cmocka_unit_test(a_moment_too_far_away_is_out_of_range),
        cmocka_unit_test(bytes_that_are_no_digits_are_refused),
        cmocka_unit_test(numbers_that_are_none_are_refused),
        cmocka_unit_test(what_cannot_be_read_is_an_error_and_no_more),
        cmocka_unit_test(an_infinite_moment_is_refused_by_its_columns_name),
        cmocka_unit_test(
            an_infinite_moment_in_a_row_is_refused_by_the_columns_name),
        cmocka_unit_test(both_forms_are_read_as_the_same),
        cmocka_unit_test(what_is_sent_is_what_its_text_says),
        cmocka_unit_test(what_a_type_cannot_hold_is_refused_and_not_cut),
        cmocka_unit_test(a_decimal_comma_is_the_programs_and_not_the_databases),
    };

    return cmocka_run_group_tests_name("postgres value", tests, NULL, NULL);
}
