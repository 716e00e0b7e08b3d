/* SPDX-License-Identifier: MIT */
/*
 * Needs: libhttp-parser-dev, libjansson-dev, libsqlite3-dev, libpq-dev
 *
 * Notes as a service: one process, one model, and for each tenant notes of its
 * own. Whose a request is, X-Tenant says, or the first word of its host.
 *
 *     notes URL PORT [TENANT]...
 *
 * serves on the loopback device, on any free port for 0, and makes the tenants
 * that are not there.
 *
 * The two lines: CX_WITH_TENANT() where a request begins, in handle(), and the
 * model's calls in notes.c, which never say whose notes they mean.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctxvar/deadline.h>
#include <ctxvar/signal.h>
#include <ctxvar/spawn.h>
#include <ctxvar/tenant.h>

#include "http.h"
#include "notes.h"

enum { IDLE_MS = 60000, REQUEST_MS = 5000, QUIET_MS = 1000, CLIENTS = 1000 };

static cx_db *db;
static cx_task *serving;

/* However many requests fail, one line a second. why: in words; "": the error
 * says it all. */
static void complain(int error, const char *why)
{
    static uint64_t quiet_until;

    if (cx_time() < quiet_until)
        return;
    quiet_until = cx_time() + QUIET_MS;
    fprintf(stderr, "notes: %s%s%s\n", strerror(-error),
            why[0] != '\0' ? ": " : "", why);
}

static int refuse(struct http *http, int status)
{
    char json[128];

    (void)snprintf(json, sizeof(json), "{\"error\":\"%s\"}",
                   http_status_str((enum http_status)status));
    return http_answer(http, status, json);
}

/* What could not be done for want of memory, and not by the database. */
static int no_memory(struct http *http)
{
    complain(-ENOMEM, "");
    return refuse(http, HTTP_STATUS_SERVICE_UNAVAILABLE);
}

/* What a call on the database has refused. */
static int fail(struct http *http, int error)
{
    switch (error) {
    case -ENOENT:
    case -ESTALE: /* the tenant, a moment ago */
        return refuse(http, HTTP_STATUS_NOT_FOUND);
    case -EINVAL:
    case -EILSEQ:
        return refuse(http, HTTP_STATUS_BAD_REQUEST);
    case -ENOSYS:
        return refuse(http, HTTP_STATUS_METHOD_NOT_ALLOWED);
    default: /* the database is down, slow or full */
        complain(error, cx_db_problem());
        return refuse(http, HTTP_STATUS_SERVICE_UNAVAILABLE);
    }
}

/* What a request came to; without JSON the answer has no content. */
static int answer(struct http *http, int error, json_t *json)
{
    int status = http->method == HTTP_POST ? HTTP_STATUS_CREATED
                 : json != NULL            ? HTTP_STATUS_OK
                                           : HTTP_STATUS_NO_CONTENT;
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    if (json != NULL && text == NULL)
        error = -ENOMEM;
    error = error != 0 ? fail(http, error) : http_answer(http, status, text);
    json_decref(json);
    free(text);
    return error;
}

/* /notes, the list, and /notes/ID */
static int route(struct http *http, json_t **out)
{
    const char *path = http->path.data;
    bool is_list = strcmp(path, "/notes") == 0;
    bool is_id = strncmp(path, "/notes/", 7) == 0 && isdigit(path[7]);
    char *end = NULL;
    int64_t id = is_id ? strtoll(path + 7, &end, 10) : 0;

    http->allow =
        is_list ? "Allow: GET, HEAD, POST\r\n" : "Allow: GET, HEAD, DELETE\r\n";
    if (!is_list && (id == 0 || *end != '\0'))
        return -ENOENT;
    if (is_list && http->method == HTTP_POST)
        return notes_create(db, http->body, out);
    if (http->method == HTTP_GET || http->method == HTTP_HEAD)
        return is_list ? notes_list(db, out) : notes_read(db, id, out);
    if (is_id && http->method == HTTP_DELETE)
        return notes_delete(db, id);
    return -ENOSYS;
}

/* X-Tenant, as it is; else the first word of the host, where case is nothing.
 */
static cx_text name_of(struct http *http)
{
    cx_text host = http->host;
    size_t len = 0;

    if (http->tenant.data != NULL || host.data == NULL)
        return http->tenant;
    for (; len < host.len && strchr(".:", host.data[len]) == NULL; len++)
        http->head[host.data - http->head + len] =
            (char)tolower(host.data[len]);
    return (cx_text){host.data, len};
}

static int handle(struct http *http)
{
    json_t *out = NULL;
    cx_tenant *tenant;
    int error = cx_tenant_find(db, name_of(http), &tenant);

    if (error != 0)
        return fail(http, error);
    error = -ENOMEM; /* as it stays where the block is skipped */
    CX_WITH_TENANT(tenant) {
        error = route(http, &out);
    }
    cx_tenant_unref(tenant);
    return answer(http, error, out);
}

/* A request that has begun is answered, even while the service ends. */
static int serve_one(struct http *http)
{
    int error = -ENOMEM; /* as it stays where a block is skipped */

    *http = (struct http){.stream = http->stream};
    CX_TIMEOUT(IDLE_MS) {
        error = http_read(http);
    }
    CX_SHIELD {
        CX_TIMEOUT(REQUEST_MS) {
            if (error == 0)
                error = handle(http);
            else if (error > 0)
                error = refuse(http, error);
            else if (error == -ENOMEM)
                error = no_memory(http);
        }
        else error = no_memory(http);
    }
    return error;
}

static void serve(cx_stream *stream, void *arg)
{
    struct http http = {.stream = stream};

    (void)arg;
    while (serve_one(&http) == 0 && http.keep_alive)
        continue;
}

static int end_at(void *signum)
{
    cx_signal *caught;

    if (cx_signal_open((int)(intptr_t)signum, &caught) == 0 &&
        cx_signal_wait(caught) > 0)
        (void)cx_cancel(serving);
    return 0;
}

static int serve_until_signal(int port)
{
    cx_listener *listener;
    int error = cx_tcp_listen("127.0.0.1", (uint16_t)port, NULL, &listener);

    if (error != 0)
        return error;
    serving = cx_task_current();
    (void)cx_spawn(end_at, (void *)SIGINT);
    (void)cx_spawn(end_at, (void *)SIGTERM);
    printf("http://127.0.0.1:%d\n", cx_listener_port(listener));
    (void)fflush(stdout);
    error = cx_serve(listener, serve, NULL, CLIENTS);
    cx_listener_close(listener);
    return error != -ECANCELED ? error : 0;
}

static int open_database(const char *url, char **tenants)
{
    int error = cx_db_open(url, NULL, &db);

    if (error == 0)
        error = notes_migrate(db);
    for (int i = 0; error == 0 && tenants[i] != NULL; i++) {
        error = cx_tenant_create(db, CX_TEXT(tenants[i]), NULL);
        error = error != -EEXIST ? error : 0;
    }
    return error;
}

/* Arguments: URL, PORT, the names of tenants. */
static void *run(void *arg)
{
    char **arguments = arg;
    int error = open_database(arguments[0], arguments + 2);

    if (error != 0) {
        complain(error, cx_db_problem());
    } else {
        error = serve_until_signal(atoi(arguments[1]));
        if (error != 0)
            complain(error, "the port cannot be served");
    }
    (void)cx_db_close(db);
    return error != 0 ? arg : NULL;
}

int main(int argc, char **argv)
{
    void *failed = NULL;

    if (argc < 3 || strspn(argv[2], "0123456789") != strlen(argv[2]) ||
        atoi(argv[2]) > UINT16_MAX) {
        fprintf(stderr, "usage: notes URL PORT [TENANT]...\n");
        return 2;
    }
    return cx_run(run, argv + 1, &failed) != 0 || failed != NULL;
}
