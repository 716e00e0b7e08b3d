/* SPDX-License-Identifier: MIT */
/* SipHash, as its paper has it: four words, mixed twice for each word of what
 * is hashed and four times at the end. */
#include "siphash.h"

struct state {
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint64_t d;
};

static uint64_t turn(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static void rounds(struct state *s, int n)
{
    while (n-- > 0) {
        s->a += s->b;
        s->c += s->d;
        s->b = turn(s->b, 13) ^ s->a;
        s->d = turn(s->d, 16) ^ s->c;
        s->a = turn(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = turn(s->b, 17) ^ s->c;
        s->d = turn(s->d, 21) ^ s->a;
        s->c = turn(s->c, 32);
    }
}

static void absorb(struct state *s, uint64_t word)
{
    s->d ^= word;
    rounds(s, 2);
    s->a ^= word;
}

static uint64_t word_of(const unsigned char *bytes)
{
    uint64_t word = 0;

    for (int i = 7; i >= 0; i--)
        word = word << 8 | bytes[i];
    return word;
}

uint64_t cx__siphash(const unsigned char *key, uint64_t number)
{
    uint64_t low = word_of(key);
    uint64_t high = word_of(key + 8);
    struct state s = {
        .a = low ^ UINT64_C(0x736f6d6570736575),
        .b = high ^ UINT64_C(0x646f72616e646f6d),
        .c = low ^ UINT64_C(0x6c7967656e657261),
        .d = high ^ UINT64_C(0x7465646279746573),
    };

    absorb(&s, number);
    /* How many bytes there were. */
    absorb(&s, UINT64_C(8) << 56);
    s.c ^= 0xff;
    rounds(&s, 4);
    return s.a ^ s.b ^ s.c ^ s.d;
}
