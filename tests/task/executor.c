/* SPDX-License-Identifier: MIT */
/* Executors: jobs, the context that they run in, and their cancellation. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

CX_VAR(int, number, .initial = -1);
CX_VAR(void *, resource, .type = &counted);

/* A gate that jobs wait at. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int waiting;
    bool open;
};

#define GATE_INIT                                                              \
    {                                                                          \
        .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER   \
    }

static void *wait_at_gate(void *arg)
{
    struct gate *gate = arg;

    (void)pthread_mutex_lock(&gate->lock);
    gate->waiting++;
    (void)pthread_cond_broadcast(&gate->moved);
    while (!gate->open)
        (void)pthread_cond_wait(&gate->moved, &gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
    return arg;
}

static void gate_await(struct gate *gate, int waiting)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->waiting < waiting)
        (void)pthread_cond_wait(&gate->moved, &gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->open = true;
    (void)pthread_cond_broadcast(&gate->moved);
    (void)pthread_mutex_unlock(&gate->lock);
}

/* A task that does one job. */
struct errand {
    cx_executor *executor;
    cx_task_fn *fn;
    void *arg;
    int error;
    void *result;
};

static void *run_errand(void *arg)
{
    struct errand *errand = arg;

    errand->error = cx_run_in_executor(errand->executor, errand->fn,
                                       errand->arg, &errand->result);
    return errand;
}

static cx_executor *one_thread(void)
{
    cx_executor_options options = {.threads = 1};

    return cx_executor_new(&options);
}

static void *get_number(void *arg)
{
    (void)arg;
    return as_pointer(cx_get(number));
}

static void *set_number(void *arg)
{
    return as_pointer(cx_set(number, (int)(intptr_t)arg));
}

TASK_TEST(result_of_a_job_comes_back)
{
    void *result;

    assert_int_equal(
        cx_run_in_executor(NULL, return_arg, as_pointer(2), &result), 0);
    assert_ptr_equal(result, as_pointer(2));
}

static void *own_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return NULL;
}

TASK_TEST(a_job_runs_on_another_thread)
{
    pthread_t thread = pthread_self();

    assert_int_equal(cx_run_in_executor(NULL, own_thread, &thread, NULL), 0);
    assert_false(pthread_equal(thread, pthread_self()));
}

TASK_TEST(a_job_without_a_function_is_refused)
{
    assert_int_equal(cx_run_in_executor(NULL, NULL, NULL, NULL), -EINVAL);
}

static void *open_gate(void *arg)
{
    gate_open(arg);
    return NULL;
}

TASK_TEST(only_the_task_that_submits_waits)
{
    struct gate gate = GATE_INIT;
    cx_task *other = cx_task_create(open_gate, &gate);

    assert_int_equal(cx_run_in_executor(NULL, wait_at_gate, &gate, NULL), 0);
    assert_int_equal(cx_await(other, NULL), 0);
}

/* 103 */
TASK_TEST(a_job_reads_what_was_set_when_it_was_submitted)
{
    struct gate gate = GATE_INIT;
    cx_executor *executor = one_thread();
    struct errand first = {executor, wait_at_gate, &gate, 1, NULL};
    struct errand second = {executor, get_number, NULL, 1, NULL};
    cx_context *shared = cx_context_new();
    cx_task_options options = {.context = shared};
    cx_task *tasks[2];
    void *later;

    tasks[0] = cx_task_create(run_errand, &first);
    assert_int_equal(cx_yield(), 0);
    gate_await(&gate, 1);
    assert_int_equal(cx_context_enter(shared), 0);
    assert_int_equal(cx_set(number, 1), 0);
    assert_int_equal(cx_context_exit(shared), 0);
    tasks[1] = cx_task_create_with(&options, run_errand, &second);
    assert_int_equal(cx_yield(), 0);
    /* Queued behind the first; now its submitter's context changes. */
    assert_int_equal(cx_context_enter(shared), 0);
    assert_int_equal(cx_set(number, 2), 0);
    assert_int_equal(cx_context_exit(shared), 0);
    gate_open(&gate);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], &later), 0);
    assert_ptr_equal(second.result, as_pointer(1));
    cx_context_unref(shared);
    cx_executor_free(executor);
}

/* 104 */
TASK_TEST(what_a_job_sets_is_not_seen_by_its_submitter)
{
    assert_int_equal(cx_set(number, 1), 0);
    assert_int_equal(cx_run_in_executor(NULL, set_number, as_pointer(2), NULL),
                     0);
    assert_int_equal(cx_get(number), 1);
}

/* 105 */
TASK_TEST(what_a_job_sets_is_not_seen_by_the_next_on_its_thread)
{
    cx_executor *executor = one_thread();
    void *seen;

    assert_int_equal(
        cx_run_in_executor(executor, set_number, as_pointer(2), NULL), 0);
    assert_int_equal(cx_run_in_executor(executor, get_number, NULL, &seen), 0);
    assert_int_equal((intptr_t)seen, -1);
    cx_executor_free(executor);
}

static void *submit_with_a_resource(void *arg)
{
    struct errand *errand = arg;

    (void)cx_set(resource, errand);
    (void)cx_set(number, 9);
    return run_errand(errand);
}

/* 106 */
TASK_TEST(a_worker_keeps_nothing_of_whoever_caused_its_creation)
{
    cx_executor *executor = one_thread();
    struct errand first = {executor, return_arg, NULL, 1, NULL};
    void *seen;

    assert_int_equal(
        cx_await(cx_task_create(submit_with_a_resource, &first), NULL), 0);
    assert_int_equal(held_now(), 0);
    assert_int_equal(cx_run_in_executor(executor, get_number, NULL, &seen), 0);
    assert_int_equal((intptr_t)seen, -1);
    cx_executor_free(executor);
}

struct shared_run {
    cx_context *context;
    struct gate gate;
    int error;
};

static void set_and_wait(void *arg)
{
    struct shared_run *run = arg;

    (void)cx_set(number, 5);
    (void)wait_at_gate(&run->gate);
}

static void *run_in_shared(void *arg)
{
    struct shared_run *run = arg;

    return as_pointer(cx_context_run(run->context, set_and_wait, run));
}

/* 107 */
TASK_TEST(jobs_can_run_in_one_context_but_not_at_once)
{
    struct shared_run run = {cx_context_new(), GATE_INIT, 0};
    struct errand first = {NULL, run_in_shared, &run, 1, NULL};
    cx_task *task = cx_task_create(run_errand, &first);
    cx_value value;
    void *error;

    assert_int_equal(cx_yield(), 0);
    gate_await(&run.gate, 1);
    assert_int_equal(cx_run_in_executor(NULL, run_in_shared, &run, &error), 0);
    assert_int_equal((intptr_t)error, -EBUSY);
    gate_open(&run.gate);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal((intptr_t)first.result, 0);
    assert_true(cx_context_find(run.context, cx_var_of(number), &value));
    assert_int_equal(value.i64, 5);
    cx_context_unref(run.context);
}

/* Every job sets its own number and waits until all have. */
struct party {
    struct gate gate;
    int number;
};

static void *set_wait_and_get(void *arg)
{
    struct party **own = arg;
    struct party *party = *own;
    int number_before = cx_get(number);
    int mine = __atomic_add_fetch(&party->number, 1, __ATOMIC_SEQ_CST);

    (void)cx_set(number, mine);
    (void)wait_at_gate(&party->gate);
    return as_pointer(number_before == 7 && cx_get(number) == mine);
}

/* 108 */
TASK_TEST(jobs_at_once_from_one_context_are_isolated)
{
    enum { JOBS = 8 };
    cx_executor_options options = {.threads = JOBS};
    cx_executor *executor = cx_executor_new(&options);
    struct party party = {GATE_INIT, 0}, *arg = &party;
    struct errand errands[JOBS];
    cx_task *tasks[JOBS];

    assert_int_equal(cx_set(number, 7), 0);
    for (int i = 0; i < JOBS; i++) {
        errands[i] = (struct errand){executor, set_wait_and_get, &arg, 1, NULL};
        tasks[i] = cx_task_create(run_errand, &errands[i]);
    }
    assert_int_equal(cx_yield(), 0);
    gate_await(&party.gate, JOBS);
    gate_open(&party.gate);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(cx_await(tasks[i], NULL), 0);
        assert_ptr_equal(errands[i].result, as_pointer(1));
    }
    cx_executor_free(executor);
}

static void *submit_a_held_job(void *arg)
{
    struct errand *errand = arg;

    (void)cx_set(resource, errand);
    (void)run_errand(errand);
    return as_pointer(held_now());
}

/* One thread at a gate, and a job that waits for it in the queue. */
static cx_task *queue_behind(struct gate *gate, struct errand *first,
                             struct errand *second, cx_task **task)
{
    cx_executor *executor = one_thread();

    *first = (struct errand){executor, wait_at_gate, gate, 1, NULL};
    *second = (struct errand){executor, return_arg, NULL, 1, NULL};
    *task = cx_task_create(run_errand, first);
    (void)cx_yield();
    gate_await(gate, 1);
    return cx_task_create(submit_a_held_job, second);
}

/* 111 */
TASK_TEST(a_cancelled_job_in_the_queue_lets_go_of_its_context_at_once)
{
    struct gate gate = GATE_INIT;
    struct errand first, second;
    cx_task *running, *queued = queue_behind(&gate, &first, &second, &running);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(held_now(), 1);
    assert_int_equal(cx_cancel(queued), 0);
    assert_int_equal(cx_await(queued, NULL), 0);
    assert_int_equal(held_now(), 0);
    gate_open(&gate);
    assert_int_equal(cx_await(running, NULL), 0);
    cx_executor_free(first.executor);
}

TASK_TEST(a_cancelled_job_in_the_queue_never_runs)
{
    struct gate gate = GATE_INIT;
    struct errand first, second;
    cx_task *running, *queued = queue_behind(&gate, &first, &second, &running);
    bool ran = false;

    second.arg = &ran;
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(queued), 0);
    gate_open(&gate);
    assert_int_equal(cx_await(queued, NULL), 0);
    assert_int_equal(cx_await(running, NULL), 0);
    assert_int_equal(second.error, -ECANCELED);
    assert_null(second.result);
    cx_executor_free(first.executor);
}

TASK_TEST(a_cancelled_job_that_runs_is_waited_for_and_keeps_its_result)
{
    struct gate gate = GATE_INIT;
    struct errand errand = {NULL, wait_at_gate, &gate, 1, NULL};
    cx_task *task = cx_task_create(run_errand, &errand);

    assert_int_equal(cx_yield(), 0);
    gate_await(&gate, 1);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(errand.error, 1);
    gate_open(&gate);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(errand.error, 0);
    assert_ptr_equal(errand.result, &gate);
}

static void *check_until_unwanted(void *arg)
{
    struct gate *gate = arg;
    intptr_t why;

    (void)wait_at_gate(gate);
    while ((why = cx_job_check()) == 0)
        (void)sched_yield();
    return (void *)why;
}

TASK_TEST(a_job_learns_that_its_task_is_cancelled)
{
    struct gate gate = GATE_INIT;
    struct errand errand = {NULL, check_until_unwanted, &gate, 1, NULL};
    cx_task *task = cx_task_create(run_errand, &errand);

    gate_open(&gate);
    assert_int_equal(cx_yield(), 0);
    gate_await(&gate, 1);
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(errand.error, 0);
    assert_int_equal((intptr_t)errand.result, -ECANCELED);
}

TASK_TEST(a_job_learns_that_its_deadline_has_passed)
{
    struct gate gate = GATE_INIT;
    struct errand errand = {NULL, check_until_unwanted, &gate, 1, NULL};

    gate_open(&gate);
    CX_TIMEOUT(500) {
        (void)run_errand(&errand);
    }
    assert_int_equal(errand.error, 0);
    assert_int_equal((intptr_t)errand.result, -ETIMEDOUT);
}

static void *check_once(void *arg)
{
    (void)wait_at_gate(arg);
    return as_pointer(cx_job_check());
}

static void *run_errand_in_a_shield(void *arg)
{
    CX_SHIELD {
        (void)run_errand(arg);
    }
    return arg;
}

TASK_TEST(a_job_that_is_shielded_is_wanted_cancelled_or_not)
{
    struct gate gate = GATE_INIT;
    struct errand errand = {NULL, check_once, &gate, 1, as_pointer(1)};
    cx_task *task = cx_task_create(run_errand_in_a_shield, &errand);

    assert_int_equal(cx_yield(), 0);
    gate_await(&gate, 1);
    assert_int_equal(cx_cancel(task), 0);
    gate_open(&gate);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(errand.error, 0);
    assert_int_equal((intptr_t)errand.result, 0);
}

TASK_TEST(outside_of_a_job_there_is_nothing_to_be_wanted)
{
    assert_int_equal(cx_job_check(), -EPERM);
}

static void *leave_a_job_running(void *arg)
{
    struct errand *errand = arg;

    (void)cx_task_create(run_errand, errand);
    (void)cx_yield();
    gate_await(errand->arg, 1);
    gate_open(errand->arg);
    return NULL;
}

static void the_end_of_a_loop_waits_for_jobs_that_run(void **state)
{
    struct gate gate = GATE_INIT;
    struct errand errand = {NULL, wait_at_gate, &gate, 1, NULL};

    (void)state;
    assert_int_equal(cx_run(leave_a_job_running, &errand, NULL), 0);
    assert_int_equal(errand.error, 0);
}

TASK_TEST(the_context_of_a_job_is_released_before_its_task_goes_on)
{
    struct errand errand = {NULL, return_arg, NULL, 1, NULL};
    void *held_by;

    /* Its own context is the one that holds it. */
    assert_int_equal(
        cx_await(cx_task_create(submit_a_held_job, &errand), &held_by), 0);
    assert_int_equal((intptr_t)held_by, 1);
}

static struct trace order;

static void *trace_job(void *arg)
{
    trace_add(&order, *(char *)arg);
    return NULL;
}

TASK_TEST(jobs_run_in_the_order_in_which_they_came)
{
    char names[] = "abcdefgh";
    cx_executor *executor = one_thread();
    struct errand errands[8];
    cx_task *tasks[8];

    order = (struct trace){.len = 0};
    for (int i = 0; i < 8; i++) {
        errands[i] = (struct errand){executor, trace_job, &names[i], 1, NULL};
        tasks[i] = cx_task_create(run_errand, &errands[i]);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(cx_await(tasks[i], NULL), 0);
    assert_traced(&order, "abcdefgh");
    cx_executor_free(executor);
}

TASK_TEST(a_full_queue_refuses_a_job)
{
    struct gate gate = GATE_INIT;
    cx_executor_options options = {.threads = 1, .queue_limit = 1};
    cx_executor *executor = cx_executor_new(&options);
    struct errand first = {executor, wait_at_gate, &gate, 1, NULL};
    struct errand second = {executor, return_arg, NULL, 1, NULL};
    cx_task *tasks[2];

    tasks[0] = cx_task_create(run_errand, &first);
    assert_int_equal(cx_yield(), 0);
    gate_await(&gate, 1);
    tasks[1] = cx_task_create(run_errand, &second);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_run_in_executor(executor, return_arg, NULL, NULL),
                     -ENOBUFS);
    gate_open(&gate);
    assert_int_equal(cx_await(tasks[0], NULL), 0);
    assert_int_equal(cx_await(tasks[1], NULL), 0);
    assert_int_equal(second.error, 0);
    cx_executor_free(executor);
}

static void *wait_as_a_task_would(void *arg)
{
    (void)arg;
    return as_pointer(cx_sleep(1) == -EPERM && cx_yield() == -EPERM &&
                      cx_task_current() == NULL &&
                      cx_task_create(return_arg, NULL) == NULL);
}

TASK_TEST(a_job_is_no_task_and_cannot_wait_as_one)
{
    void *right;

    assert_int_equal(
        cx_run_in_executor(NULL, wait_as_a_task_would, NULL, &right), 0);
    assert_ptr_equal(right, as_pointer(1));
}

static void *own_thread_name(void *arg)
{
    (void)pthread_getname_np(pthread_self(), arg, 16);
    return NULL;
}

TASK_TEST(the_threads_have_the_name_of_the_executor)
{
    cx_executor_options options = {.name = "a name that is cut off"};
    cx_executor *executor = cx_executor_new(&options);
    char name[16] = "";

    assert_int_equal(cx_run_in_executor(executor, own_thread_name, name, NULL),
                     0);
    assert_string_equal(name, "a name that is ");
    cx_executor_free(executor);
}

static void *own_priority(void *arg)
{
    *(int *)arg = getpriority(PRIO_PROCESS, 0);
    return NULL;
}

TASK_TEST(the_threads_give_way_as_they_are_told_to_and_others_do_not)
{
    cx_executor_options options = {.nice = 3};
    cx_executor *executor = cx_executor_new(&options);
    int before = getpriority(PRIO_PROCESS, 0);
    int within = -1;

    assert_int_equal(cx_run_in_executor(executor, own_priority, &within, NULL),
                     0);
    assert_int_equal(within, before + 3 < 19 ? before + 3 : 19);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
    cx_executor_free(executor);
}

static void *blocked_signals(void *arg)
{
    sigset_t blocked;

    (void)arg;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    return as_pointer(sigismember(&blocked, SIGINT) == 1 &&
                      sigismember(&blocked, SIGTERM) == 1);
}

TASK_TEST(signals_are_not_delivered_to_the_threads)
{
    void *right;

    assert_int_equal(cx_run_in_executor(NULL, blocked_signals, NULL, &right),
                     0);
    assert_ptr_equal(right, as_pointer(1));
}

static void *free_executor(void *arg)
{
    cx_executor_free(arg);
    return NULL;
}

TASK_TEST(freeing_an_executor_from_its_own_job_is_ignored)
{
    cx_executor *executor = one_thread();

    assert_int_equal(
        cx_run_in_executor(executor, free_executor, executor, NULL), 0);
    assert_int_equal(cx_run_in_executor(executor, return_arg, NULL, NULL), 0);
    cx_executor_free(executor);
}

static void *open_gate_later(void *arg)
{
    struct gate *gate = arg;

    gate_await(gate, 1);
    gate_open(gate);
    return NULL;
}

TASK_TEST(freeing_an_executor_runs_what_is_queued)
{
    struct gate gate = GATE_INIT;
    struct errand first, second;
    pthread_t opener;
    cx_task *running, *queued = queue_behind(&gate, &first, &second, &running);

    assert_int_equal(cx_yield(), 0);
    assert_int_equal(pthread_create(&opener, NULL, open_gate_later, &gate), 0);
    cx_executor_free(first.executor);
    assert_int_equal(pthread_join(opener, NULL), 0);
    assert_int_equal(cx_await(running, NULL), 0);
    assert_int_equal(cx_await(queued, NULL), 0);
    assert_int_equal(second.error, 0);
}

static void an_executor_that_was_never_used_can_be_freed(void **state)
{
    (void)state;
    cx_executor_free(NULL);
    cx_executor_free(cx_executor_new(NULL));
}

TASK_TEST(many_jobs_in_flight_all_come_back)
{
    enum { JOBS = 64, ROUNDS = 20 };
    static struct errand errands[JOBS];
    cx_task *tasks[JOBS];

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < JOBS; i++) {
            errands[i] =
                (struct errand){NULL, return_arg, as_pointer(i), 1, NULL};
            tasks[i] = cx_task_create(run_errand, &errands[i]);
        }
        for (int i = 0; i < JOBS; i++) {
            assert_int_equal(cx_await(tasks[i], NULL), 0);
            assert_int_equal(errands[i].error, 0);
            assert_ptr_equal(errands[i].result, as_pointer(i));
        }
    }
}

static void *submit_often(void *arg)
{
    for (int i = 0; i < 500; i++) {
        if (cx_run_in_executor(arg, return_arg, NULL, NULL) != 0)
            return NULL;
    }
    return arg;
}

static void *run_and_submit_often(void *arg)
{
    void *result = NULL;

    (void)cx_run(submit_often, arg, &result);
    return result;
}

static void loops_of_two_threads_share_an_executor(void **state)
{
    cx_executor *executor = cx_executor_new(NULL);
    pthread_t thread;
    void *result;

    (void)state;
    assert_int_equal(
        pthread_create(&thread, NULL, run_and_submit_often, executor), 0);
    assert_ptr_equal(run_and_submit_often(executor), executor);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, executor);
    cx_executor_free(executor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_of_a_job_comes_back),
        cmocka_unit_test(a_job_runs_on_another_thread),
        cmocka_unit_test(a_job_without_a_function_is_refused),
        cmocka_unit_test(only_the_task_that_submits_waits),
        cmocka_unit_test(a_job_reads_what_was_set_when_it_was_submitted),
        cmocka_unit_test(what_a_job_sets_is_not_seen_by_its_submitter),
        cmocka_unit_test(what_a_job_sets_is_not_seen_by_the_next_on_its_thread),
        cmocka_unit_test(a_worker_keeps_nothing_of_whoever_caused_its_creation),
        cmocka_unit_test(jobs_can_run_in_one_context_but_not_at_once),
        cmocka_unit_test(jobs_at_once_from_one_context_are_isolated),
        cmocka_unit_test(
            a_cancelled_job_in_the_queue_lets_go_of_its_context_at_once),
        cmocka_unit_test(a_cancelled_job_in_the_queue_never_runs),
        cmocka_unit_test(
            a_cancelled_job_that_runs_is_waited_for_and_keeps_its_result),
        cmocka_unit_test(a_job_learns_that_its_task_is_cancelled),
        cmocka_unit_test(a_job_learns_that_its_deadline_has_passed),
        cmocka_unit_test(a_job_that_is_shielded_is_wanted_cancelled_or_not),
        cmocka_unit_test(outside_of_a_job_there_is_nothing_to_be_wanted),
        cmocka_unit_test(the_end_of_a_loop_waits_for_jobs_that_run),
        cmocka_unit_test(
            the_context_of_a_job_is_released_before_its_task_goes_on),
        cmocka_unit_test(jobs_run_in_the_order_in_which_they_came),
        cmocka_unit_test(a_full_queue_refuses_a_job),
        cmocka_unit_test(a_job_is_no_task_and_cannot_wait_as_one),
        cmocka_unit_test(the_threads_have_the_name_of_the_executor),
        cmocka_unit_test(
            the_threads_give_way_as_they_are_told_to_and_others_do_not),
        cmocka_unit_test(signals_are_not_delivered_to_the_threads),
        cmocka_unit_test(freeing_an_executor_from_its_own_job_is_ignored),
        cmocka_unit_test(freeing_an_executor_runs_what_is_queued),
        cmocka_unit_test(an_executor_that_was_never_used_can_be_freed),
        cmocka_unit_test(many_jobs_in_flight_all_come_back),
        cmocka_unit_test(loops_of_two_threads_share_an_executor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
