/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "url.h"
#include "usage.h"

static const char demo[] = "ctxvar demo";

enum { PACE = 100, PACE_MOST = 60 * 60 * 1000 }; /* ms */

/* A whole number from 0 to PACE_MOST, and nothing else. */
static int pace_read(struct options *options, const char *text)
{
    unsigned long long value;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return usage_error(demo, "--pace takes milliseconds, not", text);
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*end != '\0')
        return usage_error(demo, "--pace takes milliseconds, not", text);
    if (errno != 0 || value > PACE_MOST)
        return usage_error(demo, "--pace is an hour at most, not", text);
    options->pace_ms = value;
    return EXIT_RIGHT;
}

static int db_read(struct options *options, const char *text)
{
    if (text[0] == '\0')
        return usage_error(demo, "--db takes a path or a URL, not", text);
    options->db = text;
    return EXIT_RIGHT;
}

/* Each program has one kind of database, and "all" has both. */
static int db_check(const struct options *options)
{
    char shown[URL_MOST];
    bool is_tenants = strcmp(options->program, "tenants") == 0;

    if (options->db == NULL || strcmp(options->program, "all") == 0 ||
        url_is_one(options->db) == is_tenants)
        return EXIT_RIGHT;
    return usage_error(demo,
                       is_tenants ? "tenants takes sqlite:DIR or"
                                    " postgresql://..., not"
                                  : "a URL is for tenants; this takes a"
                                    " file's path, not",
                       url_shown(options->db, shown));
}

static int program_read(struct options *options, const char *text)
{
    if (options->program != NULL)
        return usage_error(demo, "one program at a time, and not", text);
    options->program = text;
    return EXIT_RIGHT;
}

/*
 * An option that takes a value, as "--name VALUE" or "--name=VALUE": the
 * value, or NULL if argv[*i] is not that option. *i is then at the value's
 * argument; past the last one if there is none.
 */
static const char *value_of(const char *name, char **argv, int *i)
{
    size_t len = strlen(name);

    if (strncmp(argv[*i], name, len) != 0)
        return NULL;
    if (argv[*i][len] == '=')
        return argv[*i] + len + 1;
    return argv[*i][len] == '\0' ? argv[++*i] : NULL;
}

static int option_read(struct options *options, char **argv, int *i)
{
    static const struct {
        const char *name;
        int (*read)(struct options *options, const char *text);
    } known[] = {{"--pace", pace_read}, {"--db", db_read}};
    const char *argument = argv[*i];

    for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
        int before = *i;
        const char *value = value_of(known[k].name, argv, i);

        if (value != NULL)
            return known[k].read(options, value);
        if (*i != before)
            return usage_error(demo, "a value is missing after", argument);
    }
    return usage_error(demo, "unknown option", argument);
}

int options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.pace_ms = PACE};
    for (int i = 1; i < argc; i++) {
        int status = EXIT_RIGHT;

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
            (i == 1 && strcmp(argv[i], "help") == 0)) {
            options->help = true;
            return EXIT_RIGHT;
        }
        if (argv[i][0] == '-')
            status = option_read(options, argv, &i);
        else
            status = program_read(options, argv[i]);
        if (status != EXIT_RIGHT)
            return status;
    }
    if (options->program == NULL)
        options->program = "all";
    return db_check(options);
}
