/* SPDX-License-Identifier: MIT */
/*
 * driver OPERATION N: does one operation N times, with 20 variables set, and
 * nothing else. Whoever counts the instructions of two runs knows from their
 * difference what one operation takes. Not a test by itself.
 */
#include <ctxvar/context.h>

#include <stdlib.h>
#include <string.h>

#define TIMES(n) for (long i = 0; i < (n); i++)
#define BARRIER() __asm__ volatile("" : : : "memory")
#define USE(value) __asm__ volatile("" : : "r"(value))

#define EACH_10(DO, p)                                                         \
    DO(p##0)                                                                   \
    DO(p##1)                                                                   \
    DO(p##2)                                                                   \
    DO(p##3)                                                                   \
    DO(p##4)                                                                   \
    DO(p##5)                                                                   \
    DO(p##6)                                                                   \
    DO(p##7)                                                                   \
    DO(p##8)                                                                   \
    DO(p##9)

#define DEFINE(name) CX_VAR(long, name);
#define SET(name) (void)cx_set(name, 1);

EACH_10(DEFINE, v0)
EACH_10(DEFINE, v1)
CX_VAR(long, never_set, .initial = 7);

static cx_context *other;

static void get(long n)
{
    TIMES(n)
    {
        USE(cx_get(v19));
        BARRIER();
    }
}

static void get_default(long n)
{
    TIMES(n)
    {
        USE(cx_get(never_set));
        BARRIER();
    }
}

static void set(long n)
{
    TIMES(n)
    {
        (void)cx_set(v19, i);
        BARRIER();
    }
}

static void with(long n)
{
    TIMES(n)
    {
        CX_WITH(v19, i) {
            BARRIER();
        }
    }
}

static void snapshot(long n)
{
    TIMES(n)
    cx_snapshot_unref(cx_snapshot_new());
}

static void copy(long n)
{
    TIMES(n)
    cx_context_unref(cx_context_copy());
}

static void copy_set(long n)
{
    TIMES(n)
    {
        cx_snapshot *before = cx_snapshot_new();

        (void)cx_set(v19, i);
        cx_snapshot_unref(before);
    }
}

static void enter_exit(long n)
{
    TIMES(n)
    {
        (void)cx_context_enter(other);
        (void)cx_context_exit(other);
    }
}

static void swap(long n)
{
    TIMES(n)
    (void)cx_context_swap(cx_context_swap(other));
}

static const struct {
    const char *name;
    void (*run)(long n);
} operations[] = {
    {"get", get},           {"get-default", get_default}, {"set", set},
    {"with", with},         {"snapshot", snapshot},       {"copy", copy},
    {"copy-set", copy_set}, {"enter-exit", enter_exit},   {"swap", swap},
};

static void set_variables(void)
{
    EACH_10(SET, v0)
    EACH_10(SET, v1)
    other = cx_context_copy();
    /* Each of the two alone has its table. */
    (void)cx_set(v00, 2);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    set_variables();
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operations[i].name, argv[1]) == 0) {
            operations[i].run(strtol(argv[2], NULL, 10));
            return 0;
        }
    }
    return 2;
}
