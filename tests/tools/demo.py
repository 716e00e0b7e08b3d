#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command, run as a user would: what it prints, leaves and refuses.

$CTXVAR names the program.
"""
import os
import pty
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import unittest

CTXVAR = os.environ.get("CTXVAR", "build/ctxvar")
PACE = 60  # ms

# The note's logs: (unit, client, verb, table), ties in its order.
SEQUENTIAL = []
CLIENTS = (("A", 4), ("B", 3), ("C", 2), ("D", 1))
begin = 0
for client, wait in CLIENTS:
    for i, verb in enumerate(("start", "finish", "start", "finish")):
        SEQUENTIAL.append((begin + i * wait, client, verb, "Users_" + client))
    begin += 3 * wait

CONCURRENT = [
    (0, "A", "start"), (0, "B", "start"), (0, "C", "start"), (0, "D", "start"),
    (1, "D", "finish"), (2, "C", "finish"), (2, "D", "start"),
    (3, "B", "finish"), (3, "D", "finish"), (4, "A", "finish"),
    (4, "C", "start"), (6, "B", "start"), (6, "C", "finish"),
    (8, "A", "start"), (9, "B", "finish"), (12, "A", "finish"),
]
CONTEXT = [(unit, who, verb, "Users_" + who) for unit, who, verb in CONCURRENT]
# On what is one for all, only the first four are before D's choice.
SHARED = [(unit, who, verb, "Users_" + (who if unit == 0 else "D"))
          for unit, who, verb in CONCURRENT]

LINE = re.compile(r"^\[\d\d:\d\d:\d\d\] Client: (\w) (\w+) +reading table: (.+)$")


def run(*arguments, env=None, **options):
    """The finished process, with its output as text."""
    return subprocess.run([CTXVAR, *arguments], capture_output=True, text=True,
                          timeout=120, env={**os.environ, **(env or {})},
                          **options)


def lines_of(output):
    return [match.groups() for match in map(LINE.match, output.splitlines())
            if match]


def timed(*arguments):
    """(seconds since before the start, client, verb, table) of each line."""
    begin = time.monotonic()
    process = subprocess.Popen([CTXVAR, *arguments], stdout=subprocess.PIPE,
                               text=True)
    seen = []
    for line in process.stdout:
        match = LINE.match(line)
        if match:
            seen.append((time.monotonic() - begin, *match.groups()))
    process.stdout.close()
    status = process.wait()
    return status, seen


# A program that dies with a part of its transaction in the file.
KILLED = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.executescript("PRAGMA cache_size = 1; BEGIN; CREATE TABLE Users_A (x)")
for _ in range(100):
    db.execute("INSERT INTO Users_A VALUES (zeroblob(4000))")
os.kill(os.getpid(), signal.SIGKILL)
"""


class Programs(unittest.TestCase):
    def assert_as_the_note(self, program, expected):
        status, seen = timed("demo", program, "--pace", str(PACE))
        self.assertEqual(status, 0)
        self.assertEqual([line[1:] for line in seen],
                         [line[1:] for line in expected])
        for (at, *_), (unit, *_) in zip(seen, expected):
            # Late by what the machine does, never early; the clock of the
            # command counts whole milliseconds.
            self.assertGreater(at, (unit * PACE - 1) / 1000)

    def test_sequential_is_as_the_note(self):
        self.assert_as_the_note("sequential", SEQUENTIAL)

    def test_naive_leaks_as_the_note(self):
        self.assert_as_the_note("naive", SHARED)

    def test_context_is_as_the_note(self):
        self.assert_as_the_note("context", CONTEXT)

    def test_the_order_is_the_note_s_however_late_every_line_is(self):
        for program, expected in (("sequential", SEQUENTIAL),
                                  ("naive", SHARED), ("context", CONTEXT),
                                  ("thread", SHARED)):
            with self.subTest(program):
                done = run("demo", program, "--pace", "0")
                self.assertEqual(lines_of(done.stdout)[-16:],
                                 [line[1:] for line in expected])

    def test_verdicts_count_reads_and_rows(self):
        for program, verdict in (
                ("sequential", "sequential: 0 of 16 reads"),
                ("naive", "naive: 9 of 16 reads on another client's table, "
                          "0 on none, 27 of 48 rows another client's"),
                ("context", "context: 0 of 16 reads on another client's table, "
                            "0 on none, 0 of 48 rows another client's")):
            with self.subTest(program):
                done = run("demo", program, "--pace", "10")
                self.assertEqual(done.returncode, 0)
                self.assertIn("\n" + verdict, done.stdout)

    def test_a_thread_local_is_right_for_threads_and_wrong_for_tasks(self):
        done = run("demo", "thread", "--pace", str(PACE))
        self.assertEqual(done.returncode, 0)
        lines = lines_of(done.stdout)
        self.assertEqual(len(lines), 32)
        for client, _, table in lines[:16]:
            self.assertEqual(table, "Users_" + client)
        self.assertEqual(lines[16:], [line[1:] for line in SHARED])

    def test_a_job_has_its_client_s_context_and_leaves_nothing_behind(self):
        done = run("demo", "executor")
        self.assertEqual(done.returncode, 0)
        lines = lines_of(done.stdout)
        self.assertEqual(len(lines), 32)
        for client, _, table in lines[:16]:
            self.assertEqual(table, "Users_" + client)

    def test_a_naive_pool_gives_a_job_what_the_last_one_left(self):
        lines = lines_of(run("demo", "executor").stdout)[16:]
        jobs = [(client, table) for client, what, table in lines
                if what == "job"]
        self.assertEqual(jobs[0], ("A", "(none)"))
        for (before, _), (client, table) in zip(jobs, jobs[1:]):
            left = "Users_" + "DABC"["ABCD".index(before)]
            self.assertEqual((client, table), (client, left))
            self.assertNotEqual(table, "Users_" + client)

    def test_all_ends_with_a_table_of_all_programs(self):
        done = run("demo", "--pace", "5")
        self.assertEqual(done.returncode, 0, done.stdout)
        table = done.stdout[done.stdout.index("program   "):].splitlines()
        self.assertEqual(len(table), 9)
        for row in table[1:]:
            self.assertIn("yes, ", row)

    def test_pace_zero_does_not_wait_and_still_tells_right_from_wrong(self):
        done = run("demo", "--pace=0")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("naive: 9 of 16 reads", done.stdout)
        self.assertIn("context: 0 of 16 reads", done.stdout)


class Usage(unittest.TestCase):
    def assert_refused(self, *arguments, offender):
        done = run(*arguments)
        self.assertEqual(done.returncode, 2, arguments)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn('"' + offender + '"', done.stderr)
        self.assertIn("--help", done.stderr)

    def test_bad_usage_is_one_line_that_names_the_offender(self):
        self.assert_refused("nonsense", offender="nonsense")
        self.assert_refused("--nonsense", offender="--nonsense")
        self.assert_refused("help", "nonsense", offender="nonsense")
        self.assert_refused("demo", "nonsense", offender="nonsense")
        self.assert_refused("demo", "context", "naive", offender="naive")
        self.assert_refused("demo", "--nonsense", offender="--nonsense")
        self.assert_refused("demo", "--pacer", "1", offender="--pacer")
        self.assert_refused("demo", "-x", offender="-x")
        self.assert_refused("demo", "--pace", offender="--pace")
        self.assert_refused("demo", "--db", offender="--db")
        self.assert_refused("demo", "--db", "", offender="")
        self.assert_refused("demo", "--db=", offender="")
        for arguments in (("context", "sqlite:x"), ("tenants", "users.db"),
                          ("naive", "postgresql:///x")):
            self.assert_refused("demo", arguments[0], "--db", arguments[1],
                                offender=arguments[1])
        for pace in ("", "x", "-1", "+1", " 1", "10x", "1.5", "0x10",
                     "3600001", "99999999999999999999"):
            self.assert_refused("demo", "--pace", pace, offender=pace)
            self.assert_refused("demo", "--pace=" + pace, offender=pace)

    def test_what_a_terminal_would_obey_is_not_printed(self):
        for arguments in (("\n\x1b[31m",), ("demo", "\n\x1b[31m"),
                          ("demo", "--db", "\n\x1b[31m/x")):
            done = run(*arguments)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn("??[31m", done.stderr)
        for name, shown in (("\x9b31m", "?31m"), (b"\x9b31m\xff", "?31m?"),
                            ("\u202ecod", "?cod"), ("caf\u00e9", "caf\u00e9")):
            self.assertIn('"%s"' % shown, run(name).stderr)

    def test_nothing_at_all_prints_the_usage(self):
        done = run()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("Usage: ctxvar COMMAND", done.stderr)

    def test_help_and_version_are_asked_for(self):
        for arguments in (("--help",), ("-h",), ("help",), ("demo", "--help"),
                          ("demo", "context", "-h"), ("demo", "help"),
                          ("help", "demo")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("Usage: ctxvar ", done.stdout)
        self.assertRegex(run("--version").stdout, r"^ctxvar \d+\.\d+\.\d+\n$")

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([CTXVAR, "--help"], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)


    def test_a_closed_standard_output_is_an_error_and_harms_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "users.db")
            done = subprocess.run(
                ["sh", "-c", '"$@" <&- >&-', "sh", CTXVAR, "demo", "executor",
                 "--db", path], stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"standard output", done.stderr)
            with sqlite3.connect(path) as db:
                self.assertEqual(
                    db.execute("PRAGMA integrity_check").fetchall(),
                    [("ok",)])
            db.close()

    def test_a_closed_standard_error_changes_no_exit_status(self):
        for arguments, status in ((("demo", "executor"), 0),
                                  (("demo", "executor", "--db", "/"), 1),
                                  (("nonsense",), 2)):
            done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", CTXVAR,
                                   *arguments], stdout=subprocess.DEVNULL,
                                  check=False)
            self.assertEqual(done.returncode, status)


class Colours(unittest.TestCase):
    def on_terminal(self, **env):
        master, slave = pty.openpty()
        seen = b""
        with subprocess.Popen([CTXVAR, "demo", "naive", "--pace", "0"],
                              stdout=slave,
                              env={**os.environ, "TERM": "xterm", **env}):
            os.close(slave)
            try:
                while chunk := os.read(master, 4096):
                    seen += chunk
            except OSError:  # the terminal's end
                pass
        os.close(master)
        return seen

    def test_a_terminal_gets_colours(self):
        self.assertIn(b"\x1b[31m", self.on_terminal(NO_COLOR=""))

    def test_no_color_is_respected(self):
        self.assertNotIn(b"\x1b", self.on_terminal(NO_COLOR="1"))
        self.assertNotIn(b"\x1b", self.on_terminal(TERM="dumb"))

    def test_a_pipe_gets_none(self):
        self.assertNotIn("\x1b", run("demo", "naive", "--pace", "0").stdout)


class Database(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "users.db")

    def demo(self, path=None):
        return run("demo", "context", "--pace", "0", "--db", path or self.path)

    def content(self):
        with open(self.path, "rb") as file:
            return file.read()

    def assert_refused(self, path=None):
        done = self.demo(path)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(path or self.path, done.stderr)

    def assert_left_alone(self):
        before = self.content()
        self.assert_refused()
        self.assertEqual(self.content(), before)
        self.assertEqual(os.listdir(self.folder), ["users.db"])

    def sql(self, script):
        with sqlite3.connect(self.path) as db:
            db.executescript(script)
        db.close()

    def test_the_database_is_made_and_used_again(self):
        self.assertEqual(self.demo().returncode, 0)
        before = self.content()
        with sqlite3.connect(self.path) as db:
            rows = db.execute('SELECT client, count(*) FROM "Users_B"')
            self.assertEqual(rows.fetchall(), [("B", 3)])
        db.close()
        self.assertEqual(self.demo().returncode, 0)
        self.assertEqual(self.content(), before)
        self.assertEqual(os.listdir(self.folder), ["users.db"])

    def test_rows_are_really_read(self):
        self.assertEqual(self.demo().returncode, 0)
        self.sql("UPDATE Users_C SET client = 'A' WHERE name = 'Cleo'")
        done = self.demo()
        self.assertEqual(done.returncode, 1)
        self.assertIn("4 of 48 rows another client's", done.stdout)

    def test_other_tables_are_refused_and_left_alone(self):
        self.sql("CREATE TABLE precious (x)")
        self.assert_left_alone()

    def test_tables_of_these_names_that_are_not_the_demo_s_are_refused(self):
        self.sql("".join("CREATE TABLE Users_%s (client, name);" % client
                         for client in "ABCD"))
        self.assert_left_alone()

    def test_a_demo_s_database_with_more_in_it_is_refused(self):
        self.assertEqual(self.demo().returncode, 0)
        self.sql("CREATE TABLE precious (x)")
        self.assert_left_alone()

    def test_another_program_s_database_without_tables_is_refused(self):
        self.sql("PRAGMA application_id = 77")
        self.assert_left_alone()

    def test_a_single_byte_is_refused(self):
        with open(self.path, "wb") as file:
            file.write(b"x")
        self.assert_left_alone()

    def test_a_pipe_is_refused(self):
        os.mkfifo(self.path)
        self.assert_refused()

    def test_a_link_that_leads_nowhere_is_refused_and_left_alone(self):
        for target in ("nothing", "none/nothing"):
            os.symlink(os.path.join(self.folder, target), self.path)
            self.assert_refused()
            self.assertEqual(os.listdir(self.folder), ["users.db"])
            os.unlink(self.path)

    def test_what_is_beside_a_new_database_is_left_alone(self):
        for suffix in ("-journal", "-wal"):
            beside = "users.db" + suffix
            with open(os.path.join(self.folder, beside), "wb") as file:
                file.write(b"precious")
            self.assert_refused()
            self.assertEqual(os.listdir(self.folder), [beside])
            os.unlink(os.path.join(self.folder, beside))

    def test_a_link_to_a_database_is_followed(self):
        self.assertEqual(self.demo().returncode, 0)
        link = os.path.join(self.folder, "link")
        os.symlink(self.path, link)
        self.assertEqual(self.demo(link).returncode, 0)
        self.assertTrue(os.path.islink(link))

    def test_a_name_that_means_more_to_sqlite_is_a_file_s_name(self):
        for name in (":memory:", "file:users.db?mode=memory"):
            done = run("demo", "executor", "--db", name, cwd=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(name, os.listdir(self.folder))

    def test_a_failing_database_is_one_line(self):
        self.sql("PRAGMA application_id = %d;" % 0x63747876 +
                 "".join("CREATE TABLE Users_%s (x);" % client
                         for client in "ABCD"))
        for program in ("sequential", "context", "thread", "executor"):
            done = run("demo", program, "--db", self.path)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn("no such column", done.stderr)

    def test_a_set_up_that_was_killed_is_done_again(self):
        killed = subprocess.run([sys.executable, "-c", KILLED, self.path],
                                check=False)
        self.assertEqual(killed.returncode, -signal.SIGKILL)
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ["users.db", "users.db-journal"])
        self.assertEqual(self.demo().returncode, 0)
        self.assertEqual(os.listdir(self.folder), ["users.db"])

    def test_runs_at_once_share_a_new_database(self):
        runs = [subprocess.Popen([CTXVAR, "demo", "executor", "--db",
                                  self.path], stdout=subprocess.DEVNULL)
                for _ in range(3)]
        self.assertEqual([each.wait() for each in runs], [0, 0, 0])

    def test_what_is_no_database_is_refused_and_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious words, and no database\n" * 100)
        self.assert_left_alone()

    def test_a_path_that_cannot_be_written_creates_nothing(self):
        self.assert_refused(os.path.join(self.folder, "none", "users.db"))
        self.assert_refused(self.folder)
        self.assertEqual(os.listdir(self.folder), [])

    @unittest.skipIf(os.geteuid() == 0, "root may write anywhere")
    def test_a_file_that_may_not_be_written_is_refused(self):
        self.assertEqual(self.demo().returncode, 0)
        os.chmod(self.path, stat.S_IRUSR)
        self.assert_left_alone()

    def test_a_database_that_is_in_use_is_an_error(self):
        self.assertEqual(self.demo().returncode, 0)
        db = sqlite3.connect(self.path, isolation_level=None)
        db.execute("BEGIN EXCLUSIVE")
        self.assert_refused()
        db.close()

    def test_an_empty_file_is_filled(self):
        open(self.path, "wb").close()
        self.assertEqual(self.demo().returncode, 0)

    def test_the_temporary_database_is_gone(self):
        done = run("demo", "context", "--pace", "0",
                   env={"TMPDIR": self.folder})
        self.assertEqual(done.returncode, 0)
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_temporary_database_is_gone_when_the_program_is_killed(self):
        with subprocess.Popen([CTXVAR, "demo", "context", "--pace", "60000"],
                              stdout=subprocess.PIPE,
                              env={**os.environ, "TMPDIR": self.folder}
                              ) as process:
            process.stdout.readline()
            process.kill()
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_missing_folder_for_temporary_files_is_an_error(self):
        missing = os.path.join(self.folder, "none")
        done = run("demo", "context", env={"TMPDIR": missing})
        self.assertEqual(done.returncode, 1)
        self.assertIn(missing, done.stderr)


if __name__ == "__main__":
    unittest.main()
