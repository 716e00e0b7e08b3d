/* SPDX-License-Identifier: MIT */
/*
 * The text of generated statements. Names are a model's, which are checked to
 * be letters, digits and underscores; values are parameters, always.
 */
#ifndef CTXVAR_SQL_TEXT_H
#define CTXVAR_SQL_TEXT_H

#include "model.h"
#include "words.h"

/* Parameters: the columns in their order. returning: it gives the number of
 * the row, if that is not among them. */
void cx__text_insert(struct cx__words *words, const cx_model *model,
                     cx__columns columns, bool returning);

/* All columns but the key of the row of a key. Parameters: the key. */
void cx__text_find(struct cx__words *words, const cx_model *model);

/* All columns of the rows whose key, one column, is any of the numbers in the
 * parameter. */
void cx__text_find_any(struct cx__words *words, const cx_model *model);

/* Parameters: the columns, then the key. */
void cx__text_update(struct cx__words *words, const cx_model *model,
                     cx__columns columns);

/* Parameters: the key. */
void cx__text_delete(struct cx__words *words, const cx_model *model);

/* Is a predicate's value a parameter? If not, the text asks for NULL. */
static inline bool cx__text_has_value(const cx_predicate *predicate)
{
    return predicate->value.kind != CX_KIND_NULL || predicate->compare > CX_NE;
}

/* Is the limit one? An offset is said to be of a limit, which an engine
 * wants. */
static inline bool cx__text_has_limit(const cx_query *query)
{
    return query->limit != 0 || query->offset != 0;
}

/* All columns, or their count, without limit and offset. Parameters: the
 * values of the predicates, then the limit and the offset, as far as there
 * are. 0, or -EINVAL for a column that the model does not have. */
int cx__text_select(struct cx__words *words, const cx_model *model,
                    const cx_query *query, enum cx__operation operation);

#endif
