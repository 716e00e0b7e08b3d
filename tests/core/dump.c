/* SPDX-License-Identifier: MIT */
/*
 * Dumps: how values are written, by their type, and where. Going through a
 * context in code is in mapping.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ctxvar/context.h>

#include "fresh.h"

struct point {
    int x, y;
};

static int point_format(const void *value, char *buf, size_t size)
{
    const struct point *point = value;

    return snprintf(buf, size, "(%d, %d)", point->x, point->y);
}

static int nothing_format(const void *value, char *buf, size_t size)
{
    (void)value;
    (void)buf;
    (void)size;
    return -1;
}

static const cx_type point_type = {.format = point_format};
static const cx_type nothing_type = {.format = nothing_format};
static const cx_type unformatted_type = {.name = "unformatted"};

CX_VAR(int, number, .initial = 100);
CX_VAR(unsigned long long, large);
CX_VAR(double, rate, .title = "the rate");
CX_VAR(bool, flag);
CX_VAR(const char *, text, .type = &cx_string);
CX_VAR(void *, pointer);
CX_VAR(struct point *, place, .type = &point_type);
CX_VAR(struct point *, hidden, .type = &nothing_type);
CX_VAR(struct point *, unformatted, .type = &unformatted_type);

static char out[4096];

/* What a dump of a context writes. */
static const char *dump_of(const cx_context *ctx)
{
    FILE *file = fmemopen(out, sizeof(out), "w");

    assert_non_null(file);
    memset(out, 0, sizeof(out));
    assert_int_equal(cx_context_dump(ctx, file), 0);
    assert_int_equal(fclose(file), 0);
    return out;
}

static void of_nothing_a_dump_has_no_line(void **state)
{
    (void)state;
    assert_string_equal(dump_of(NULL), "");
}

static void a_number_is_written_as_its_type_has_it(void **state)
{
    (void)state;
    (void)cx_set(number, -5);
    assert_string_equal(dump_of(NULL), "number = -5\n");
    (void)cx_unset(number);
    (void)cx_set(large, 18446744073709551615ULL);
    assert_string_equal(dump_of(NULL), "large = 18446744073709551615\n");
}

static void a_title_stands_for_the_name(void **state)
{
    (void)state;
    (void)cx_set(rate, 0.5);
    assert_string_equal(dump_of(NULL), "the rate = 0.5\n");
}

static void a_bool_is_written_as_a_word(void **state)
{
    (void)state;
    (void)cx_set(flag, true);
    assert_string_equal(dump_of(NULL), "flag = true\n");
    (void)cx_set(flag, false);
    assert_string_equal(dump_of(NULL), "flag = false\n");
}

static void text_is_written_as_it_is(void **state)
{
    (void)state;
    (void)cx_set(text, "50% = half");
    assert_string_equal(dump_of(NULL), "text = 50% = half\n");
}

static void a_type_says_how_its_values_are_written(void **state)
{
    struct point here = {3, -4};

    (void)state;
    (void)cx_set(place, &here);
    assert_string_equal(dump_of(NULL), "place = (3, -4)\n");
}

static void what_no_type_can_write_is_a_pointer(void **state)
{
    struct point here = {3, -4};
    char expected[64];

    (void)state;
    (void)cx_set(pointer, &here);
    (void)snprintf(expected, sizeof(expected), "pointer = %p\n", (void *)&here);
    assert_string_equal(dump_of(NULL), expected);
    (void)cx_unset(pointer);
    (void)cx_set(unformatted, &here);
    (void)snprintf(expected, sizeof(expected), "unformatted = %p\n",
                   (void *)&here);
    assert_string_equal(dump_of(NULL), expected);
}

static void null_is_written_without_asking_its_type(void **state)
{
    (void)state;
    (void)cx_set(place, NULL);
    assert_string_equal(dump_of(NULL), "place = NULL\n");
    (void)cx_unset(place);
    (void)cx_set(text, NULL);
    assert_string_equal(dump_of(NULL), "text = NULL\n");
}

static void a_value_that_cannot_be_written_leaves_its_title(void **state)
{
    struct point here = {3, -4};

    (void)state;
    (void)cx_set(hidden, &here);
    assert_string_equal(dump_of(NULL), "hidden = \n");
}

/* 127 bytes fit into what a dump has on its stack. */
static void a_value_of_any_length_is_written_whole(void **state)
{
    static const size_t lens[] = {1, 126, 127, 128, 129, 2000};
    char value[2001], expected[2100];

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        memset(value, 'x', lens[i]);
        value[lens[i] - 1] = 'z';
        value[lens[i]] = '\0';
        (void)cx_set(text, value);
        (void)snprintf(expected, sizeof(expected), "text = %s\n", value);
        assert_string_equal(dump_of(NULL), expected);
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void each_variable_that_is_set_has_one_line(void **state)
{
    char *line[4] = {NULL};
    char *rest = NULL;
    size_t lines = 0;

    (void)state;
    (void)cx_set(text, "abc");
    (void)cx_set(number, 1);
    (void)cx_set(flag, true);
    (void)dump_of(NULL);
    for (char *at = strtok_r(out, "\n", &rest); at != NULL && lines < 4;
         at = strtok_r(NULL, "\n", &rest))
        line[lines++] = at;
    assert_int_equal(lines, 3);
    qsort(line, lines, sizeof(line[0]), compare_lines);
    assert_string_equal(line[0], "flag = true");
    assert_string_equal(line[1], "number = 1");
    assert_string_equal(line[2], "text = abc");
}

static void a_dump_is_of_the_context_that_it_is_given(void **state)
{
    cx_context *copy;

    (void)state;
    (void)cx_set(number, 1);
    copy = cx_context_copy();
    (void)cx_set(number, 2);
    assert_string_equal(dump_of(copy), "number = 1\n");
    assert_string_equal(dump_of(NULL), "number = 2\n");
    cx_context_unref(copy);
}

static void a_variable_without_a_title_has_an_empty_one(void **state)
{
    cx_var *var = cx_var_new(NULL, NULL, NULL);

    (void)state;
    (void)cx_var_set(var, (cx_value){.i64 = 9});
    assert_string_equal(dump_of(NULL), " = 9\n");
    cx_var_unref(var);
}

static void without_a_stream_a_dump_is_refused(void **state)
{
    (void)state;
    (void)cx_set(number, 1);
    assert_int_equal(cx_context_dump(NULL, NULL), -EINVAL);
}

static void a_dump_tells_when_writing_fails(void **state)
{
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(full);
    (void)setvbuf(full, NULL, _IONBF, 0);
    (void)cx_set(number, 1);
    assert_int_equal(cx_context_dump(NULL, full), -EIO);
    (void)fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh_test(of_nothing_a_dump_has_no_line),
        fresh_test(a_number_is_written_as_its_type_has_it),
        fresh_test(a_title_stands_for_the_name),
        fresh_test(a_bool_is_written_as_a_word),
        fresh_test(text_is_written_as_it_is),
        fresh_test(a_type_says_how_its_values_are_written),
        fresh_test(what_no_type_can_write_is_a_pointer),
        fresh_test(null_is_written_without_asking_its_type),
        fresh_test(a_value_that_cannot_be_written_leaves_its_title),
        fresh_test(a_value_of_any_length_is_written_whole),
        fresh_test(each_variable_that_is_set_has_one_line),
        fresh_test(a_dump_is_of_the_context_that_it_is_given),
        fresh_test(a_variable_without_a_title_has_an_empty_one),
        fresh_test(without_a_stream_a_dump_is_refused),
        fresh_test(a_dump_tells_when_writing_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
