/* SPDX-License-Identifier: MIT */
/* Many sleepers as State Threads, each with a value for one key. */
#include <errno.h>
#include <string.h>

#include <st.h>

#include "../../sleepers.h"

enum { STACK_BYTES = 16 << 10 };

static int key;

static void *sleeper(void *arg)
{
    (void)st_thread_setspecific(key, arg);
    (void)st_usleep(1000000);
    sleepers_wrong += st_thread_getspecific(key) != arg;
    return NULL;
}

static void sleep_all(long count)
{
    st_thread_t *thread = malloc((size_t)count * sizeof(st_thread_t));

    for (long i = 0; i < count; i++) {
        thread[i] = st_thread_create(sleeper, (void *)i, 1, STACK_BYTES);
        if (thread[i] == NULL) {
            (void)fprintf(stderr, "no thread after %ld: %s\n", i,
                          strerror(errno));
            exit(1);
        }
    }
    for (long i = 0; i < count; i++)
        (void)st_thread_join(thread[i], NULL);
    free(thread);
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)st_init();
    (void)st_key_create(&key, NULL);
    return measure_sleepers(argv, sleep_all);
}
