/* SPDX-License-Identifier: MIT */
/*
 * The list of programs, and what is the same for all: their lines, what they
 * come to, and whether that is what they must come to.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "demo.h"
#include "options.h"
#include "term.h"
#include "url.h"
#include "usage.h"

static const struct program {
    const char *argument; /* several may run for one */
    const char *name;
    const char *about;
    void (*run)(struct demo *demo);
    bool leaks; /* as it must, to make its point */
} programs[] = {
    {"sequential", "sequential", "one client after another, one plain global",
     sequential_run, false},
    {"naive", "naive", "four tasks at once, one plain global", naive_run, true},
    {"context", "context", "four tasks at once, a context variable",
     context_run, false},
    {"thread", "thread, four threads", "four OS threads, a thread-local",
     threads_run, false},
    {"thread", "thread, four tasks", "four tasks of one thread, a thread-local",
     thread_tasks_run, true},
    {"executor", "executor",
     "jobs that change the variable, on one pool thread", executor_run, false},
    {"executor", "executor, naive pool",
     "the same jobs on a pool that carries no context", naive_pool_run, true},
    {"tenants", "tenants", "four tasks at once, a tenant each, one model",
     tenants_run, false},
};

enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };

static void help(void)
{
    fputs(
        "Usage: ctxvar demo [PROGRAM] [--pace MS] [--db PATH|URL]\n"
        "\n"
        "One model 'User' serves the clients A, B, C and D, each with its\n"
        "own table in a SQLite database. Every line is a query; a program\n"
        "is right when each client reads its own table alone.\n"
        "\n"
        "Programs:\n"
        "  sequential  one client after another, on one plain global\n"
        "  naive       at once, on one plain global: they read each other's\n"
        "  context     at once, on a context variable\n"
        "  thread      on a thread-local: right for threads, wrong for tasks\n"
        "  executor    jobs on a thread pool, with the context and without\n"
        "  tenants     as tenants of a database, which refuses A the rows of B\n"
        "  all         all of them, and a table (default)\n"
        "\n"
        "Options:\n"
        "  --pace MS   milliseconds in a unit; A waits 4 units between its\n"
        "              reads, B 3, C 2, D 1 (default 100)\n"
        "  --db PATH   keep the database there, or use that of an earlier\n"
        "              run (default: a temporary file)\n"
        "  --db URL    the tenants' database: sqlite:DIR or postgresql://...\n"
        "              (default: a temporary folder)\n"
        "  --help      this text\n"
        "\n"
        "Exit status: 0 if every program did as it must, leaks of the naive\n"
        "ones included; 1 if not, or if the database, the output, memory\n"
        "or threads failed; 2 for bad usage.\n",
        stdout);
}

void demo_check(struct demo *demo, const char *what, int error)
{
    if (error >= 0)
        return;
    /* What follows from the first failure is not worth a line. */
    if (!demo->failed)
        complain("ctxvar demo: %s: %s", what, strerror(-error));
    demo->failed = true;
}

static void count(struct tally *tally, const struct client *client,
                  const struct reading *reading)
{
    tally->reads++;
    if (reading->table == NULL)
        tally->none++;
    else if (strcmp(reading->table, client->table) != 0)
        tally->wrong++;
    tally->rows += reading->rows;
    tally->foreign += reading->foreign;
}

static void print_line(bool right, const struct client *client,
                       const char *verb, const char *what)
{
    time_t now = time(NULL);
    struct tm local;
    char clock[16];

    (void)strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &local));
    term_print(right ? TERM_PLAIN : TERM_WRONG, "[%s] Client: %c %s %s\n",
               clock, client->name, verb, what);
}

void demo_report(struct demo *demo, const struct client *client,
                 const char *verb, const struct reading *reading)
{
    bool right =
        reading->table != NULL && strcmp(reading->table, client->table) == 0;
    char what[64];

    (void)snprintf(what, sizeof(what), "reading table: %s",
                   reading->table != NULL ? reading->table : "(none)");
    print_line(right, client, verb, what);
    count(&demo->tally, client, reading);
}

void demo_report_rows(struct demo *demo, const struct client *client,
                      const char *verb, const char *what,
                      const struct reading *reading)
{
    struct tally *tally = &demo->tally;

    print_line(reading->rows != 0 && reading->foreign == 0, client, verb, what);
    tally->reads++;
    tally->none += reading->rows == 0;
    tally->wrong += reading->foreign != 0;
    tally->rows += reading->rows;
    tally->foreign += reading->foreign;
}

void demo_report_attempt(struct demo *demo, const struct client *client,
                         const char *statement, const char *refusal)
{
    print_line(refusal != NULL, client, "tries:", statement);
    term_print(refusal != NULL ? TERM_RIGHT : TERM_WRONG, "    %s%s\n",
               refusal != NULL ? "refused: " : "NOT REFUSED",
               refusal != NULL ? refusal : "");
    demo->tally.attempts++;
    demo->tally.refused += refusal != NULL;
}

static bool is_right(const struct program *program, const struct tally *tally)
{
    bool leaks = tally->wrong != 0 || tally->none != 0 || tally->foreign != 0;

    return leaks == program->leaks && tally->reads != 0 &&
           tally->refused == tally->attempts;
}

static void verdict(const struct program *program, const struct tally *tally)
{
    term_print(is_right(program, tally) ? TERM_RIGHT : TERM_WRONG,
               "%s: %u of %u reads on another client's table, %u on none, "
               "%u of %u rows another client's\n",
               program->name, tally->wrong, tally->reads, tally->none,
               tally->foreign, tally->rows);
    if (tally->attempts != 0)
        term_print(tally->refused == tally->attempts ? TERM_RIGHT : TERM_WRONG,
                   "%s: %u of %u attempts by raw SQL refused\n", program->name,
                   tally->refused, tally->attempts);
    term_print(TERM_PLAIN, "\n");
}

static void summary(const struct tally tallies[PROGRAMS])
{
    term_print(TERM_HEADING, "%-22s  %-16s  %-12s  %s\n", "program",
               "reads elsewhere", "foreign rows", "as it must");
    for (size_t i = 0; i < PROGRAMS; i++) {
        const struct tally *tally = &tallies[i];
        bool right = is_right(&programs[i], tally);

        term_print(right ? TERM_PLAIN : TERM_WRONG,
                   "%-22s  %6u of %2u      %4u of %2u     %s, %s\n",
                   programs[i].name, tally->wrong + tally->none, tally->reads,
                   tally->foreign, tally->rows, right ? "yes" : "NO",
                   programs[i].leaks ? "it leaks" : "it does not leak");
    }
}

static bool is_asked(const struct program *program, const char *argument)
{
    return strcmp(argument, "all") == 0 ||
           strcmp(argument, program->argument) == 0;
}

static bool run_program(struct demo *demo, const struct program *program)
{
    demo->tally = (struct tally){.reads = 0};
    term_print(TERM_HEADING, "%s (%s):\n", program->name, program->about);
    program->run(demo);
    if (demo->failed)
        return false;
    verdict(program, &demo->tally);
    return is_right(program, &demo->tally);
}

static int run_all(struct demo *demo, const char *argument)
{
    struct tally tallies[PROGRAMS] = {{.reads = 0}};
    bool right = true;

    for (size_t i = 0; i < PROGRAMS && !demo->failed; i++) {
        if (!is_asked(&programs[i], argument))
            continue;
        right &= run_program(demo, &programs[i]);
        tallies[i] = demo->tally;
    }
    if (!demo->failed && strcmp(argument, "all") == 0)
        summary(tallies);
    return right ? EXIT_RIGHT : EXIT_WRONG;
}

static bool is_known(const char *argument)
{
    for (size_t i = 0; i < PROGRAMS; i++) {
        if (is_asked(&programs[i], argument))
            return true;
    }
    return false;
}

static int run_with_store(const struct options *options, struct store *store)
{
    cx_executor_options one = {.threads = 1, .name = "database"};
    struct demo demo = {.store = store, .pace_ms = options->pace_ms};
    int status;

    if (options->db != NULL && url_is_one(options->db))
        demo.url = options->db;
    demo.database = cx_executor_new(&one);
    if (demo.database == NULL) {
        complain("ctxvar demo: no memory");
        return EXIT_WRONG;
    }
    status = run_all(&demo, options->program);
    cx_executor_free(demo.database);
    return status;
}

/* The tenants' database is not the one of the other programs. */
static int run_with_options(const struct options *options)
{
    const char *path = options->db;
    struct store *store;
    int status;

    if (strcmp(options->program, "tenants") == 0)
        return run_with_store(options, NULL);
    if (path != NULL && url_is_one(path))
        path = NULL;
    store = store_open(path);
    if (store == NULL)
        return EXIT_WRONG;
    status = run_with_store(options, store);
    store_close(store);
    return status;
}

int demo_main(int argc, char **argv)
{
    struct options options;
    int status = options_read(&options, argc, argv);

    if (status != EXIT_RIGHT)
        return status;
    if (options.help) {
        help();
        return EXIT_RIGHT;
    }
    if (!is_known(options.program))
        return usage_error("ctxvar demo", "unknown program", options.program);
    return run_with_options(&options);
}
