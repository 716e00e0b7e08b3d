/* SPDX-License-Identifier: MIT */
/* The task runtime, as a program uses it that links the shared libraries. */
#include <ctxvar/group.h>
#include <ctxvar/queue.h>
#include <ctxvar/version.h>

#include "crew.h"

enum { GROUP = 1000, IN_FLIGHT = 64 };

CX_VAR(long, var);

static void *nothing(void *arg)
{
    return arg;
}

static int nothing_in_group(void *arg)
{
    (void)arg;
    return 0;
}

static void *yield_often(void *n)
{
    ROUNDS(*(uint64_t *)n)
    (void)cx_yield();
    return NULL;
}

/* Two tasks yield to each other. */
static void yield(uint64_t n)
{
    cx_task *one = cx_task_create(yield_often, &n);
    cx_task *other = cx_task_create(yield_often, &n);

    (void)cx_await(one, NULL);
    (void)cx_await(other, NULL);
}

static void *yield_until(void *done)
{
    while (!*(const bool *)done)
        (void)cx_yield();
    return NULL;
}

/* The same in two functions: each returns to where the processor does not
 * expect it, since the last call was the other's. */
static void yield_apart(uint64_t n)
{
    bool done = false;
    cx_task *other = cx_task_create(yield_until, &done);

    ROUNDS(n)
    (void)cx_yield();
    done = true;
    (void)cx_await(other, NULL);
}

static void create_and_await(uint64_t n)
{
    ROUNDS(n)
    (void)cx_await(cx_task_create(nothing, NULL), NULL);
}

static void group_of_1000(uint64_t n)
{
    ROUNDS(n)
    {
        cx_group *group = cx_group_new(NULL);

        for (int i = 0; i < GROUP; i++)
            (void)cx_group_start(group, nothing_in_group, NULL);
        (void)cx_group_wait(group);
        cx_group_free(group);
    }
}

static void *hand_back(void *arg)
{
    cx_queue **queue = arg;
    void *item = arg;

    while (item != NULL) {
        (void)cx_queue_get(queue[0], &item);
        (void)cx_queue_put(queue[1], item);
    }
    return NULL;
}

/* An item to another task, and back. */
static void hand_over(uint64_t n)
{
    cx_queue *queue[] = {cx_queue_new(1), cx_queue_new(1)};
    cx_task *other = cx_task_create(hand_back, queue);
    void *item = queue;

    ROUNDS(n)
    {
        (void)cx_queue_put(queue[0], item);
        (void)cx_queue_get(queue[1], &item);
    }
    (void)cx_queue_put(queue[0], NULL);
    (void)cx_await(other, NULL);
    (void)cx_queue_free(queue[0]);
    (void)cx_queue_free(queue[1]);
}

static cx_executor *executor; /* NULL: the default pool */

static void round_trip(uint64_t n)
{
    ROUNDS(n)
    (void)cx_run_in_executor(executor, nothing, NULL, NULL);
}

static void *send_jobs(void *left)
{
    while (*(uint64_t *)left > 0) {
        --*(uint64_t *)left;
        (void)cx_run_in_executor(executor, nothing, NULL, NULL);
    }
    return NULL;
}

/* By job. */
static void round_trips_at_once(uint64_t n)
{
    void *left[IN_FLIGHT];

    for (int i = 0; i < IN_FLIGHT; i++)
        left[i] = &n;
    (void)cx_gather(send_jobs, left, NULL, IN_FLIGHT);
}

static bool crew_ends;

static void *sleep_far(void *arg)
{
    (void)cx_sleep(far_ms());
    return arg;
}

static void *sleep_in_crew(void *arg)
{
    for (; !crew_ends; crew_sleeps++)
        (void)cx_sleep(CREW_MS);
    return arg;
}

static void watch(uint64_t ms)
{
    (void)cx_sleep(ms);
}

static void measure_executors(void)
{
    static const cx_executor_options alone = {.threads = 1};

    measure("pool/1", round_trip, NULL);
    measure("pool/64", round_trips_at_once, NULL);
    executor = cx_executor_new(&alone);
    measure("executor/1", round_trip, NULL);
    measure("executor/64", round_trips_at_once, NULL);
    cx_executor_free(executor);
}

static const cx_task_options small = {.stack_size = 16 << 10};

static double measure_crew(void)
{
    cx_task *crew[CREW];
    double ns;

    crew_ends = false;
    for (int i = 0; i < CREW; i++)
        crew[i] = cx_task_create_with(&small, sleep_in_crew, NULL);
    ns = crew_ns(watch);
    crew_ends = true;
    for (int i = 0; i < CREW; i++)
        (void)cx_await(crew[i], NULL);
    return ns;
}

/* The rest go when the loop ends. */
static void add_sleepers(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        cx_task_detach(cx_task_create_with(&small, sleep_far, NULL));
}

static void measure_sleeps(void)
{
    if (!is_wanted("sleep"))
        return;
    add_sleepers(100);
    print("sleep/100", measure_crew());
    add_sleepers(100000 - 100);
    print("sleep/100000", measure_crew());
}

static void *measure_all(void *arg)
{
    (void)cx_set(var, 1);
    measure("yield", yield, NULL);
    measure("apart", yield_apart, NULL);
    measure("await", create_and_await, NULL);
    measure("group", group_of_1000, NULL);
    measure("queue", hand_over, NULL);
    measure_executors();
    measure_sleeps();
    return arg;
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    printf("version %s\n", cx_version());
    return cx_run(measure_all, NULL, NULL) != 0;
}
