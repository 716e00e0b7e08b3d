#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tests/core/migrate_lto.sh: coroutines that change threads, with the whole
# program optimised at link time, by gcc and by clang. What would keep an
# address of thread-local storage over a switch does so here.
set -eu
cd "$(dirname "$0")/../.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for cc in "gcc" "clang -fuse-ld=lld"; do
    # $cc is a command with its arguments.
    $cc -std=c11 -D_GNU_SOURCE -O3 -flto -DNDEBUG -fvisibility=hidden \
        -ftls-model=initial-exec -Iinclude -Isrc -Isrc/core \
        src/core/*.c tests/core/migrate.c -lcmocka -lpthread \
        -o "$folder/migrate"
    "$folder/migrate"
done
