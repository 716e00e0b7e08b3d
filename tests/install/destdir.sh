#!/bin/sh
# SPDX-License-Identifier: MIT
#
# destdir.sh BUILD: with DESTDIR, as packagers use it, the files are put there
# and speak of PREFIX alone.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unset MAKEFLAGS MAKELEVEL
make --silent install PREFIX=/usr DESTDIR="$work" BUILD="$1"

test -e "$work/usr/include/ctxvar/var.h"
test -e "$work/usr/bin/ctxvar"
# ctxvar_transaction(7) says that it is there.
test -e "$work/usr/share/doc/ctxvar/tenants.md"
pc=$(find "$work/usr" -name ctxvar-task.pc)
grep -qx 'prefix=/usr' "$pc"
if grep -rlF "$work" "$work/usr"; then
    echo "these speak of DESTDIR"
    exit 1
fi
