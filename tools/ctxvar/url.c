/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "url.h"

static const char sqlite[] = "sqlite:";
static const char server[] = "postgresql://";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool url_is_one(const char *text)
{
    return begins(text, sqlite) || begins(text, server);
}

const char *url_folder(const char *url)
{
    return begins(url, sqlite) ? url + strlen(sqlite) : NULL;
}

const char *url_shown(const char *url, char shown[URL_MOST])
{
    const char *place, *at;
    size_t len;

    if (!begins(url, server))
        return url;
    place = url + strlen(server);
    len = strcspn(place, "?");
    at = memrchr(place, '@', len);
    if (at != NULL) {
        len -= (size_t)(at + 1 - place);
        place = at + 1;
    } else if (strchr(place, '@') != NULL) {
        /* A "?" that is part of a password: nothing here is safe to show. */
        len = 0;
    }
    (void)snprintf(shown, URL_MOST, "%s%.*s", server, (int)len, place);
    return shown;
}
