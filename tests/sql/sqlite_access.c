/* SPDX-License-Identifier: MIT */
/*
 * Folders and files that this user may not write, or not even read: it is
 * told, nothing is made, and what may be done still can be. All is done as
 * somebody who is not root, who may do anything.
 */
#include "users.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sqlite.h"

enum { NOBODY = 65534, UNABLE = 77 };

static int make_as_nobody(void **state)
{
    static struct folder folder;

    *state = &folder;
    if (geteuid() == 0)
        assert_int_equal(seteuid(NOBODY), 0);
    folder_make(&folder);
    return 0;
}

static int remove_as_oneself(void **state)
{
    const struct folder *folder = *state;
    char path[80];

    assert_int_equal(seteuid(getuid()), 0);
    (void)snprintf(path, sizeof(path), "%s/db", folder->path);
    (void)chmod(folder->path, 0700);
    (void)chmod(path, 0700);
    folder_remove(folder);
    return 0;
}

/* A test whose body is a main task with a folder, in which nothing is yet. */
#define ACCESS_TEST(name)                                                      \
    static void name##_in(const struct folder *folder);                        \
    static void *name##_main(void *folder)                                     \
    {                                                                          \
        name##_in(folder);                                                     \
        return NULL;                                                           \
    }                                                                          \
    static void name(void **state)                                             \
    {                                                                          \
        assert_int_equal(cx_run(name##_main, *state, NULL), 0);                \
    }                                                                          \
    static void name##_in(const struct folder *folder)

/* A database that has a tenant with a row, and is closed. */
static void found(const struct folder *folder)
{
    cx_tenant *tenant;
    cx_db *db;

    assert_ok(cx_db_open(folder->url, NULL, &db));
    users_make(folder);
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        (void)user_add(db, "Ann", 1);
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
}

/* The rights of the folder of the database, or of a file in it. */
static void set_mode(const struct folder *folder, const char *name, mode_t mode)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/db/%s", folder->path, name);
    assert_int_equal(chmod(path, mode), 0);
}

static int try_open(const struct folder *folder)
{
    cx_db *db = NULL;
    int error = cx_db_open(folder->url, NULL, &db);

    assert_ok(cx_db_close(db));
    return error;
}

ACCESS_TEST(a_folder_that_cannot_be_made_is_an_error_that_says_so)
{
    char path[80];

    assert_int_equal(chmod(folder->path, 0500), 0);
    assert_int_equal(try_open(folder), -EACCES);
    assert_string_equal(cx_db_problem(),
                        "the folder cannot be made: Permission denied");
    (void)snprintf(path, sizeof(path), "%s/db", folder->path);
    assert_int_equal(access(path, F_OK), -1);
}

ACCESS_TEST(an_empty_folder_that_cannot_be_written_stays_empty)
{
    char path[80];

    (void)snprintf(path, sizeof(path), "%s/db", folder->path);
    assert_int_equal(mkdir(path, 0500), 0);
    assert_int_equal(try_open(folder), -EACCES);
    assert_string_equal(cx_db_problem(),
                        "no file can be made: Permission denied");
    assert_int_equal(files_in(folder), 0);
}

ACCESS_TEST(a_database_whose_folder_cannot_be_written_is_not_opened)
{
    int files;

    found(folder);
    files = files_in(folder);
    set_mode(folder, "", 0500);
    assert_int_equal(try_open(folder), -EROFS);
    assert_string_equal(cx_db_problem(), cx__sqlite_unwritable);
    assert_int_equal(files_in(folder), files);
}

ACCESS_TEST(a_list_of_tenants_that_cannot_be_written_can_be_read)
{
    cx_tenant *tenant;
    cx_db *db;

    found(folder);
    set_mode(folder, "registry.db", 0400);
    assert_ok(cx_db_open(folder->url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &tenant));
    assert_int_equal(cx_tenant_rename(tenant, CX_TEXT("B")), -EROFS);
    assert_int_equal(cx_tenant_drop(tenant), -EROFS);
    assert_int_equal(cx_tenant_create(db, CX_TEXT("B"), NULL), -EROFS);
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db, "UPDATE users SET age = 2"));
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
    assert_false(has_room(folder, 2));
}

ACCESS_TEST(a_list_of_tenants_that_cannot_be_read_is_not_opened)
{
    int files;

    found(folder);
    files = files_in(folder);
    set_mode(folder, "registry.db", 0);
    assert_int_equal(try_open(folder), -EACCES);
    assert_string_equal(cx_db_problem(), "the file may not be used");
    assert_int_equal(files_in(folder), files);
}

/* Two tenants of a database, "A" and one that is new. */
struct pair {
    cx_db *db;
    cx_tenant *a;
    cx_tenant *b;
};

static void pair_open(struct pair *pair, const struct folder *folder)
{
    found(folder);
    assert_ok(cx_db_open(folder->url, NULL, &pair->db));
    assert_ok(cx_tenant_find(pair->db, CX_TEXT("A"), &pair->a));
    pair->b = tenant_make(pair->db, "B");
}

static void pair_close(struct pair *pair)
{
    cx_tenant_unref(pair->a);
    cx_tenant_unref(pair->b);
    assert_ok(cx_db_close(pair->db));
}

static const char insert[] = "INSERT INTO users (name) VALUES ('Bob')";

ACCESS_TEST(a_tenants_file_that_cannot_be_written_can_be_read)
{
    struct pair pair;

    pair_open(&pair, folder);
    set_mode(folder, "t1.db", 0400);
    CX_WITH_TENANT(pair.a) {
        assert_int_equal(number(pair.db, "SELECT count(*) FROM users"), 1);
        assert_int_equal(run(pair.db, insert), -EROFS);
        assert_string_equal(cx_db_problem(), cx__sqlite_unwritable);
        assert_int_equal(number(pair.db, "SELECT count(*) FROM users"), 1);
    }
    CX_WITH_TENANT(pair.b) {
        assert_ok(run(pair.db, insert));
    }
    pair_close(&pair);
}

ACCESS_TEST(a_tenants_file_that_cannot_be_read_is_its_own_trouble)
{
    struct pair pair;

    pair_open(&pair, folder);
    set_mode(folder, "t1.db", 0);
    CX_WITH_TENANT(pair.a) {
        assert_int_equal(run(pair.db, insert), -EACCES);
    }
    CX_WITH_TENANT(pair.b) {
        assert_ok(run(pair.db, insert));
    }
    set_mode(folder, "t1.db", 0600);
    CX_WITH_TENANT(pair.a) {
        assert_ok(run(pair.db, insert));
    }
    pair_close(&pair);
}

ACCESS_TEST(a_folder_that_can_be_written_no_more_gets_no_tenant)
{
    struct pair pair;
    cx_tenant *c = NULL;
    int files;

    pair_open(&pair, folder);
    CX_WITH_TENANT(pair.a) {
        assert_ok(run(pair.db, insert));
    }
    files = files_in(folder);
    set_mode(folder, "", 0500);
    assert_int_equal(cx_tenant_create(pair.db, CX_TEXT("C"), &c), -EACCES);
    assert_int_equal(cx_tenant_find(pair.db, CX_TEXT("C"), &c), -ENOENT);
    assert_int_equal(files_in(folder), files);
    CX_WITH_TENANT(pair.a) {
        assert_ok(run(pair.db, "UPDATE users SET age = 2"));
    }
    set_mode(folder, "", 0700);
    c = tenant_make(pair.db, "C");
    assert_int_equal(cx_tenant_id(c), 3);
    cx_tenant_unref(c);
    pair_close(&pair);
}

ACCESS_TEST(what_cannot_be_removed_of_a_tenant_goes_at_the_next_opening)
{
    struct pair pair;
    cx_tenant *gone;

    pair_open(&pair, folder);
    set_mode(folder, "", 0500);
    assert_int_equal(cx_tenant_drop(pair.b), -EACCES);
    assert_int_equal(cx_tenant_find(pair.db, CX_TEXT("B"), &gone), -ENOENT);
    assert_true(has_room(folder, 2));
    pair_close(&pair);
    set_mode(folder, "", 0700);
    assert_int_equal(try_open(folder), 0);
    assert_false(has_room(folder, 2));
    assert_true(has_room(folder, 1));
}

static void *open_somebody_elses(void *folder)
{
    static const mode_t modes[] = {0700, 0755, 0777};
    static const char *const words[] = {
        "the folder may not be used: Permission denied",
        "the file may not be used", "the file may not be used"};
    const cx_db_options existing = {.existing = true};
    cx_db *db;
    int files;

    assert_int_equal(seteuid(0), 0);
    found(folder);
    files = files_in(folder);
    for (int i = 0; i < 3; i++) {
        set_mode(folder, "", modes[i]);
        assert_int_equal(seteuid(NOBODY), 0);
        assert_int_equal(
            cx_db_open(((struct folder *)folder)->url, &existing, &db),
            -EACCES);
        assert_string_equal(cx_db_problem(), words[i]);
        assert_int_equal(try_open(folder), -EACCES);
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(files_in(folder), files);
    }
    assert_int_equal(try_open(folder), 0);
    return NULL;
}

/* Whatever may be done in its folder: the files are only their owner's. */
static void somebody_elses_database_is_not_opened(void **state)
{
    if (getuid() != 0)
        skip();
    assert_int_equal(cx_run(open_somebody_elses, *state, NULL), 0);
}

/* The folder's own file system, which can be mounted read-only, and so again,
 * in a child process that may. */
static int mount_folder(const struct folder *folder)
{
    if (seteuid(getuid()) != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
        return -1;
    return mount(folder->path, folder->path, "none", MS_BIND, NULL);
}

static int mount_again(const struct folder *folder, unsigned long how)
{
    return mount("none", folder->path, "none", MS_BIND | MS_REMOUNT | how,
                 NULL);
}

/* What a main task comes to in such a process. */
static int in_mounted(cx_task_fn *fn, struct folder *folder)
{
    void *result = as_pointer(-UNABLE);
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        if (mount_folder(folder) == 0)
            (void)cx_run(fn, folder, &result);
        leave((int)-(intptr_t)result);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == UNABLE)
        skip();
    return -WEXITSTATUS(status);
}

static void *open_read_only(void *folder)
{
    if (mount_again(folder, MS_RDONLY) != 0)
        return as_pointer(-UNABLE - 1);
    return as_pointer(try_open(folder));
}

static void nothing_is_made_on_a_read_only_file_system(void **state)
{
    assert_int_equal(in_mounted(open_read_only, *state), -EROFS);
}

static void *found_main(void *folder)
{
    found(folder);
    return NULL;
}

static void a_database_on_a_read_only_file_system_is_not_opened(void **state)
{
    assert_int_equal(cx_run(found_main, *state, NULL), 0);
    assert_int_equal(in_mounted(open_read_only, *state), -EROFS);
}

static int insert_as(cx_db *db, cx_tenant *tenant)
{
    int error = -1;

    CX_WITH_TENANT(tenant) {
        error = run(db, insert);
    }
    return error;
}

static void *insert_read_only(void *folder)
{
    struct pair pair;
    int error;

    pair_open(&pair, folder);
    /* As long as a file is open for writing, it cannot be. */
    cx__pool_close_idle(pair.db);
    if (mount_again(folder, MS_RDONLY) != 0)
        return as_pointer(-UNABLE - 1);
    error = insert_as(pair.db, pair.a);
    if (mount_again(folder, 0) != 0 || insert_as(pair.db, pair.a) != 0)
        return as_pointer(-UNABLE - 1);
    pair_close(&pair);
    return as_pointer(error);
}

/* As systems do with one that has trouble. */
static void a_file_system_that_becomes_read_only_is_told(void **state)
{
    assert_int_equal(in_mounted(insert_read_only, *state), -EROFS);
}

#define IN_FOLDER(name)                                                        \
    cmocka_unit_test_setup_teardown(name, make_as_nobody, remove_as_oneself)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_folder_that_cannot_be_made_is_an_error_that_says_so),
        IN_FOLDER(an_empty_folder_that_cannot_be_written_stays_empty),
        IN_FOLDER(a_database_whose_folder_cannot_be_written_is_not_opened),
        IN_FOLDER(a_list_of_tenants_that_cannot_be_written_can_be_read),
        IN_FOLDER(a_list_of_tenants_that_cannot_be_read_is_not_opened),
        IN_FOLDER(a_tenants_file_that_cannot_be_written_can_be_read),
        IN_FOLDER(a_tenants_file_that_cannot_be_read_is_its_own_trouble),
        IN_FOLDER(a_folder_that_can_be_written_no_more_gets_no_tenant),
        IN_FOLDER(what_cannot_be_removed_of_a_tenant_goes_at_the_next_opening),
        IN_FOLDER(somebody_elses_database_is_not_opened),
        IN_FOLDER(nothing_is_made_on_a_read_only_file_system),
        IN_FOLDER(a_database_on_a_read_only_file_system_is_not_opened),
        IN_FOLDER(a_file_system_that_becomes_read_only_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
