/* SPDX-License-Identifier: MIT */
/*
 * What is left by a conversation with the server that ends at any point of it:
 * by a cancel, a connection that is cut, a server that says nothing more. The
 * numbers are those of the catalogue of attacks.
 */
#include "proxy.h"
#include "two.h"
#include "users.h"

#include <sched.h>
#include <signal.h>

#include <libpq-fe.h>

#include <ctxvar/deadline.h>
#include <ctxvar/transaction.h>

/* The two in a database behind a proxy; one connection serves both, so that
 * each who wants it has to connect. */
struct cut {
    struct folder folder;
    struct proxy proxy;
    cx_db *db;
    struct two two;
};

static void cut_make(struct cut *cut)
{
    cx_db_options one = {.connections = 1, .connections_each = 1};

    folder_make(&cut->folder);
    proxy_start(&cut->proxy, &cut->folder);
    assert_ok(cx_db_open(cut->proxy.url, &one, &cut->db));
    users_make(&cut->folder);
    two_add(&cut->two, &cut->folder, cut->db);
}

/* After which they are what they were. */
static void cut_end(struct cut *cut)
{
    two_check(cut->db, &cut->two);
    two_end(&cut->two);
    assert_ok(cx_db_close(cut->db));
    proxy_end(&cut->proxy);
    folder_remove(&cut->folder);
}

static int change_within(const struct cut *cut)
{
    int error;

    CX_TRANSACTION(cut->db, &error) {
        error = run(cut->db, "UPDATE users SET rank = rank + 1");
    }
    return error;
}

static int read_all(const struct cut *cut)
{
    int error;
    User user;

    CX_DB_EACH(cut->db, &user_model, CX_QUERY(.limit = 2), &user, &error) {
        if (error == 0)
            error = cx_yield();
        if (error != 0)
            break;
    }
    return error;
}

/* All that there is to say to a server: connecting, a transaction with a row
 * that is put in, one within it, rows that are read, the commit, and what is
 * cleared away. */
static void *converse(void *arg)
{
    const struct cut *cut = arg;
    int error = -ENOMEM;

    CX_WITH_TENANT(cut->two.a) {
        CX_TRANSACTION(cut->db, &error) {
            User user = {.name = CX_TEXT("x")};

            error = cx_db_insert(cut->db, &user_model, &user);
            if (error == 0)
                error = change_within(cut);
            if (error == 0)
                error = read_all(cut);
        }
    }
    return as_pointer(error);
}

/* What came of it, over all points. */
struct tally {
    unsigned pieces; /* of the last conversation */
    unsigned done;
    unsigned undone;
    unsigned unknown_done;
    unsigned unknown_undone;
};

/* All of it was done, or nothing. */
static void tally_add(struct tally *tally, int result, bool done)
{
    if (result == -ENOTRECOVERABLE) {
        tally->unknown_done += done;
        tally->unknown_undone += !done;
    } else {
        assert_int_equal(done, result == 0);
        tally->done += done;
        tally->undone += !done;
    }
}

/* Is all of it there? Then it is undone. */
static bool undo(const struct cut *cut)
{
    bool done = false;

    CX_WITH_TENANT(cut->two.a) {
        done = number(cut->db, "SELECT count(*) FROM users WHERE rank = 1") ==
               ROWS + 1;
        if (done) {
            assert_ok(run(cut->db, "DELETE FROM users WHERE age IS NULL"));
            assert_ok(run(cut->db, "UPDATE users SET rank = 0"));
        }
    }
    return done;
}

/* Converse, with something done to it before the n-th piece; 0: with nothing.
 * Afterwards both tenants are served, and have what they should. */
static int converse_until(struct cut *cut, unsigned n, struct tally *tally)
{
    cx_task *task;
    void *result;

    /* The connection is B's. */
    assert_whole(cut->db, cut->two.b, "SECRET");
    task = cx_task_create(converse, cut);
    assert_non_null(task);
    proxy_arm(&cut->proxy, n, task);
    assert_int_equal(cx_await(task, &result), 0);
    tally->pieces = cut->proxy.pieces;
    proxy_arm(&cut->proxy, 0, NULL);
    tally_add(tally, (int)(intptr_t)result, undo(cut));
    two_check(cut->db, &cut->two);
    return (int)(intptr_t)result;
}

/* At every point: each result is 0, or one of these. */
static void converse_at_each(enum act act, const int errors[],
                             struct tally *tally)
{
    struct cut cut;

    cut_make(&cut);
    assert_int_equal(converse_until(&cut, 0, tally), 0);
    cut.proxy.act = act;
    /* One more: it was met by nothing. */
    for (unsigned n = 1; n <= tally->pieces + 1; n++) {
        int result = converse_until(&cut, n, tally);
        const int *each = errors;

        while (*each != 0 && *each != result)
            each++;
        assert_int_equal(result, *each);
    }
    assert_true(tally->undone > 20);
    cut_end(&cut);
}

/* R7: waiting for a connection, connecting, at the begin, within a statement,
 * amid the rows, at the commit, while it is cleared away. */
TASK_TEST(a_cancel_at_any_point_of_a_conversation_is_clean)
{
    static const int errors[] = {-ECANCELED, 0};
    struct tally tally = {0};

    converse_at_each(CANCEL, errors, &tally);
    /* From the commit on it is too late. */
    assert_true(tally.done > 2);
}

/* R9. */
TASK_TEST(a_connection_that_is_cut_at_any_point_is_an_error_and_no_more)
{
    static const int errors[] = {-ECONNRESET, -ECONNREFUSED, -ENOTRECOVERABLE,
                                 0};
    struct tally tally = {0};

    converse_at_each(CUT, errors, &tally);
    /* The commit was lost on its way, or its answer was. */
    assert_true(tally.unknown_undone > 0);
    assert_true(tally.unknown_done > 0);
}

/* R9: nobody says that the server is gone. Who does not want to wait for it any
 * more need not. */
TASK_TEST(a_server_that_falls_silent_at_any_point_keeps_nobody)
{
    static const int errors[] = {-ECANCELED, -ENOTRECOVERABLE, 0};
    struct tally tally = {0};

    converse_at_each(SILENCE, errors, &tally);
    assert_true(tally.unknown_undone > 0);
    assert_true(tally.unknown_done > 0);
}

/* A statement of A's that nobody answers. */
static void fall_silent(struct cut *cut, uint64_t timeout_ms)
{
    cut->proxy.silent = true;
    CX_WITH_TENANT(cut->two.a) {
        CX_TIMEOUT(timeout_ms) {
            assert_int_equal(run(cut->db, "SELECT 1"), -ETIMEDOUT);
        }
    }
    cut->proxy.silent = false;
}

TASK_TEST(a_server_that_is_silent_is_waited_for_until_the_deadline)
{
    struct cut cut;

    cut_make(&cut);
    assert_whole(cut.db, cut.two.a, "open");
    fall_silent(&cut, 20);
    cut_end(&cut);
}

/* A database that is not open yet, behind a proxy. */
#define PROXY_TEST(name)                                                       \
    static void name##_behind(struct folder *folder, struct proxy *proxy);     \
    TASK_TEST(name)                                                            \
    {                                                                          \
        struct folder folder;                                                  \
        struct proxy proxy;                                                    \
                                                                               \
        folder_make(&folder);                                                  \
        proxy_start(&proxy, &folder);                                          \
        name##_behind(&folder, &proxy);                                        \
        proxy_end(&proxy);                                                     \
        folder_remove(&folder);                                                \
    }                                                                          \
    static void name##_behind(CX__UNUSED struct folder *folder,                \
                              struct proxy *proxy)

PROXY_TEST(a_url_may_say_how_long_connecting_takes_at_most)
{
    char url[320];
    cx_db *db;

    (void)snprintf(url, sizeof(url), "%s&connect_timeout=1", proxy->url);
    proxy->silent = true;
    assert_int_equal(cx_db_open(url, NULL, &db), -ETIMEDOUT);
}

/* A pooler says a number of its own for the server's process. */
static void change_process(char *data, size_t size)
{
    char *key = memmem(data, size, "K\0\0\0\f", 5);

    assert_non_null(key);
    key[8] ^= 1;
}

/* P21. */
PROXY_TEST(a_pooler_in_between_is_refused)
{
    cx_db *db;

    (void)two_make_in(folder);
    proxy->doctor = change_process;
    assert_int_equal(cx_db_open(proxy->url, NULL, &db), -EPROTONOSUPPORT);
    assert_non_null(strstr(cx_db_problem(), "pooler"));
    proxy->doctor = NULL;
    assert_ok(cx_db_open(proxy->url, NULL, &db));
    assert_ok(cx_db_close(db));
    (void)two_check_in(folder);
}

static void change_version(char *data, size_t size)
{
    char *version = memmem(data, size, "server_version\0", 15);

    assert_non_null(version);
    memcpy(version + 15, "13", 2);
}

PROXY_TEST(a_server_that_is_too_old_is_refused)
{
    cx_db *db;

    proxy->doctor = change_version;
    assert_int_equal(cx_db_open(proxy->url, NULL, &db), -EPROTONOSUPPORT);
    assert_non_null(strstr(cx_db_problem(), "older"));
}

PROXY_TEST(a_server_that_is_not_there_is_an_error)
{
    char url[320];
    cx_db *db;

    (void)snprintf(url, sizeof(url), "%s.x", proxy->url);
    assert_int_equal(cx_db_open(url, NULL, &db), -ECONNREFUSED);
}

/* What a server says that does not let anybody in, in its own language. */
static const char *state_to_say;

static void say_error(char *data, size_t size)
{
    char words[128];
    int len = snprintf(words, sizeof(words),
                       "SFATALE%cVFATAL%cC%s%cMSECRET%cFx.c%cL1%cRx%c%c", 0, 0,
                       state_to_say, 0, 0, 0, 0, 0, 0);

    assert_in_range(len + 5, 1, size);
    memcpy(data, "E\0\0\0", 4);
    data[4] = (char)(len + 4);
    memcpy(data + 5, words, (size_t)len);
}

PROXY_TEST(a_server_that_refuses_a_connection_says_why)
{
    static const struct {
        const char *state;
        int error;
    } cases[] = {
        {"53300", -EAGAIN},     {"57P03", -EAGAIN},       {"28P01", -EACCES},
        {"28000", -EACCES},     {"42501", -EACCES},       {"3D000", -ENOENT},
        {"57P01", -ECONNRESET}, {"XX000", -ECONNREFUSED},
    };
    cx_db *db;

    proxy->doctor = say_error;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        state_to_say = cases[i].state;
        assert_int_equal(cx_db_open(proxy->url, NULL, &db), cases[i].error);
        assert_non_null(strstr(cx_db_problem(), cases[i].state));
        assert_null(strchr(cx_db_problem(), '\n'));
    }
}

/* A server that wants a password, in clear. */
static void ask_for_password(char *data, size_t size)
{
    assert_in_range(9, 1, size);
    memcpy(data, "R\0\0\0\b\0\0\0\3", 9);
}

PROXY_TEST(a_password_that_is_wanted_and_not_there_is_said_so)
{
    cx_db *db;

    proxy->doctor = ask_for_password;
    assert_int_equal(cx_db_open(proxy->url, NULL, &db), -EACCES);
    assert_non_null(strstr(cx_db_problem(), "wants a password"));
}

PROXY_TEST(a_database_that_is_not_there_is_told)
{
    const char *host = strchr(proxy->url, '?');
    char url[320];
    cx_db *db;

    assert_non_null(host);
    (void)snprintf(url, sizeof(url), "postgresql://owner@/nowhere%s", host);
    assert_int_equal(cx_db_open(url, NULL, &db), -ENOENT);
}

static int threads(void)
{
    DIR *listing = opendir("/proc/self/task");
    int n = 0;

    assert_non_null(listing);
    while (readdir(listing) != NULL)
        n++;
    (void)closedir(listing);
    return n;
}

/* R9: each cancel that it does not hear is a thread that waits for it. */
TASK_TEST(a_silent_server_does_not_make_threads_without_end)
{
    struct cut cut;
    int before;

    cut_make(&cut);
    before = threads();
    for (int i = 0; i < 30; i++) {
        assert_whole(cut.db, cut.two.a, "open");
        fall_silent(&cut, 2);
    }
    assert_in_range(threads(), before + 1, before + 8);
    cut_end(&cut);
}

/* Cancels begin when they are let; how many were sent? */
static bool cancels_wait;
static unsigned cancels_sent;

int __real_PQcancel(PGcancel *cancel, char *words, int size);
int __wrap_PQcancel(PGcancel *cancel, char *words, int size);

int __wrap_PQcancel(PGcancel *cancel, char *words, int size)
{
    int result;

    while (__atomic_load_n(&cancels_wait, __ATOMIC_SEQ_CST))
        (void)sched_yield();
    result = __real_PQcancel(cancel, words, size);
    (void)__atomic_add_fetch(&cancels_sent, 1, __ATOMIC_SEQ_CST);
    return result;
}

static void let_cancels(bool wait)
{
    __atomic_store_n(&cancels_wait, wait, __ATOMIC_SEQ_CST);
}

static void *sleep_long(void *arg)
{
    return as_pointer(run(arg, "SELECT pg_sleep(600)"));
}

/* Does the server, as its administrator sees it, run that? */
static bool is_asleep(const struct folder *folder)
{
    char answer[8] = "";
    char command[1024];
    const char *role = getenv("CTXVAR_POSTGRES_SUPERUSER");
    const char *database = strstr(folder->url, "@/");
    FILE *pipe;

    assert_non_null(role);
    assert_non_null(database);
    (void)snprintf(command, sizeof(command),
                   "psql -qXAt '%.*s%s' -c \"SELECT count(*) FROM"
                   " pg_stat_activity WHERE datname = current_database() AND"
                   " state = 'active' AND query LIKE 'SELECT pg_sleep(600)'\"",
                   (int)(strstr(role, "@/") - role), role, database);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(answer, sizeof(answer), pipe));
    assert_int_equal(pclose(pipe), 0);
    return answer[0] == '1';
}

/* For a process of its own, which ends where the close does. */
static void *give_up_and_close(void *arg)
{
    const struct folder *folder = arg;
    cx_tenant *tenant;
    cx_task *task;
    cx_db *db;

    __atomic_store_n(&cancels_sent, 0, __ATOMIC_SEQ_CST);
    assert_ok(cx_db_open(folder->url, NULL, &db));
    tenant = tenant_make(db, "A");
    CX_WITH_TENANT(tenant) {
        task = cx_task_create(sleep_long, db);
        assert_non_null(task);
        while (!is_asleep(folder))
            assert_ok(cx_sleep(1));
        let_cancels(true);
        assert_int_equal(cx_cancel(task), 0);
        assert_int_equal(cx_await(task, NULL), 0);
    }
    cx_tenant_unref(tenant);
    let_cancels(false);
    assert_ok(cx_db_close(db));
    _exit(__atomic_load_n(&cancels_sent, __ATOMIC_SEQ_CST) == 1 ? 0 : 1);
}

static void a_close_sends_the_cancels_that_are_on_their_way(void **state)
{
    struct folder folder;
    pid_t child;

    (void)state;
    folder_make(&folder);
    child = fork();
    if (child == 0)
        (void)cx_run(give_up_and_close, &folder, NULL);
    assert_true(child > 0);
    assert_int_equal(status_of(child), 0);
    while (is_asleep(&folder))
        (void)sched_yield();
    folder_remove(&folder);
}

/* R9. */
TASK_TEST(a_close_does_not_wait_long_for_a_server_that_is_silent)
{
    struct cut cut;
    uint64_t from;

    cut_make(&cut);
    CX_WITH_TENANT(cut.two.a) {
        assert_ok(run(cut.db, "SELECT 1"));
        cut.proxy.silent = true;
        CX_TIMEOUT(2) {
            assert_int_equal(run(cut.db, "DELETE FROM users"), -ETIMEDOUT);
        }
    }
    two_end(&cut.two);
    from = cx_time();
    assert_ok(cx_db_close(cut.db));
    assert_in_range(cx_time() - from, 900, 30000);
    (void)two_check_in(&cut.folder);
    proxy_end(&cut.proxy);
    folder_remove(&cut.folder);
}

/* Wait for a server that recovers. */
static void await_server(cx_db *db)
{
    int error = run(db, "SELECT 1");

    while (error == -ECONNREFUSED || error == -ECONNRESET || error == -EAGAIN) {
        assert_ok(cx_sleep(10));
        error = run(db, "SELECT 1");
    }
    assert_ok(error);
}

/* R9: a server whose process is killed ends all its connections, and starts
 * again. */
ATTACK(a_server_that_crashes_in_a_transaction_is_an_error_until_it_is_back)
{
    int error;

    CX_TRANSACTION(db, &error) {
        pid_t process = (pid_t)number(db, "SELECT pg_backend_pid()::bigint");

        assert_ok(run(db, "DELETE FROM users"));
        assert_int_equal(kill(process, SIGKILL), 0);
        error = run(db, "SELECT pg_sleep(10)");
    }
    assert_int_equal(error, -ECONNRESET);
    await_server(db);
    assert_ok(run(db, "UPDATE users SET age = age"));
}

/* A server that must not be written to says so to whoever writes. */
USERS_TEST(a_server_that_is_read_only_is_read)
{
    (void)user_add(db, "x", 1);
    server_run_as_superuser(
        folder->url,
        "DO \\$\\$ BEGIN EXECUTE format('ALTER DATABASE %I SET"
        " default_transaction_read_only = on', current_database());"
        " PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE usename LIKE 'cx\\_%'; END \\$\\$");
    await_server(db);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 1);
    assert_int_equal(run(db, "DELETE FROM users"), -EROFS);
    assert_int_equal(number(db, "SELECT count(*) FROM users"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_at_any_point_of_a_conversation_is_clean),
        cmocka_unit_test(
            a_connection_that_is_cut_at_any_point_is_an_error_and_no_more),
        cmocka_unit_test(a_server_that_falls_silent_at_any_point_keeps_nobody),
        cmocka_unit_test(
            a_server_that_is_silent_is_waited_for_until_the_deadline),
        cmocka_unit_test(a_url_may_say_how_long_connecting_takes_at_most),
        cmocka_unit_test(a_pooler_in_between_is_refused),
        cmocka_unit_test(a_server_that_is_too_old_is_refused),
        cmocka_unit_test(a_server_that_is_not_there_is_an_error),
        cmocka_unit_test(a_server_that_refuses_a_connection_says_why),
        cmocka_unit_test(a_password_that_is_wanted_and_not_there_is_said_so),
        cmocka_unit_test(a_database_that_is_not_there_is_told),
        cmocka_unit_test(a_silent_server_does_not_make_threads_without_end),
        cmocka_unit_test(a_close_sends_the_cancels_that_are_on_their_way),
        cmocka_unit_test(
            a_close_does_not_wait_long_for_a_server_that_is_silent),
        cmocka_unit_test(
            a_server_that_crashes_in_a_transaction_is_an_error_until_it_is_back),
        cmocka_unit_test(a_server_that_is_read_only_is_read),
    };

    return cmocka_run_group_tests_name("postgres cut", tests, NULL, NULL);
}
