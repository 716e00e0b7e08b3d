/* SPDX-License-Identifier: MIT */
/*
 * The core: variables and contexts, as a program uses them that links the
 * shared library. Built twice: as it is, and as core-call with CX_MIGRATING,
 * where the operations on variables are calls.
 */
#include <ctxvar/context.h>
#include <ctxvar/version.h>

#include "measure.h"

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

#define EACH_100(DO, p)                                                        \
    EACH_10(DO, p##0)                                                          \
    EACH_10(DO, p##1)                                                          \
    EACH_10(DO, p##2)                                                          \
    EACH_10(DO, p##3)                                                          \
    EACH_10(DO, p##4)                                                          \
    EACH_10(DO, p##5)                                                          \
    EACH_10(DO, p##6)                                                          \
    EACH_10(DO, p##7)                                                          \
    EACH_10(DO, p##8)                                                          \
    EACH_10(DO, p##9)

#define EACH_1000(DO, p)                                                       \
    EACH_100(DO, p##0)                                                         \
    EACH_100(DO, p##1)                                                         \
    EACH_100(DO, p##2)                                                         \
    EACH_100(DO, p##3)                                                         \
    EACH_100(DO, p##4)                                                         \
    EACH_100(DO, p##5)                                                         \
    EACH_100(DO, p##6)                                                         \
    EACH_100(DO, p##7)                                                         \
    EACH_100(DO, p##8)                                                         \
    EACH_100(DO, p##9)

#define DEFINE(name) CX_VAR(long, name);
#define ADDRESS(name) cx_var_of(name),

/* v000 to v999; each measurement is of the last of those that are set. */
EACH_1000(DEFINE, v)
static cx_var *const variables[] = {EACH_1000(ADDRESS, v)};
#define VARIABLES ((unsigned)(sizeof(variables) / sizeof(variables[0])))

CX_VAR(long, with_default, .initial = 7);
CX_VAR(long, never_set);

static cx_context *context;
static cx_context *other;

#define GET(body, name)                                                        \
    static void body(uint64_t n)                                               \
    {                                                                          \
        ROUNDS(n)                                                              \
        {                                                                      \
            USE(cx_get(name));                                                 \
            BARRIER();                                                         \
        }                                                                      \
    }

GET(get_1, v000)
GET(get_20, v019)
GET(get_1000, v999)
GET(get_default, with_default)

static void set(uint64_t n)
{
    ROUNDS(n)
    {
        (void)cx_set(v000, (long)round_);
        BARRIER();
    }
}

#define BIND(body, name)                                                       \
    static void body(uint64_t n)                                               \
    {                                                                          \
        ROUNDS(n)                                                              \
        {                                                                      \
            CX_WITH(name, (long)round_) {                                      \
                BARRIER();                                                     \
            }                                                                  \
            BARRIER();                                                         \
        }                                                                      \
    }

BIND(bind_set, v000)
BIND(bind_unset, never_set)

static void snapshot(uint64_t n)
{
    ROUNDS(n)
    cx_snapshot_unref(cx_snapshot_new());
}

static void copy(uint64_t n)
{
    ROUNDS(n)
    cx_context_unref(cx_context_copy());
}

/* The first set after a copy. */
#define COPY_SET(body, name)                                                   \
    static void body(uint64_t n)                                               \
    {                                                                          \
        ROUNDS(n)                                                              \
        {                                                                      \
            cx_snapshot *before = cx_snapshot_new();                           \
                                                                               \
            (void)cx_set(name, (long)round_);                                  \
            cx_snapshot_unref(before);                                         \
        }                                                                      \
    }

COPY_SET(copy_set_1, v000)
COPY_SET(copy_set_20, v019)
COPY_SET(copy_set_1000, v999)

/* What every task and every callback costs: its own context, used once. */
static void job(uint64_t n)
{
    ROUNDS(n)
    {
        cx_context *own = cx_context_copy();

        (void)cx_context_enter(own);
        (void)cx_set(v019, (long)round_);
        (void)cx_context_exit(own);
        cx_context_unref(own);
    }
}

static void enter_exit(uint64_t n)
{
    ROUNDS(n)
    {
        (void)cx_context_enter(other);
        (void)cx_context_exit(other);
    }
}

static void swap_there_and_back(uint64_t n)
{
    ROUNDS(n)
    {
        cx_context *mine = cx_context_swap(other);

        BARRIER();
        (void)cx_context_swap(mine);
    }
}

static void swap_get_swap(uint64_t n)
{
    ROUNDS(n)
    {
        cx_context *mine = cx_context_swap(other);

        USE(cx_get(v000));
        BARRIER();
        (void)cx_context_swap(mine);
    }
}

struct operation {
    const char *name;
    unsigned set; /* how many variables are set */
    body_fn *body;
    body_fn *without; /* what is in the body and not in the operation */
};

static const struct operation operations[] = {
    {"get/1", 1, get_1, NULL},
    {"get/20", 20, get_20, NULL},
    {"get/1000", 1000, get_1000, NULL},
    {"get/switched", 1, swap_get_swap, swap_there_and_back},
    {"get/default", 1, get_default, NULL},
    {"set", 1, set, NULL},
    {"bind/set", 1, bind_set, NULL},
    {"bind/unset", 1, bind_unset, NULL},
    {"snapshot/1", 1, snapshot, NULL},
    {"snapshot/1000", 1000, snapshot, NULL},
    {"copy/1", 1, copy, NULL},
    {"copy/20", 20, copy, NULL},
    {"copy/1000", 1000, copy, NULL},
    {"copy+set/1", 1, copy_set_1, NULL},
    {"copy+set/20", 20, copy_set_20, NULL},
    {"copy+set/1000", 1000, copy_set_1000, NULL},
    {"enter+exit", 1, enter_exit, NULL},
    {"swap", 1, swap_there_and_back, NULL},
    {"job/20", 20, job, NULL},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void set_first(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)cx_var_set(variables[i], (cx_value){.i64 = (int64_t)i});
}

static void measure_operation(const struct operation *operation)
{
    context = cx_context_new();
    (void)cx_context_enter(context);
    set_first(operation->set);
    other = cx_context_copy();
    /* The copy alone has its table, and this context its own. */
    (void)cx_set(v000, 1);
    measure(operation->name, operation->body, operation->without);
    (void)cx_context_exit(context);
    cx_context_unref(other);
    cx_context_unref(context);
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    printf("version %s\n", cx_version());
    /* They get their numbers in the order in which they are set. */
    set_first(VARIABLES);
    for (size_t i = 0; i < OPERATIONS; i++)
        measure_operation(&operations[i]);
    return 0;
}
