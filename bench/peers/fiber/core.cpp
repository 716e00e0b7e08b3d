/* SPDX-License-Identifier: MIT */
/* Boost.Fiber's fiber_specific_ptr, which every fiber has its own value of. */
#include <memory>
#include <vector>

#include <boost/fiber/all.hpp>
#include <boost/version.hpp>

#include "../../measure.h"

using variable = boost::fibers::fiber_specific_ptr<long>;

static long values[2];
static std::vector<std::unique_ptr<variable>> variables;
static std::unique_ptr<variable> unset;
static variable *measured;

static void keep(long *)
{
}

static void set_up_to(size_t count)
{
    while (variables.size() < count) {
        variables.emplace_back(new variable(keep));
        variables.back()->reset(&values[0]);
    }
    measured = variables.back().get();
}

static void get(uint64_t n)
{
    ROUNDS(n)
    USE(measured->get());
}

static void set(uint64_t n)
{
    ROUNDS(n)
    measured->reset(&values[round_ & 1]);
}

static void bind(uint64_t n)
{
    ROUNDS(n)
    {
        long *before = measured->get();

        measured->reset(&values[1]);
        measured->reset(before);
    }
}

int main(int argc, char **argv)
{
    measure_init(argc, argv);
    printf("version %s\n", BOOST_LIB_VERSION);
    unset.reset(new variable(keep));
    set_up_to(1);
    measure("get/1", get, NULL);
    measure("set", set, NULL);
    measure("bind/set", bind, NULL);
    measured = unset.get();
    measure("get/default", get, NULL);
    measure("bind/unset", bind, NULL);
    set_up_to(20);
    measure("get/20", get, NULL);
    set_up_to(1000);
    measure("get/1000", get, NULL);
    return 0;
}
