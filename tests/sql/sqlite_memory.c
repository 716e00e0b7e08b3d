/* SPDX-License-Identifier: MIT */
/*
 * Out of memory, everywhere: allocation 1 of a call fails, then 2, ... until
 * it succeeds. Each time the error is told, the call can be made again, and
 * nothing leaks. SQLite's own memory is left out: it has such tests itself.
 */
#include "users.h"

#include <ctxvar/migrate.h>
#include <ctxvar/transaction.h>

#include <pthread.h>

/* Which allocation fails, counted down on all threads; 0: none. */
static int scarce;
static int live; /* blocks */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
int __wrap_asprintf(char **text, const char *format, ...);
char *__wrap_realpath(const char *path, char *resolved);
char *__real_realpath(const char *path, char *resolved);

static bool refuse(void)
{
    return __atomic_load_n(&scarce, __ATOMIC_SEQ_CST) > 0 &&
           __atomic_sub_fetch(&scarce, 1, __ATOMIC_SEQ_CST) == 0;
}

static void count(int change)
{
    (void)__atomic_fetch_add(&live, change, __ATOMIC_SEQ_CST);
}

void *__wrap_malloc(size_t size)
{
    void *block = refuse() ? NULL : __real_malloc(size);

    count(block != NULL);
    return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *block = refuse() ? NULL : __real_calloc(n, size);

    count(block != NULL);
    return block;
}

void *__wrap_realloc(void *block, size_t size)
{
    void *grown = refuse() ? NULL : __real_realloc(block, size);

    count(grown != NULL && block == NULL);
    return grown;
}

void __wrap_free(void *block)
{
    count(-(block != NULL));
    __real_free(block);
}

/* libc's own, whose blocks are freed above. */
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    int len = -1;

    va_start(arguments, format);
    if (!refuse())
        len = vasprintf(text, format, arguments);
    va_end(arguments);
    count(len >= 0);
    return len;
}

char *__wrap_realpath(const char *path, char *resolved)
{
    char *real = NULL;

    if (!refuse())
        real = __real_realpath(path, resolved);
    else
        errno = ENOMEM;
    count(real != NULL);
    return real;
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
    int nth;
    int first;  /* what the call came to, short of memory */
    int second; /* and when there was plenty again */
};

/* What no tenant has had: a migration begins with a new template. */
static const char script_of_another[] =
    "CREATE TABLE another (id INTEGER);"
    "INSERT INTO cx_migrations VALUES (1, 'another', 0, 0)";

static void *attempt_main(void *arg)
{
    struct attempt *attempt = arg;
    struct world world;

    folder_make(&world.folder);
    assert_ok(cx_db_open(world.folder.url, NULL, &world.db));
    file_exec(&world.folder, "t0.db", user_table);
    world.tenant = tenant_make(world.db, "A");
    template_exec(&world.folder, script_of_another);
    CX_WITH_TENANT(world.tenant) {
        __atomic_store_n(&scarce, attempt->nth, __ATOMIC_SEQ_CST);
        attempt->first = attempt->act(&world);
        __atomic_store_n(&scarce, 0, __ATOMIC_SEQ_CST);
        attempt->second = attempt->first != 0 ? attempt->act(&world) : 0;
    }
    cx_tenant_unref(world.tenant);
    assert_ok(cx_db_close(world.db));
    folder_remove(&world.folder);
    return NULL;
}

/* On a thread of its own: threads keep blocks for reuse. */
static void *attempt_thread(void *attempt)
{
    assert_int_equal(cx_run(attempt_main, attempt, NULL), 0);
    return NULL;
}

/* How many attempts failed before the one that did not. */
static int sweep(act_fn *act)
{
    struct attempt attempt = {.act = act};

    do {
        int before = __atomic_load_n(&live, __ATOMIC_SEQ_CST);
        pthread_t thread;

        attempt.nth++;
        assert_int_equal(
            pthread_create(&thread, NULL, attempt_thread, &attempt), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(__atomic_load_n(&live, __ATOMIC_SEQ_CST), before);
        if (attempt.first != 0)
            assert_int_equal(attempt.first, -ENOMEM);
        assert_int_equal(attempt.second, 0);
        assert_in_range(attempt.nth, 1, 200);
    } while (attempt.first != 0);
    return attempt.nth - 1;
}

static int open_again(struct world *world)
{
    cx_db *db;
    int error = cx_db_open(world->folder.url, NULL, &db);

    return error == 0 ? cx_db_close(db) : error;
}

static void opening_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(open_again) > 5);
}

static int create_and_drop(struct world *world)
{
    cx_tenant *tenant;
    int error = cx_tenant_create(world->db, CX_TEXT("B"), &tenant);

    if (error == -EEXIST)
        error = cx_tenant_find(world->db, CX_TEXT("B"), &tenant);
    if (error != 0)
        return error;
    error = cx_tenant_drop(tenant);
    cx_tenant_unref(tenant);
    return error;
}

static void creating_a_tenant_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(create_and_drop) > 3);
}

static int add_id(cx_tenant *tenant, void *arg)
{
    *(int64_t *)arg += cx_tenant_id(tenant);
    return 0;
}

static int walk_and_rename(struct world *world)
{
    int64_t sum = 0;
    int error = cx_tenant_each(world->db, add_id, &sum);

    return error == 0 ? cx_tenant_rename(world->tenant, CX_TEXT("Z")) : error;
}

static void tenants_survive_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(walk_and_rename) > 1);
}

static int read_with_sql(struct world *world)
{
    cx_rows rows;
    int error = cx_db_sql(world->db,
                          "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT"
                          " i + 1 FROM n LIMIT 100) SELECT i, 'x' || $1 FROM n",
                          CX_PARAMS("y"), &rows);

    if (error == 0)
        cx_rows_fini(&rows);
    return error;
}

static void a_statement_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(read_with_sql) > 5);
}

static int describe(struct world *world)
{
    cx_rows rows;
    int error = cx_db_tables(world->db, &rows);

    if (error != 0)
        return error;
    cx_rows_fini(&rows);
    error = cx_db_columns(world->db, "users", &rows);
    if (error == 0)
        cx_rows_fini(&rows);
    return error;
}

static void tables_survive_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(describe) > 5);
}

static int ignore_row(const cx_param *fields, size_t n, void *arg)
{
    (void)fields;
    (void)n;
    (void)arg;
    return 0;
}

/* Once more is refused if any of it was done. */
static int change_for_rows(struct world *world)
{
    return cx_db_sql_each(
        world->db,
        "INSERT INTO users (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
        " SELECT i + 1 FROM n LIMIT 100) SELECT 'a rather long name ' || i"
        " FROM n RETURNING id, name",
        NULL, ignore_row, NULL);
}

static void a_change_that_gives_rows_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(change_for_rows) > 5);
}

static int fail_with_words(struct world *world)
{
    int error = run(world->db, "SELEKT");

    return error == -EINVAL ? 0 : error;
}

static void a_failure_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(fail_with_words) > 1);
}

static int use_model(struct world *world)
{
    User ann = {.id = 7, .name = CX_TEXT("Ann"), .photo = {"abc", 3}};
    User *users;
    int64_t n;
    size_t len;
    CX_ARENA(arena);
    int error = cx_db_insert(world->db, &user_model, &ann);

    if (error == 0 || error == -EEXIST)
        error = cx_db_update(world->db, &user_model, &ann, CX_ONLY("rank"));
    if (error == 0)
        error = cx_db_find(world->db, &user_model, &ann, &arena);
    if (error == 0)
        error = cx_db_list(world->db, &user_model, CX_QUERY(.order = "name"),
                           &users, &len, &arena);
    if (error == 0)
        error = cx_db_count(world->db, &user_model,
                            CX_QUERY(CX_WHERE(CX_IS("rank", CX_EQ, 0))), &n);
    return error == 0 ? cx_db_delete(world->db, &user_model, &ann) : error;
}

static void a_model_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(use_model) > 10);
}

/* One that needs more room than others, and then some more rows. */
static int list_all(struct world *world)
{
    char name[5000];
    User *users;
    size_t n;
    CX_ARENA(arena);
    int error = 0;

    memset(name, 'x', sizeof(name));
    for (int i = 1; i <= 20 && error == 0; i++) {
        User user = {.id = i, .name = {name, sizeof(name) - (size_t)i}};

        error = cx_db_insert(world->db, &user_model, &user);
        if (error == -EEXIST)
            error = 0;
    }
    if (error == 0)
        error = cx_db_list(world->db, &user_model, CX_QUERY(.order = "id"),
                           &users, &n, &arena);
    if (error == 0)
        assert_int_equal(n, 20);
    return error;
}

static void a_long_list_survives_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(list_all) > 10);
}

static int use_arrays(struct world *world)
{
    User users[2] = {{.id = 8, .name = CX_TEXT("Bob")},
                     {.id = 9, .name = CX_TEXT("Cid")}};
    CX_ARENA(arena);
    int error = cx_db_insert_many(world->db, &user_model, users, 2);

    if (error == 0 || error == -EEXIST)
        error = cx_db_find_many(world->db, &user_model, users, 2, NULL, &arena);
    return error;
}

static void arrays_survive_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(use_arrays) > 3);
}

static int write_in_transactions(struct world *world)
{
    int outer = -1, inner = -1;

    CX_TRANSACTION(world->db, &outer) {
        outer = run(world->db, "UPDATE users SET rank = 1");
        CX_TRANSACTION(world->db, &inner) {
            inner = run(world->db, "DELETE FROM users");
        }
        if (outer == 0)
            outer = inner;
    }
    return outer;
}

static void transactions_survive_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(write_in_transactions) > 5);
}

static int migrate(struct world *world)
{
    static const cx_migration list[] = {
        {1, "x", .sqlite = "CREATE TABLE x (id integer)"},
        {2, "y", .sqlite = "CREATE TABLE y (id integer)"}};

    return cx_migrate(world->db, list, 2, NULL, NULL);
}

static void migrations_survive_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(migrate) > 10);
}

static int check_version(CX__UNUSED cx_tenant *tenant, int version,
                         CX__UNUSED void *arg)
{
    return version < 0 ? version : 0;
}

static int walk_versions(struct world *world)
{
    return cx_migrate_versions(world->db, check_version, NULL);
}

static void versions_survive_want_of_memory(void **state)
{
    (void)state;
    assert_true(sweep(walk_versions) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_survives_want_of_memory),
        cmocka_unit_test(creating_a_tenant_survives_want_of_memory),
        cmocka_unit_test(tenants_survive_want_of_memory),
        cmocka_unit_test(a_statement_survives_want_of_memory),
        cmocka_unit_test(tables_survive_want_of_memory),
        cmocka_unit_test(a_change_that_gives_rows_survives_want_of_memory),
        cmocka_unit_test(a_failure_survives_want_of_memory),
        cmocka_unit_test(a_model_survives_want_of_memory),
        cmocka_unit_test(a_long_list_survives_want_of_memory),
        cmocka_unit_test(arrays_survive_want_of_memory),
        cmocka_unit_test(transactions_survive_want_of_memory),
        cmocka_unit_test(migrations_survive_want_of_memory),
        cmocka_unit_test(versions_survive_want_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
