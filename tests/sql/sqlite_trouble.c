/* SPDX-License-Identifier: MIT */
/*
 * What can be wrong with a tenant's file, and statements without end: the
 * trouble is its own, and the others go on. The numbers are those of the
 * catalogue of attacks.
 */
#include "two.h"

#include <ctxvar/transaction.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void path_of(char *path, size_t size, const struct folder *folder,
                    const char *name)
{
    (void)snprintf(path, size, "%s/db/%s", folder->path, name);
}

/* S19. */
DB_TEST(what_was_planted_in_a_file_does_nothing)
{
    struct two two;

    two_make(&two, folder, db);
    file_exec(folder, "t1.db",
              "CREATE VIEW planted AS SELECT * FROM users;"
              "CREATE TABLE out (name TEXT);"
              "CREATE TRIGGER planted_too AFTER INSERT ON users BEGIN"
              " INSERT INTO out VALUES (new.name); END;"
              "CREATE TABLE checked (x CHECK (load_extension(x) IS NULL))");
    CX_WITH_TENANT(two.a) {
        assert_refused(db, "SELECT * FROM planted");
        assert_ok(run(db, "INSERT INTO users (name) VALUES ('new')"));
        assert_int_equal(number(db, "SELECT count(*) FROM out"), 0);
        assert_ok(run(db, "DELETE FROM users WHERE name = 'new'"));
        assert_refused(db, "INSERT INTO checked VALUES ('x')");
    }
    two_check(db, &two);
    cx_tenant_unref(two.a);
    cx_tenant_unref(two.b);
}

struct endless {
    cx_db *db;
    int error;
    bool began;
};

static void *run_endless(void *arg)
{
    struct endless *endless = arg;

    endless->began = true;
    endless->error =
        run(endless->db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
                         " SELECT i + 1 FROM n) SELECT count(*) FROM n");
    return NULL;
}

/* S20. */
ATTACK(a_statement_without_end_lets_the_others_run_and_can_be_cancelled)
{
    struct endless endless = {.db = db};
    cx_task *task = cx_task_create(run_endless, &endless);

    while (!endless.began)
        assert_int_equal(cx_yield(), 0);
    CX_WITH_TENANT(two->b) {
        for (int i = 0; i < 100; i++) {
            assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
            assert_int_equal(cx_yield(), 0);
        }
    }
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(endless.error, -ECANCELED);
}

/* S20. */
ATTACK(a_statement_without_end_ends_at_the_deadline)
{
    struct endless endless = {.db = db};

    CX_TIMEOUT(20) {
        (void)run_endless(&endless);
    }
    assert_int_equal(endless.error, -ETIMEDOUT);
}

/* A text of n times the same piece. */
static char *repeated(const char *begin, const char *piece, size_t n,
                      const char *end)
{
    size_t len = strlen(piece);
    char *text = malloc(strlen(begin) + n * len + strlen(end) + 1);
    char *at = text + sprintf(text, "%s", begin);

    for (size_t i = 0; i < n; i++, at += len)
        memcpy(at, piece, len);
    (void)strcpy(at, end);
    return text;
}

/* S20. */
ATTACK(what_is_too_large_is_refused)
{
    char *deep = repeated("SELECT 1", " + 1", 1000, "");
    char *many = repeated("SELECT 1 WHERE 1 IN (?", ", ?", 32768, ")");
    char *unions = repeated("SELECT 1", " UNION ALL SELECT 1", 500, "");
    char *nested = repeated("SELECT ", "(", 5000, "");
    char *text = repeated("SELECT '", "x", 2 << 20, "'");
    int error;

    assert_int_equal(run(db, "SELECT zeroblob(1 << 30)"), -E2BIG);
    assert_int_equal(run(db, "SELECT randomblob(1 << 30)"), -E2BIG);
    assert_int_equal(run(db, deep), -EINVAL);
    assert_int_equal(run(db, many), -EINVAL);
    assert_int_equal(run(db, unions), -EINVAL);
    error = run(db, nested);
    assert_true(error == -EINVAL || error == -ENOMEM);
    assert_int_equal(run(db, text), -E2BIG);
    free(deep);
    free(many);
    free(unions);
    free(nested);
    free(text);
}

/* S21. */
TASK_TEST(a_damaged_file_is_its_tenants_own_trouble)
{
    struct folder folder;
    struct two two;
    cx_db *db;
    char path[128], junk[4096];
    int fd;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    two_make(&two, &folder, db);
    assert_ok(cx_db_close(db));
    path_of(path, sizeof(path), &folder, "t1.db");
    memset(junk, 'x', sizeof(junk));
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
    (void)close(fd);
    cx_tenant_unref(two.a);
    cx_tenant_unref(two.b);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &two.a));
    assert_ok(cx_tenant_find(db, CX_TEXT("B"), &two.b));
    CX_WITH_TENANT(two.a) {
        assert_int_equal(run(db, "SELECT 1"), -EUCLEAN);
        assert_int_equal(run(db, "SELECT 1"), -EUCLEAN);
    }
    assert_whole(db, two.b, "SECRET");
    cx_tenant_unref(two.a);
    cx_tenant_unref(two.b);
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

/* S21. */
ATTACK(a_full_disk_is_an_error_and_nothing_is_lost)
{
    struct rlimit before, small = {2 << 20, 2 << 20};
    int error = 0;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    CX_TRANSACTION(db, &error) {
        while (error == 0)
            error = run(db, "INSERT INTO users (name) VALUES"
                            " (hex(zeroblob(100000)))");
    }
    assert_int_equal(error, -ENOSPC);
    CX_WITH_TENANT(two->b) {
        assert_ok(run(db, "UPDATE users SET age = age"));
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_ok(run(db, "UPDATE users SET age = age"));
}

static void *count_ticks(void *arg)
{
    int *ticks = arg;

    while (cx_sleep(1) == 0)
        (*ticks)++;
    return NULL;
}

/* S21: somebody else has the lock. */
ATTACK(a_lock_of_somebody_else_is_waited_for_without_the_loop)
{
    int ticks = 0;
    cx_task *task = cx_task_create(count_ticks, &ticks);
    char path[128];
    sqlite3 *other;

    path_of(path, sizeof(path), folder, "t1.db");
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    CX_TIMEOUT(50) {
        assert_int_equal(run(db, "UPDATE users SET age = 0"), -ETIMEDOUT);
    }
    assert_int_equal(number(db, "SELECT count(*) FROM users"), ROWS);
    CX_WITH_TENANT(two->b) {
        assert_ok(run(db, "UPDATE users SET age = age"));
    }
    assert_true(ticks > 5);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_ok(run(db, "UPDATE users SET age = age"));
    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, NULL), 0);
}

/* S23, as if the files were mixed up. */
TASK_TEST(another_tenants_file_in_the_place_of_ones_own_is_refused)
{
    struct folder folder;
    struct two two;
    cx_db *db;
    char command[512];

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    two_make(&two, &folder, db);
    assert_ok(cx_db_close(db));
    cx_tenant_unref(two.a);
    cx_tenant_unref(two.b);
    (void)snprintf(command, sizeof(command), "cp %s/db/t2.db %s/db/t1.db",
                   folder.path, folder.path);
    assert_int_equal(system(command), 0);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &two.a));
    CX_WITH_TENANT(two.a) {
        assert_int_equal(run(db, "SELECT * FROM users"), -ESTALE);
        assert_string_equal(cx_db_problem(),
                            "the tenant's file is not its own");
    }
    cx_tenant_unref(two.a);
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

/* S23. */
TASK_TEST(a_file_that_is_replaced_while_its_tenant_is_in_use_is_refused)
{
    cx_db_options one = {.connections = 1, .connections_each = 1};
    struct folder folder;
    char command[512];
    struct two two;
    cx_db *db;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, &one, &db));
    two_make(&two, &folder, db);
    (void)snprintf(command, sizeof(command),
                   "cp %s/db/t1.db %s/copy && mv %s/copy %s/db/t1.db",
                   folder.path, folder.path, folder.path, folder.path);
    assert_int_equal(system(command), 0);
    CX_WITH_TENANT(two.a) {
        assert_int_equal(run(db, "SELECT 1"), -ESTALE);
        assert_string_equal(cx_db_problem(), "the tenant's file was replaced");
    }
    assert_whole(db, two.b, "SECRET");
    cx_tenant_unref(two.a);
    cx_tenant_unref(two.b);
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

/* S23. */
ATTACK(a_link_in_the_place_of_a_file_is_refused)
{
    cx_tenant *c = tenant_make(db, "C");
    char file[128], target[128];

    path_of(file, sizeof(file), folder, "t3.db");
    path_of(target, sizeof(target), folder, "t2.db");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink(target, file), 0);
    CX_WITH_TENANT(c) {
        assert_true(run(db, "SELECT 1") < 0);
    }
    assert_int_equal(unlink(file), 0);
    CX_WITH_TENANT(c) {
        assert_int_equal(run(db, "SELECT 1"), -ESTALE);
    }
    cx_tenant_unref(c);
}

/* In a child process: what a call comes to, as its exit status. */
static int in_child(int (*fn)(cx_db *), cx_db *db)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(-fn(db) & 0x7f);
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

static void *create_many(void *arg)
{
    const struct folder *folder = arg;
    intptr_t made = 0;
    cx_db *db;

    if (cx_db_open(folder->url, NULL, &db) != 0)
        return as_pointer(-1);
    for (int i = 0; i < 10; i++) {
        char name[8];
        int error;

        (void)snprintf(name, sizeof(name), "n%d", i);
        error = cx_tenant_create(db, CX_TEXT(name), NULL);
        if (error != 0 && error != -EEXIST)
            return as_pointer(-1);
        made += error == 0;
    }
    return as_pointer(cx_db_close(db) == 0 ? made : -1);
}

/* S22. */
static void
of_processes_that_create_the_same_tenants_at_once_one_wins(void **state)
{
    struct folder folder;
    pid_t children[3];
    int made = 0;

    (void)state;
    folder_make(&folder);
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            void *result = as_pointer(-1);

            (void)cx_run(create_many, &folder, &result);
            _exit((int)(intptr_t)result);
        }
    }
    for (int i = 0; i < 3; i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_in_range(WEXITSTATUS(status), 0, 10);
        made += WEXITSTATUS(status);
    }
    assert_int_equal(made, 10);
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

static void turn_take(const int *pipe)
{
    char byte;

    assert_int_equal(read(pipe[0], &byte, 1), 1);
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
    cx_tenant_unref(two.a);
    cx_tenant_unref(two.b);
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

        turn_take(turns.to_child);
        (void)cx_run(use_and_lose, &turns, &result);
        _exit(result != NULL);
    }
    assert_int_equal(cx_run(drop_while_in_use, &turns, NULL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    folder_remove(&turns.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_planted_in_a_file_does_nothing),
        cmocka_unit_test(
            a_statement_without_end_lets_the_others_run_and_can_be_cancelled),
        cmocka_unit_test(a_statement_without_end_ends_at_the_deadline),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(a_damaged_file_is_its_tenants_own_trouble),
        cmocka_unit_test(a_full_disk_is_an_error_and_nothing_is_lost),
        cmocka_unit_test(
            a_lock_of_somebody_else_is_waited_for_without_the_loop),
        cmocka_unit_test(
            another_tenants_file_in_the_place_of_ones_own_is_refused),
        cmocka_unit_test(
            a_file_that_is_replaced_while_its_tenant_is_in_use_is_refused),
        cmocka_unit_test(a_link_in_the_place_of_a_file_is_refused),
        cmocka_unit_test(a_child_process_cannot_use_a_parents_connection),
        cmocka_unit_test(
            of_processes_that_create_the_same_tenants_at_once_one_wins),
        cmocka_unit_test(
            a_tenant_that_another_process_drops_is_lost_to_this_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
