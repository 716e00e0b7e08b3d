/* SPDX-License-Identifier: MIT */
/*
 * What a site is called. The number is what addr2line asks for: that of the
 * file, wherever it was loaded. Only exported functions have a name here, but
 * addr2line knows the others.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "site.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

void cx__site_name(const void *site, char *name, size_t size)
{
    /* The call, and not what follows it, which may be another line's. */
    const char *call = (const char *)site - 1;
    struct link_map *map = NULL;
    const char *file;
    Dl_info info;
    size_t at;

    if (dladdr1(call, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 ||
        map == NULL) {
        (void)snprintf(name, size, "%p", (const void *)call);
        return;
    }
    file = base_name(info.dli_fname);
    at = (size_t)((uintptr_t)call - map->l_addr);
    if (info.dli_sname != NULL)
        (void)snprintf(name, size, "%s (%s+0x%zx)", info.dli_sname, file, at);
    else
        (void)snprintf(name, size, "%s+0x%zx", file, at);
}
