/* SPDX-License-Identifier: MIT */
/* Finding the subcommand, and those that are one call of the library. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ctxvar/migrate.h>

#include "tame.h"
#include "tenant.h"
#include "url.h"
#include "usage.h"

static const char tenant[] = "ctxvar tenant";

enum { ARGUMENTS = 2 };

const char *tenant_words(int error)
{
    const char *words = cx_db_problem();

    return words[0] != '\0' ? words : strerror(-error);
}

bool tenant_is_ok(const char *offender, int error)
{
    if (error != 0)
        complain("%s: \"%s\": %s", tenant, offender, tenant_words(error));
    return error == 0;
}

static int status_of(const char *offender, int error)
{
    return tenant_is_ok(offender, error) ? EXIT_RIGHT : EXIT_WRONG;
}

static int create(struct tenant_call *call)
{
    const char *name = call->arguments[0];

    return status_of(name, cx_tenant_create(call->db, CX_TEXT(name), NULL));
}

static int rename_tenant(struct tenant_call *call)
{
    const char *name = call->arguments[0];
    cx_tenant *found;
    int status;

    if (!tenant_is_ok(name, cx_tenant_find(call->db, CX_TEXT(name), &found)))
        return EXIT_WRONG;
    name = call->arguments[1];
    status = status_of(name, cx_tenant_rename(found, CX_TEXT(name)));
    cx_tenant_unref(found);
    return status;
}

/* The loop has nothing else to do while the answer is waited for. */
static bool is_confirmed(const struct tenant_call *call, const cx_tenant *found)
{
    char answer[16];

    if (call->yes)
        return true;
    tame_print(stderr,
               "Drop tenant %" PRId64 ", \"%s\", and all it has? [y/N] ",
               cx_tenant_id(found), call->arguments[0]);
    if (fgets(answer, sizeof(answer), stdin) != NULL &&
        (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    complain("%s: \"%s\": it is left as it was", tenant, call->arguments[0]);
    return false;
}

static int drop(struct tenant_call *call)
{
    const char *name = call->arguments[0];
    int status = EXIT_WRONG;
    cx_tenant *found;

    if (!call->yes && isatty(STDIN_FILENO) != 1)
        return usage_error("ctxvar tenant drop",
                           "without a terminal it takes --yes, for", name);
    if (!tenant_is_ok(name, cx_tenant_find(call->db, CX_TEXT(name), &found)))
        return EXIT_WRONG;
    if (is_confirmed(call, found))
        status = status_of(name, cx_tenant_drop(found));
    cx_tenant_unref(found);
    return status;
}

static const struct subcommand {
    const char *name;
    int (*run)(struct tenant_call *call);
    int arguments; /* after the URL */
    const char *takes;
    const char *about;
    const char *more; /* of its own help */
    bool makes;       /* a database, where there is none */
    bool asks;        /* before it does it, unless told --yes */
    bool changed;     /* it takes --changed */
    bool (*prepare)(struct tenant_call *call); /* NULL: it has no need */
} subcommands[] = {
    {.name = "create",
     .run = create,
     .arguments = 1,
     .takes = "URL NAME",
     .about = "make a tenant",
     .more =
         "Its tables are those that all tenants were last migrated to. Where\n"
         "there is no database, one is made, which a line on standard error\n"
         "tells.\n",
     .makes = true},
    {.name = "list",
     .run = tenant_list,
     .arguments = 0,
     .takes = "URL",
     .about = "tell the id, version and name of each",
     .more = "A version that cannot be read is shown as \"?\".\n"},
    {.name = "rename",
     .run = rename_tenant,
     .arguments = 2,
     .takes = "URL NAME NEW",
     .about = "give a tenant another name",
     .more = "Its id and its rows stay.\n"},
    {.name = "drop",
     .run = drop,
     .arguments = 1,
     .takes = "URL NAME [--yes]",
     .about = "drop a tenant and all it has",
     .more = "On a terminal it asks first; without one, --yes is needed.\n",
     .asks = true},
    {.name = "migrate",
     .run = tenant_migrate,
     .arguments = 1,
     .takes = "URL PATH [--changed VERSION]",
     .about = "bring all tenants to the last version of the scripts",
     .more =
         "PATH is a folder of scripts, 0001_users.sql and so on, or one of\n"
         "them. A script for one engine is 0001_users.sqlite.sql or\n"
         "0001_users.postgres.sql; where it is to do nothing, it is empty.\n"
         "A tenant that fails is told of, and the others go on. A script that\n"
         "no tenant has had may be changed; where some have had it, and others\n"
         "cannot, --changed says of which version the new one is to count as\n"
         "theirs. Where there is no database, one is made, which a line on\n"
         "standard error tells. Ctrl-C leaves those that are not done as they\n"
         "were; run again, it goes on with them.\n",
     .makes = true,
     .changed = true,
     .prepare = tenant_migrate_prepare},
    {.name = "shell",
     .run = tenant_shell,
     .arguments = 1,
     .takes = "URL NAME",
     .about = "run statements from standard input as a tenant",
     .more =
         "A statement ends with \";\", on its line or on a later one; only the\n"
         "last one of a script may lack it. Each is a transaction of its own.\n"
         "One that fails is told of, and the next one runs; of a script, with\n"
         "the line that it begins in. Ctrl-C cancels the statement that runs,\n"
         "and ends a script. A line \"tables\" tells which tables there are,\n"
         "\"describe TABLE\" the columns of one. On a terminal \"help\" tells\n"
         "more; \"quit\", \"exit\", \"\\q\" or Ctrl-D ends.\n"},
};

enum { SUBCOMMANDS = sizeof(subcommands) / sizeof(subcommands[0]) };

static const char url_help[] =
    "URL is \"sqlite:DIR\", a folder, or \"postgresql://...\", a database\n"
    "on a server. A folder that is to begin at the root is \"sqlite:/DIR\".\n";

static const char exit_help[] =
    "Exit status: 0 if it was done; 1 if something failed; 2 for bad\n"
    "usage; 130 if interrupted.\n";

static int help(FILE *out)
{
    fputs("Usage: ctxvar tenant SUBCOMMAND URL [ARGUMENT...]\n"
          "       ctxvar tenant help [SUBCOMMAND]\n"
          "\n"
          "The tenants of a database.\n"
          "\n"
          "Subcommands:\n",
          out);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        fprintf(out, "  %-7s %-16s  %s\n", subcommands[i].name,
                subcommands[i].takes, subcommands[i].about);
    fprintf(
        out,
        "\n"
        "%s"
        "\n"
        "Options:\n"
        "  --yes              drop without asking\n"
        "  --changed VERSION  migrate with another script than tenants had\n"
        "  --                 what follows is no option\n"
        "  --help             this text; after a subcommand, more of that\n"
        "\n"
        "%s",
        url_help, exit_help);
    return out == stdout ? EXIT_RIGHT : EXIT_USAGE;
}

static int help_of(const struct subcommand *subcommand)
{
    printf("Usage: ctxvar tenant %s %s\n"
           "\n"
           "%c%s.\n"
           "%s"
           "\n"
           "%s"
           "\n"
           "%s",
           subcommand->name, subcommand->takes,
           toupper((unsigned char)subcommand->about[0]), subcommand->about + 1,
           subcommand->more, url_help, exit_help);
    return EXIT_RIGHT;
}

struct run {
    const struct subcommand *subcommand;
    struct tenant_call *call;
};

/* What is mistyped is not to become a database; of the subcommands that make
 * one it is told that they did. */
static int open_database(const struct run *run)
{
    struct tenant_call *call = run->call;
    cx_db_options options = {.existing = true};
    int error = cx_db_open(call->url, &options, &call->db);

    if (error != -ENOENT || !run->subcommand->makes)
        return error;
    options.existing = false;
    error = cx_db_open(call->url, &options, &call->db);
    if (error == 0)
        complain("%s: made a new database at %s", tenant, call->shown);
    return error;
}

static int run_opened(const struct run *run)
{
    struct tenant_call *call = run->call;
    int status;

    if (!tenant_is_ok(call->shown, open_database(run)))
        return EXIT_WRONG;
    status = run->subcommand->run(call);
    if (!tenant_is_ok(call->shown, cx_db_close(call->db)))
        return EXIT_WRONG;
    return status;
}

static void *run_main(void *arg)
{
    const struct run *run = arg;
    struct tenant_call *call = run->call;

    if (run->subcommand->prepare == NULL || run->subcommand->prepare(call))
        call->status = run_opened(run);
    scripts_fini(&call->scripts);
    return NULL;
}

static int run_subcommand(const struct subcommand *subcommand,
                          struct tenant_call *call)
{
    struct run run = {subcommand, call};
    int error;

    call->status = EXIT_WRONG;
    error = cx_run(run_main, &run, NULL);
    if (error != 0)
        complain("%s: loop: %s", tenant, strerror(-error));
    return call->status;
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    }
    return NULL;
}

/* The URL and what follows it, in any place among options. */
struct words {
    const struct subcommand *subcommand;
    const char *of[1 + ARGUMENTS];
    int len;
    bool help;
    bool yes;
    const char *changed;
};

/* A mistake with one of them; it may be a URL, with a password in it. */
static int refuse(const struct words *words, const char *what,
                  const char *offender)
{
    char command[32];
    char shown[URL_MOST];

    (void)snprintf(command, sizeof(command), "%s %s", tenant,
                   words->subcommand->name);
    return usage_error(command, what, url_shown(offender, shown));
}

/* "--" ends the options, for a name that begins like one. */
static int read_words(struct words *words, int argc, char **argv)
{
    bool is_option = true;

    for (int i = 0; i < argc; i++) {
        bool looks = is_option && argv[i][0] == '-' && argv[i][1] != '\0';

        if (looks && strcmp(argv[i], "--") == 0)
            is_option = false;
        else if (looks &&
                 (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
            words->help = true;
        else if (looks && words->subcommand->asks &&
                 strcmp(argv[i], "--yes") == 0)
            words->yes = true;
        else if (looks && words->subcommand->changed &&
                 strcmp(argv[i], "--changed") == 0) {
            if (i + 1 == argc)
                return refuse(words, "VERSION is missing after", argv[i]);
            words->changed = argv[++i];
        } else if (looks)
            return refuse(words, "unknown option", argv[i]);
        else if (words->len > words->subcommand->arguments)
            return refuse(words, "one argument too many", argv[i]);
        else
            words->of[words->len++] = argv[i];
    }
    return EXIT_RIGHT;
}

/* The first of those that it takes and was not given. */
static int refuse_missing(const struct words *words)
{
    const char *takes = words->subcommand->takes;
    char what[32];

    for (int i = 0; i < words->len; i++)
        takes += strcspn(takes, " ") + 1;
    (void)snprintf(what, sizeof(what), "%.*s is missing after",
                   (int)strcspn(takes, " "), takes);
    return refuse(words, what,
                  words->len > 0 ? words->of[words->len - 1]
                                 : words->subcommand->name);
}

static int run_words(const struct words *words)
{
    char shown[URL_MOST];
    struct tenant_call call = {.url = words->of[0],
                               .shown = url_shown(words->of[0], shown),
                               .arguments = words->of + 1,
                               .yes = words->yes,
                               .changed = words->changed};

    if (!url_is_one(call.url))
        return refuse(words,
                      "a database is sqlite:DIR or postgresql://..., not",
                      call.url);
    return run_subcommand(words->subcommand, &call);
}

static int run_help(int argc, char **argv)
{
    const struct subcommand *subcommand;

    if (argc < 2)
        return help(stdout);
    subcommand = find(argv[1]);
    if (subcommand == NULL)
        return usage_error(tenant, "unknown subcommand", argv[1]);
    if (argc > 2)
        return usage_error(tenant, "one argument too many", argv[2]);
    return help_of(subcommand);
}

int tenant_main(int argc, char **argv)
{
    struct words words = {.len = 0};
    int status;

    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(stdout);
    if (strcmp(argv[1], "help") == 0)
        return run_help(argc - 1, argv + 1);
    words.subcommand = find(argv[1]);
    if (words.subcommand == NULL)
        return usage_error(tenant, "unknown subcommand or option", argv[1]);
    status = read_words(&words, argc - 2, argv + 2);
    if (status != EXIT_RIGHT)
        return status;
    if (words.help)
        return help_of(words.subcommand);
    if (words.len <= words.subcommand->arguments)
        return refuse_missing(&words);
    return run_words(&words);
}
