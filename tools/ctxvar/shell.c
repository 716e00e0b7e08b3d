/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar tenant shell`: statements of standard input, as one tenant, whatever
 * they say: what is not the tenant's the database refuses. A failure is told,
 * and the next statement is read.
 *
 * Each statement runs in a task of its own, as each wait for a line does, so
 * that an interrupt cancels it alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ctxvar/transaction.h>

#include "interrupt.h"
#include "lines.h"
#include "rows.h"
#include "splitter.h"
#include "tame.h"
#include "tenant.h"
#include "url.h"
#include "usage.h"

/* len  0: there is nothing of a statement yet */
struct shell {
    const struct tenant_call *call;
    bool terminal; /* somebody is there, to be asked and answered */
    bool server;
    struct interrupt interrupt;
    struct lines lines;
    struct splitter splitter;
    char *text; /* of the statement that is read, owned */
    size_t len;
    size_t size;
    size_t number; /* of the line that it begins in */
    int status;
    bool dropped; /* what is left of the line was forgotten, too */
    bool over;
};

static void forget_statement(struct shell *shell)
{
    splitter_begin(&shell->splitter, shell->server);
    shell->len = 0;
}

static void fail(struct shell *shell)
{
    if (shell->status == EXIT_RIGHT)
        shell->status = EXIT_WRONG;
}

/* Who typed a statement knows which it is; of a script its line tells. */
static void tell(struct shell *shell, const char *words)
{
    if (shell->terminal)
        complain("ctxvar tenant: error: %s", words);
    else
        complain("ctxvar tenant: line %zu: %s", shell->number, words);
    fail(shell);
}

/* An interrupt ends a script, and not who typed it. */
static void heed_interrupt(struct shell *shell)
{
    if (!shell->interrupt.came)
        return;
    shell->interrupt.came = false;
    shell->dropped = true;
    forget_statement(shell);
    lines_drop(&shell->lines);
    if (shell->terminal)
        return;
    complain("ctxvar tenant: interrupted: what follows line %zu was not run",
             shell->lines.number);
    shell->status = EXIT_INTERRUPTED;
    shell->over = true;
}

/*
 * A server goes on with a statement of which nobody waits for the end any
 * more, and would commit it: within a transaction it does not.
 */
static int run_whole(const struct shell *shell, cx_rows *rows)
{
    cx_db *db = shell->call->db;
    int error;

    if (!shell->server)
        return cx_db_sql(db, shell->text, NULL, rows);
    CX_TRANSACTION(db, &error) {
        error = cx_db_sql(db, shell->text, NULL, rows);
    }
    return error;
}

static void *statement_run(void *arg)
{
    struct shell *shell = arg;
    cx_rows rows = {.len = 0};
    int error = run_whole(shell, &rows);

    if (error == 0)
        rows_print(&rows);
    else
        tell(shell, error == -ECANCELED ? "the statement was cancelled"
                                        : tenant_words(error));
    cx_rows_fini(&rows);
    return NULL;
}

static void run_statement(struct shell *shell)
{
    int error;

    if (memchr(shell->text, '\0', shell->len) != NULL) {
        tell(shell, "a NUL within the statement");
        return;
    }
    error = interrupt_run(&shell->interrupt, statement_run, shell);
    if (error != 0)
        tell(shell, strerror(-error));
    heed_interrupt(shell);
}

static bool append(struct shell *shell, const char *text, size_t len)
{
    if (shell->len + len >= shell->size) {
        size_t size = 2 * (shell->len + len) + 1;
        char *larger = realloc(shell->text, size);

        if (larger == NULL) {
            /* What follows is a part of this, and not to be run without. */
            tell(shell, strerror(ENOMEM));
            shell->over = true;
            return false;
        }
        shell->text = larger;
        shell->size = size;
    }
    memcpy(shell->text + shell->len, text, len);
    shell->len += len;
    shell->text[shell->len] = '\0';
    return true;
}

static bool is_between(const struct shell *shell)
{
    return shell->splitter.blank && shell->splitter.place == IN_NOTHING;
}

/* Up to the end of a statement, or of the line: gives how many bytes. */
static size_t take_part(struct shell *shell, const char *line, size_t len)
{
    size_t size;

    if (is_between(shell))
        shell->number = shell->lines.number;
    size = splitter_read(&shell->splitter, line, len);
    if (!append(shell, line, size > 0 ? size : len))
        return len;
    if (size > 0 && !shell->splitter.blank)
        run_statement(shell);
    if (size > 0 || is_between(shell))
        forget_statement(shell);
    return size > 0 ? size : len;
}

static bool is_word(const char *line, size_t len, const char *word)
{
    size_t size = strlen(word);

    while (len > 0 && strchr(" \t\r\n;", line[len - 1]) != NULL)
        len--;
    return len == size && memcmp(line, word, size) == 0;
}

static void help(void)
{
    fputs("A statement ends with \";\", on its line or on a later one, and is\n"
          "a transaction of its own. Ctrl-C cancels the one that runs, or\n"
          "drops the one that is being typed. \"quit\", \"exit\", \"\\q\" or\n"
          "Ctrl-D ends.\n",
          stderr);
}

/* Words for the shell itself, where somebody types them. */
static bool take_word(struct shell *shell, const char *line, size_t len)
{
    bool is_help = is_word(line, len, "help") || is_word(line, len, "\\?");
    bool is_end = is_word(line, len, "quit") || is_word(line, len, "exit") ||
                  is_word(line, len, "\\q");

    if (!shell->terminal || (!is_help && !is_end))
        return false;
    if (!is_between(shell)) {
        fputs("This is part of a statement: \";\" ends it, Ctrl-C drops it.\n",
              stderr);
        return false;
    }
    if (is_help)
        help();
    shell->over = is_end;
    return true;
}

static void take_line(struct shell *shell, const char *line, size_t len)
{
    if (take_word(shell, line, len))
        return;
    shell->dropped = false;
    while (len > 0 && !shell->over && !shell->dropped) {
        size_t size = take_part(shell, line, len);

        line += size;
        len -= size;
    }
}

/* A statement that lacks its ";" is the last one of a script. On a terminal
 * it is one that somebody did not mean to end. */
static void take_end(struct shell *shell)
{
    enum splitter_place place = shell->splitter.place;

    if (shell->terminal)
        fputc('\n', stderr);
    if (shell->len == 0)
        return;
    if (place != IN_NOTHING && place != IN_LINE_COMMENT)
        tell(shell, "a quote or a comment does not end: it was not run");
    else if (shell->splitter.blank)
        return;
    else if (shell->terminal)
        tell(shell, "the statement does not end with \";\": it was not run");
    else
        run_statement(shell);
}

/* What a statement that goes on waits for. */
static char mark_of(const struct splitter *splitter)
{
    switch (splitter->place) {
    case IN_QUOTE:
    case IN_ESCAPED_QUOTE:
        return splitter->closing;
    case IN_DOLLAR_QUOTE:
        return '$';
    case IN_COMMENT:
        return '*';
    case IN_NOTHING:
    case IN_LINE_COMMENT:
        break;
    }
    return '-';
}

static void prompt(const struct shell *shell)
{
    const char *name = shell->call->arguments[0];

    if (shell->terminal && is_between(shell))
        tame_print(stderr, "%s> ", name);
    else if (shell->terminal)
        tame_print(stderr, "%s%c> ", name, mark_of(&shell->splitter));
}

struct reading {
    struct lines *lines;
    const char *line;
    long result;
};

static void *line_read(void *arg)
{
    struct reading *reading = arg;

    reading->result = lines_next(reading->lines, &reading->line);
    return NULL;
}

static void read_line(struct shell *shell)
{
    struct reading reading = {.lines = &shell->lines};
    int error = interrupt_run(&shell->interrupt, line_read, &reading);

    if (error == 0 && reading.result < 0)
        error = (int)reading.result;
    if (shell->interrupt.came) {
        heed_interrupt(shell);
    } else if (error != 0) {
        complain("ctxvar tenant: cannot read standard input: %s",
                 strerror(-error));
        fail(shell);
        shell->over = true;
    } else if (reading.result == 0) {
        take_end(shell);
        shell->over = true;
    } else {
        take_line(shell, reading.line, (size_t)reading.result);
    }
}

static int run_shell(struct tenant_call *call)
{
    struct shell shell = {.call = call,
                          .terminal = isatty(STDIN_FILENO) == 1,
                          .server = url_folder(call->url) == NULL};
    int error = interrupt_open(&shell.interrupt);

    if (!tenant_is_ok(call->arguments[0], error))
        return EXIT_WRONG;
    shell.interrupt.insistent = !shell.terminal;
    shell.interrupt.echoed = shell.terminal;
    forget_statement(&shell);
    if (shell.terminal)
        fputs("A statement ends with \";\". \"help\" tells more; \"quit\" or"
              " Ctrl-D ends.\n",
              stderr);
    while (!shell.over) {
        prompt(&shell);
        read_line(&shell);
    }
    interrupt_close(&shell.interrupt);
    lines_fini(&shell.lines);
    free(shell.text);
    return shell.status;
}

int tenant_shell(struct tenant_call *call)
{
    const char *name = call->arguments[0];
    int status = EXIT_WRONG;
    cx_tenant *tenant;

    if (!tenant_is_ok(name, cx_tenant_find(call->db, CX_TEXT(name), &tenant)))
        return EXIT_WRONG;
    CX_WITH_TENANT(tenant) {
        status = run_shell(call);
    }
    else(void) tenant_is_ok(name, -ENOMEM);
    cx_tenant_unref(tenant);
    return status;
}
