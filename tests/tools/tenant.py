#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tenants by the command, as a user would: on SQLite, and on PostgreSQL where
a server is to be had.

$CTXVAR names the program.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

CTXVAR = os.path.abspath(os.environ.get("CTXVAR", "build/ctxvar"))
SERVER = os.environ.get("CTXVAR_POSTGRES")
SUPERUSER = os.environ.get("CTXVAR_POSTGRES_SUPERUSER")
WITH_POSTGRES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "..", "sql", "with_postgres")


def run(*arguments, stdin="", **options):
    """The finished process, with its output as text."""
    return subprocess.run([CTXVAR, *arguments], input=stdin, text=True,
                          capture_output=True, timeout=120, **options)


def server_sql(statement, url=SERVER):
    return subprocess.run(["psql", "-qXAt", url, "-c", statement], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def interruptible():
    """Between fork and exec: what a shell starts in the background ignores
    SIGINT, and so may this."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.02)


class Terminal:
    """The command at a terminal of its own, whose size is 0 if not given."""
    def __init__(self, *arguments, columns=0, **options):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 0, columns, 0, 0))
        def control():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            interruptible()
        self.process = subprocess.Popen(
            [CTXVAR, *arguments], preexec_fn=control,
            **{"stdin": slave, "stdout": slave, "stderr": slave, **options})
        os.close(slave)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def read(self):
        """Some more of what it shows; "" at its end."""
        if not select.select([self.master], [], [], 60)[0]:
            raise TimeoutError(self.seen)
        try:
            more = os.read(self.master, 65536).decode()
        except OSError:  # the terminal's end
            more = ""
        self.seen += more.replace("\r\n", "\n")
        return more

    def expect(self, text):
        """Wait for a text; gives what was shown before it."""
        while text not in self.seen:
            if not self.read():
                raise EOFError(self.seen)
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        """What was shown up to its end, and its status."""
        while self.read():
            pass
        return self.seen, self.process.wait()


class Engine(unittest.TestCase):
    """A test with an empty database, self.url, and a folder, both its own."""
    made = 0

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.fresh()

    def fresh(self):
        """Another empty database."""
        Engine.made += 1
        self.url = "sqlite:" + os.path.join(self.folder, "db%d" % Engine.made)
        if SERVER:
            name = "command_%d" % Engine.made
            server_sql("CREATE DATABASE %s TEMPLATE template0" % name)
            self.url = SERVER.replace("/postgres?", "/%s?" % name)


    def tenant(self, subcommand, *arguments, **options):
        return run("tenant", subcommand, self.url, *arguments, **options)

    def done(self, *arguments, **options):
        """What a call that must succeed prints; it may make the database."""
        done = self.tenant(*arguments, **options)
        told = [line for line in done.stderr.splitlines()
                if ": made a new database at " not in line]
        self.assertEqual((done.returncode, told), (0, []))
        return done.stdout

    def tenants(self):
        """(id, version, name) of each, as strings."""
        lines = self.done("list").splitlines()
        self.assertEqual(lines[0].split(), ["id", "version", "name"])
        return [tuple(line.split(None, 2)) for line in lines[1:]]

    def assert_failed(self, done, offender, why=""):
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn('"%s"' % offender, done.stderr)
        self.assertIn(why, done.stderr)

    def scripts(self, **scripts):
        """A folder with a script for each name, __ for a dot in it."""
        folder = os.path.join(self.folder, "scripts")
        os.makedirs(folder, exist_ok=True)
        for name, script in scripts.items():
            file = name.lstrip("_").replace("__", ".") + ".sql"
            with open(os.path.join(folder, file), "w",
                      encoding="utf-8") as out:
                out.write(script)
        return folder


USERS = {
    "_0001_users__sqlite":
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " photo BLOB, weight REAL)",
    "_0001_users__postgres":
        "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL,"
        " photo bytea, weight double precision)",
}


def report(migrated, current, failed, version):
    """The line that migrate ends with."""
    return ("%d migrated, %d current, %d failed; new tenants are of"
            " version %d\n" % (migrated, current, failed, version))


class New(Engine):
    def test_a_new_database_is_told_of_once(self):
        folder = self.scripts(**USERS)
        for arguments in (("create", "A"), ("migrate", folder)):
            self.fresh()
            done = self.tenant(*arguments)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stderr, "^ctxvar tenant: made a new database"
                             " at (sqlite:/|postgresql:///).*\n$")
        self.assertEqual(self.tenant("create", "B").stderr, "")
        self.assertEqual(self.tenant("migrate", folder).stderr, "")


class Url(Engine):
    @unittest.skipUnless(SERVER, "a folder has one scheme")
    def test_a_server_s_url_begins_in_either_way(self):
        self.assertIn("://", self.url)
        self.done("create", "A")
        self.url = "postgres" + self.url[self.url.index("://"):]
        self.done("create", "B")
        self.assertEqual([name for _, _, name in self.tenants()], ["A", "B"])
        self.assertEqual(run("demo", "tenants", "--db", "postgres://127.0.0.1:1"
                             "/x").returncode, 1)


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


    @unittest.skipUnless(SERVER, "a file cannot be granted to others")
    def test_a_boundary_with_a_hole_in_it_is_a_failure(self):
        self.assertEqual(self.demo().returncode, 0)
        server_sql("GRANT USAGE ON SCHEMA t2 TO PUBLIC", self.url)
        server_sql("GRANT SELECT ON t2.users TO PUBLIC", self.url)
        done = self.demo()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertNotIn("refused: ", done.stdout)


class Tenants(Engine):
    def test_those_that_are_made_are_listed_by_id(self):
        self.done("create", "B")
        self.done("create", "A é")
        self.assertEqual(self.tenants(), [("1", "0", "B"), ("2", "0", "A é")])

    @unittest.skipUnless(SERVER, "a file has no logins")
    def test_a_list_takes_few_of_the_server_s_connections(self):
        for i in range(25):
            self.done("create", "T%d" % i)
        server_sql("ALTER DATABASE command_%d CONNECTION LIMIT 16"
                   % Engine.made)
        self.assertEqual(self.tenants(), [(str(i + 1), "0", "T%d" % i)
                                          for i in range(25)])

    @unittest.skipUnless(SERVER, "a file has no logins")
    def test_a_list_does_not_log_in_as_the_tenants(self):
        self.done("create", "A")
        oid = server_sql("SELECT oid FROM pg_database"
                         " WHERE datname = current_database()", self.url)
        server_sql("ALTER ROLE cx_%s_1 NOLOGIN" % oid.strip(), self.url)
        self.assertEqual(self.tenants(), [("1", "0", "A")])

    def test_a_list_that_cannot_be_written_is_an_error(self):
        self.done("create", "A")
        for output in (">&-", "<&- >&-", ">/dev/full"):
            done = subprocess.run(
                ["sh", "-c", '"$@" ' + output, "sh", CTXVAR, "tenant", "list",
                 self.url], stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 1, output)
            self.assertIn("cannot write to standard output", done.stderr)

    def test_what_prints_nothing_needs_no_output(self):
        done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", CTXVAR, "tenant",
                               "create", self.url, "A"],
                              stderr=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0)

    def test_a_name_is_given_once(self):
        self.done("create", "A")
        self.assert_failed(self.tenant("create", "A"), "A")

    def test_what_is_no_name_is_refused(self):
        self.done("create", "A")
        for name in ("", "x" * 256):
            self.assert_failed(self.tenant("create", name), name)
        self.assert_failed(self.tenant("create", "a\nb"), "a?b")
        self.assertEqual(len(self.tenants()), 1)

    def test_a_name_that_looks_like_an_option_comes_after_two_dashes(self):
        self.done("create", "--", "--yes")
        self.assertEqual(self.tenants(), [("1", "0", "--yes")])

    def test_a_renamed_one_keeps_its_id_and_rows(self):
        self.done("migrate", self.scripts(**USERS))
        self.done("create", "A")
        self.done("shell", "A",
                  stdin="INSERT INTO users (id, name) VALUES (1, 'Ann')")
        self.done("rename", "A", "B")
        self.assertEqual(self.tenants(), [("1", "1", "B")])
        self.assertIn("Ann", self.done("shell", "B",
                                       stdin="SELECT * FROM users"))

    def test_renaming_refuses_who_is_not_there_and_a_name_that_is_taken(self):
        self.done("create", "A")
        self.done("create", "B")
        self.assert_failed(self.tenant("rename", "C", "D"), "C")
        self.assert_failed(self.tenant("rename", "A", "B"), "B")

    def test_a_dropped_one_is_gone_and_its_id_not_given_again(self):
        self.done("create", "A")
        self.done("drop", "A", "--yes")
        self.assertEqual(self.tenants(), [])
        self.done("create", "A")
        self.assertEqual(self.tenants(), [("2", "0", "A")])

    def test_who_is_not_there_cannot_be_dropped_or_used(self):
        self.done("create", "A")
        self.assert_failed(self.tenant("drop", "B", "--yes"), "B")
        self.assert_failed(self.tenant("shell", "B"), "B")

    def test_nothing_is_dropped_without_a_terminal_or_yes(self):
        self.done("create", "A")
        done = self.tenant("drop", "A", stdin="y\n")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--yes", done.stderr)
        self.assertEqual(len(self.tenants()), 1)

    def answer(self, answer):
        master, slave = pty.openpty()
        with subprocess.Popen([CTXVAR, "tenant", "drop", self.url, "A"],
                              stdin=slave, stderr=subprocess.PIPE,
                              text=True) as process:
            os.write(master, answer)
            status = process.wait()
            self.assertIn('Drop tenant 1, "A"', process.stderr.read())
        os.close(master)
        os.close(slave)
        return status

    def test_a_terminal_is_asked_before_something_is_dropped(self):
        self.done("create", "A")
        for answer in (b"n\n", b"\n", b"\x04"):
            self.assertEqual(self.answer(answer), 1)
            self.assertEqual(len(self.tenants()), 1)
        self.assertEqual(self.answer(b"y\n"), 0)
        self.assertEqual(self.tenants(), [])


class Migrations(Engine):
    def setUp(self):
        super().setUp()
        for name in "ABC":
            self.done("create", name)

    def versions(self):
        return [version for _, version, _ in self.tenants()]

    def test_all_tenants_and_those_made_later_get_the_last_version(self):
        folder = self.scripts(_0010_age="ALTER TABLE users ADD age bigint",
                              **USERS)
        self.assertEqual(self.done("migrate", folder),
                         report(3, 0, 0, 10))
        self.done("create", "D")
        self.assertEqual(self.versions(), ["10"] * 4)
        self.assertIn("age", self.done("shell", "D",
                                       stdin="SELECT * FROM users"))

    def test_what_was_applied_is_not_applied_again(self):
        folder = self.scripts(**USERS)
        self.done("migrate", folder)
        self.assertEqual(self.done("migrate", folder),
                         report(0, 3, 0, 1))

    def test_a_single_script_is_a_file(self):
        folder = self.scripts(_1_t="CREATE TABLE t (id bigint PRIMARY KEY)")
        self.done("migrate", os.path.join(folder, "1_t.sql"))
        self.assertEqual(self.versions(), ["1"] * 3)

    def test_one_that_fails_is_named_and_the_others_go_on(self):
        self.done("migrate", self.scripts(**USERS))
        self.done("shell", "B", stdin="INSERT INTO users (id, name) VALUES"
                                      " (1, 'x'), (2, 'x')")
        folder = self.scripts(_2_unique="CREATE UNIQUE INDEX u ON users (name)")
        done = self.tenant("migrate", folder)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, report(2, 0, 1, 2))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn('tenant 2, "B": version 2, unique: ', done.stderr)
        self.assertEqual(self.versions(), ["2", "1", "2"])

    def test_a_script_that_fails_on_the_template_is_tried_on_no_tenant(self):
        done = self.tenant("migrate", self.scripts(_1_x="CREATE TABEL x"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("version 1, x: ", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.versions(), ["0"] * 3)

    def failed(self):
        """Scripts of which the last fails with a tenant that has rows."""
        self.done("migrate", self.scripts(**USERS))
        self.done("shell", "B", stdin="INSERT INTO users (id, name) VALUES"
                                      " (1, 'x')")
        for name in "AC":
            self.done("drop", name, "--yes")
        folder = self.scripts(
            _2_age="ALTER TABLE users ADD COLUMN age INTEGER NOT NULL")
        done = self.tenant("migrate", folder)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, report(0, 0, 1, 2))
        self.assertEqual(self.versions(), ["1"])
        return folder

    RIGHT = "ALTER TABLE users ADD COLUMN age INTEGER NOT NULL DEFAULT 7"

    def assert_ages(self, version):
        self.assertEqual(self.versions(), [version])
        self.done("create", "new")
        self.assertEqual(self.versions(), [version] * 2)
        for name in ("B", "new"):
            self.done("shell", name,
                      stdin="INSERT INTO users (id, name) VALUES (2, 'y')")
            self.assertIn("7", self.done("shell", name,
                                         stdin="SELECT age FROM users"))

    def test_a_script_that_no_tenant_has_had_may_be_changed(self):
        folder = self.failed()
        self.scripts(_2_age=self.RIGHT)
        self.assertEqual(self.done("migrate", folder), report(1, 0, 0, 2))
        self.assert_ages("2")

    def test_a_script_that_no_tenant_has_had_may_be_another(self):
        folder = self.failed()
        os.unlink(os.path.join(folder, "2_age.sql"))
        done = self.tenant("migrate", folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("an empty one", done.stderr)
        self.scripts(_3_age=self.RIGHT)
        self.assertEqual(self.done("migrate", folder), report(1, 0, 0, 3))
        self.assert_ages("3")

    def test_a_script_that_a_tenant_has_had_is_changed_if_that_is_said(self):
        folder = self.failed()
        self.done("create", "late")
        self.scripts(_2_age=self.RIGHT)
        done = self.tenant("migrate", folder)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("tenant 4 has it", done.stderr)
        for version in ("3", "x", ""):
            done = self.tenant("migrate", folder, "--changed", version)
            self.assertEqual(done.returncode, 1)
            self.assertIn('not "%s"' % version, done.stderr)
        self.assertEqual(self.done("migrate", folder, "--changed", "2"),
                         report(2, 0, 0, 2))
        self.assertEqual(self.versions(), ["2"] * 2)
        self.assertEqual(self.done("migrate", folder), report(0, 2, 0, 2))

    def test_a_script_that_was_changed_since_is_refused(self):
        self.done("migrate", self.scripts(_1_t="CREATE TABLE t (id bigint)"))
        done = self.tenant("migrate",
                           self.scripts(_1_t="CREATE TABLE t (id text)"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("version 1 was changed", done.stderr)

    def assert_refused(self, why, path):
        done = self.tenant("migrate", path)
        self.assert_failed(done, re.search('"(.*)"', done.stderr)[1], why)
        self.assertIn(path, done.stderr)
        self.assertEqual(self.versions(), ["0"] * 3)

    def test_scripts_that_are_not_a_list_of_versions_are_refused(self):
        for why, names in (("a script is called", ["users"]),
                           ("a script is called", ["0_users"]),
                           ("a script is called", ["1"]),
                           ("a script is called", ["1_"]),
                           ("2147483647 at most", ["2147483648_x"]),
                           ("2147483647 at most", ["20240101120000_v"]),
                           ("2147483647 at most", ["99999999999999999999_x"]),
                           ("another script", ["1_a", "01_a"]),
                           ("another script", ["1_a", "1_a__sqlite"]),
                           ("another name", ["1_a__sqlite", "1_b__postgres"])):
            with self.subTest(names):
                folder = self.scripts(**{"_" + name: "" for name in names})
                self.assert_refused(why, folder)
                for name in os.listdir(folder):
                    os.unlink(os.path.join(folder, name))

    def test_a_version_for_the_other_engine_alone_is_refused(self):
        ours, other = (("postgres", "sqlite") if SERVER else
                       ("sqlite", "postgres"))
        users = "CREATE TABLE users (id bigint PRIMARY KEY)"
        folder = self.scripts(_0001_a=users, **{"_0002_b__" + other: users})
        self.assert_refused("0002_b.%s.sql" % ours, folder)
        file = os.path.join(folder, "0002_b.%s.sql" % other)
        self.assert_refused("version 2, b, has no script", file)
        self.scripts(**{"_0002_b__" + ours: ""})
        self.assertEqual(self.done("migrate", folder),
                         report(3, 0, 0, 2))
        self.assertEqual(self.versions(), ["2"] * 3)

    def test_a_script_without_a_statement_has_nothing_to_do(self):
        for i, script in enumerate(("", " \n", "-- nothing\n", "/* ; */;\n;")):
            folder = self.scripts(**{"_%d_x" % (i + 1): script})
            self.assertEqual(self.done("migrate", folder),
                             report(3, 0, 0, i + 1))
            self.assertEqual(self.done("migrate", folder),
                             report(0, 3, 0, i + 1))
        self.assertEqual(self.versions(), ["4"] * 3)

    def test_a_statement_where_there_was_none_is_a_change(self):
        self.done("migrate", self.scripts(_1_x="-- nothing"))
        done = self.tenant("migrate",
                           self.scripts(_1_x="CREATE TABLE t (id bigint)"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("version 1 was changed", done.stderr)

    def test_a_folder_without_scripts_is_refused(self):
        self.assert_refused("no script", self.scripts())
        self.assert_refused("No such file", self.folder + "/none")

    def test_a_nul_in_a_script_is_refused(self):
        self.assert_refused("NUL", self.scripts(_1_x="SELECT 1\0"))

    def progress(self, columns):
        """What was shown, line over line, of a migration at a terminal."""
        with Terminal("tenant", "migrate", self.url, self.scripts(**USERS),
                      columns=columns, stdout=subprocess.DEVNULL) as migrate:
            shown, status = migrate.end()
        self.assertEqual(status, 0)
        return [re.sub("\x1b.*", "", line) for line in shown.split("\r")]

    def test_a_terminal_is_shown_how_far_it_is(self):
        lines = self.progress(0)
        self.assertIn("[" + " " * 40 + "] 0/3", lines)
        self.assertIn("[" + "#" * 40 + "] 3/3", lines)

    def test_the_bar_is_as_wide_as_the_terminal_lets_it_be(self):
        for columns, last in ((200, "[" + "#" * 40 + "] 3/3"),
                              (30, "[" + "#" * 23 + "] 3/3"),
                              (11, "[####] 3/3"), (10, "3/3"), (4, "3/3"),
                              (3, "")):
            lines = self.progress(columns)
            self.assertIn(last, lines)
            for line in lines:
                self.assertLess(len(line), columns)
                self.assertNotIn("\n", line)

    def blocked(self):
        """Scripts that are never done with a tenant that has rows."""
        self.done("migrate", self.scripts(**USERS))
        self.done("shell", "B", stdin="INSERT INTO users (id, name) VALUES"
                                      " (1, 'x')")
        return self.scripts(
            _2_t="CREATE TABLE t (id bigint PRIMARY KEY);"
                 "INSERT INTO t (id) WITH RECURSIVE n(x) AS (SELECT id FROM"
                 " users UNION ALL SELECT x FROM n) SELECT x FROM n WHERE"
                 " x > 1")

    def test_an_interrupt_leaves_the_rest_for_the_next_time(self):
        folder = self.blocked()
        with Terminal("tenant", "migrate", self.url, folder) as migrate:
            migrate.expect("2/3")
            migrate.type("\x03")
            shown, status = migrate.end()
        self.assertEqual(status, 130)
        self.assertEqual(shown.split("\n", 1)[1],
                         report(2, 0, 0, 2) +
                         "ctxvar tenant: interrupted: run again, it goes on"
                         " with those that are left\n")
        self.assertEqual(self.versions(), ["2", "1", "2"])
        self.done("shell", "B", stdin="DELETE FROM users")
        self.assertEqual(self.done("migrate", folder),
                         report(1, 2, 0, 2))


class Shell(Engine):
    def setUp(self):
        super().setUp()
        self.done("migrate", self.scripts(**USERS))
        self.done("create", "A")
        self.done("create", "B")

    def test_rows_are_a_table(self):
        shown = self.done("shell", "A", stdin=(
            "INSERT INTO users (id, name, weight) VALUES"
            " (1, 'Ann é', 0.1), (22, 'Bob', NULL);\n"
            "\n"
            "SELECT id, weight, name FROM users ORDER BY id;\n"
            "SELECT id FROM users WHERE id = 3"))
        self.assertEqual(shown, "(2 rows changed)\n"
                                "id  weight  name\n"
                                "--  ------  -----\n"
                                " 1     0.1  Ann é\n"
                                "22  NULL    Bob\n"
                                "(2 rows)\n"
                                "id\n"
                                "--\n"
                                "(0 rows)\n")

    def test_an_error_is_told_and_the_next_statement_runs(self):
        done = self.tenant("shell", "A",
                           stdin="SELECT nope;\nSELECT 7 AS x;\n")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("nope", done.stderr)
        self.assertIn("7\n(1 row)\n", done.stdout)

    def test_comments_and_empty_statements_are_skipped(self):
        self.assertEqual(self.done("shell", "A", stdin="-- x\n ;\n\n"), "")

    def test_another_tenant_s_rows_are_refused(self):
        self.done("shell", "B",
                  stdin="INSERT INTO users (id, name) VALUES (1, 'SECRET')")
        done = self.tenant("shell", "A", stdin="SELECT * FROM t2.users;\n"
                                               "SELECT * FROM users;\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("(0 rows)\n", done.stdout)
        self.assertNotIn("SECRET", done.stdout + done.stderr)

    def test_what_a_terminal_would_obey_is_not_printed(self):
        shown = self.done("shell", "A", stdin=(
            "INSERT INTO users (id, name) VALUES (1, 'a\x1b[31m\x9bm\xe9');\n"
            "SELECT name FROM users\n"))
        self.assertIn("a?[31m?m\xe9\n", shown)

    def test_what_turns_the_direction_of_text_is_not_printed(self):
        shown = self.done("shell", "A", stdin="SELECT 'a\u202eb' AS \"\u2066\"")
        self.assertEqual(shown, "?\n---\na?b\n(1 row)\n")
        done = self.tenant("shell", "A", stdin="SELECT \u202e\x9b")
        self.assertIn("??", done.stderr)
        self.done("create", "C\u202e")
        self.assertIn("  C?\n", self.done("list"))

    def test_a_nul_is_an_error_and_not_the_end(self):
        done = self.tenant("shell", "A", stdin="SELECT 1\0 + 1;\nSELECT 5\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("NUL", done.stderr)
        self.assertIn("5\n(1 row)\n", done.stdout)

    def test_a_statement_ends_at_its_semicolon_and_not_at_its_line(self):
        self.assertEqual(self.done("shell", "A", stdin=(
            "INSERT INTO users (id, name) VALUES (1, 'a;\n--'), (2, 'b');"
            " DELETE FROM users -- not all of them;\n"
            "WHERE id = 2; SELECT id FROM users")),
            "(2 rows changed)\n(1 row changed)\nid\n--\n 1\n(1 row)\n")

    def test_a_statement_without_its_end_is_the_last_one(self):
        self.assertEqual(self.done("shell", "A", stdin="SELECT 1 AS x -- y"),
                         "x\n-\n1\n(1 row)\n")

    def test_a_statement_whose_quote_does_not_end_is_not_run(self):
        for opening in ("'", '"', "/*") + (("$$",) if SERVER else ("[", "`")):
            done = self.tenant("shell", "A", stdin=(
                "SELECT 1 AS x;\n\nDELETE FROM users %s\nWHERE id = 2;\n"
                % opening))
            self.assertEqual((done.returncode, done.stdout),
                             (1, "x\n-\n1\n(1 row)\n"))
            self.assertIn("line 3: a quote or a comment does not end",
                          done.stderr)

    def test_an_error_tells_the_line_in_which_the_statement_begins(self):
        done = self.tenant("shell", "A", stdin=(
            "-- x\nSELECT 1; SELECT nope1;\n\n\nSELECT\n\nnope2;\nSELECT nope3"))
        self.assertEqual(
            re.findall(r"^ctxvar tenant: (line \d+): .*(nope\d)", done.stderr,
                       re.MULTILINE),
            [("line 2", "nope1"), ("line 5", "nope2"), ("line 8", "nope3")])

    def test_a_script_in_a_file_and_a_long_one_run(self):
        path = os.path.join(self.folder, "script")
        with open(path, "w", encoding="ascii") as out:
            out.write("SELECT '" + "x" * 1000000 + "' AS y;\n")
            out.write("SELECT\n'a' AS x\n;\n" * 1000)
        with open(path, encoding="ascii") as script:
            done = subprocess.run([CTXVAR, "tenant", "shell", self.url, "A"],
                                  stdin=script, capture_output=True, text=True,
                                  timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.count("(1 row)\n"), 1001)

    def test_tables_are_told_to_who_asks_for_them(self):
        key, text, number = (("bigint", "text", "double precision") if SERVER
                             else ("INTEGER", "TEXT", "REAL"))
        columns = [["id", key, "true", "true", "false" if SERVER else "true"],
                   ["name", text, "true", "false", "false"],
                   ["photo", "bytea" if SERVER else "BLOB", "false", "false",
                    "false"],
                   ["weight", number, "false", "false", "false"]]
        for word in ("tables", "\\d", ".tables", ".schema", " TABLES ; ",
                     "describe", "\\dt"):
            self.assertEqual(self.done("shell", "A", stdin=word),
                             "table\n-----\nusers\n(1 row)\n", word)
        for word in ("describe users", '\\d "users";\n', ".schema users",
                     "DESCRIBE\tusers"):
            lines = self.done("shell", "A", stdin=word).splitlines()
            self.assertEqual(re.split("  +", lines[0].rstrip()),
                             ["column", "type", "not null", "key", "numbered"])
            self.assertEqual([re.split("  +", line.strip())
                              for line in lines[2:-1]], columns, word)
            self.assertEqual(lines[-1], "(4 rows)")

    def test_tables_are_the_tenant_s_own_and_another_line_is_a_statement(self):
        done = self.tenant("shell", "A", stdin=(
            "SELECT 5 AS x;\ndescribe nope\n\\d cx_migrations\n"
            "describe t2.users\ntables\nSELECT 6 AS\ntables\n;"
            " tables; SELECT 7;\nhelp\n"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "x\n-\n5\n(1 row)\ntable\n-----\nusers\n"
                         "(1 row)\ntables\n------\n     6\n(1 row)\n"
                         "?column?\n--------\n       7\n(1 row)\n" if SERVER
                         else "x\n-\n5\n(1 row)\ntable\n-----\nusers\n(1 row)\n"
                         "tables\n------\n     6\n(1 row)\n7\n-\n7\n(1 row)\n")
        self.assertEqual(re.findall("line (\\d+): (?:there is (no such table))?",
                                    done.stderr),
                         [("2", "no such table"), ("3", "no such table"),
                          ("4", "no such table"), ("8", ""), ("9", "")])

    def test_what_cannot_be_read_is_an_error(self):
        folder = os.open(self.folder, os.O_RDONLY)
        done = subprocess.run([CTXVAR, "tenant", "shell", self.url, "A"],
                              stdin=folder, capture_output=True, check=False)
        os.close(folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot read standard input", done.stderr)


# It does not end by itself.
ENDLESS = ("INSERT INTO users (id, name) WITH RECURSIVE n(x) AS (SELECT 1"
           " UNION ALL SELECT x % 7 + 1 FROM n) SELECT max(x), 'x' FROM n;\n")


class Interrupts(Engine):
    def setUp(self):
        super().setUp()
        self.done("migrate", self.scripts(**USERS))
        self.done("create", "A")

    def running(self):
        """How many statements the server runs for tenants, as nobody else
        may see."""
        return int(server_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND query LIKE 'INSERT INTO users%'", SUPERUSER))

    def wait_until_it_runs(self, process):
        def is_busy():
            with open("/proc/%d/stat" % process.pid, encoding="utf-8") as file:
                ticks = file.read().rpartition(")")[2].split()[11]
            return int(ticks) > 20
        wait_for((lambda: self.running() > 0) if SERVER else is_busy)

    def assert_nothing_was_inserted(self):
        if SERVER:
            wait_for(lambda: self.running() == 0)
        self.assertIn("(0 rows)", self.done("shell", "A",
                                            stdin="SELECT id FROM users"))

    def test_a_terminal_s_interrupt_cancels_the_statement_alone(self):
        with Terminal("tenant", "shell", self.url, "A") as shell:
            shell.expect("A> ")
            shell.type(ENDLESS)
            self.wait_until_it_runs(shell.process)
            shell.type("\x03")
            self.assertTrue(shell.expect("A> ").endswith(
                "^C\nctxvar tenant: error: the statement was cancelled\n"))
            shell.type("SELECT 5 AS x;\n")
            self.assertIn("5\n(1 row)\n", shell.expect("A> "))
            shell.type("\x04")
            self.assertEqual(shell.end()[1], 1)
        self.assert_nothing_was_inserted()

    def test_an_interrupt_drops_what_was_typed(self):
        with Terminal("tenant", "shell", self.url, "A") as shell:
            shell.expect("A> ")
            shell.type("\x03")
            shell.expect("A> ")
            shell.type("SELECT 4 AS\n")
            shell.expect("A-> ")
            shell.type("\x03")
            shell.expect("A> ")
            shell.type("SELECT 5 AS x;\n")
            self.assertIn("5\n(1 row)\n", shell.expect("A> "))
            shell.type("\x04")
            self.assertEqual(shell.end()[1], 0)

    def test_an_interrupt_ends_a_script(self):
        with subprocess.Popen([CTXVAR, "tenant", "shell", self.url, "A"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              preexec_fn=interruptible) as process:
            process.stdin.write(
                "SELECT 5 AS x;\n" + ENDLESS +
                "INSERT INTO users (id, name) VALUES (1, 'x');\n")
            process.stdin.flush()
            self.wait_until_it_runs(process)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out),
                         (130, "x\n-\n5\n(1 row)\n"))
        self.assertIn("line 2: the statement was cancelled\n", err)
        self.assert_nothing_was_inserted()

    def test_an_interrupt_ends_a_script_that_is_waited_for(self):
        with subprocess.Popen([CTXVAR, "tenant", "shell", self.url, "A"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              preexec_fn=interruptible) as process:
            process.stdin.write("SELECT 5 AS x;\nDELETE FROM users\n")
            process.stdin.flush()
            while process.stdout.readline() != "(1 row)\n":
                pass
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted", err)

    def test_an_interrupt_cuts_off_what_is_printed(self):
        with subprocess.Popen([CTXVAR, "tenant", "shell", self.url, "A"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              preexec_fn=interruptible) as process:
            process.stdin.write(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n"
                " WHERE x < 200000) SELECT x FROM n;\nSELECT 5 AS y;\n")
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("\n(200000 rows, not all of which are shown)\n", out)
        self.assertLess(out.count("\n"), 200000)

    def test_a_job_in_the_background_minds_no_interrupt(self):
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        with subprocess.Popen([CTXVAR, "tenant", "shell", self.url, "A"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, preexec_fn=ignore) as process:
            process.stdin.write("SELECT 5 AS x;\n")
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate("SELECT 6 AS x;\n", timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertIn("6\n(1 row)\n", out)


class Typed(Engine):
    """The shell at a terminal."""
    def setUp(self):
        super().setUp()
        self.done("create", "A")

    def test_it_is_told_how_a_statement_ends_and_how_to_end(self):
        with Terminal("tenant", "shell", self.url, "A") as shell:
            told = shell.expect("A> ")
            self.assertIn('";"', told)
            self.assertIn('"quit" or Ctrl-D', told)
            shell.type("help\n")
            told = shell.expect("A> ")
            for word in ("Ctrl-C", "tables", "describe TABLE"):
                self.assertIn(word, told)

    def test_tables_are_asked_for_by_any_of_their_words(self):
        with Terminal("tenant", "shell", self.url, "A") as shell:
            shell.expect("A> ")
            for word in ("tables", "\\d", ".tables", "tables;"):
                shell.type(word + "\n")
                self.assertEqual(shell.expect("A> "),
                                 word + "\ntable\n-----\n(0 rows)\n")
            for word in ("describe users", "\\d users", ".schema users"):
                shell.type(word + "\n")
                self.assertEqual(shell.expect("A> "), word + "\nctxvar tenant:"
                                 " error: there is no such table\n")
            for word in ("\\dn", ".mode box", "\\x"):
                shell.type(word + "\n")
                self.assertIn("no such word", shell.expect("A> "))
            shell.type("SELECT 5 AS\n")
            shell.expect("A-> ")
            shell.type("tables\n")
            self.assertIn("part of a statement", shell.expect("A-> "))
            shell.type(";\n")
            self.assertIn("5\n(1 row)\n", shell.expect("A> "))

    def test_each_word_for_the_end_ends_it(self):
        for word in ("quit", "exit", "\\q", "quit;", "\x04"):
            with Terminal("tenant", "shell", self.url, "A") as shell:
                shell.expect("A> ")
                shell.type(word + "\n" if word != "\x04" else word)
                self.assertEqual(shell.end()[1], 0)

    def test_a_statement_that_goes_on_is_asked_for(self):
        with Terminal("tenant", "shell", self.url, "A") as shell:
            shell.expect("A> ")
            for line, prompt in (("SELECT", "A-> "), ("'a", "A'> "),
                                 ("'", "A-> "), ("AS /*", "A*> "),
                                 ("*/ \"", 'A"> '), ("x\" -- ;", "A-> ")):
                shell.type(line + "\n")
                shell.expect(prompt)
            shell.type("; -- done\n")
            self.assertIn("(1 row)\n", shell.expect("A> "))
            shell.type("-- nothing\n")
            shell.expect("A> ")

    def test_a_word_within_a_statement_does_not_end_it(self):
        with Terminal("tenant", "shell", self.url, "A") as shell:
            shell.expect("A> ")
            shell.type("SELECT 5 AS\n")
            shell.expect("A-> ")
            shell.type("quit\n")
            self.assertIn("part of a statement", shell.expect("A-> "))
            shell.type(";\n")
            self.assertIn("5\n(1 row)\n", shell.expect("A> "))

    def test_a_statement_that_somebody_did_not_end_is_not_run(self):
        with Terminal("tenant", "shell", self.url, "A") as shell:
            shell.expect("A> ")
            shell.type("SELECT 5 AS x\n")
            shell.expect("A-> ")
            shell.type("\x04")
            shown, status = shell.end()
        self.assertIn("it was not run", shown)
        self.assertNotIn("(1 row)", shown)
        self.assertEqual(status, 1)


class Usage(unittest.TestCase):
    """Refused before any database is opened."""
    def assert_refused(self, *arguments, offender):
        done = run("tenant", *arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn('"%s"' % offender, done.stderr)

    def test_bad_usage_is_one_line_that_names_the_offender(self):
        url = "sqlite:/dev/null/x"
        self.assert_refused("nonsense", offender="nonsense")
        self.assert_refused("--nonsense", offender="--nonsense")
        self.assert_refused("list", offender="list")
        self.assert_refused("list", "users.db", offender="users.db")
        self.assert_refused("list", url, "A", offender="A")
        self.assert_refused("create", url, offender=url)
        self.assert_refused("list", url, "--yes", offender="--yes")
        self.assert_refused("create", url, "A", "B", offender="B")
        self.assert_refused("create", url, "A", "--x", offender="--x")
        self.assert_refused("rename", url, "A", offender="A")

    def test_what_is_missing_is_named_and_where_to_read_of_it(self):
        url = "sqlite:/dev/null/x"
        for name, arguments, missing, after in (
                ("list", (), "URL", "list"), ("create", (url,), "NAME", url),
                ("drop", (url, "--yes"), "NAME", url),
                ("rename", (url, "A"), "NEW", "A"),
                ("migrate", (url,), "PATH", url)):
            self.assertEqual(
                run("tenant", name, *arguments).stderr,
                'ctxvar tenant %s: %s is missing after: "%s"; see'
                " 'ctxvar tenant %s --help'\n" % (name, missing, after, name))

    def helped(self, *arguments):
        done = run(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def test_help_is_asked_for(self):
        shown = self.helped("tenant", "--help")
        self.assertIn("Usage: ctxvar tenant SUBCOMMAND ", shown)
        for arguments in (("tenant", "-h"), ("tenant", "help"),
                          ("help", "tenant")):
            self.assertEqual(self.helped(*arguments), shown)
        self.assertEqual(run("tenant").returncode, 2)

    def test_each_subcommand_has_help_of_its_own(self):
        for name, takes in (("create", "URL NAME"), ("list", "URL"),
                            ("rename", "URL NAME NEW"),
                            ("drop", "URL NAME [--yes]"),
                            ("migrate", "URL PATH [--changed VERSION]"),
                            ("shell", "URL NAME")):
            shown = self.helped("tenant", name, "--help")
            self.assertIn("Usage: ctxvar tenant %s %s\n" % (name, takes),
                          shown)
            self.assertIn("\nExit status: ", shown)
            for arguments in (("tenant", "help", name),
                              ("help", "tenant", name),
                              ("tenant", name, "sqlite:x", "-h")):
                self.assertEqual(self.helped(*arguments), shown)

    def test_help_of_what_there_is_not_is_refused(self):
        self.assert_refused("help", "nonsense", offender="nonsense")
        self.assert_refused("help", "list", "sqlite:x", offender="sqlite:x")

    def test_a_password_is_not_printed(self):
        for place in ("user:secret@127.0.0.1:1/x",
                      "127.0.0.1:1/x?password=secret",
                      "user:secret?@127.0.0.1:1/x"):
            for scheme in ("postgresql://", "postgres://"):
                url = scheme + place
                for arguments in (("tenant", "list", url),
                                  ("tenant", "create", url),
                                  ("tenant", "list", "sqlite:x", url),
                                  ("demo", "tenants", "--db", url),
                                  ("demo", "naive", "--db", url)):
                    done = run(*arguments)
                    self.assertIn(done.returncode, (1, 2))
                    self.assertNotIn("secret", done.stdout + done.stderr)


class Place(unittest.TestCase):
    """What is so on SQLite alone."""
    def test_a_temporary_database_is_gone_afterwards(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("demo", "tenants", "--pace", "0",
                       env={**os.environ, "TMPDIR": folder})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), [])

    def test_a_mistyped_folder_does_not_become_a_database(self):
        with tempfile.TemporaryDirectory() as folder:
            url = "sqlite:" + os.path.join(folder, "db")
            for arguments in (("list", url), ("rename", url, "A", "B"),
                              ("drop", url, "A", "--yes"),
                              ("shell", url, "A")):
                done = run("tenant", *arguments)
                self.assertEqual(done.returncode, 1)
                self.assertIn(url, done.stderr)
            self.assertEqual(os.listdir(folder), [])

    def test_a_folder_in_the_place_of_a_host_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("tenant", "create", "sqlite://B", "A", cwd=folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("sqlite:DIR", done.stderr)
            self.assertEqual(os.listdir(folder), [])

    def test_a_folder_of_other_things_is_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            open(os.path.join(folder, "photo.jpg"), "wb").close()
            for arguments in (("list",), ("create", "A")):
                done = run("tenant", arguments[0], "sqlite:" + folder,
                           *arguments[1:])
                self.assertEqual(done.returncode, 1)
            self.assertEqual(os.listdir(folder), ["photo.jpg"])

    def test_a_pipe_is_no_script(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkfifo(os.path.join(folder, "0001_x.sql"))
            done = run("tenant", "migrate", f"sqlite:{folder}/db", folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("0001_x.sql", done.stderr)
            self.assertEqual(os.listdir(folder), ["0001_x.sql"])

    def test_a_tenant_that_cannot_be_opened_does_not_hide_the_others(self):
        with tempfile.TemporaryDirectory() as folder:
            url = "sqlite:" + folder + "/db"
            for name in "ABC":
                run("tenant", "create", url, name)
            os.unlink(folder + "/db/t2.db")
            done = run("tenant", "list", url)
            self.assertEqual(done.returncode, 1)
            self.assertEqual([line.split() for line in
                              done.stdout.splitlines()[1:]],
                             [["1", "0", "A"], ["2", "?", "B"],
                              ["3", "0", "C"]])
            self.assertIn("tenant 2: ", done.stderr)

    def test_another_program_s_tenants_are_left_alone_by_the_demo(self):
        with tempfile.TemporaryDirectory() as folder:
            url = "sqlite:" + folder + "/db"
            run("tenant", "create", url, "precious")
            done = run("demo", "tenants", "--db", url)
            self.assertEqual(done.returncode, 1)
            self.assertIn(url, done.stderr)
            self.assertIn("0  precious", run("tenant", "list", url).stdout)

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
