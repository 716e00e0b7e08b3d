/* SPDX-License-Identifier: MIT */
/* Many tenants of one database, and tasks that hold their connections. */
#ifndef CTXVAR_TESTS_SQL_MANY_H
#define CTXVAR_TESTS_SQL_MANY_H

#include <ctxvar/sync.h>

#include "users.h"

/* A database with other options, and tenants "0", "1" and so on in it, each
 * with a row whose name is its own. */
struct many {
    struct folder folder;
    cx_db *db;
    cx_tenant **tenants;
    int n;
};

static CX__UNUSED void many_make(struct many *many,
                                 const cx_db_options *options, int n)
{
    folder_make(&many->folder);
    assert_ok(cx_db_open(many->folder.url, options, &many->db));
    users_make(&many->folder);
    many->n = n;
    many->tenants = calloc((size_t)n, sizeof(cx_tenant *));
    for (int i = 0; i < n; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "%d", i);
        many->tenants[i] = tenant_make(many->db, name);
        CX_WITH_TENANT(many->tenants[i]) {
            (void)user_add(many->db, name, i);
        }
    }
}

static CX__UNUSED void many_end(struct many *many)
{
    for (int i = 0; i < many->n; i++)
        cx_tenant_unref(many->tenants[i]);
    free(many->tenants);
    assert_ok(cx_db_close(many->db));
    folder_remove(&many->folder);
}

/* Does tenant i read its own row, and nothing else? */
static CX__UNUSED void assert_own_row(const struct many *many, int i)
{
    User user = {.id = 1};
    CX_ARENA(arena);

    CX_WITH_TENANT(many->tenants[i]) {
        assert_ok(cx_db_find(many->db, &user_model, &user, &arena));
        assert_int_equal(user.age.value, i);
        assert_int_equal(atoi(user.name.data), i);
    }
}

/* A task that holds a connection of a tenant's until it is told to go on. */
struct holder {
    const struct many *many;
    int tenant;
    cx_event *held;
    cx_event *go;
    int error;
};

static void *hold(void *arg)
{
    struct holder *holder = arg;

    CX_WITH_TENANT(holder->many->tenants[holder->tenant]) {
        User user;

        holder->error = 0;
        CX_DB_EACH(holder->many->db, &user_model, NULL, &user, &holder->error) {
            (void)cx_event_set(holder->held);
            (void)cx_event_wait(holder->go);
            break;
        }
    }
    return NULL;
}

static CX__UNUSED cx_task *holder_start(struct holder *holder,
                                        const struct many *many, int tenant)
{
    cx_task *task;

    *holder = (struct holder){.many = many,
                              .tenant = tenant,
                              .held = cx_event_new(),
                              .go = cx_event_new()};
    task = cx_task_create(hold, holder);
    assert_non_null(task);
    return task;
}

static CX__UNUSED void holder_end(struct holder *holder, cx_task *task)
{
    assert_int_equal(cx_event_set(holder->go), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    (void)cx_event_free(holder->held);
    (void)cx_event_free(holder->go);
}

#endif
