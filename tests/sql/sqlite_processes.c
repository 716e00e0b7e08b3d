/* SPDX-License-Identifier: MIT */
/*
 * Several processes on one folder. The numbers are those of the catalogue of
 * attacks.
 */
#include "two.h"

#include <ctxvar/transaction.h>

#include <sys/stat.h>
#include <sys/wait.h>

/* In a child process: what a call comes to, as its exit status. */
static int in_child(int (*fn)(cx_db *), cx_db *db)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        leave(-fn(db) & 0x7f);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int read_one(cx_db *db)
{
    return run(db, "SELECT 1");
}

/* S23. */
ATTACK(a_child_process_cannot_use_a_parents_connection)
{
    int error = -1;

    CX_TRANSACTION(db, &error) {
        assert_ok(run(db, "UPDATE users SET age = age"));
        assert_int_equal(in_child(read_one, db), EXDEV);
        assert_int_equal(in_child(cx_db_close, db), EXDEV);
    }
    assert_ok(error);
}

static int try_open(const char *url)
{
    cx_db *db;
    int error = cx_db_open(url, NULL, &db);

    return error == 0 ? cx_db_close(db) : error;
}

static const char *url;

static int open_anew(cx_db *db)
{
    (void)db;
    return try_open(url);
}

/* And so can none of its own children. */
static int open_in_grandchild(cx_db *db)
{
    return -in_child(open_anew, db);
}

/* S23: SQLite would not know which locks the child has, and lose what it
 * commits. */
ATTACK(a_child_process_opens_none_while_its_parent_has_one)
{
    struct folder other;

    folder_make(&other);
    url = folder->url;
    assert_int_equal(in_child(open_anew, db), EXDEV);
    assert_int_equal(in_child(open_in_grandchild, db), EXDEV);
    url = other.url;
    assert_int_equal(in_child(open_anew, db), EXDEV);
    folder_remove(&other);
}

static void *create_many(void *arg)
{
    const struct folder *folder = arg;
    intptr_t made = 0;
    cx_db *db;

    if (cx_db_open(folder->url, NULL, &db) != 0)
        return as_pointer(-1);
    for (int i = 0; i < 10; i++) {
        char name[32];
        int error;

        (void)snprintf(name, sizeof(name), "n%d", i);
        error = cx_tenant_create(db, CX_TEXT(name), NULL);
        if (error != 0 && error != -EEXIST)
            return as_pointer(-1);
        made += error == 0;
    }
    return as_pointer(cx_db_close(db) == 0 ? made : -1);
}

/* A child process that makes them when the others do. */
static pid_t child_create_many(struct folder *folder, const int *gate)
{
    pid_t child = fork();

    if (child == 0) {
        void *result = as_pointer(-1);
        char byte;

        (void)close(gate[1]);
        (void)!read(gate[0], &byte, 1);
        (void)cx_run(create_many, folder, &result);
        leave((int)(intptr_t)result);
    }
    return child;
}

/* S22. */
static void
of_processes_that_create_the_same_tenants_at_once_one_wins(void **state)
{
    struct folder folder;
    pid_t children[8];
    int gate[2];
    int made = 0;

    (void)state;
    folder_make(&folder);
    assert_int_equal(cx_run(two_make_in, &folder, NULL), 0);
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < 8; i++)
        children[i] = child_create_many(&folder, gate);
    (void)close(gate[0]);
    (void)close(gate[1]);
    for (int i = 0; i < 8; i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_in_range(WEXITSTATUS(status), 0, 10);
        made += WEXITSTATUS(status);
    }
    assert_int_equal(made, 10);
    assert_int_equal(cx_run(two_check_in, &folder, NULL), 0);
    folder_remove(&folder);
}

static void *open_and_close(void *arg)
{
    const struct folder *folder = arg;
    cx_db *db;
    int error = cx_db_open(folder->url, NULL, &db);

    return as_pointer(error == 0 ? cx_db_close(db) : error);
}

/* S23. */
static void a_child_process_opens_one_that_its_parent_has_closed(void **state)
{
    struct folder nowhere = {.url = "sqlite:/dev/null/db"};
    struct folder folder;
    void *result = as_pointer(-1);
    pid_t child;

    (void)state;
    folder_make(&folder);
    assert_int_equal(cx_run(open_and_close, &nowhere, &result), 0);
    assert_int_equal((intptr_t)result, -ENOTDIR);
    assert_int_equal(cx_run(two_make_in, &folder, NULL), 0);
    child = fork();
    if (child == 0) {
        result = as_pointer(-1);
        (void)cx_run(open_and_close, &folder, &result);
        leave(result != NULL);
    }
    assert_int_equal(status_of(child), 0);
    assert_int_equal(cx_run(two_check_in, &folder, NULL), 0);
    folder_remove(&folder);
}

/* S22: one that is at it when this one begins. */
TASK_TEST(a_registry_that_somebody_else_is_founding_is_waited_for)
{
    struct folder folder;
    cx_task *task;
    void *result = as_pointer(-1);
    char path[128];
    sqlite3 *other;

    folder_make(&folder);
    (void)snprintf(path, sizeof(path), "%s/db", folder.path);
    assert_int_equal(mkdir(path, S_IRWXU), 0);
    (void)snprintf(path, sizeof(path), "%s/db/registry.db", folder.path);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    task = cx_task_create(open_and_close, &folder);
    CX_TIMEOUT(20) {
        assert_int_equal(cx_await(task, NULL), -ETIMEDOUT);
    }
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(cx_await(task, &result), 0);
    assert_ptr_equal(result, NULL);
    (void)two_make_in(&folder);
    (void)two_check_in(&folder);
    folder_remove(&folder);
}

/* Two ends of two pipes: to take turns with a child process. */
struct turns {
    int to_child[2];
    int to_parent[2];
    struct folder folder;
};

static void turn_give(const int *pipe)
{
    assert_int_equal(write(pipe[1], "x", 1), 1);
}

/* The other process is gone: so is this one. */
static void turn_take(const int *pipe)
{
    char byte;

    if (read(pipe[0], &byte, 1) != 1)
        _exit(1);
}

/* What comes of a statement before and after another process's turn. */
static int read_twice(cx_db *db, struct turns *turns, int64_t *n)
{
    int error = run(db, "SELECT * FROM users");

    *n = error == 0 ? number(db, "SELECT count(*) FROM users") : -1;
    turn_give(turns->to_parent);
    turn_take(turns->to_child);
    return run(db, "SELECT * FROM users");
}

static void *use_and_lose(void *arg)
{
    struct turns *turns = arg;
    cx_tenant *tenant;
    intptr_t failed = 0;
    int64_t n = -1;
    cx_db *db;

    assert_ok(cx_db_open(turns->folder.url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &tenant));
    CX_WITH_TENANT(tenant) {
        failed += read_twice(db, turns, &n) != -ESTALE;
        failed += run(db, "UPDATE users SET age = 0") != -ESTALE;
    }
    failed += n != ROWS;
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
    return as_pointer(failed);
}

static void *drop_while_in_use(void *arg)
{
    struct turns *turns = arg;
    struct two two;
    cx_db *db;

    assert_ok(cx_db_open(turns->folder.url, NULL, &db));
    two_make(&two, &turns->folder, db);
    turn_give(turns->to_child);
    turn_take(turns->to_parent);
    assert_ok(cx_tenant_drop(two.a));
    turn_give(turns->to_child);
    assert_whole(db, two.b, "SECRET");
    two_end(&two);
    assert_ok(cx_db_close(db));
    return NULL;
}

static void
a_tenant_that_another_process_drops_is_lost_to_this_one(void **state)
{
    struct turns turns;
    int status = -1;
    pid_t child;

    (void)state;
    folder_make(&turns.folder);
    assert_int_equal(pipe(turns.to_child), 0);
    assert_int_equal(pipe(turns.to_parent), 0);
    child = fork();
    if (child == 0) {
        void *result = as_pointer(1);

        /* It ends when the parent does. */
        (void)close(turns.to_child[1]);
        (void)close(turns.to_parent[0]);
        turn_take(turns.to_child);
        (void)cx_run(use_and_lose, &turns, &result);
        leave(result != NULL);
    }
    assert_int_equal(cx_run(drop_while_in_use, &turns, NULL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    folder_remove(&turns.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_process_cannot_use_a_parents_connection),
        cmocka_unit_test(a_child_process_opens_none_while_its_parent_has_one),
        cmocka_unit_test(a_child_process_opens_one_that_its_parent_has_closed),
        cmocka_unit_test(
            of_processes_that_create_the_same_tenants_at_once_one_wins),
        cmocka_unit_test(
            a_registry_that_somebody_else_is_founding_is_waited_for),
        cmocka_unit_test(
            a_tenant_that_another_process_drops_is_lost_to_this_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
