/* SPDX-License-Identifier: MIT */
/*
 * The engine for PostgreSQL.
 *
 * A tenant's room is a schema, t<id>, and a role that logs in to it and is a
 * member of nothing, which no SET ROLE can leave: what raw SQL must not reach,
 * the server refuses. The tables belong to the URL's role, which makes them.
 * A connection is logged in as its tenant for life.
 *
 * All waiting is a task's, in cx_fd_wait(). A wait that a cancel or a deadline
 * ends leaves the protocol in the middle of an answer: the server is told to
 * give up, and the connection is closed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "postgres.h"
#include "problem.h"
#include "statement.h"

enum { PARAMS_MOST = 64, OPTIONS_BYTES = 2048, ROOM_BYTES = 32 };

/* Whatever the server's own settings are: values come in the one form that
 * this engine reads. */
#define SESSION                                                                \
    " -c DateStyle=ISO -c TimeZone=UTC -c bytea_output=hex"                    \
    " -c extra_float_digits=1 -c standard_conforming_strings=on"               \
    " -c client_min_messages=error"

void cx__pg_role(const cx_db *db, int64_t id, char role[CX__PG_ROLE_BYTES])
{
    (void)snprintf(role, CX__PG_ROLE_BYTES, "cx_%u_%lld", cx__pg_db_of(db)->oid,
                   (long long)id);
}

/* Parameters of a connection: the URL's, and some in their place. */
struct params {
    const char *name[PARAMS_MOST + 1];
    const char *value[PARAMS_MOST + 1];
    unsigned n;
};

static void params_add(struct params *params, const char *name,
                       const char *value)
{
    for (unsigned i = 0; i < params->n; i++) {
        if (strcmp(params->name[i], name) == 0) {
            params->value[i] = value;
            return;
        }
    }
    if (params->n < PARAMS_MOST) {
        params->name[params->n] = name;
        params->value[params->n++] = value;
    }
}

static void params_of(const cx_db *db, struct params *params)
{
    const struct cx__pg_db *own = cx__pg_db_of(db);

    *params = (struct params){.n = 0};
    for (const PQconninfoOption *each = own->url; each->keyword != NULL;
         each++) {
        if (each->val != NULL)
            params_add(params, each->keyword, each->val);
    }
    if (own->hostaddr != NULL) {
        params_add(params, "host", own->host);
        params_add(params, "hostaddr", own->hostaddr);
        params_add(params, "port", own->port);
    }
    params_add(params, "client_encoding", "UTF8");
    params_add(params, "fallback_application_name", "ctxvar");
}

/* What the URL gives a connection to be made, in milliseconds; libpq itself
 * heeds it only where it blocks. */
static uint64_t connect_timeout(const struct params *params)
{
    long seconds = 0;

    for (unsigned i = 0; i < params->n; i++) {
        if (strcmp(params->name[i], "connect_timeout") == 0)
            seconds = strtol(params->value[i], NULL, 10);
    }
    return seconds > 0 ? (uint64_t)seconds * 1000 : UINT64_MAX;
}

/* The URL's own options come first: of several values of a setting the last one
 * counts. */
static int open_session(const cx_db *db, const struct params *params,
                        const char *search_path, const char *settings,
                        struct cx__wire **wire)
{
    const char *its = cx__pg_url_value(cx__pg_db_of(db), "options");
    struct params all = *params;
    char options[OPTIONS_BYTES];
    int error = -ENOMEM;

    if (snprintf(options, sizeof(options), "%s -c search_path=%s,pg_temp%s%s",
                 its != NULL ? its : "", search_path, SESSION,
                 settings) >= OPTIONS_BYTES)
        return cx__problem(-EINVAL, "the URL's options are too long");
    params_add(&all, "options", options);
    CX_TIMEOUT(connect_timeout(params)) {
        error = cx__wire_connect(all.name, all.value,
                                 &cx__pg_db_of(db)->cancels, wire);
    }
    return error;
}

/* As the URL's role. */
static int open_admin(const cx_db *db, const char *search_path,
                      const char *settings, struct cx__wire **wire)
{
    struct params params;
    int result;

    params_of(db, &params);
    result = open_session(db, &params, search_path, settings, wire);
    return result == CX__WIRE_PASSWORD ? -EACCES : result;
}

int cx__pg_admin(const cx_db *db, const char *search_path,
                 struct cx__wire **wire)
{
    return open_admin(db, search_path, " -c lock_timeout=10s", wire);
}

/* A login as a tenant, to its schema, with the password that its role has. */
struct login {
    const cx_db *db;
    const char *schema;
    struct params params;
    char role[CX__PG_ROLE_BYTES];
    char secret[CX__PG_SECRET_BYTES];
};

/* CX__PG_SPOILT: its role is not as it was made. */
static int log_in(const struct login *login,
                  struct cx__pg_connection *connection)
{
    const char *settings = cx__pg_db_of(login->db)->is_watchful
                               ? " -c client_connection_check_interval=1s"
                               : "";
    int result = open_session(login->db, &login->params, login->schema,
                              settings, &connection->wire);

    if (result != 0)
        return result == CX__WIRE_PASSWORD ? CX__PG_SPOILT : result;
    (void)snprintf(connection->channel, sizeof(connection->channel), "%.16s",
                   login->secret);
    result = cx__pg_check_tenant(connection->wire);
    if (result != 0)
        cx__wire_abandon(connection->wire);
    return result;
}

/* Can settings of the role's be why a login failed? */
static bool may_be_spoilt(int result)
{
    return result != 0 && result != -EAGAIN && result != -EMFILE &&
           result != -ENOMEM;
}

/* Put the role right, and log in again. */
static int log_in_again(struct login *login, int64_t id, bool is_spoilt,
                        struct cx__pg_connection *connection)
{
    int restored = cx__pg_restore_role(login->db, login->role, id, is_spoilt,
                                       login->secret);
    int result = restored >= 0 ? log_in(login, connection) : restored;

    if (result != 0 || restored == 0)
        return result;
    result = cx__pg_end_others(connection->wire);
    if (result != 0)
        cx__wire_abandon(connection->wire);
    return result;
}

static int open_tenant(const cx_db *db, int64_t id, const char *schema,
                       struct cx__pg_connection *connection)
{
    struct login login = {.db = db, .schema = schema};
    int result = cx__pg_secret(db, id, login.secret);

    if (result != 0)
        return result;
    cx__pg_role(db, id, login.role);
    params_of(db, &login.params);
    params_add(&login.params, "user", login.role);
    params_add(&login.params, "password", login.secret);
    result = log_in(&login, connection);
    if (may_be_spoilt(result))
        result = log_in_again(&login, id, result == CX__PG_SPOILT, connection);
    return result == CX__PG_SPOILT ? -EACCES : result;
}

static int open_room(const struct cx__pool *pool,
                     struct cx__pg_connection *connection)
{
    char schema[ROOM_BYTES];

    (void)snprintf(schema, sizeof(schema), "t%lld", (long long)pool->id);
    switch (pool->room) {
    case CX__REGISTRY:
        /* Tenants have no locks on it: whoever has one is at work. */
        return open_admin(pool->db, "ctxvar", "", &connection->wire);
    case CX__SCHEMA:
        return cx__pg_admin(pool->db, schema, &connection->wire);
    default:
        return open_tenant(pool->db, pool->id, schema, connection);
    }
}

static int pg_connect(struct cx__pool *pool, struct cx__connection **connection)
{
    struct cx__pg_connection *made = calloc(1, sizeof(*made));
    int error = made != NULL ? open_room(pool, made) : -ENOMEM;

    if (error != 0) {
        free(made);
        return error;
    }
    cx__statements_init(&made->base);
    *connection = &made->base;
    return 0;
}

/* What comes without having been asked for is the server's good-bye, or news
 * of a migration. It is looked for once in a millisecond. */
static bool pg_is_alive(struct cx__connection *connection)
{
    struct cx__pg_connection *own = cx__pg_of(connection);
    struct pollfd socket = {.fd = own->wire->fd, .events = POLLIN};
    uint64_t now = cx_time();

    if (own->heard != now && poll(&socket, 1, 0) != 0)
        return false;
    own->heard = now;
    return !cx__wire_has_news(own->wire);
}

static void disconnect_one(struct cx__connection *connection)
{
    struct cx__pg_connection *own = cx__pg_of(connection);

    connection->broken = true;
    cx__statements_fini(connection);
    cx__wire_abandon(own->wire);
    free(own);
}

static void pg_disconnect(cx_db *db, struct cx__list *connections)
{
    (void)db;
    for (struct cx__list *link = connections->next; link != connections;) {
        struct cx__list *next = link->next;

        disconnect_one(CX__OWNER(link, struct cx__connection, idle));
        link = next;
    }
}

/* After a program's own SQL the session is made as it was at first, when it did
 * not listen. */
static int start_anew(struct cx__pg_connection *own)
{
    own->raw = false;
    own->listens = false;
    /* The server forgets them, too. */
    cx__statements_fini(&own->base);
    return cx__wire_run(own->wire, "DISCARD ALL");
}

static void pg_settle(struct cx__connection *connection)
{
    struct cx__pg_connection *own = cx__pg_of(connection);
    int error = -ENOMEM;

    connection->unsettled = false;
    if (connection->broken)
        return;
    connection->broken = true;
    CX__WIRE_GRACE {
        error = own->raw ? start_anew(own) : cx__pg_listen(own);
    }
    connection->broken = error != 0;
}

static void pg_close(cx_db *db)
{
    struct cx__pg_db *own = db->own;

    cx__wire_cancels_fini(&own->cancels);
    PQconninfoFree(own->url);
    free(own->host);
    free(own->hostaddr);
    free(own->port);
    free(own);
    db->own = NULL;
}

static int pg_open(cx_db *db, const char *place)
{
    struct cx__pg_db *own = calloc(1, sizeof(*own));
    int error = own != NULL ? cx__pg_parse(own, place) : -ENOMEM;

    if (error != 0) {
        free(own);
        return error;
    }
    db->own = own;
    error = cx__wire_cancels_init(&own->cancels);
    if (error == 0)
        error = cx__pg_find_hosts(own);
    if (error == 0)
        error = cx__pg_found(db);
    if (error != 0)
        pg_close(db);
    return error;
}

const struct cx__engine cx__postgres = {
    .scheme = {"postgresql://", "postgres://"},
    .open = pg_open,
    .close = pg_close,
    .connect = pg_connect,
    .is_alive = pg_is_alive,
    .disconnect = pg_disconnect,
    .settle = pg_settle,
    /* libpq takes no more of a statement's description than 30,000 bytes. */
    .parameters_most = 7498,
    .prepare = cx__pg_prepare,
    .finalize = cx__pg_finalize,
    .bind = cx__pg_bind,
    .bind_numbers = cx__pg_bind_numbers,
    .step = cx__pg_step,
    .column = cx__pg_column,
    .reset = cx__pg_reset,
    .columns = cx__pg_columns,
    .name = cx__pg_name,
    .changed = cx__pg_changed,
    .look = cx__pg_look,
    .tables = cx__pg_tables,
    .version_of = cx__pg_version_of,
    .declares = {[CX_KIND_I64] = "bigint",
                 [CX_KIND_F64] = "double precision",
                 [CX_KIND_BOOL] = "boolean",
                 [CX_KIND_TEXT] = "text",
                 [CX_KIND_BLOB] = "bytea",
                 [CX_KIND_TIMESTAMP] = "timestamptz"},
    .table_columns = cx__pg_table_columns,
    .script_of = cx__pg_script_of,
    .run_script = cx__pg_run_script,
    .clear = cx__pg_clear,
    .returning = true,
    .for_update = " FOR UPDATE",
    .run_batch = cx__pg_run_batch,
    .begin = cx__pg_begin,
    .lock = cx__pg_lock,
    .commit = cx__pg_commit,
    .rollback = cx__pg_rollback,
    .provision = cx__pg_provision,
    .remove = cx__pg_remove,
};
