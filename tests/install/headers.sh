#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each public header can be included alone, from C11, C17 and C++17, by both
# compilers, without a warning. detail.h and platform.h are parts of others.
set -u
cd "$(dirname "$0")/../.."
failed=0

# compile COMPILER LANGUAGE STANDARD HEADER
compile() {
    if ! echo "#include <ctxvar/$4>" |
        "$1" -x "$2" -std="$3" -Wall -Wextra -Wpedantic -Werror -I include \
            -fsyntax-only - 2>&1; then
        echo "$1 -std=$3: <ctxvar/$4>"
        failed=1
    fi
}

for header in include/ctxvar/*.h; do
    header=${header##*/}
    case $header in
    detail.h | platform.h) continue ;;
    esac
    for compiler in gcc clang; do
        compile $compiler c c11 "$header"
        compile $compiler c c17 "$header"
    done
    for compiler in g++ clang++; do
        compile $compiler c++ c++17 "$header"
    done
done
exit $failed
