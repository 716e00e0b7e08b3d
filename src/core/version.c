/* SPDX-License-Identifier: MIT */
/* The version of the library, as its headers say it. */
#include <ctxvar/version.h>

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

const char *cx_version(void)
{
    return TEXT_OF(CX_VERSION_MAJOR) "." TEXT_OF(CX_VERSION_MINOR) "." TEXT_OF(
        CX_VERSION_PATCH);
}
