/* SPDX-License-Identifier: MIT */
/*
 * `ctxvar tenant`: the tenants of a database, and what the subcommands share.
 * Those that do more than one call are a file of their own.
 */
#ifndef CTXVAR_TOOL_TENANT_H
#define CTXVAR_TOOL_TENANT_H

#include <stdbool.h>

#include <ctxvar/tenant.h>

#include "scripts.h"

/* A call of a subcommand, whose function runs in a task. */
struct tenant_call {
    const char *url;
    const char *shown;            /* what may be shown of it */
    const char *const *arguments; /* after the URL; as many as it takes */
    bool yes;                     /* nobody is to be asked */
    const char *changed;          /* a version, as it was typed; NULL: none */
    int changed_version;          /* of one of the scripts; 0: none */
    struct scripts scripts;       /* to migrate to */
    cx_db *db;
    int status; /* written by the function */
};

int tenant_main(int argc, char **argv);

/* Why a call failed, in the task that it was made in; borrowed until the next
 * one does. */
const char *tenant_words(int error);

/* 0, or a line on stderr that names the offender, in the task that the call
 * was made in. */
bool tenant_is_ok(const char *offender, int error);

/* Before a database is opened, or made; false: a line on stderr tells why
 * there is no need of one. */
bool tenant_migrate_prepare(struct tenant_call *call);

/* Subcommands: they give the exit status. */
int tenant_list(struct tenant_call *call);
int tenant_migrate(struct tenant_call *call);
int tenant_shell(struct tenant_call *call);

#endif
