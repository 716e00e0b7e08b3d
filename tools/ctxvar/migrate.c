/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar tenant migrate`: scripts from files, for all tenants. A terminal is
 * shown how far it is; tenants that fail are told of as they do.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tenant.h"
#include "url.h"
#include "usage.h"

enum { CELLS = 40 };

/*
 * total  0: there is no terminal to show it to, or there are no tenants
 * told   there was a line for what failed
 */
struct progress {
    size_t total;
    size_t done;
    bool told;
};

/* A tenant that was made meanwhile makes it no longer than it is. */
static void show(const struct progress *progress)
{
    static const char cells[] = "########################################";
    size_t done =
        progress->done < progress->total ? progress->done : progress->total;

    if (progress->total != 0)
        fprintf(stderr, "\r[%-*.*s] %zu/%zu", CELLS,
                (int)(done * CELLS / progress->total), cells, progress->done,
                progress->total);
}

static void hide(const struct progress *progress)
{
    if (progress->total != 0)
        fputs("\r\033[K", stderr);
}

static void tell_failure(cx_tenant *tenant, int error)
{
    cx_text name = cx_tenant_name(tenant);
    const char *words = tenant_words(error);

    if (tenant == NULL)
        complain("ctxvar tenant: no tenant was migrated: %s", words);
    else
        complain("ctxvar tenant: tenant %" PRId64 ", \"%.*s\": %s",
                 cx_tenant_id(tenant), (int)name.len, name.data, words);
}

static void done(cx_tenant *tenant, int error, void *arg)
{
    struct progress *progress = arg;

    progress->done += tenant != NULL;
    if (error != 0) {
        hide(progress);
        tell_failure(tenant, error);
        progress->told = true;
    }
    show(progress);
}

static int count_one(CX__UNUSED cx_tenant *tenant, void *arg)
{
    ++*(size_t *)arg;
    return 0;
}

static int migrate(struct tenant_call *call, const struct scripts *scripts)
{
    struct progress progress = {.total = 0};
    cx_migrate_options options = {.done = done, .arg = &progress};
    cx_migrate_report report;
    int error;

    if (isatty(STDERR_FILENO) == 1 &&
        !tenant_is_ok(call->shown,
                      cx_tenant_each(call->db, count_one, &progress.total)))
        return EXIT_WRONG;
    error =
        cx_migrate(call->db, scripts->list, scripts->len, &options, &report);
    hide(&progress);
    printf("%zu migrated, %zu current, %zu failed\n", report.migrated,
           report.current, report.failed);
    if (error != 0 && !progress.told)
        (void)tenant_is_ok(call->arguments[0], error);
    return error == 0 ? EXIT_RIGHT : EXIT_WRONG;
}

bool tenant_migrate_prepare(struct tenant_call *call)
{
    return scripts_read(&call->scripts, call->arguments[0],
                        url_folder(call->url) == NULL);
}

int tenant_migrate(struct tenant_call *call)
{
    return migrate(call, &call->scripts);
}
