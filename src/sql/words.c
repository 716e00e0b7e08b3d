/* SPDX-License-Identifier: MIT */
/*
 * Text, piece by piece. That there was no memory for one is remembered, so that
 * who writes many asks once, at the end.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "words.h"

enum { FIRST_ROOM = 128, PIECE_BYTES = 160 };

void cx__words_fini(struct cx__words *words)
{
    free(words->data);
    *words = (struct cx__words){.data = NULL};
}

/* Room for so many bytes more and a NUL. */
static bool reserve(struct cx__words *words, size_t more)
{
    size_t room = words->room != 0 ? words->room : FIRST_ROOM;
    char *data;

    while (room < words->len + more + 1)
        room *= 2;
    if (room == words->room)
        return true;
    data = realloc(words->data, room);
    if (data == NULL) {
        words->failed = true;
        return false;
    }
    words->data = data;
    words->room = room;
    return true;
}

void cx__words_add(struct cx__words *words, const char *text)
{
    size_t len = strlen(text);

    if (words->failed || !reserve(words, len))
        return;
    memcpy(words->data + words->len, text, len + 1);
    words->len += len;
}

void cx__words_print(struct cx__words *words, const char *format, ...)
{
    char piece[PIECE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    cx__words_add(words, piece);
}
