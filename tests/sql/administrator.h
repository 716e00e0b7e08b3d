/* SPDX-License-Identifier: MIT */
/* What a server's administrator is asked by tests of PostgreSQL's roles. */
#ifndef CTXVAR_TESTS_SQL_ADMINISTRATOR_H
#define CTXVAR_TESTS_SQL_ADMINISTRATOR_H

#include "support.h"

/* A tenant's role in what psql runs: named after the database's number. */
#define ROLE_OF(id)                                                            \
    "(SELECT 'cx_' || oid || '_" id "' FROM pg_database"                       \
    " WHERE datname = current_database())"

/* The URL of a test's database for another role. */
static CX__UNUSED void url_as(const char *role, const char *url, char *to,
                              size_t size)
{
    const char *database = strstr(url, "@/");

    assert_non_null(database);
    (void)snprintf(to, size, "postgresql://%s%s", role, database);
}

enum { ANSWER_BYTES = 128 };

/* The first line that a statement of the administrator's gives. */
static CX__UNUSED void ask(const char *url, const char *statement,
                           char answer[ANSWER_BYTES])
{
    char its[256];

    url_as("postgres", url, its, sizeof(its));
    server_answer(its, statement, answer, ANSWER_BYTES);
}

/* Wait until a statement of the administrator's gives 0. */
static CX__UNUSED void await_none(const char *url, const char *statement)
{
    char answer[ANSWER_BYTES] = "";

    while (strcmp(answer, "0") != 0) {
        assert_ok(cx_sleep(10));
        ask(url, statement, answer);
    }
}

#endif
