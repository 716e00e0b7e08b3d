/* SPDX-License-Identifier: MIT */
/* The arguments of `ctxvar demo`. */
#ifndef CTXVAR_TOOL_OPTIONS_H
#define CTXVAR_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *program; /* borrowed from argv; "all" if none is given */
    const char *db;      /* borrowed from argv; NULL: a temporary one */
    uint64_t pace_ms;    /* in one unit of the clients' waits */
    bool help;
};

/* Read argv[1...]: EXIT_RIGHT, or EXIT_USAGE with a line on stderr. */
int options_read(struct options *options, int argc, char **argv);

#endif
