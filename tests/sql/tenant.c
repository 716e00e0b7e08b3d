/* SPDX-License-Identifier: MIT */
/* Databases and the tenants in them: made, found, renamed, dropped, current. */
#include "two.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctxvar/executor.h>
#include <ctxvar/group.h>

TASK_TEST(a_database_that_is_opened_first_is_made)
{
    struct folder folder;
    struct stat stat_;
    char path[96];
    cx_db *db;

    if (server() != NULL)
        return;
    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    assert_ok(cx_db_close(db));
    (void)snprintf(path, sizeof(path), "%s/db", folder.path);
    assert_int_equal(stat(path, &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0700);
    (void)snprintf(path, sizeof(path), "%s/db/registry.db", folder.path);
    assert_int_equal(access(path, F_OK), 0);
    folder_remove(&folder);
}

static void outside_of_tasks_nothing_is_opened(void **state)
{
    cx_db *db = NULL;

    (void)state;
    assert_int_equal(cx_db_open("sqlite:/tmp/none", NULL, &db), -EPERM);
    assert_non_null(strstr(cx_db_problem(), "cx_run()"));
    assert_null(db);
}

/* What a job finds when it asks the database itself. */
struct asked {
    cx_db *db;
    int error;
    bool has_words;
};

static void *ask_in_job(void *arg)
{
    struct asked *asked = arg;

    asked->error = cx_db_sql(asked->db, "SELECT 1", NULL, NULL);
    asked->has_words = strstr(cx_db_problem(), "executor") != NULL;
    return NULL;
}

DB_TEST(a_job_that_asks_a_database_is_told_what_is_wrong)
{
    struct asked asked = {.db = db};

    assert_int_equal(cx_run_in_executor(NULL, ask_in_job, &asked, NULL), 0);
    assert_int_equal(asked.error, -EPERM);
    assert_true(asked.has_words);
}

static void *ask_elsewhere(void *arg)
{
    struct asked *asked = arg;

    asked->error = cx_db_sql(asked->db, "SELECT 1", NULL, NULL);
    asked->has_words = strstr(cx_db_problem(), "another loop") != NULL;
    return NULL;
}

static void *run_elsewhere(void *asked)
{
    assert_int_equal(cx_run(ask_elsewhere, asked, NULL), 0);
    return NULL;
}

DB_TEST(a_database_is_of_use_on_its_own_loop_alone)
{
    struct asked asked = {.db = db};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, run_elsewhere, &asked), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(asked.error, -EXDEV);
    assert_true(asked.has_words);
}

TASK_TEST(a_url_of_an_engine_that_is_not_known_is_refused)
{
    cx_db *db = NULL;

    assert_int_equal(cx_db_open("oracle:here", NULL, &db), -EINVAL);
    assert_string_equal(cx_db_problem(), "no engine for this kind of URL");
    assert_null(db);
}

TASK_TEST(a_folder_in_the_place_of_a_host_is_refused)
{
    struct folder folder;
    char url[96];
    cx_db *db = NULL;

    folder_make(&folder);
    (void)snprintf(url, sizeof(url), "sqlite:/%s/db", folder.path);
    assert_int_equal(cx_db_open(url, NULL, &db), -EINVAL);
    assert_non_null(strstr(cx_db_problem(), "sqlite:DIR"));
    assert_null(db);
    (void)snprintf(url, sizeof(url), "sqlite://%s/db", folder.path);
    assert_ok(cx_db_open(url, NULL, &db));
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

TASK_TEST(a_file_in_the_place_of_the_folder_is_refused)
{
    cx_db *db = NULL;

    assert_int_equal(cx_db_open("sqlite:/dev/null", NULL, &db), -ENOTDIR);
}

DB_TEST(what_was_created_is_found)
{
    cx_tenant *made = tenant_make(db, "A");
    cx_tenant *found = NULL;

    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &found));
    assert_ptr_equal(found, made);
    assert_int_equal(cx_tenant_id(found), 1);
    assert_string_equal(cx_tenant_name(found).data, "A");
    cx_tenant_unref(made);
    cx_tenant_unref(found);
}

TASK_TEST(tenants_are_there_when_the_database_is_opened_again)
{
    struct folder folder;
    cx_tenant *tenant = NULL;
    cx_db *db;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    cx_tenant_unref(tenant_make(db, "A"));
    assert_ok(cx_db_close(db));
    assert_ok(cx_db_open(folder.url, NULL, &db));
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &tenant));
    assert_int_equal(cx_tenant_id(tenant), 1);
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db));
    folder_remove(&folder);
}

DB_TEST(a_name_is_given_once)
{
    cx_tenant *second = NULL;

    cx_tenant_unref(tenant_make(db, "A"));
    assert_int_equal(cx_tenant_create(db, CX_TEXT("A"), &second), -EEXIST);
    assert_null(second);
    assert_false(has_room(folder, 2));
}

DB_TEST(a_name_that_is_nobodys_is_not_found)
{
    cx_tenant *tenant = NULL;

    assert_int_equal(cx_tenant_find(db, CX_TEXT("A"), &tenant), -ENOENT);
    assert_null(tenant);
}

static int add_id(cx_tenant *tenant, void *arg)
{
    int64_t *sum = arg;

    *sum = *sum * 10 + cx_tenant_id(tenant);
    return 0;
}

static int stop_at_two(cx_tenant *tenant, void *arg)
{
    (void)add_id(tenant, arg);
    return cx_tenant_id(tenant) == 2 ? 7 : 0;
}

static void make_three(cx_db *db)
{
    cx_tenant_unref(tenant_make(db, "A"));
    cx_tenant_unref(tenant_make(db, "B"));
    cx_tenant_unref(tenant_make(db, "C"));
}

DB_TEST(each_meets_all_of_them_in_order)
{
    int64_t sum = 0;

    make_three(db);
    assert_ok(cx_tenant_each(db, add_id, &sum));
    assert_int_equal(sum, 123);
}

DB_TEST(each_stops_where_it_is_told_to)
{
    int64_t sum = 0;

    make_three(db);
    assert_int_equal(cx_tenant_each(db, stop_at_two, &sum), 7);
    assert_int_equal(sum, 12);
}

DB_TEST(a_renamed_tenant_is_found_by_its_new_name_alone)
{
    cx_tenant *tenant = tenant_make(db, "A");
    cx_tenant *found = NULL;

    assert_ok(cx_tenant_rename(tenant, CX_TEXT("Z")));
    assert_string_equal(cx_tenant_name(tenant).data, "Z");
    assert_ok(cx_tenant_find(db, CX_TEXT("Z"), &found));
    assert_ptr_equal(found, tenant);
    cx_tenant_unref(found);
    assert_int_equal(cx_tenant_find(db, CX_TEXT("A"), &found), -ENOENT);
    cx_tenant_unref(tenant);
}

DB_TEST(a_name_that_is_taken_is_not_given_by_renaming)
{
    cx_tenant *tenant = tenant_make(db, "A");

    cx_tenant_unref(tenant_make(db, "B"));
    assert_int_equal(cx_tenant_rename(tenant, CX_TEXT("B")), -EEXIST);
    assert_string_equal(cx_tenant_name(tenant).data, "A");
    cx_tenant_unref(tenant);
}

DB_TEST(a_dropped_tenant_is_gone_with_its_room)
{
    cx_tenant *tenant = tenant_make(db, "A");
    cx_tenant *found = NULL;

    assert_true(has_room(folder, 1));
    assert_ok(cx_tenant_drop(tenant));
    assert_false(has_room(folder, 1));
    assert_int_equal(cx_tenant_find(db, CX_TEXT("A"), &found), -ENOENT);
    assert_int_equal(cx_tenant_drop(tenant), -ESTALE);
    assert_int_equal(cx_tenant_rename(tenant, CX_TEXT("B")), -ESTALE);
    cx_tenant_unref(tenant);
}

TASK_TEST(handles_outlive_their_database)
{
    struct folder folder;
    cx_tenant *tenant;
    cx_db *db;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    tenant = tenant_make(db, "A");
    assert_ok(cx_db_close(db));
    assert_int_equal(cx_tenant_drop(tenant), -ESTALE);
    assert_int_equal(cx_tenant_id(tenant), 1);
    cx_tenant_unref(tenant);
    folder_remove(&folder);
}

static void *unref_main(void *tenant)
{
    cx_tenant_unref(tenant);
    return NULL;
}

DB_TEST(a_handle_may_be_let_go_of_on_another_thread)
{
    cx_tenant *tenant = tenant_make(db, "A");
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, unref_main, tenant), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ok(cx_tenant_find(db, CX_TEXT("A"), &tenant));
    cx_tenant_unref(tenant);
}

/* An earlier failure's words are not this one's. */
static void *rename_elsewhere(void *tenant)
{
    cx_db *none;
    int error;

    assert_int_equal(cx_db_open("nothing:x", NULL, &none), -EINVAL);
    error = cx_tenant_rename(tenant, CX_TEXT("B"));
    assert_non_null(strstr(cx_db_problem(), "another loop"));
    return as_pointer(error);
}

static void *loop_elsewhere(void *tenant)
{
    void *result = NULL;

    (void)cx_run(rename_elsewhere, tenant, &result);
    return result;
}

DB_TEST(a_tenant_is_of_use_on_its_own_loop_alone)
{
    cx_tenant *tenant = tenant_make(db, "A");
    pthread_t thread;
    void *result;

    assert_int_equal(pthread_create(&thread, NULL, loop_elsewhere, tenant), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((intptr_t)result, -EXDEV);
    cx_tenant_unref(tenant);
}

/* In a child of A's: B's is what it is given. */
static void *read_as_another(void *arg)
{
    const struct tenancy *b = arg;

    assert_users(b->db, "open");
    CX_WITH_TENANT(b->tenant) {
        assert_int_equal(cx_yield(), 0);
        assert_users(b->db, "SECRET");
    }
    assert_users(b->db, "open");
    return cx_tenant_current();
}

/* R1. */
TWO_TEST(a_child_has_its_parents_tenant_and_may_have_another)
{
    struct tenancy b = {db, two->b};
    void *seen = NULL;

    CX_WITH_TENANT(two->a) {
        cx_task *task = cx_task_create(read_as_another, &b);

        assert_int_equal(cx_yield(), 0);
        assert_users(db, "open");
        assert_int_equal(cx_await(task, &seen), 0);
        assert_ptr_equal(seen, two->a);
        assert_ptr_equal(cx_tenant_current(), two->a);
    }
    assert_null(cx_tenant_current());
}

/* A job, and what it found: there is no loop that a statement could wait on. */
struct job {
    cx_db *db;
    cx_tenant *seen;
    int error;
};

static void *note_current(void *arg)
{
    struct job *job = arg;

    job->seen = cx_tenant_current();
    job->error = run(job->db, "SELECT 1");
    return NULL;
}

/* R3: on a thread that the last job had, which was another tenant's. */
TWO_TEST(a_job_has_the_tenant_of_its_task)
{
    cx_tenant *const tenants[] = {two->a, two->b, NULL, two->a};
    cx_executor_options options = {.threads = 1};
    cx_executor *one = cx_executor_new(&options);

    for (int i = 0; i < 4; i++) {
        struct job job = {.db = db};

        CX_WITH_TENANT(tenants[i]) {
            assert_int_equal(cx_run_in_executor(one, note_current, &job, NULL),
                             0);
        }
        assert_ptr_equal(job.seen, tenants[i]);
        assert_int_equal(job.error, -EPERM);
    }
    cx_executor_free(one);
}

static void *create_one(void *db)
{
    cx_tenant *tenant = NULL;

    return as_pointer(cx_tenant_create(db, CX_TEXT("C"), &tenant));
}

DB_TEST(a_cancelled_task_creates_nothing)
{
    cx_task *task = cx_task_create(create_one, db);
    cx_tenant *tenant = NULL;
    void *result;

    assert_int_equal(cx_cancel(task), 0);
    assert_int_equal(cx_await(task, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
    assert_int_equal(cx_tenant_find(db, CX_TEXT("C"), &tenant), -ENOENT);
}

/* S22, of one process. */
TWO_TEST(of_two_who_create_the_same_tenant_at_once_one_wins)
{
    cx_task *first = cx_task_create(create_one, db);
    cx_task *second = cx_task_create(create_one, db);
    void *results[2];
    cx_tenant *tenant;

    assert_int_equal(cx_await(first, &results[0]), 0);
    assert_int_equal(cx_await(second, &results[1]), 0);
    assert_int_equal((intptr_t)results[0] + (intptr_t)results[1], -EEXIST);
    assert_ok(cx_tenant_find(db, CX_TEXT("C"), &tenant));
    cx_tenant_unref(tenant);
    cx_tenant_unref(tenant);
}

static void *create_numbered(void *arg)
{
    cx_db *db = ((void **)arg)[0];
    char name[32];

    (void)snprintf(name, sizeof(name), "tenant %p", arg);
    return as_pointer(cx_tenant_create(db, CX_TEXT(name), NULL));
}

static int count_one(cx_tenant *tenant, void *n)
{
    (void)tenant;
    ++*(size_t *)n;
    return 0;
}

enum { AT_ONCE = 12 };

/* Also of those of another process, which has the database open on its own. */
TASK_TEST(many_are_created_at_once)
{
    struct folder folder;
    cx_db *db[2];
    void *place[AT_ONCE][1], *args[AT_ONCE], *results[AT_ONCE];
    cx_tenant *tenant;
    size_t n = 0;

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db[0]));
    assert_ok(cx_db_open(folder.url, NULL, &db[1]));
    for (int i = 0; i < AT_ONCE; i++) {
        place[i][0] = db[i % 2];
        args[i] = place[i];
    }
    assert_int_equal(cx_gather(create_numbered, args, results, AT_ONCE), 0);
    for (int i = 0; i < AT_ONCE; i++)
        assert_int_equal((intptr_t)results[i], 0);
    assert_ok(cx_tenant_each(db[0], count_one, &n));
    assert_int_equal(n, AT_ONCE);
    assert_ok(cx_tenant_create(db[1], CX_TEXT("one more"), &tenant));
    CX_WITH_TENANT(tenant) {
        assert_ok(run(db[1], "SELECT 1"));
    }
    cx_tenant_unref(tenant);
    assert_ok(cx_db_close(db[0]));
    assert_ok(cx_db_close(db[1]));
    folder_remove(&folder);
}

/* As another process does: it has the database open on its own. */
TASK_TEST(a_tenant_that_somebody_else_has_dropped_is_stale)
{
    struct folder folder;
    cx_db *db, *other;
    cx_tenant *tenant, *same;
    static const char reading[] = "SELECT * FROM users";

    folder_make(&folder);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    assert_ok(cx_db_open(folder.url, NULL, &other));
    template_exec(&folder, "CREATE TABLE users (id INTEGER PRIMARY KEY)");
    tenant = tenant_make(db, "A");
    assert_ok(cx_tenant_find(other, CX_TEXT("A"), &same));
    CX_WITH_TENANT(same) {
        assert_ok(run(other, reading));
    }
    assert_ok(cx_tenant_drop(tenant));
    CX_WITH_TENANT(same) {
        assert_int_equal(run(other, reading), -ESTALE);
    }
    assert_int_equal(cx_tenant_rename(same, CX_TEXT("B")), -ESTALE);
    assert_int_equal(cx_tenant_drop(same), -ESTALE);
    cx_tenant_unref(tenant);
    cx_tenant_unref(same);
    assert_ok(cx_db_close(db));
    assert_ok(cx_db_close(other));
    folder_remove(&folder);
}

static int close_in_each(cx_tenant *tenant, void *db)
{
    (void)tenant;
    return cx_db_close(db);
}

DB_TEST(a_database_is_not_closed_while_its_tenants_are_gone_through)
{
    cx_tenant_unref(tenant_make(db, "A"));
    assert_int_equal(cx_tenant_each(db, close_in_each, db), -EBUSY);
}

TASK_TEST(options_that_are_out_of_bounds_are_refused)
{
    const cx_db_options all = {.connections = 100001};
    const cx_db_options each = {.connections_each = UINT_MAX};
    struct folder folder;
    cx_db *db;

    folder_make(&folder);
    assert_int_equal(cx_db_open(folder.url, &all, &db), -EINVAL);
    assert_int_equal(cx_db_open(folder.url, &each, &db), -EINVAL);
    folder_remove(&folder);
}

static int open_existing(const struct folder *folder)
{
    const cx_db_options existing = {.existing = true};
    cx_db *db;
    int error = cx_db_open(folder->url, &existing, &db);

    if (error == 0)
        assert_ok(cx_db_close(db));
    return error;
}

TASK_TEST(what_must_be_there_is_not_made)
{
    struct folder folder;
    cx_db *db;

    folder_make(&folder);
    assert_int_equal(open_existing(&folder), -ENOENT);
    assert_int_equal(open_existing(&folder), -ENOENT);
    assert_ok(cx_db_open(folder.url, NULL, &db));
    assert_ok(cx_db_close(db));
    assert_ok(open_existing(&folder));
    folder_remove(&folder);
}

/* Something that is not ours, where a database is to be made. */
static void occupy(const struct folder *folder)
{
    char path[128];

    if (server() != NULL) {
        server_run(folder->url, "CREATE TABLE photos (id int)");
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/db", folder->path);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/db/photo.jpg", folder->path);
    assert_int_equal(close(creat(path, 0600)), 0);
}

TASK_TEST(what_is_used_for_something_else_is_left_alone)
{
    struct folder folder;
    cx_db *db;

    folder_make(&folder);
    occupy(&folder);
    assert_int_equal(cx_db_open(folder.url, NULL, &db), -ENOTEMPTY);
    assert_string_not_equal(cx_db_problem(), "");
    assert_false(has_room(&folder, 0));
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_created_at_once),
        cmocka_unit_test(a_tenant_that_somebody_else_has_dropped_is_stale),
        cmocka_unit_test(
            a_database_is_not_closed_while_its_tenants_are_gone_through),
        cmocka_unit_test(options_that_are_out_of_bounds_are_refused),
        cmocka_unit_test(what_must_be_there_is_not_made),
        cmocka_unit_test(what_is_used_for_something_else_is_left_alone),
        cmocka_unit_test(a_database_that_is_opened_first_is_made),
        cmocka_unit_test(outside_of_tasks_nothing_is_opened),
        cmocka_unit_test(a_job_that_asks_a_database_is_told_what_is_wrong),
        cmocka_unit_test(a_database_is_of_use_on_its_own_loop_alone),
        cmocka_unit_test(a_url_of_an_engine_that_is_not_known_is_refused),
        cmocka_unit_test(a_folder_in_the_place_of_a_host_is_refused),
        cmocka_unit_test(a_file_in_the_place_of_the_folder_is_refused),
        cmocka_unit_test(what_was_created_is_found),
        cmocka_unit_test(tenants_are_there_when_the_database_is_opened_again),
        cmocka_unit_test(a_name_is_given_once),
        cmocka_unit_test(a_name_that_is_nobodys_is_not_found),
        cmocka_unit_test(each_meets_all_of_them_in_order),
        cmocka_unit_test(each_stops_where_it_is_told_to),
        cmocka_unit_test(a_renamed_tenant_is_found_by_its_new_name_alone),
        cmocka_unit_test(a_name_that_is_taken_is_not_given_by_renaming),
        cmocka_unit_test(a_dropped_tenant_is_gone_with_its_room),
        cmocka_unit_test(handles_outlive_their_database),
        cmocka_unit_test(a_handle_may_be_let_go_of_on_another_thread),
        cmocka_unit_test(a_tenant_is_of_use_on_its_own_loop_alone),
        cmocka_unit_test(a_child_has_its_parents_tenant_and_may_have_another),
        cmocka_unit_test(a_job_has_the_tenant_of_its_task),
        cmocka_unit_test(a_cancelled_task_creates_nothing),
        cmocka_unit_test(of_two_who_create_the_same_tenant_at_once_one_wins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
