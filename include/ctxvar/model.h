/* SPDX-License-Identifier: MIT */
/*
 * Models: a struct of the program's and the table that it is a row of.
 *
 *     typedef struct User {
 *         int64_t id;
 *         cx_text name;
 *         cx_maybe_i64 age;
 *     } User;
 *
 *     static const cx_column user_columns[] = {
 *         CX_COLUMN(User, id, .key = true, .automatic = true),
 *         CX_COLUMN(User, name),
 *         CX_COLUMN(User, age),
 *     };
 *     CX_MODEL(User, user_model, "users", user_columns);
 *
 *     User ann = {.name = CX_TEXT("Ann")};
 *     error = cx_db_insert(db, &user_model, &ann);
 *
 * The same model reads and writes each tenant's own table: the current one's.
 * The compiler checks that members and rows are of types that are known; a
 * table that does not match is refused at the first use, column by column.
 *
 *     C                                SQLite    PostgreSQL
 *     int64_t, cx_maybe_i64            INTEGER   bigint
 *     int32_t, cx_maybe_i32            INTEGER   integer
 *     double, cx_maybe_f64             REAL      double precision
 *     bool, cx_maybe_bool              INTEGER   boolean
 *     cx_text                          TEXT      text
 *     cx_blob                          BLOB      bytea
 *     cx_timestamp, cx_maybe_timestamp INTEGER   timestamptz
 *
 * What else a server has, as numeric or json, is text to a model, and can be
 * compared with what the server compares with text.
 *
 * A table may have columns that a model does not, and several models may be of
 * one table. So what an insert is to leave to the database, DEFAULT now() or a
 * column that it computes, is left out of the model that inserts:
 *
 *     static const cx_column new_user_columns[] = {
 *         CX_COLUMN(NewUser, id, .key = true, .automatic = true),
 *         CX_COLUMN(NewUser, name),
 *     };
 *     CX_MODEL(NewUser, new_user_model, "users", new_user_columns);
 *
 * A model is one table's, a row its key's, and the conditions of a query all
 * hold. There is no OR, IN or LIKE, no second column to order by, no join, no
 * sum, no insert that updates where the key is there, and no update or delete
 * of all rows that a condition holds for: that is SQL, and cx_db_sql() runs it
 * as the same tenant.
 *
 * The functions return, besides the errors of any call and of cx_db_sql(),
 *
 *   -EPROTOTYPE  the model does not match the table, or is none; or a row is to
 *                be named by its key, and the model has none
 *   -ERANGE      the tenant's tables are of a version outside of the model's
 *                range
 *   -EBADMSG     a field that the member's type cannot hold: NULL, another
 *                kind, a number too large
 */
#ifndef CTXVAR_MODEL_H
#define CTXVAR_MODEL_H

#include <ctxvar/tenant.h>

CX__BEGIN_DECLS

/** How a member lies in its struct. */
enum cx__field {
    CX__FIELD_NONE,
    CX__FIELD_I64,
    CX__FIELD_I32,
    CX__FIELD_F64,
    CX__FIELD_BOOL,
    CX__FIELD_TEXT,
    CX__FIELD_BLOB,
    CX__FIELD_TIMESTAMP,
    CX__FIELD_MAYBE = 16 /* or'ed */
};

/** A member of a struct and the column that it is; made by CX_COLUMN(). */
typedef struct cx_column {
    const char *member;
    unsigned offset;
    unsigned field; /**< private */
    /** What the column is called; NULL: as the member. Letters, digits and
     *  underscores. */
    const char *column;
    /** It is part of the primary key: all columns that are, or none of a model
     *  that only inserts and lists. */
    bool key;
    /** The database numbers new rows: of an int64_t that is the whole key, and
     *  0 in a new row. */
    bool automatic;
    /** A cx_text or cx_blob that may be NULL, and of no other. Others that may
     *  be are cx_maybe ones. */
    bool null;
} cx_column;

/** A table and how its rows lie in a struct; made by CX_MODEL(). It must stay
 *  where it is, as it is, while a database is open that has seen it. */
typedef struct cx_model {
    /** Letters, digits and underscores; quoted in statements, so that case
     *  matters. */
    const char *table;
    const cx_column *columns;
    size_t columns_len; /**< 1 to 56 */
    size_t size;        /**< of a row, in bytes */
    /** The versions of a tenant's tables that it knows, as migrations count
     *  them; 0: any. */
    int from;
    int until;
} cx_model;

/** How a column's value is to compare. */
typedef enum cx_compare {
    CX_EQ = 0, /**< NULL is equal to NULL */
    CX_NE = 1,
    CX_LT = 2, /**< never so for NULL, as all that follow */
    CX_LE = 3,
    CX_GT = 4,
    CX_GE = 5,
} cx_compare;

/** What a row must be like; made by CX_IS(). The value is of the column's kind,
 *  or a whole number for a double, or 0 or 1 for a bool. */
typedef struct cx_predicate {
    const char *column;
    cx_compare compare;
    cx_param value;
} cx_predicate;

/** Which rows, and in what order; made by CX_QUERY(). Zero members: all of
 *  them, in any order. */
typedef struct cx_query {
    const cx_predicate *where; /**< all of them hold; CX_WHERE() */
    size_t where_len;
    /** A column; among equals the key decides. NULL comes first. */
    const char *order;
    bool descending;
    uint64_t limit; /**< at most so many rows; 0: any number */
    uint64_t offset;
} cx_query;

/** Columns by name; made by CX_ONLY(). */
typedef struct cx_names {
    const char *const *list;
    size_t len;
} cx_names;

/**
 * Compare a model with the current tenant's table, as its first use does. A
 * table may have columns that the model does not; if a new row must give one
 * of them, that is told by the first insert.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @return 0, or an error of models; cx_db_problem() names each column that
 *         does not match.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: O(columns).
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_check(cx_db *db, const cx_model *model);

/**
 * Insert a row.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param row    Borrowed; an automatic member that is 0 is written.
 * @return 0, or an error of models; -EEXIST: there is a row with this key, or
 *         the table keeps it out (ON CONFLICT IGNORE).
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: that of the statement, which is made once.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_insert(cx_db *db, const cx_model *model,
                                           void *row);

/**
 * Find the row of a key.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param row    Borrowed; its key members say which, the others are written on
 *               success.
 * @param arena  Borrowed; where text and bytes are put. NULL: there are none.
 * @return 0, or an error of models, with the row as it was; -ENOENT: there is
 *         none.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: that of the statement, which is made once.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_find(cx_db *db, const cx_model *model,
                                         void *row, cx_arena *arena);

/**
 * Find the row of a key within a transaction, and keep others from changing it
 * until that ends: what is read so may be changed without losing what others
 * have changed meanwhile.
 *
 * Who else would lock or change it waits. On SQLite a transaction keeps others
 * from all rows, and this is as cx_model_find().
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param row    Borrowed; as for cx_model_find().
 * @param arena  Borrowed; as for cx_model_find().
 * @return as cx_model_find(); -EINVAL: outside of a transaction.
 *
 * Suspends: as cx_db_sql(), and while another transaction has the row. Threads:
 * the database's loop's, within a task.
 * Cost: as cx_model_find(); on PostgreSQL the row is written to.
 * Source: Django, select_for_update().  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_lock(cx_db *db, const cx_model *model,
                                         void *row, cx_arena *arena);

/**
 * Find the rows of many keys, at one round trip where there is one.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param rows   Borrowed: an array of n; their key members say which, the
 *               others of those that are there are written.
 * @param n      How many; 0 is fine.
 * @param found  Borrowed: n flags, written: whether the row is there. NULL:
 *               all must be.
 * @param arena  Borrowed; where text and bytes are put. NULL: there are none.
 * @return 0, or an error of models, with some rows written perhaps; -ENOENT:
 *         one is not there, without found.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: on PostgreSQL, one round trip for each 256, and one statement if the
 * key is one whole number; on SQLite that of n cx_model_find().
 * Source: libpq, pipeline mode; Rails, find() of several ids.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_find_many(cx_db *db, const cx_model *model,
                                              void *rows, size_t n, bool *found,
                                              cx_arena *arena);

/**
 * Insert many rows, all of them or none.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param rows   Borrowed: an array of n. An automatic member must be 0 in all
 *               of them, and is written, or in none.
 * @param n      How many; 0 is fine.
 * @return 0, or an error of models or of CX_TRANSACTION() with nothing
 *         inserted and the rows as they were; -EEXIST: there is a row with
 *         one of the keys; -EINVAL: some have a number, and some not.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: a transaction; in it, on PostgreSQL, one round trip for each 256.
 * Source: libpq, pipeline mode.  Since: 0.1
 */
CX__API CX__MUST_CHECK int
cx_model_insert_many(cx_db *db, const cx_model *model, void *rows, size_t n);

/**
 * Update the row of a key.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param row    Borrowed; its key members say which, the others what it is to
 *               be.
 * @param only   Borrowed for the call: the columns that change, CX_ONLY();
 *               NULL: all.
 * @return 0, or an error of models; -ENOENT: there is none; -EEXIST: another
 *         row has what must be there once, or the table keeps the change out.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: that of the statement, which is made once.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_update(cx_db *db, const cx_model *model,
                                           const void *row,
                                           const cx_names *only);

/**
 * Delete the row of a key.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param row    Borrowed; its key members say which.
 * @return 0, or an error of models; -ENOENT: there is none.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: that of the statement, which is made once.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_delete(cx_db *db, const cx_model *model,
                                           const void *row);

/**
 * Count rows. A query's order, limit and offset do not matter: that of one page
 * counts the rows of all.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param query  Borrowed for the call: which; NULL: all.
 * @param n      Written on success.
 * @return 0, or an error of models.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: that of the statement, which is made once.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_count(cx_db *db, const cx_model *model,
                                          const cx_query *query, int64_t *n);

/**
 * Read rows into an array.
 *
 * @param db     Borrowed.
 * @param model  Borrowed, for as long as db is open.
 * @param query  Borrowed for the call: which; NULL: all.
 * @param rows   Written on success: the first of them, in the arena.
 * @param n      Written on success: how many there are.
 * @param arena  Borrowed.
 * @return 0, or an error of models.
 *
 * Suspends: as cx_db_sql(). Threads: the database's loop's, within a task.
 * Cost: that of the statement, which is made once; O(rows) memory.
 * Source: own.  Since: 0.1
 */
CX__API CX__MUST_CHECK int cx_model_list(cx_db *db, const cx_model *model,
                                         const cx_query *query, void **rows,
                                         size_t *n, cx_arena *arena);

/** For CX_DB_EACH. Its members are private. */
struct cx__cursor {
    const cx_model *model;
    void *row;
    int *error;
    struct cx__connection *connection;
    struct cx__statement *statement;
};

CX__API struct cx__cursor cx__cursor_begin(cx_db *db, const cx_model *model,
                                           const cx_query *query, void *row,
                                           int *error);
CX__API bool cx__cursor_next(struct cx__cursor *cursor);
CX__API void cx__cursor_end(struct cx__cursor *cursor);

#ifndef __cplusplus

#define CX__FIELD(T, member)                                                   \
    _Generic(((T *)0)->member, int64_t                                         \
             : CX__FIELD_I64, int32_t                                          \
             : CX__FIELD_I32, double                                           \
             : CX__FIELD_F64, bool                                             \
             : CX__FIELD_BOOL, cx_text                                         \
             : CX__FIELD_TEXT, cx_blob                                         \
             : CX__FIELD_BLOB, cx_timestamp                                    \
             : CX__FIELD_TIMESTAMP, cx_maybe_i64                               \
             : CX__FIELD_I64 | CX__FIELD_MAYBE, cx_maybe_i32                   \
             : CX__FIELD_I32 | CX__FIELD_MAYBE, cx_maybe_f64                   \
             : CX__FIELD_F64 | CX__FIELD_MAYBE, cx_maybe_bool                  \
             : CX__FIELD_BOOL | CX__FIELD_MAYBE, cx_maybe_timestamp            \
             : CX__FIELD_TIMESTAMP | CX__FIELD_MAYBE)

/**
 * A column: CX_COLUMN(T, member, options...), in an array of cx_column.
 *
 * The options are designators of cx_column: .key, .automatic, .null, .column.
 * A member of a type that no column has is not compiled.
 *
 * Source: own.  Since: 0.1
 */
#define CX_COLUMN(T, ...) CX__COLUMN(T, __VA_ARGS__, )

#define CX__COLUMN(T, member_, ...)                                            \
    {                                                                          \
        .member = #member_, .offset = (unsigned)offsetof(T, member_),          \
        .field = CX__FIELD(T, member_), __VA_ARGS__                            \
    }

/**
 * Define a model at file scope, for this file alone: CX_MODEL(T, name, table,
 * columns, options...).
 *
 * T is the struct, columns an array of cx_column. The options are designators
 * of cx_model: .from and .until.
 *
 * Source: own.  Since: 0.1
 */
#define CX_MODEL(T, ...) CX__MODEL(static, T, __VA_ARGS__, )

/**
 * Declare, in a header, a model that one .c file defines.
 *
 * Source: own.  Since: 0.1
 */
#define CX_MODEL_DECLARE(T, name)                                              \
    CX__MODEL_TYPE(T, name);                                                   \
    extern const struct cx__model_##name name

/**
 * Define a model that a header declares, as CX_MODEL().
 *
 * Source: own.  Since: 0.1
 */
#define CX_MODEL_DEFINE(T, ...) CX__MODEL_DEFINE(T, __VA_ARGS__, )

/* row exists for __typeof__ alone. */
#define CX__MODEL_TYPE(T, name)                                                \
    struct cx__model_##name {                                                  \
        cx_model model;                                                        \
        T *row;                                                                \
    }

#define CX__MODEL(storage, T, name, table_, columns_, ...)                     \
    CX__MODEL_TYPE(T, name);                                                   \
    storage CX__MODEL_DEFINE(T, name, table_, columns_, __VA_ARGS__)

#define CX__MODEL_DEFINE(T, name, table_, columns_, ...)                       \
    CX__UNUSED const struct cx__model_##name name = {                          \
        .model = {.table = (table_),                                           \
                  .columns = (columns_),                                       \
                  .columns_len = sizeof(columns_) / sizeof((columns_)[0]),     \
                  .size = sizeof(T),                                           \
                  __VA_ARGS__}}

/* A row that must be of the model's type. An expression without a block of its
 * own: one that is a compound literal lives as long as the caller's. */
#define CX__ROW(m, row_) _Generic((row_), __typeof__(&*(m)->row) : (row_))

#define CX__CONST_ROW(m, row_)                                                 \
    _Generic((row_), __typeof__(&*(m)->row)                                    \
             : (row_), const __typeof__(*(m)->row) *                           \
             : (row_))

/**
 * Insert a row of a model: cx_db_insert(db, m, row). The row may be written
 * down in its place, as &(User){.name = name}.
 *
 * Source: cx_model_insert(), with its errors.  Since: 0.1
 */
#define cx_db_insert(db, m, ...)                                               \
    cx_model_insert((db), &(m)->model, CX__ROW(m, (__VA_ARGS__)))

/**
 * Find the row of a key.
 *
 * Source: cx_model_find(), with its errors.  Since: 0.1
 */
#define cx_db_find(db, m, row, arena)                                          \
    cx_model_find((db), &(m)->model, CX__ROW(m, row), (arena))

/**
 * Find the row of a key within a transaction, and keep others from changing it
 * until that ends.
 *
 * Source: cx_model_lock(), with its errors.  Since: 0.1
 */
#define cx_db_lock(db, m, row, arena)                                          \
    cx_model_lock((db), &(m)->model, CX__ROW(m, row), (arena))

/**
 * Find the rows of many keys; rows is a T *.
 *
 * Source: cx_model_find_many(), with its errors.  Since: 0.1
 */
#define cx_db_find_many(db, m, rows, n, found, arena)                          \
    cx_model_find_many((db), &(m)->model, CX__ROW(m, rows), (n), (found),      \
                       (arena))

/**
 * Insert many rows, all of them or none; rows is a T *.
 *
 * Source: cx_model_insert_many(), with its errors.  Since: 0.1
 */
#define cx_db_insert_many(db, m, rows, n)                                      \
    cx_model_insert_many((db), &(m)->model, CX__ROW(m, rows), (n))

/**
 * Update the row of a key. A row that is written down in its place goes in
 * parentheses, for the commas in it: (&(User){.id = id, .name = name}).
 *
 * Source: cx_model_update(), with its errors.  Since: 0.1
 */
#define cx_db_update(db, m, row, only)                                         \
    cx_model_update((db), &(m)->model, CX__CONST_ROW(m, row), (only))

/**
 * Delete the row of a key: cx_db_delete(db, m, row), as cx_db_insert().
 *
 * Source: cx_model_delete(), with its errors.  Since: 0.1
 */
#define cx_db_delete(db, m, ...)                                               \
    cx_model_delete((db), &(m)->model, CX__CONST_ROW(m, (__VA_ARGS__)))

/**
 * Count rows of a model, whatever a query's limit and offset are.
 *
 * Source: cx_model_count(), with its errors.  Since: 0.1
 */
#define cx_db_count(db, m, query, n)                                           \
    cx_model_count((db), &(m)->model, (query), (n))

/**
 * Read rows into an array; *rows is a T *.
 *
 * Source: cx_model_list(), with its errors.  Since: 0.1
 */
#define cx_db_list(db, m, query, rows, n, arena)                               \
    __extension__({                                                            \
        CX__STRICT_BEGIN                                                       \
        CX__UNUSED __typeof__(*(m)->row) **cx__rows = (rows);                  \
        CX__STRICT_END                                                         \
        void *cx__first = NULL;                                                \
        int cx__error = cx_model_list((db), &(m)->model, (query), &cx__first,  \
                                      (n), (arena));                           \
        if (cx__error == 0)                                                    \
            *cx__rows = cx__first;                                             \
        cx__error;                                                             \
    })

/**
 * Compare a model with the current tenant's table.
 *
 * Source: cx_model_check(), with its errors.  Since: 0.1
 */
#define cx_db_check(db, m) cx_model_check((db), &(m)->model)

/**
 * Run the block that follows for each row, as it comes; break ends it.
 *
 *     CX_DB_EACH(db, &user_model, CX_QUERY(.order = "name"), &user, &error) {
 *         puts(user.name.data);
 *     }
 *
 * Text and bytes in the row are borrowed until the next one. What the block
 * calls on this database it does on the same connection: on PostgreSQL, the
 * rows that are still to come are taken into memory before that. error is an
 * int's address: 0 after the last row, or why there was no other.
 *
 * Source: own, with the errors of models.  Since: 0.1
 */
#define CX_DB_EACH(db, m, query, row, error)                                   \
    CX__DB_EACH(CX__UNIQUE(cx__cursor_), db, m, query, row, error)

#define CX__DB_EACH(cursor, db, m, query, row, error)                          \
    for (struct cx__cursor cursor CX__CLEANUP(cx__cursor_end) =                \
             cx__cursor_begin((db), &(m)->model, (query), CX__ROW(m, row),     \
                              (error));                                        \
         cx__cursor_next(&cursor);)

/**
 * Which rows and in what order: designators of cx_query, in the block that
 * this is in.
 *
 *     CX_QUERY(CX_WHERE(CX_IS("age", CX_GE, 18)), .order = "age", .limit = 50)
 *
 * Source: own.  Since: 0.1
 */
#define CX_QUERY(...) (&(const cx_query){__VA_ARGS__})

/**
 * Conditions for CX_QUERY(), all of which must hold.
 *
 * Source: own.  Since: 0.1
 */
#define CX_WHERE(...)                                                          \
    .where = (const cx_predicate[]){__VA_ARGS__},                              \
    .where_len =                                                               \
        sizeof((const cx_predicate[]){__VA_ARGS__}) / sizeof(cx_predicate)

/**
 * A condition: a column by its name, how it is to compare, and with what, as
 * for CX_PARAM().
 *
 * Source: own.  Since: 0.1
 */
#define CX_IS(column, compare, value)                                          \
    {                                                                          \
        (column), (compare), CX_PARAM(value)                                   \
    }

/**
 * The columns that an update changes, by their names.
 *
 * Source: own.  Since: 0.1
 */
#define CX_ONLY(...)                                                           \
    (&(const cx_names){(const char *const[]){__VA_ARGS__},                     \
                       sizeof((const char *const[]){__VA_ARGS__}) /            \
                           sizeof(char *)})

#endif /* C */

CX__END_DECLS

#endif
