/* SPDX-License-Identifier: MIT */
/*
 * A soak of the task runtime: everything that is made and given back, by
 * several kinds of work at once, for as many seconds as the argument says.
 * Memory, descriptors and threads must be no more at the end than they were
 * when all kinds of work had been at it for a while.
 *
 * What each kind does is checked, too: whoever reads the request of another
 * says so.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ctxvar/deadline.h>
#include <ctxvar/file.h>
#include <ctxvar/future.h>
#include <ctxvar/group.h>
#include <ctxvar/queue.h>
#include <ctxvar/stream.h>
#include <ctxvar/sync.h>

enum {
    WORKERS = 4,      /* of each kind */
    GROUP = 50,       /* tasks of a group */
    WARM_TENTH = 2,   /* tenths of the time until memory should be flat */
    GROWTH_KIB = 4096 /* that memory may differ by from then on */
};

CX_VAR(const char *, request, .type = &cx_string);
CX_GLOBAL(char[64], cell, "");

static uint64_t end_at;
static size_t wrong;
static const char *path;

/* Name the request of the running task, in both kinds of variables. */
static void begin(const char *kind, int worker, uint64_t round)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s %d %" PRIu64, kind, worker, round);
    if (cx_set(request, name) != 0)
        abort();
    (void)strcpy(*cx_ref(cell), name);
}

static void check(void)
{
    wrong += strcmp(cx_get(request), *cx_ref(cell)) != 0;
}

static int sleep_and_check(void *arg)
{
    (void)arg;
    (void)cx_sleep(1);
    check();
    return 0;
}

static void groups(int worker)
{
    cx_group *group = cx_group_new(&(cx_group_options){.limit = GROUP / 2});

    (void)worker;
    for (int i = 0; i < GROUP && group != NULL; i++)
        (void)cx_group_start(group, sleep_and_check, NULL);
    (void)cx_group_wait(group);
    cx_group_free(group);
}

static void *check_job(void *arg)
{
    check();
    return arg;
}

static void jobs(int worker)
{
    (void)worker;
    (void)cx_run_in_executor(NULL, check_job, NULL, NULL);
}

static void *sleep_long(void *arg)
{
    (void)cx_sleep(1000);
    check();
    return arg;
}

static void cancels(int worker)
{
    cx_task *task = cx_task_create(sleep_long, NULL);

    (void)worker;
    (void)cx_yield();
    (void)cx_cancel(task);
    (void)cx_await(task, NULL);
    CX_TIMEOUT(1) {
        (void)cx_sleep(1000);
    }
}

static void *put_all(void *queue)
{
    for (intptr_t i = 1; i <= GROUP; i++)
        (void)cx_queue_put(queue, (void *)i);
    (void)cx_queue_close(queue);
    return NULL;
}

static void queues(int worker)
{
    cx_queue *queue = cx_queue_new(4);
    cx_task *task = cx_task_create(put_all, queue);
    void *item;
    intptr_t sum = 0;

    (void)worker;
    while (cx_queue_get(queue, &item) == 0)
        sum += (intptr_t)item;
    wrong += sum != (intptr_t)GROUP * (GROUP + 1) / 2;
    (void)cx_await(task, NULL);
    (void)cx_queue_free(queue);
}

static void echo(cx_stream *stream, void *arg)
{
    char *line;

    (void)arg;
    while (cx_stream_read_line(stream, &line) > 0) {
        begin("echo", 0, (uint64_t)random());
        line[strlen(line)] = '\n';
        (void)cx_stream_write(stream, line, strlen(line));
        check();
    }
}

static void *serve(void *arg)
{
    return (void *)(intptr_t)cx_serve(arg, echo, NULL, 0);
}

static void streams(int worker)
{
    char name[32];
    char *line;
    cx_listener *listener;
    cx_stream *stream;
    cx_task *server;

    (void)snprintf(name, sizeof(name), "@ctxvar-soak-%d-%d", worker,
                   (int)getpid());
    if (cx_unix_listen(name, NULL, &listener) != 0)
        abort();
    server = cx_task_create(serve, listener);
    for (int i = 0; i < GROUP; i++) {
        if (cx_unix_connect(name, &stream) != 0)
            continue;
        (void)cx_stream_write(stream, "hello\n", 6);
        wrong += cx_stream_read_line(stream, &line) != 5;
        cx_stream_close(stream);
    }
    (void)cx_cancel(server);
    (void)cx_await(server, NULL);
    cx_listener_close(listener);
}

static void files(int worker)
{
    char *data;

    (void)worker;
    if (cx_file_load(path, &data, NULL) == 0)
        free(data);
}

static const struct kind {
    const char *name;
    void (*round)(int worker);
} kinds[] = {{"groups", groups}, {"jobs", jobs},       {"cancels", cancels},
             {"queues", queues}, {"streams", streams}, {"files", files}};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static uint64_t rounds[KINDS];

static int work(void *arg)
{
    int number = (int)(intptr_t)arg;
    const struct kind *kind = &kinds[number % KINDS];

    while (cx_time() < end_at) {
        begin(kind->name, number, rounds[number % KINDS]++);
        kind->round(number);
        check();
        (void)cx_yield();
    }
    return 0;
}

/* Measuring. */

static size_t entries(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

static size_t resident_kib(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file != NULL) {
        (void)fscanf(file, "%*s %zu", &pages);
        (void)fclose(file);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

struct usage {
    size_t kib;
    size_t fds;
    size_t threads;
};

static struct usage measure(void)
{
    return (struct usage){resident_kib(), entries("/proc/self/fd"),
                          entries("/proc/self/task")};
}

static void tell(const char *when, struct usage usage)
{
    printf("%-6s %8zu KiB %4zu descriptors %4zu threads\n", when, usage.kib,
           usage.fds, usage.threads);
    fflush(stdout);
}

/* The most of some moments, since one moment is as it happens to be. */
static struct usage most(struct usage a, struct usage b)
{
    return (struct usage){a.kib > b.kib ? a.kib : b.kib,
                          a.fds > b.fds ? a.fds : b.fds,
                          a.threads > b.threads ? a.threads : b.threads};
}

static struct usage most_until(uint64_t time)
{
    struct usage usage = measure();

    while (cx_time() < time) {
        (void)cx_sleep(20);
        usage = most(usage, measure());
    }
    return usage;
}

/* Run all kinds of work for some milliseconds: 0, if memory was flat. */
static int soak(uint64_t ms)
{
    uint64_t warm_at = cx_time() + ms * WARM_TENTH / 10;
    struct usage warm, last = {0};
    cx_group *group = cx_group_new(NULL);

    end_at = cx_time() + ms;
    for (intptr_t i = 0; i < WORKERS * (intptr_t)KINDS; i++) {
        if (cx_group_start(group, work, (void *)i) != 0)
            abort();
    }
    warm = most_until(warm_at);
    tell("warm", warm);
    for (int tenth = WARM_TENTH + 1; tenth <= 9; tenth++) {
        last = most_until(end_at - ms * (uint64_t)(10 - tenth) / 10);
        tell("", last);
    }
    (void)cx_group_wait(group);
    cx_group_free(group);
    tell("end", measure());
    for (int i = 0; i < KINDS; i++)
        printf("%-8s %" PRIu64 " rounds\n", kinds[i].name, rounds[i]);
    printf("%zu wrong\n", wrong);
    return wrong != 0 || last.kib > warm.kib + GROWTH_KIB ||
           last.fds > warm.fds + WORKERS * 4 ||
           last.threads > warm.threads + WORKERS;
}

static void *soak_main(void *arg)
{
    return (void *)(intptr_t)soak(strtoull(arg, NULL, 10) * 1000);
}

int main(int argc, char *argv[])
{
    void *failed = NULL;

    path = argv[0];
    if (argc != 2 || atoi(argv[1]) <= 0) {
        fprintf(stderr, "usage: %s SECONDS\n", argv[0]);
        return 2;
    }
    if (cx_run(soak_main, argv[1], &failed) != 0)
        return 1;
    return failed != NULL;
}
