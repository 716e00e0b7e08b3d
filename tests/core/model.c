/* SPDX-License-Identifier: MIT */
/*
 * The model-based fuzzer for a fixed number of steps: model [STEPS [SEED]].
 */
#include "../../fuzz/model.c"

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

int main(int argc, char **argv)
{
    enum { LONGEST = 8192 };
    static uint8_t input[LONGEST];
    long left = argc > 1 ? atol(argv[1]) : 4000000;
    uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

    while (left > 0) {
        size_t size = draw(&state) % LONGEST + 1;

        for (size_t i = 0; i < size; i++)
            input[i] = (uint8_t)(draw(&state) >> 32);
        (void)LLVMFuzzerTestOneInput(input, size);
        left -= (long)size;
    }
    return 0;
}
