/* SPDX-License-Identifier: MIT */
/*
 * Where a statement ends: at a ";" that is in no quote and no comment, as its
 * engine has them. What the statement says is the database's matter.
 */
#ifndef CTXVAR_TOOL_SPLITTER_H
#define CTXVAR_TOOL_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

enum splitter_place {
    IN_NOTHING,
    IN_QUOTE,
    IN_ESCAPED_QUOTE, /* a backslash takes the next character along */
    IN_DOLLAR_QUOTE,
    IN_LINE_COMMENT,
    IN_COMMENT,
};

/*
 * What is known of a statement that was read in part.
 *
 * blank  <=> there were blanks and comments so far, and nothing else
 * word   the last character, if it is part of a word: a "$" is then, too, and
 *        a quote may have another meaning; else 0
 */
struct splitter {
    bool server; /* PostgreSQL's statements; else SQLite's */
    bool blank;
    enum splitter_place place;
    char closing;   /* what ends a quote */
    char tag[256];  /* "$tag$", which ends a dollar quote */
    unsigned depth; /* of comments in comments */
    unsigned char word;
    bool is_long;     /* the word has more than that one */
    bool was_escaped; /* an escaped quote has ended, and only blanks and
                         comments came since */
};

void splitter_begin(struct splitter *splitter, bool server);

/*
 * Read on, up to the statement's end: gives how many bytes are the
 * statement's, its ";" among them; 0: it goes on behind these. Texts must not
 * be parted but at an end of a line.
 */
size_t splitter_read(struct splitter *splitter, const char *text, size_t len);

/* The whole of a text: is there nothing in it but blanks and comments? */
bool splitter_is_blank(bool server, const char *text, size_t len);

#endif
