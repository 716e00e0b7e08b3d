/* SPDX-License-Identifier: MIT */
/* Which engines there are. */
#include <string.h>

#include "engine.h"

static const struct cx__engine *const engines[] = {&cx__sqlite, &cx__postgres};

static bool is_of(const struct cx__engine *engine, const char *url,
                  const char **place)
{
    for (size_t i = 0; i < CX__SCHEMES && engine->scheme[i] != NULL; i++) {
        size_t len = strlen(engine->scheme[i]);

        if (strncmp(url, engine->scheme[i], len) == 0) {
            *place = url + len;
            return true;
        }
    }
    return false;
}

const struct cx__engine *cx__engine_of(const char *url, const char **place)
{
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (is_of(engines[i], url, place))
            return engines[i];
    }
    return NULL;
}
