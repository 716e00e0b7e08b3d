#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""distance.py COMMAND...: run a command whose PostgreSQL server, that of
$CTXVAR_POSTGRES, is a network away: every byte takes a millisecond or two in
each direction.
"""

import asyncio
import os
import sys
import tempfile
from urllib.parse import parse_qs, urlsplit

DELAY_S = 0.001
SOCKET = ".s.PGSQL.5432"


async def carry(reader, writer):
    """Hand on what comes, in order, each time after the delay."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(DELAY_S, writer.write, data)
    loop.call_later(2 * DELAY_S, writer.close)


async def run(server, command):
    async def connected(reader, writer):
        there, back = await asyncio.open_unix_connection(server)
        await asyncio.gather(carry(reader, back), carry(there, writer))

    with tempfile.TemporaryDirectory() as folder:
        async with await asyncio.start_unix_server(
                connected, os.path.join(folder, SOCKET)):
            url = urlsplit(os.environ["CTXVAR_POSTGRES"])
            url = url._replace(query=f"host={folder}").geturl()
            child = await asyncio.create_subprocess_exec(
                *command, env={**os.environ, "CTXVAR_POSTGRES": url})
            return await child.wait()


def main():
    query = urlsplit(os.environ["CTXVAR_POSTGRES"]).query
    server = os.path.join(parse_qs(query)["host"][0], SOCKET)
    return asyncio.run(run(server, sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
