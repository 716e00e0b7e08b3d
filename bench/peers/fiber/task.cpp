/* SPDX-License-Identifier: MIT */
/* Boost.Fiber's tasks: fibers on one thread, with its round robin. */
#include <vector>

#include <boost/fiber/all.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <boost/version.hpp>

#include "../../crew.h"

namespace fibers = boost::fibers;

enum { GROUP = 1000 };

/* Two places are the least, and one of them is always free. */
using channel = fibers::buffered_channel<long>;

static fibers::fiber start(void (*fn)())
{
    /* The allocator that uses stacks again; the default one does not. */
    static fibers::pooled_fixedsize_stack stacks(16 << 10);

    return fibers::fiber(std::allocator_arg, stacks, fn);
}

static void nothing()
{
}

static void yield(uint64_t n)
{
    auto yield_often = [n] {
        ROUNDS(n)
        boost::this_fiber::yield();
    };
    fibers::fiber one(yield_often), other(yield_often);

    one.join();
    other.join();
}

static void yield_apart(uint64_t n)
{
    bool done = false;
    fibers::fiber other([&] {
        while (!done)
            boost::this_fiber::yield();
    });

    ROUNDS(n)
    boost::this_fiber::yield();
    done = true;
    other.join();
}

static void create_and_join(uint64_t n)
{
    ROUNDS(n)
    start(nothing).join();
}

static void group_of_1000(uint64_t n)
{
    std::vector<fibers::fiber> group(GROUP);

    ROUNDS(n)
    {
        for (auto &fiber : group)
            fiber = start(nothing);
        for (auto &fiber : group)
            fiber.join();
    }
}

static void hand_over(uint64_t n)
{
    channel there(2), back(2);
    fibers::fiber other([&] {
        long item;

        while (there.pop(item) == fibers::channel_op_status::success)
            back.push(item);
    });
    long item = 1;

    ROUNDS(n)
    {
        there.push(item);
        back.pop(item);
    }
    there.close();
    other.join();
}

static void sleep_ms(uint64_t ms)
{
    boost::this_fiber::sleep_for(std::chrono::milliseconds(ms));
}

static void sleep_far()
{
    sleep_ms(far_ms());
}

static void sleep_in_crew()
{
    for (;; crew_sleeps++)
        sleep_ms(CREW_MS);
}

static void add_sleepers(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        start(sleep_far).detach();
}

static void measure_sleeps()
{
    if (!is_wanted("sleep"))
        return;
    for (int i = 0; i < CREW; i++)
        start(sleep_in_crew).detach();
    add_sleepers(100);
    print("sleep/100", crew_ns(sleep_ms));
    add_sleepers(100000 - 100);
    print("sleep/100000", crew_ns(sleep_ms));
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    printf("version %s\n", BOOST_LIB_VERSION);
    measure("yield", yield, NULL);
    measure("apart", yield_apart, NULL);
    measure("await", create_and_join, NULL);
    measure("group", group_of_1000, NULL);
    measure("queue", hand_over, NULL);
    measure_sleeps();
    /* Without waiting for those that sleep. */
    fflush(stdout);
    _Exit(0);
}
