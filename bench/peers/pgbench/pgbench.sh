#!/bin/sh
# SPDX-License-Identifier: MIT
#
# PostgreSQL's own benchmark on the same table: one row by its key, and ten of
# them in a pipeline. $CTXVAR_POSTGRES is the URL of a database for this alone.
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)

psql -qXd "$CTXVAR_POSTGRES" <<END
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL,
                    age bigint NOT NULL);
INSERT INTO users SELECT i, 'user number ' || i, i % 100
    FROM generate_series(1, 100000) i;
VACUUM ANALYZE users;
END

find='\set id random(1, 100000)
SELECT name, age FROM users WHERE id = :id;'

# What one of so many finds of a script takes, in nanoseconds.
measure() {
    "$bin/pgbench" -n -M prepared -c 1 -T 1 -f find.sql "$CTXVAR_POSTGRES" |
        awk -v name="$1" -v finds="$2" '/^latency average/ {
            print name, $4 * 1e6 / finds }'
}

printf '%s\n' "$find" >find.sql
measure postgres/find 1
{
    printf '%s\n' '\startpipeline'
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        printf '%s\n' "$find"
    done
    printf '%s\n' '\endpipeline'
} >find.sql
measure postgres/ten 10
