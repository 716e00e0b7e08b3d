/* SPDX-License-Identifier: MIT */
/*
 * Needs: pkg-config libuv
 *
 * libuv's own callbacks: timers, its thread pool, wake-ups by another thread.
 *
 *     cc uv.c $(pkg-config --cflags --libs ctxvar libuv) -o uv
 *
 * The two lines: handle->data = cx_callback_new(fn, arg) where a handle is
 * started, and cx_callback_call(handle->data) in its callback.
 *
 * Not under ThreadSanitizer: it is told not to look into libuv, and so does
 * not see the locks that hand work to another thread.
 */
#include <uv.h>

#include <ctxvar/callback.h>

#include "expect.h"

CX_VAR(const char *, tenant, .initial = "nobody");

struct client {
    char *tenant;
    uv_timer_t timer;
    uv_async_t async;
    uv_work_t work;
    int ticks;
};

static void on_timer(uv_timer_t *timer)
{
    cx_callback_call(timer->data);
}

static void on_async(uv_async_t *async)
{
    cx_callback_call(async->data);
}

static void on_work(uv_work_t *work)
{
    cx_callback_call(work->data);
    cx_callback_free(work->data);
}

static void tick(void *arg)
{
    struct client *client = arg;

    expect("a timer", cx_get(tenant), client->tenant);
    cx_set(tenant, "left behind"); /* the next tick does not see it */
    if (++client->ticks < 2)
        return;
    uv_close((uv_handle_t *)&client->timer, NULL);
    cx_callback_free(client->timer.data); /* this call keeps what it needs */
}

static void compute(void *arg)
{
    struct client *client = arg;

    expect("a thread of the pool", cx_get(tenant), client->tenant);
    cx_set(tenant, "left behind"); /* nor does whom this wakes */
    uv_async_send(&client->async);
}

static void wake(void *arg)
{
    struct client *client = arg;

    expect("woken by another thread", cx_get(tenant), client->tenant);
    uv_close((uv_handle_t *)&client->async, NULL);
    cx_callback_free(client->async.data);
}

static void client_start(struct client *client, uv_loop_t *loop)
{
    uv_timer_init(loop, &client->timer);
    client->timer.data = cx_callback_new(tick, client);
    uv_timer_start(&client->timer, on_timer, 1, 1);
    uv_async_init(loop, &client->async, on_async);
    client->async.data = cx_callback_new(wake, client);
    client->work.data = cx_callback_new(compute, client);
    uv_queue_work(loop, &client->work, on_work, NULL);
}

int main(void)
{
    struct client clients[] = {{.tenant = "acme"}, {.tenant = "globex"}};
    uv_loop_t *loop = uv_default_loop();

    for (int i = 0; i < 2; i++) {
        CX_WITH(tenant, clients[i].tenant) {
            client_start(&clients[i], loop);
        }
    }
    uv_run(loop, UV_RUN_DEFAULT);
    expect("after the loop", cx_get(tenant), "nobody");
    uv_loop_close(loop);
    return verdict(9);
}
