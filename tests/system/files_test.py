"""Database files: either server's open in the other; damage is told, torn tails are cut."""

import json
import os
import random
import re
import resource
import signal
import stat
import time
import unittest

from harness import binaries
from harness.case import SystemTest
from harness.daemon import CommandFailed, OvsdbServer
from harness.log_file import record, records, undated
from harness.waiting import wait_until

MAP = {"key": "string", "value": "integer", "min": 0, "max": "unlimited"}
SCHEMA = {
    "name": "Store",
    "version": "1.0.0",
    "cksum": "1 2",
    "tables": {
        "A": {"columns": {
            "s": {"type": "string"}, "i": {"type": "integer"}, "r": {"type": "real"}, "b": {"type": "boolean"},
            "u": {"type": "uuid"}, "set": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
            "map": {"type": MAP}, "maybe": {"type": {"key": "string", "min": 0, "max": 1}},
            "strong": {"type": {"key": {"type": "uuid", "refTable": "B"}, "min": 0, "max": "unlimited"}},
            "weak": {"type": {"key": {"type": "uuid", "refTable": "A", "refType": "weak"}, "min": 0, "max": "unlimited"}},
            "lost": {"type": "integer", "ephemeral": True},
        }, "isRoot": True},
        "B": {"columns": {"n": {"type": "integer"}}},
    },
}


def uuid(number):
    return f"{number:08x}-5555-4666-8777-888888888888"


def history():
    """Transactions that touch every kind of column and change."""
    yield [{"op": "insert", "table": "B", "uuid": uuid(1), "row": {"n": 1}},
           {"op": "insert", "table": "B", "uuid": uuid(2), "row": {"n": 2}},
           {"op": "insert", "table": "A", "uuid": uuid(3), "row": {
               "s": "caf\u00e9 \U0001f600 \"q\" \\ \n", "i": -(2**63), "r": 0.1, "b": True, "u": uuid(9) and ["uuid", uuid(9)],
               "set": ["set", [3, 1, 2]], "map": ["map", [["a", 1], ["b", 2]]], "maybe": "x",
               "strong": ["set", [["uuid", uuid(1)], ["uuid", uuid(2)]]], "weak": ["uuid", uuid(3)], "lost": 5}},
           {"op": "insert", "table": "A", "uuid": uuid(4), "row": {"weak": ["set", [["uuid", uuid(3)], ["uuid", uuid(4)]]]}},
           {"op": "comment", "comment": "first\nlines"}, {"op": "comment", "comment": "more"}]
    yield [{"op": "mutate", "table": "A", "where": [["_uuid", "==", ["uuid", uuid(3)]]], "mutations": [
        ["set", "insert", ["set", [7, 8]]], ["set", "delete", ["set", [1]]], ["map", "delete", ["set", ["a"]]],
        ["map", "insert", ["map", [["c", 3]]]], ["i", "+=", 1], ["r", "*=", 2]]}]
    yield [{"op": "update", "table": "A", "where": [["_uuid", "==", ["uuid", uuid(3)]]], "row": {
        "maybe": ["set", []], "map": ["map", [["b", 9], ["d", 4]]], "set": ["set", [2, 7]], "s": "", "lost": 6}}]
    yield [{"op": "update", "table": "A", "where": [["_uuid", "==", ["uuid", uuid(3)]]], "row": {"strong": ["uuid", uuid(2)]}}]
    yield [{"op": "delete", "table": "A", "where": [["_uuid", "==", ["uuid", uuid(4)]]]}]
    yield [{"op": "insert", "table": "A", "uuid": uuid(5), "row": {"weak": ["set", [["uuid", uuid(3)], ["uuid", uuid(5)]]]}},
           {"op": "commit", "durable": True}]
    yield [{"op": "delete", "table": "A", "where": [["_uuid", "==", ["uuid", uuid(3)]]]}]
    yield [{"op": "update", "table": "A", "where": [], "row": {"lost": 77}}]
    yield [{"op": "insert", "table": "A", "uuid": uuid(6), "row": {"r": 1e300, "i": 2**53 + 1, "s": "end"}}]


def contents(server):
    """table -> rows, but for versions and what does not outlive a restart."""
    found = {}
    with server.connect() as client:
        for table, body in SCHEMA["tables"].items():
            columns = [n for n, c in body["columns"].items() if not c.get("ephemeral")] + ["_uuid"]
            rows = client.transact("Store", {"op": "select", "table": table, "where": [], "columns": columns})
            found[table] = sorted(rows[0]["rows"], key=lambda row: row["_uuid"])
    return found


class FilesTest(SystemTest):
    def fill(self, server):
        with server.connect() as client:
            for operations in history():
                for result in client.transact("Store", *operations):
                    self.assertNotIn("error", result or {})


@binaries.needs_reference
class EitherWayTest(FilesTest):
    def there_and_back(self, writer, reader, options=()):
        path = self.database("store", SCHEMA)
        first = self.server("first", [path], list(options), writer)
        self.fill(first)
        before = contents(first)
        first.stop()
        second = self.server("second", [path], list(options), reader)
        self.assertEqual(contents(second), before)
        with second.connect() as client:
            client.transact("Store", {"op": "insert", "table": "A", "uuid": uuid(20), "row": {"s": "second"}})
        before = contents(second)
        second.appctl("ovsdb-server/compact")
        with second.connect() as client:
            client.transact("Store", {"op": "insert", "table": "A", "uuid": uuid(21), "row": {"s": "third"}})
        after = contents(second)
        second.stop()
        self.assertNotEqual(before, after)
        first.start()
        self.assertEqual(contents(first), after)

    def test_ours_then_stock_then_ours(self):
        self.there_and_back(binaries.ours("ovsdb-server"), binaries.reference("ovsdb-server"))

    def test_stock_then_ours_then_stock(self):
        self.there_and_back(binaries.reference("ovsdb-server"), binaries.ours("ovsdb-server"))

    def test_both_ways_without_differences(self):
        """The form that servers before 2.15 read."""
        option = ["--disable-file-column-diff"]
        self.there_and_back(binaries.ours("ovsdb-server"), binaries.reference("ovsdb-server"), option)

    def test_stock_then_ours_without_differences(self):
        option = ["--disable-file-column-diff"]
        self.there_and_back(binaries.reference("ovsdb-server"), binaries.ours("ovsdb-server"), option)

    def test_records_are_those_of_stock(self):
        """Record by record, but for dates: what is written and what is left out."""
        for option in ([], ["--disable-file-column-diff"]):
            written = []
            for name, program in (("ours", binaries.ours("ovsdb-server")), ("stock", binaries.reference("ovsdb-server"))):
                path = self.database(f"{name}{len(option)}", SCHEMA)
                server = self.server(f"{name}{len(option)}", [path], option, program)
                self.fill(server)
                server.stop()
                written.append(undated(path))
            for ours, stock in zip(*written, strict=True):
                self.assertEqual(ours, stock)

    def test_compacted_and_converted_files_are_those_of_stock(self):
        """Byte for byte, but for the date and the order of names, which in stock is a hash table's."""
        extended = json.loads(json.dumps(SCHEMA))
        extended["version"] = "2.0.0"
        extended["tables"]["A"]["columns"]["extra"] = {"type": "boolean"}

        def compact(server):
            server.appctl("ovsdb-server/compact")

        def use_differences(server):
            server.appctl("ovsdb/file/column-diff-enable")

        def convert(server):
            with server.connect() as client:
                self.assertEqual(client.call("convert", ["Store", extended])["result"], {})

        for number, option in enumerate(([], ["--disable-file-column-diff"])):
            twins = []
            for name, program in (("ours", binaries.ours("ovsdb-server")), ("stock", binaries.reference("ovsdb-server"))):
                path = self.database(f"{name}{number}", SCHEMA)
                twins.append(self.server(f"{name}{number}", [path], option, program))
            steps = [compact, self.fill, compact, convert, compact]
            if option:
                steps += [use_differences, compact, convert]
            for step in steps:
                for server in twins:
                    step(server)
                ours, stock = (undated(server.databases[0]) for server in twins)
                self.assertEqual(ours, stock, step.__name__)


REALS = {
    "name": "Reals",
    "version": "1.0.0",
    "tables": {"T": {"columns": {
        "one": {"type": "real"},
        "set": {"type": {"key": "real", "min": 0, "max": 3}},
        "map": {"type": {"key": "real", "value": "real", "min": 0, "max": "unlimited"}},
    }, "indexes": [["one"]]}},
}


class RealsTest(SystemTest):
    """Reals that clients see as one, having 15 digits of them, are two in a file, too."""

    ALIKE = (0.3, 0.1 + 0.2)

    def fill(self, server):
        with server.connect() as client:
            for number, real in enumerate(self.ALIKE):
                row = {"one": real, "set": ["set", [0.1, 0.11]], "map": ["map", [[each, each + number] for each in self.ALIKE]]}
                client.transact("Reals", {"op": "insert", "table": "T", "row": row})
            client.transact("Reals", {"op": "mutate", "table": "T", "where": [], "mutations": [["set", "+=", 1e14]]})

    def look(self, server):
        found = []
        with server.connect() as client:
            for real in self.ALIKE:
                clauses = [[column, "includes", value] for column, value in (
                    ("one", real), ("set", ["set", [0.1 + 1e14, 0.11 + 1e14]]), ("map", ["map", [[real, real]]]))]
                for where in ([["one", "==", real]], *([clause] for clause in clauses)):
                    found.append(client.transact("Reals", {"op": "select", "table": "T", "where": where, "columns": ["one", "set", "map"]})[0]["rows"])
        return found

    @staticmethod
    def compacts(server):
        """A member has nothing to leave out before its first entry of a new term is there."""
        try:
            server.appctl("ovsdb-server/compact")
        except CommandFailed:
            return False
        return True

    def outlive_restarts(self, path):
        server = self.server("server", [path])
        self.fill(server)
        before = self.look(server)
        self.assertEqual([len(rows) for rows in before], [1, 1, 2, 1] * 2)
        for _ in range(2):
            server.stop()
            server.start()
            self.assertEqual(self.look(server), before)
            wait_until(lambda: self.compacts(server), "it is compacted")

    @unittest.skipIf(binaries.subject_is_reference(), "it rounds what it writes")
    def test_standalone(self):
        self.outlive_restarts(self.database("reals", REALS))

    @unittest.skipIf(binaries.subject_is_reference(), "it rounds what it writes")
    def test_cluster(self):
        schema, path = self.path("reals.ovsschema"), self.path("reals.db")
        with open(schema, "w", encoding="utf-8") as file:
            json.dump(REALS, file)
        self.run_command(binaries.ours("ovsdb-tool"), "create-cluster", path, schema, f"unix:{self.path('reals.raft')}")
        self.outlive_restarts(path)

    @binaries.needs_reference
    def test_rounded_by_stock(self):
        """Its records have one real twice, which it refuses to read; ours takes it once."""
        path = self.database("reals", REALS)
        stock = self.reference_server("stock", [path])
        with stock.connect() as client:
            client.transact("Reals", {"op": "insert", "table": "T", "row": {"set": ["set", [0.1, 0.11]]}})
            client.transact("Reals", {"op": "mutate", "table": "T", "where": [], "mutations": [["set", "+=", 1e14]]})
            client.transact("Reals", {"op": "insert", "table": "T", "row": {"one": 1}})
        stock.stop()
        ours = self.server("ours", [path])
        with ours.connect() as client:
            rows = client.transact("Reals", {"op": "select", "table": "T", "where": [], "columns": ["one", "set"]})[0]["rows"]
        self.assertEqual(sorted((row["one"], row["set"]) for row in rows), [(0, 100000000000000), (1, ["set", []])])


class DamageTest(FilesTest):
    def setUp(self):
        super().setUp()
        self.whole = self.database("store", SCHEMA)
        server = self.server("writer", [self.whole])
        self.fill(server)
        server.stop()
        with open(self.whole, "rb") as file:
            self.bytes = file.read()
        starts = [found.start() for found in re.finditer(rb"OVSDB JSON \d+ [0-9a-f]{40}\n", self.bytes)]
        self.ends = [*starts[1:], len(self.bytes)]  # Of the records.

    def reopened(self, content, name):
        path = self.path(name + ".db")
        with open(path, "wb") as file:
            file.write(content)
        return self.server(name, [path]), path

    def test_torn_tail_is_cut(self):
        """Whatever part of the last record made it to the disk: the records before it are served."""
        intact, _ = self.reopened(self.bytes[: self.ends[-2]], "intact")
        expected = contents(intact)
        last = self.ends[-1] - self.ends[-2]
        for kept in sorted(random.sample(range(1, last), 8)):
            with self.subTest(kept=kept):
                server, path = self.reopened(self.bytes[: self.ends[-2] + kept], f"torn{kept}")
                self.assertEqual(contents(server), expected)
                with server.connect() as client:
                    client.transact("Store", {"op": "insert", "table": "A", "row": {"s": "after"}},
                                    {"op": "commit", "durable": True})
                server.stop()
                self.assertEqual(len(records(path)), len(self.ends))
                with open(server.log_path, encoding="utf-8") as log:
                    warnings = [line for line in log if "|WARN|" in line or "|ERR|" in line]
                self.assertIn(f"torn{kept}.db", "".join(warnings))

    def test_zeros_at_the_end(self):
        """As some file systems leave after a power cut."""
        server, _ = self.reopened(self.bytes + b"\0" * 4096, "zeros")
        whole, _ = self.reopened(self.bytes, "whole")
        self.assertEqual(contents(server), contents(whole))

    def test_damage_names_file_and_offset(self):
        for begin, end in ((self.ends[2], self.ends[3]), (self.ends[-2], self.ends[-1])):
            with self.subTest(begin=begin):
                damaged = bytearray(self.bytes)
                damaged[(begin + end) // 2] ^= 0x01
                path = self.path(f"damaged{begin}.db")
                with open(path, "wb") as file:
                    file.write(damaged)
                server = self.server(f"damaged{begin}", [path], start=False)
                server.start(ready=False)
                # Stock serves what comes before; ours refuses the file. Both say where.
                told = re.compile(rf"damaged{begin}\.db\b.*\boffset (\d+)")
                found = wait_until(lambda: told.search(server.diagnostics()), "the log names the file and the offset")
                self.assertTrue(begin <= int(found[1]) < end, found[0])
                if not binaries.subject_is_reference():
                    self.assertNotEqual(server.process.wait(20), 0)

    @unittest.skipIf(binaries.subject_is_reference(), "it serves what comes before")
    def test_foreign_records_name_file_and_offset(self):
        """Whole, but no transaction of this database."""
        foreign = record({"X": {}})
        path = self.path("foreign.db")
        with open(path, "wb") as file:
            file.write(self.bytes[: self.ends[2]] + foreign + self.bytes[self.ends[2] :])
        server = self.server("foreign", [path], start=False)
        server.start(ready=False)
        told = re.compile(r"foreign\.db\b.*No table named X\..*\boffset (\d+)")
        found = wait_until(lambda: told.search(server.diagnostics()), "the log names the file and the offset")
        self.assertEqual(int(found[1]), self.ends[2])

    @unittest.skipIf(binaries.subject_is_reference(), "it leaves out what does not fit")
    def test_more_rows_than_may_be_are_refused(self):
        schema = {"name": "Few", "tables": {"T": {"columns": {"n": {"type": "integer"}}, "isRoot": True, "maxRows": 2}}}
        for n_rows, served in ((2, True), (3, False)):
            with self.subTest(n_rows=n_rows):
                path = self.path(f"few{n_rows}.db")
                with open(path, "wb") as file:
                    file.write(record(schema) + record({"T": {uuid(n): {"n": n} for n in range(n_rows)}}))
                server = self.server(f"few{n_rows}", [path], start=served)
                if not served:
                    server.start(ready=False)
                    wait_until(lambda s=server: re.search(r"few3\.db.*Table T has 3 rows.*limit of 2", s.diagnostics()),
                               "the log names the file, the table and the limit")
                    self.assertNotEqual(server.process.wait(20), 0)

    def dangling(self, name):
        """A file of somebody else, in which row 3 has weak references to itself and to nothing."""
        path = self.path(name + ".db")
        with open(path, "wb") as file:
            file.write(record(SCHEMA) + record({"_date": 1600000000000, "A": {uuid(3): {
                "s": "x", "weak": ["set", [["uuid", uuid(3)], ["uuid", uuid(7)]]]}}}))
        return path

    def test_weak_references_to_nothing_are_dropped(self):
        """By either server; whatever comes later, either one makes of our file what was served."""
        programs = [("ours", binaries.ours("ovsdb-server"))]
        if binaries.have_reference():
            programs.append(("stock", binaries.reference("ovsdb-server")))
        weak = {"op": "select", "table": "A", "where": [["s", "==", "x"]], "columns": ["weak"]}
        for name, program in programs:
            path = self.dangling(name)
            server = self.server(name, [path], path=program)
            with server.connect() as client:
                self.assertEqual(client.transact("Store", weak), [{"rows": [{"weak": ["uuid", uuid(3)]}]}])
                # What it refers to comes after all.
                client.transact("Store", {"op": "insert", "table": "A", "uuid": uuid(7), "row": {}})
                self.assertEqual(client.transact("Store", weak), [{"rows": [{"weak": ["uuid", uuid(3)]}]}])
                client.transact("Store", {"op": "mutate", "table": "A", "where": [["s", "==", "x"]], "mutations": [
                    ["weak", "insert", ["uuid", uuid(7)]]]})
                both = [{"rows": [{"weak": ["set", [["uuid", uuid(3)], ["uuid", uuid(7)]]]}]}]
                self.assertEqual(client.transact("Store", weak), both)
            for reader, other in programs if name == "ours" else ():
                server.stop()
                server = self.server(f"{name}-{reader}", [path], path=other)
                with server.connect() as client:
                    self.assertEqual(client.transact("Store", weak), both, f"{name}, read by {reader}")

    def test_weak_references_to_nothing_and_the_tool(self):
        path = self.dangling("tool")
        tool = binaries.ours("ovsdb-tool")
        weak = json.dumps(["Store", {"op": "select", "table": "A", "where": [["s", "==", "x"]], "columns": ["weak"]}])
        before = self.run_command(tool, "query", path, weak).stdout
        self.assertEqual(json.loads(before), [{"rows": [{"weak": ["uuid", uuid(3)]}]}])
        self.run_command(tool, "transact", path, json.dumps(["Store", {"op": "insert", "table": "A", "uuid": uuid(7), "row": {}}]))
        self.assertEqual(self.run_command(tool, "query", path, weak).stdout, before)

    def test_compaction_leaves_one_record(self):
        server, path = self.reopened(self.bytes, "compacted")
        before = contents(server)
        server.appctl("ovsdb-server/compact")
        self.assertEqual(len(records(path)), 2)
        self.assertEqual(contents(server), before)
        server.stop()
        server.start()
        self.assertEqual(contents(server), before)
        self.assertFalse(os.path.exists(path + ".tmp"))

    def test_stale_temporary_file_is_no_obstacle(self):
        server, path = self.reopened(self.bytes, "stale")
        with open(path + ".tmp", "w", encoding="ascii") as stale:
            stale.write("left by a crash")
        server.appctl("ovsdb-server/compact")
        self.assertFalse(os.path.exists(path + ".tmp"))

    def test_symbolic_link_is_kept(self):
        os.symlink(self.whole, self.path("link.db"))
        server = self.server("linked", [self.path("link.db")])
        server.appctl("ovsdb-server/compact")
        self.assertTrue(os.path.islink(self.path("link.db")))
        self.assertEqual(len(records(self.whole)), 2)

    def test_files_are_no_business_of_others(self):
        """Whatever the umask; but for sockets, which have stock's."""
        self.addCleanup(os.umask, os.umask(0o022))
        for umask in (0o022, 0o027, 0o000, 0o077):
            os.umask(umask)
            name = f"private{umask:o}"
            file = self.database(name, SCHEMA)
            made = stat.S_IMODE(os.stat(file).st_mode)
            server = self.server(name, [file], [f"--pidfile={self.path(name)}.pid"])
            with server.connect() as client:
                client.transact("Store", {"op": "comment", "comment": "x"})
            server.appctl("ovsdb-server/compact")
            modes = {suffix: stat.S_IMODE(os.stat(self.path(name + suffix)).st_mode)
                     for suffix in (".db", ".log", ".pid", ".sock", ".ctl")}
            lock = stat.S_IMODE(os.stat(self.path(f".{name}.db.~lock~")).st_mode)
            with self.subTest(umask=f"{umask:03o}"):
                self.assertEqual(made, 0o640 & ~umask)
                self.assertEqual(modes, {".db": 0o640 & ~umask, ".log": 0o640 & ~umask, ".pid": 0o640 & ~umask,
                                         ".sock": 0o770 & ~umask, ".ctl": 0o770 & ~umask})
                self.assertEqual(lock, 0o600)

    def test_file_in_use_is_refused(self):
        self.server("first", [self.whole])
        second = self.server("second", [self.whole], start=False)
        second.start(ready=False)
        self.assertEqual(second.process.wait(20), 1)
        self.assertIn("lock", second.diagnostics())


class FullDiskTest(FilesTest):
    LIMIT = 200_000

    def limited_server(self, path):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # Inherited: writes fail with EFBIG.
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.LIMIT, resource.RLIM_INFINITY))

        server = self.track(OvsdbServer(binaries.ours("ovsdb-server"), self.directory, "full", [path], env=self.env))
        # The log would run into the limit as well.
        server.argv = lambda: [server.path, "-vfile:off", "-vconsole:off", "--unixctl=" + server.control, *server.arguments]
        return server.start(preexec=limit)

    def test_room_is_found_without_a_write(self):
        server = self.limited_server(self.database("store", SCHEMA))
        self.write_until_refused(server)

        def storage_status():
            return server.appctl("ovsdb-server/get-db-storage-status", "Store").strip()

        self.assertIn("write failed (File too large)", storage_status())
        started = time.monotonic()
        wait_until(lambda: time.monotonic() > started + 1.5, "it has tried again")
        self.assertIn("write failed (File too large)", storage_status())
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (2 * self.LIMIT, resource.RLIM_INFINITY))
        wait_until(lambda: storage_status() == "status: ok", "it finds that there is room")

    def test_no_space_refuses_writes_and_keeps_serving(self):
        path = self.database("store", SCHEMA)
        server = self.limited_server(path)
        written = self.write_until_refused(server)
        self.assertGreater(written, 10)
        with server.connect() as client:
            rows = client.transact("Store", {"op": "select", "table": "A", "where": [], "columns": ["i"]})[0]["rows"]
            self.assertEqual(sorted(row["i"] for row in rows), list(range(written)))
            client.call("echo", [])
        server.kill()
        again = self.server("again", [path])
        with again.connect() as client:
            rows = client.transact("Store", {"op": "select", "table": "A", "where": [], "columns": ["i"]})[0]["rows"]
            self.assertEqual(sorted(row["i"] for row in rows), list(range(written)))

    def write_until_refused(self, server):
        with server.connect() as client:
            for number in range(1000):
                result = client.transact("Store", {"op": "insert", "table": "A", "row": {"i": number, "s": "x" * 3000}},
                                         {"op": "commit", "durable": True})
                errors = [part["error"] for part in result if part and "error" in part]
                if errors:
                    self.assertEqual(errors, ["I/O error"])
                    return number
        self.fail("the limit was never reached")
        return None


if __name__ == "__main__":
    unittest.main()
