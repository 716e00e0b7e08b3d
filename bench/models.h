/* SPDX-License-Identifier: MIT */
/*
 * What the programs that measure models share: the model, and measuring in
 * pairs. Ours and the plain library do the same in turn, so that a machine
 * that is slow for a while is so for both.
 *
 * A program prints "label: operation nanoseconds" for each of them.
 */
#ifndef BENCH_MODELS_H
#define BENCH_MODELS_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ctxvar/migrate.h>
#include <ctxvar/model.h>
#include <ctxvar/transaction.h>

enum { ROWS = 100000, BATCH = 1000, PAIRS = 21 };

/* The value is needed. */
#define USE(value) __asm__ volatile("" : : "r"(value) : "memory")

/* Does something n times. */
typedef void body_fn(uint64_t n);

typedef struct User {
    int64_t id;
    cx_text name;
    int64_t age;
} User;

static const cx_column user_columns[] = {
    CX_COLUMN(User, id, .key = true, .automatic = true),
    CX_COLUMN(User, name),
    CX_COLUMN(User, age),
};
CX_MODEL(User, user_model, "users", user_columns);

/* What it works on. */
static cx_db *db;

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void must(const char *what, int error)
{
    if (error != 0)
        give_up(what,
                cx_db_problem()[0] != 0 ? cx_db_problem() : strerror(-error));
}

/* Some key, another one each time. */
static int64_t some_id(void)
{
    static int64_t next;

    next = (next * 1103515245 + 12345) & 0x7fffffff;
    return next % ROWS + 1;
}

static void find_ours(uint64_t n)
{
    cx_arena arena = {NULL, NULL, 0};

    for (uint64_t i = 0; i < n; i++) {
        User user = {.id = some_id()};

        must("find", cx_db_find(db, &user_model, &user, &arena));
        USE(user.age);
        if (i % 64 == 63)
            cx_arena_fini(&arena);
    }
    cx_arena_fini(&arena);
}

/* It takes a connection of the tenant's and gives it back, and no more. */
static void lease_ours(uint64_t n)
{
    int version;

    for (uint64_t i = 0; i < n; i++) {
        must("lease", cx_migrate_version(db, &version));
        USE(version);
    }
}

static void find_ours_in_transaction(uint64_t n)
{
    int error;

    CX_TRANSACTION(db, &error) {
        find_ours(n);
    }
    must("find in a transaction", error);
}

/* What was inserted goes again. */
static void delete_new(void)
{
    must("delete", cx_db_sql(db, "DELETE FROM users WHERE id > $1",
                             CX_PARAMS(ROWS), NULL));
}

static void insert_ours(uint64_t n)
{
    int error = 0;

    for (uint64_t i = 0; i < n && error == 0; i += BATCH) {
        CX_TRANSACTION(db, &error) {
            for (int j = 0; j < BATCH && error == 0; j++) {
                User user = {.name = {"somebody new", 12}, .age = j};

                error = cx_db_insert(db, &user_model, &user);
            }
        }
    }
    must("insert", error);
    delete_new();
}

static void insert_ours_together(uint64_t n)
{
    static User users[BATCH];

    for (uint64_t i = 0; i < n; i += BATCH) {
        for (int j = 0; j < BATCH; j++)
            users[j] = (User){.name = {"somebody new", 12}, .age = j};
        must("insert", cx_db_insert_many(db, &user_model, users, BATCH));
    }
    delete_new();
}

static void each_ours(uint64_t n)
{
    User user;
    int error;

    for (uint64_t i = 0; i < n; i += ROWS) {
        CX_DB_EACH(db, &user_model, NULL, &user, &error) {
            USE(user.name.data);
            USE(user.age);
        }
        must("each", error);
    }
}

static double run_ns(body_fn *body, uint64_t n)
{
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    body(n);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 +
            (double)(to.tv_nsec - from.tv_nsec)) /
           (double)n;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, PAIRS, sizeof(*values), compare_doubles);
    return values[PAIRS / 2];
}

/* One that does it, and what it is called. */
struct side {
    const char *label;
    body_fn *body;
};

static void compare(const char *operation, struct side one, struct side other,
                    uint64_t n)
{
    double ones[PAIRS], others[PAIRS];

    one.body(n);
    other.body(n);
    for (int i = 0; i < PAIRS; i++) {
        ones[i] = run_ns(one.body, n);
        others[i] = run_ns(other.body, n);
    }
    printf("%s: %s %.1f\n", one.label, operation, median(ones));
    printf("%s: %s %.1f\n", other.label, operation, median(others));
    fflush(stdout);
}

#endif
