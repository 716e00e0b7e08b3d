/* SPDX-License-Identifier: MIT */
/*
 * Migrations as files: VERSION_NAME.sql is for both engines, and
 * VERSION_NAME.sqlite.sql and VERSION_NAME.postgres.sql for one.
 */
#ifndef CTXVAR_TOOL_SCRIPTS_H
#define CTXVAR_TOOL_SCRIPTS_H

#include <stdbool.h>

#include <ctxvar/migrate.h>

struct scripts {
    cx_migration *list; /* by version; their texts are owned too */
    size_t len;
};

/*
 * Read a folder's scripts, or the one that is a file, for one of the engines,
 * within a task. A version that has a script for the other one alone is
 * refused: it would count as applied. What is there on success is
 * scripts_fini()'s; false: a line on stderr names the offender.
 */
bool scripts_read(struct scripts *scripts, const char *path, bool server);
void scripts_fini(struct scripts *scripts);

#endif
