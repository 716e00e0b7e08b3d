/* SPDX-License-Identifier: MIT */
/* asyncio's streams and datagrams, in C: the rows of docs/asyncio.md on them.
 */
#include "row.h"

#include <stdlib.h>
#include <unistd.h>

#include <ctxvar/fd.h>
#include <ctxvar/stream.h>
#include <ctxvar/sync.h>
#include <ctxvar/udp.h>

static void echo(cx_stream *stream, void *arg)
{
    char *line;

    (void)arg;
    while (cx_stream_read_line(stream, &line) > 0) {
        if (cx_stream_write(stream, line, strlen(line)) != 0 ||
            cx_stream_write(stream, "\n", 1) != 0)
            break;
    }
}

static void *serve_echo(void *listener)
{
    return as_pointer(cx_serve(listener, echo, NULL, 0));
}

/* Ask the echo for a line, and for it in pieces. */
static void ask_echo(cx_stream *stream)
{
    const char *data;
    char *line;
    char byte;

    check(cx_stream_write(stream, "hello\nab;cd\n", 12) == 0);
    check(cx_stream_read_line(stream, &line) == 5);
    check(strcmp(line, "hello") == 0);
    check(cx_stream_read_until(stream, ";", 1, &data) == 3);
    check(memcmp(data, "ab;", 3) == 0);
    check(cx_stream_read_exactly(stream, 2, &data) == 0);
    check(memcmp(data, "cd", 2) == 0);
    check(cx_stream_read(stream, &byte, 1) == 1 && byte == '\n');
    check(cx_stream_shutdown(stream) == 0); /* write_eof() */
    check(cx_stream_read(stream, &byte, 1) == 0);
    cx_stream_close(stream);
}

static void end_server(cx_task *server, cx_listener *listener)
{
    check(cx_cancel(server) == 0);
    check(cx_await(server, NULL) == 0);
    cx_listener_close(listener);
}

static void start_server(void)
{
    cx_listener *listener;
    cx_stream *stream;
    cx_task *server;

    need(cx_tcp_listen("127.0.0.1", 0, NULL, &listener) == 0, "port");
    server = cx_task_create(serve_echo, listener); /* cx_serve() in a task */
    need(cx_tcp_connect("localhost", (uint16_t)cx_listener_port(listener),
                        &stream) == 0,
         "connection");
    ask_echo(stream);
    end_server(server, listener);
}

static void unix_server(void)
{
    char folder[] = "/tmp/ctxvar-XXXXXX";
    char path[64];
    cx_listener *listener;
    cx_stream *stream;
    cx_task *server;

    need(mkdtemp(folder) != NULL, "folder");
    (void)snprintf(path, sizeof(path), "%s/echo", folder);
    need(cx_unix_listen(path, NULL, &listener) == 0, "socket");
    server = cx_task_create(serve_echo, listener);
    need(cx_unix_connect(path, &stream) == 0, "connection");
    ask_echo(stream);
    end_server(server, listener);
    check(rmdir(folder) == 0); /* the socket's path went with the listener */
}

static void pipes(void)
{
    cx_stream *reader, *writer;
    char text[2];
    int fds[2];

    need(cx_pipe(&reader, &writer) == 0, "pipe");
    check(cx_stream_write(writer, "hi", 2) == 0);
    check(cx_stream_read(reader, text, 2) == 2);
    cx_stream_close(reader);
    cx_stream_close(writer);
    need(pipe(fds) == 0, "pipe");
    need(cx_stream_open(fds[0], &reader) == 0, "stream"); /* any descriptor */
    check(write(fds[1], "hi", 2) == 2);
    check(cx_stream_read(reader, text, 2) == 2);
    cx_stream_close(reader);
    (void)close(fds[1]);
}

static void datagrams(void)
{
    cx_udp_peer peer;
    cx_udp *one, *other;
    char text[8];

    need(cx_udp_open("127.0.0.1", 0, &one) == 0, "socket");
    need(cx_udp_open("127.0.0.1", 0, &other) == 0, "socket");
    check(cx_udp_find(one, "127.0.0.1", (uint16_t)cx_udp_port(other), &peer) ==
          0);
    check(cx_udp_send(one, "hello", 5, &peer) == 0);
    check(cx_udp_receive(other, text, sizeof(text), &peer) == 5);
    check(memcmp(text, "hello", 5) == 0);
    cx_udp_close(one);
    cx_udp_close(other);
}

/* Somebody else's descriptor, and how often it could be read. */
struct watched {
    int fd;
    cx_event *read;
};

static void read_byte(void *arg)
{
    const struct watched *watched = arg;
    char byte;

    check(read(watched->fd, &byte, 1) == 1);
    (void)cx_event_set(watched->read);
}

static void *watch(void *arg)
{
    struct watched *watched = arg;

    return as_pointer(cx_fd_serve(watched->fd, CX_READABLE, read_byte, arg));
}

static void add_reader(void)
{
    struct watched watched = {.read = cx_event_new()};
    cx_task *task;
    int fds[2];

    need(pipe(fds) == 0, "pipe");
    watched.fd = fds[0];
    task = cx_task_create(watch, &watched);
    check(write(fds[1], "x", 1) == 1);
    check(cx_event_wait(watched.read) == 0);
    check(cx_cancel(task) == 0); /* remove_reader() */
    check(cx_await(task, NULL) == 0);
    check(write(fds[1], "y", 1) == 1);
    check(cx_fd_wait(fds[0], CX_READABLE) == CX_READABLE); /* once */
    check(cx_event_free(watched.read) == 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int main(void)
{
    static struct row rows[] = {
        ROW(start_server), ROW(unix_server), ROW(pipes),
        ROW(datagrams),    ROW(add_reader),  {NULL, NULL},
    };

    return run_all(rows);
}
