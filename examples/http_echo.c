/* SPDX-License-Identifier: MIT */
/*
 * Needs: libhttp-parser-dev
 *
 * An HTTP/1.1 service that answers each request with its body and its id. The
 * id is a context variable: the access log, three calls below the handler,
 * and the audit, on a thread of a pool, know it without being told.
 *
 *     cc http_echo.c $(pkg-config --cflags --libs ctxvar-task) -lhttp_parser
 *
 * The two lines: cx_set(request_id, ...) where a request begins, and
 * cx_get(request_id) where it is wanted. With a port for an argument it
 * serves until SIGTERM; without one it asks itself.
 */
#include <errno.h>
#include <http_parser.h>
#include <signal.h>
#include <stdatomic.h>

#include <ctxvar/group.h>
#include <ctxvar/signal.h>
#include <ctxvar/stream.h>

#include "expect.h"

enum { ID_BYTES = 40, BODY_BYTES = 4096, CHUNK_BYTES = 4096 };

CX_VAR(const char *, request_id);

/* What is known of a connection, and of the request that is being read. */
struct client {
    http_parser parser;
    cx_stream *stream;
    bool at_id; /* the header that is being read is the id's */
    bool done;  /* the request is complete */
    char id[ID_BYTES];
    size_t id_len;
    char body[BODY_BYTES];
    size_t body_len;
};

/* How many lines the log has, and in how many the id was not the one that the
 * request came with. Only the check below knows that one. */
static atomic_size_t logged, mixed_up;

static void log_line(const char *came_with)
{
    atomic_fetch_add(&logged, 1);
    if (strcmp(cx_get(request_id), came_with) != 0)
        atomic_fetch_add(&mixed_up, 1);
}

static void log_access(const char *came_with)
{
    log_line(came_with);
}

static void *audit(void *came_with)
{
    log_line(came_with);
    return NULL;
}

/* Is what was read part of the body, of the id's header, of its value? */
static int on_body(http_parser *parser, const char *at, size_t size)
{
    struct client *client = parser->data;

    if (size > BODY_BYTES - client->body_len)
        return -1;
    memcpy(client->body + client->body_len, at, size);
    client->body_len += size;
    return 0;
}

static int on_field(http_parser *parser, const char *at, size_t size)
{
    struct client *client = parser->data;

    client->at_id = size == 12 && strncasecmp(at, "X-Request-Id", size) == 0;
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t size)
{
    struct client *client = parser->data;

    if (!client->at_id)
        return 0;
    if (size >= ID_BYTES - client->id_len)
        return -1;
    memcpy(client->id + client->id_len, at, size);
    client->id_len += size;
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct client *client = parser->data;

    client->done = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {.on_header_field = on_field,
                                              .on_header_value = on_value,
                                              .on_body = on_body,
                                              .on_message_complete =
                                                  on_complete};

static int answer(struct client *client)
{
    char text[512 + BODY_BYTES];
    int size = snprintf(text, sizeof(text),
                        "HTTP/1.1 200 OK\r\nX-Request-Id: %s\r\n"
                        "Content-Length: %zu\r\n\r\n%.*s",
                        cx_get(request_id), client->body_len,
                        (int)client->body_len, client->body);

    return cx_stream_write(client->stream, text, (size_t)size);
}

static int handle(struct client *client)
{
    client->id[client->id_len] = '\0';
    if (cx_set(request_id, client->id) != 0)
        return -ENOMEM;
    log_access(client->id);
    if (client->parser.method == HTTP_POST)
        (void)cx_run_in_executor(NULL, audit, client->id, NULL);
    return answer(client);
}

/* Read the requests that some bytes complete, and answer them. */
static int feed(struct client *client, const char *data, size_t size)
{
    size_t used = 0;

    while (used < size) {
        used += http_parser_execute(&client->parser, &settings, data + used,
                                    size - used);
        if (HTTP_PARSER_ERRNO(&client->parser) != HPE_OK && !client->done)
            return -EBADMSG;
        if (!client->done)
            continue;
        http_parser_pause(&client->parser, 0);
        if (handle(client) != 0 || !http_should_keep_alive(&client->parser))
            return -EPIPE;
        client->done = false;
        client->id_len = client->body_len = 0;
    }
    return 0;
}

/* A connection: its task, in a context of its own, reads and answers. */
static void serve(cx_stream *stream, void *arg)
{
    struct client client = {.stream = stream};
    char data[CHUNK_BYTES];
    ssize_t size;

    (void)arg;
    client.parser.data = &client;
    http_parser_init(&client.parser, HTTP_REQUEST);
    while ((size = cx_stream_read(stream, data, sizeof(data))) > 0 &&
           feed(&client, data, (size_t)size) == 0)
        continue;
}

static void *serve_all(void *listener)
{
    (void)cx_serve(listener, serve, NULL, 0);
    return NULL;
}

/* The program with a port: serve until a signal comes. */
static void *serve_port(void *arg)
{
    int port = atoi(arg);
    cx_listener *listener;
    cx_signal *interrupt;
    cx_task *server;

    need(cx_tcp_listen("127.0.0.1", (uint16_t)port, NULL, &listener) == 0,
         "port");
    need(cx_signal_open(SIGTERM, &interrupt) == 0, "signal");
    server = cx_task_create(serve_all, listener);
    need(server != NULL, "task");
    (void)cx_signal_wait(interrupt);
    (void)cx_cancel(server);
    (void)cx_await(server, NULL);
    printf("%zu log lines, %zu with another request's id\n",
           atomic_load(&logged), atomic_load(&mixed_up));
    return NULL;
}

/* The program without: clients that ask by turns, each with ids of its own. */
enum { CLIENTS = 16, REQUESTS = 50 };

static atomic_size_t wrong_answers;

static bool ask(cx_stream *stream, int client, int request)
{
    char text[256], want[ID_BYTES];
    const char *head;
    int size = snprintf(text, sizeof(text),
                        "%s / HTTP/1.1\r\nHost: x\r\nX-Request-Id: %d.%d\r\n"
                        "Content-Length: 4\r\n\r\nbody",
                        request % 2 != 0 ? "POST" : "PUT", client, request);

    (void)snprintf(want, sizeof(want), "X-Request-Id: %d.%d\r\n", client,
                   request);
    return cx_stream_write(stream, text, (size_t)size) == 0 &&
           cx_stream_read_until(stream, "\r\n", 2, &head) > 0 &&
           cx_stream_read_until(stream, "\r\n", 2, &head) > 0 &&
           strncmp(head, want, strlen(want)) == 0 &&
           cx_stream_read_until(stream, "\r\n\r\n", 4, &head) > 0 &&
           cx_stream_read_exactly(stream, 4, &head) == 0 &&
           strncmp(head, "body", 4) == 0;
}

static int ask_often(void *arg)
{
    int *client = arg;
    cx_stream *stream;

    need(cx_tcp_connect("127.0.0.1", (uint16_t)client[1], &stream) == 0,
         "connection");
    for (int i = 0; i < REQUESTS; i++)
        atomic_fetch_add(&wrong_answers, !ask(stream, client[0], i));
    cx_stream_close(stream);
    return 0;
}

static void *ask_ourselves(void *arg)
{
    int client[CLIENTS][2];
    cx_listener *listener;
    cx_task *server;
    cx_group *group = cx_group_new(NULL);

    need(group != NULL, "group");
    need(cx_tcp_listen("127.0.0.1", 0, NULL, &listener) == 0, "port");
    server = cx_task_create(serve_all, listener);
    need(server != NULL, "task");
    for (int i = 0; i < CLIENTS; i++) {
        client[i][0] = i;
        client[i][1] = cx_listener_port(listener);
        need(cx_group_start(group, ask_often, client[i]) == 0, "task");
    }
    (void)cx_group_wait(group);
    cx_group_free(group);
    (void)cx_cancel(server);
    (void)cx_await(server, NULL);
    return arg;
}

int main(int argc, char *argv[])
{
    char seen[64];

    if (argc > 1)
        return cx_run(serve_port, argv[1], NULL) != 0;
    need(cx_run(ask_ourselves, NULL, NULL) == 0, "loop");
    (void)snprintf(seen, sizeof(seen), "%zu of %zu",
                   atomic_load(&wrong_answers), (size_t)CLIENTS * REQUESTS);
    expect("answers with a wrong id", seen, "0 of 800");
    (void)snprintf(seen, sizeof(seen), "%zu of %zu", atomic_load(&mixed_up),
                   atomic_load(&logged));
    expect("log lines with a wrong id", seen, "0 of 1200");
    return verdict(2);
}
