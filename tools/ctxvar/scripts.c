/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ctxvar/file.h>

#include "scripts.h"
#include "splitter.h"
#include "usage.h"

/* What a file's name says. */
struct title {
    bool is_large; /* it is a number, but too large a one */
    int version;
    char name[256];
    bool sqlite; /* it is for this one */
    bool postgres;
};

static bool refuse(const char *path, const char *why)
{
    complain("ctxvar tenant: \"%s\": %s", path, why);
    return false;
}

/* Take a suffix off, if it is there. */
static bool strip(char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t rest = strlen(suffix);

    if (len < rest || strcmp(text + len - rest, suffix) != 0)
        return false;
    text[len - rest] = '\0';
    return true;
}

static bool is_script(const char *file)
{
    size_t len = strlen(file);

    return file[0] != '.' && len > 4 && strcmp(file + len - 4, ".sql") == 0;
}

/* "0001_users.sqlite.sql": version 1, "users", for SQLite. */
static bool title_read(struct title *title, const char *file)
{
    char *end;
    long version;
    char text[sizeof(title->name)];

    if (!is_script(file) || !isdigit((unsigned char)file[0]) ||
        (size_t)snprintf(text, sizeof(text), "%s", file) >= sizeof(text))
        return false;
    (void)strip(text, ".sql");
    title->sqlite = strip(text, ".sqlite");
    title->postgres = !title->sqlite && strip(text, ".postgres");
    if (!title->sqlite && !title->postgres)
        title->sqlite = title->postgres = true;
    errno = 0;
    version = strtol(text, &end, 10);
    if (version < 1 || end[0] != '_' || end[1] == '\0')
        return false;
    title->is_large = errno != 0 || version > INT_MAX;
    if (title->is_large)
        return false;
    title->version = (int)version;
    (void)snprintf(title->name, sizeof(title->name), "%s", end + 1);
    return true;
}

/* The migration of a version, made if there is none; NULL: no memory. */
static cx_migration *migration_of(struct scripts *scripts,
                                  const struct title *title)
{
    cx_migration *list;

    for (size_t i = 0; i < scripts->len; i++) {
        if (scripts->list[i].version == title->version)
            return &scripts->list[i];
    }
    list = reallocarray(scripts->list, scripts->len + 1, sizeof(*list));
    if (list == NULL)
        return NULL;
    scripts->list = list;
    list += scripts->len;
    *list =
        (cx_migration){.version = title->version, .name = strdup(title->name)};
    if (list->name == NULL)
        return NULL;
    scripts->len++;
    return list;
}

/* A text for an engine that has none yet, copied. */
static bool put(const char **slot, const char *text, const char *path)
{
    if (*slot != NULL)
        return refuse(path, "there is another script of this version");
    *slot = strdup(text);
    return *slot != NULL || refuse(path, "no memory");
}

static bool add(struct scripts *scripts, const struct title *title,
                const char *text, const char *path)
{
    cx_migration *migration = migration_of(scripts, title);

    if (migration == NULL)
        return refuse(path, "no memory");
    if (strcmp(migration->name, title->name) != 0)
        return refuse(path, "this version has another name elsewhere");
    return (!title->sqlite || put(&migration->sqlite, text, path)) &&
           (!title->postgres || put(&migration->postgres, text, path));
}

static bool read_file(struct scripts *scripts, const char *path,
                      const char *file)
{
    struct title title = {.is_large = false};
    struct stat about;
    char *text;
    size_t size;
    int error;
    bool ok;

    if (!title_read(&title, file))
        return refuse(path, title.is_large ? "a version is 2147483647 at most"
                                           : "a script is called 0001_name.sql,"
                                             " 0001_name.sqlite.sql or"
                                             " 0001_name.postgres.sql");
    /* A pipe would be waited for. */
    if (stat(path, &about) == 0 && S_ISFIFO(about.st_mode))
        return refuse(path, "it is no file");
    error = cx_file_load(path, &text, &size);
    if (error != 0)
        return refuse(path, strerror(-error));
    ok = strlen(text) == size ? add(scripts, &title, text, path)
                              : refuse(path, "there is a NUL in it");
    free(text);
    return ok;
}

static bool read_folder(struct scripts *scripts, const char *folder, DIR *dir)
{
    struct dirent *entry;

    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];

        if (!is_script(entry->d_name))
            continue;
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder,
                             entry->d_name) >= sizeof(path))
            return refuse(folder, strerror(ENAMETOOLONG));
        if (!read_file(scripts, path, entry->d_name))
            return false;
    }
    return scripts->len > 0 || refuse(folder, "there is no script in it");
}

static int compare(const void *a, const void *b)
{
    int left = ((const cx_migration *)a)->version;
    int right = ((const cx_migration *)b)->version;

    return (left > right) - (left < right);
}

/* PostgreSQL knows no script without a statement in it. None at all is the
 * same to the library, also later on. */
static void drop_blank(cx_migration *migration)
{
    const char *text = migration->postgres;

    if (text == NULL || !splitter_is_blank(true, text, strlen(text)))
        return;
    free((char *)text);
    migration->postgres = NULL;
}

/* Is there a script for the engine, even if it says nothing? */
static bool check(const cx_migration *migration, const char *path, bool server)
{
    if ((server ? migration->postgres : migration->sqlite) != NULL)
        return true;
    complain("ctxvar tenant: \"%s\": version %d, %s, has no script for %s; if"
             " there is nothing to do, an empty %04d_%s.%s.sql says so",
             path, migration->version, migration->name,
             server ? "PostgreSQL" : "SQLite", migration->version,
             migration->name, server ? "postgres" : "sqlite");
    return false;
}

static bool finish(struct scripts *scripts, const char *path, bool server)
{
    qsort(scripts->list, scripts->len, sizeof(*scripts->list), compare);
    for (size_t i = 0; i < scripts->len; i++) {
        if (!check(&scripts->list[i], path, server))
            return false;
        drop_blank(&scripts->list[i]);
    }
    return true;
}

bool scripts_read(struct scripts *scripts, const char *path, bool server)
{
    const char *slash = strrchr(path, '/');
    DIR *dir = opendir(path);
    bool ok;

    *scripts = (struct scripts){.list = NULL};
    if (dir != NULL) {
        ok = read_folder(scripts, path, dir);
        (void)closedir(dir);
    } else if (errno == ENOTDIR) {
        ok = read_file(scripts, path, slash != NULL ? slash + 1 : path);
    } else {
        ok = refuse(path, strerror(errno));
    }
    ok = ok && finish(scripts, path, server);
    if (!ok)
        scripts_fini(scripts);
    return ok;
}

void scripts_fini(struct scripts *scripts)
{
    for (size_t i = 0; i < scripts->len; i++) {
        free((char *)scripts->list[i].name);
        free((char *)scripts->list[i].sqlite);
        free((char *)scripts->list[i].postgres);
    }
    free(scripts->list);
    *scripts = (struct scripts){.list = NULL};
}
