/* SPDX-License-Identifier: MIT */
/*
 * Tasks that have one tenant's connection and ask for another's: which of them
 * are told that they would wait for ever, and which wait.
 */
#include "many.h"

#include <ctxvar/deadline.h>
#include <ctxvar/group.h>

enum { DEPTH = 3, LONG_MS = 60000 };

/*
 * A task that has a connection of one tenant's, and, once it is let go on, asks
 * for the next one's within, and so on: "01" has tenant 0's and asks for 1's.
 */
struct nested {
    const struct many *many;
    const char *path;
    cx_event *held;
    cx_event *go;
    cx_task *task;
    unsigned timeout_ms;
    char words[128]; /* when it was told */
    bool read;       /* since then */
};

/* It has been told, and has what it had. */
static void nested_told(struct nested *nested)
{
    User user = {.id = 1};
    CX_ARENA(arena);

    (void)snprintf(nested->words, sizeof(nested->words), "%s", cx_db_problem());
    nested->read =
        cx_db_find(nested->many->db, &user_model, &user, &arena) == 0;
}

static int nested_enter(struct nested *nested, const char *path)
{
    const struct many *many = nested->many;
    int error = 0;
    User user;

    CX_WITH_TENANT(many->tenants[*path - '0']) {
        CX_DB_EACH(many->db, &user_model, NULL, &user, &error) {
            (void)cx_event_set(nested->held);
            error = cx_event_wait(nested->go);
            if (error == 0 && path[1] != '\0')
                error = nested_enter(nested, path + 1);
            if (error == -EDEADLK)
                nested_told(nested);
            break;
        }
    }
    return error;
}

static void *nested_main(void *arg)
{
    struct nested *nested = arg;
    int error = -ETIMEDOUT;

    CX_TIMEOUT(nested->timeout_ms) {
        error = nested_enter(nested, nested->path);
    }
    return as_pointer(error);
}

/* Start one; it does not have its first connection yet. */
static void nested_begin(struct nested *nested, const struct many *many,
                         const char *path)
{
    *nested = (struct nested){.many = many,
                              .path = path,
                              .held = cx_event_new(),
                              .go = cx_event_new(),
                              .timeout_ms = 10 * LONG_MS};
    nested->task = cx_task_create(nested_main, nested);
    assert_non_null(nested->task);
}

static void nested_start(struct nested *nested, const struct many *many,
                         const char *path)
{
    nested_begin(nested, many, path);
    assert_int_equal(cx_event_wait(nested->held), 0);
}

static void nested_go(const struct nested *nested)
{
    assert_int_equal(cx_event_set(nested->go), 0);
}

/* What it came to. */
static int nested_end(struct nested *nested)
{
    void *error;

    CX_TIMEOUT(LONG_MS) {
        assert_int_equal(cx_await(nested->task, &error), 0);
    }
    (void)cx_event_free(nested->held);
    (void)cx_event_free(nested->go);
    return (int)(intptr_t)error;
}

static cx_db_stats stats_of(const struct many *many)
{
    cx_db_stats stats;

    assert_ok(cx_db_stats_get(many->db, NULL, &stats));
    return stats;
}

/* Wait until so many tasks wait for a connection, and see that they do. */
static void until_waiting(const struct many *many, size_t n)
{
    CX_TIMEOUT(LONG_MS) {
        while (stats_of(many).waiting != n)
            assert_int_equal(cx_yield(), 0);
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(cx_yield(), 0);
    assert_int_equal(stats_of(many).waiting, n);
}

/* Have one ask, which waits: the n-th to do so. */
static void nested_go_and_wait(const struct nested *nested, size_t n)
{
    nested_go(nested);
    until_waiting(nested->many, n);
}

/* The end: nobody has anything, and each tenant has all its connections. */
static void end_whole(struct many *many, unsigned each)
{
    static const char *const paths[] = {"0", "1", "2", "3"};
    struct nested *all = calloc(each, sizeof(*all));

    assert_int_equal(stats_of(many).used, 0);
    assert_int_equal(stats_of(many).waiting, 0);
    for (int tenant = 0; tenant < many->n; tenant++) {
        for (unsigned i = 0; i < each; i++)
            nested_start(&all[i], many, paths[tenant]);
        assert_int_equal(stats_of(many).used, each);
        for (unsigned i = 0; i < each; i++)
            nested_go(&all[i]);
        for (unsigned i = 0; i < each; i++)
            assert_int_equal(nested_end(&all[i]), 0);
    }
    free(all);
    many_end(many);
}

TASK_TEST(of_those_who_wait_for_one_another_the_last_is_told)
{
    struct nested all[16];
    struct many many;

    many_make(&many, NULL, 2);
    for (int i = 0; i < 16; i++)
        nested_start(&all[i], &many, i < 8 ? "01" : "10");
    for (int i = 0; i < 15; i++)
        nested_go_and_wait(&all[i], (size_t)i + 1);
    nested_go(&all[15]);
    assert_int_equal(nested_end(&all[15]), -EDEADLK);
    assert_string_equal(all[15].words,
                        "this wait would not end: the tasks that have the"
                        " connections wait for one, too");
    assert_true(all[15].read);
    for (int i = 0; i < 15; i++)
        assert_int_equal(nested_end(&all[i]), 0);
    end_whole(&many, 8);
}

TASK_TEST(so_it_is_when_all_of_them_come_at_once)
{
    struct nested all[16];
    struct many many;
    int told = 0;

    many_make(&many, NULL, 2);
    for (int i = 0; i < 16; i++)
        nested_start(&all[i], &many, i % 2 == 0 ? "01" : "10");
    for (int i = 0; i < 16; i++)
        nested_go(&all[i]);
    for (int i = 0; i < 16; i++) {
        int error = nested_end(&all[i]);

        told += error == -EDEADLK;
        assert_true(error == 0 || error == -EDEADLK);
    }
    assert_int_equal(told, 1);
    end_whole(&many, 8);
}

TASK_TEST(a_circle_of_three_tenants_is_one)
{
    static const char *const paths[] = {"01", "12", "20"};
    cx_db_options one = {.connections_each = 1};
    struct nested all[3];
    struct many many;

    many_make(&many, &one, 3);
    for (int i = 0; i < 3; i++)
        nested_start(&all[i], &many, paths[i]);
    nested_go_and_wait(&all[0], 1);
    nested_go_and_wait(&all[1], 2);
    nested_go(&all[2]);
    assert_int_equal(nested_end(&all[2]), -EDEADLK);
    assert_int_equal(nested_end(&all[1]), 0);
    assert_int_equal(nested_end(&all[0]), 0);
    end_whole(&many, 1);
}

/* Nobody who waits has what the others wait for, but all there is. */
TASK_TEST(all_connections_with_tasks_that_want_one_more_are_a_circle)
{
    static const char *const paths[] = {"03", "13", "23"};
    cx_db_options three = {.connections = 3, .connections_each = 2};
    struct nested all[3];
    struct many many;

    many_make(&many, &three, 4);
    for (int i = 0; i < 3; i++)
        nested_start(&all[i], &many, paths[i]);
    nested_go_and_wait(&all[0], 1);
    nested_go_and_wait(&all[1], 2);
    nested_go(&all[2]);
    assert_int_equal(nested_end(&all[2]), -EDEADLK);
    assert_int_equal(nested_end(&all[1]), 0);
    assert_int_equal(nested_end(&all[0]), 0);
    end_whole(&many, 2);
}

TASK_TEST(a_task_that_has_the_only_connection_does_not_wait_for_itself)
{
    cx_db_options one = {.connections = 1};
    struct nested nested;
    struct many many;

    many_make(&many, &one, 2);
    nested_start(&nested, &many, "01");
    nested_go(&nested);
    assert_int_equal(nested_end(&nested), -EDEADLK);
    end_whole(&many, 1);
}

TASK_TEST(a_task_that_has_several_is_in_the_way_with_each)
{
    cx_db_options one = {.connections_each = 1};
    struct nested three, back;
    struct many many;

    many_make(&many, &one, 4);
    nested_start(&back, &many, "31");
    nested_begin(&three, &many, "0123");
    nested_go(&three);
    until_waiting(&many, 1);
    nested_go(&back);
    assert_int_equal(nested_end(&back), -EDEADLK);
    assert_int_equal(nested_end(&three), 0);
    end_whole(&many, 1);
}

TASK_TEST(a_circle_is_told_while_another_tenant_is_at_work)
{
    cx_db_options one = {.connections_each = 1};
    struct nested circle[2], other;
    struct many many;

    many_make(&many, &one, 4);
    nested_start(&circle[0], &many, "01");
    nested_start(&circle[1], &many, "10");
    nested_start(&other, &many, "2");
    nested_go_and_wait(&circle[0], 1);
    assert_own_row(&many, 3);
    nested_go(&circle[1]);
    assert_int_equal(nested_end(&circle[1]), -EDEADLK);
    assert_int_equal(nested_end(&circle[0]), 0);
    nested_go(&other);
    assert_int_equal(nested_end(&other), 0);
    end_whole(&many, 1);
}

/* The deadline of one of them would end it, too, but not as well. */
TASK_TEST(a_deadline_is_not_waited_for)
{
    cx_db_options one = {.connections_each = 1};
    struct nested circle[2];
    struct many many;

    many_make(&many, &one, 2);
    for (int i = 0; i < 2; i++) {
        nested_begin(&circle[i], &many, i == 0 ? "01" : "10");
        circle[i].timeout_ms = LONG_MS;
        assert_int_equal(cx_event_wait(circle[i].held), 0);
    }
    nested_go_and_wait(&circle[0], 1);
    nested_go(&circle[1]);
    assert_int_equal(nested_end(&circle[1]), -EDEADLK);
    assert_int_equal(nested_end(&circle[0]), 0);
    end_whole(&many, 1);
}

/* Of four that have connections of two tenants, three wait for the other. */
TASK_TEST(it_is_no_circle_while_one_of_those_who_have_it_works)
{
    static const char *const paths[] = {"01", "10", "10", "0"};
    cx_db_options two = {.connections_each = 2};
    struct nested all[4];
    struct many many;

    many_make(&many, &two, 2);
    for (int i = 0; i < 4; i++)
        nested_start(&all[i], &many, paths[i]);
    for (size_t i = 0; i < 3; i++)
        nested_go_and_wait(&all[i], i + 1);
    nested_go(&all[3]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(nested_end(&all[i]), 0);
    end_whole(&many, 2);
}

TASK_TEST(it_is_no_circle_while_the_last_of_a_chain_works)
{
    static const char *const paths[] = {"01", "12", "2"};
    cx_db_options one = {.connections_each = 1};
    struct nested all[3];
    struct many many;

    many_make(&many, &one, 3);
    for (int i = 0; i < 3; i++)
        nested_start(&all[i], &many, paths[i]);
    nested_go_and_wait(&all[1], 1);
    nested_go_and_wait(&all[0], 2);
    nested_go(&all[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(nested_end(&all[i]), 0);
    end_whole(&many, 1);
}

/* One waits for what another has that waits for what will come free. */
TASK_TEST(it_is_no_circle_while_one_waits_for_any_connection)
{
    static const char *const paths[] = {"01", "13", "2"};
    cx_db_options three = {.connections = 3, .connections_each = 1};
    struct nested all[3];
    struct many many;

    many_make(&many, &three, 4);
    for (int i = 0; i < 3; i++)
        nested_start(&all[i], &many, paths[i]);
    nested_go_and_wait(&all[1], 1);
    nested_go_and_wait(&all[0], 2);
    nested_go(&all[2]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(nested_end(&all[i]), 0);
    end_whole(&many, 1);
}

/* One has been let in, and has not run since. */
TASK_TEST(it_is_no_circle_once_one_of_them_is_let_in)
{
    static const char *const paths[] = {"01", "01", "1", "10"};
    cx_db_options two = {.connections_each = 2};
    struct nested all[4];
    struct many many;

    many_make(&many, &two, 2);
    for (int i = 0; i < 4; i++)
        nested_start(&all[i], &many, paths[i]);
    nested_go_and_wait(&all[0], 1);
    nested_go_and_wait(&all[1], 2);
    nested_go(&all[2]);
    nested_go(&all[3]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(nested_end(&all[i]), 0);
    end_whole(&many, 2);
}

/* One has been cancelled, and has not run since. */
TASK_TEST(it_is_no_circle_once_one_of_them_is_cancelled)
{
    cx_db_options one = {.connections_each = 1};
    struct nested circle[2];
    struct many many;

    many_make(&many, &one, 2);
    nested_start(&circle[0], &many, "01");
    nested_start(&circle[1], &many, "10");
    nested_go_and_wait(&circle[0], 1);
    nested_go(&circle[1]);
    assert_int_equal(cx_cancel(circle[0].task), 0);
    assert_int_equal(nested_end(&circle[0]), -ECANCELED);
    assert_int_equal(nested_end(&circle[1]), 0);
    end_whole(&many, 1);
}

static void *cancel(void *task)
{
    return as_pointer(cx_cancel(task));
}

/* So has the one that took its place, in the turn in which that is looked at
 * again. */
TASK_TEST(it_is_no_circle_once_who_comes_instead_is_cancelled_too)
{
    cx_db_options one = {.connections_each = 1};
    struct nested circle[2], instead;
    struct many many;
    cx_task *task;

    many_make(&many, &one, 2);
    nested_start(&circle[0], &many, "01");
    nested_start(&circle[1], &many, "10");
    nested_go_and_wait(&circle[0], 1);
    nested_go(&circle[1]);
    assert_int_equal(cx_cancel(circle[0].task), 0);
    nested_begin(&instead, &many, "01");
    nested_go(&instead);
    task = cx_task_create(cancel, instead.task);
    assert_int_equal(cx_await(task, NULL), 0);
    assert_int_equal(nested_end(&circle[0]), -ECANCELED);
    assert_int_equal(nested_end(&instead), -ECANCELED);
    assert_int_equal(nested_end(&circle[1]), 0);
    end_whole(&many, 1);
}

/* In the turn in which the circle is closed. */
TASK_TEST(who_is_cancelled_itself_is_told_that)
{
    cx_db_options one = {.connections = 1};
    struct nested nested;
    struct many many;

    many_make(&many, &one, 2);
    nested_start(&nested, &many, "01");
    nested_go(&nested);
    assert_int_equal(cx_yield(), 0);
    assert_int_equal(cx_cancel(nested.task), 0);
    assert_int_equal(nested_end(&nested), -ECANCELED);
    end_whole(&many, 1);
}

/* Has tenant 0's; then, at once, tenant 2's, and asks for tenant 0's again. */
static void *move_on(void *arg)
{
    struct nested *nested = arg;
    int error = nested_enter(nested, "0");

    if (error == 0)
        error = nested_enter(nested, "20");
    return as_pointer(error);
}

/* One has a place with tenant 0, and waits for a connection to go with it. */
TASK_TEST(who_has_nothing_is_not_told)
{
    cx_db_options two = {.connections = 2, .connections_each = 1};
    struct nested first, nothing, moves;
    struct many many;

    many_make(&many, &two, 3);
    nested_start(&first, &many, "10");
    moves = (struct nested){
        .many = &many, .held = cx_event_new(), .go = cx_event_new()};
    moves.task = cx_task_create(move_on, &moves);
    assert_int_equal(cx_event_wait(moves.held), 0);
    nested_begin(&nothing, &many, "0");
    nested_go(&nothing);
    until_waiting(&many, 1);
    nested_go_and_wait(&first, 2);
    nested_go(&moves);
    assert_int_equal(nested_end(&moves), -EDEADLK);
    assert_int_equal(nested_end(&nothing), 0);
    assert_int_equal(nested_end(&first), 0);
    end_whole(&many, 1);
}

/*
 * A model: many tasks that take the connections of a few tenants, within one
 * another, and what each of them has and asks for.
 */
enum { MODEL_TENANTS = 4, MODEL_EACH = 2, MODEL_TASKS = 24, NOTHING = -1 };

struct member {
    struct model *model;
    cx_task *task;
    bool has[MODEL_TENANTS];
    int asks;
};

struct model {
    struct many many;
    struct member members[MODEL_TASKS];
    int most;
    bool ordered;
    unsigned seed;
    int told;
    int wrong;
};

static int chance(struct model *model, int n)
{
    return rand_r(&model->seed) % n;
}

/* What is left when all who are done but with one have given theirs back. */
struct rest {
    int free[MODEL_TENANTS];
    int all;
    bool done[MODEL_TASKS];
};

static struct rest rest_of(const struct model *model)
{
    struct rest rest = {.all = model->most};

    for (int t = 0; t < MODEL_TENANTS; t++)
        rest.free[t] = MODEL_EACH;
    for (int i = 0; i < MODEL_TASKS; i++) {
        for (int t = 0; t < MODEL_TENANTS; t++) {
            rest.free[t] -= model->members[i].has[t];
            rest.all -= model->members[i].has[t];
        }
    }
    return rest;
}

/* Have one that can get what it asks for do so, and end. */
static bool rest_end_one(const struct model *model, struct rest *rest)
{
    for (int i = 0; i < MODEL_TASKS; i++) {
        const struct member *member = &model->members[i];
        int asks = member->asks;

        if (rest->done[i] ||
            (asks != NOTHING && (rest->free[asks] == 0 || rest->all == 0)))
            continue;
        rest->done[i] = true;
        for (int t = 0; t < MODEL_TENANTS; t++) {
            rest->free[t] += member->has[t];
            rest->all += member->has[t];
        }
        return true;
    }
    return false;
}

/* Could its wait end, in whatever order the others go on? */
static bool could_end(const struct member *member)
{
    const struct model *model = member->model;
    struct rest rest = rest_of(model);

    while (rest_end_one(model, &rest))
        continue;
    return rest.done[member - model->members];
}

static void member_work(struct model *model)
{
    int n = chance(model, 4);

    if (chance(model, 40) == 0)
        (void)cx_cancel(model->members[chance(model, MODEL_TASKS)].task);
    while (n-- > 0)
        (void)cx_yield();
}

/* Take a tenant's connection and, within that, others'. */
static int member_take(struct member *member, int tenant, int depth)
{
    struct model *model = member->model;
    bool had = member->has[tenant];
    int error = 0;
    User user;

    CX_WITH_TENANT(model->many.tenants[tenant]) {
        member->asks = had ? NOTHING : tenant;
        CX_DB_EACH(model->many.db, &user_model, NULL, &user, &error) {
            int from = model->ordered ? tenant + 1 : 0;

            member->asks = NOTHING;
            member->has[tenant] = true;
            model->wrong += !is_row_of(&user, tenant);
            member_work(model);
            if (depth < DEPTH && from < MODEL_TENANTS)
                error = member_take(member,
                                    from + chance(model, MODEL_TENANTS - from),
                                    depth + 1);
            break;
        }
    }
    if (error == -EDEADLK && member->asks != NOTHING) {
        model->told++;
        model->wrong += could_end(member);
    }
    member->asks = NOTHING;
    member->has[tenant] = had;
    return error;
}

static void *member_main(void *arg)
{
    struct member *member = arg;
    int error = 0;

    for (int i = 0; i < 5 && error != -ECANCELED; i++) {
        error = member_take(member, chance(member->model, MODEL_TENANTS), 1);
        member->model->wrong +=
            error != 0 && error != -ECANCELED && error != -EDEADLK;
    }
    return NULL;
}

/* Run it; how often somebody was told. */
static int model_run(int most, bool ordered, unsigned seed)
{
    cx_db_options options = {.connections = (unsigned)most,
                             .connections_each = MODEL_EACH};
    struct model model = {.most = most, .ordered = ordered, .seed = seed};

    many_make(&model.many, &options, MODEL_TENANTS);
    for (int i = 0; i < MODEL_TASKS; i++) {
        struct member *member = &model.members[i];

        *member = (struct member){.model = &model, .asks = NOTHING};
        member->task = cx_task_create(member_main, member);
    }
    for (int i = 0; i < MODEL_TASKS; i++) {
        CX_TIMEOUT(LONG_MS) {
            assert_int_equal(cx_await(model.members[i].task, NULL), 0);
        }
    }
    assert_int_equal(model.wrong, 0);
    end_whole(&model.many, MODEL_EACH);
    return model.told;
}

/* Where connections are few, each costs the patience of a pool, and on a server
 * milliseconds more. */
static unsigned model_seeds(void)
{
    if (getenv("CTXVAR_FULL") != NULL)
        return 50;
    return server() != NULL ? 1 : 3;
}

TASK_TEST(whatever_tasks_take_they_end_and_are_told_only_what_is_true)
{
    int told = 0;

    for (unsigned seed = 1; seed <= model_seeds(); seed++) {
        for (int most = 3; most <= MODEL_TENANTS * MODEL_EACH; most += 2)
            told += model_run(most, false, seed);
    }
    assert_true(told > 0);
}

TASK_TEST(who_takes_tenants_in_one_order_is_never_told)
{
    for (unsigned seed = 1; seed <= model_seeds(); seed++)
        assert_int_equal(model_run(MODEL_TENANTS * MODEL_EACH, true, seed), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_those_who_wait_for_one_another_the_last_is_told),
        cmocka_unit_test(so_it_is_when_all_of_them_come_at_once),
        cmocka_unit_test(a_circle_of_three_tenants_is_one),
        cmocka_unit_test(
            all_connections_with_tasks_that_want_one_more_are_a_circle),
        cmocka_unit_test(
            a_task_that_has_the_only_connection_does_not_wait_for_itself),
        cmocka_unit_test(a_task_that_has_several_is_in_the_way_with_each),
        cmocka_unit_test(a_circle_is_told_while_another_tenant_is_at_work),
        cmocka_unit_test(a_deadline_is_not_waited_for),
        cmocka_unit_test(it_is_no_circle_while_one_of_those_who_have_it_works),
        cmocka_unit_test(it_is_no_circle_while_the_last_of_a_chain_works),
        cmocka_unit_test(it_is_no_circle_while_one_waits_for_any_connection),
        cmocka_unit_test(it_is_no_circle_once_one_of_them_is_let_in),
        cmocka_unit_test(it_is_no_circle_once_one_of_them_is_cancelled),
        cmocka_unit_test(
            it_is_no_circle_once_who_comes_instead_is_cancelled_too),
        cmocka_unit_test(who_is_cancelled_itself_is_told_that),
        cmocka_unit_test(who_has_nothing_is_not_told),
        cmocka_unit_test(
            whatever_tasks_take_they_end_and_are_told_only_what_is_true),
        cmocka_unit_test(who_takes_tenants_in_one_order_is_never_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
