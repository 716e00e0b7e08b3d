/* SPDX-License-Identifier: MIT */
/*
 * What can be wrong with a tenant's file: the trouble is its own, and the
 * others go on. The numbers are those of the catalogue of attacks.
 */
#include "two.h"

#include <ctxvar/transaction.h>

#include <signal.h>
#include <sys/resource.h>

#include "pool.h"
#include "sqlite.h"

static void path_of(char *path, size_t size, const struct folder *folder,
                    const char *name)
{
    (void)snprintf(path, size, "%s/db/%s", folder->path, name);
}

static void shell(const struct folder *folder, const char *command)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "cd '%s' && %s", folder->path, command);
    assert_int_equal(system(text), 0);
}

/* S19. */
TWO_TEST(what_was_planted_in_a_file_does_nothing)
{
    file_exec(folder, "t1.db",
              "CREATE VIEW planted AS SELECT * FROM users;"
              "CREATE TABLE out (name TEXT);"
              "CREATE TRIGGER planted_too AFTER INSERT ON users BEGIN"
              " INSERT INTO out VALUES (new.name); END;"
              "CREATE TABLE checked (x CHECK (load_extension(x) IS NULL))");
    CX_WITH_TENANT(two->a) {
        assert_error(db, "SELECT * FROM planted", -EINVAL);
        assert_ok(run(db, "INSERT INTO users (name) VALUES ('new')"));
        assert_int_equal(number(db, "SELECT count(*) FROM out"), 0);
        assert_ok(run(db, "DELETE FROM users WHERE name = 'new'"));
        assert_error(db, "INSERT INTO checked VALUES ('x')", -EINVAL);
    }
}

/* S21. */
TWO_TEST(a_damaged_file_is_its_tenants_own_trouble)
{
    cx_tenant *c = tenant_make(db, "C");

    shell(folder, "yes | dd of=db/t3.db conv=notrunc bs=4096 count=1"
                  " status=none");
    CX_WITH_TENANT(c) {
        assert_int_equal(run(db, "SELECT 1"), -EUCLEAN);
        assert_int_equal(run(db, "SELECT 1"), -EUCLEAN);
    }
    cx_tenant_unref(c);
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

/* What opening comes to after something was done to the files. */
static int open_after(const struct folder *folder, const char *command)
{
    char shell[256];
    cx_db *db = NULL;
    int error;

    (void)snprintf(shell, sizeof(shell), "cd '%s/db' && %s", folder->path,
                   command);
    assert_int_equal(system(shell), 0);
    error = cx_db_open(folder->url, NULL, &db);
    assert_ok(cx_db_close(db));
    return error;
}

/* A test of a database that was closed with a tenant in it. */
#define CLOSED_TEST(name)                                                      \
    static void name##_in(const struct folder *folder);                        \
    TASK_TEST(name)                                                            \
    {                                                                          \
        struct folder folder;                                                  \
        cx_db *db;                                                             \
                                                                               \
        folder_make(&folder);                                                  \
        assert_ok(cx_db_open(folder.url, NULL, &db));                          \
        cx_tenant_unref(tenant_make(db, "A"));                                 \
        assert_ok(cx_db_close(db));                                            \
        name##_in(&folder);                                                    \
        folder_remove(&folder);                                                \
    }                                                                          \
    static void name##_in(const struct folder *folder)

CLOSED_TEST(a_registry_of_a_later_version_is_refused)
{
    file_exec(folder, "registry.db", "PRAGMA user_version = 99");
    assert_int_equal(open_after(folder, "true"), -EPROTONOSUPPORT);
    assert_string_equal(cx_db_problem(), "the registry is of a later version");
}

CLOSED_TEST(a_registry_that_is_damaged_is_refused)
{
    assert_int_equal(open_after(folder, "echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                        " | dd of=registry.db conv=notrunc"
                                        " status=none"),
                     -EUCLEAN);
}

CLOSED_TEST(a_registry_without_its_key_is_refused)
{
    file_exec(folder, "registry.db", "UPDATE cx_registry SET key = x'00'");
    assert_int_equal(open_after(folder, "true"), -EUCLEAN);
    file_exec(folder, "registry.db", "DELETE FROM cx_registry");
    assert_int_equal(open_after(folder, "true"), -EUCLEAN);
    assert_string_equal(cx_db_problem(), "the registry has no key");
}

CLOSED_TEST(somebody_elses_database_in_the_registrys_place_is_left_alone)
{
    assert_int_equal(open_after(folder, "rm *.db*"), 0);
    file_exec(folder, "other", "CREATE TABLE x (y)");
    assert_int_equal(open_after(folder, "rm *.db*; mv other registry.db;"
                                        " cp registry.db .before"),
                     -ENOTEMPTY);
    assert_string_equal(cx_db_problem(),
                        "the registry is something else's file");
    assert_int_equal(open_after(folder, "cmp registry.db .before"), -ENOTEMPTY);
    assert_int_equal(files_in(folder), 2);
}

/* A new one would give a number again that has a file. */
CLOSED_TEST(files_of_tenants_without_their_registry_are_refused)
{
    assert_int_equal(open_after(folder, "rm registry.db*"), -EUCLEAN);
}

/* What a crash left between the listing of the drop and its end. */
CLOSED_TEST(what_is_left_of_a_dropped_tenant_is_removed_at_the_next_opening)
{
    file_exec(folder, "registry.db", "UPDATE cx_tenants SET state = 2");
    assert_true(has_room(folder, 1));
    assert_int_equal(open_after(folder, "true"), 0);
    assert_false(has_room(folder, 1));
}

/* A tenant that nobody ever uses. */
static void create_and_close(const struct folder *folder)
{
    cx_db *db;

    assert_ok(cx_db_open(folder->url, NULL, &db));
    cx_tenant_unref(tenant_make(db, "B"));
    assert_ok(cx_db_close(db));
}

/* The next tenant, that is used once; or that it cannot be made. */
static void make_next(const struct folder *folder, int wanted)
{
    cx_tenant *tenant = NULL;
    cx_db *db;

    assert_ok(cx_db_open(folder->url, NULL, &db));
    assert_int_equal(cx_tenant_create(db, CX_TEXT("B"), &tenant), wanted);
    if (wanted == 0) {
        assert_int_equal(cx_tenant_id(tenant), 2);
        CX_WITH_TENANT(tenant) {
            assert_ok(run(db, "SELECT 1"));
        }
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
}

/* And between a new file and its listing. */
CLOSED_TEST(a_file_that_was_never_listed_makes_way)
{
    shell(folder, "cp db/registry.db before");
    create_and_close(folder);
    shell(folder, "mv before db/registry.db; echo x > db/t2.db");
    make_next(folder, 0);
}

/* As if it were restored. */
CLOSED_TEST(a_list_that_is_older_than_a_tenants_file_does_not_cost_it)
{
    shell(folder, "cp db/registry.db before");
    make_next(folder, 0);
    shell(folder, "mv before db/registry.db; cp db/t2.db t2");
    make_next(folder, -EUCLEAN);
    shell(folder, "cmp t2 db/t2.db");
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

/* Somebody else's connection to a tenant's file, that has it locked. */
static sqlite3 *lock_file(const struct folder *folder, const char *name,
                          const char *how)
{
    char path[128];
    sqlite3 *other;

    path_of(path, sizeof(path), folder, name);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, how, NULL, NULL, NULL), SQLITE_OK);
    return other;
}

/* Even from readers. */
#define EXCLUSIVE "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE"

/* S21: as long as the deadline allows; without one for a minute, which is less
 * here. */
ATTACK(a_lock_that_is_not_given_up_is_an_error)
{
    sqlite3 *other = lock_file(folder, "t1.db", "BEGIN IMMEDIATE");
    int error = 0;

    cx__sqlite_of(db)->patience_ms = 30;
    assert_int_equal(run(db, "UPDATE users SET age = 0"), -EBUSY);
    CX_TRANSACTION(db, &error) {
        fail();
    }
    assert_int_equal(error, -EBUSY);
    CX_TIMEOUT(60) {
        assert_int_equal(run(db, "UPDATE users SET age = 0"), -ETIMEDOUT);
    }
    CX_TIMEOUT(60) {
        CX_TRANSACTION(db, &error) {
            fail();
        }
    }
    assert_int_equal(error, -ETIMEDOUT);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_ok(run(db, "UPDATE users SET age = age"));
}

/* S21. */
ATTACK(a_file_that_somebody_has_alone_is_an_error_to_all_who_open_it)
{
    cx_tenant *c = tenant_make(db, "C");
    sqlite3 *other = lock_file(folder, "t3.db", EXCLUSIVE);
    sqlite3 *another = lock_file(folder, "t0.db", EXCLUSIVE);

    cx__sqlite_of(db)->patience_ms = 30;
    CX_WITH_TENANT(c) {
        assert_int_equal(run(db, "SELECT 1"), -EBUSY);
        CX_TIMEOUT(60) {
            assert_int_equal(run(db, "SELECT 1"), -ETIMEDOUT);
        }
    }
    assert_int_equal(cx_tenant_create(db, CX_TEXT("D"), NULL), -EBUSY);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(sqlite3_close(another), SQLITE_OK);
    CX_WITH_TENANT(c) {
        assert_ok(run(db, "SELECT 1"));
    }
    cx_tenant_unref(c);
    c = tenant_make(db, "D");
    cx_tenant_unref(c);
}

struct dropping {
    cx_tenant *tenant;
    int error;
};

static void *drop_main(void *arg)
{
    struct dropping *dropping = arg;

    dropping->error = cx_tenant_drop(dropping->tenant);
    return NULL;
}

/* S21: whose file it is, waits; the others' files are opened and made. */
ATTACK(a_drop_that_waits_for_somebody_keeps_no_other_tenant_waiting)
{
    cx_tenant *c = tenant_make(db, "C");
    struct dropping dropping = {.tenant = c, .error = 1};
    sqlite3 *other = lock_file(folder, "t3.db", "BEGIN IMMEDIATE");
    cx_task *task = cx_task_create(drop_main, &dropping);
    cx_tenant *d = NULL;

    while (cx_tenant_find(db, CX_TEXT("C"), &d) == 0) {
        cx_tenant_unref(d);
        assert_int_equal(cx_yield(), 0);
    }
    CX_TIMEOUT(3000) {
        d = tenant_make(db, "D");
        CX_WITH_TENANT(d) {
            assert_ok(run(db, "SELECT 1"));
        }
    }
    assert_int_equal(dropping.error, 1);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(dropping.error, 0);
    assert_false(has_room(folder, 3));
    cx_tenant_unref(c);
    cx_tenant_unref(d);
}

/* S23, as if the files were mixed up. */
TWO_TEST(another_tenants_file_in_the_place_of_ones_own_is_refused)
{
    cx_tenant *c = tenant_make(db, "C");

    cx__pool_close_idle(db);
    shell(folder, "cp db/t2.db db/t3.db");
    CX_WITH_TENANT(c) {
        assert_int_equal(run(db, "SELECT * FROM users"), -ESTALE);
        assert_string_equal(cx_db_problem(),
                            "the tenant's file is not its own");
    }
    cx_tenant_unref(c);
}

/* S23. */
TWO_TEST(a_file_that_is_replaced_while_its_tenant_is_in_use_is_refused)
{
    cx_tenant *c = tenant_make(db, "C");

    CX_WITH_TENANT(c) {
        assert_ok(run(db, "SELECT * FROM users"));
        shell(folder, "cp db/t3.db copy && mv copy db/t3.db");
        cx__pool_close_idle(db);
        assert_int_equal(run(db, "SELECT * FROM users"), -ESTALE);
        assert_string_equal(cx_db_problem(), "the tenant's file was replaced");
    }
    cx_tenant_unref(c);
}

/* S23. */
ATTACK(a_folder_that_is_moved_away_is_missed_and_found_again)
{
    cx_tenant *c = tenant_make(db, "C");

    CX_WITH_TENANT(c) {
        shell(folder, "mv db away");
        assert_int_equal(run(db, "SELECT * FROM users"), -ESTALE);
        assert_string_equal(cx_db_problem(), "the tenant's file is gone");
        shell(folder, "touch db");
        assert_int_equal(run(db, "SELECT * FROM users"), -ESTALE);
        shell(folder, "rm db && mkdir db");
        assert_int_equal(run(db, "SELECT * FROM users"), -ESTALE);
        shell(folder, "rmdir db && mv away db");
        assert_ok(run(db, "SELECT * FROM users"));
    }
    cx_tenant_unref(c);
}

/* S23: not even to what is one's own. */
ATTACK(a_link_in_the_place_of_a_file_is_refused)
{
    static const char *const links[] = {"ln -s t2.db db/t3.db",
                                        "ln -s ../own db/t3.db"};
    cx_tenant *c = tenant_make(db, "C");

    shell(folder, "mv db/t3.db own");
    for (int i = 0; i < 2; i++) {
        shell(folder, links[i]);
        CX_WITH_TENANT(c) {
            assert_true(run(db, "SELECT 1") < 0);
        }
        shell(folder, "rm db/t3.db");
    }
    CX_WITH_TENANT(c) {
        assert_int_equal(run(db, "SELECT 1"), -ESTALE);
        shell(folder, "mv own db/t3.db");
        assert_ok(run(db, "SELECT 1"));
    }
    cx_tenant_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_planted_in_a_file_does_nothing),
        cmocka_unit_test(a_damaged_file_is_its_tenants_own_trouble),
        cmocka_unit_test(a_full_disk_is_an_error_and_nothing_is_lost),
        cmocka_unit_test(a_registry_of_a_later_version_is_refused),
        cmocka_unit_test(a_registry_that_is_damaged_is_refused),
        cmocka_unit_test(a_registry_without_its_key_is_refused),
        cmocka_unit_test(
            somebody_elses_database_in_the_registrys_place_is_left_alone),
        cmocka_unit_test(files_of_tenants_without_their_registry_are_refused),
        cmocka_unit_test(
            what_is_left_of_a_dropped_tenant_is_removed_at_the_next_opening),
        cmocka_unit_test(a_file_that_was_never_listed_makes_way),
        cmocka_unit_test(
            a_list_that_is_older_than_a_tenants_file_does_not_cost_it),
        cmocka_unit_test(
            a_lock_of_somebody_else_is_waited_for_without_the_loop),
        cmocka_unit_test(a_lock_that_is_not_given_up_is_an_error),
        cmocka_unit_test(
            a_file_that_somebody_has_alone_is_an_error_to_all_who_open_it),
        cmocka_unit_test(
            a_drop_that_waits_for_somebody_keeps_no_other_tenant_waiting),
        cmocka_unit_test(
            another_tenants_file_in_the_place_of_ones_own_is_refused),
        cmocka_unit_test(
            a_file_that_is_replaced_while_its_tenant_is_in_use_is_refused),
        cmocka_unit_test(a_folder_that_is_moved_away_is_missed_and_found_again),
        cmocka_unit_test(a_link_in_the_place_of_a_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
