/* SPDX-License-Identifier: MIT */
/*
 * Words for errors. They lie in the context of the task that failed: in a
 * thread-local another task of the loop would overwrite them before they are
 * read. Copies of the context do without, since what a child task does has
 * not failed.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <ctxvar/database.h>
#include <ctxvar/var.h>

#include "problem.h"
#include "utf8.h"

enum { MOST_BYTES = 512 };

const char cx__problem_many_rows[] = "the rows take too much memory";

struct problem {
    uint32_t refs;
    char text[];
};

static void problem_ref(void *value)
{
    struct problem *problem = value;

    (void)__atomic_fetch_add(&problem->refs, 1, __ATOMIC_RELAXED);
}

static void problem_unref(void *value)
{
    struct problem *problem = value;

    if (__atomic_fetch_sub(&problem->refs, 1, __ATOMIC_ACQ_REL) == 1)
        free(problem);
}

static int problem_format(const void *value, char *buf, size_t size)
{
    return snprintf(buf, size, "%s", ((const struct problem *)value)->text);
}

static const cx_type counted = {
    .name = "problem",
    .ref = problem_ref,
    .unref = problem_unref,
    .format = problem_format,
};

CX_VAR(struct problem *, last, .title = "database problem", .type = &counted,
       .inherit = CX_INHERIT_NONE);

/* NULL: no memory. */
static struct problem *problem_new(const char *format, va_list arguments)
{
    char text[MOST_BYTES];
    int len = vsnprintf(text, sizeof(text), format, arguments);
    size_t size = 1 + (len < 0                   ? 0
                       : len < (int)sizeof(text) ? (size_t)len
                                                 : sizeof(text) - 1);
    struct problem *problem = malloc(sizeof(*problem) + size);

    if (problem != NULL) {
        problem->refs = 1;
        (void)snprintf(problem->text, size, "%s", text);
        /* A server's names may be anything, and who reads this a terminal. */
        cx__utf8_mask(problem->text, size - 1);
    }
    return problem;
}

static const struct cx__entry *entry_of_last(void)
{
    return cx__entry_of(&last.var, 0);
}

/* Mostly there is nothing, and that is to be seen without a call. */
void cx__problem_forget(void)
{
    if (entry_of_last() != NULL)
        (void)cx_unset(last);
}

int cx__problem(int error, const char *format, ...)
{
    struct problem *problem;
    va_list arguments;

    va_start(arguments, format);
    problem = problem_new(format, arguments);
    va_end(arguments);
    /* None are better than those of an earlier failure. */
    if (problem == NULL || cx_set(last, problem) != 0)
        cx__problem_forget();
    if (problem != NULL)
        problem_unref(problem);
    return error;
}

const char *cx_db_problem(void)
{
    const struct cx__entry *entry = entry_of_last();

    return entry != NULL ? ((struct problem *)entry->value.ptr)->text : "";
}
