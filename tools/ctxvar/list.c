/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar tenant list`: a line for each tenant, in the order of their ids. The
 * version is known to the tenant's own connection alone, which on a server is
 * a login: some tenants are asked at once, over no more connections than that.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctxvar/group.h>
#include <ctxvar/migrate.h>

#include "tame.h"
#include "tenant.h"
#include "usage.h"

/* known  its version, or why there is none, is written down */
struct item {
    struct listing *listing;
    cx_tenant *tenant; /* a hold on it */
    int version;
    char *problem; /* owned; NULL: there is none */
    bool known;
};

struct listing {
    struct tenant_call *call;
    struct item *items;
    size_t len;
    size_t printed;
    int status;
};

static int add(cx_tenant *tenant, void *arg)
{
    struct listing *listing = arg;
    size_t len = listing->len;

    /* At each power of two there is as much again. */
    if ((len & (len - 1)) == 0) {
        size_t size = len == 0 ? 1 : 2 * len;
        struct item *items = reallocarray(listing->items, size, sizeof(*items));

        if (items == NULL)
            return -ENOMEM;
        listing->items = items;
    }
    listing->items[listing->len++] =
        (struct item){.listing = listing, .tenant = cx_tenant_ref(tenant)};
    return 0;
}

/* One that cannot be opened is told of, and does not hide the others. */
static void print(struct listing *listing, const struct item *item)
{
    cx_text name = cx_tenant_name(item->tenant);
    int64_t id = cx_tenant_id(item->tenant);
    char text[16] = "?";

    if (item->problem == NULL) {
        (void)snprintf(text, sizeof(text), "%d", item->version);
    } else {
        complain("ctxvar tenant: tenant %" PRId64 ": %s", id, item->problem);
        listing->status = EXIT_WRONG;
    }
    tame_print(stdout, "%8" PRId64 "  %7s  %.*s\n", id, text, (int)name.len,
               name.data);
}

/* Those whose turn it is, up to one that is not known yet. */
static void print_known(struct listing *listing)
{
    while (listing->printed < listing->len &&
           listing->items[listing->printed].known)
        print(listing, &listing->items[listing->printed++]);
}

static int ask(void *arg)
{
    struct item *item = arg;
    int error = -ENOMEM;

    CX_WITH_TENANT(item->tenant) {
        error = cx_migrate_version(item->listing->call->db, &item->version);
    }
    if (error != 0)
        item->problem = strdup(tenant_words(error));
    if (error != 0 && item->problem == NULL)
        return -ENOMEM;
    item->known = true;
    print_known(item->listing);
    return 0;
}

static int ask_all(struct listing *listing)
{
    const cx_group_options options = {.limit = TENANT_LIST_CONNECTIONS};
    cx_group *group = cx_group_new(&options);
    int error = 0;
    int ended;

    if (group == NULL)
        return -errno;
    for (size_t i = 0; error == 0 && i < listing->len; i++)
        error = cx_group_start(group, ask, &listing->items[i]);
    ended = cx_group_wait(group);
    cx_group_free(group);
    return error != 0 ? error : ended;
}

int tenant_list(struct tenant_call *call)
{
    struct listing listing = {.call = call, .status = EXIT_RIGHT};
    int error = cx_tenant_each(call->db, add, &listing);

    printf("%8s  %7s  %s\n", "id", "version", "name");
    if (error == 0)
        error = ask_all(&listing);
    for (size_t i = 0; i < listing.len; i++) {
        cx_tenant_unref(listing.items[i].tenant);
        free(listing.items[i].problem);
    }
    free(listing.items);
    return tenant_is_ok(call->shown, error) ? listing.status : EXIT_WRONG;
}
