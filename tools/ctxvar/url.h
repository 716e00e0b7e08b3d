/* SPDX-License-Identifier: MIT */
/* The URLs of tenants' databases. */
#ifndef CTXVAR_TOOL_URL_H
#define CTXVAR_TOOL_URL_H

#include <stdbool.h>

enum { URL_MOST = 4096 };

/* Is it one, and not a file's path? */
bool url_is_one(const char *text);

/* The folder that it names, borrowed from it; NULL: it is on a server. */
const char *url_folder(const char *url);

/* What may be shown of it: no user, no password, no parameters. */
const char *url_shown(const char *url, char shown[URL_MOST]);

#endif
