/* SPDX-License-Identifier: MIT */
/* Text of others, made fit to be shown: no terminal obeys it, and it stays
 * where it was put. */
#ifndef CTXVAR_TOOL_TAME_H
#define CTXVAR_TOOL_TAME_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Put a question mark in place of each character that is not for showing:
 * controls, those that turn the direction of what follows, ends of lines, and
 * bytes that are no UTF-8. Gives the new length; a NUL follows the text before
 * and after. */
size_t tame(char *text, size_t len);

/* As fprintf(), made tame but for the ends of lines that it ends with. */
__attribute__((format(printf, 2, 3))) void tame_print(FILE *out,
                                                      const char *format, ...);
__attribute__((format(printf, 2, 0))) void
tame_vprint(FILE *out, const char *format, va_list arguments);

#endif
