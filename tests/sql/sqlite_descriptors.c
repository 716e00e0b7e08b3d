/* SPDX-License-Identifier: MIT */
/*
 * Out of file descriptors: whoever lacks one is told, the others go on, and
 * once there are some again all are served. The numbers are those of the
 * catalogue of attacks.
 *
 * Not under valgrind: there a file is made before the want of a descriptor for
 * it is told.
 */
#include "many.h"

#include <sys/resource.h>

#include "pool.h"

static struct rlimit plenty;

/* The first descriptor that is free. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);

    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}

/* From here on this process can open n files more. */
static void descriptors_leave(int n)
{
    struct rlimit few = plenty;

    few.rlim_cur = (rlim_t)(next_descriptor() + n);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static void descriptors_restore(void)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &plenty), 0);
}

enum { TENANTS = 40 };

/* A task that wants a connection of a tenant's, and holds it until it is told
 * to go on. */
struct seeker {
    const struct many *many;
    int tenant;
    cx_semaphore *there; /* one more that has it, or will not get it */
    cx_event *go;
    int error;
    bool served;
};

static void *seek(void *arg)
{
    struct seeker *seeker = arg;
    User user;

    CX_WITH_TENANT(seeker->many->tenants[seeker->tenant]) {
        CX_DB_EACH(seeker->many->db, &user_model, NULL, &user, &seeker->error) {
            seeker->served = is_row_of(&user, seeker->tenant);
            (void)cx_semaphore_release(seeker->there);
            (void)cx_event_wait(seeker->go);
            seeker->error =
                run(seeker->many->db, "UPDATE users SET rank = 1 WHERE id = 1");
            break;
        }
    }
    if (!seeker->served)
        (void)cx_semaphore_release(seeker->there);
    return NULL;
}

static void seekers_start(struct seeker *seekers, cx_task **tasks,
                          const struct many *many, cx_semaphore *there,
                          cx_event *go)
{
    for (int i = 0; i < TENANTS; i++) {
        seekers[i] = (struct seeker){
            .many = many, .tenant = i, .there = there, .go = go};
        tasks[i] = cx_task_create(seek, &seekers[i]);
        assert_non_null(tasks[i]);
    }
    for (int i = 0; i < TENANTS; i++)
        assert_int_equal(cx_semaphore_acquire(there), 0);
}

/* How many were served; the others were told why not. */
static int seekers_end(const struct seeker *seekers, cx_task **tasks)
{
    int served = 0;

    for (int i = 0; i < TENANTS; i++) {
        assert_int_equal(cx_await(tasks[i], NULL), 0);
        assert_int_equal(seekers[i].error, seekers[i].served ? 0 : -EMFILE);
        served += seekers[i].served;
    }
    return served;
}

/* Each has its own row, with the mark of a task that was served, and nobody
 * else's; the mark is taken away. */
static void assert_marks(const struct many *many, const struct seeker *seekers)
{
    for (int i = 0; i < TENANTS; i++) {
        assert_own_row(many, i);
        CX_WITH_TENANT(many->tenants[i]) {
            assert_int_equal(number(many->db, "SELECT sum(rank) FROM users"),
                             seekers[i].served);
            assert_ok(run(many->db, "UPDATE users SET rank = 0"));
        }
    }
}

/* All at once, more than there can be; then one after the other. */
static void tenants_beyond_descriptors(const struct many *many)
{
    struct seeker seekers[TENANTS];
    cx_task *tasks[TENANTS];
    cx_semaphore *there = cx_semaphore_new(0);
    cx_event *go = cx_event_new();

    descriptors_leave(TENANTS);
    seekers_start(seekers, tasks, many, there, go);
    assert_int_equal(cx_event_set(go), 0);
    assert_in_range(seekers_end(seekers, tasks), 1, TENANTS - 1);
    assert_marks(many, seekers);
    descriptors_restore();
    (void)cx_semaphore_free(there);
    (void)cx_event_free(go);
}

/* S23. */
TASK_TEST(of_more_tenants_than_descriptors_none_gets_anothers_file)
{
    cx_db_options options = {.connections = 1000};
    struct many many;

    many_make(&many, &options, TENANTS);
    cx__pool_close_idle(many.db);
    tenants_beyond_descriptors(&many);
    many_end(&many);
}

/* S23: connections that nobody uses are closed for it. */
TASK_TEST(descriptors_that_idle_connections_have_serve_another_tenant)
{
    struct many many;

    many_make(&many, NULL, 2);
    cx__pool_close_idle(many.db);
    assert_own_row(&many, 0);
    descriptors_leave(0);
    assert_own_row(&many, 1);
    descriptors_restore();
    many_end(&many);
}

/* What calls are made on; each attempt has its own. */
struct world {
    struct folder folder;
    cx_db *db;
    cx_tenant *tenant;
};

typedef int act_fn(struct world *world);

struct attempt {
    act_fn *act;
    int spare;
    int first;  /* what the call came to, short of descriptors */
    int second; /* and when there were plenty again */
};

static void *attempt_main(void *arg)
{
    struct attempt *attempt = arg;
    struct world world;

    folder_make(&world.folder);
    assert_ok(cx_db_open(world.folder.url, NULL, &world.db));
    users_make(&world.folder);
    world.tenant = tenant_make(world.db, "A");
    cx__pool_close_idle(world.db);
    descriptors_leave(attempt->spare);
    attempt->first = attempt->act(&world);
    descriptors_restore();
    attempt->second = attempt->first != 0 ? attempt->act(&world) : 0;
    cx_tenant_unref(world.tenant);
    assert_ok(cx_db_close(world.db));
    folder_remove(&world.folder);
    return NULL;
}

/* How many attempts failed, each with one more to spare, before the one that
 * did not. */
static int sweep(act_fn *act)
{
    struct attempt attempt = {.act = act};

    for (;; attempt.spare++) {
        int before = next_descriptor();

        assert_int_equal(cx_run(attempt_main, &attempt, NULL), 0);
        assert_int_equal(attempt.second, 0);
        assert_int_equal(next_descriptor(), before);
        if (attempt.first == 0)
            return attempt.spare;
        assert_int_equal(attempt.first, -EMFILE);
    }
}

#define SWEEP_TEST(name)                                                       \
    static int name##_act(struct world *world);                                \
    static void name(void **state)                                             \
    {                                                                          \
        (void)state;                                                           \
        assert_true(sweep(name##_act) > 0);                                    \
    }                                                                          \
    static int name##_act(struct world *world)

static int open_and_close(const char *url)
{
    cx_db *db;
    int error = cx_db_open(url, NULL, &db);

    if (error == 0)
        assert_ok(cx_db_close(db));
    return error;
}

SWEEP_TEST(a_database_without_descriptors_is_not_made_and_can_be_later)
{
    char url[256];

    (void)snprintf(url, sizeof(url), "%s-new", world->folder.url);
    return open_and_close(url);
}

SWEEP_TEST(a_tenant_without_descriptors_is_not_made_and_can_be_later)
{
    cx_tenant *tenant = NULL;
    int error = cx_tenant_create(world->db, CX_TEXT("B"), &tenant);

    if (error == 0)
        assert_int_equal(cx_tenant_id(tenant), 2);
    assert_int_equal(has_room(&world->folder, 2), error == 0);
    cx_tenant_unref(tenant);
    return error;
}

SWEEP_TEST(a_statement_without_descriptors_does_nothing_and_can_later)
{
    int error = -1;

    CX_WITH_TENANT(world->tenant) {
        User user = {.name = CX_TEXT("Ann")};

        error = cx_db_insert(world->db, &user_model, &user);
        if (error == 0)
            assert_int_equal(number(world->db, "SELECT count(*) FROM users"),
                             1);
    }
    return error;
}

SWEEP_TEST(a_tenant_that_is_dropped_without_descriptors_goes_later)
{
    int error = cx_tenant_drop(world->tenant);

    /* It was then; its files may have been left. */
    if (error == -ESTALE)
        error = open_and_close(world->folder.url);
    assert_int_equal(has_room(&world->folder, 1), error != 0);
    return error;
}

/* Another program that reads a tenant's table: 0, or that it is not there. */
static int read_past(sqlite3 *other)
{
    return sqlite3_exec(other, "SELECT * FROM users", NULL, NULL, NULL);
}

/* Else it would go on with files that have no name. */
TASK_TEST(a_drop_without_descriptors_tells_whoever_has_the_file)
{
    struct many many;
    char path[128];
    sqlite3 *other;

    many_make(&many, NULL, 3);
    (void)snprintf(path, sizeof(path), "%s/db/t3.db", many.folder.path);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(read_past(other), SQLITE_OK);
    /* Nothing is open here but the list of tenants. */
    cx__pool_close_idle(many.db);
    assert_ok(cx_tenant_rename(many.tenants[2], CX_TEXT("C")));
    descriptors_leave(0);
    assert_ok(cx_tenant_drop(many.tenants[2]));
    descriptors_restore();
    assert_false(has_room(&many.folder, 3));
    assert_int_equal(read_past(other), SQLITE_ERROR);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    many_end(&many);
}

static int remember_plenty(void **state)
{
    (void)state;
    return getrlimit(RLIMIT_NOFILE, &plenty);
}

/* For the next one, whatever became of this. */
static int give_plenty(void **state)
{
    (void)state;
    return setrlimit(RLIMIT_NOFILE, &plenty);
}

#define LIMITS_TEST(name) cmocka_unit_test_teardown(name, give_plenty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIMITS_TEST(of_more_tenants_than_descriptors_none_gets_anothers_file),
        LIMITS_TEST(
            descriptors_that_idle_connections_have_serve_another_tenant),
        LIMITS_TEST(
            a_database_without_descriptors_is_not_made_and_can_be_later),
        LIMITS_TEST(a_tenant_without_descriptors_is_not_made_and_can_be_later),
        LIMITS_TEST(a_statement_without_descriptors_does_nothing_and_can_later),
        LIMITS_TEST(a_tenant_that_is_dropped_without_descriptors_goes_later),
        LIMITS_TEST(a_drop_without_descriptors_tells_whoever_has_the_file),
    };

    return cmocka_run_group_tests(tests, remember_plenty, NULL);
}
