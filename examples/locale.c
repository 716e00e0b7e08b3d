/* SPDX-License-Identifier: MIT */
/*
 * Needs: nothing
 *
 * libc knows one locale for the process and, by uselocale(), one for each
 * thread. Mirrored from a variable, it is one for each context.
 *
 *     cc locale.c $(pkg-config --cflags --libs ctxvar) -pthread -o locale
 *
 * The two lines: cx_watch() once, and uselocale() in the watcher. Whatever
 * changes the variable's current value (a set, a reset, a switch to another
 * context) takes libc along.
 */
#include <langinfo.h>
#include <locale.h>

#include <ctxvar/callback.h>

#include "expect.h"

CX_VAR(locale_t, text_locale, .initial = LC_GLOBAL_LOCALE);

static void text_locale_changed(cx_value now, void *unused)
{
    (void)unused;
    uselocale(now.ptr);
}

/* Stands for any of libc's functions that ask for the locale. */
static const char *encoding(void)
{
    return nl_langinfo(CODESET);
}

static void greet(void *want)
{
    expect("in a context", encoding(), want);
}

static void *greet_in_thread(void *want)
{
    expect("in a thread", encoding(), want);
    return NULL;
}

/* Two contexts take turns on this thread, as a scheduler would have them. */
static void take_turns(cx_context *plain, cx_context *unicode)
{
    cx_context_run(plain, greet, "ANSI_X3.4-1968");
    cx_context_run(unicode, greet, "UTF-8");
    cx_context_run(plain, greet, "ANSI_X3.4-1968");
    expect("between them", encoding(), "ANSI_X3.4-1968");
}

int main(void)
{
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    cx_context *plain = cx_context_copy();
    cx_context *unicode = NULL;
    pthread_t thread;

    need(utf8 != NULL, "locale");
    need(cx_watch(cx_var_of(text_locale), text_locale_changed, NULL) == 0,
         "watch");
    CX_WITH(text_locale, utf8) {
        expect("in a block", encoding(), "UTF-8");
        unicode = cx_context_copy();
        need(cx_thread_create(&thread, NULL, greet_in_thread, "UTF-8") == 0,
             "thread");
    }
    take_turns(plain, unicode);
    pthread_join(thread, NULL);
    cx_context_unref(plain);
    cx_context_unref(unicode);
    cx_unwatch(cx_var_of(text_locale), text_locale_changed, NULL);
    freelocale(utf8);
    return verdict(6);
}
