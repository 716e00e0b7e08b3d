/* SPDX-License-Identifier: MIT */
/*
 * The clients as tenants of one database, on either engine. The model User
 * is the same for all of them and names no table of anybody's: the context has
 * the tenant, and the tenant has the table. Then A tries to get at B's rows by
 * statements of its own, past the model, and it is the database that refuses.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include <ctxvar/migrate.h>
#include <ctxvar/model.h>

#include "demo.h"
#include "folder.h"
#include "url.h"
#include "usage.h"

typedef struct User {
    int64_t id;
    cx_text client; /* whose row it is, so that it tells in wrong hands */
    cx_text name;
} User;

static const cx_column user_columns[] = {
    CX_COLUMN(User, id, .key = true),
    CX_COLUMN(User, client),
    CX_COLUMN(User, name),
};
CX_MODEL(User, user_model, "users", user_columns);

static const char make_users[] = "CREATE TABLE users (id bigint PRIMARY KEY,"
                                 " client text NOT NULL, name text NOT NULL)";
static const cx_migration migrations[] = {
    {1, "users", .sqlite = make_users, .postgres = make_users},
};

struct tenants {
    struct demo *demo;
    const char *url;
    cx_db *db;
    cx_tenant *of[CLIENTS];
};

/* A client's task. */
struct member {
    struct tenants *tenants;
    size_t index;
};

/* In the task that the call was made in, which has the words for it. */
static bool is_ok(struct demo *demo, const char *what, int error)
{
    if (error == 0)
        return true;
    if (cx_db_problem()[0] == '\0') {
        demo_check(demo, what, error);
        return false;
    }
    if (!demo->failed)
        complain("ctxvar demo: %s: %s", what, cx_db_problem());
    demo->failed = true;
    return false;
}

static cx_text name_of(const struct client *client)
{
    return (cx_text){&client->name, 1};
}

/* The current tenant's; a row of an earlier run stays. */
static int add_users(cx_db *db, const struct client *client)
{
    for (int64_t i = 0; i < USERS; i++) {
        User user = {i + 1, name_of(client), CX_TEXT(client->users[i])};
        int error = cx_db_insert(db, &user_model, &user);

        if (error != 0 && error != -EEXIST)
            return error;
    }
    return 0;
}

/* That of an earlier run is used again. */
static bool add_client(struct tenants *tenants, size_t i)
{
    cx_text name = name_of(&clients[i]);
    int error = cx_tenant_create(tenants->db, name, &tenants->of[i]);

    if (error == -EEXIST)
        error = cx_tenant_find(tenants->db, name, &tenants->of[i]);
    if (!is_ok(tenants->demo, "tenant", error))
        return false;
    CX_WITH_TENANT(tenants->of[i]) {
        error = add_users(tenants->db, &clients[i]);
    }
    else error = -ENOMEM;
    return is_ok(tenants->demo, "insert", error);
}

/* What has other tenants is another program's, whose tables stay as they
 * are. */
static int check_tenant(cx_tenant *tenant, CX__UNUSED void *arg)
{
    cx_text name = cx_tenant_name(tenant);

    for (size_t i = 0; i < CLIENTS; i++) {
        if (name.len == 1 && name.data[0] == clients[i].name)
            return 0;
    }
    return -ENOTUNIQ;
}

static bool prepare(struct tenants *tenants)
{
    struct demo *demo = tenants->demo;
    char shown[URL_MOST];
    int error = cx_tenant_each(tenants->db, check_tenant, NULL);

    if (error == -ENOTUNIQ) {
        complain("ctxvar demo: database %s: it has tenants that are not the"
                 " demo's, and is left as it was",
                 url_shown(tenants->url, shown));
        demo->failed = true;
        return false;
    }
    if (!is_ok(demo, "tenants", error) ||
        !is_ok(demo, "migration",
               cx_migrate(tenants->db, migrations, 1, NULL, NULL)))
        return false;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (!add_client(tenants, i))
            return false;
    }
    return true;
}

/* "reading users: Ada, Alan, Anna"; what was cut off is still counted. */
static void report(struct demo *demo, const struct client *client,
                   const char *verb, const User *users, size_t n)
{
    struct reading reading = {.rows = (unsigned)n};
    char what[128] = "reading users:";
    size_t len = strlen(what);

    for (size_t i = 0; i < n; i++) {
        if (len < sizeof(what))
            len += (size_t)snprintf(what + len, sizeof(what) - len, "%s %.*s",
                                    i == 0 ? "" : ",", (int)users[i].name.len,
                                    users[i].name.data);
        reading.foreign +=
            users[i].client.len != 1 || users[i].client.data[0] != client->name;
    }
    demo_report_rows(demo, client, verb, what, &reading);
}

static void read_users(const struct member *member, const char *verb)
{
    struct demo *demo = member->tenants->demo;
    User *users = NULL;
    size_t n = 0;
    CX_ARENA(arena);

    if (!demo->failed &&
        is_ok(demo, "query",
              cx_db_list(member->tenants->db, &user_model,
                         CX_QUERY(.order = "id"), &users, &n, &arena)))
        report(demo, &clients[member->index], verb, users, n);
}

/* It says nowhere which table is to be read. */
static void *member_main(void *arg)
{
    const struct member *member = arg;
    const struct client *client = &clients[member->index];
    struct demo *demo = member->tenants->demo;

    CX_WITH_TENANT(member->tenants->of[member->index]) {
        for (int i = 0; i < 2; i++) {
            read_users(member, "start");
            demo_check(demo, "wait", cx_sleep(client->wait * demo->pace_ms));
            read_users(member, "finish");
            demo_check(demo, "wait", cx_sleep(client->wait * demo->pace_ms));
        }
    }
    else demo_check(demo, "tenant", -ENOMEM);
    return NULL;
}

static void read_at_once(struct tenants *tenants)
{
    struct member members[CLIENTS];
    cx_task *tasks[CLIENTS];

    for (size_t i = 0; i < CLIENTS; i++) {
        members[i] = (struct member){tenants, i};
        tasks[i] = cx_task_create(member_main, &members[i]);
        if (tasks[i] == NULL)
            demo_check(tenants->demo, "task", -errno);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (tasks[i] != NULL)
            demo_check(tenants->demo, "await", cx_await(tasks[i], NULL));
    }
}

/* SQLite has no name for what is another's, so that there it is no
 * statement. */
static bool is_refusal(const struct tenants *tenants, int error)
{
    return error == -EACCES ||
           (error == -EINVAL && url_folder(tenants->url) != NULL);
}

/* A statement, owned, NULL for no memory, as the current tenant. */
static void attempt(struct tenants *tenants, char *statement)
{
    struct demo *demo = tenants->demo;
    int error;

    if (statement == NULL) {
        demo_check(demo, "statement", -ENOMEM);
        return;
    }
    error = cx_db_sql(tenants->db, statement, NULL, NULL);
    if (error == 0 || is_refusal(tenants, error))
        demo_report_attempt(demo, &clients[0], statement,
                            error == 0 ? NULL : cx_db_problem());
    else
        (void)is_ok(demo, "statement", error);
    sqlite3_free(statement);
}

/* Each engine has ways of its own to get at what is another's. */
static void attempt_on_sqlite(struct tenants *tenants, long long b)
{
    const char *folder = url_folder(tenants->url);

    attempt(tenants, sqlite3_mprintf("VACUUM INTO '%q/t%lld.db'", folder, b));
    attempt(tenants,
            sqlite3_mprintf("ATTACH '%q/t%lld.db' AS t%lld", folder, b, b));
}

/* A's own role is "cx_DATABASE_ID", and so is B's. */
static void attempt_on_postgres(struct tenants *tenants, long long b)
{
    cx_rows rows = {.len = 0};
    int error =
        cx_db_sql(tenants->db, "SELECT current_user::text", NULL, &rows);
    cx_text own;

    if (!is_ok(tenants->demo, "role", error))
        return;
    own = rows.field->text;
    while (own.len > 0 && own.data[own.len - 1] != '_')
        own.len--;
    attempt(tenants, sqlite3_mprintf("GRANT %.*s%lld TO CURRENT_USER",
                                     (int)own.len, own.data, b));
    attempt(tenants,
            sqlite3_mprintf("SET ROLE %.*s%lld", (int)own.len, own.data, b));
    cx_rows_fini(&rows);
}

static void attempt_all(struct tenants *tenants)
{
    long long b = cx_tenant_id(tenants->of[1]);

    CX_WITH_TENANT(tenants->of[0]) {
        if (url_folder(tenants->url) != NULL)
            attempt_on_sqlite(tenants, b);
        else
            attempt_on_postgres(tenants, b);
        attempt(tenants, sqlite3_mprintf("SELECT * FROM t%lld.users", b));
        attempt(tenants, sqlite3_mprintf("DELETE FROM t%lld.users", b));
    }
    else demo_check(tenants->demo, "tenant", -ENOMEM);
}

/* B has them still. */
static void read_after(struct tenants *tenants)
{
    const struct member b = {tenants, 1};

    CX_WITH_TENANT(tenants->of[1]) {
        read_users(&b, "after");
    }
    else demo_check(tenants->demo, "tenant", -ENOMEM);
}

static void *tenants_main(void *arg)
{
    struct tenants *tenants = arg;
    struct demo *demo = tenants->demo;

    if (!is_ok(demo, "database", cx_db_open(tenants->url, NULL, &tenants->db)))
        return NULL;
    if (prepare(tenants)) {
        read_at_once(tenants);
        if (!demo->failed)
            attempt_all(tenants);
        read_after(tenants);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        cx_tenant_unref(tenants->of[i]);
    (void)is_ok(demo, "database", cx_db_close(tenants->db));
    return NULL;
}

static void run(struct demo *demo, const char *url)
{
    struct tenants tenants = {.demo = demo, .url = url};

    demo_check(demo, "loop", cx_run(tenants_main, &tenants, NULL));
}

void tenants_run(struct demo *demo)
{
    struct folder folder;
    char url[sizeof(folder.path) + 8];

    if (demo->url != NULL) {
        run(demo, demo->url);
        return;
    }
    if (!folder_make(&folder)) {
        demo_check(demo, folder.path, -errno);
        return;
    }
    (void)snprintf(url, sizeof(url), "sqlite:%s", folder.path);
    run(demo, url);
    folder_remove(&folder);
}
