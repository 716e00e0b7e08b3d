# SPDX-License-Identifier: MIT
#
# Boost.Context's switch is three functions in assembly, callable from C, in
# libboost_context.a. The shared libboost_context would bring libstdc++ along.
include(CheckCSourceCompiles)

set(CMAKE_REQUIRED_LIBRARIES -l:libboost_context.a)
check_c_source_compiles("
    struct transfer { void *fctx; void *data; };
    void *make_fcontext(void *stack, unsigned long size,
                        void (*fn)(struct transfer));
    struct transfer jump_fcontext(void *to, void *data);
    struct transfer ontop_fcontext(void *to, void *data,
                                   struct transfer (*fn)(struct transfer));
    static void run(struct transfer from) { jump_fcontext(from.fctx, 0); }
    int main(void)
    {
        static char stack[65536];
        return ontop_fcontext(make_fcontext(stack + 65536, 65536, run), 0, 0)
                   .data != 0;
    }" CTXVAR_HAVE_FCONTEXT)
unset(CMAKE_REQUIRED_LIBRARIES)

if(NOT CTXVAR_HAVE_FCONTEXT)
    unset(CTXVAR_HAVE_FCONTEXT CACHE)
    message(FATAL_ERROR
        "make_fcontext(), jump_fcontext() and ontop_fcontext() could not be "
        "linked from the static archive libboost_context.a. Install the "
        "package libboost-context-dev, or run scripts/setup.")
endif()
