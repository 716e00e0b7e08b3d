/* SPDX-License-Identifier: MIT */
/* Text that is put together piece by piece. */
#ifndef CTXVAR_SQL_WORDS_H
#define CTXVAR_SQL_WORDS_H

#include <stdbool.h>

#include <ctxvar/data.h>

/* {0} is empty. failed: there was no memory, and what is there is not whole. */
struct cx__words {
    char *data; /* ends with a NUL; NULL while empty */
    size_t len;
    size_t room;
    bool failed;
};

void cx__words_fini(struct cx__words *words);
void cx__words_add(struct cx__words *words, const char *text);

/* As printf(). */
__attribute__((format(printf, 2, 3))) void
cx__words_print(struct cx__words *words, const char *format, ...);

static inline cx_text cx__words_text(const struct cx__words *words)
{
    return (cx_text){words->data, words->len};
}

#endif
