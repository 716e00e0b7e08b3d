/* SPDX-License-Identifier: MIT */
/* Python's contextvars, in C: the rows of docs/asyncio.md about them. */
#include "row.h"

#include <ctxvar/call.h>
#include <ctxvar/context.h>
#include <ctxvar/var.h>

CX_VAR(const char *, user, .initial = "nobody");

static bool user_is(const char *name)
{
    return strcmp(cx_get(user), name) == 0;
}

static void get_and_set(void)
{
    check(user_is("nobody"));
    check(cx_set(user, "ann") == 0);
    check(user_is("ann"));
    cx_unset(user);
    check(user_is("nobody"));
}

static void token_reset(void)
{
    cx_token token;

    check(cx_bind(user, "ann", &token) == 0);
    check(user_is("ann"));
    check(cx_reset(user, &token) == 0);
    check(user_is("nobody"));
    check(cx_reset(user, &token) == -EALREADY); /* once only */
}

static void with_token(void)
{
    CX_WITH(user, "ann") { /* Python 3.14: with user.set("ann"): */
        check(user_is("ann"));
    }
    check(user_is("nobody"));
}

static void set_bob(void *arg)
{
    (void)arg;
    check(cx_set(user, "bob") == 0);
}

static void copy_context_run(void)
{
    cx_context *copy = cx_context_copy();
    cx_value inside;

    check(cx_context_run(copy, set_bob, NULL) == 0);
    check(user_is("nobody"));
    check(cx_context_find(copy, cx_var_of(user), &inside));
    check(strcmp(inside.ptr, "bob") == 0);
    check(cx_context_len(copy) >= 1);
    cx_context_unref(copy);
}

static void *be_bob(void *arg)
{
    (void)arg;
    check(user_is("ann")); /* as when the task was created */
    check(cx_set(user, "bob") == 0);
    return NULL;
}

static void task_context(void)
{
    cx_task *task;

    check(cx_set(user, "ann") == 0);
    task = cx_task_create(be_bob, NULL);
    check(cx_set(user, "carl") == 0);
    check(cx_await(task, NULL) == 0);
    check(user_is("carl"));
    cx_unset(user);
}

static void *add_to_bob(void *arg)
{
    (void)arg;
    check(user_is("bob"));
    check(cx_set(user, "bob, and a task") == 0);
    return NULL;
}

static void create_task_context(void)
{
    cx_context *context = cx_context_copy();
    cx_task_options options = {.context = context};
    cx_value inside;

    check(cx_context_run(context, set_bob, NULL) == 0);
    check(cx_await(cx_task_create_with(&options, add_to_bob, NULL), NULL) == 0);
    check(cx_context_find(context, cx_var_of(user), &inside));
    check(strcmp(inside.ptr, "bob, and a task") == 0);
    cx_context_unref(context);
}

static void *see_ann(void *seen)
{
    *(bool *)seen = user_is("ann");
    check(cx_set(user, "the job's") == 0);
    return NULL;
}

static void to_thread_context(void)
{
    bool seen = false;

    CX_WITH(user, "ann") {
        check(cx_run_in_executor(NULL, see_ann, &seen, NULL) == 0);
        check(seen && user_is("ann"));
    }
}

static void see_ann_later(void *seen)
{
    *(int *)seen = user_is("ann") ? 1 : -1;
}

static void call_context(void)
{
    int seen = 0;

    CX_WITH(user, "ann") {
        cx_call_detach(cx_call_later(1, see_ann_later, &seen));
    }
    while (seen == 0)
        check(cx_sleep(1) == 0);
    check(seen == 1);
}

int main(void)
{
    static struct row rows[] = {
        ROW(get_and_set),       ROW(token_reset),  ROW(with_token),
        ROW(copy_context_run),  ROW(task_context), ROW(create_task_context),
        ROW(to_thread_context), ROW(call_context), {NULL, NULL},
    };

    return run_all(rows);
}
