/* SPDX-License-Identifier: MIT */
/* What went wrong, in words: a context variable of the failing task's own. */
#ifndef CTXVAR_SQL_PROBLEM_H
#define CTXVAR_SQL_PROBLEM_H

/*
 * Leave words, as printf() writes them, and return error. They must name
 * neither a row's values nor a tenant.
 *
 * What leads here is cold, and lies apart from what a call runs through.
 */
__attribute__((cold, format(printf, 2, 3))) int
cx__problem(int error, const char *format, ...);

/* Words of -E2BIG. */
extern const char cx__problem_many_rows[];

/* At the begin of a call: what an earlier one left is not this one's. */
void cx__problem_forget(void);

/* Leave none with an error whose number says it all. */
__attribute__((cold)) static inline int cx__wordless(int error)
{
    cx__problem_forget();
    return error;
}

#endif
