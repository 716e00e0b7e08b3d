/* SPDX-License-Identifier: MIT */
/* The command ctxvar: it finds the subcommand and hands over. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ctxvar/version.h>

#include "demo.h"
#include "tenant.h"
#include "usage.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"demo", demo_main, "four clients, one model: who reads whose table?"},
    {"tenant", tenant_main, "the tenants of a database"},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void help(FILE *out)
{
    fputs("Usage: ctxvar COMMAND [ARGUMENT...]\n"
          "       ctxvar help [COMMAND [SUBCOMMAND]]\n"
          "       ctxvar --help | --version\n"
          "\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].about);
    fputs("\n"
          "'ctxvar help COMMAND' tells more of a command.\n"
          "\n"
          "Exit status: 0; 1 if something failed; 2 for bad usage; 130 if\n"
          "interrupted.\n",
          out);
}

static int run_command(int argc, char **argv)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    }
    return usage_error("ctxvar", "unknown command or option", argv[0]);
}

/* "help tenant list" is "tenant help list". */
static int run_help(int argc, char **argv)
{
    char *help_word = argv[0];

    if (argc < 2) {
        help(stdout);
        return EXIT_RIGHT;
    }
    argv[0] = argv[1];
    argv[1] = help_word;
    return run_command(argc, argv);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return EXIT_RIGHT;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ctxvar %s\n", cx_version());
        return EXIT_RIGHT;
    }
    if (strcmp(argv[1], "help") == 0)
        return run_help(argc - 1, argv + 1);
    return run_command(argc - 1, argv + 1);
}

/* Standard output that is closed is one that cannot be written. Else the
 * descriptor would be given to what is opened next. */
static void keep_output(void)
{
    int fd;

    if (fcntl(STDOUT_FILENO, F_GETFD) >= 0)
        return;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd < STDOUT_FILENO);
    if (fd > STDOUT_FILENO)
        (void)close(fd);
}

int main(int argc, char **argv)
{
    int status;

    keep_output();
    status = run(argc, argv);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("ctxvar: cannot write to standard output");
        return EXIT_WRONG;
    }
    return status;
}
