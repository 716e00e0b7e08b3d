/* SPDX-License-Identifier: MIT */
/*
 * Needs: pkg-config glib-2.0 libuv
 *
 * Tasks in GLib's main loop: they sleep, wait for jobs and for GLib's own
 * sources, next to whatever else a GLib program does. Two tenants.
 *
 *     cc glib_tasks.c $(pkg-config --cflags --libs ctxvar-task glib-2.0 libuv)
 *
 * The two lines: cx_loop_attach(uv) once, and a GSource (below, for any
 * program as it is) that runs libuv when its descriptor or its timeout says
 * so.
 *
 * Not under ThreadSanitizer: it does not see the locks of a GLib that was built
 * without it.
 */
#include <glib-unix.h>
#include <glib.h>
#include <uv.h>

#include <ctxvar/loop.h>
#include <ctxvar/sync.h>
#include <ctxvar/task.h>

#include "expect.h"

/* libuv's loop as a source of GLib's. */
struct uv_source {
    GSource source;
    uv_loop_t *uv;
    gpointer fd;
};

static gboolean uv_prepare(GSource *base, gint *timeout_ms)
{
    struct uv_source *source = (struct uv_source *)base;

    *timeout_ms = -1;
    if (!uv_loop_alive(source->uv))
        return FALSE;
    uv_update_time(source->uv);
    *timeout_ms = uv_backend_timeout(source->uv);
    return *timeout_ms == 0;
}

static gboolean uv_check(GSource *base)
{
    struct uv_source *source = (struct uv_source *)base;
    gint timeout_ms;

    return uv_prepare(base, &timeout_ms) ||
           (uv_loop_alive(source->uv) &&
            g_source_query_unix_fd(base, source->fd) != 0);
}

static gboolean uv_dispatch(GSource *base, GSourceFunc fn, gpointer data)
{
    (void)fn;
    (void)data;
    uv_run(((struct uv_source *)base)->uv, UV_RUN_NOWAIT);
    return G_SOURCE_CONTINUE;
}

static GSource *uv_source_new(uv_loop_t *uv)
{
    static GSourceFuncs functions = {
        .prepare = uv_prepare, .check = uv_check, .dispatch = uv_dispatch};
    GSource *source = g_source_new(&functions, sizeof(struct uv_source));
    struct uv_source *uv_source = (struct uv_source *)source;

    uv_source->uv = uv;
    uv_source->fd = g_source_add_unix_fd(source, uv_backend_fd(uv), G_IO_IN);
    g_source_attach(source, NULL);
    return source;
}

/* The program. */
CX_VAR(const char *, tenant, .initial = "nobody");

static GMainLoop *loop;
static int live;

struct client {
    const char *tenant;
    cx_event *event;
};

static gboolean on_timeout(gpointer data)
{
    struct client *client = data;

    expect("a timeout of GLib's", cx_get(tenant), "nobody");
    cx_event_set(client->event);
    return G_SOURCE_REMOVE;
}

static void *compute(void *arg)
{
    struct client *client = arg;

    expect("a job", cx_get(tenant), client->tenant);
    return NULL;
}

static void *client_main(void *arg)
{
    struct client *client = arg;

    client->event = cx_event_new();
    cx_sleep(2);
    expect("a task that has slept", cx_get(tenant), client->tenant);
    cx_run_in_executor(NULL, compute, client, NULL);
    g_timeout_add(1, on_timeout, client);
    cx_event_wait(client->event);
    expect("a task that GLib has woken", cx_get(tenant), client->tenant);
    cx_event_free(client->event);
    if (--live == 0)
        g_main_loop_quit(loop);
    return NULL;
}

int main(void)
{
    struct client clients[] = {{.tenant = "acme"}, {.tenant = "globex"}};
    uv_loop_t *uv = uv_default_loop();
    GSource *source = uv_source_new(uv);

    need(cx_loop_attach(uv) == 0, "loop");
    loop = g_main_loop_new(NULL, FALSE);
    for (int i = 0; i < 2; i++) {
        CX_WITH(tenant, clients[i].tenant) {
            cx_task_detach(cx_task_create(client_main, &clients[i]));
            live++;
        }
    }
    g_main_loop_run(loop);
    expect("after the loop", cx_get(tenant), "nobody");
    cx_loop_detach();
    uv_run(uv, UV_RUN_DEFAULT);
    g_source_destroy(source);
    g_source_unref(source);
    g_main_loop_unref(loop);
    uv_loop_close(uv);
    return verdict(9);
}
