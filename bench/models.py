# SPDX-License-Identifier: MIT
"""What is measured of models, beside the plain libraries of the databases: as
core.py does for the core.

The database's server has the processor that its client has: a round trip is
what the two do, and not how long an idle processor takes to wake.
"""

import notes
from programs import Operation, Program, Suite

OURS = "ctxvar"
SQLITE = "sqlite3"
LIBPQ = "libpq"
ALONE = "ctxvar, one by one"
BESIDE = "sqlite3, uv_queue_work()"

OPERATIONS = [
    Operation("sqlite/lease", "SQLite: a tenant's connection and back",
              goal=100),
    Operation("sqlite/own", "SQLite: a statement of one's own, beside the "
              "loop", goal=(BESIDE, 1.05)),
    Operation("sqlite/find", "SQLite: find a row by its key",
              goal=(SQLITE, 1.10), plotted=True),
    Operation("sqlite/transaction", "SQLite: the same in a transaction",
              goal=(SQLITE, 1.25), plotted=True),
    Operation("sqlite/insert", "SQLite: insert a row, 1,000 a transaction",
              goal=(SQLITE, 1.25), plotted=True),
    Operation("sqlite/array", "SQLite: the same by the array",
              goal=(SQLITE, 1.25)),
    Operation("sqlite/each", "SQLite: read 100,000 rows, each",
              goal=(SQLITE, 1.25), plotted=True),
    Operation("postgres/lease", "PostgreSQL: a tenant's connection and back",
              goal=100),
    Operation("postgres/find", "PostgreSQL: find a row by its key",
              goal=(LIBPQ, 1.05), plotted=True),
    Operation("postgres/transaction", "PostgreSQL: the same in a transaction",
              goal=(LIBPQ, 1.05), plotted=True),
    Operation("postgres/ten", "PostgreSQL: ten at once, each",
              plotted=True),
    Operation("postgres/insert", "PostgreSQL: insert a row, 1,000 a "
              "transaction", goal=(LIBPQ, 1.05), plotted=True),
    Operation("postgres/array", "PostgreSQL: the same by the array",
              plotted=True),
    Operation("distant/find", "PostgreSQL over 2 ms of network: find",
              goal=(LIBPQ, 1.05)),
    Operation("distant/ten", "PostgreSQL over 2 ms of network: ten at once, "
              "each", goal=(ALONE, 1 / 5)),
    Operation("postgres/each", "PostgreSQL: read 100,000 rows, each",
              goal=(LIBPQ, 1.25), plotted=True),
    *notes.OPERATIONS,
]

SERVER = ["{tests}/sql/with_postgres"]

SUITE = Suite(
    "models", "Nanoseconds, less is better", OURS, raw=(SQLITE, LIBPQ),
    raw_title="plain library", operations=OPERATIONS,
    programs=[
        Program(OURS, run=["{programs}/sqlite"]),
        Program(OURS, run=[*SERVER, "{programs}/postgres"], folder="postgres"),
        Program(OURS, folder="distant",
                run=[*SERVER, "{peers}/distance/distance.py",
                     "{programs}/postgres", "distant"]),
        Program("pgbench", run=[*SERVER, "{peers}/pgbench/pgbench.sh"],
                folder="pgbench"),
        notes.Notes("ctxvar, SQLite", "sqlite"),
        notes.Notes("ctxvar, PostgreSQL", "postgres"),
    ])
