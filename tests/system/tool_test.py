"""ovsdb-tool beside the reference's: the same commands on the same files, good and bad."""

import json
import os
import random
import re
import shutil
import subprocess
import unittest
import unittest.mock

from harness import binaries
from harness.case import SystemTest
from harness.log_file import record, undated

SCHEMA = {
    "name": "Play",
    "version": "1.2.3",
    "cksum": "12345 678",
    "tables": {
        "Thing": {
            "columns": {
                "name": {"type": "string"},
                "number": {"type": "integer"},
                "maybe": {"type": {"key": "integer", "min": 0, "max": 1}},
                "word": {"type": {"key": "string", "min": 0, "max": 1}},
                "numbers": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
                "map": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
                "real": {"type": "real"},
                "flag": {"type": "boolean"},
                "id": {"type": "uuid"},
                "parts": {"type": {"key": {"type": "uuid", "refTable": "Part"}, "min": 0, "max": "unlimited"}},
                "passing": {"type": "string", "ephemeral": True},
            },
            "isRoot": True,
            "indexes": [["name"]],
        },
        "Part": {"columns": {"x": {"type": "integer"}, "y": {"type": "string"}}},
        "Plain": {"columns": {"k": {"type": "integer"}}, "isRoot": True},
        "Optional": {
            "columns": {
                "name": {"type": {"key": "string", "min": 0, "max": 1}},
                "q": {"type": "integer"},
            },
            "isRoot": True,
        },
    },
}


def uuid(n):
    return f"{n:08x}-94a9-4416-a3ce-ee4bac3c9428"


def change(date, tables, **members):
    return {"_date": date, **tables, **members}


# A life of a database, as files hold it. (Stock converts a scalar that becomes a set wrongly where
# there are differences, so CONTENT has none.)
HISTORY = [
    SCHEMA,
    change(
        1795370432461,
        {
            "Thing": {
                uuid(1): {
                    "name": "first",
                    "number": 5,
                    "maybe": 3,
                    "numbers": ["set", [1, 2, 3]],
                    "map": ["map", [["k", "v"], ["k2", "v 2"]]],
                    "real": 1.5,
                    "flag": True,
                    "parts": ["uuid", uuid(2)],
                }
            },
            "Part": {uuid(2): {"x": 4}},
            "Plain": {uuid(3): {}, uuid(4): {"k": 3}},
            "Optional": {uuid(5): {"name": "on"}, uuid(6): {"q": 2}},
        },
        _comment='make "things"\nand more',
        _is_diff=True,
    ),
    change(
        1795370432468,
        {
            "Thing": {
                uuid(1): {
                    "number": 6,
                    "maybe": ["set", []],
                    "word": "opt",
                    "real": 2,
                    "numbers": ["set", [1, 9]],
                    "map": ["map", [["k", "v"], ["n", "w"]]],
                }
            },
            "Part": {uuid(2): {"y": "yy"}},
            "Plain": {uuid(4): {"k": 0}},
            "Optional": {uuid(5): {"name": ["set", []]}},
        },
        _is_diff=True,
    ),
    change(1795370433, {"Thing": {uuid(1): {"name": "re named", "parts": ["uuid", uuid(2)]}}, "Part": {uuid(2): None}}, _is_diff=True),
    change(5, {"Thing": {uuid(1): {"numbers": 7, "map": ["map", []]}}}),
    change(-5, {"Plain": {uuid(3): None, uuid(4): None}}, _comment=""),
]

CONTENT = HISTORY[:1] + [
    change(
        1795370432461,
        {
            "Thing": {uuid(1): {**HISTORY[1]["Thing"][uuid(1)], "word": "w"}},
            "Part": HISTORY[1]["Part"],
            "Plain": HISTORY[1]["Plain"],
            "Optional": HISTORY[1]["Optional"],
        },
    )
]


class ToolTest(SystemTest):
    """Runs both tools, each in a directory of its own with the same files."""

    def setUp(self):
        super().setUp()
        self.tools = {"ours": binaries.ours("ovsdb-tool"), "stock": binaries.reference("ovsdb-tool")}
        for who in self.tools:
            os.mkdir(self.path(who))

    def put(self, name, content):
        """A file with this content in both directories: bytes, text, a schema, or records."""
        if isinstance(content, list):
            content = b"".join(map(record, content))
        elif isinstance(content, dict):
            content = json.dumps(content)
        for who in self.tools:
            with open(self.path(who, name), "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return name

    def run_tool(self, who, *arguments, seconds=30):
        done = subprocess.run(
            [self.tools[who], *arguments],
            cwd=self.path(who),
            capture_output=True,
            timeout=seconds,
            env={**os.environ, "OVS_DBDIR": "/nowhere/db", "OVS_PKGDATADIR": "/nowhere/share", "OVS_LOGDIR": "."},
        )
        out, err = (text.decode(errors="backslashreplace") for text in (done.stdout, done.stderr))
        err = re.sub(r"^\S+Z\|", "", err.replace(self.tools[who], "ovsdb-tool"), flags=re.M)
        return self.canonical(out), err, done.returncode

    @staticmethod
    def canonical(text):
        """Rows of `select` have no order, and `_version` is chosen by the server."""
        if not text.startswith("["):
            return text
        results = json.loads(text)
        for result in results:
            for row in (result or {}).get("rows", []):
                row.pop("_version", None)
            if result and "rows" in result:
                result["rows"].sort(key=json.dumps)
        return json.dumps(results, sort_keys=True)

    def same(self, *arguments):
        """Both tools say the same; returns what."""
        ours, stock = (self.run_tool(who, *arguments) for who in ("ours", "stock"))
        self.assertEqual(ours, stock, " ".join(arguments))
        return ours

    @staticmethod
    def sorted_output(outcome):
        """Stock lists the tables, rows and columns of a record in the order of a hash table."""
        out, err, status = outcome
        parts = re.split(r"(?m)^(?=record )", out)
        return [sorted(part.splitlines(keepends=True)) for part in parts], err, status

    def assert_same_content(self, name):
        """Both files hold the same records, but for dates and the order of names."""
        ours, stock = (undated(self.path(who, name)) for who in ("ours", "stock"))
        self.assertEqual(ours, stock)


class InspectTest(ToolTest):
    # What other builds of stock have, too, and a log format of our own.
    MORE = re.compile(r".*(rejoin-cluster|fix-cluster|db-raft-header|--sid|  the same (for|with) |--log-format|  how lines )")

    def test_help(self):
        for arguments in (["--help"], ["-h"], ["help"], ["help", "me"], ["-mh"], ["-o"], ["--option"], ["list-commands"]):
            ours, stock = (self.run_tool(who, *arguments) for who in ("ours", "stock"))
            self.assertEqual(ours[1:], stock[1:])
            self.assertEqual(
                [line for line in ours[0].splitlines() if not self.MORE.match(line)], stock[0].splitlines())

    def test_options(self):
        self.put("x.db", HISTORY)
        for arguments in (
            [], [""], ["--version"], ["-V"], ["-Vx"], ["--vers"], ["--ver"], ["--verb"], ["-x"], ["-mx"], ["-m"], ["--"],
            ["--frobnicate"], ["--rbac-role"], ["--rbac-role=", "db-name", "x.db"], ["--more=3"], ["--help=3"],
            ["-vfrobnicate", "db-name"], ["--verbose=frobnicate:dbg", "db-name"], ["-vconsole:frobnicate", "db-name"],
            ["-vraft:file:dbg", "-vsha1:warn", "db-name", "x.db"],
            ["-v", "db-name", "x.db"], ["-vdbg", "db-name", "x.db"], ["--verbose", "db-name", "x.db"],
            ["--log-file", "db-name", "x.db"], ["--syslog-method=null", "db-name", "x.db"], ["--pidfile"],
            ["--election-timer=5", "-V"], ["--election-timer=x", "db-name", "x.db"], ["--election-timer=100", "db-name", "x.db"],
            ["--election-timer=600001", "create-cluster", "absent", "absent"],
            ["show-log", "x.db", "--"], ["--", "show-log", "x.db"], ["--", "-m", "show-log", "x.db"], ["show-log", "-mx", "x.db"],
        ):
            self.same(*arguments)

    def test_arguments(self):
        """Too few, too many, and the default places of what may be left out."""
        commands = ["create", "compact", "convert", "needs-conversion", "db-name", "db-version", "db-cksum", "db-is-clustered",
                    "db-is-standalone", "schema-name", "schema-version", "schema-cksum", "query", "transact", "show-log",
                    "compare-versions", "frobnicate", "Create", "creat"]
        for command in commands:
            for number in range(6):
                self.same(command, *["absent"] * number)
        self.same("query", '["x"]')
        self.same("transact", '["x"]')

    def test_compare_versions(self):
        versions = ["0.0.0", "1.2.3", "1.2.4", "1.3.0", "2.0.0", "10.0.0", "01.2.3", "1.2", "1.2.3.4", "x", "", "1.2.x", "99999999999.2.3", "1.2.3 ", " 1.2.3", "1 .2.3", "1. 2.3", "+1.2.3"]
        for op in ("<", "<=", "==", ">=", ">", "!=", "=", "lt", ""):
            for a in versions:
                self.same("compare-versions", a, op, "1.2.3")
                self.same("compare-versions", "1.2.3", op, a)

    def test_schemas(self):
        good = self.put("good", SCHEMA)
        bare = self.put("bare", {"name": "Bare", "tables": {}})
        for name, content in {
            "absent": None,
            "empty": "",
            "array": "[]",
            "number": "17",
            "half": '{"name":',
            "garbage": "xyz",
            "trailing": '{"name":"T","tables":{}} x',
            "no_name": '{"tables":{}}',
            "no_tables": '{"name":"T"}',
            "bad_name": '{"name":"1T","tables":{}}',
            "bad_version": '{"name":"T","version":"1.2","tables":{}}',
            "extra": '{"name":"T","tables":{},"x":1}',
            "bad_table": '{"name":"T","tables":{"_A":{"columns":{}}}}',
            "bad_column": '{"name":"T","tables":{"A":{"columns":{"b":{"type":"blob"}}}}}',
        }.items():
            if content is not None:
                self.put(name, content)
            for command in ("schema-name", "schema-version", "schema-cksum"):
                self.same(command, name)
            self.same("create", "new.db", name)
        for command in ("schema-name", "schema-version", "schema-cksum"):
            self.assertEqual(self.same(command, good)[2], 0)
            self.assertEqual(self.same(command, bare)[2], 0)

    def test_questions_to_databases(self):
        self.put("schema", SCHEMA)
        files = {
            "good": b"".join(map(record, HISTORY)),
            "bare": record({"name": "Bare", "tables": {}}),
            "clustered": record({"a": 1}, "CLUSTER"),
            "torn": b"".join(map(record, HISTORY))[:-7],
            "schema_hash": record(SCHEMA).replace(b"Thing", b"Think"),
            "schema_json": record('{"name":'),
            "schema_array": record("[]"),
            "schema_bad": record({"name": "T"}),
            "empty": b"",
            "foreign": b"hello world\n",
            "short": b"OVSDB JSON",
            "other": record({}, "FOO"),
            "short_record": b"OVSDB JSON 5 " + b"0" * 40 + b"\n",
        }
        for name, content in files.items():
            self.put(name, content)
        for name in [*files, "absent", "."]:
            for command in ("db-name", "db-version", "db-cksum", "db-is-standalone", "db-is-clustered"):
                self.same(command, name)
            self.same("needs-conversion", name, "schema")
        self.same("needs-conversion", "good", "absent")
        self.same("needs-conversion", "absent", "absent")
        self.assertEqual(self.same("needs-conversion", "good", "schema")[0], "no\n")
        self.assertEqual(self.same("needs-conversion", "bare", "schema")[0], "yes\n")
        for other in ({"version": "1.2.4"}, {"cksum": "1"}):
            self.put("other", {**SCHEMA, **other})
            self.same("needs-conversion", "good", "other")


class ClusteredTest(ToolTest):
    """Files of clusters: what can be asked of them, and what is refused."""

    def setUp(self):
        super().setUp()
        schema = json.loads(json.dumps(SCHEMA))
        del schema["tables"]["Thing"]["columns"]["passing"]  # Clusters have no ephemeral columns.
        self.put("schema", schema)
        local, remote = "tcp:127.0.0.1:1", "tcp:127.0.0.1:2"
        self.run_tool("stock", "create-cluster", "member", "schema", local)
        self.run_tool("stock", "join-cluster", "joining", "Play", local, remote)
        for name in ("member", "joining"):
            shutil.copy(self.path("stock", name), self.path("ours", name))

    def test_commands(self):
        for name in ("member", "joining"):
            for command in ("db-name", "db-version", "db-cksum", "db-is-clustered", "db-is-standalone", "compact",
                            "schema-name", "schema-version", "schema-cksum"):
                self.same(command, name)
            for arguments in (["create", name, "schema"], ["compact", name, "new"], ["convert", name, "schema"],
                              ["convert", name, "schema", "new"], ["needs-conversion", name, "schema"],
                              ["query", name, '["Play"]'], ["transact", name, '["Play"]']):
                self.same(*arguments)
            self.put("x.db", CONTENT)
            self.same("compact", "x.db", name)
            self.same("convert", "x.db", "schema", name)
            with open(self.path("ours", name), "rb") as ours, open(self.path("stock", name), "rb") as stock:
                self.assertEqual(ours.read(), stock.read())
        self.assertEqual(self.same("db-name", "member")[0], "Play\n")

    def test_bad_headers(self):
        with open(self.path("stock", "member"), encoding="utf-8") as file:
            header = json.loads(file.read().split("\n")[1])
        for change in [{"name": None}, {"name": 5}, {"name": ""}, {"server_id": "x"}, {"extra": 1}, {"local_address": "x"},
                       {"prev_term": 1.5}, {"prev_servers": {}}, {"cluster_id": 7}, {"prev_data": None}]:
            changed = {key: value for key, value in {**header, **change}.items() if value is not None}
            self.put("x", record(changed, "CLUSTER"))
            self.same("db-name", "x")
        for content in ("[]", "x", '{"name":"Play"}'):
            self.put("x", record(content, "CLUSTER"))
            self.same("db-name", "x")
        self.put("x", record(header, "CLUSTER")[:-5])
        self.same("db-name", "x")


class BadFilesTest(ToolTest):
    QUERY = '["Play",{"op":"select","table":"Thing","where":[]}]'

    def check(self, content):
        self.put("x.db", content)
        self.same("query", "x.db", self.QUERY)
        self.same("show-log", "x.db")

    def test_bad_records(self):
        good = b"".join(map(record, HISTORY))
        first = len(record(SCHEMA))
        last = good.rfind(b"OVSDB JSON")
        zero_hash = b"0" * 40 + b"\n"
        for tail in (
            b"garbage",
            b"garbage\n",
            b"x" * 300,
            b"x" * 126 + b"\n",
            b"x" * 127 + b"\n",
            b"x\0yy\n",
            b"\n",
            b"OVSDB",
            b"OVSDB JSON 96 9514a",
            b"OVSDB FOO",
            b"OVSDB JSON2 3",
            b"OVSDB  JSON 3 4",
            b"OVSDB JSON 3 " + zero_hash + b"{}\n",
            b"OVSDB JSON 30 " + zero_hash + b"{}\n",
            b"OVSDB JSON 4000000000000 " + zero_hash,
            b"OVSDB JSON 99999999999999999999 " + zero_hash,
            b"OVSDB JSON 0 " + zero_hash,
            b"OVSDB JSON 3 " + b"0" * 41 + b"\n{}\n",
            record({}).replace(b"\n", b"\r\n", 1),
            record({}).replace(b" 3 ", b" 003 "),
            record({}, "CLUSTER"),
            record('{"a":'),
            record("[1]"),
            record("{} x"),
            record("  {}  "),
            record('{\n"_comment":"x"}'),
            record({"Absent": {}}),
            record({"Thing": 5}),
            record({"Thing": {"x": {}}}),
            record({"Thing": {uuid(9): 5}}),
            record({"Thing": {uuid(9): {"absent": 5}}}),
            record({"Thing": {uuid(9): {"number": "x"}}}),
            record({"Thing": {uuid(9): None}}),
            record({"Thing": {uuid(9): {"number": ["set", []]}}}),
            record({"_date": "x"}),
            record({"_comment": 5}),
            record({"_is_diff": 1}),
            record({"_other": []}),
            b"",
        ):
            self.check(good + tail)
            self.check(good[:first] + tail + good[first:])
        for size in (first - 1, first, last + 3, last + 30, last + 60, len(good) - 1):
            self.check(good[:size])
        for position in (20, 70, first + 20, last + 70):
            self.check(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])

    def test_random_damage(self):
        good = b"".join(map(record, HISTORY))
        chance = random.Random(7)
        for _ in range(150):
            damaged = bytearray(good)
            for _ in range(chance.randrange(1, 4)):
                start = chance.randrange(len(damaged))
                kind = chance.randrange(3)
                if kind == 0:
                    damaged[start] = chance.randrange(32, 127)
                elif kind == 1:
                    del damaged[start : start + chance.randrange(1, 100)]
                else:
                    damaged[start:start] = bytes(chance.randrange(32, 127) for _ in range(3))
            self.put("x.db", bytes(damaged))
            self.same("query", "x.db", self.QUERY)


class RewriteTest(ToolTest):
    @staticmethod
    def content(schema=SCHEMA):
        selects = [{"op": "select", "table": table, "where": []} for table in sorted(schema["tables"])]
        return json.dumps([schema["name"], *selects])

    def test_create(self):
        self.put("schema", SCHEMA)
        self.same("create", "x.db", "schema")
        self.assert_same_content("x.db")
        modes = {os.stat(self.path(who, "x.db")).st_mode for who in self.tools}
        self.assertEqual(len(modes), 1)
        self.same("create", "x.db", "schema")
        self.same("create", "absent/x.db", "schema")

    def test_ovn_schemas(self):
        for name in ("ovn-nb", "ovn-sb"):
            path = binaries.reference_file(f"share/ovn/{name}.ovsschema")
            self.same("create", name + ".db", path)
            self.assert_same_content(name + ".db")
            self.same("needs-conversion", name + ".db", path)
            for command in ("db-name", "db-version", "db-cksum"):
                self.same(command, name + ".db")

    def test_compact(self):
        for links in (False, True):
            for who in self.tools:
                shutil.rmtree(self.path(who))
                os.mkdir(self.path(who))
            name = self.put("x.db", HISTORY)
            if links:
                for who in self.tools:
                    os.symlink("x.db", self.path(who, "link.db"))
                name = "link.db"
            self.same("compact", name, "new.db")
            self.assert_same_content("new.db")
            self.same("compact", name)
            self.assert_same_content("x.db")
            for who in self.tools:
                self.assertEqual(os.path.islink(self.path(who, "link.db")), links)
                self.assertFalse(os.path.exists(self.path(who, "x.db.tmp")))
            self.same("query", "x.db", self.content())

    def test_refuses_to_compact(self):
        self.put("clustered", record({"a": 1}, "CLUSTER"))
        self.put("torn", b"".join(map(record, HISTORY))[:-7])
        self.put("empty", b"")
        for name in ("clustered", "torn", "empty", "absent"):
            self.same("compact", name)
            self.same("compact", name, "new.db")
            self.assertFalse(os.path.exists(self.path("ours", "new.db")))

    def test_convert(self):
        def variant(**columns):
            schema = json.loads(json.dumps(SCHEMA))
            for column, kind in columns.items():
                if kind is None:
                    del schema["tables"]["Thing"]["columns"][column]
                else:
                    schema["tables"]["Thing"]["columns"][column] = {"type": kind}
            return schema

        fewer_tables = json.loads(json.dumps(SCHEMA))
        del fewer_tables["tables"]["Plain"]
        variants = [
            SCHEMA,
            {**SCHEMA, "name": "Other", "version": "2.0.0"},
            fewer_tables,
            variant(number=None, extra="integer"),
            variant(number="real"),
            variant(number={"key": "integer", "min": 0, "max": "unlimited"}),
            variant(name="integer"),
            variant(name={"key": {"type": "string", "maxLength": 2}}),
            variant(word="string"),
            variant(maybe="integer"),
            variant(passing="integer"),
            variant(number={"key": {"type": "integer", "minInteger": 7}}),
        ]
        for schema in variants:
            self.put("schema", schema)
            self.put("x.db", CONTENT)
            failed = self.same("convert", "x.db", "schema", "new.db")[2]
            self.same("convert", "x.db", "schema")
            self.assert_same_content("x.db")
            self.same("db-name", "x.db")
            if not failed:
                self.assert_same_content("new.db")
                self.same("query", "new.db", self.content(schema))
                for who in self.tools:
                    os.unlink(self.path(who, "new.db"))
        for arguments in (("absent", "schema"), ("x.db", "absent"), ("absent", "absent")):
            self.same("convert", *arguments)

    def test_convert_to_a_schema_that_the_rows_break(self):
        """An error, and the file as it was; stock drops rows, or makes files that do not open."""
        def schema(kind, **more):
            return {"name": "D", "version": "1.0.0", "tables": {
                "T": {"isRoot": True, "columns": {"a": {"type": kind}}, **more}}}

        reference = {"key": {"type": "uuid", "refTable": "T"}, "min": 0, "max": 1}
        dangling = ["uuid", "00000000-0000-0000-0000-000000000001"]
        for before, values, after, error in (
                (schema("uuid"), [dangling], schema(reference), "referential integrity violation"),
                (schema("integer"), [1, 1], schema("integer", indexes=[["a"]]), "constraint violation"),
                (schema("integer"), [1, 2], schema("integer", maxRows=1), "constraint violation")):
            with self.subTest(after=after):
                self.put("before", before)
                self.put("after", after)
                self.run_tool("ours", "create", "y.db", "before")
                insert = [{"op": "insert", "table": "T", "row": {"a": value}} for value in values]
                self.run_tool("ours", "transact", "y.db", json.dumps(["D", *insert]))
                with open(self.path("ours", "y.db"), "rb") as file:
                    content = file.read()
                _, problem, status = self.run_tool("ours", "convert", "y.db", "after")
                self.assertEqual(status, 1)
                self.assertIn(error, problem)
                with open(self.path("ours", "y.db"), "rb") as file:
                    self.assertEqual(file.read(), content)
                os.unlink(self.path("ours", "y.db"))

    def test_odd_places(self):
        self.put("x.db", HISTORY)
        self.put("schema", SCHEMA)
        self.put("empty", "")
        self.put("junk", "no database\n")
        self.put("y.db", HISTORY[:2])
        for place in ("absent/x", "", ".", "/dev/null", "absent"):
            for arguments in (["create", place, "schema"], ["create", "new.db", place], ["compact", place], ["convert", place, "schema"],
                              ["convert", "x.db", place], ["query", place, "[]"], ["transact", place, "[]"], ["show-log", place],
                              ["db-name", place], ["db-is-standalone", place], ["schema-name", place]):
                if arguments != ["create", "absent", "schema"]:
                    self.same(*arguments)
        for place in ("absent/x", "", ".", "empty", "junk", "y.db"):
            self.same("compact", "x.db", place)
            self.same("convert", "x.db", "schema", place)
        self.assert_same_content("empty")
        self.assert_same_content("y.db")

    @unittest.skipIf(os.geteuid() != 0, "takes root to become somebody else")
    def test_files_that_may_not_be_written(self):
        """A file is replaced, not written: its folder's mode counts."""
        self.put("schema", SCHEMA)
        os.chmod(self.directory, 0o755)
        for mode in (0o777, 0o755):
            for arguments in (["compact", "x.db"], ["convert", "x.db", "schema"], ["query", "x.db", '["Play"]'],
                              ["compact", "x.db", "empty"], ["transact", "x.db", '["Play"]'], ["create", "new.db", "schema"]):
                self.put("x.db", HISTORY)
                self.put("empty", "")
                outcomes = []
                for who, tool in self.tools.items():
                    for name in ("x.db", "empty"):
                        os.chmod(self.path(who, name), 0o444)
                    os.chmod(self.path(who), mode)
                    program = shutil.copy(tool, self.directory)
                    done = subprocess.run([program, *arguments], cwd=self.path(who), capture_output=True, text=True, user=65534)
                    outcomes.append((done.stdout, re.sub(r"^\S+Z\|", "", done.stderr, flags=re.M), done.returncode))
                    os.chmod(self.path(who), 0o777)
                    for name in os.listdir(self.path(who)):
                        if name != "schema":
                            os.unlink(self.path(who, name))
                self.assertEqual(*outcomes, (arguments, oct(mode)))

    def test_locked_databases(self):
        self.put("x.db", HISTORY)
        self.put("schema", SCHEMA)
        holder = self.reference_server(databases=[self.path("stock", "x.db")])
        shutil.rmtree(self.path("ours"))
        os.symlink("stock", self.path("ours"))  # The same file for both.
        for arguments in (
            ("compact", "x.db"),
            ("convert", "x.db", "schema"),
            ("transact", "x.db", '["Play"]'),
            ("query", "x.db", '["Play"]'),
        ):
            self.same(*arguments)
        holder.stop()
        self.assertEqual(self.same("transact", "x.db", '["Play"]')[2], 0)


RBAC_TABLES = {
    "RBAC_Role": {
        "columns": {
            "name": {"type": "string"},
            "permissions": {
                "type": {
                    "key": {"type": "string"},
                    "value": {"type": "uuid", "refTable": "RBAC_Permission", "refType": "weak"},
                    "min": 0,
                    "max": "unlimited",
                }
            },
        },
        "isRoot": True,
    },
    "RBAC_Permission": {
        "columns": {
            "table": {"type": "string"},
            "authorization": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
            "insert_delete": {"type": "boolean"},
            "update": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
        },
        "isRoot": True,
    },
}


class TransactTest(ToolTest):
    TRANSACTIONS = [
        [{"op": "select", "table": "Thing", "where": [], "columns": ["number", "name", "map"], "sort": ["number", "name"]}],
        [],
        [{"op": "select", "table": "Thing", "where": []}],
        [{"op": "insert", "table": "Plain", "uuid": uuid(20), "row": {"k": 7}}],
        [
            {"op": "comment", "comment": "one"},
            {"op": "insert", "table": "Part", "uuid": uuid(21), "uuid-name": "p", "row": {"x": 1}},
            {
                "op": "insert",
                "table": "Thing",
                "uuid": uuid(22),
                "row": {"name": "é\"\\\n", "parts": ["named-uuid", "p"], "map": ["map", [["a", "b"]]]},
            },
            {"op": "comment", "comment": "two\n"},
        ],
        [{"op": "comment", "comment": "alone"}],
        [{"op": "update", "table": "Thing", "where": [], "row": {"passing": "ephemeral"}}],
        [{"op": "update", "table": "Thing", "where": [["name", "==", "re named"]], "row": {"number": 8, "word": "w"}}],
        [{"op": "mutate", "table": "Thing", "where": [], "mutations": [["numbers", "insert", ["set", [5, 6]]], ["map", "delete", ["set", ["a"]]]]}],
        [{"op": "update", "table": "Thing", "where": [], "row": {"number": 0}}],
        [{"op": "insert", "table": "Plain", "uuid": uuid(23), "row": {}}, {"op": "abort"}],
        [{"op": "wait", "table": "Plain", "where": [], "columns": ["k"], "until": "==", "rows": []}],
        [{"op": "wait", "timeout": 300, "table": "Plain", "where": [], "columns": ["k"], "until": "==", "rows": []}],
        [
            {"op": "comment", "comment": "a"},
            {"op": "wait", "timeout": 0, "table": "Plain", "where": [], "columns": ["k"], "until": "==", "rows": []},
            {"op": "comment", "comment": "b"},
        ],
        [{"op": "assert", "lock": "l"}],
        [{"op": "commit", "durable": True}],
        [{"op": "insert", "table": "Plain", "uuid": uuid(24), "row": {"k": "x"}}],
        [{"op": "insert", "table": "Absent", "row": {}}],
        [{"op": "frobnicate"}],
        [1],
        [{"op": "delete", "table": "Thing", "where": []}, {"op": "commit", "durable": True}],
        [{"op": "select", "table": "Part", "where": []}],
    ]

    def test_transactions(self):
        self.put("x.db", HISTORY)
        for operations in self.TRANSACTIONS:
            text = json.dumps(["Play", *operations])
            self.same("query", "x.db", text)
            self.assert_same_content("x.db")
            self.same("transact", "x.db", text)
            self.assert_same_content("x.db")

    def test_roles(self):
        schema = json.loads(json.dumps(SCHEMA))
        self.put("x.db", [schema])
        schema["tables"].update(RBAC_TABLES)
        self.put("y.db", [schema])
        for operations in self.TRANSACTIONS:
            for name in ("x.db", "y.db"):
                self.same("--rbac-role=guest", "transact", name, json.dumps(["Play", *operations]))
                self.assert_same_content(name)

    def test_reads_what_the_other_wrote(self):
        self.put("x.db", HISTORY)
        for operations in self.TRANSACTIONS:
            self.same("transact", "x.db", json.dumps(["Play", *operations]))
        everything = RewriteTest.content()
        before = self.same("query", "x.db", everything)
        for who in self.tools:
            os.rename(self.path(who, "x.db"), self.path(who, "y.db"))
        os.rename(self.path("ours", "y.db"), self.path("stock", "x.db"))
        os.rename(self.path("stock", "y.db"), self.path("ours", "x.db"))
        self.assertEqual(self.same("query", "x.db", everything), before)

    def test_bad_requests(self):
        self.put("x.db", HISTORY)
        for text in ("", "x", "[1", "[]", "{}", "5", '["Other"]', "[5]", '["Play"] x', '["Play",', '"Play"'):
            for command in ("query", "transact"):
                self.same(command, "x.db", text)
                self.same(command, "absent", text)


class ShowLogTest(ToolTest):
    def check(self, content):
        self.put("x.db", content)
        for more in ([], ["-m"], ["-mm"], ["--more", "-m", "--more"]):
            ours, stock = (self.run_tool(who, *more, "show-log", "x.db") for who in ("ours", "stock"))
            self.assertEqual(self.sorted_output(ours), self.sorted_output(stock))

    def test_history(self):
        self.check(HISTORY)

    def test_files_of_servers(self):
        """What either server wrote, compacted and went on writing."""
        self.put("schema", SCHEMA)
        for program in (binaries.ours("ovsdb-server"), binaries.reference("ovsdb-server")):
            path = self.database("served", self.path("ours", "schema"))
            server = self.server("server", [path], path=program)
            with server.connect() as client:
                for operations in TransactTest.TRANSACTIONS[:9]:
                    client.transact("Play", *operations)
                server.appctl("ovsdb-server/compact")
                for operations in TransactTest.TRANSACTIONS[9:]:
                    if "wait" not in [operation.get("op") for operation in operations if isinstance(operation, dict)]:
                        client.transact("Play", *operations)
            server.stop()
            with open(path, "rb") as file:
                self.check(file.read())
            os.unlink(path)

    def test_time_zones(self):
        self.put("x.db", HISTORY[:1] + [change(1795370432461, {"Plain": {uuid(1): {}}})])
        for zone in ("America/New_York", "Asia/Kolkata", "UTC"):
            with unittest.mock.patch.dict(os.environ, TZ=zone):
                self.same("show-log", "x.db")

    def test_one_by_one(self):
        self.put("x.db", HISTORY[:1] + [change(1795370432461, {"Thing": {uuid(1): {"name": "n"}}})])
        self.assertEqual(
            self.same("-mm", "show-log", "x.db")[0],
            'record 0: "Play" schema, version="1.2.3", cksum="12345 678"\n\n'
            "record 1: 2026-11-22 18:00:32.461\n"
            '  table Thing insert row "n" (00000001):\n    name=n\n\n',
        )

    def test_odd_records(self):
        self.check(
            [
                SCHEMA,
                {"Thing": {uuid(1): None}},
                {"_date": 1.5, "Thing": {uuid(1): {"number": 1}}},
                {"_date": "x", "_comment": 5},
                {"_is_diff": False, "Thing": {uuid(1): {"number": 3}}},
                {"_is_diff": 5, "Thing": {uuid(1): {"number": "s", "absent": ["set", [1]], "real": 1e300}}},
                {"Absent": {uuid(3): {"a": [1, {"b": 2, "a": 1}]}}},
                {"Absent": 5},
                {"Thing": {"short": {"number": 1}, uuid(3): 5, uuid(4): [1]}},
                {"_other": {uuid(3): {"a": 1}}},
                {},
                SCHEMA,
                {"Optional": {uuid(5): {"name": ["set", ["q", "r"]]}}},
                {"Optional": {uuid(5): {"q": 7}}},
                {"Optional": {uuid(5): {"name": 5}}},
                {"Optional": {uuid(5): {"name": ["set", ["q"]]}}},
                {"_date": 0, "Thing": {uuid(1): None}, "Part": {}},
                {"_date": 99999999999999999},
                {"_date": 2147483647},
                {"_date": 2147483646},
            ]
        )

    def test_values(self):
        words = ["", "a", "_x", "1", "-a", "a b", "a-b", "a.b", "a:b", "true", "false", "True", "null", uuid(1), uuid(1)[:-1], uuid(0xABCDEF12).upper(), "é", 'a"b', "a\\b", "\x7f", "\x01", "a,b", "[a]", "-", "_"]
        reals = [0, 1, -1, 1.5, 0.1, 1e15, 123456789012345678, 1e-5, 1e-4, 1 / 3, 1e100, -0.0]
        things = [{"name": word} for word in words] + [{"real": real} for real in reals]
        things += [{"map": ["map", [[word, "1"]]]} for word in words]
        things += [{"parts": ["set", [["uuid", uuid(2)], ["named-uuid", "z"]]]}, {"numbers": ["set", [1, 1]]}, {"maybe": ["set", [1, 2]]}]
        self.check([SCHEMA] + [{"Thing": {uuid(100 + i): thing}} for i, thing in enumerate(things)])

    def test_bad_files(self):
        self.check([{"_date": 1}, SCHEMA])
        self.check([{"name": "M", "tables": 5}])
        self.check(b"".join(map(record, HISTORY)) + b"garbage")
        self.check(b"".join(map(record, HISTORY))[:-5])


if __name__ == "__main__":
    unittest.main()
