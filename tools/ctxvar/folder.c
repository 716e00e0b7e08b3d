/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "folder.h"

bool folder_make(struct folder *folder)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(folder->path, sizeof(folder->path), "%s/ctxvar-demo-XXXXXX",
                   parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    return mkdtemp(folder->path) != NULL;
}

void folder_remove(const struct folder *folder)
{
    DIR *dir = opendir(folder->path);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(folder->path);
}
