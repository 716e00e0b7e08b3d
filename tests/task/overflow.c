/* SPDX-License-Identifier: MIT */
/*
 * The report of a stack overflow, made by a process that dies of it.
 *
 * Not under valgrind: it reports the fault itself.
 */
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/pages.h"
#include "task/task.h"

/* What the kernel is made not to have. */
static bool without_guards;

long __real_syscall(long number, ...);
int __real_madvise(void *address, size_t bytes, int advice);
int __real_mprotect(void *address, size_t bytes, int protection);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);
int __wrap_madvise(void *address, size_t bytes, int advice);
int __wrap_mprotect(void *address, size_t bytes, int protection);

static int refuse(void)
{
    errno = ENOSYS;
    return -1;
}

long __wrap_syscall(long number, long a, long b, long c, long d, long e)
{
    return without_guards ? refuse() : __real_syscall(number, a, b, c, d, e);
}

int __wrap_madvise(void *address, size_t bytes, int advice)
{
    return without_guards && advice == MADV_GUARD_INSTALL
               ? refuse()
               : __real_madvise(address, bytes, advice);
}

int __wrap_mprotect(void *address, size_t bytes, int protection)
{
    return without_guards ? refuse()
                          : __real_mprotect(address, bytes, protection);
}

/* How a child died, and what it said. */
struct death {
    int status;
    char said[1024];
};

static void listen_to(int fd, struct death *death)
{
    size_t len = 0;
    ssize_t got;

    while (len + 1 < sizeof(death->said) &&
           (got = read(fd, death->said + len, sizeof(death->said) - 1 - len)) >
               0)
        len += (size_t)got;
    death->said[len] = '\0';
}

/* A child in which cmocka's handlers are gone and that leaves no core. */
static void be_child(int fd, void (*prepare)(void), cx_task_fn *fn)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGILL, SIG_DFL);
    (void)dup2(fd, STDERR_FILENO);
    if (prepare != NULL)
        prepare();
    leave(cx_run(fn, NULL, NULL) == 0 ? 0 : 99);
}

static struct death die(void (*prepare)(void), cx_task_fn *fn)
{
    struct death death = {.status = -1};
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        be_child(ends[1], prepare, fn);
    (void)close(ends[1]);
    listen_to(ends[0], &death);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &death.status, 0), child);
    return death;
}

/* Never 0, but that is not for the compiler to know. */
static volatile int depth = 1;

static int descend(int level)
{
    volatile char frame[512];

    frame[0] = (char)level;
    return depth == 0 ? 0 : descend(level + 1) + frame[0];
}

static void *overflow(void *arg)
{
    return as_pointer(descend(0) + (arg != NULL));
}

static void *overflow_in_a_task(void *arg)
{
    cx_task_options options = {.name = "read B", .stack_size = 64 << 10};

    (void)cx_await(cx_task_create_with(&options, overflow, arg), NULL);
    return arg;
}

static void an_overflow_is_reported_by_the_name_of_the_task(void **state)
{
    struct death death = die(NULL, overflow_in_a_task);

    (void)state;
    assert_non_null(strstr(
        death.said, "ctxvar: stack overflow in task \"read B\" (64 KiB)\n"));
}

static void an_overflow_ends_the_process_as_a_fault_does(void **state)
{
    struct death death = die(NULL, overflow_in_a_task);

    (void)state;
    assert_false(WIFEXITED(death.status) && WEXITSTATUS(death.status) == 0);
    assert_int_not_equal(WEXITSTATUS(death.status), 99);
}

static void exit_with_7(int number)
{
    (void)number;
    leave(7);
}

static void install_exit_with_7(void)
{
    (void)signal(SIGSEGV, exit_with_7);
}

static void exit_with_8(int number, siginfo_t *info, void *machine)
{
    leave(number == SIGSEGV && info->si_addr != NULL && machine != NULL ? 8
                                                                        : 9);
}

static void install_exit_with_8(void)
{
    struct sigaction action = {.sa_sigaction = exit_with_8,
                               .sa_flags = SA_SIGINFO};

    (void)sigaction(SIGSEGV, &action, NULL);
}

static void the_handler_that_was_there_is_called_after_the_report(void **state)
{
    struct death death = die(install_exit_with_7, overflow_in_a_task);

    (void)state;
    assert_non_null(strstr(death.said, "stack overflow"));
    assert_true(WIFEXITED(death.status));
    assert_int_equal(WEXITSTATUS(death.status), 7);
}

static void the_handler_that_was_there_is_told_the_address(void **state)
{
    struct death death = die(install_exit_with_8, overflow_in_a_task);

    (void)state;
    assert_true(WIFEXITED(death.status));
    assert_int_equal(WEXITSTATUS(death.status), 8);
}

static void *touch_what_is_not_there(void *arg)
{
    volatile char *page =
        mmap(arg, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    page[0] = 'x';
    return arg;
}

static void other_faults_are_not_reported(void **state)
{
    struct death death = die(install_exit_with_7, touch_what_is_not_there);

    (void)state;
    assert_null(strstr(death.said, "ctxvar:"));
    assert_int_equal(WEXITSTATUS(death.status), 7);
}

/* The loop has put its handler before the program's; it has no task. */
static void fault_outside_of_tasks(void)
{
    install_exit_with_7();
    (void)cx_run(return_arg, NULL, NULL);
    (void)touch_what_is_not_there(NULL);
}

static void a_fault_outside_of_tasks_is_not_reported(void **state)
{
    struct death death = die(fault_outside_of_tasks, return_arg);

    (void)state;
    assert_null(strstr(death.said, "ctxvar:"));
    assert_int_equal(WEXITSTATUS(death.status), 7);
}

/* A stack for signals, as the program has it now. */
static bool is_its_own(const void *stack)
{
    stack_t now;

    return sigaltstack(NULL, &now) == 0 && now.ss_sp == stack;
}

static void *see_the_stack(void *stack)
{
    return as_pointer(is_its_own(stack));
}

static void a_stack_for_signals_that_was_there_is_kept(void **state)
{
    static char room[64 << 10];
    stack_t own = {.ss_sp = room, .ss_size = sizeof(room)};
    stack_t before;
    void *kept = NULL;

    (void)state;
    assert_int_equal(sigaltstack(&own, &before), 0);
    assert_int_equal(cx_run(see_the_stack, room, &kept), 0);
    assert_ptr_equal(kept, as_pointer(1));
    assert_true(is_its_own(room));
    assert_int_equal(sigaltstack(&before, NULL), 0);
}

static void take_guards_away(void)
{
    without_guards = true;
}

static void *overflow_unnoticed(void *arg)
{
    *cx_task_current()->stack.low ^= 1;
    return arg;
}

static void *overflow_without_a_guard(void *arg)
{
    cx_task_options options = {.name = "small", .stack_size = 16 << 10};

    (void)cx_await(cx_task_create_with(&options, overflow_unnoticed, arg),
                   NULL);
    return arg;
}

static void an_overflow_without_a_guard_is_reported_at_the_end(void **state)
{
    struct death death = die(take_guards_away, overflow_without_a_guard);

    (void)state;
    assert_string_equal(death.said,
                        "ctxvar: stack overflow in task \"small\" (16 KiB)\n");
    assert_true(WIFSIGNALED(death.status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overflow_is_reported_by_the_name_of_the_task),
        cmocka_unit_test(an_overflow_ends_the_process_as_a_fault_does),
        cmocka_unit_test(the_handler_that_was_there_is_called_after_the_report),
        cmocka_unit_test(the_handler_that_was_there_is_told_the_address),
        cmocka_unit_test(other_faults_are_not_reported),
        cmocka_unit_test(a_fault_outside_of_tasks_is_not_reported),
        cmocka_unit_test(a_stack_for_signals_that_was_there_is_kept),
        cmocka_unit_test(an_overflow_without_a_guard_is_reported_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
