/* SPDX-License-Identifier: MIT */
/*
 * Needs: pkg-config glib-2.0
 *
 * GLib's main loop and thread pool: timeouts, idle functions, and jobs whose
 * results come back to the loop. Two tenants.
 *
 *     cc glib.c $(pkg-config --cflags --libs ctxvar glib-2.0) -o glib
 *
 * The two lines: cx_callback_new(fn, arg) as the data of a source or of a job,
 * and cx_callback_call() on that data in the GSourceFunc or GFunc. A job that
 * hands work on to the loop hands its context on with it.
 *
 * Not under ThreadSanitizer: it does not see the locks of a GLib that was built
 * without it.
 */
#include <glib.h>

#include <ctxvar/callback.h>

#include "expect.h"

enum { SOURCES = 3 };

CX_VAR(const char *, tenant, .initial = "nobody");

static GMainLoop *loop;
static int live;

static gboolean on_source(gpointer callback)
{
    cx_callback_call(callback);
    return G_SOURCE_REMOVE;
}

static void on_destroy(gpointer callback)
{
    cx_callback_free(callback);
    if (--live == 0)
        g_main_loop_quit(loop);
}

static void on_job(gpointer callback, gpointer pool_data)
{
    (void)pool_data;
    cx_callback_call(callback);
    cx_callback_free(callback);
}

static void time_out(void *client)
{
    expect("a timeout", cx_get(tenant), client);
}

static void idle(void *client)
{
    expect("an idle function", cx_get(tenant), client);
}

static void finish(void *client)
{
    expect("a job's result in the loop", cx_get(tenant), client);
}

static void compute(void *client)
{
    expect("a thread of the pool", cx_get(tenant), client);
    g_idle_add_full(G_PRIORITY_DEFAULT, on_source,
                    cx_callback_new(finish, client), on_destroy);
}

static void client_start(char *client, GThreadPool *pool)
{
    live += SOURCES;
    g_timeout_add_full(G_PRIORITY_DEFAULT, 1, on_source,
                       cx_callback_new(time_out, client), on_destroy);
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_source,
                    cx_callback_new(idle, client), on_destroy);
    g_thread_pool_push(pool, cx_callback_new(compute, client), NULL);
}

int main(void)
{
    GThreadPool *pool = g_thread_pool_new(on_job, NULL, 2, FALSE, NULL);
    char *clients[] = {"acme", "globex"};

    loop = g_main_loop_new(NULL, FALSE);
    for (int i = 0; i < 2; i++) {
        CX_WITH(tenant, clients[i]) {
            client_start(clients[i], pool);
        }
    }
    g_main_loop_run(loop);
    expect("after the loop", cx_get(tenant), "nobody");
    g_thread_pool_free(pool, FALSE, TRUE);
    g_main_loop_unref(loop);
    return verdict(9);
}
