/* SPDX-License-Identifier: MIT */
/*
 * Two processes that make the same tenant at the same time, again and again,
 * beside two that have rows.
 * The numbers are those of the catalogue of attacks.
 */
#include "two.h"

#include <sys/mman.h>
#include <sys/wait.h>

enum { ROUNDS = 100 };

/* What one of two came to in a round. */
struct round {
    int created;
    int found;
    int used;
    int64_t id;
};

/* Two that run the same rounds, each in a process of its own, which all of
 * this is shared by: [0] is the parent's. */
struct race {
    struct folder folder;
    int pipe[2][2];
    struct round rounds[2][ROUNDS];
};

struct racer {
    struct race *race;
    int me;
};

/* The next round begins when both are here; without the other one, never. */
static void race_meet(struct racer *racer)
{
    char byte = 'x';

    if (write(racer->race->pipe[!racer->me][1], &byte, 1) != 1 ||
        read(racer->race->pipe[racer->me][0], &byte, 1) != 1)
        _exit(1);
}

static void race_round(cx_db *db, int i, struct round *round)
{
    cx_tenant *tenant = NULL;
    char name[32];

    (void)snprintf(name, sizeof(name), "n%d", i);
    round->created = cx_tenant_create(db, CX_TEXT(name), NULL);
    round->found = cx_tenant_find(db, CX_TEXT(name), &tenant);
    if (round->found != 0)
        return;
    round->id = cx_tenant_id(tenant);
    CX_WITH_TENANT(tenant) {
        round->used = run(db, "INSERT INTO users (name) VALUES ('seen')");
    }
    cx_tenant_unref(tenant);
}

static void *race_run(void *arg)
{
    struct racer *racer = arg;
    cx_db *db = NULL;
    int error = cx_db_open(racer->race->folder.url, NULL, &db);

    for (int i = 0; i < ROUNDS; i++) {
        race_meet(racer);
        race_round(db, i, &racer->race->rounds[racer->me][i]);
    }
    return as_pointer(error == 0 ? cx_db_close(db) : error);
}

/* The same in a child process. */
static pid_t child_race(struct race *race)
{
    struct racer racer = {race, 1};
    pid_t child = fork();

    if (child == 0) {
        void *result = as_pointer(-1);

        (void)close(race->pipe[1][1]);
        (void)cx_run(race_run, &racer, &result);
        leave(result != NULL);
    }
    return child;
}

static struct race *race_new(void)
{
    struct race *race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(race, MAP_FAILED);
    folder_make(&race->folder);
    assert_int_equal(pipe(race->pipe[0]), 0);
    assert_int_equal(pipe(race->pipe[1]), 0);
    assert_int_equal(cx_run(two_make_in, &race->folder, NULL), 0);
    return race;
}

static void race_free(struct race *race)
{
    (void)close(race->pipe[0][0]);
    (void)close(race->pipe[1][0]);
    (void)close(race->pipe[1][1]);
    folder_remove(&race->folder);
    (void)munmap(race, sizeof(*race));
}

/* One made it, both had it. */
static void assert_one_won(const struct round *one, const struct round *other)
{
    const struct round *winner = one->created == 0 ? one : other;
    const struct round *loser = winner == one ? other : one;

    assert_int_equal(winner->created, 0);
    assert_int_equal(loser->created, -EEXIST);
    assert_int_equal(one->found, 0);
    assert_int_equal(other->found, 0);
    assert_int_equal(one->id, other->id);
    assert_int_equal(one->used, 0);
    assert_int_equal(other->used, 0);
}

/* What both of them wrote is in the one file, but for the two's. */
static int check_both_wrote(cx_tenant *tenant, void *arg)
{
    cx_db *db = arg;

    if (cx_tenant_id(tenant) <= 2)
        return 0;
    CX_WITH_TENANT(tenant) {
        assert_int_equal(number(db, "SELECT count(*) FROM users"), 2);
    }
    return 0;
}

static void *race_check(void *arg)
{
    struct race *race = arg;
    cx_db *db;

    for (int i = 0; i < ROUNDS; i++)
        assert_one_won(&race->rounds[0][i], &race->rounds[1][i]);
    assert_ok(cx_db_open(race->folder.url, NULL, &db));
    assert_ok(cx_tenant_each(db, check_both_wrote, db));
    assert_ok(cx_db_close(db));
    return NULL;
}

/* S22. */
static void
of_two_processes_at_once_one_makes_a_tenant_and_both_have_it(void **state)
{
    struct race *race = race_new();
    struct racer racer = {race, 0};
    void *result = as_pointer(-1);
    int status = -1;
    pid_t child;

    (void)state;
    child = child_race(race);
    /* It ends when the child does. */
    (void)close(race->pipe[0][1]);
    assert_int_equal(cx_run(race_run, &racer, &result), 0);
    assert_null(result);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(cx_run(race_check, race, NULL), 0);
    assert_int_equal(cx_run(two_check_in, &race->folder, NULL), 0);
    /* With the registry, the template and the two. */
    assert_int_equal(files_in(&race->folder), ROUNDS + 4);
    race_free(race);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            of_two_processes_at_once_one_makes_a_tenant_and_both_have_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
