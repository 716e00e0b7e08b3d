/* SPDX-License-Identifier: MIT */
/*
 * Guards, in the best way that the kernel has: many at once by
 * process_madvise(), one by one by madvise(), by mprotect() within a budget,
 * or not at all.
 *
 * The budget leaves mappings to the rest of the process: without it, malloc()
 * would fail long before memory ends.
 */
#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guard.h"

#include "../platform/pages.h"
#include "../platform/sanitizer.h"

enum {
    BATCH = 64,              /* guards that one call installs */
    PROTECTED_LIMIT = 28000, /* of 65,530 mappings, at two each */
};

/* What this kernel turned out not to have; and how many are protected. */
static bool no_batch, no_advice;
static unsigned protected_now;

static bool is_set(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static void set(bool *flag)
{
    __atomic_store_n(flag, true, __ATOMIC_RELAXED);
}

/* All guards of a batch by one call; false: none or not all of them. */
static bool advise_batch(char *base, size_t slot_bytes, unsigned count,
                         size_t bytes)
{
    struct iovec guards[BATCH];
    ssize_t done;
    int self;

    /* Valgrind tells its user of each call that is newer than itself. */
    if (is_set(&no_batch) || count > BATCH || cx__under_valgrind())
        return false;
    for (unsigned i = 0; i < count; i++)
        guards[i] = (struct iovec){base + i * slot_bytes, bytes};
    self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self < 0) {
        set(&no_batch);
        return false;
    }
    done = syscall(SYS_process_madvise, self, guards, count, MADV_GUARD_INSTALL,
                   0);
    (void)close(self);
    if (done < 0)
        set(&no_batch);
    return done == (ssize_t)(count * bytes);
}

/* One by one; on memory that is locked it is refused, and not for good. */
static bool advise_each(char *base, size_t slot_bytes, unsigned count,
                        size_t bytes)
{
    if (is_set(&no_advice))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (madvise(base + i * slot_bytes, bytes, MADV_GUARD_INSTALL) != 0) {
            set(&no_advice);
            return false;
        }
    }
    return true;
}

static bool protect_each(char *base, size_t slot_bytes, unsigned count,
                         size_t bytes)
{
    if (__atomic_add_fetch(&protected_now, count, __ATOMIC_RELAXED) <=
        PROTECTED_LIMIT) {
        unsigned i = 0;

        while (i < count &&
               mprotect(base + i * slot_bytes, bytes, PROT_NONE) == 0)
            i++;
        if (i == count)
            return true;
    }
    (void)__atomic_sub_fetch(&protected_now, count, __ATOMIC_RELAXED);
    return false;
}

enum cx__guard cx__guard_install(char *base, size_t slot_bytes, unsigned count,
                                 size_t bytes)
{
    if (advise_batch(base, slot_bytes, count, bytes) ||
        advise_each(base, slot_bytes, count, bytes))
        return CX__GUARD_ADVISED;
    if (protect_each(base, slot_bytes, count, bytes))
        return CX__GUARD_PROTECTED;
    return CX__GUARD_NONE;
}

void cx__guard_remove(enum cx__guard guard, unsigned count)
{
    if (guard == CX__GUARD_PROTECTED)
        (void)__atomic_sub_fetch(&protected_now, count, __ATOMIC_RELAXED);
}
