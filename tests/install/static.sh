#!/bin/sh
# SPDX-License-Identifier: MIT
#
# static.sh PREFIX: a program can be linked statically, all of it.
set -eu
cd "$(dirname "$0")"
prefix=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"

# libc's own warning is about what libuv calls, getaddrinfo() and the like.
cc -std=c11 -static app.c -o "$work/app" \
    $(pkg-config --static --cflags --libs ctxvar-task) 2>"$work/log" || {
    cat "$work/log"
    exit 1
}
"$work/app" | diff app.expected -
if readelf -d "$work/app" | grep NEEDED; then
    exit 1
fi
