/* SPDX-License-Identifier: MIT */
/* `ctxvar tenant list`: a line for each tenant, in the order of their ids. */
#include <inttypes.h>
#include <stdio.h>

#include <ctxvar/migrate.h>

#include "tame.h"
#include "tenant.h"
#include "usage.h"

/* One whose version cannot be read is told of, and does not hide the others. */
static int print(cx_tenant *tenant, int version, void *arg)
{
    cx_text name = cx_tenant_name(tenant);
    int64_t id = cx_tenant_id(tenant);
    char text[16] = "?";
    int *status = arg;

    if (version >= 0) {
        (void)snprintf(text, sizeof(text), "%d", version);
    } else {
        complain("ctxvar tenant: tenant %" PRId64 ": %s", id,
                 tenant_words(version));
        *status = EXIT_WRONG;
    }
    tame_print(stdout, "%8" PRId64 "  %7s  %.*s\n", id, text, (int)name.len,
               name.data);
    return 0;
}

int tenant_list(struct tenant_call *call)
{
    int status = EXIT_RIGHT;

    printf("%8s  %7s  %s\n", "id", "version", "name");
    if (!tenant_is_ok(call->shown,
                      cx_migrate_versions(call->db, print, &status)))
        return EXIT_WRONG;
    return status;
}
