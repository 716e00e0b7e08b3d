/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tame.h"
#include "term.h"

/* NO_COLOR counts when it is set and not empty: https://no-color.org */
static bool has_colours(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

void term_print(enum term_style style, const char *format, ...)
{
    static const char *const on[] = {
        [TERM_PLAIN] = "",
        [TERM_HEADING] = "\033[1m",
        [TERM_RIGHT] = "\033[32m",
        [TERM_WRONG] = "\033[31m",
    };
    bool coloured = style != TERM_PLAIN && has_colours();
    va_list arguments;

    if (coloured)
        fputs(on[style], stdout);
    va_start(arguments, format);
    tame_vprint(stdout, format, arguments);
    va_end(arguments);
    if (coloured)
        fputs("\033[0m", stdout);
    /* Each line as it happens, also into a pipe. */
    fflush(stdout);
}

size_t term_columns(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}
