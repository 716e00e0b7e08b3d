#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tenants by the command, as a user would: on SQLite, and on PostgreSQL where
a server is to be had.

$CTXVAR names the program.
"""
import os
import subprocess
import sys
import tempfile
import unittest

CTXVAR = os.environ.get("CTXVAR", "build/ctxvar")
SERVER = os.environ.get("CTXVAR_POSTGRES")
WITH_POSTGRES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "..", "sql", "with_postgres")


def run(*arguments, stdin="", **options):
    """The finished process, with its output as text."""
    return subprocess.run([CTXVAR, *arguments], input=stdin, text=True,
                          capture_output=True, timeout=120, **options)


def server_sql(statement):
    subprocess.run(["psql", "-qX", SERVER, "-c", statement], check=True)


class Engine(unittest.TestCase):
    """A test with an empty database, self.url, and a folder, both its own."""
    made = 0

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.url = "sqlite:" + os.path.join(folder.name, "db")
        if SERVER:
            Engine.made += 1
            name = "command_%d" % Engine.made
            server_sql("CREATE DATABASE %s TEMPLATE template0" % name)
            self.url = SERVER.replace("/postgres?", "/%s?" % name)


class Demo(Engine):
    def demo(self):
        return run("demo", "tenants", "--pace", "0", "--db", self.url)

    def test_each_client_reads_its_own_rows_through_the_one_model(self):
        done = self.demo()
        self.assertEqual(done.returncode, 0, done.stderr)
        for client, users in (("A", "Ada, Alan, Anna"),
                              ("B", "Bea, Bert, Boris"),
                              ("C", "Carl, Cleo, Cora"),
                              ("D", "Dan, Dora, Dirk")):
            line = "Client: %s start reading users: %s\n" % (client, users)
            self.assertEqual(done.stdout.count(line), 2, done.stdout)
        self.assertIn("tenants: 0 of 17 reads on another client's table, 0 on "
                      "none, 0 of 51 rows another client's\n", done.stdout)

    def test_a_is_refused_the_rows_of_b_which_are_there_afterwards(self):
        done = self.demo()
        self.assertEqual(done.stdout.count("    refused: "), 4, done.stdout)
        self.assertIn("A tries: SELECT * FROM t2.users\n    refused: ",
                      done.stdout)
        self.assertIn("B after reading users: Bea, Bert, Boris\n", done.stdout)
        self.assertIn("4 of 4 attempts by raw SQL refused\n", done.stdout)

    def test_an_earlier_run_is_used_again(self):
        self.assertEqual(self.demo().returncode, 0)
        done = self.demo()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("0 of 51 rows", done.stdout)


class Place(unittest.TestCase):
    """What is so on SQLite alone."""
    def test_a_temporary_database_is_gone_afterwards(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("demo", "tenants", "--pace", "0",
                       env={**os.environ, "TMPDIR": folder})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), [])

    def test_a_database_that_cannot_be_is_one_line(self):
        done = run("demo", "tenants", "--db", "sqlite:/dev/null/x")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


def main():
    if not unittest.main(exit=False).result.wasSuccessful():
        sys.exit(1)
    if not SERVER:
        done = subprocess.run([WITH_POSTGRES, sys.executable, __file__,
                               *sys.argv[1:]], check=False)
        # 77: no server is to be had here.
        sys.exit(0 if done.returncode == 77 else done.returncode)


if __name__ == "__main__":
    main()
