/* SPDX-License-Identifier: MIT */
/* What the tests of tasks share. */
#ifndef CTXVAR_TESTS_TASK_SUPPORT_H
#define CTXVAR_TESTS_TASK_SUPPORT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include <ctxvar/task.h>

/* A test whose body is the main task of a loop. */
#define TASK_TEST(name)                                                        \
    static void name##_body(void);                                             \
    static void *name##_main(void *unused)                                     \
    {                                                                          \
        name##_body();                                                         \
        return unused;                                                         \
    }                                                                          \
    static void name(void **state)                                             \
    {                                                                          \
        (void)state;                                                           \
        assert_int_equal(cx_run(name##_main, NULL, NULL), 0);                  \
    }                                                                          \
    static void name##_body(void)

/* How often values of this type are held, over all contexts. */
static CX__UNUSED int held;

static CX__UNUSED void held_ref(void *value)
{
    (void)value;
    __atomic_add_fetch(&held, 1, __ATOMIC_SEQ_CST);
}

static CX__UNUSED void held_unref(void *value)
{
    (void)value;
    __atomic_sub_fetch(&held, 1, __ATOMIC_SEQ_CST);
}

static CX__UNUSED const cx_type counted = {
    .name = "counted", .ref = held_ref, .unref = held_unref};

static inline int held_now(void)
{
    return __atomic_load_n(&held, __ATOMIC_SEQ_CST);
}

/* There where coverage is counted. */
void __gcov_dump(void) __attribute__((weak));

/* The end of a child process, whose coverage counts, too. */
static inline _Noreturn void leave(int status)
{
    if (__gcov_dump != NULL)
        __gcov_dump();
    _exit(status);
}

/* Tasks. */

static CX__UNUSED void *return_arg(void *arg)
{
    return arg;
}

static CX__UNUSED void *sleep_for_ever(void *arg)
{
    int *answer = arg;
    int error = cx_sleep(UINT64_MAX);

    if (answer != NULL)
        *answer = error;
    return arg;
}

static inline void *as_pointer(intptr_t number)
{
    return (void *)number;
}

/* A log of what happened, in its order. */
struct trace {
    char what[256];
    size_t len;
};

static inline void trace_add(struct trace *trace, char what)
{
    if (trace->len + 1 < sizeof(trace->what))
        trace->what[trace->len++] = what;
}

#define assert_traced(trace, expected)                                         \
    assert_string_equal((trace)->what, (expected))

#endif
