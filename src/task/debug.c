/* SPDX-License-Identifier: MIT */
/* Reports. What they cost where nobody asks for them is a look at a flag. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "debug.h"
#include "loop.h"

enum { LINE_BYTES = 512, SLOW_MS = 100, MS = 1000000 };

bool cx__debugging;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of these two */
static void (*report_to)(const char *line, void *arg);
static void *report_arg;

static void look(void)
{
    const char *wanted = getenv("CTXVAR_DEBUG");

    cx__debugging =
        wanted != NULL && strcmp(wanted, "") != 0 && strcmp(wanted, "0") != 0;
}

void cx__debug_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, look);
}

void cx_debug_report_to(void (*fn)(const char *line, void *arg), void *arg)
{
    (void)pthread_mutex_lock(&lock);
    report_to = fn;
    report_arg = arg;
    (void)pthread_mutex_unlock(&lock);
}

static void deliver(const char *line)
{
    void (*fn)(const char *line, void *arg);
    void *arg;

    (void)pthread_mutex_lock(&lock);
    fn = report_to;
    arg = report_arg;
    (void)pthread_mutex_unlock(&lock);
    if (fn != NULL)
        fn(line, arg);
    else
        (void)fprintf(stderr, "ctxvar: %s\n", line);
}

void cx__report(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    if (!cx__debugging)
        return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    deliver(line);
}

int cx__wrong_thread(const char *what)
{
    cx__report("used on another thread than its loop's: %s", what);
    return -EXDEV;
}

void cx__debug_switch(struct cx__loop *loop)
{
    uint64_t began = uv_hrtime();
    struct cx__coroutine *next;
    const cx_task *task;
    uint64_t ms;

    loop->budget = 1;
    next = cx__loop_next(loop);
    task = loop->running;
    cx__coroutine_switch(&loop->hub, next);
    assert(task != NULL);
    ms = (uv_hrtime() - began) / MS;
    if (ms > SLOW_MS)
        cx__report("task \"%s\" #%llu kept the loop to itself for %llu ms",
                   task->name, (unsigned long long)task->id,
                   (unsigned long long)ms);
}

void cx__debug_tasks_left(const struct cx__loop *loop)
{
    for (const struct cx__list *link = loop->tasks.next; link != &loop->tasks;
         link = link->next) {
        const cx_task *task = CX__OWNER(link, cx_task, all);
        char site[CX__SITE_BYTES];

        cx__site_name(task->site, site, sizeof(site));
        cx__report("task \"%s\" #%llu, created at %s, was neither awaited nor"
                   " detached",
                   task->name, (unsigned long long)task->id, site);
    }
}
