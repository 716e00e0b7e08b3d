/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include <ctxvar/task.h>

#include "visit.h"

enum { OVER = INT_MAX }; /* due after all others: nobody waits for it */

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

    if (demo->failed)
        return;
    if (!visit->model->carried)
        query.table = visit->model->table();
    error = cx_run_in_executor(demo->database, query_run, &query, NULL);
    demo_check(demo, "query", error);
    if (query.ok)
        demo_report(demo, visit->client, verb, &query.reading);
    else
        demo->failed = true;
}

/*
 * Whose line is next goes by units alone: whoever is due first and, of those
 * due at once, has waited longer. So the order is the note's also when the
 * queries take longer than a unit, or a unit is no time at all.
 */
static bool is_next(const struct visit *visit)
{
    for (size_t i = 0; i < visit->peer_count; i++) {
        const struct visit *peer = &visit->peers[i];

        if (peer->due < visit->due ||
            (peer->due == visit->due && peer->since < visit->since))
            return false;
    }
    return true;
}

/* The waits are counted from the start, so that what the queries take does
 * not add up. */
static void wait_for_line(struct visit *visit)
{
    struct demo *demo = visit->demo;

    if (demo->failed)
        return;
    visit->since = visit->due;
    visit->due += visit->client->wait;
    demo_check(demo, "wait",
               cx_sleep_until(visit->from + visit->due * demo->pace_ms));
    while (!is_next(visit))
        (void)cx_yield();
}

void *visit_run(void *arg)
{
    struct visit *visit = arg;

    visit->due = 0;
    visit->model->choose(visit->client->table);
    read_users(visit, "start");
    wait_for_line(visit);
    read_users(visit, "finish");
    wait_for_line(visit);
    read_users(visit, "start");
    wait_for_line(visit);
    read_users(visit, "finish");
    visit->due = OVER;
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
        visits[i].peers = visits;
        visits[i].peer_count = CLIENTS;
        tasks[i] = cx_task_create(visit_run, &visits[i]);
        if (tasks[i] == NULL) {
            demo_check(common->demo, "task", -errno);
            visits[i].due = OVER;
        }
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (tasks[i] != NULL)
            demo_check(common->demo, "await", cx_await(tasks[i], NULL));
    }
    return NULL;
}
