/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "splitter.h"

enum { SQLITE = 1, POSTGRES = 2, BOTH = SQLITE | POSTGRES };

/* A line, in memory of its very size: what is a statement's is written, with a
 * "|" behind each that has ended. */
static void split_line(struct splitter *splitter, FILE *out, const char *line,
                       size_t len)
{
    char *copy = malloc(len);
    size_t at = 0;
    size_t size;

    assert_non_null(copy);
    memcpy(copy, line, len);
    while ((size = splitter_read(splitter, copy + at, len - at)) > 0) {
        (void)fwrite(copy + at, 1, size, out);
        fputs(splitter->blank ? "_|" : "|", out);
        at += size;
        splitter_begin(splitter, splitter->server);
    }
    (void)fwrite(copy + at, 1, len - at, out);
    free(copy);
}

/* Line by line, as it is read: "a;|b;|c"; then "+" if it is all there. */
static void assert_split_on(bool server, const char *text, const char *expected)
{
    struct splitter splitter;
    char *seen = NULL;
    size_t size;
    FILE *out = open_memstream(&seen, &size);

    assert_non_null(out);
    splitter_begin(&splitter, server);
    while (text[0] != '\0') {
        size_t len = strcspn(text, "\n");

        len += text[len] == '\n';
        split_line(&splitter, out, text, len);
        text += len;
    }
    fputs(splitter.place == IN_NOTHING ? "+" : "-", out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(seen, expected);
    free(seen);
}

static void assert_split(unsigned engines, const char *text,
                         const char *expected)
{
    if ((engines & SQLITE) != 0)
        assert_split_on(false, text, expected);
    if ((engines & POSTGRES) != 0)
        assert_split_on(true, text, expected);
}

static void a_statement_ends_at_its_semicolon(void **state)
{
    (void)state;
    assert_split(BOTH, "a\nb;\nc; d;e", "a\nb;|\nc;| d;|e+");
    assert_split(BOTH, ";\n ;", ";_|\n ;_|+");
}

static void one_in_a_quote_is_a_character(void **state)
{
    (void)state;
    assert_split(BOTH, "a';';b", "a';';|b+");
    assert_split(BOTH, "a\";\";b", "a\";\";|b+");
    assert_split(BOTH, "'\n;\n';b", "'\n;\n';|b+");
    assert_split(BOTH, "'a;", "'a;-");
}

static void a_doubled_quote_does_not_end_one(void **state)
{
    (void)state;
    assert_split(BOTH, "'it''s;';b", "'it''s;';|b+");
    assert_split(BOTH, "\"a\"\";\";b", "\"a\"\";\";|b+");
    assert_split(BOTH, "'';b", "'';|b+");
    assert_split(BOTH, "''';';b", "''';';|b+");
}

static void a_quote_of_the_other_kind_is_a_character(void **state)
{
    (void)state;
    assert_split(BOTH, "'\"';b", "'\"';|b+");
    assert_split(BOTH, "\"'\";b", "\"'\";|b+");
    assert_split(BOTH, "'--';b", "'--';|b+");
    assert_split(BOTH, "'/*';b", "'/*';|b+");
}

static void sqlite_has_names_in_brackets_and_backticks(void **state)
{
    (void)state;
    assert_split(SQLITE, "[;];`;`;b", "[;];|`;`;|b+");
    assert_split(SQLITE, "[a]];b", "[a]];|b+");
    assert_split(SQLITE, "`a``;`;b", "`a``;`;|b+");
    assert_split(POSTGRES, "a[1;", "a[1;|+");
}

static void one_in_a_comment_is_a_character(void **state)
{
    (void)state;
    assert_split(BOTH, "a -- ;'\n;b", "a -- ;'\n;|b+");
    assert_split(BOTH, "a /* ;'\n; */;b", "a /* ;'\n; */;|b+");
    assert_split(BOTH, "a /*/;*/;b", "a /*/;*/;|b+");
    assert_split(BOTH, "a - - b / * c;d", "a - - b / * c;|d+");
    assert_split(BOTH, "/* a;", "/* a;-");
}

static void comments_are_within_comments_on_postgresql(void **state)
{
    (void)state;
    assert_split(POSTGRES, "/* /* */ ; */;b", "/* /* */ ; */;_|b+");
    assert_split(SQLITE, "/* /* */ ; */;b", "/* /* */ ;_| */;|b+");
}

static void a_carriage_return_ends_a_comment_on_postgresql(void **state)
{
    (void)state;
    assert_split(POSTGRES, "--a\r;b", "--a\r;_|b+");
    assert_split(SQLITE, "--a\r;b", "--a\r;b-");
}

static void a_backslash_escapes_after_an_e_on_postgresql(void **state)
{
    (void)state;
    assert_split(POSTGRES, "E'\\';';b", "E'\\';';|b+");
    assert_split(POSTGRES, "e'a''\\';';b", "e'a''\\';';|b+");
    assert_split(POSTGRES, "E'\\\\';b", "E'\\\\';|b+");
    assert_split(POSTGRES, "E'a\\\n';b", "E'a\\\n';|b+");
    assert_split(POSTGRES, "E'a'\n'\\';';b", "E'a'\n'\\';';|b+");
    assert_split(POSTGRES, "E'a', '\\';b", "E'a', '\\';|b+");
    assert_split(POSTGRES, "ME'\\';b", "ME'\\';|b+");
    assert_split(POSTGRES, "E '\\';b", "E '\\';|b+");
    assert_split(POSTGRES, "'\\';b", "'\\';|b+");
    assert_split(SQLITE, "E'\\';b", "E'\\';|b+");
}

static void dollars_quote_on_postgresql(void **state)
{
    (void)state;
    assert_split(POSTGRES, "$$;'$$;b", "$$;'$$;|b+");
    assert_split(POSTGRES, "$t$;$$;\n$u$;$t$;b", "$t$;$$;\n$u$;$t$;|b+");
    assert_split(POSTGRES, "a$$;b", "a$$;|b+");
    assert_split(POSTGRES, "$1;$2$;b", "$1;|$2$;|b+");
    assert_split(POSTGRES, "$$a;", "$$a;-");
    assert_split(SQLITE, "$$;b", "$$;|b+");
}

static void a_tag_too_long_to_be_kept_does_not_end(void **state)
{
    char text[600];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[0] = text[299] = '$';
    memcpy(text + 300, ";b", 3);
    for (size_t n = 255; n < 257; n++) {
        struct splitter splitter;

        splitter_begin(&splitter, true);
        text[299] = 'a';
        text[n - 1] = '$';
        assert_int_equal(splitter_read(&splitter, text, 302), 0);
        assert_int_equal(splitter.place, IN_DOLLAR_QUOTE);
        text[n - 1] = 'a';
    }
}

static void assert_blank(unsigned engines, const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(splitter_is_blank(false, text, len),
                     (engines & SQLITE) != 0);
    assert_int_equal(splitter_is_blank(true, text, len),
                     (engines & POSTGRES) != 0);
}

static void blanks_and_comments_say_nothing(void **state)
{
    (void)state;
    assert_blank(BOTH, "");
    assert_blank(BOTH, " \t\r\n;\n-- a\n/* b; */;-- c");
    assert_blank(POSTGRES, "/* /* */ */");
    assert_blank(0, "-- a\nb");
    assert_blank(0, ";a");
    assert_blank(0, "/* a */ ''");
    assert_blank(0, "a;");
    assert_blank(0, "\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_ends_at_its_semicolon),
        cmocka_unit_test(one_in_a_quote_is_a_character),
        cmocka_unit_test(a_doubled_quote_does_not_end_one),
        cmocka_unit_test(a_quote_of_the_other_kind_is_a_character),
        cmocka_unit_test(sqlite_has_names_in_brackets_and_backticks),
        cmocka_unit_test(one_in_a_comment_is_a_character),
        cmocka_unit_test(comments_are_within_comments_on_postgresql),
        cmocka_unit_test(a_carriage_return_ends_a_comment_on_postgresql),
        cmocka_unit_test(a_backslash_escapes_after_an_e_on_postgresql),
        cmocka_unit_test(dollars_quote_on_postgresql),
        cmocka_unit_test(a_tag_too_long_to_be_kept_does_not_end),
        cmocka_unit_test(blanks_and_comments_say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
