/* SPDX-License-Identifier: MIT */
/*
 * Needs: libhttp-parser-dev, libcjson-dev, libsqlite3-dev, libpq-dev
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
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctxvar/deadline.h>
#include <ctxvar/group.h>
#include <ctxvar/signal.h>
#include <ctxvar/tenant.h>

#include "http.h"
#include "notes.h"

enum { IDLE_MS = 60000, REQUEST_MS = 5000, CONNECTIONS = 1000 };

static cx_db *db;

static enum http_status status_of(int error)
{
    static const int known[][2] = {
        {-ENOENT, HTTP_STATUS_NOT_FOUND},
        {-ESTALE, HTTP_STATUS_NOT_FOUND}, /* the tenant, a moment ago */
        {-EBADMSG, HTTP_STATUS_BAD_REQUEST},
        {-EINVAL, HTTP_STATUS_BAD_REQUEST},
        {-EILSEQ, HTTP_STATUS_BAD_REQUEST},
        {-EMSGSIZE, HTTP_STATUS_PAYLOAD_TOO_LARGE},
        {-E2BIG, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE},
        {-ENOTSUP, HTTP_STATUS_LENGTH_REQUIRED}, /* a body in chunks */
        {-ENOSYS, HTTP_STATUS_METHOD_NOT_ALLOWED},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i][0] == error)
            return (enum http_status)known[i][1];
    }
    /* The database is down, slow or full. */
    return HTTP_STATUS_SERVICE_UNAVAILABLE;
}

static int answer_error(struct http *http, int error)
{
    enum http_status status = status_of(error);
    char json[128];

    (void)snprintf(json, sizeof(json), "{\"error\":\"%s\"}",
                   http_status_str(status));
    return http_answer(http, status, json);
}

/* What a route came to; without JSON the answer has no content. */
static int answer(struct http *http, int error, int status, cJSON *json)
{
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;

    if (json != NULL && text == NULL)
        error = -ENOMEM;
    cJSON_Delete(json);
    error = error == 0 ? http_answer(http, status, text)
                       : answer_error(http, error);
    cJSON_free(text);
    return error;
}

static int create(struct http *http)
{
    /* There cJSON's strings would end. */
    bool has_nul = memmem(http->body, http->body_len, "\\u0000", 6) != NULL;
    cJSON *in = cJSON_ParseWithLength(http->body, http->body_len);
    cJSON *out = NULL;
    int error = in != NULL && !has_nul ? notes_create(db, in, &out) : -EBADMSG;

    cJSON_Delete(in);
    return answer(http, error, HTTP_STATUS_CREATED, out);
}

/* /notes, the list, and /notes/ID */
static int route(struct http *http)
{
    const char *rest = http->url + strlen("/notes");
    char *end = http->url;
    bool is_id = *rest == '/' && rest[1] >= '1' && rest[1] <= '9';
    int64_t id = is_id ? strtoll(rest + 1, &end, 10) : 0;
    bool is_list = *rest == '\0';
    cJSON *out = NULL;
    int error = -ENOSYS;

    if (strncmp(http->url, "/notes", 6) != 0 ||
        (!is_list && (!is_id || *end != '\0')))
        error = -ENOENT;
    else if (is_list && http->method == HTTP_POST)
        return create(http);
    else if (http->method == HTTP_GET)
        error = is_list ? notes_list(db, &out) : notes_read(db, id, &out);
    else if (!is_list && http->method == HTTP_DELETE)
        error = notes_delete(db, id);
    return answer(http, error,
                  out != NULL ? HTTP_STATUS_OK : HTTP_STATUS_NO_CONTENT, out);
}

static int handle(struct http *http)
{
    const char *name = http->tenant[0] != '\0' ? http->tenant : http->host;
    size_t len = name == http->host ? strcspn(name, ".:") : strlen(name);
    cx_tenant *tenant;
    int error = cx_tenant_find(db, (cx_text){name, len}, &tenant);

    if (error != 0)
        return answer_error(http, error);
    CX_WITH_TENANT(tenant) {
        error = route(http);
    }
    cx_tenant_unref(tenant);
    return error;
}

/* A request that has begun is answered, even while the service ends. */
static int serve_one(struct http *http)
{
    int error = 0;

    CX_TIMEOUT(IDLE_MS) {
        error = http_read(http);
    }
    CX_SHIELD {
        CX_TIMEOUT(REQUEST_MS) {
            if (error == 0)
                error = handle(http);
            else if (error == http->error)
                (void)answer_error(http, error);
        }
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

static void *serve_all(void *listener)
{
    (void)cx_serve(listener, serve, NULL, CONNECTIONS);
    return NULL;
}

static void *wait_for_signal(void *signum)
{
    cx_signal *caught;

    if (cx_signal_open((int)(intptr_t)signum, &caught) == 0)
        (void)cx_signal_wait(caught);
    return NULL;
}

static int listen_until_signal(int port)
{
    cx_task *tasks[3] = {cx_task_create(wait_for_signal, (void *)SIGINT),
                         cx_task_create(wait_for_signal, (void *)SIGTERM)};
    cx_listener *listener;
    int error = cx_tcp_listen("127.0.0.1", (uint16_t)port, NULL, &listener);

    if (error != 0)
        return error;
    tasks[2] = cx_task_create(serve_all, listener);
    printf("http://127.0.0.1:%d\n", cx_listener_port(listener));
    (void)fflush(stdout);
    (void)cx_wait_any(tasks, 3);
    (void)cx_cancel(tasks[2]);
    error = cx_await(tasks[2], NULL);
    cx_listener_close(listener);
    return error;
}

/* Arguments: URL, PORT, the names of tenants. */
static int serve_database(char **arguments)
{
    int error = cx_db_open(arguments[0], NULL, &db);

    if (error == 0)
        error = notes_migrate(db);
    for (int i = 2; error == 0 && arguments[i] != NULL; i++) {
        error = cx_tenant_create(db, CX_TEXT(arguments[i]), NULL);
        error = error != -EEXIST ? error : 0;
    }
    return error == 0 ? listen_until_signal(atoi(arguments[1])) : error;
}

static void *run(void *arguments)
{
    int error = serve_database(arguments);

    if (error != 0)
        fprintf(stderr, "notes: %s\n",
                cx_db_problem()[0] != '\0' ? cx_db_problem()
                                           : strerror(-error));
    (void)cx_db_close(db);
    return error != 0 ? arguments : NULL;
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
