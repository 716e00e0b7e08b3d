#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cmake.sh PREFIX: a CMake project finds the package and its targets.
set -eu
cd "$(dirname "$0")"
prefix=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp app.c "$work"
cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(app LANGUAGES C)
find_package(ctxvar 0.1 REQUIRED)
add_executable(app app.c)
target_link_libraries(app PRIVATE ctxvar::task)
add_executable(app-static app.c)
target_link_libraries(app-static PRIVATE ctxvar::task-static)
END

if ! { cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" &&
    cmake --build "$work/build"; } >"$work/log" 2>&1; then
    cat "$work/log"
    exit 1
fi
"$work/build/app" | diff app.expected -
"$work/build/app-static" | diff app.expected -
if readelf -d "$work/build/app-static" | grep libctxvar; then
    exit 1
fi
