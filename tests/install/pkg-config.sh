#!/bin/sh
# SPDX-License-Identifier: MIT
#
# pkg-config.sh PREFIX: a program builds with what pkg-config says, and runs.
set -eu
cd "$(dirname "$0")"
prefix=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"

for compiler in gcc clang; do
    $compiler -std=c11 -Wall -Wextra -Wpedantic -Werror app.c -o "$work/app" \
        $(pkg-config --cflags --libs ctxvar-task)
    LD_LIBRARY_PATH=$prefix/lib "$work/app" | diff app.expected -
done

# The core alone brings neither a loop nor tasks.
if pkg-config --libs ctxvar | grep -E 'uv|task'; then
    exit 1
fi
