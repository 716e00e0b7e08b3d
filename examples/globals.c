/* SPDX-License-Identifier: MIT */
/*
 * Needs: nothing
 *
 * An old program with a global array, of which there is now one for each
 * context, though its uses are as they were.
 *
 *     cc globals.c $(pkg-config --cflags --libs ctxvar) -o globals
 *
 * The two lines, in place of `char table[64] = "Users";`: CX_GLOBAL() and a
 * #define. `table` still is an array of 64 characters, with an address.
 */
#include <ctxvar/context.h>

#include "expect.h"

CX_GLOBAL(char[64], table_cell, "Users");
#define table (*cx_ref(table_cell))

/* The old program, unchanged. */

static void use_table(const char *client)
{
    if (client[0] != '\0')
        snprintf(table, sizeof(table), "Users_%s", client);
}

static void upper_table(void)
{
    for (char *c = table; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
}

static const char *query(void)
{
    static char text[128];

    snprintf(text, sizeof(text), "SELECT * FROM %s", table);
    return text;
}

/* What is new: it serves several clients, each in a context of its own. */

static void begin(void *client)
{
    use_table(client);
}

static void shout(void *unused)
{
    (void)unused;
    upper_table();
}

static void check(void *want)
{
    expect("a client asks", query(), want);
}

int main(void)
{
    cx_context *a = cx_context_copy();
    cx_context *b = cx_context_copy();

    cx_context_run(a, begin, "Acme");
    cx_context_run(b, begin, "Globex");
    cx_context_run(a, check, "SELECT * FROM Users_Acme");
    cx_context_run(b, check, "SELECT * FROM Users_Globex");
    cx_context_run(b, shout, NULL);
    cx_context_run(a, check, "SELECT * FROM Users_Acme");
    cx_context_run(b, check, "SELECT * FROM USERS_GLOBEX");
    expect("nobody's", query(), "SELECT * FROM Users");
    cx_context_unref(a);
    cx_context_unref(b);
    return verdict(5);
}
