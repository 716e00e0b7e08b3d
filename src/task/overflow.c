/* SPDX-License-Identifier: MIT */
/*
 * The report of a stack overflow:
 *
 *     ctxvar: stack overflow in task "read B" (256 KiB)
 *
 * A handler of SIGSEGV is installed with the first loop and stays. It says so
 * when the fault lies in the guard of the running task, and then hands every
 * fault to what was there before. If that was the default, it is put back and
 * the instruction faults again, so that a core dump shows where.
 *
 * A program that installs a handler of its own later decides for itself
 * whether this one is called.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"
#include "overflow.h"
#include "task.h"

enum { FAULT_STACK_BYTES = 64 << 10 };

static struct sigaction before;

/* A line that is put together without what a signal handler may not call. */
struct line {
    char text[384];
    size_t len;
};

static void line_add(struct line *line, const char *text)
{
    while (*text != '\0' && line->len < sizeof(line->text))
        line->text[line->len++] = *text++;
}

static void line_add_number(struct line *line, size_t number)
{
    char digits[24];
    size_t i = sizeof(digits) - 1;

    digits[i] = '\0';
    do {
        digits[--i] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    line_add(line, &digits[i]);
}

static void report(const cx_task *task)
{
    struct line line = {.len = 0};
    size_t bytes = (size_t)(task->stack.high - task->stack.low);
    ssize_t written;

    line_add(&line, "ctxvar: stack overflow in task \"");
    line_add(&line, task->name);
    line_add(&line, "\" (");
    line_add_number(&line, bytes >> 10);
    line_add(&line, " KiB)\n");
    written = write(STDERR_FILENO, line.text, line.len);
    (void)written;
}

static bool is_in_guard(const cx_task *task, const char *address)
{
    return address < task->stack.low &&
           address >= task->stack.low - CX__STACK_GUARD;
}

static void call_before(int number, siginfo_t *info, void *machine)
{
    if ((before.sa_flags & SA_SIGINFO) != 0)
        before.sa_sigaction(number, info, machine);
    else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN)
        (void)sigaction(SIGSEGV, &before, NULL);
    else
        before.sa_handler(number);
}

static void fault(int number, siginfo_t *info, void *machine)
{
    const cx_task *task = cx__task_running();
    int error = errno;

    if (task != NULL && is_in_guard(task, info->si_addr))
        report(task);
    call_before(number, info, machine);
    errno = error;
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGSEGV, &action, &before);
}

/* The library is unloaded: its handler goes, if it is still the one. */
__attribute__((destructor)) static void uninstall(void)
{
    struct sigaction now;

    if (sigaction(SIGSEGV, NULL, &now) == 0 &&
        (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == fault)
        (void)sigaction(SIGSEGV, &before, NULL);
}

int cx__fault_stack_init(struct cx__fault_stack *stack)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    stack_t now;

    stack->memory = NULL;
    (void)pthread_once(&once, install);
    if (sigaltstack(NULL, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0)
        return 0;
    stack->memory = malloc(FAULT_STACK_BYTES);
    if (stack->memory == NULL)
        return -ENOMEM;
    now = (stack_t){.ss_sp = stack->memory, .ss_size = FAULT_STACK_BYTES};
    (void)sigaltstack(&now, NULL);
    return 0;
}

void cx__fault_stack_fini(struct cx__fault_stack *stack)
{
    stack_t none = {.ss_flags = SS_DISABLE};

    if (stack->memory == NULL)
        return;
    (void)sigaltstack(&none, NULL);
    free(stack->memory);
}

_Noreturn void cx__overflow_late(const cx_task *task)
{
    report(task);
    __builtin_trap();
}
