/* SPDX-License-Identifier: MIT */
/* Lines of standard input, which a task waits for, and not its loop. */
#ifndef CTXVAR_TOOL_LINES_H
#define CTXVAR_TOOL_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: nothing was read yet. */
struct lines {
    char *data;   /* owned */
    size_t begin; /* of what was read and not given */
    size_t seen;  /* up to here there is no end of a line in that */
    size_t len;
    size_t size;
    size_t number; /* of the line that was given last, from 1 */
    bool ended;
};

/* Within a task: give the next line with its "\n", which the last one may
 * lack, borrowed until the next call. Gives its length, 0 at the end, or an
 * error; after -ECANCELED nothing is lost. */
long lines_next(struct lines *lines, const char **line);

/* Forget what was read and not given, and what is to come after an end: a
 * terminal goes on. */
void lines_drop(struct lines *lines);

void lines_fini(struct lines *lines);

#endif
