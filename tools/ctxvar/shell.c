/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar tenant shell`: statements of standard input, as one tenant, whatever
 * they say: what is not the tenant's the database refuses. A failure is told,
 * and the next statement is read.
 *
 * A line may also be a word for the shell itself, as "tables" is.
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
#include "word.h"

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

/* What came of a call, whose rows end here. */
static void show(struct shell *shell, cx_rows *rows, int error)
{
    if (error == 0)
        rows_print(rows);
    else
        tell(shell, error == -ECANCELED ? "the statement was cancelled"
                                        : tenant_words(error));
    cx_rows_fini(rows);
}

static void *statement_run(void *arg)
{
    struct shell *shell = arg;
    cx_rows rows = {.len = 0};

    show(shell, &rows, run_whole(shell, &rows));
    return NULL;
}

static void run_task(struct shell *shell, void *(*run)(void *arg), void *arg)
{
    int error = interrupt_run(&shell->interrupt, run, arg);

    if (error != 0)
        tell(shell, strerror(-error));
    heed_interrupt(shell);
}

static void run_statement(struct shell *shell)
{
    if (memchr(shell->text, '\0', shell->len) != NULL)
        tell(shell, "a NUL within the statement");
    else
        run_task(shell, statement_run, shell);
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

static void help(void)
{
    fputs(
        "A statement ends with \";\", on its line or on a later one, and is\n"
        "a transaction of its own. Ctrl-C cancels the one that runs, or\n"
        "drops the one that is being typed.\n"
        "\n"
        "On a line of their own:\n"
        "  tables          the tenant's tables; also \"\\d\", \".tables\"\n"
        "  describe TABLE  its columns; also \"\\d TABLE\", \".schema TABLE\"\n"
        "  help            this text\n"
        "  quit            the end; also \"exit\", \"\\q\" or Ctrl-D\n",
        stderr);
}

struct description {
    struct shell *shell;
    const char *table; /* "": all tables, and not the columns of one */
};

static void *describe_run(void *arg)
{
    const struct description *description = arg;
    cx_db *db = description->shell->call->db;
    cx_rows rows = {.len = 0};
    int error = description->table[0] == '\0'
                    ? cx_db_tables(db, &rows)
                    : cx_db_columns(db, description->table, &rows);

    show(description->shell, &rows, error);
    return NULL;
}

static void describe(struct shell *shell, const char *table)
{
    struct description description = {shell, table};

    shell->number = shell->lines.number;
    run_task(shell, describe_run, &description);
}

/* Tables are also told to a script; who typed a word is told what is wrong
 * with it. */
static bool take_word(struct shell *shell, const char *line, size_t len)
{
    struct word word;

    word_read(&word, line, len);
    if (word.kind == WORD_NONE ||
        (!shell->terminal && word.kind != WORD_TABLES))
        return false;
    if (!is_between(shell)) {
        if (shell->terminal && word.kind != WORD_UNKNOWN)
            fputs("This is part of a statement: \";\" ends it, Ctrl-C drops"
                  " it.\n",
                  stderr);
        return false;
    }
    if (word.kind == WORD_HELP)
        help();
    else if (word.kind == WORD_TABLES)
        describe(shell, word.argument);
    else if (word.kind == WORD_UNKNOWN)
        fputs("There is no such word: \"help\" tells which there are.\n",
              stderr);
    shell->over |= word.kind == WORD_END;
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
