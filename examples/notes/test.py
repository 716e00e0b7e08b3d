#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The notes service as its users meet it: asked with curl, and by clients
that do not behave. $NOTES is the program; $CTXVAR_POSTGRES the URL of a
database for this alone, without which a folder is used.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

LONGEST_S = 20
SKIPPED = 77


class Service:
    """The program, on a port of its own."""

    def __init__(self, url, *tenants):
        self.process = subprocess.Popen(
            [os.environ["NOTES"], url, "0", *tenants], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rpartition(":")[2] or 0)

    def end(self, signum=signal.SIGTERM):
        """What it says last, and how it ends."""
        self.process.send_signal(signum)
        said = self.process.communicate(timeout=LONGEST_S)[1]
        return self.process.returncode, said

    def ask(self, tenant, path, *options):
        """(status, JSON) of a request by curl."""
        done = subprocess.run(
            ["curl", "-sS", "-m", str(LONGEST_S), "-w", "\n%{http_code}",
             "-H", f"X-Tenant: {tenant}", *options, self.url + path],
            capture_output=True, check=True)
        body, _, status = done.stdout.decode().rpartition("\n")
        return int(status), json.loads(body) if body else None

    def add(self, tenant, title, text="text"):
        note = json.dumps({"title": title, "text": text})
        return self.ask(tenant, "/notes", "--data-binary", note)

    def titles(self, tenant):
        return [note["title"] for note in self.ask(tenant, "/notes")[1]]

    def say(self, *parts):
        """All that is answered to some bytes, until the service hangs up."""
        with socket.create_connection(("127.0.0.1", self.port),
                                      LONGEST_S) as client:
            for part in parts:
                client.sendall(part)
            with contextlib.suppress(ConnectionResetError):
                return client.makefile("rb").read().decode()
        return ""


def get(path, *lines):
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


class Notes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.database = os.environ.get("CTXVAR_POSTGRES",
                                       f"sqlite:{self.folder.name}/db")
        self.service = Service(self.database, "acme", "globex")
        self.addCleanup(self.stop)
        for tenant in ("acme", "globex"):
            for note in self.service.ask(tenant, "/notes")[1]:
                self.service.ask(tenant, f"/notes/{note['id']}", "-XDELETE")

    def stop(self):
        if self.service.process.poll() is None:
            self.service.end()

    def test_a_note_is_created_listed_read_and_deleted(self):
        status, note = self.service.add("acme", "Milk", "two \u2113")
        self.assertEqual((status, note["title"]), (201, "Milk"))
        path = f"/notes/{note['id']}"
        self.assertEqual(self.service.ask("acme", path), (200, note))
        self.assertEqual(self.service.ask("acme", "/notes"), (200, [note]))
        self.assertEqual(self.service.ask("acme", path, "-XDELETE"),
                         (204, None))
        self.assertEqual(self.service.ask("acme", path)[0], 404)
        self.assertEqual(self.service.ask("acme", "/notes"), (200, []))

    def test_tenants_do_not_see_each_others_notes(self):
        note = self.service.add("acme", "Secret")[1]
        path = f"/notes/{note['id']}"
        self.assertEqual(self.service.titles("globex"), [])
        self.assertEqual(self.service.ask("globex", path)[0], 404)
        self.assertEqual(self.service.ask("globex", path, "-XDELETE")[0], 404)
        self.assertEqual(self.service.titles("acme"), ["Secret"])

    def test_the_tenant_is_the_first_word_of_the_host_without_a_header(self):
        self.service.add("acme", "Milk")
        for host in ("acme.example:80", "acme", "ACME.example", "Acme.",
                     "aCME:8080", "acme.example.:80"):
            said = self.service.say(get("/notes", f"Host: {host}",
                                        "Connection: close"))
            self.assertIn('"title":"Milk"', said, host)

    def test_of_two_headers_that_name_a_tenant_none_is_believed(self):
        self.service.add("acme", "Milk")
        for lines in (("X-Tenant: globex", "X-Tenant: acme"),
                      ("X-Tenant: acme", "x-tenant: acme"),
                      ("X-Tenant:", "X-Tenant: acme"),
                      ("X-Tenant: globex", "Host: acme", "X-Tenant: acme"),
                      ("X-Tenant: globex\r\n\tacme",),
                      ("Host: globex", "Host: acme"), ("X-Tenant:",)):
            said = self.service.say(get("/notes", *lines, "Connection: close"))
            self.assertTrue(said.startswith("HTTP/1.1 400 "), (lines, said))

    def test_the_path_of_a_target_counts(self):
        self.service.add("acme", "Milk")
        for target in ("/notes?x=1", "http://acme/notes",
                       "http://ACME.example:80/notes?x=1"):
            said = self.service.say(get(target, "Host: acme",
                                        "Connection: close"))
            self.assertIn('"title":"Milk"', said, target)
        said = self.service.say(get("http://acme/notes", "Host: globex",
                                    "Connection: close"))
        self.assertIn('"title":"Milk"', said)
        for target in ("http://acme", "http://acme?/notes", "*", "/?/notes"):
            said = self.service.say(get(target, "Host: acme",
                                        "Connection: close"))
            self.assertTrue(said.startswith("HTTP/1.1 404 "), (target, said))

    def test_a_tenant_that_there_is_not_is_not_found(self):
        for name in ("nobody", "'; DROP TABLE notes; --", "../t1", "%00",
                     "t1", "ctxvar", "x" * 200):
            self.assertEqual(self.service.ask(name, "/notes")[0], 404, name)
        self.assertIn(" 400 ", self.service.say(get("/notes", "Connection: "
                                                    "close")))

    def test_what_cannot_be_done_is_told_and_the_next_request_works(self):
        for expected, path, *options in (
                (404, "/"), (404, "/notesx"), (404, "/notes/"),
                (404, "/notes/x"), (404, "/notes/+1"), (404, "/notes/0"), (404, "/notes/-1"),
                (404, "/notes/99999999999999999999999"),
                (405, "/notes", "-XDELETE"), (405, "/notes/1", "-XPUT"),
                (405, "/notes/1", "-d", "{}"),
                (400, "/notes", "-d", "{"), (400, "/notes", "-d", "[]"),
                (400, "/notes", "-d", '{"title":"x"}'),
                (400, "/notes", "-d", '{"title":1,"text":"x"}'),
                (400, "/notes", "-XPOST"),
                (411, "/notes", "-d", "{}", "-HTransfer-Encoding: chunked"),
                (400, "/notes", "-d", '{"title":"x","text":"y"} trailing'),
                (400, "/notes", "-d", '{"title":"x","text":"y"}{}'),
                (431, "/notes", "-HHost: " + "x" * 5000)):
            status, said = self.service.ask("acme", path, *options)
            self.assertEqual(status, expected, (path, options))
            self.assertIn("error", said)
        self.assertEqual(self.service.add("acme", "Milk")[0], 201)

    def test_text_that_is_no_utf_8_is_refused(self):
        self.assertEqual(self.service.ask(
            "acme", "/notes", "--data-binary",
            b'{"title":"\xff","text":"x"}')[0], 400)
        self.assertEqual(self.service.titles("acme"), [])

    def test_text_with_a_nul_is_refused(self):
        self.assertEqual(self.service.add("acme", "x\0y")[0], 400)
        said = self.service.say(
            b"POST /notes HTTP/1.1\r\nX-Tenant: acme\r\nConnection: close\r\n"
            b"Content-Length: 26\r\n\r\n" + b'{"title":"x\0y","text":"z"}')
        self.assertTrue(said.startswith("HTTP/1.1 400 "), said)
        self.assertEqual(self.service.titles("acme"), [])

    def test_text_that_looks_like_a_nul_is_text(self):
        for title in ("\\u0000", "x\\", "\\\\u0000"):
            self.assertEqual(self.service.add("acme", title)[0], 201)
            self.assertEqual(self.service.titles("acme")[0], title)

    def test_a_method_that_is_none_is_told_those_that_are(self):
        for path, allowed in (("/notes", "GET, HEAD, POST"),
                              ("/notes/1", "GET, HEAD, DELETE")):
            said = self.service.say(
                f"PUT {path} HTTP/1.1\r\nX-Tenant: acme\r\n"
                "Connection: close\r\n\r\n".encode())
            self.assertTrue(said.startswith("HTTP/1.1 405 "), said)
            self.assertIn(f"\r\nAllow: {allowed}\r\n", said)

    def test_a_head_is_answered_without_a_body(self):
        self.service.add("acme", "Milk")
        said = self.service.say(
            b"HEAD /notes HTTP/1.1\r\nX-Tenant: acme\r\n\r\n" +
            get("/", "X-Tenant: acme", "Connection: close"))
        self.assertEqual(said.count("HTTP/1.1 "), 2, said)
        self.assertNotIn("Milk", said)
        self.assertIn("HTTP/1.1 404 ", said)

    def test_a_head_is_one_requests(self):
        """One that a parser would end earlier takes no tenant along."""
        self.service.add("acme", "Milk")
        said = self.service.say(b"GET /notes/1 HTTP/1.1\nX-Tenant: acme\n\n" +
                                get("/notes", "Host: x"))
        self.assertTrue(said.startswith("HTTP/1.1 400 "), said)
        self.assertNotIn("Milk", said)

    def test_a_body_that_is_too_large_is_refused(self):
        said = self.service.say(b"POST /notes HTTP/1.1\r\nX-Tenant: acme\r\n"
                                b"Content-Length: 70000\r\n\r\n")
        self.assertTrue(said.startswith("HTTP/1.1 413 "), said)
        self.assertEqual(self.service.add("acme", "x", "y" * 60000)[0], 201)

    def test_requests_in_a_row_are_answered_in_order(self):
        first = self.service.add("acme", "one")[1]["id"]
        second = self.service.add("acme", "two")[1]["id"]
        said = self.service.say(
            get(f"/notes/{first}", "X-Tenant: acme"),
            get(f"/notes/{first}", "X-Tenant: globex"),
            get(f"/notes/{second}", "X-Tenant: acme", "Connection: close"))
        self.assertEqual(said.count("HTTP/1.1 200"), 2)
        self.assertLess(said.index('"one"'), said.index("Not Found"))
        self.assertLess(said.index("Not Found"), said.index('"two"'))

    def test_clients_that_do_not_behave_harm_nobody(self):
        self.assertIn(" 400 ", self.service.say(b"HELLO\r\n\r\n"))
        for part in (b"", b"GET /no", b"POST /notes HTTP/1.1\r\nX-Tenant: acme"
                     b"\r\nContent-Length: 10\r\n\r\n{"):
            with socket.create_connection(("127.0.0.1", self.service.port),
                                          LONGEST_S) as client:
                client.sendall(part)
        self.assertEqual(self.service.add("acme", "Milk")[0], 201)

    def test_notes_outlive_the_service(self):
        self.service.add("acme", "Milk")
        self.assertEqual(self.service.end(), (0, ""))
        self.service = Service(self.database, "acme", "globex")
        self.assertEqual(self.service.titles("acme"), ["Milk"])

    def test_a_signal_ends_it_while_clients_are_connected(self):
        for signum in (signal.SIGINT, signal.SIGTERM):
            with socket.create_connection(("127.0.0.1", self.service.port),
                                          LONGEST_S) as client:
                client.sendall(get("/notes", "X-Tenant: acme"))
                client.recv(1)
                self.assertEqual(self.service.end(signum), (0, ""))
            self.service = Service(self.database, "acme", "globex")

    @unittest.skipIf("CTXVAR_POSTGRES" in os.environ, "files are damaged")
    def test_a_database_that_fails_is_told_now_and_then(self):
        for path in pathlib.Path(self.folder.name, "db").glob("t1.db*"):
            path.write_bytes(b"x" * path.stat().st_size)
        for _ in range(5):
            self.assertEqual(self.service.ask("acme", "/notes")[0], 503)
        self.assertEqual(self.service.ask("globex", "/notes"), (200, []))
        status, said = self.service.end()
        self.assertEqual(status, 0)
        self.assertTrue(said.startswith("notes: "), said)
        self.assertLess(said.count("\n"), 5)

    def test_a_port_that_is_taken_is_told_and_nothing_else(self):
        second = subprocess.run(
            [os.environ["NOTES"], self.database, str(self.service.port),
             "acme"], capture_output=True, text=True, check=False,
            timeout=LONGEST_S)
        self.assertEqual(second.returncode, 1)
        self.assertEqual(second.stderr, "notes: Address already in use: the"
                         " port cannot be served\n")

    def test_a_database_that_cannot_be_opened_is_told(self):
        for url in ("nothing:", "sqlite:/dev/null/x",
                    "postgresql://127.0.0.1:1/none"):
            service = Service(url)
            said = service.process.communicate(timeout=LONGEST_S)[1]
            self.assertEqual(service.process.returncode, 1)
            self.assertTrue(said.startswith("notes: "), said)


if __name__ == "__main__":
    if shutil.which("curl") is None:
        print("curl is not installed")
        sys.exit(SKIPPED)
    unittest.main()
