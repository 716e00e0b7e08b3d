/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tame.h"

/* How many bytes follow the first one of a character; -1: it is no first. */
static int rest_of(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first < 0xc2 || first > 0xf4)
        return -1;
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

static bool is_scalar(uint32_t code, int rest)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

    return code >= least[rest] && code <= 0x10ffff &&
           (code < 0xd800 || code > 0xdfff);
}

/* How long the character is that a text begins with; 0: it is none. The NUL
 * at the text's end follows no first byte. */
static size_t decode(const char *text, uint32_t *code)
{
    unsigned char first = (unsigned char)text[0];
    int rest = rest_of(first);

    if (rest < 0)
        return 0;
    *code = rest == 0 ? first : first & (0x3fU >> rest);
    for (int i = 1; i <= rest; i++) {
        unsigned char next = (unsigned char)text[i];

        if ((next & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (next & 0x3f);
    }
    return is_scalar(*code, rest) ? (size_t)rest + 1 : 0;
}

/* Unicode's categories Cc, Zl and Zp, and its property Bidi_Control. */
static bool is_shown(uint32_t code)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } wild[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},
        {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
    };

    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        if (code >= wild[i].first && code <= wild[i].last)
            return false;
    }
    return true;
}

size_t tame(char *text, size_t len)
{
    size_t to = 0;

    for (size_t from = 0; from < len;) {
        uint32_t code;
        size_t size = decode(text + from, &code);

        if (size != 0 && is_shown(code)) {
            memmove(text + to, text + from, size);
            to += size;
        } else {
            text[to++] = '?';
        }
        from += size != 0 ? size : 1;
    }
    text[to] = '\0';
    return to;
}

void tame_vprint(FILE *out, const char *format, va_list arguments)
{
    char *text;
    size_t len;
    size_t ends = 0;

    if (vasprintf(&text, format, arguments) < 0) {
        fputs("(no memory to show it)\n", out);
        return;
    }
    len = strlen(text);
    while (ends < len && text[len - ends - 1] == '\n')
        ends++;
    text[len - ends] = '\0';
    len = tame(text, len - ends);
    memset(text + len, '\n', ends);
    text[len + ends] = '\0';
    fputs(text, out);
    free(text);
}

void tame_print(FILE *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tame_vprint(out, format, arguments);
    va_end(arguments);
}
