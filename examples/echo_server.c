/* SPDX-License-Identifier: MIT */
/*
 * Needs: nothing
 *
 * A server that says each line back, under the name that its client began
 * with. A task serves each connection, and the name is a context variable: the
 * function that writes the answer is not told whose connection it is.
 *
 *     cc echo_server.c $(pkg-config --cflags --libs ctxvar-task) -o echo_server
 *
 * The two lines: cx_set(name, ...) where a connection begins, cx_get(name)
 * where it is wanted. With a port for an argument it serves until it is
 * interrupted (try `nc 127.0.0.1 7000`); without one it asks itself.
 */
#include <ctxvar/group.h>
#include <ctxvar/stream.h>

#include "expect.h"

CX_VAR(const char *, name, .type = &cx_string);

static cx_listener *listener;

static int say_back(cx_stream *stream, const char *line)
{
    char text[256];
    int size =
        snprintf(text, sizeof(text), "%.100s: %.100s\n", cx_get(name), line);

    return cx_stream_write(stream, text, (size_t)size);
}

static void serve(cx_stream *stream, void *arg)
{
    char *line;

    (void)arg;
    if (cx_stream_read_line(stream, &line) < 0 || cx_set(name, line) != 0)
        return;
    while (cx_stream_read_line(stream, &line) >= 0 &&
           say_back(stream, line) == 0)
        continue;
}

static void *serve_all(void *unused)
{
    (void)cx_serve(listener, serve, NULL, 0);
    return unused;
}

/* A client: 20 lines, each of which waits for its answer. */
static void *ask(void *who)
{
    uint16_t port = (uint16_t)cx_listener_port(listener);
    char want[32], seen[32];
    cx_stream *stream;
    char *line;
    int right = 0;

    need(cx_tcp_connect("127.0.0.1", port, &stream) == 0, "connection");
    (void)snprintf(want, sizeof(want), "%s: hello", (char *)who);
    (void)cx_stream_write(stream, who, strlen(who));
    (void)cx_stream_write(stream, "\n", 1);
    for (int i = 0; i < 20; i++) {
        if (cx_stream_write(stream, "hello\n", 6) == 0 &&
            cx_stream_read_line(stream, &line) >= 0)
            right += strcmp(line, want) == 0;
    }
    (void)snprintf(seen, sizeof(seen), "%d of 20", right);
    expect(who, seen, "20 of 20");
    cx_stream_close(stream);
    return NULL;
}

static void *run(void *port)
{
    void *clients[] = {"ann", "bob", "cy"};
    cx_task *server;

    need(cx_tcp_listen("127.0.0.1", (uint16_t)atoi(port), NULL, &listener) == 0,
         "port");
    server = cx_task_create(serve_all, NULL);
    if (atoi(port) == 0) {
        (void)cx_gather(ask, clients, NULL, 3);
        (void)cx_cancel(server);
    }
    (void)cx_await(server, NULL);
    cx_listener_close(listener);
    return NULL;
}

int main(int argc, char *argv[])
{
    need(cx_run(run, argc > 1 ? argv[1] : "0", NULL) == 0, "loop");
    return verdict(3);
}
