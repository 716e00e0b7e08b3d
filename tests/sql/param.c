/* SPDX-License-Identifier: MIT */
/* Parameters that are none, which every engine is kept from. */
#include <math.h>

#include "param.h"
#include "users.h"

static int run_with(cx_db *db, cx_param param)
{
    return cx_db_sql(db, "UPDATE users SET name = $1", &(cx_params){&param, 1},
                     NULL);
}

/* By a statement, as a condition, and as a member of a row. */
static void assert_refused(cx_db *db, cx_param param, int error)
{
    int64_t n = -1;

    assert_int_equal(run_with(db, param), error);
    assert_string_not_equal(cx_db_problem(), "");
    assert_int_equal(
        cx_db_count(db, &user_model,
                    CX_QUERY(CX_WHERE(CX_IS("name", CX_EQ, param))), &n),
        error);
    assert_int_equal(n, -1);
}

USERS_TEST(a_parameter_of_an_unknown_kind_is_refused)
{
    (void)user_add(db, "x", 1);
    assert_int_equal(run_with(db, (cx_param){.kind = (cx_kind)42}), -EINVAL);
    assert_int_equal(run_with(db, (cx_param){.kind = (cx_kind)-1}), -EINVAL);
    assert_int_equal(number(db, "SELECT count(*) FROM users WHERE name = 'x'"),
                     1);
}

USERS_TEST(a_length_without_data_is_refused)
{
    User user = {.name = {NULL, 5}};
    cx_param text = {.kind = CX_KIND_TEXT, .text = {NULL, 5}};
    cx_param blob = {.kind = CX_KIND_BLOB, .blob = {NULL, 5}};

    (void)user_add(db, "x", 1);
    assert_refused(db, text, -EINVAL);
    assert_int_equal(run_with(db, blob), -EINVAL);
    assert_int_equal(cx_db_insert(db, &user_model, &user), -EDOM);
    assert_int_equal(number(db, "SELECT count(*) FROM users WHERE name = 'x'"),
                     1);
}

/* Nobody looks at the bytes, which are not there. A number of 32 bits would
 * have 5 of them. */
USERS_TEST(what_no_field_can_hold_is_refused_and_not_cut)
{
    static const size_t lens[] = {(UINT64_C(1) << 32) + 5, UINT64_C(3) << 30,
                                  CX__PARAM_MOST + 1};

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        cx_text text = {"12345", lens[i]};
        User user = {.name = CX_TEXT("x"), .photo = {"12345", lens[i]}};

        assert_refused(db, CX_PARAM(text), -E2BIG);
        assert_int_equal(cx_db_insert(db, &user_model, &user), -E2BIG);
    }
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 0);
}

USERS_TEST(a_number_that_is_none_is_refused)
{
    User user = {.name = CX_TEXT("x"), .weight = NAN};

    assert_int_equal(cx_db_insert(db, &user_model, &user), -EDOM);
    assert_int_equal(
        cx_db_sql(db, "UPDATE users SET weight = $1", CX_PARAMS(NAN), NULL),
        -EDOM);
}

USERS_TEST(text_that_is_not_utf8_is_refused)
{
    cx_text nul = {"a\0b", 3};

    assert_refused(db, CX_PARAM("\xff"), -EILSEQ);
    assert_refused(db, CX_PARAM(nul), -EILSEQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parameter_of_an_unknown_kind_is_refused),
        cmocka_unit_test(a_length_without_data_is_refused),
        cmocka_unit_test(what_no_field_can_hold_is_refused_and_not_cut),
        cmocka_unit_test(a_number_that_is_none_is_refused),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
    };

    return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
