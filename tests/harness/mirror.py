"""Servers that follow others: each scenario runs with ours and the reference's on either side."""

import json
import os
import threading

from harness import binaries, jsonrpc
from harness.case import SystemTest
from harness.daemon import CommandFailed
from harness.waiting import wait_until

ZERO = "00000000-0000-0000-0000-000000000000"
SCHEMA = {
    "name": "Repl",
    "version": "1.0.0",
    "tables": {
        "A": {
            "columns": {
                "n": {"type": "integer"},
                "b": {"type": {"key": {"type": "uuid", "refTable": "B"}, "min": 0, "max": 5}},
            },
            "isRoot": True,
        },
        "B": {"columns": {"text": {"type": "string"}}},
        "Secret": {"columns": {"text": {"type": "string"}}, "isRoot": True},
    },
}
OTHER_SCHEMA = {"name": "Other", "version": "1.0.0", "tables": {"T": {"columns": {"x": {"type": "string"}}}}}
CHANGES = [
    [{"op": "insert", "table": "B", "uuid-name": "b", "row": {"text": "one"}},
     {"op": "insert", "table": "A", "row": {"n": 1, "b": ["named-uuid", "b"]}},
     {"op": "insert", "table": "Secret", "row": {"text": "s"}}],
    [{"op": "update", "table": "A", "where": [], "row": {"n": 2}}],
    [{"op": "insert", "table": "A", "row": {"n": 3}}],
    [{"op": "update", "table": "A", "where": [["n", "==", 2]], "row": {"b": ["set", []]}}],
]


def changed(schema, **tables):
    """A copy of the schema in which tables have other (or more) columns."""
    copy = json.loads(json.dumps(schema))
    for table, columns in tables.items():
        copy["tables"].setdefault(table, {"columns": {}})["columns"].update(columns)
    return copy


def insert(n):
    return {"op": "insert", "table": "A", "row": {"n": n}}


def rows(server, *tables, database="Repl"):
    """Rows with their UUIDs, which followers keep; None while the database is not there."""
    tables = tables or tuple(SCHEMA["tables"])
    selects = [{"op": "select", "table": table, "where": []} for table in tables]
    try:
        with server.connect() as client:
            results = client.transact(database, *selects)
    except (RuntimeError, jsonrpc.Closed):
        return None
    found = []
    for result in results:
        for row in result["rows"]:
            row.pop("_version")
        found.append(sorted(result["rows"], key=lambda row: json.dumps(row, sort_keys=True)))
    return found


def numbers(server):
    """Column `n` of table A, sorted."""
    found = rows(server, "A")
    return found and sorted(row["n"] for row in found[0])


def follows(follower, source, *tables, **more):
    def equal():
        there = rows(follower, *tables, **more)
        return there is not None and there == rows(source, *tables, **more)

    wait_until(equal, f"{follower.name} equals {source.name}")


def change(server, *transactions, database="Repl"):
    with server.connect() as client:
        for operations in transactions or CHANGES:
            for result in client.transact(database, *operations):
                assert "error" not in result, result


def answer(server, command, *arguments):
    """What the control socket answers, also if it is an error."""
    try:
        return server.appctl("ovsdb-server/" + command, *arguments)
    except CommandFailed as error:
        return f"error: {error}"


def logged(server, *modules):
    """The messages of these modules in a server's log, without time and number."""
    with open(server.log_path, encoding="utf-8") as log:
        lines = [line.rstrip("\n").split("|", 4) for line in log]
    return [line[4] for line in lines if len(line) == 5 and line[2].partition("(")[0] in modules]


class Pair:
    """A program for sources and one for followers, and the servers of one scenario."""

    def __init__(self, test, source, follower):
        self.test = test
        self.name = f"{follower}-of-{source}"
        self.kinds = {"source": source, "follower": follower}

    def __str__(self):
        return f"{self.kinds['follower']} follows {self.kinds['source']}"

    def is_ours(self, role):
        return self.kinds[role] == "ours"

    def _program(self, role):
        return {"ours": binaries.ours, "stock": binaries.reference}[self.kinds[role]]("ovsdb-server")

    def path(self, name):
        return self.test.path(f"{self.name}-{name}")

    def database(self, name, schema=None):
        return self.test.database(f"{self.name}-{name}", schema or SCHEMA)

    def server(self, role, name, databases=None, arguments=(), schema=None, **more):
        """A server of the role's program, with a database of its own unless told otherwise."""
        if databases is None:
            databases = [self.database(name, schema)]
        return self.test.server(f"{self.name}-{name}", databases, list(arguments), self._program(role), **more)

    def source(self, name="source", **more):
        return self.server("source", name, **more)

    def backup(self, source, *arguments, name="backup", **more):
        return self.server("follower", name, arguments=[f"--sync-from={source.remote}", *arguments], **more)

    def relay(self, *sources, name="relay", role="follower", arguments=(), **more):
        """A relay of servers, or of remotes given as text."""
        remotes = ",".join(s if isinstance(s, str) else s.remote for s in sources)
        return self.server(role, name, [f"relay:Repl:{remotes}"], arguments, **more)

    def cluster(self, name="source"):
        """A cluster of one server, the reference's."""
        schema = self.test.write(f"{self.name}-{name}.ovsschema", SCHEMA)
        path = self.path(name + ".db")
        self.test.run_command(binaries.reference("ovsdb-tool"), "create-cluster", path, schema,
                              "unix:" + self.path(name + ".raft"))
        server = self.test.reference_server(f"{self.name}-{name}", [path])
        wait_until(lambda: "Role: leader" in server.appctl("cluster/status", "Repl"), "the cluster has a leader")
        return server

    def daemon(self, role, name, databases, arguments):
        """A server with a process that restarts it after a crash."""
        pidfile = self.path(name + ".pid")
        arguments = [*arguments, "--detach", "--monitor", "--no-chdir", f"--pidfile={pidfile}"]
        server = self.server(role, name, databases, arguments, start=False)
        server.pidfile = pidfile
        server.start(ready=False)
        self.test.assertEqual(server.process.wait(20), 0, server.diagnostics())
        self.test.addCleanup(end_daemon, server)
        return server


def daemon_pid(server):
    try:
        with open(server.pidfile, encoding="ascii") as pidfile:
            return int(pidfile.read())
    except (OSError, ValueError):
        return None


def end_daemon(server):
    if daemon_pid(server):
        server.appctl("exit")
        wait_until(lambda: not os.path.exists(server.pidfile), f"{server.name} has ended")


def crash(server, signal):
    """Crashes a daemon that is supervised, and waits until its successor answers."""
    before = daemon_pid(server)
    os.kill(before, signal)
    wait_until(lambda: daemon_pid(server) not in (None, before), f"{server.name} starts again")

    def answers():
        try:
            return server.appctl("version")
        except (OSError, jsonrpc.Closed):
            return None

    wait_until(answers, f"{server.name} answers")


class MirrorTest(SystemTest):
    def each(self, scenario, kinds=None):
        """Runs scenario(pair) for all pairs at once, for what they do is mostly wait.

        That the reference passes with itself on the other side proves what the scenario expects.
        """
        if kinds is None:
            kinds = [("ours", "ours")]
            if binaries.have_reference():
                kinds += [("stock", "stock"), ("stock", "ours"), ("ours", "stock")]
        failures = []

        def run(pair):
            try:
                scenario(pair)
            except Exception as error:  # pylint: disable=broad-except
                failures.append((pair, error))

        if not binaries.have_reference():
            kinds = [kind for kind in kinds if "stock" not in kind]
        threads = [threading.Thread(target=run, args=[Pair(self, *kind)]) for kind in kinds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            words = "; ".join(f"{pair}: {error!r}" for pair, error in failures)
            raise AssertionError(words) from failures[0][1]
