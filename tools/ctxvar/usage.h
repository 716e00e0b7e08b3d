/* SPDX-License-Identifier: MIT */
/* What the command's exit status says, and how it speaks of mistakes. */
#ifndef CTXVAR_TOOL_USAGE_H
#define CTXVAR_TOOL_USAGE_H

enum {
    EXIT_RIGHT = 0,
    EXIT_WRONG = 1,
    EXIT_USAGE = 2,
    EXIT_INTERRUPTED = 128 + 2, /* as a shell says it of SIGINT */
};

/* One line on stderr, whatever the arguments hold: it is made tame. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* One line on stderr that names the offender; gives EXIT_USAGE. */
int usage_error(const char *command, const char *what, const char *offender);

#endif
