/* SPDX-License-Identifier: MIT */
/*
 * What a program's own statement may be. The server keeps it to its tenant's
 * rows; this keeps it from the session that it shares with the library's
 * statements: the transaction that they are in, their names, and what their
 * values are written in.
 *
 * Two nets: its first word says what it is, before it is sent; and what it was
 * is asked of the server afterwards. What slips through the first costs the
 * connection, and the transaction.
 */
#include <errno.h>
#include <string.h>

#include "postgres_statement.h"
#include "problem.h"

/* The first words of what is not for a program, and of the server's names for
 * what was done. */
static const char *const refused[] = {
    "abort",     "begin",  "close",    "commit",  "deallocate", "discard",
    "end",       "listen", "notify",   "prepare", "release",    "rollback",
    "savepoint", "start",  "unlisten", "copy",
};

/* The end of a comment of two dashes. */
static size_t skip_line(cx_text text, size_t at)
{
    while (at < text.len && text.data[at] != '\n' && text.data[at] != '\r')
        at++;
    return at;
}

/* Where the first word begins, past blanks and comments. */
static size_t skip_blanks(cx_text text)
{
    size_t at = 0;
    unsigned depth = 0;

    while (at < text.len) {
        const char *rest = text.data + at;
        size_t left = text.len - at;

        if (left >= 2 && strncmp(rest, "/*", 2) == 0) {
            depth++;
            at += 2;
        } else if (depth > 0) {
            bool ends = left >= 2 && strncmp(rest, "*/", 2) == 0;

            depth -= ends;
            at += ends ? 2 : 1;
        } else if (left >= 2 && strncmp(rest, "--", 2) == 0) {
            at = skip_line(text, at);
        } else if (strchr(" \t\r\n\f\v;(", *rest) != NULL && *rest != '\0') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

/* May it be within a word, as the server sees it? */
static bool is_of_word(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte >= 0x80 || (byte >= '0' && byte <= '9') ||
           ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte == '_' ||
           byte == '$';
}

static bool is_word_of(cx_text text, size_t at, const char *word)
{
    size_t len = strlen(word);

    return text.len - at >= len &&
           strncasecmp(text.data + at, word, len) == 0 &&
           (text.len - at == len || !is_of_word(text.data[at + len]));
}

int cx__pg_check_raw(cx_text text)
{
    size_t at = skip_blanks(text);

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (is_word_of(text, at, refused[i]))
            return cx__problem(
                -EACCES, "%s is not for a program's own statement", refused[i]);
    }
    return 0;
}

int cx__pg_check_done(struct cx__pg_connection *connection, PGresult *result)
{
    int error = cx__pg_check_raw(CX_TEXT(PQcmdStatus(result)));

    if (error != 0)
        cx__pg_give_up(connection);
    return error;
}

static bool is_utf8(const PGconn *pg)
{
    const char *encoding = PQparameterStatus(pg, "client_encoding");

    return encoding != NULL && strcmp(encoding, "UTF8") == 0;
}

int cx__pg_check_session(struct cx__pg_connection *connection)
{
    const PGconn *pg = connection->wire->pg;
    PGTransactionStatusType status = PQtransactionStatus(pg);
    bool inside = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
    const char *words;

    if (inside != (connection->inside > 0))
        words = "a statement that ended the transaction, or began one";
    else if (connection->raw && !is_utf8(pg))
        words = "a statement that changed what text is written in";
    else
        return 0;
    cx__pg_give_up(connection);
    return cx__problem(-EACCES, "%s", words);
}
