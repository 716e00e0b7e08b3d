/* SPDX-License-Identifier: MIT */
/*
 * SQLite's own troubles: its memory, its reads, its writes. The first of a
 * call fails, then the second, ... until none does. Each time the error is
 * told, and the same call can be made again, with nothing lost or done twice.
 */
#include "users.h"

#include <ctxvar/migrate.h>
#include <ctxvar/transaction.h>

#include <pthread.h>

/* What fails; and which one, counted down on all threads; 0: none. */
enum fault { MEMORY, READS, WRITES, SYNCS, OPENS, FAULTS };

static enum fault fault;
static int left;

static bool is_due(enum fault what)
{
    if (fault != what || __atomic_load_n(&left, __ATOMIC_SEQ_CST) <= 0 ||
        __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) != 0)
        return false;
    errno = what == MEMORY ? ENOMEM : EIO;
    return true;
}

/* SQLite's memory. */
static sqlite3_mem_methods memory;

static void *faulty_malloc(int size)
{
    return is_due(MEMORY) ? NULL : memory.xMalloc(size);
}

static void *faulty_realloc(void *block, int size)
{
    return is_due(MEMORY) ? NULL : memory.xRealloc(block, size);
}

/* SQLite's files, below what the library puts over them. Their kinds differ
 * only in what is left alone here. */
static sqlite3_vfs *disk;
static sqlite3_vfs faulty;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_io_methods methods[4];
static const sqlite3_io_methods *originals[4];

static int faulty_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    return is_due(READS) ? SQLITE_IOERR_READ
                         : originals[0]->xRead(file, to, len, at);
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return is_due(READS) ? SQLITE_IOERR_FSTAT
                         : originals[0]->xFileSize(file, size);
}

static int faulty_write(sqlite3_file *file, const void *from, int len,
                        sqlite3_int64 at)
{
    return is_due(WRITES) ? SQLITE_FULL
                          : originals[0]->xWrite(file, from, len, at);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return is_due(WRITES) ? SQLITE_IOERR_TRUNCATE
                          : originals[0]->xTruncate(file, size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    return is_due(SYNCS) ? SQLITE_IOERR_FSYNC
                         : originals[0]->xSync(file, flags);
}

static int faulty_map(sqlite3_file *file, int page, int size, int more,
                      void volatile **at)
{
    return is_due(OPENS) ? SQLITE_IOERR_SHMMAP
                         : originals[0]->xShmMap(file, page, size, more, at);
}

static const sqlite3_io_methods *methods_for(const sqlite3_io_methods *original)
{
    size_t i = 0;

    (void)pthread_mutex_lock(&lock);
    while (originals[i] != NULL && originals[i] != original)
        i++;
    if (originals[i] == NULL) {
        methods[i] = *original;
        methods[i].xRead = faulty_read;
        methods[i].xFileSize = faulty_size;
        methods[i].xWrite = faulty_write;
        methods[i].xTruncate = faulty_truncate;
        methods[i].xSync = faulty_sync;
        methods[i].xShmMap = faulty_map;
        originals[i] = original;
    }
    (void)pthread_mutex_unlock(&lock);
    return &methods[i];
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                       int flags, int *out)
{
    int code = SQLITE_CANTOPEN;

    (void)vfs;
    file->pMethods = NULL;
    if (!is_due(OPENS))
        code = disk->xOpen(disk, name, file, flags, out);
    if (code == SQLITE_OK && file->pMethods != NULL)
        file->pMethods = methods_for(file->pMethods);
    return code;
}

static int faulty_access(sqlite3_vfs *vfs, const char *name, int flags,
                         int *result)
{
    (void)vfs;
    return is_due(OPENS) ? SQLITE_IOERR_ACCESS
                         : disk->xAccess(disk, name, flags, result);
}

static int faults_make(void **state)
{
    sqlite3_mem_methods wrapped;

    (void)state;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory) != SQLITE_OK)
        return -1;
    wrapped = memory;
    wrapped.xMalloc = faulty_malloc;
    wrapped.xRealloc = faulty_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &wrapped) != SQLITE_OK)
        return -1;
    disk = sqlite3_vfs_find(NULL);
    faulty = *disk;
    faulty.zName = "faulty";
    faulty.xOpen = faulty_open;
    faulty.xAccess = faulty_access;
    faulty.pNext = NULL;
    return sqlite3_vfs_register(&faulty, 1);
}

/* What calls are made on; each attempt has its own. */
struct world {
    struct folder folder;
    cx_db *db;
    cx_tenant *tenant;
    bool made; /* there is another tenant */
};

typedef int act_fn(struct world *world);

struct attempt {
    act_fn *act;
    int nth;
    int first;   /* what the call came to, with something that failed */
    int second;  /* and with nothing */
    bool failed; /* that there was as much that could */
};

/* What no tenant has had: a migration begins with a new template. */
static const char script_of_another[] =
    "CREATE TABLE another (id INTEGER);"
    "INSERT INTO cx_migrations VALUES (1, 'another', 0, 0)";

static void *attempt_main(void *arg)
{
    struct attempt *attempt = arg;
    struct world world = {.made = false};

    folder_make(&world.folder);
    assert_ok(cx_db_open(world.folder.url, NULL, &world.db));
    users_make(&world.folder);
    world.tenant = tenant_make(world.db, "A");
    template_exec(&world.folder, script_of_another);
    CX_WITH_TENANT(world.tenant) {
        __atomic_store_n(&left, attempt->nth, __ATOMIC_SEQ_CST);
        attempt->first = attempt->act(&world);
        attempt->failed = __atomic_exchange_n(&left, 0, __ATOMIC_SEQ_CST) == 0;
        attempt->second = attempt->first != 0 ? attempt->act(&world) : 0;
    }
    cx_tenant_unref(world.tenant);
    assert_ok(cx_db_close(world.db));
    folder_remove(&world.folder);
    return NULL;
}

/* The fault is told as what it is, and not for long. */
static void check(const struct attempt *attempt)
{
    static const int errors[FAULTS] = {[MEMORY] = -ENOMEM,
                                       [READS] = -EIO,
                                       [WRITES] = -ENOSPC,
                                       [SYNCS] = -EIO,
                                       [OPENS] = -EIO};

    if ((attempt->first != 0 && attempt->first != errors[fault]) ||
        attempt->second != 0)
        fail_msg("fault %d, number %d: %d, then %d", (int)fault, attempt->nth,
                 attempt->first, attempt->second);
}

/* Memory is asked for thousands of times, of which later ones are skipped. */
static int next(int nth)
{
    return nth + 1 + (fault == MEMORY ? nth / 16 : 0);
}

/* How often something could fail. */
static int sweep(act_fn *act, enum fault what)
{
    struct attempt attempt = {.act = act, .nth = 1};

    fault = what;
    for (;; attempt.nth = next(attempt.nth)) {
        assert_int_equal(cx_run(attempt_main, &attempt, NULL), 0);
        check(&attempt);
        if (!attempt.failed)
            return attempt.nth - 1;
    }
}

/* Each test is what is done, which is swept for each kind of fault. */
#define FAULTS_TEST(name)                                                      \
    static int name##_act(struct world *world);                                \
    static void name(void **state)                                             \
    {                                                                          \
        int n = 0;                                                             \
                                                                               \
        (void)state;                                                           \
        for (int what = 0; what < FAULTS; what++)                              \
            n += sweep(name##_act, (enum fault)what);                          \
        assert_true(n > 20);                                                   \
    }                                                                          \
    static int name##_act(struct world *world)

static int open_and_close(const char *url)
{
    cx_db *db;
    int error = cx_db_open(url, NULL, &db);

    return error == 0 ? cx_db_close(db) : error;
}

FAULTS_TEST(founding_a_database_survives_faults)
{
    char url[256];

    (void)snprintf(url, sizeof(url), "%s-new", world->folder.url);
    return open_and_close(url);
}

/* Can the tenant "B" use the table of the template? */
static int use_another(cx_db *db)
{
    cx_tenant *tenant;
    int error = cx_tenant_find(db, CX_TEXT("B"), &tenant);

    if (error != 0)
        return error;
    CX_WITH_TENANT(tenant) {
        error = run(db, "SELECT * FROM users");
    }
    cx_tenant_unref(tenant);
    return error;
}

FAULTS_TEST(creating_a_tenant_survives_faults)
{
    int error = 0;

    if (!world->made)
        error = cx_tenant_create(world->db, CX_TEXT("B"), NULL);
    world->made = error == 0;
    return error == 0 ? use_another(world->db) : error;
}

FAULTS_TEST(renaming_and_dropping_a_tenant_survive_faults)
{
    int error = cx_tenant_rename(world->tenant, CX_TEXT("Z"));

    if (error == 0)
        error = cx_tenant_drop(world->tenant);
    /* It was dropped; its files may have been left. */
    if (error == -ESTALE)
        error = open_and_close(world->folder.url);
    if (error == 0)
        assert_false(has_room(&world->folder, 1));
    return error;
}

FAULTS_TEST(a_transaction_survives_faults)
{
    int error = -1;

    CX_TRANSACTION(world->db, &error) {
        User user = {.name = CX_TEXT("Ann")};

        error = cx_db_insert(world->db, &user_model, &user);
        if (error == 0)
            error =
                cx_db_update(world->db, &user_model, &user, CX_ONLY("rank"));
    }
    return error;
}

/* What was told to have failed was not done: else the names are there. */
static const char insert_some[] =
    "INSERT INTO users (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
    " SELECT i + 1 FROM n WHERE i < 300) SELECT 'user ' || i FROM n"
    " RETURNING id, name";

static int insert_for_rows(cx_db *db)
{
    cx_rows rows;
    int error = cx_db_sql(db, insert_some, NULL, &rows);

    if (error == 0) {
        assert_int_equal(rows.len, 300);
        cx_rows_fini(&rows);
    }
    return error;
}

FAULTS_TEST(a_change_that_gives_rows_survives_faults)
{
    return insert_for_rows(world->db);
}

FAULTS_TEST(a_change_that_gives_rows_survives_faults_in_a_transaction)
{
    int error = -1;

    CX_TRANSACTION(world->db, &error) {
        User user = {.name = CX_TEXT("Ann")};

        error = cx_db_insert(world->db, &user_model, &user);
        if (error == 0)
            error = insert_for_rows(world->db);
    }
    return error;
}

FAULTS_TEST(reading_survives_faults)
{
    User *users;
    size_t n;
    CX_ARENA(arena);

    return cx_db_list(world->db, &user_model, CX_QUERY(.order = "name"), &users,
                      &n, &arena);
}

FAULTS_TEST(functions_of_our_own_survive_faults)
{
    return run(world->db, "SELECT instr(123456, 3456), instr(x'0102', x'02'),"
                          " replace(hex(zeroblob(4000)), '0', 'xx')");
}

FAULTS_TEST(migrations_survive_faults)
{
    static const cx_migration list[] = {
        {1, "x", .sqlite = "CREATE TABLE x (id integer)"},
        {2, "y", .sqlite = "CREATE TABLE y (id integer)"}};

    return cx_migrate(world->db, list, 2, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(founding_a_database_survives_faults),
        cmocka_unit_test(creating_a_tenant_survives_faults),
        cmocka_unit_test(renaming_and_dropping_a_tenant_survive_faults),
        cmocka_unit_test(a_transaction_survives_faults),
        cmocka_unit_test(a_change_that_gives_rows_survives_faults),
        cmocka_unit_test(
            a_change_that_gives_rows_survives_faults_in_a_transaction),
        cmocka_unit_test(reading_survives_faults),
        cmocka_unit_test(functions_of_our_own_survive_faults),
        cmocka_unit_test(migrations_survive_faults),
    };

    return cmocka_run_group_tests(tests, faults_make, NULL);
}
