/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tame.h"

/* A copy of the text, of its very size, so that nothing behind it is read. */
static void assert_becomes(const char *text, size_t len, const char *shown)
{
    char *copy = malloc(len + 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    copy[len] = '\0';
    assert_int_equal(tame(copy, len), strlen(shown));
    assert_string_equal(copy, shown);
    free(copy);
}

#define ASSERT_BECOMES(text, shown)                                            \
    assert_becomes(text, sizeof(text) - 1, shown)

static void text_of_any_language_is_shown_as_it_is(void **state)
{
    static const char text[] = "a~ \u00a0\u00e9\u05d0\u200d\u4e2d\ufffd"
                               "\U0001f600\U0010ffff";

    (void)state;
    ASSERT_BECOMES(text, text);
    ASSERT_BECOMES("", "");
}

static void controls_are_not_shown(void **state)
{
    (void)state;
    ASSERT_BECOMES("a\x1b[31m", "a?[31m");
    ASSERT_BECOMES("\t\n\r\x7f", "????");
    ASSERT_BECOMES("\xc2\x80\xc2\x9b\x33\x31m\xc2\x9f", "??31m?");
    ASSERT_BECOMES("a\0b", "a?b");
}

static void what_turns_the_direction_is_not_shown(void **state)
{
    (void)state;
    ASSERT_BECOMES("\u202a\u202b\u202c\u202d\u202e", "?????");
    ASSERT_BECOMES("\u2066\u2067\u2068\u2069", "????");
    ASSERT_BECOMES("\u200e\u200f\u061c", "???");
}

static void ends_of_lines_and_paragraphs_are_not_shown(void **state)
{
    (void)state;
    ASSERT_BECOMES("a\u2028b\u2029c", "a?b?c");
}

static void bytes_that_are_no_utf8_are_not_shown(void **state)
{
    (void)state;
    ASSERT_BECOMES("\x9b\x33\x31m", "?31m");
    ASSERT_BECOMES("a\xff\xfe\xc0\x80", "a????");
    /* Overlong, a surrogate, beyond the last one. */
    ASSERT_BECOMES("\xe0\x80\x9b\xf0\x80\x80\x9b", "???????");
    ASSERT_BECOMES("\xed\xa0\x80", "???");
    ASSERT_BECOMES("\xf4\x90\x80\x80", "????");
    /* Cut off by the text's end, or by another one. */
    ASSERT_BECOMES("a\xc3", "a?");
    ASSERT_BECOMES("\xe4\xb8", "??");
    ASSERT_BECOMES("\xf0\x9f\x98\xc3\xa9", "???\u00e9");
}

static void ends_of_lines_stay_where_the_print_ends(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    tame_print(out, "%s|%s\n\n", "a\nb", "\x1b");
    tame_print(out, "\n");
    tame_print(out, "c> ");
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "a?b|?\n\n\nc> ");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_language_is_shown_as_it_is),
        cmocka_unit_test(controls_are_not_shown),
        cmocka_unit_test(what_turns_the_direction_is_not_shown),
        cmocka_unit_test(ends_of_lines_and_paragraphs_are_not_shown),
        cmocka_unit_test(bytes_that_are_no_utf8_are_not_shown),
        cmocka_unit_test(ends_of_lines_stay_where_the_print_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
