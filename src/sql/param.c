/* SPDX-License-Identifier: MIT */
/*
 * What may be a parameter. Engines differ in what they make of the rest: NULL,
 * a part of it, or something else.
 */
#include <errno.h>
#include <math.h>

#include "param.h"
#include "problem.h"
#include "utf8.h"

int cx__param_check_number(const struct cx__engine *engine, size_t n)
{
    return n <= engine->parameters_most
               ? 0
               : cx__problem(-E2BIG, "more than %u parameters",
                             engine->parameters_most);
}

static int check_bytes(const void *data, size_t len)
{
    if (data == NULL && len > 0)
        return cx__problem(-EINVAL, "a length without data");
    if (len > CX__PARAM_MOST)
        return cx__problem(-E2BIG, "a value that is too large");
    return 0;
}

static int check_text(cx_text text)
{
    int error = check_bytes(text.data, text.len);

    if (error == 0 && !cx__utf8_is_valid(text))
        error = cx__problem(-EILSEQ, "a text that is not UTF-8, or has a NUL");
    return error;
}

int cx__param_check(const cx_param *value)
{
    switch (value->kind) {
    case CX_KIND_NULL:
    case CX_KIND_I64:
    case CX_KIND_BOOL:
    case CX_KIND_TIMESTAMP:
        return 0;
    case CX_KIND_F64:
        /* SQLite would make NULL of it. */
        return isnan(value->f64) ? cx__problem(-EDOM, "a number that is none")
                                 : 0;
    case CX_KIND_TEXT:
        return check_text(value->text);
    case CX_KIND_BLOB:
        return check_bytes(value->blob.data, value->blob.len);
    }
    return cx__problem(-EINVAL, "a parameter of no kind");
}
