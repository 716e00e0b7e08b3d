/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tame.h"
#include "usage.h"

void complain(const char *format, ...)
{
    char line[8192];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    (void)tame(line, strlen(line));
    fprintf(stderr, "%s\n", line);
}

int usage_error(const char *command, const char *what, const char *offender)
{
    complain("%s: %s: \"%s\"; see '%s --help'", command, what, offender,
             command);
    return EXIT_USAGE;
}
