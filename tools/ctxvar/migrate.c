/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar tenant migrate`: scripts from files, for all tenants. A terminal is
 * shown how far it is; tenants that fail are told of as they do.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "interrupt.h"
#include "tenant.h"
#include "term.h"
#include "url.h"
#include "usage.h"

enum { CELLS = 40, CELLS_LEAST = 4 };

/*
 * total      0: there is no terminal to show it to, or there are no tenants
 * told       there was a line for what failed
 * cut_off    an interrupt came before all was done
 * cancelled  tenants that an interrupt has left as they were
 */
struct migration {
    struct tenant_call *call;
    struct interrupt interrupt;
    size_t total;
    size_t done;
    size_t cancelled;
    bool told;
    bool cut_off;
    cx_migrate_report report;
    int error;
};

/* How many cells of a bar there is room for beside a text, with its brackets,
 * a blank, and a column that stays free: in the last one, terminals differ. */
static size_t cells_beside(size_t len, size_t columns)
{
    size_t rest = columns > len + 4 ? columns - len - 4 : 0;

    return rest < CELLS_LEAST ? 0 : rest < CELLS ? rest : CELLS;
}

/* A tenant that was made meanwhile makes it no longer than it is. */
static void show(const struct migration *migration)
{
    static const char full[] = "########################################";
    size_t total = migration->total;
    size_t done = migration->done < total ? migration->done : total;
    size_t columns = term_columns(STDERR_FILENO);
    char text[48];
    size_t len, cells;

    if (total == 0)
        return;
    len =
        (size_t)snprintf(text, sizeof(text), "%zu/%zu", migration->done, total);
    cells = cells_beside(len, columns);
    if (cells > 0)
        fprintf(stderr, "\r[%-*.*s] %s\033[K", (int)cells,
                (int)(done * cells / total), full, text);
    else
        fprintf(stderr, "\r%s\033[K", len < columns ? text : "");
}

static void hide(const struct migration *migration)
{
    if (migration->total != 0)
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
    struct migration *migration = arg;

    if (error == -ECANCELED && migration->interrupt.came) {
        migration->cancelled += tenant != NULL;
        return;
    }
    migration->done += tenant != NULL;
    if (error != 0) {
        hide(migration);
        tell_failure(tenant, error);
        migration->told = true;
    }
    show(migration);
}

static int count_one(CX__UNUSED cx_tenant *tenant, void *arg)
{
    ++*(size_t *)arg;
    return 0;
}

static int migrate(struct migration *migration)
{
    const struct tenant_call *call = migration->call;
    cx_migrate_options options = {
        .done = done, .arg = migration, .changed = call->changed_version};
    int error = 0;

    if (isatty(STDERR_FILENO) == 1)
        error = cx_tenant_each(call->db, count_one, &migration->total);
    if (error == 0)
        error = cx_migrate(call->db, call->scripts.list, call->scripts.len,
                           &options, &migration->report);
    return error;
}

static void *run(void *arg)
{
    struct migration *migration = arg;

    migration->error = migrate(migration);
    migration->cut_off = migration->interrupt.came && migration->error != 0;
    if (!migration->cut_off)
        hide(migration);
    if (migration->error != 0 && !migration->told && !migration->cut_off)
        (void)tenant_is_ok(migration->call->arguments[0], migration->error);
    return NULL;
}

/* Of what was cut off the bar stays on the terminal. */
static int conclude(const struct migration *migration)
{
    const cx_migrate_report *report = &migration->report;

    if (migration->cut_off && migration->total != 0)
        fputc('\n', stderr);
    if (report->version > 0)
        printf("%zu migrated, %zu current, %zu failed; new tenants are of"
               " version %d\n",
               report->migrated, report->current,
               report->failed - migration->cancelled, report->version);
    if (!migration->cut_off)
        return migration->error == 0 ? EXIT_RIGHT : EXIT_WRONG;
    complain("ctxvar tenant: interrupted: run again, it goes on with those"
             " that are left");
    return EXIT_INTERRUPTED;
}

/* The number of one of the scripts. */
static bool changed_read(struct tenant_call *call)
{
    char *end;
    long version = strtol(call->changed, &end, 10);

    for (size_t i = 0; i < call->scripts.len && *end == '\0'; i++) {
        if (call->scripts.list[i].version == version) {
            call->changed_version = (int)version;
            return true;
        }
    }
    complain("ctxvar tenant: --changed takes the version of a script, not"
             " \"%s\"",
             call->changed);
    return false;
}

bool tenant_migrate_prepare(struct tenant_call *call)
{
    return scripts_read(&call->scripts, call->arguments[0],
                        url_folder(call->url) == NULL) &&
           (call->changed == NULL || changed_read(call));
}

int tenant_migrate(struct tenant_call *call)
{
    struct migration migration = {.call = call,
                                  .interrupt = {.insistent = true}};
    int error = interrupt_open(&migration.interrupt);

    if (error == 0)
        error = interrupt_run(&migration.interrupt, run, &migration);
    interrupt_close(&migration.interrupt);
    if (!tenant_is_ok(call->arguments[0], error))
        return EXIT_WRONG;
    return conclude(&migration);
}
