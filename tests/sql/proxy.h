/* SPDX-License-Identifier: MIT */
/*
 * A proxy between the library and its server, on a Unix socket of its own. It
 * does something to a conversation at a point that can be told by its number:
 * before the n-th piece is handed on, whichever way that goes. A piece is what
 * comes at once.
 */
#ifndef CTXVAR_TESTS_SQL_PROXY_H
#define CTXVAR_TESTS_SQL_PROXY_H

#include <ctxvar/stream.h>

#include "support.h"

enum act { CANCEL, CUT, SILENCE };

struct proxy {
    char place[64]; /* the folder that its socket is in */
    char url[256];
    char server[128]; /* the server's socket */
    cx_listener *listener;
    cx_task *task;
    unsigned pieces; /* so far */
    unsigned at;     /* the piece at which... 0: at none */
    enum act act;
    cx_task *victim; /* ...this is cancelled, unless it is a cut */
    bool silent;     /* nothing is handed on any more */
    void (*doctor)(char *data, size_t size); /* what the server says at first */
};

struct talk {
    struct proxy *proxy;
    cx_stream *client;
    cx_stream *server;
};

static void talk_cut(const struct talk *talk)
{
    (void)cx_stream_shutdown(talk->client);
    (void)cx_stream_shutdown(talk->server);
}

/* Is the next piece to be handed on? */
static bool talk_passes(const struct talk *talk)
{
    struct proxy *proxy = talk->proxy;

    if (++proxy->pieces == proxy->at) {
        if (proxy->act == CUT)
            talk_cut(talk);
        else
            (void)cx_cancel(proxy->victim);
        proxy->silent = proxy->act == SILENCE;
        return proxy->act == CANCEL;
    }
    return !proxy->silent;
}

static void hand_on(const struct talk *talk, cx_stream *from, cx_stream *to)
{
    bool is_first = from == talk->server;
    char data[16384];
    ssize_t size;

    while ((size = cx_stream_read(from, data, sizeof(data))) > 0) {
        if (is_first && talk->proxy->doctor != NULL)
            talk->proxy->doctor(data, (size_t)size);
        is_first = false;
        if (talk_passes(talk) && cx_stream_write(to, data, (size_t)size) != 0)
            break;
    }
    (void)cx_stream_shutdown(to);
}

static void *hand_back(void *talk)
{
    hand_on(talk, ((struct talk *)talk)->server, ((struct talk *)talk)->client);
    return NULL;
}

static void proxy_talk(cx_stream *client, void *proxy)
{
    struct talk talk = {.proxy = proxy, .client = client};
    cx_task *back;

    if (cx_unix_connect(talk.proxy->server, &talk.server) != 0)
        return;
    back = cx_task_create(hand_back, &talk);
    assert_non_null(back);
    hand_on(&talk, client, talk.server);
    if (cx_await(back, NULL) == -ECANCELED) {
        (void)cx_cancel(back);
        CX_SHIELD {
            (void)cx_await(back, NULL);
        }
    }
    cx_stream_close(talk.server);
}

static void *proxy_main(void *arg)
{
    struct proxy *proxy = arg;

    (void)cx_serve(proxy->listener, proxy_talk, proxy, 0);
    return NULL;
}

static void proxy_start(struct proxy *proxy, const struct folder *folder)
{
    const char *host = strstr(folder->url, "?host=");
    char path[128];

    *proxy = (struct proxy){.at = 0};
    assert_non_null(host);
    (void)snprintf(proxy->server, sizeof(proxy->server), "%s/.s.PGSQL.5432",
                   host + strlen("?host="));
    (void)snprintf(proxy->place, sizeof(proxy->place),
                   "/tmp/ctxvar-proxy-XXXXXX");
    assert_non_null(mkdtemp(proxy->place));
    (void)snprintf(proxy->url, sizeof(proxy->url), "%.*s?host=%s",
                   (int)(host - folder->url), folder->url, proxy->place);
    (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", proxy->place);
    assert_int_equal(cx_unix_listen(path, NULL, &proxy->listener), 0);
    proxy->task = cx_task_create(proxy_main, proxy);
    assert_non_null(proxy->task);
}

/* From here on, do this before the n-th piece; 0: never. */
static void proxy_arm(struct proxy *proxy, unsigned n, cx_task *victim)
{
    proxy->pieces = 0;
    proxy->at = n;
    proxy->victim = victim;
    proxy->silent = false;
}

static void proxy_end(struct proxy *proxy)
{
    assert_int_equal(cx_cancel(proxy->task), 0);
    assert_int_equal(cx_await(proxy->task, NULL), 0);
    cx_listener_close(proxy->listener);
    assert_int_equal(rmdir(proxy->place), 0);
}

#endif
