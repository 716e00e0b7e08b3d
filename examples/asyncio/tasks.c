/* SPDX-License-Identifier: MIT */
/* asyncio's tasks, in C: the rows of docs/asyncio.md about them. */
#include "row.h"

#include <ctxvar/debug.h>
#include <ctxvar/deadline.h>
#include <ctxvar/group.h>
#include <ctxvar/spawn.h>
#include <ctxvar/sync.h>

/* The coroutine that most rows run: any function is one. */
static void *twice(void *number)
{
    (void)cx_sleep(1);
    return as_pointer(2 * (intptr_t)number);
}

static void *sleep_long(void *arg)
{
    (void)arg;
    return as_pointer(cx_sleep(60000));
}

static void create_task(void)
{
    cx_task *task = cx_task_create(twice, as_pointer(21));
    void *result;

    check(cx_await(task, &result) == 0);
    check((intptr_t)result == 42);
}

static void await_call(void)
{
    check((intptr_t)twice(as_pointer(4)) == 8);
}

static void *say_name(void *arg)
{
    (void)arg;
    return as_pointer(strcmp(cx_task_name(cx_task_current()), "reader") == 0);
}

static void task_name(void)
{
    cx_task *task = cx_task_create_with(&(cx_task_options){.name = "reader"},
                                        say_name, NULL);
    void *is_reader;

    check(cx_await(task, &is_reader) == 0);
    check(is_reader != NULL);
}

static void sleep_zero(void)
{
    cx_task *task = cx_task_create(twice, NULL);

    check(cx_yield() == 0); /* the task runs to its first wait */
    check(cx_sleep(1) == 0);
    check(cx_await(task, NULL) == 0);
}

static void gather(void)
{
    void *args[] = {as_pointer(1), as_pointer(2), as_pointer(3)};
    void *results[3];

    check(cx_gather(twice, args, results, 3) == 0);
    check((intptr_t)results[0] == 2 && (intptr_t)results[2] == 6);
}

static int fail_soon(void *arg)
{
    (void)arg;
    (void)cx_sleep(1);
    return -EIO;
}

static int count_the_cancelled(void *count)
{
    int error = cx_sleep(60000);

    *(int *)count += error == -ECANCELED;
    return error;
}

static void task_group(void)
{
    cx_group *group = cx_group_new(NULL);
    int cancelled = 0;
    int errors[3];

    check(cx_group_start(group, count_the_cancelled, &cancelled) == 0);
    check(cx_group_start(group, fail_soon, NULL) == 0);
    check(cx_group_start(group, count_the_cancelled, &cancelled) == 0);
    check(cx_group_wait(group) == -EIO); /* all have ended by now */
    check(cancelled == 2);
    check(cx_group_errors(group, errors, 3) == 1);
    cx_group_free(group);
}

static int running, most;

static int run_beside_others(void *arg)
{
    (void)arg;
    running++;
    most = running > most ? running : most;
    (void)cx_yield();
    running--;
    return 0;
}

static void limit(void)
{
    cx_group *group = cx_group_new(&(cx_group_options){.limit = 2});

    for (int i = 0; i < 10; i++)
        check(cx_group_start(group, run_beside_others, NULL) == 0);
    check(cx_group_wait(group) == 0);
    check(most == 2);
    cx_group_free(group);
}

static void *sleep_for(void *ms)
{
    (void)cx_sleep((uint64_t)(uintptr_t)ms);
    return ms;
}

static void wait_first(void)
{
    cx_task *tasks[] = {cx_task_create(sleep_long, NULL),
                        cx_task_create(sleep_for, as_pointer(1))};

    check(cx_wait_any(tasks, 2) == 1);
    check(cx_cancel(tasks[0]) == 0);
    check(cx_await(tasks[0], NULL) == 0);
    check(cx_await(tasks[1], NULL) == 0);
}

static void as_completed(void)
{
    cx_task *tasks[3];
    intptr_t order = 0;
    int i;

    for (i = 0; i < 3; i++)
        tasks[i] = cx_task_create(sleep_for, as_pointer(30 - 10 * i));
    while ((i = cx_wait_any(tasks, 3)) >= 0) {
        check(cx_await(tasks[i], NULL) == 0);
        tasks[i] = NULL;
        order = order * 10 + i;
    }
    check(i == -EINVAL); /* there is none left */
    check(order == 210);
}

static void cancel(void)
{
    cx_task *task = cx_task_create(sleep_long, NULL);
    void *result;

    check(cx_cancel(task) == 0);
    check(cx_await(task, &result) == 0);
    check((intptr_t)result == -ECANCELED);
}

static void *clean_up(void *cleaned)
{
    int error = cx_sleep(60000);

    if (error == -ECANCELED)
        error = cx_sleep(1); /* again: a cancelled task waits for nothing, */
    if (error == -ECANCELED) {
        CX_SHIELD { /* but where it says that it must */
            *(bool *)cleaned = cx_sleep(1) == 0;
        }
    }
    return NULL;
}

static void cancel_and_clean_up(void)
{
    bool cleaned = false;
    cx_task *task = cx_task_create(clean_up, &cleaned);

    check(cx_yield() == 0);
    check(cx_cancel(task) == 0);
    check(cx_await(task, NULL) == 0);
    check(cleaned);
}

static void note_error(int error, void *noted)
{
    *(int *)noted = error;
}

static void exception_handler(void)
{
    int noted = 0;

    check(cx_on_failure(note_error, &noted) == 0);
    check(cx_spawn(fail_soon, NULL) == 0); /* nobody awaits it */
    while (noted == 0)
        check(cx_sleep(1) == 0);
    check(noted == -EIO);
    check(cx_on_failure(NULL, NULL) == 0);
}

static void *set_event(void *event)
{
    return as_pointer(cx_event_set(event));
}

static void done_callback(void)
{
    cx_event *done = cx_event_new();

    cx_task_detach(cx_task_create(set_event, done)); /* frees itself */
    check(cx_event_wait(done) == 0);
    check(cx_event_free(done) == 0);
}

static void all_tasks(void)
{
    cx_task *task = cx_task_create_with(&(cx_task_options){.name = "sleeper"},
                                        sleep_long, NULL);
    char text[4096] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");

    check(cx_yield() == 0);
    check(cx_task_dump(out) == 0);
    (void)fclose(out);
    check(strstr(text, "sleeper") != NULL);
    check(cx_cancel(task) == 0 && cx_await(task, NULL) == 0);
}

int main(void)
{
    static struct row rows[] = {
        ROW(create_task),
        ROW(await_call),
        ROW(task_name),
        ROW(sleep_zero),
        ROW(gather),
        ROW(task_group),
        ROW(limit),
        ROW(wait_first),
        ROW(as_completed),
        ROW(cancel),
        ROW(cancel_and_clean_up),
        ROW(exception_handler),
        ROW(done_callback),
        ROW(all_tasks),
        {NULL, NULL},
    };

    return run_all(rows);
}
