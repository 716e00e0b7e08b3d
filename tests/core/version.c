/* SPDX-License-Identifier: MIT */
/* The version that the library says, beside the one that its headers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <ctxvar/version.h>

static void the_library_says_what_its_headers_say(void **state)
{
    char expected[64];

    (void)state;
    (void)snprintf(expected, sizeof(expected), "%d.%d.%d", CX_VERSION_MAJOR,
                   CX_VERSION_MINOR, CX_VERSION_PATCH);
    assert_string_equal(cx_version(), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_says_what_its_headers_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
