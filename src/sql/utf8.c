/* SPDX-License-Identifier: MIT */
/* UTF-8 as RFC 3629 has it: nothing overlong, no surrogates, no NUL here. */
#include "utf8.h"

/* What may follow a first byte: how many bytes, and the second one's range. */
struct rest {
    unsigned len;
    unsigned char low;
    unsigned char high;
};

/* Of a byte that is not ASCII; len 0: it is none. */
static struct rest rest_of(unsigned char first)
{
    if (first < 0xc2 || first > 0xf4)
        return (struct rest){0, 0, 0};
    if (first < 0xe0)
        return (struct rest){1, 0x80, 0xbf};
    if (first < 0xf0)
        return (struct rest){2, first == 0xe0 ? 0xa0 : 0x80,
                             first == 0xed ? 0x9f : 0xbf};
    return (struct rest){3, first == 0xf0 ? 0x90 : 0x80,
                         first == 0xf4 ? 0x8f : 0xbf};
}

/* How many bytes of a character that is not ASCII; 0: it is none. */
static size_t wide(const unsigned char *at, size_t left)
{
    struct rest rest = rest_of(at[0]);

    if (rest.len == 0 || rest.len >= left || at[1] < rest.low ||
        at[1] > rest.high)
        return 0;
    for (unsigned i = 2; i <= rest.len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return rest.len + 1;
}

/* Are the eight bytes here ASCII without a NUL? Rarely it says no to such. */
static bool is_plain(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return ((word | (word - UINT64_C(0x0101010101010101))) &
            UINT64_C(0x8080808080808080)) == 0;
}

bool cx__utf8_is_valid(cx_text text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t i = 0;

    while (i < text.len) {
        size_t len;

        if (text.len - i >= 8 && is_plain(at + i))
            len = 8;
        else
            len = at[i] < 0x80 ? at[i] != 0 : wide(at + i, text.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

bool cx__utf8_has_control(cx_text text)
{
    const unsigned char *at = (const unsigned char *)text.data;

    for (size_t i = 0; i < text.len; i++) {
        /* U+0080 to U+009F are C2 80 to C2 9F. */
        if (at[i] < 0x20 || at[i] == 0x7f ||
            (at[i] == 0xc2 && at[i + 1] < 0xa0))
            return true;
    }
    return false;
}

/* Is the character of n bytes there one that is seen? 0: it is none. */
static bool is_seen(const unsigned char *at, size_t n)
{
    if (n == 1)
        return at[0] >= 0x20 && at[0] != 0x7f;
    return n > 0 && (at[0] != 0xc2 || at[1] >= 0xa0);
}

void cx__utf8_mask(char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t i = 0;

    while (i < len) {
        size_t n = at[i] < 0x80 ? 1 : wide(at + i, len - i);
        size_t step = n > 0 ? n : 1;

        if (!is_seen(at + i, n))
            memset(text + i, '?', step);
        i += step;
    }
}
