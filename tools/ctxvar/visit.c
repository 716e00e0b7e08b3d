/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <ctxvar/task.h>

#include "visit.h"

/* A query on its way to the database's thread and back. */
struct query {
    const struct visit *visit;
    const char *table;
    bool ok;
    struct reading reading;
};

/* On the database's thread, in a copy of the client's context. */
static void *query_run(void *arg)
{
    struct query *query = arg;
    const struct visit *visit = query->visit;

    if (visit->model->carried)
        query->table = visit->model->table();
    query->ok = store_read(visit->demo->store, query->table,
                           visit->client->name, &query->reading);
    return NULL;
}

static void read_users(const struct visit *visit, const char *verb)
{
    struct demo *demo = visit->demo;
    struct query query = {.visit = visit};
    int error;

    if (!visit->model->carried)
        query.table = visit->model->table();
    error = cx_run_in_executor(demo->database, query_run, &query, NULL);
    demo_check(demo, "query", error);
    if (query.ok)
        demo_report(demo, visit->client, verb, &query.reading);
    else
        demo->failed = true;
}

/* The waits are counted from the start, so that what the queries take does
 * not add up, and clients that are due at once come in the note's order. */
static void wait_for(const struct visit *visit, unsigned units)
{
    uint64_t ms = (uint64_t)units * visit->client->wait * visit->demo->pace_ms;

    demo_check(visit->demo, "wait", cx_sleep_until(visit->from + ms));
}

void *visit_run(void *arg)
{
    const struct visit *visit = arg;

    visit->model->choose(visit->client->table);
    read_users(visit, "start");
    wait_for(visit, 1);
    read_users(visit, "finish");
    wait_for(visit, 2);
    read_users(visit, "start");
    wait_for(visit, 3);
    read_users(visit, "finish");
    return NULL;
}

void *visits_run(void *arg)
{
    struct visit *common = arg;
    struct visit visits[CLIENTS];
    cx_task *tasks[CLIENTS];

    common->from = cx_time();
    for (size_t i = 0; i < CLIENTS; i++) {
        visits[i] = *common;
        visits[i].client = &clients[i];
        tasks[i] = cx_task_create(visit_run, &visits[i]);
        if (tasks[i] == NULL)
            demo_check(common->demo, "task", -errno);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (tasks[i] != NULL)
            demo_check(common->demo, "await", cx_await(tasks[i], NULL));
    }
    return NULL;
}
