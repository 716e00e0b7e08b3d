/* SPDX-License-Identifier: MIT */
/* Deadlines: what they end, who inherits them, and what holds them off. */
#include <sched.h>

#include "support.h"

TASK_TEST(a_wait_ends_when_the_deadline_passes)
{
    int error = 0;
    uint64_t began = cx_time();

    CX_TIMEOUT(5) {
        error = cx_sleep(UINT64_MAX);
    }
    assert_int_equal(error, -ETIMEDOUT);
    assert_true(cx_time() >= began + 5);
}

TASK_TEST(every_wait_after_the_deadline_is_refused_until_the_block_is_left)
{
    CX_TIMEOUT(1) {
        cx_task *task = cx_task_create(return_arg, NULL);

        assert_int_equal(cx_sleep(UINT64_MAX), -ETIMEDOUT);
        assert_int_equal(cx_sleep(1), -ETIMEDOUT);
        assert_int_equal(cx_yield(), -ETIMEDOUT);
        assert_int_equal(cx_await(task, NULL), -ETIMEDOUT);
        assert_int_equal(cx_run_in_executor(NULL, return_arg, NULL, NULL),
                         -ETIMEDOUT);
        cx_task_detach(task);
    }
    assert_int_equal(cx_sleep(1), 0);
}

TASK_TEST(what_is_done_in_time_is_not_ended)
{
    int error = -1;

    CX_TIMEOUT(60000) {
        error = cx_sleep(1);
    }
    assert_int_equal(error, 0);
    assert_int_equal(cx_deadline(), UINT64_MAX);
}

CX_VAR(int, number);

/* No task is made for it, so that the block is in the caller's context. */
/* Behaviour 75. */
TASK_TEST(what_is_set_in_a_timed_block_stays_set_after_it)
{
    CX_TIMEOUT(60000) {
        assert_int_equal(cx_set(number, 1), 0);
    }
    assert_int_equal(cx_get(number), 1);
    CX_TIMEOUT(1) {
        assert_int_equal(cx_set(number, 2), 0);
        assert_int_equal(cx_sleep(UINT64_MAX), -ETIMEDOUT);
    }
    assert_int_equal(cx_get(number), 2);
}

/* Behaviour 120. */
TASK_TEST(the_earlier_deadline_counts)
{
    CX_TIMEOUT(60000) {
        uint64_t outer = cx_deadline();

        CX_TIMEOUT(120000) {
            assert_int_equal(cx_deadline(), outer);
        }
        CX_TIMEOUT(1) {
            assert_true(cx_deadline() < outer);
            assert_int_equal(cx_sleep(1000), -ETIMEDOUT);
        }
        assert_int_equal(cx_deadline(), outer);
    }
}

/* Behaviour 121. */
TASK_TEST(a_deadline_that_has_passed_ends_the_first_wait)
{
    cx_token token;

    assert_int_equal(cx_timeout_at(0, &token), 0);
    assert_int_equal(cx_sleep(UINT64_MAX), -ETIMEDOUT);
    assert_int_equal(cx_deadline_left(), 0);
    assert_int_equal(cx_timeout_end(&token), 0);
    assert_int_equal(cx_sleep(1), 0);
}

static void *sleep_and_tell(void *arg)
{
    (void)arg;
    return as_pointer(cx_sleep(UINT64_MAX));
}

TASK_TEST(a_task_inherits_the_deadline)
{
    cx_task *task = NULL;
    void *error;

    CX_TIMEOUT(2) {
        task = cx_task_create(sleep_and_tell, NULL);
    }
    assert_int_equal(cx_await(task, &error), 0);
    assert_int_equal((intptr_t)error, -ETIMEDOUT);
}

static void *left_in_job(void *arg)
{
    *(uint64_t *)arg = cx_deadline_left();
    return arg;
}

TASK_TEST(a_job_knows_how_long_it_has)
{
    uint64_t left = 0;

    CX_TIMEOUT(60000) {
        assert_int_equal(cx_run_in_executor(NULL, left_in_job, &left, NULL), 0);
    }
    assert_in_range(left, 1, 60001);
    assert_int_equal(cx_run_in_executor(NULL, left_in_job, &left, NULL), 0);
    assert_int_equal(left, UINT64_MAX);
}

CX_VAR(const char *, tenant);

static void *sleep_as_tenant(void *arg)
{
    return cx_sleep(3) == 0 ? (void *)(uintptr_t)cx_get(tenant) : arg;
}

/* Behaviour 124: values stay, the deadline does not. */
TASK_TEST(work_without_timeout_keeps_its_values)
{
    cx_task *task = NULL;
    void *seen;

    assert_int_equal(cx_set(tenant, "acme"), 0);
    CX_TIMEOUT(1) {
        CX_NO_TIMEOUT {
            task = cx_task_create(sleep_as_tenant, NULL);
        }
        assert_int_equal(cx_sleep(10), -ETIMEDOUT);
    }
    assert_int_equal(cx_await(task, &seen), 0);
    assert_string_equal(seen, "acme");
}

TASK_TEST(a_shield_holds_the_deadline_off)
{
    CX_TIMEOUT(1) {
        assert_int_equal(cx_sleep(2), -ETIMEDOUT);
        CX_SHIELD {
            assert_int_equal(cx_sleep(2), 0);
        }
        assert_int_equal(cx_sleep(2), -ETIMEDOUT);
    }
}

/* What cleans up has its own time, and no more. */
TASK_TEST(a_deadline_that_is_set_in_a_shield_counts)
{
    CX_TIMEOUT(1) {
        assert_int_equal(cx_sleep(2), -ETIMEDOUT);
        CX_SHIELD {
            assert_int_equal(cx_deadline_left(), UINT64_MAX);
            CX_TIMEOUT(1) {
                assert_int_equal(cx_sleep(60000), -ETIMEDOUT);
                CX_SHIELD {
                    assert_int_equal(cx_sleep(1), 0);
                }
                assert_int_equal(cx_yield(), -ETIMEDOUT);
            }
            assert_int_equal(cx_sleep(1), 0);
        }
        assert_int_equal(cx_deadline_left(), 0);
    }
}

/* It is told by its time from the one that is held off. */
TASK_TEST(a_deadline_in_a_shield_may_be_that_which_is_held_off)
{
    CX_TIMEOUT(5) {
        uint64_t deadline = cx_deadline();

        CX_SHIELD {
            cx_token token;

            assert_int_equal(cx_timeout_at(deadline, &token), 0);
            assert_int_equal(cx_sleep(60000), -ETIMEDOUT);
            assert_int_equal(cx_timeout_end(&token), 0);
        }
    }
}

TASK_TEST(a_timeout_of_nothing_has_passed)
{
    CX_TIMEOUT(0) {
        assert_int_equal(cx_deadline_left(), 0);
        assert_int_equal(cx_yield(), -ETIMEDOUT);
    }
}

TASK_TEST(a_timeout_that_never_comes_is_none)
{
    CX_TIMEOUT(UINT64_MAX) {
        assert_int_equal(cx_deadline_left(), UINT64_MAX);
    }
    CX_TIMEOUT(1000000) {
        uint64_t deadline = cx_deadline();

        CX_TIMEOUT(UINT64_MAX) {
            assert_int_equal(cx_deadline(), deadline);
        }
    }
}

enum { JOB_MS = 5 };

/* Set on different threads. */
struct slow_job {
    bool begun;
    bool may_end;
};

static bool is_set(bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void *run_slowly(void *arg)
{
    struct slow_job *job = arg;

    __atomic_store_n(&job->begun, true, __ATOMIC_RELEASE);
    while (!is_set(&job->may_end))
        sched_yield();
    return arg;
}

/* Past the deadline of who waits for it. */
static void *let_end(void *arg)
{
    struct slow_job *job = arg;

    while (!is_set(&job->begun))
        assert_int_equal(cx_sleep(1), 0);
    assert_int_equal(cx_sleep(JOB_MS + 1), 0);
    __atomic_store_n(&job->may_end, true, __ATOMIC_RELEASE);
    return NULL;
}

TASK_TEST(a_job_that_runs_when_the_deadline_passes_keeps_its_result)
{
    struct slow_job job = {false, false};
    cx_task *other = cx_task_create(let_end, &job);
    void *result = NULL;
    int error = -1;

    /* On a busy machine, it may pass before a thread has the job. */
    do {
        CX_TIMEOUT(JOB_MS) {
            error = cx_run_in_executor(NULL, run_slowly, &job, &result);
        }
    } while (error == -ETIMEDOUT && !is_set(&job.begun));
    assert_int_equal(error, 0);
    assert_ptr_equal(result, &job);
    assert_int_equal(cx_await(other, NULL), 0);
}

TASK_TEST(a_cancel_counts_before_a_deadline)
{
    CX_TIMEOUT(0) {
        assert_int_equal(cx_cancel(cx_task_current()), 0);
        assert_int_equal(cx_sleep(10), -ECANCELED);
    }
}

static int leave_by_return(void)
{
    CX_TIMEOUT(60000) {
        return cx_deadline() != UINT64_MAX;
    }
    return -1;
}

TASK_TEST(the_deadline_ends_with_its_block_however_that_is_left)
{
    assert_int_equal(leave_by_return(), 1);
    assert_int_equal(cx_deadline_left(), UINT64_MAX);
    for (int i = 0; i < 2; i++) {
        CX_TIMEOUT(60000) {
            continue;
        }
    }
    assert_int_equal(cx_deadline_left(), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_when_the_deadline_passes),
        cmocka_unit_test(
            every_wait_after_the_deadline_is_refused_until_the_block_is_left),
        cmocka_unit_test(what_is_done_in_time_is_not_ended),
        cmocka_unit_test(what_is_set_in_a_timed_block_stays_set_after_it),
        cmocka_unit_test(the_earlier_deadline_counts),
        cmocka_unit_test(a_deadline_that_has_passed_ends_the_first_wait),
        cmocka_unit_test(a_task_inherits_the_deadline),
        cmocka_unit_test(a_job_knows_how_long_it_has),
        cmocka_unit_test(work_without_timeout_keeps_its_values),
        cmocka_unit_test(a_shield_holds_the_deadline_off),
        cmocka_unit_test(
            a_job_that_runs_when_the_deadline_passes_keeps_its_result),
        cmocka_unit_test(a_deadline_that_is_set_in_a_shield_counts),
        cmocka_unit_test(a_deadline_in_a_shield_may_be_that_which_is_held_off),
        cmocka_unit_test(a_timeout_of_nothing_has_passed),
        cmocka_unit_test(a_timeout_that_never_comes_is_none),
        cmocka_unit_test(a_cancel_counts_before_a_deadline),
        cmocka_unit_test(the_deadline_ends_with_its_block_however_that_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
