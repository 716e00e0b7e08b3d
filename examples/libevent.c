/* SPDX-License-Identifier: MIT */
/*
 * Needs: pkg-config libevent
 *
 * libevent's timers and file descriptor events. Two tenants on one base.
 *
 *     cc libevent.c $(pkg-config --cflags --libs ctxvar libevent) -o libevent
 *
 * The two lines: cx_callback_new(fn, arg) as the event's argument, and
 * cx_callback_call() on it in the event's callback.
 */
#include <unistd.h>

#include <event2/event.h>

#include <ctxvar/callback.h>

#include "expect.h"

CX_VAR(const char *, tenant, .initial = "nobody");

struct client {
    char *tenant;
    int pipe[2];
    struct event *readable;
    struct event *timer;
};

static void on_event(evutil_socket_t fd, short what, void *callback)
{
    (void)fd;
    (void)what;
    cx_callback_call(callback);
}

static struct event *watch(struct event_base *base, int fd, short what,
                           void (*fn)(void *), struct client *client)
{
    return event_new(base, fd, what, on_event, cx_callback_new(fn, client));
}

static void unwatch(struct event *event)
{
    cx_callback_free(event_get_callback_arg(event));
    event_free(event);
}

static void time_out(void *arg)
{
    struct client *client = arg;

    expect("a timer", cx_get(tenant), client->tenant);
    unwatch(client->timer);
}

/* Called for each of two bytes, and for the end. */
static void receive(void *arg)
{
    struct client *client = arg;
    char byte;

    expect("a readable descriptor", cx_get(tenant), client->tenant);
    cx_set(tenant, "left behind"); /* the next call does not see it */
    if (read(client->pipe[0], &byte, 1) == 1)
        return;
    unwatch(client->readable);
    close(client->pipe[0]);
}

static void client_start(struct client *client, struct event_base *base)
{
    static const struct timeval a_while = {.tv_usec = 1000};

    client->timer = watch(base, -1, 0, time_out, client);
    event_add(client->timer, &a_while);
    client->readable =
        watch(base, client->pipe[0], EV_READ | EV_PERSIST, receive, client);
    event_add(client->readable, NULL);
}

int main(void)
{
    struct client clients[] = {{.tenant = "acme"}, {.tenant = "globex"}};
    struct event_base *base = event_base_new();

    for (int i = 0; i < 2; i++) {
        need(pipe(clients[i].pipe) == 0, "pipe");
        CX_WITH(tenant, clients[i].tenant) {
            client_start(&clients[i], base);
        }
        need(write(clients[i].pipe[1], "12", 2) == 2, "bytes");
        close(clients[i].pipe[1]);
    }
    event_base_dispatch(base);
    expect("after the loop", cx_get(tenant), "nobody");
    event_base_free(base);
    libevent_global_shutdown();
    return verdict(9);
}
