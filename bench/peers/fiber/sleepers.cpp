/* SPDX-License-Identifier: MIT */
/* Many sleepers as fibers of Boost.Fiber, with stacks of 16 KiB. */
#include <vector>

#include <boost/fiber/all.hpp>

#include "../../sleepers.h"

namespace fibers = boost::fibers;

static fibers::fiber_specific_ptr<long> *bound;

static void sleeper(long *mine)
{
    bound->reset(mine);
    boost::this_fiber::sleep_for(std::chrono::seconds(1));
    sleepers_wrong += bound->get() != mine;
}

static void sleep_all(long count)
{
    std::vector<fibers::fiber> fiber(static_cast<size_t>(count));
    std::vector<long> value(static_cast<size_t>(count));

    for (size_t i = 0; i < fiber.size(); i++)
        fiber[i] = fibers::fiber(std::allocator_arg,
                                 fibers::fixedsize_stack(16 << 10), sleeper,
                                 &value[i]);
    for (auto &each : fiber)
        each.join();
}

int main(int, char **argv)
{
    fibers::fiber_specific_ptr<long> variable([](long *) {});

    bound = &variable;
    return measure_sleepers(argv, sleep_all);
}
