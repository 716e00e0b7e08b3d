/* SPDX-License-Identifier: MIT */
/*
 * Variables by their type T: what CX_VAR() and its relatives take, and that a
 * value comes back as the T that it was. How it fares in contexts is not here.
 */
#include <float.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctxvar/context.h>

#include "fresh.h"

static cx_value widened(const cx_var *var)
{
    cx_value value = {.u64 = 0};

    assert_true(cx_var_find(var, &value));
    return value;
}

/*
 * Three variables of a type, two with a default, and what is claimed of it.
 * Both values must differ from 0 and be as large as the type can hold, one way
 * and the other, so that a bit or a sign that is lost shows.
 */
#define TYPE(T, name, low, high)                                               \
    CX_VAR(T, name);                                                           \
    CX_VAR(T, name##_of_low, .initial = (low));                                \
    CX_VAR(T, name##_of_high, .initial = (high));                              \
    static void name##_is_read_as_it_was_set(void **state)                     \
    {                                                                          \
        __typeof__(cx_get(name)) found;                                        \
        cx_token token;                                                        \
                                                                               \
        (void)state;                                                           \
        _Static_assert(__builtin_types_compatible_p(__typeof__(&found), T *),  \
                       "another type");                                        \
        assert_int_equal(cx_set(name, (low)), 0);                              \
        assert_true(cx_get(name) == (low));                                    \
        assert_int_equal(cx_bind(name, (high), &token), 0);                    \
        assert_true(cx_find(name, &found));                                    \
        assert_true(found == (high));                                          \
        assert_int_equal(cx_reset(name, &token), 0);                           \
        assert_true(cx_get(name) == (low));                                    \
    }                                                                          \
    static void name##_has_its_default_or_zero(void **state)                   \
    {                                                                          \
        T found;                                                               \
                                                                               \
        (void)state;                                                           \
        assert_true(cx_get(name) == (T)0);                                     \
        assert_false(cx_find(name, &found));                                   \
        assert_true(cx_get(name##_of_low) == (low));                           \
        assert_true(cx_find(name##_of_high, &found));                          \
        assert_true(found == (high));                                          \
    }                                                                          \
    static void name##_is_widened_alike_set_or_default(void **state)           \
    {                                                                          \
        (void)state;                                                           \
        assert_int_equal(cx_set(name, (low)), 0);                              \
        assert_true(widened(cx_var_of(name)).u64 ==                            \
                    widened(cx_var_of(name##_of_low)).u64);                    \
        assert_int_equal(cx_set(name, (high)), 0);                             \
        assert_true(widened(cx_var_of(name)).u64 ==                            \
                    widened(cx_var_of(name##_of_high)).u64);                   \
    }

#define type_tests(name)                                                       \
    fresh_test(name##_is_read_as_it_was_set),                                  \
        fresh_test(name##_has_its_default_or_zero),                            \
        fresh_test(name##_is_widened_alike_set_or_default)

enum colour { RED = 1, BLUE = INT_MAX };
enum level { COLD = INT_MIN, HOT = INT_MAX };
struct opaque;
typedef int handler(const char *text);

static int numbers[2];
static const char texts[2][4] = {"low", "top"};

static int first(const char *text)
{
    return text[0];
}

static int second(const char *text)
{
    return text[1];
}

TYPE(char, a_char, CHAR_MIN != 0 ? CHAR_MIN : 1, CHAR_MAX)
TYPE(signed char, a_signed_char, SCHAR_MIN, SCHAR_MAX)
TYPE(unsigned char, an_unsigned_char, 1, UCHAR_MAX)
TYPE(short, a_short, SHRT_MIN, SHRT_MAX)
TYPE(unsigned short, an_unsigned_short, 1, USHRT_MAX)
TYPE(int, an_int, INT_MIN, INT_MAX)
TYPE(unsigned, an_unsigned, 1, UINT_MAX)
TYPE(long, a_long, LONG_MIN, LONG_MAX)
TYPE(unsigned long, an_unsigned_long, 1, ULONG_MAX)
TYPE(long long, a_long_long, LLONG_MIN, LLONG_MAX)
TYPE(unsigned long long, an_unsigned_long_long, 1, ULLONG_MAX)
TYPE(float, a_float, -FLT_MAX, FLT_TRUE_MIN)
TYPE(double, a_double, -DBL_MAX, DBL_TRUE_MIN)
TYPE(enum colour, an_enum, RED, BLUE)
TYPE(enum level, a_signed_enum, COLD, HOT)
TYPE(void *, a_pointer, &numbers[0], &numbers[1])
TYPE(const char *, a_text, texts[0], texts[1])
TYPE(volatile int *, a_volatile_pointer, &numbers[0], &numbers[1])
TYPE(struct opaque *, a_struct_pointer, (struct opaque *)&numbers[0],
     (struct opaque *)&numbers[1])
TYPE(handler *, a_function, first, second)

CX_VAR(bool, flag);
CX_VAR(bool, raised, .initial = true);
CX_VAR(bool, lowered, .initial = false);

static void a_bool_is_true_or_false_whatever_is_given(void **state)
{
    bool found = false;
    cx_value value;

    (void)state;
    assert_false(cx_get(flag));
    assert_int_equal(cx_set(flag, 256), 0);
    assert_true(cx_get(flag) == true);
    assert_true(cx_var_find(cx_var_of(flag), &value));
    assert_int_equal(value.u64, 1);
    assert_int_equal(cx_set(flag, 0), 0);
    assert_true(cx_find(flag, &found));
    assert_false(found);
}

/* The default is told by comparing two initializers, which 0 and 1 try. */
static void a_default_of_zero_or_one_is_a_default(void **state)
{
    bool found = true;

    (void)state;
    assert_false(cx_find(flag, &found));
    assert_true(cx_find(raised, &found));
    assert_true(found);
    assert_true(cx_find(lowered, &found));
    assert_false(found);
}

static void as_a_cx_value_each_type_is_widened(void **state)
{
    (void)state;
    (void)cx_set(a_signed_char, -5);
    (void)cx_set(an_unsigned, UINT_MAX);
    (void)cx_set(a_float, 0.5F);
    (void)cx_set(a_pointer, numbers);
    assert_int_equal(widened(cx_var_of(a_signed_char)).i64, -5);
    assert_true(widened(cx_var_of(an_unsigned)).u64 == UINT_MAX);
    assert_true(widened(cx_var_of(a_float)).f64 == 0.5);
    assert_ptr_equal(widened(cx_var_of(a_pointer)).ptr, numbers);
}

struct request {
    int64_t id;
    const char *path;
};

CX_VAR(const struct request *, request);

static void
what_is_written_down_in_a_call_lives_as_long_as_its_block(void **state)
{
    (void)state;
    assert_int_equal(cx_set(request, (&(struct request){7, "/seven"})), 0);
    assert_int_equal(cx_get(request)->id, 7);
    assert_string_equal(cx_get(request)->path, "/seven");
    CX_WITH(request, (&(struct request){8, "/eight"})) {
        assert_int_equal(cx_get(request)->id, 8);
        assert_string_equal(cx_get(request)->path, "/eight");
    }
}

CX_VAR(double, rate, .title = "the rate", .initial = 1.0);

static void a_title_left_out_is_the_name(void **state)
{
    (void)state;
    assert_string_equal(cx_var_title(cx_var_of(flag)), "flag");
    assert_string_equal(cx_var_title(cx_var_of(rate)), "the rate");
}

/* As in a header; what follows is compiled without the definition. */
CX_VAR_DECLARE(int, declared);

static int set_declared(int value)
{
    int before = cx_get(declared);

    return cx_set(declared, value) == 0 ? before : -1;
}

CX_VAR_DEFINE(int, declared, .initial = 7);

static void a_declared_variable_is_the_defined_one(void **state)
{
    (void)state;
    assert_int_equal(set_declared(8), 7);
    assert_int_equal(cx_get(declared), 8);
    assert_string_equal(cx_var_title(cx_var_of(declared)), "declared");
}

static int holders;

static void count_ref(void *value)
{
    (void)value;
    holders++;
}

static void count_unref(void *value)
{
    (void)value;
    holders--;
}

static const cx_type counting = {.ref = count_ref, .unref = count_unref};

CX_THREAD_VAR(int, depth, .initial = 5);
CX_THREAD_VAR(int *, counted, .type = &counting);

static void *read_and_set_depth(void *seen)
{
    *(int *)seen = cx_get(depth);
    (void)cx_set(depth, 9);
    return NULL;
}

static void a_thread_variable_is_one_for_each_thread(void **state)
{
    pthread_t thread;
    int seen = 0;

    (void)state;
    assert_int_equal(cx_set(depth, 6), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_and_set_depth, &seen),
                     0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(seen, 5);
    assert_int_equal(cx_get(depth), 6);
    assert_int_equal(cx_unset(depth), 0);
}

static void assert_depth(void *expected)
{
    assert_int_equal(cx_get(depth), *(int *)expected);
    (void)cx_set(depth, *(int *)expected + 1);
}

static void a_thread_variable_stays_when_the_context_changes(void **state)
{
    cx_context *other = cx_context_new();

    (void)state;
    assert_int_equal(cx_set(depth, 6), 0);
    assert_int_equal(cx_context_run(other, assert_depth, &(int){6}), 0);
    assert_int_equal(cx_get(depth), 7);
    assert_int_equal(cx_context_len(NULL), 0);
    assert_false(cx_context_find(NULL, cx_var_of(depth), NULL));
    assert_int_equal(cx_unset(depth), 0);
    cx_context_unref(other);
}

static void *set_counted(void *arg)
{
    (void)cx_set(counted, arg);
    (void)cx_set(counted, numbers);
    return NULL;
}

static void
a_thread_variable_s_value_is_released_as_its_thread_ends(void **state)
{
    pthread_t thread;

    (void)state;
    holders = 0;
    assert_int_equal(cx_set(counted, numbers), 0);
    assert_int_equal(pthread_create(&thread, NULL, set_counted, &numbers[1]),
                     0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(holders, 1);
    assert_int_equal(cx_unset(counted), 0);
    assert_int_equal(holders, 0);
}

static void a_thread_variable_is_bound_in_a_block(void **state)
{
    (void)state;
    CX_WITH(depth, 1) {
        assert_int_equal(cx_get(depth), 1);
    }
    assert_int_equal(cx_get(depth), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        type_tests(a_char),
        type_tests(a_signed_char),
        type_tests(an_unsigned_char),
        type_tests(a_short),
        type_tests(an_unsigned_short),
        type_tests(an_int),
        type_tests(an_unsigned),
        type_tests(a_long),
        type_tests(an_unsigned_long),
        type_tests(a_long_long),
        type_tests(an_unsigned_long_long),
        type_tests(a_float),
        type_tests(a_double),
        type_tests(an_enum),
        type_tests(a_signed_enum),
        type_tests(a_pointer),
        type_tests(a_text),
        type_tests(a_volatile_pointer),
        type_tests(a_struct_pointer),
        type_tests(a_function),
        fresh_test(a_bool_is_true_or_false_whatever_is_given),
        fresh_test(a_default_of_zero_or_one_is_a_default),
        fresh_test(as_a_cx_value_each_type_is_widened),
        fresh_test(what_is_written_down_in_a_call_lives_as_long_as_its_block),
        fresh_test(a_title_left_out_is_the_name),
        fresh_test(a_declared_variable_is_the_defined_one),
        fresh_test(a_thread_variable_is_one_for_each_thread),
        fresh_test(a_thread_variable_stays_when_the_context_changes),
        fresh_test(a_thread_variable_s_value_is_released_as_its_thread_ends),
        fresh_test(a_thread_variable_is_bound_in_a_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
