/* SPDX-License-Identifier: MIT */
/*
 * Needs: nothing
 *
 * A crawler that follows each link of a site once, and asks for a page every
 * 2 ms at most. How deep it is is a context variable: a page's task starts
 * those of its links, and they inherit it.
 *
 *     cc crawler.c $(pkg-config --cflags --libs ctxvar-task) -o crawler
 *
 * The two lines: CX_WITH(depth, ...) where a page's tasks are started, and
 * cx_get(depth) where it is wanted. The site is here as well, on a port of its
 * own: page n links to 2n, to 2n + 1 and back to 1.
 */
#include <ctxvar/deadline.h>
#include <ctxvar/group.h>
#include <ctxvar/stream.h>

#include "expect.h"

enum { PAGES = 64, EVERY_MS = 2 };

CX_VAR(int, depth);

static cx_listener *site;
static uint16_t port;
static cx_group *crawl;
static uint64_t next_start; /* when the rate allows one more */
static int found[PAGES], fetched, at_their_depth;

static void serve(cx_stream *stream, void *unused)
{
    char text[64], *line = "";
    int n = cx_stream_read_line(stream, &line) > 0 ? atoi(line) : 0;
    int size = snprintf(text, sizeof(text), "%d\n%d\n1\n", 2 * n, 2 * n + 1);

    (void)unused;
    (void)cx_sleep((uint64_t)(n % 8)); /* some pages take longer */
    (void)cx_stream_write(stream, text, (size_t)size);
}

static void *serve_site(void *unused)
{
    (void)cx_serve(site, serve, NULL, 0);
    return unused;
}

static int visit(void *number)
{
    uint64_t start = next_start > cx_time() ? next_start : cx_time();
    intptr_t page = (intptr_t)number;
    char text[16], *link;
    cx_stream *stream;

    if (page >= PAGES || found[page]++)
        return 0;
    next_start = start + EVERY_MS;
    (void)cx_sleep_until(start);
    need(cx_tcp_connect("127.0.0.1", port, &stream) == 0, "connection");
    (void)snprintf(text, sizeof(text), "%d\n", (int)page);
    (void)cx_stream_write(stream, text, strlen(text));
    CX_WITH(depth, cx_get(depth) + 1) {
        while (cx_stream_read_line(stream, &link) >= 0)
            (void)cx_group_start(crawl, visit, (void *)(intptr_t)atoi(link));
    }
    cx_stream_close(stream);
    fetched++;
    at_their_depth += page >> cx_get(depth) == 1;
    return 0;
}

static void *run(void *arg)
{
    uint64_t began = cx_time();
    cx_task *server;
    char seen[64];

    need(cx_tcp_listen("127.0.0.1", 0, NULL, &site) == 0, "port");
    port = (uint16_t)cx_listener_port(site);
    server = cx_task_create(serve_site, NULL);
    crawl = cx_group_new(NULL);
    (void)cx_group_start(crawl, visit, (void *)(intptr_t)1);
    (void)cx_group_wait(crawl);
    cx_group_free(crawl);
    (void)cx_cancel(server);
    (void)cx_await(server, NULL);
    (void)snprintf(seen, sizeof(seen), "%d pages, %d at their depth", fetched,
                   at_their_depth);
    expect("the crawl", seen, "63 pages, 63 at their depth");
    expect("within the rate", cx_time() - began < 62 * EVERY_MS ? "no" : "yes",
           "yes");
    return arg;
}

int main(void)
{
    need(cx_run(run, NULL, NULL) == 0, "loop");
    return verdict(2);
}
