/* SPDX-License-Identifier: MIT */
/* Colours, on a terminal that wants them, and how wide it is. */
#ifndef CTXVAR_TOOL_TERM_H
#define CTXVAR_TOOL_TERM_H

#include <stddef.h>

enum term_style { TERM_PLAIN, TERM_HEADING, TERM_RIGHT, TERM_WRONG };

/* Print to stdout as tame_print(), in a style that a terminal shows and a pipe
 * does not. */
__attribute__((format(printf, 2, 3))) void term_print(enum term_style style,
                                                      const char *format, ...);

/* How many columns the terminal has that a descriptor is, now; 80 if that
 * cannot be told. */
size_t term_columns(int fd);

#endif
