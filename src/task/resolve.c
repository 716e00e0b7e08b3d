/* SPDX-License-Identifier: MIT */
/*
 * Looking up hosts. An address needs no looking up. A name is a job of
 * libuv's threads that cannot be taken back once it has begun: a task that
 * gives up leaves the request to free itself.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include <ctxvar/resolve.h>

#include "wait.h"

/* A request, and who waits for it: NULL, nobody any more. */
struct lookup {
    uv_getaddrinfo_t request;
    struct lookup_wait *waiter;
};

struct lookup_wait {
    struct cx__wait wait;
    cx_task *task;
    struct lookup *lookup; /* until it is done */
    struct addrinfo *list;
};

/* All that libuv has of the resolver's own errors, of which the largest is
 * UV_EAI_ADDRFAMILY, is below the system's. */
static int error_of(int status)
{
    switch (status) {
    case 0:
        return 0;
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EAI_SERVICE:
    case UV_EAI_ADDRFAMILY:
        return -ENOENT;
    case UV_EAI_AGAIN:
        return -EAGAIN;
    case UV_EAI_MEMORY:
        return -ENOMEM;
    case UV_EAI_BADFLAGS:
    case UV_EAI_BADHINTS:
    case UV_EAI_FAMILY:
    case UV_EAI_SOCKTYPE:
        return -EINVAL;
    case UV_EAI_OVERFLOW:
        return -ENAMETOOLONG;
    default:
        return status <= UV_EAI_ADDRFAMILY ? -EIO : status;
    }
}

static void lookup_done(uv_getaddrinfo_t *request, int status,
                        struct addrinfo *list)
{
    struct lookup *lookup = CX__OWNER(request, struct lookup, request);

    if (lookup->waiter != NULL) {
        lookup->waiter->list = list;
        cx__wake(lookup->waiter->task, error_of(status));
    } else {
        uv_freeaddrinfo(list);
    }
    free(lookup);
}

static bool lookup_abandon(struct cx__wait *wait)
{
    struct lookup *lookup = CX__OWNER(wait, struct lookup_wait, wait)->lookup;

    lookup->waiter = NULL;
    (void)uv_cancel((uv_req_t *)&lookup->request);
    return true;
}

static const struct cx__wait_kind lookup_kind = {"name lookup", lookup_abandon};

static int lookup_wait(struct lookup_wait *waiter, const char *host,
                       const char *service, const struct addrinfo *hints)
{
    struct lookup *lookup = malloc(sizeof(*lookup));
    int error;

    if (lookup == NULL)
        return -ENOMEM;
    lookup->waiter = waiter;
    waiter->lookup = lookup;
    error = uv_getaddrinfo(cx__loop_uv(waiter->task->loop), &lookup->request,
                           lookup_done, host, service, hints);
    if (error != 0) {
        free(lookup);
        return error_of(error);
    }
    return cx__wait(waiter->task, &waiter->wait);
}

/* The list of what is an address and a number already, or NULL. */
static struct addrinfo *numeric(const char *host, const char *service,
                                const struct addrinfo *hints)
{
    struct addrinfo all = {0};
    struct addrinfo *list;

    if (hints != NULL)
        all = *hints;
    all.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    return getaddrinfo(host, service, &all, &list) == 0 ? list : NULL;
}

int cx_resolve(const char *host, const char *service,
               const struct addrinfo *hints, struct addrinfo **list)
{
    cx_task *task = cx__task_running();
    struct lookup_wait waiter = {.wait.kind = &lookup_kind, .task = task};
    int error;

    if (task == NULL)
        return -EPERM;
    if ((host == NULL && service == NULL) || list == NULL)
        return -EINVAL;
    error = cx__wait_begin(task);
    if (error != 0)
        return error;
    waiter.list = numeric(host, service, hints);
    if (waiter.list == NULL)
        error = lookup_wait(&waiter, host, service, hints);
    if (error == 0)
        *list = waiter.list;
    return error;
}
