/* SPDX-License-Identifier: MIT */
/* Many tenants of one database, and tasks that hold their connections. */
#ifndef CTXVAR_TESTS_SQL_MANY_H
#define CTXVAR_TESTS_SQL_MANY_H

#include <ctxvar/sync.h>

#include "two.h"
#include "users.h"

/* A database with other options, and tenants in it: A and B of the two, and
 * "2", "3" and so on. Each has rows of its own: the others one. */
struct many {
    struct folder folder;
    cx_db *db;
    struct two two;
    cx_tenant **tenants;
    int n;
};

/* What the names of tenant i's rows begin with. */
static CX__UNUSED void many_word(char *word, size_t size, int i)
{
    if (i < 2)
        (void)snprintf(word, size, "%s", i == 0 ? "open" : "SECRET");
    else
        (void)snprintf(word, size, "%d", i);
}

static CX__UNUSED void many_make(struct many *many,
                                 const cx_db_options *options, int n)
{
    folder_make(&many->folder);
    assert_ok(cx_db_open(many->folder.url, options, &many->db));
    users_make(&many->folder);
    two_add(&many->two, &many->folder, many->db);
    many->n = n;
    many->tenants = calloc((size_t)n, sizeof(cx_tenant *));
    many->tenants[0] = many->two.a;
    many->tenants[1] = many->two.b;
    for (int i = 2; i < n; i++) {
        char word[32];

        many_word(word, sizeof(word), i);
        many->tenants[i] = tenant_make(many->db, word);
        fill(many->db, many->tenants[i], word, 1);
    }
}

/* After which the two are what they were. */
static CX__UNUSED void many_end(struct many *many)
{
    two_check(many->db, &many->two);
    for (int i = 0; i < many->n; i++)
        cx_tenant_unref(many->tenants[i]);
    free(many->tenants);
    assert_ok(cx_db_close(many->db));
    folder_remove(&many->folder);
}

/* Is this row one of tenant i's? */
static CX__UNUSED bool is_row_of(const User *user, int i)
{
    char word[32];

    many_word(word, sizeof(word), i);
    return strncmp(user->name.data, word, strlen(word)) == 0 &&
           user->name.data[strlen(word)] == ' ';
}

/* Does tenant i read its own row? */
static CX__UNUSED void assert_own_row(const struct many *many, int i)
{
    User user = {.id = 1};
    CX_ARENA(arena);

    CX_WITH_TENANT(many->tenants[i]) {
        assert_ok(cx_db_find(many->db, &user_model, &user, &arena));
        assert_int_equal(user.age.value, 1);
        assert_true(is_row_of(&user, i));
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
