/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar tenant shell`: a statement a line, as one tenant, whatever it says:
 * what is not the tenant's the database refuses. A failure is told, and the
 * next line is read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rows.h"
#include "tame.h"
#include "tenant.h"
#include "usage.h"

struct line {
    char *text;
    size_t size;
    ssize_t len; /* -1: there is none */
};

/* On a thread of its own, since the database's connections live meanwhile. */
static void *line_read(void *arg)
{
    struct line *line = arg;

    line->len = getline(&line->text, &line->size, stdin);
    return NULL;
}

static bool next_line(struct line *line, const char *name)
{
    if (isatty(STDIN_FILENO) == 1)
        tame_print(stderr, "%s> ", name);
    line->len = -1;
    if (!tenant_is_ok(name, cx_run_in_executor(NULL, line_read, line, NULL)))
        return false;
    return line->len >= 0;
}

static bool is_blank(const char *text)
{
    text += strspn(text, " \t\r\n;");
    return text[0] == '\0' || strncmp(text, "--", 2) == 0;
}

static bool run_statement(cx_db *db, const struct line *line)
{
    cx_rows rows = {.len = 0};
    int error;

    if (strlen(line->text) != (size_t)line->len) {
        complain("ctxvar tenant: error: a NUL within the statement");
        return false;
    }
    error = cx_db_sql(db, line->text, NULL, &rows);
    if (error != 0) {
        complain("ctxvar tenant: error: %s", tenant_words(error));
        return false;
    }
    rows_print(&rows);
    cx_rows_fini(&rows);
    return true;
}

static int run_lines(struct tenant_call *call)
{
    struct line line = {.text = NULL};
    bool right = true;

    while (next_line(&line, call->arguments[0])) {
        if (!is_blank(line.text))
            right &= run_statement(call->db, &line);
    }
    if (ferror(stdin) != 0) {
        complain("ctxvar tenant: cannot read standard input");
        right = false;
    }
    free(line.text);
    return right ? EXIT_RIGHT : EXIT_WRONG;
}

int tenant_shell(struct tenant_call *call)
{
    const char *name = call->arguments[0];
    int status = EXIT_WRONG;
    cx_tenant *tenant;

    if (!tenant_is_ok(name, cx_tenant_find(call->db, CX_TEXT(name), &tenant)))
        return EXIT_WRONG;
    CX_WITH_TENANT(tenant) {
        status = run_lines(call);
    }
    else(void) tenant_is_ok(name, -ENOMEM);
    cx_tenant_unref(tenant);
    return status;
}
