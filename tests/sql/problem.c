/* SPDX-License-Identifier: MIT */
/* The words for errors. */
#include "problem.h"
#include "support.h"

static const char *words_for(const char *text)
{
    (void)cx__problem(-EIO, "%s", text);
    return cx_db_problem();
}

static void words_have_no_control_characters(void **state)
{
    (void)state;
    assert_string_equal(words_for("a\x1b[31m\r\n\x7f"), "a?[31m???");
    assert_string_equal(words_for("\xc2\x9b"
                                  "31m \xc2\xa0"),
                        "??31m \xc2\xa0");
}

static void words_are_utf8(void **state)
{
    char text[600];

    (void)state;
    assert_string_equal(words_for("\xc3\xa9 \xe2\x82\xac"),
                        "\xc3\xa9 \xe2\x82\xac");
    assert_string_equal(words_for("\xff\xc3 \xed\xa0\x80"), "?? ???");
    /* Also where they are cut. */
    memset(text, 'x', sizeof(text));
    memcpy(text + 510, "\xc3\xa9", 2);
    text[599] = '\0';
    assert_int_equal(strlen(words_for(text)), 511);
    assert_int_equal(cx_db_problem()[510], '?');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_have_no_control_characters),
        cmocka_unit_test(words_are_utf8),
    };

    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
