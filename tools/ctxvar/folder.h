/* SPDX-License-Identifier: MIT */
/* A temporary folder for a database. */
#ifndef CTXVAR_TOOL_FOLDER_H
#define CTXVAR_TOOL_FOLDER_H

#include <stdbool.h>

struct folder {
    char path[4096];
};

/* Make one in $TMPDIR; false: errno tells why there is none. */
bool folder_make(struct folder *folder);

/* Remove it and the files in it. */
void folder_remove(const struct folder *folder);

#endif
