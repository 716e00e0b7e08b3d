/* SPDX-License-Identifier: MIT */
/*
 * The disk: whoever waits for it, the loop does not; and the log does not
 * grow for ever.
 */
#include "users.h"

#include <pthread.h>
#include <sys/stat.h>

/*
 * SQLite's files with a sync that waits until it is let go on, below what the
 * library puts over them.
 */
static sqlite3_vfs *original;
static sqlite3_vfs gated;
static sqlite3_io_methods methods[4];
static const sqlite3_io_methods *originals[4];
static int (*original_sync)(sqlite3_file *, int); /* all of them have one */

static bool closed; /* a sync waits while it is so */
static int syncs;
static pthread_t syncer;

static int gated_sync(sqlite3_file *file, int flags)
{
    syncer = pthread_self();
    (void)__atomic_fetch_add(&syncs, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&closed, __ATOMIC_SEQ_CST))
        (void)usleep(100);
    return original_sync(file, flags);
}

static int gated_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                      int flags, int *out)
{
    int code = original->xOpen(original, name, file, flags, out);
    size_t i = 0;

    (void)vfs;
    if (code != SQLITE_OK || file->pMethods == NULL)
        return code;
    while (originals[i] != NULL && originals[i] != file->pMethods)
        i++;
    originals[i] = file->pMethods;
    methods[i] = *file->pMethods;
    original_sync = methods[i].xSync;
    methods[i].xSync = gated_sync;
    file->pMethods = &methods[i];
    return code;
}

static int gate_make(void **state)
{
    (void)state;
    original = sqlite3_vfs_find(NULL);
    gated = *original;
    gated.zName = "gated";
    gated.xOpen = gated_open;
    gated.pNext = NULL;
    return sqlite3_vfs_register(&gated, 1);
}

static int gate_remove(void **state)
{
    (void)state;
    return sqlite3_vfs_unregister(&gated);
}

static void *rename_it(void *tenant)
{
    return as_pointer(cx_tenant_rename(tenant, CX_TEXT("Z")));
}

/* The registry's commits are waited for. */
USERS_TEST(a_task_waits_for_the_disk_and_the_loop_does_not)
{
    int before = __atomic_load_n(&syncs, __ATOMIC_SEQ_CST);
    cx_task *task;
    void *error;

    assert_int_equal(number(db, "SELECT count(*) FROM users"), 0);
    __atomic_store_n(&closed, true, __ATOMIC_SEQ_CST);
    task = cx_task_create(rename_it, tenant);
    while (__atomic_load_n(&syncs, __ATOMIC_SEQ_CST) == before)
        assert_int_equal(cx_sleep(1), 0);
    assert_false(pthread_equal(syncer, pthread_self()));
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 0);
    __atomic_store_n(&closed, false, __ATOMIC_SEQ_CST);
    assert_int_equal(cx_await(task, &error), 0);
    assert_null(error);
}

/* A tenant's are not, but for the first after the log began anew. */
USERS_TEST(a_commit_of_rows_does_not_wait_for_the_disk)
{
    int before;

    (void)user_add(db, "Ann", 1);
    before = __atomic_load_n(&syncs, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 50; i++)
        assert_ok(run(db, "UPDATE users SET age = age + 1"));
    assert_int_equal(__atomic_load_n(&syncs, __ATOMIC_SEQ_CST), before);
}

USERS_TEST(the_log_does_not_grow_for_ever)
{
    char path[128];
    struct stat log;

    (void)snprintf(path, sizeof(path), "%s/db/t1.db-wal", folder->path);
    for (int i = 0; i < 200; i++) {
        assert_ok(run(db, "INSERT OR REPLACE INTO users (id, name, photo)"
                          " VALUES (1, 'x', randomblob(100000))"));
    }
    assert_int_equal(stat(path, &log), 0);
    /* 200 x 25 pages were written; moved at 1,000. */
    assert_in_range(log.st_size, 1, 8 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_waits_for_the_disk_and_the_loop_does_not),
        cmocka_unit_test(a_commit_of_rows_does_not_wait_for_the_disk),
        cmocka_unit_test(the_log_does_not_grow_for_ever),
    };

    return cmocka_run_group_tests(tests, gate_make, gate_remove);
}
