/* SPDX-License-Identifier: MIT */
/* Reports where nobody has asked for them, and where they go; debug.c has what
 * they are. Each in a process of its own, which looks at its environment once.
 */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void *forget(void *arg)
{
    (void)cx_task_create(return_arg, NULL);
    return arg;
}

static void be_child(int fd, const char *wanted)
{
    if (wanted != NULL)
        (void)setenv("CTXVAR_DEBUG", wanted, 1);
    else
        (void)unsetenv("CTXVAR_DEBUG");
    (void)dup2(fd, STDERR_FILENO);
    leave(cx_run(forget, NULL, NULL) == 0 ? 0 : 99);
}

/* What is on stderr when a task was forgotten. */
static const char *said_with(const char *wanted)
{
    static char said[1024];
    ssize_t length;
    int ends[2];
    int status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        be_child(ends[1], wanted);
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    length = read(ends[0], said, sizeof(said) - 1);
    (void)close(ends[0]);
    said[length > 0 ? length : 0] = '\0';
    return said;
}

static void reports_go_to_stderr_unless_the_program_takes_them(void **state)
{
    const char *said = said_with("1");

    (void)state;
    assert_ptr_equal(strstr(said, "ctxvar: task \"task\" #2, created at "),
                     said);
    assert_non_null(strstr(said, " was neither awaited nor detached\n"));
}

static void nothing_is_reported_that_nobody_asks_for(void **state)
{
    (void)state;
    assert_string_equal(said_with(NULL), "");
    assert_string_equal(said_with(""), "");
    assert_string_equal(said_with("0"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_go_to_stderr_unless_the_program_takes_them),
        cmocka_unit_test(nothing_is_reported_that_nobody_asks_for),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
