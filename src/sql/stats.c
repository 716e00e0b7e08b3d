/* SPDX-License-Identifier: MIT */
/* What pools have counted. */
#include <errno.h>

#include "pool.h"
#include "problem.h"
#include "tenant.h"

/* Connections that nobody has: a tenant's, or all tenants'. */
static size_t count_idle(const cx_db *db, const cx_tenant *tenant)
{
    size_t n = 0;

    for (const struct cx__list *link = db->idle.next; link != &db->idle;
         link = link->next) {
        const cx_tenant *its =
            CX__OWNER(link, const struct cx__connection, aged)->pool->tenant;

        n += its != NULL && (tenant == NULL || its == tenant);
    }
    return n;
}

int cx_db_stats_get(cx_db *db, const cx_tenant *tenant, cx_db_stats *stats)
{
    int error = stats != NULL ? cx__db_check(db) : cx__wordless(-EINVAL);

    if (error != 0)
        return error;
    if (tenant != NULL && !cx__tenant_is_of(tenant, db))
        return cx__problem(-EKEYREJECTED, "the tenant is another database's");
    *stats = tenant != NULL ? tenant->stats : db->stats;
    stats->idle = count_idle(db, tenant);
    return 0;
}
