/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "sql/engine.h"
#include "url.h"

bool url_is_one(const char *text)
{
    const char *place;

    return cx__engine_of(text, &place) != NULL;
}

const char *url_folder(const char *url)
{
    const char *place;

    return cx__engine_of(url, &place) == &cx__sqlite ? place : NULL;
}

const char *url_shown(const char *url, char shown[URL_MOST])
{
    const char *place, *at;
    size_t len, scheme;

    if (cx__engine_of(url, &place) != &cx__postgres)
        return url;
    scheme = (size_t)(place - url);
    len = strcspn(place, "?");
    at = memrchr(place, '@', len);
    if (at != NULL) {
        len -= (size_t)(at + 1 - place);
        place = at + 1;
    } else if (strchr(place, '@') != NULL) {
        /* A "?" that is part of a password: nothing here is safe to show. */
        len = 0;
    }
    (void)snprintf(shown, URL_MOST, "%.*s%.*s", (int)scheme, url, (int)len,
                   place);
    return shown;
}
