#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make.sh PREFIX BUILD: `make install` installs under PREFIX what a program
# needs, and says so. The other tests of this folder use what this one has
# installed.
set -eu
cd "$(dirname "$0")/../.."
prefix=$1
failed=0

unset MAKEFLAGS MAKELEVEL DESTDIR
rm -rf "$prefix"
said=$(make --silent install PREFIX="$prefix" BUILD="$2")
if [ "$said" != "installed in $prefix" ]; then
    echo "make install says: $said"
    failed=1
fi

for file in lib/libctxvar.so lib/libctxvar.so.0 lib/libctxvar.a \
    lib/libctxvar-task.so lib/libctxvar-task.so.0 lib/libctxvar-task.a \
    lib/libctxvar-sql.so lib/libctxvar-sql.so.0 lib/libctxvar-sql.a \
    lib/pkgconfig/ctxvar.pc lib/pkgconfig/ctxvar-task.pc \
    lib/pkgconfig/ctxvar-sql.pc \
    lib/cmake/ctxvar/ctxvar-config.cmake \
    include/ctxvar/var.h include/ctxvar/task.h bin/ctxvar \
    share/man/man3/cx_set.3 share/man/man7/ctxvar.7 \
    share/man/man7/ctxvar_model.7; do
    if [ ! -e "$prefix/$file" ]; then
        echo "not installed: $file"
        failed=1
    fi
done

# Neither a path of the build nor libstdc++ is wanted in what is installed.
for file in "$prefix"/lib/libctxvar.so "$prefix"/lib/libctxvar-task.so \
    "$prefix"/lib/libctxvar-sql.so "$prefix"/bin/ctxvar; do
    if readelf -d "$file" | grep -E 'RPATH|RUNPATH|stdc\+\+|libboost'; then
        echo "in $file"
        failed=1
    fi
done
exit $failed
