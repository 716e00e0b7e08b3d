/* SPDX-License-Identifier: MIT */
/*
 * Mistakes with the macros of <ctxvar/var.h> that a compiler must refuse.
 * Each is compiled alone; without any of them the file is right.
 */
#include <ctxvar/var.h>

struct pair {
    int64_t first;
    int64_t second;
};

CX_VAR(const char *, locale, .initial = "C");
CX_VAR(char *, buffer);
CX_VAR(int, depth);
CX_GLOBAL(char[64], table_cell, "Users");
CX_VAR_DECLARE(const char *, tenant);

int all_that_is_right(void);

int all_that_is_right(void)
{
    const char *found = cx_get(locale);
    cx_token token;

    if (cx_find(locale, &found))
        return cx_set(locale, found);
    if (cx_bind(depth, 1, &token) == 0)
        return cx_reset(depth, &token);
    return (*cx_ref(table_cell))[0] + cx_set(buffer, NULL);
}

#ifdef CASE_pointer_of_another_type
int refused(int *number);
int refused(int *number)
{
    return cx_set(locale, number);
}
#endif

#ifdef CASE_integer_for_a_pointer
int refused(int number);
int refused(int number)
{
    return cx_set(locale, number);
}
#endif

#ifdef CASE_pointer_for_an_integer
int refused(const char *text);
int refused(const char *text)
{
    return cx_set(depth, text);
}
#endif

#ifdef CASE_lost_const
int refused(const char *text);
int refused(const char *text)
{
    return cx_set(buffer, text);
}
#endif

#ifdef CASE_bound_pointer_of_another_type
int refused(int *number, cx_token *token);
int refused(int *number, cx_token *token)
{
    return cx_bind(locale, number, token);
}
#endif

#ifdef CASE_block_with_a_pointer_of_another_type
void refused(int *number);
void refused(int *number)
{
    CX_WITH(locale, number) {
    }
}
#endif

#ifdef CASE_struct_variable
CX_VAR(struct pair, refused);
#endif

#ifdef CASE_type_too_large
CX_VAR(long double, refused);
#endif

#ifdef CASE_default_of_another_type
CX_VAR(const char *, refused, .initial = 1.0);
#endif

#ifdef CASE_find_into_another_type
bool refused(int *number);
bool refused(int *number)
{
    return cx_find(locale, number);
}
#endif

#ifdef CASE_find_into_a_value
bool refused(const char *text);
bool refused(const char *text)
{
    return cx_find(locale, text);
}
#endif

#ifdef CASE_set_of_a_global
int refused(char *text);
int refused(char *text)
{
    return cx_set(table_cell, text);
}
#endif

#ifdef CASE_ref_of_a_variable
const char **refused(void);
const char **refused(void)
{
    return cx_ref(locale);
}
#endif

#ifdef CASE_defined_with_another_type_than_declared
CX_VAR_DEFINE(char *, tenant);
#endif

#ifdef CASE_token_by_value
int refused(cx_token token);
int refused(cx_token token)
{
    return cx_reset(locale, token);
}
#endif
