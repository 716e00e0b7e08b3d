/* SPDX-License-Identifier: MIT */
/*
 * The note's three programs, and tasks on a thread-local. They differ in one
 * thing: where the model keeps the name of its table.
 */
#include <ctxvar/task.h>

#include "visit.h"

/* The model as it often is: a plain global. */
static struct {
    const char *table;
} User;

static void global_choose(const char *table)
{
    User.table = table;
}

static const char *global_table(void)
{
    return User.table;
}

static const struct model global = {global_choose, global_table, false};

/* As it should be: a context variable. The tasks need not carry it about,
 * and the database's thread sees the value of whoever asked. */
CX_VAR(const char *, user_table);

static void context_choose(const char *table)
{
    (void)cx_set(user_table, table);
}

static const char *context_table(void)
{
    return cx_get(user_table);
}

static const struct model context = {context_choose, context_table, true};

/* Right for threads, wrong for tasks: a thread-local. */
CX_THREAD_VAR(const char *, thread_table);

static void thread_choose(const char *table)
{
    (void)cx_set(thread_table, table);
}

static const char *thread_table_get(void)
{
    return cx_get(thread_table);
}

static const struct model thread = {thread_choose, thread_table_get, false};

static void run(struct demo *demo, const struct model *model, cx_task_fn *fn)
{
    struct visit visit = {.demo = demo, .model = model};

    demo_check(demo, "loop", cx_run(fn, &visit, NULL));
}

/* One client after the other: each begins when the one before has ended. */
static void *one_by_one(void *arg)
{
    struct visit visit = *(struct visit *)arg;

    visit.from = cx_time();
    for (size_t i = 0; i < CLIENTS; i++) {
        visit.client = &clients[i];
        (void)visit_run(&visit);
        visit.from += (uint64_t)3 * clients[i].wait * visit.demo->pace_ms;
    }
    return NULL;
}

void sequential_run(struct demo *demo)
{
    run(demo, &global, one_by_one);
}

void naive_run(struct demo *demo)
{
    run(demo, &global, visits_run);
}

void context_run(struct demo *demo)
{
    run(demo, &context, visits_run);
}

void thread_tasks_run(struct demo *demo)
{
    run(demo, &thread, visits_run);
}
