/* SPDX-License-Identifier: MIT */
/*
 * Mistakes with the macros of <ctxvar/model.h> that a compiler must refuse.
 * Each is compiled alone; without any of them the file is right.
 */
#include <ctxvar/model.h>

typedef struct User {
    int64_t id;
    cx_text name;
    unsigned char shade;
} User;

typedef struct Other {
    int64_t id;
} Other;

static const cx_column user_columns[] = {
    CX_COLUMN(User, id, .key = true, .automatic = true),
    CX_COLUMN(User, name),
};
CX_MODEL(User, user_model, "users", user_columns);

int all_that_is_right(cx_db *db, User *user, const User *constant);

int all_that_is_right(cx_db *db, User *user, const User *constant)
{
    User users[2] = {{.id = 1}, {.id = 2}};

    return cx_db_insert(db, &user_model, user) +
           cx_db_insert(db, &user_model, &(User){.id = 1, .shade = 2}) +
           cx_db_insert_many(db, &user_model, users, 2) +
           cx_db_update(db, &user_model, constant, NULL) +
           cx_db_update(db, &user_model, (&(User){.id = 1, .shade = 2}), NULL) +
           cx_db_delete(db, &user_model, user);
}

#ifdef CASE_row_of_another_model
int refused(cx_db *db, Other *other);
int refused(cx_db *db, Other *other)
{
    return cx_db_insert(db, &user_model, other);
}
#endif

#ifdef CASE_row_that_is_to_be_written_and_is_constant
int refused(cx_db *db, const User *user);
int refused(cx_db *db, const User *user)
{
    return cx_db_find(db, &user_model, user, NULL);
}
#endif

#ifdef CASE_row_by_value
int refused(cx_db *db, User user);
int refused(cx_db *db, User user)
{
    return cx_db_delete(db, &user_model, user);
}
#endif

#ifdef CASE_rows_of_another_model
int refused(cx_db *db, Other **others, size_t *n, cx_arena *arena);
int refused(cx_db *db, Other **others, size_t *n, cx_arena *arena)
{
    return cx_db_list(db, &user_model, NULL, others, n, arena);
}
#endif

#ifdef CASE_member_of_a_type_that_no_column_has
static const cx_column refused[] = {CX_COLUMN(User, shade)};
#endif

#ifdef CASE_value_that_is_none
int refused(cx_db *db, Other *other);
int refused(cx_db *db, Other *other)
{
    return cx_db_sql(db, "SELECT $1", CX_PARAMS(other), NULL);
}
#endif

#ifdef CASE_error_that_nobody_looks_at
#pragma GCC diagnostic error "-Wunused-result"
void refused(cx_db *db, User *user);
void refused(cx_db *db, User *user)
{
    cx_db_insert(db, &user_model, user);
}
#endif
