/* SPDX-License-Identifier: MIT */
/* Words for the shell itself, and not for its database: a line each, where no
 * statement has begun. */
#ifndef CTXVAR_TOOL_WORD_H
#define CTXVAR_TOOL_WORD_H

#include <stddef.h>

enum { WORD_MOST = 512 };

enum word_kind {
    WORD_NONE, /* it is a statement's */
    WORD_HELP,
    WORD_END,
    WORD_TABLES,
    WORD_UNKNOWN /* no statement begins so, and it is none that is known */
};

/* What follows the word, in `line`: a table's name without its quotes; "" where
 * there is none. */
struct word {
    enum word_kind kind;
    const char *argument;
    char line[WORD_MOST];
};

/* Read a line, which a ";" may end. */
void word_read(struct word *word, const char *line, size_t len);

#endif
