/* SPDX-License-Identifier: MIT */
/* asyncio's processes, signals and lookups, in C, with files and loops of the
 * program's own: the rows of docs/asyncio.md on them. */
#include "row.h"

#include <netdb.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <ctxvar/file.h>
#include <ctxvar/loop.h>
#include <ctxvar/process.h>
#include <ctxvar/resolve.h>
#include <ctxvar/signal.h>
#include <ctxvar/stream.h>
#include <ctxvar/sync.h>

static void subprocess(void)
{
    char *argv[] = {"cat", NULL};
    cx_process_options options = {
        .argv = argv, .in = CX_PROCESS_PIPE, .out = CX_PROCESS_PIPE};
    cx_process *process;
    const char *data;
    int status;

    need(cx_process_start(&options, &process) == 0, "process");
    check(cx_stream_write(cx_process_stream(process, 0), "meow", 4) == 0);
    cx_process_close(process, 0);
    check(cx_stream_read_exactly(cx_process_stream(process, 1), 4, &data) == 0);
    check(memcmp(data, "meow", 4) == 0);
    check(cx_process_wait(process, &status) == 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cx_process_free(process);
}

static void process_kill(void)
{
    char *argv[] = {"sleep", "60", NULL};
    cx_process_options options = {.argv = argv};
    cx_process *process;
    int status;

    need(cx_process_start(&options, &process) == 0, "process");
    check(cx_process_signal(process, SIGKILL) == 0);
    check(cx_process_wait(process, &status) == 0);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cx_process_free(process);
}

struct caught {
    cx_signal *signal;
    cx_event *done;
};

static void note_signal(void *arg)
{
    const struct caught *caught = arg;

    (void)cx_event_set(caught->done);
}

static void *serve_signal(void *arg)
{
    const struct caught *caught = arg;

    return as_pointer(cx_signal_serve(caught->signal, note_signal, arg));
}

static void add_signal_handler(void)
{
    struct caught caught = {.done = cx_event_new()};
    cx_task *task;

    need(cx_signal_open(SIGUSR1, &caught.signal) == 0, "signal");
    task = cx_task_create(serve_signal, &caught);
    check(raise(SIGUSR1) == 0);
    check(cx_event_wait(caught.done) == 0);
    check(cx_cancel(task) == 0);
    check(cx_await(task, NULL) == 0);
    check(raise(SIGUSR1) == 0);
    check(cx_signal_wait(caught.signal) == 1); /* once */
    check(cx_signal_close(caught.signal) == 0);
    check(cx_event_free(caught.done) == 0);
}

static void getaddrinfo_row(void)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    struct addrinfo *list;

    check(cx_resolve("127.0.0.1", "80", &hints, &list) == 0);
    check(list->ai_family == AF_INET);
    freeaddrinfo(list);
}

static void files(void)
{
    char path[] = "/tmp/ctxvar-XXXXXX";
    int fd = mkstemp(path);
    char *data;
    size_t size;

    need(fd >= 0, "file");
    check(cx_file_write(fd, "hello", 5, 0) == 0);
    check(cx_file_close(fd) == 0);
    check(cx_file_load(path, &data, &size) == 0);
    check(size == 5 && memcmp(data, "hello", 5) == 0);
    free(data);
    check(unlink(path) == 0);
}

static void *sleep_a_little(void *slept)
{
    *(bool *)slept = cx_sleep(1) == 0;
    return NULL;
}

/* On a thread of its own, since this one has a loop already. */
static void *run_own_loop(void *slept)
{
    uv_loop_t uv;

    need(uv_loop_init(&uv) == 0, "loop");
    check(cx_loop_attach(&uv) == 0);
    cx_task_detach(cx_task_create(sleep_a_little, slept));
    check(uv_run(&uv, UV_RUN_DEFAULT) == 0); /* until no task is left */
    check(cx_loop_detach() == 0);
    check(uv_run(&uv, UV_RUN_DEFAULT) == 0);
    check(uv_loop_close(&uv) == 0);
    return NULL;
}

static void guest_loop(void)
{
    bool slept = false;

    check(cx_run_in_executor(NULL, run_own_loop, &slept, NULL) == 0);
    check(slept);
}

int main(void)
{
    static struct row rows[] = {
        ROW(subprocess),      ROW(process_kill), ROW(add_signal_handler),
        ROW(getaddrinfo_row), ROW(files),        ROW(guest_loop),
        {NULL, NULL},
    };

    return run_all(rows);
}
