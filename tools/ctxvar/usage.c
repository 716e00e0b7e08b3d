/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "usage.h"

int usage_error(const char *command, const char *what, const char *offender)
{
    fprintf(stderr, "%s: %s: \"%s\"; see '%s --help'\n", command, what,
            offender, command);
    return EXIT_USAGE;
}
