/* SPDX-License-Identifier: MIT */
/*
 * Needs: pkg-config libcurl
 *
 * libcurl's multi interface: two transfers at once on one thread, each in the
 * context of its own request. A server in this program feeds them by turns.
 *
 *     cc curl_multi.c $(pkg-config --cflags --libs ctxvar libcurl)
 *
 * The two lines: CURLOPT_WRITEDATA = cx_context_copy(), and cx_context_enter()
 * in the write callback (and its exit). It is one context for the transfer, so
 * that what one call sets, the next finds.
 */
#include <arpa/inet.h>
#include <unistd.h>

#include <curl/curl.h>

#include <ctxvar/context.h>

#include "expect.h"

CX_VAR(const char *, tenant, .initial = "nobody");
CX_VAR(int, pieces);

static int received;

static size_t on_data(char *data, size_t size, size_t n, void *context)
{
    char mine[32], piece[32];

    if (cx_context_enter(context) != 0)
        return 0; /* libcurl ends the transfer */
    cx_set(pieces, cx_get(pieces) + 1);
    snprintf(mine, sizeof(mine), "%s %d", cx_get(tenant), cx_get(pieces));
    snprintf(piece, sizeof(piece), "%.*s", (int)n, data);
    expect("a piece for a transfer", mine, piece);
    cx_context_exit(context);
    received++;
    return size * n;
}

static int server_open(char *url, size_t url_size)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    need(bind(server, (struct sockaddr *)&at, len) == 0, "address");
    need(listen(server, 2) == 0, "server");
    getsockname(server, (struct sockaddr *)&at, &len);
    snprintf(url, url_size, "http://127.0.0.1:%d", ntohs(at.sin_port));
    return server;
}

/* Start a transfer; let libcurl connect, and give the server's end. */
static int transfer_start(CURL *transfer, CURLM *multi, int server)
{
    int running = 1;
    int peer;

    curl_easy_setopt(transfer, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, on_data);
    curl_multi_add_handle(multi, transfer);
    while ((peer = accept(server, NULL, NULL)) < 0 && running > 0)
        curl_multi_perform(multi, &running);
    dprintf(peer, "HTTP/1.0 200 OK\r\nContent-Length: 18\r\n\r\n");
    return peer;
}

static void serve(const int peer[2], const char *const tenants[2], CURLM *multi)
{
    int running = 1;

    for (int i = 0; i < 2 * 3; i++) {
        dprintf(peer[i % 2], "%s %d", tenants[i % 2], i / 2 + 1);
        while (received <= i && running > 0) {
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
            curl_multi_perform(multi, &running);
        }
    }
}

int main(void)
{
    const char *const tenants[2] = {"acme", "ajax"};
    cx_context *context[2] = {NULL, NULL};
    CURL *transfer[2] = {curl_easy_init(), curl_easy_init()};
    CURLM *multi = curl_multi_init();
    char url[64];
    int server = server_open(url, sizeof(url));
    int peer[2];

    for (int i = 0; i < 2; i++) {
        CX_WITH(tenant, tenants[i]) {
            context[i] = cx_context_copy();
        }
        curl_easy_setopt(transfer[i], CURLOPT_WRITEDATA, context[i]);
        curl_easy_setopt(transfer[i], CURLOPT_URL, url);
        peer[i] = transfer_start(transfer[i], multi, server);
    }
    serve(peer, tenants, multi);
    for (int i = 0; i < 2; i++) {
        curl_multi_remove_handle(multi, transfer[i]);
        curl_easy_cleanup(transfer[i]);
        cx_context_unref(context[i]);
        close(peer[i]);
    }
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    close(server);
    return verdict(6);
}
