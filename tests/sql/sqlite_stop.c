/* SPDX-License-Identifier: MIT */
/*
 * Calls that are stopped in the middle: at the first time that SQLite calls
 * back, then at the second, ... until one is not reached. Each time the call
 * says what has become of it, and the connection is as good as before.
 */
#include "support.h"

#include <ctxvar/model.h>
#include <ctxvar/transaction.h>

#include "pool.h"

typedef struct Note {
    int64_t id;
    cx_text text;
} Note;

static const cx_column note_columns[] = {
    CX_COLUMN(Note, id, .key = true, .automatic = true),
    CX_COLUMN(Note, text),
};

CX_MODEL(Note, note_model, "notes", note_columns);

static const char tables[] =
    "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " text TEXT NOT NULL)";

/* SQLite calls back at each step of its machine, and each time the clock has
 * gone on. Written by one thread at a time. */
static int (*progress)(void *arg);
static int left;      /* calls until the one that stops; 0: none does */
static bool is_ended; /* nobody wants the result any more */
static uint64_t ahead_ms;

static int look(void *arg)
{
    ahead_ms++;
    if (left > 0 && --left == 0) {
        is_ended = true;
        if (cx_task_current() != NULL)
            (void)cx_cancel(cx_task_current());
    }
    return progress(arg);
}

void __wrap_sqlite3_progress_handler(sqlite3 *handle, int ops,
                                     int (*fn)(void *), void *arg);
void __real_sqlite3_progress_handler(sqlite3 *handle, int ops,
                                     int (*fn)(void *), void *arg);
uint64_t __wrap_cx_time(void);
uint64_t __real_cx_time(void);
int __wrap_cx_job_check(void);
int __real_cx_job_check(void);

void __wrap_sqlite3_progress_handler(sqlite3 *handle, int ops,
                                     int (*fn)(void *), void *arg)
{
    (void)ops;
    progress = fn;
    __real_sqlite3_progress_handler(handle, 1, look, arg);
}

uint64_t __wrap_cx_time(void)
{
    return __real_cx_time() + ahead_ms;
}

int __wrap_cx_job_check(void)
{
    return is_ended ? -ECANCELED : __real_cx_job_check();
}

/* The beginning of statements that there is no memory for; NULL: there are
 * none. */
static const char *forgotten;

int __wrap_sqlite3_prepare_v3(sqlite3 *handle, const char *text, int len,
                              unsigned flags, sqlite3_stmt **statement,
                              const char **tail);
int __real_sqlite3_prepare_v3(sqlite3 *handle, const char *text, int len,
                              unsigned flags, sqlite3_stmt **statement,
                              const char **tail);

int __wrap_sqlite3_prepare_v3(sqlite3 *handle, const char *text, int len,
                              unsigned flags, sqlite3_stmt **statement,
                              const char **tail)
{
    if (forgotten != NULL && strncmp(text, forgotten, strlen(forgotten)) == 0)
        return SQLITE_NOMEM;
    return __real_sqlite3_prepare_v3(handle, text, len, flags, statement, tail);
}

static int add(cx_db *db)
{
    Note note = {.text = CX_TEXT("a")};

    return cx_db_insert(db, &note_model, &note);
}

static int add_in_transaction(cx_db *db)
{
    int error;

    CX_TRANSACTION(db, &error) {
        error = add(db);
    }
    return error;
}

/* Two, or none. */
static int add_twice(cx_db *db)
{
    int error;

    CX_TRANSACTION(db, &error) {
        error = add(db);
        if (error == 0)
            error = add_in_transaction(db);
    }
    return error;
}

/* What is stopped within another transaction is not in it, and what was done
 * before that is. */
static int add_and_fail_within(cx_db *db)
{
    int error, inner, innermost;

    CX_TRANSACTION(db, &error) {
        CX_TRANSACTION(db, &inner) {
            inner = add(db);
            CX_TRANSACTION(db, &innermost) {
                innermost = 0;
            }
            inner = -EAGAIN;
        }
        error = inner == -EAGAIN ? 0 : inner;
        if (error == 0)
            CX_SHIELD {
                error = add(db);
            }
    }
    return error;
}

static int add_by_hand(cx_db *db)
{
    return run(db, "INSERT INTO notes (text) VALUES ('a')");
}

/* What failed is not there, although its transaction is. */
static int add_by_hand_in_transaction(cx_db *db)
{
    int result = 0;
    int error;

    CX_TRANSACTION(db, &error) {
        result = add_by_hand(db);
        error = 0;
    }
    return result != 0 ? result : error;
}

static int rename_tenant(cx_db *db)
{
    cx_tenant *tenant = NULL;
    int error = cx_tenant_find(db, CX_TEXT("other"), &tenant);

    if (error == 0)
        error = cx_tenant_rename(tenant, CX_TEXT("new"));
    cx_tenant_unref(tenant);
    return error;
}

static int create_tenant(cx_db *db)
{
    return cx_tenant_create(db, CX_TEXT("new"), NULL);
}

struct call {
    int (*fn)(cx_db *db);
    cx_db *db;
    cx_tenant *tenant;
    int error;
};

static void *call_run(void *arg)
{
    struct call *call = arg;

    CX_WITH_TENANT(call->tenant) {
        call->error = call->fn(call->db);
    }
    return NULL;
}

/* What another program sees: none of the files is locked. */
static int64_t seen(const struct folder *folder, const char *name,
                    const char *text)
{
    char path[128];
    sqlite3_stmt *statement = NULL;
    sqlite3 *handle;
    int64_t n;

    file_exec(folder, name, "BEGIN IMMEDIATE; ROLLBACK");
    (void)snprintf(path, sizeof(path), "%s/db/%s", folder->path, name);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, text, -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    return n;
}

/*
 * A call that is stopped, and what it has left.
 *
 * file  that it changes; count: a statement that says how much there is in it,
 *       and by how much it grows
 * undo  what makes it possible again
 */
struct trial {
    const char *name;
    int (*fn)(cx_db *db);
    const char *file;
    const char *count;
    int grows;
    const char *undo;
};

static const char notes[] = "SELECT count(*) FROM notes";
static const char named[] = "SELECT count(*) FROM cx_tenants"
                            " WHERE CAST(name AS TEXT) = 'new'";

static const struct trial trials[] = {
    {"a model's insert", add, "t1.db", notes, 1, ""},
    {"a transaction", add_in_transaction, "t1.db", notes, 1, ""},
    {"one in another", add_twice, "t1.db", notes, 2, ""},
    {"one in one in another", add_and_fail_within, "t1.db", notes, 1, ""},
    {"an insert by hand", add_by_hand, "t1.db", notes, 1, ""},
    {"the same in a transaction", add_by_hand_in_transaction, "t1.db", notes, 1,
     ""},
    {"a new tenant", create_tenant, "registry.db", named, 1,
     "UPDATE cx_tenants SET name = 'old' || id WHERE id > 2"},
    {"a new name", rename_tenant, "registry.db", named, 1,
     "UPDATE cx_tenants SET name = 'other' WHERE id = 2"},
};

/* Stop it the n-th time: was there such a time? */
static bool try(const struct folder *folder, const struct trial *trial,
                struct call *call, int n)
{
    int64_t before = seen(folder, trial->file, trial->count);
    cx_task *task = cx_task_create(call_run, call);
    int64_t after;
    bool reached;

    call->fn = trial->fn;
    call->error = -EPERM;
    is_ended = false;
    left = n;
    assert_int_equal(cx_await(task, NULL), 0);
    reached = left == 0;
    left = 0;
    is_ended = false;
    after = seen(folder, trial->file, trial->count);
    if (call->error != 0 && call->error != -ECANCELED &&
        call->error != -ECONNABORTED)
        fail_msg("%s, stopped at %d: %s", trial->name, n,
                 strerror(-call->error));
    if (after - before != (call->error == 0 ? trial->grows : 0))
        fail_msg("%s, stopped at %d: %d, and %d more", trial->name, n,
                 call->error, (int)(after - before));
    if (after != before)
        file_exec(folder, trial->file, trial->undo);
    return reached;
}

DB_TEST(a_call_that_is_stopped_says_whether_it_was_done)
{
    struct call call = {.db = db};
    cx_tenant *other;

    template_exec(folder, tables);
    call.tenant = tenant_make(db, "A");
    other = tenant_make(db, "other");
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
        int n = 1;

        while (try(folder, &trials[i], &call, n))
            n++;
        assert_in_range(n, 5, 1000);
        assert_int_equal(call.error, 0);
    }
    cx_tenant_unref(other);
    cx_tenant_unref(call.tenant);
}

/* A transaction with one in it that cannot be undone. */
static int add_and_undo(cx_db *db)
{
    int error, inner;

    CX_TRANSACTION(db, &error) {
        CX_TRANSACTION(db, &inner) {
            inner = add(db);
            assert_ok(inner);
            inner = -EAGAIN;
        }
        assert_int_equal(inner, -EAGAIN);
        error = 0;
    }
    return error;
}

DB_TEST(what_could_not_be_undone_is_not_committed_with_the_rest)
{
    static const char *const texts[] = {"ROLLBACK TO", "RELEASE"};
    cx_tenant *tenant;

    template_exec(folder, tables);
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        for (size_t i = 0; i < 2; i++) {
            forgotten = texts[i];
            assert_int_equal(add_and_undo(db), -ECONNABORTED);
            assert_int_equal(seen(folder, "t1.db", notes), 0);
        }
        /* The next connection has no statement that it could keep. */
        cx__pool_close_idle(db);
        forgotten = "ROLLBACK";
        assert_int_equal(add_and_undo(db), -ECONNABORTED);
        assert_int_equal(seen(folder, "t1.db", notes), 0);
        forgotten = NULL;
        assert_ok(add_and_undo(db));
        assert_int_equal(seen(folder, "t1.db", notes), 0);
        assert_ok(add_twice(db));
        assert_int_equal(seen(folder, "t1.db", notes), 2);
    }
    cx_tenant_unref(tenant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            what_could_not_be_undone_is_not_committed_with_the_rest),
        cmocka_unit_test(a_call_that_is_stopped_says_whether_it_was_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
