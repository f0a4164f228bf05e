"""What daemons show over HTTP: figures, health, the page for people; and logs as JSON."""

import json
import os
import re
import signal
import socket
import time
import unittest
import urllib.error
import urllib.request

from harness import binaries
from harness.case import SystemTest
from harness.cluster import DATABASE, ClusterTest, all_have, free_port, insert, leader, status
from harness.daemon import Daemon
from harness.waiting import wait_until

SCHEMA = {
    "name": "Play",
    "version": "1.0.0",
    "tables": {"Thing": {"columns": {"name": {"type": "string"}}, "isRoot": True}},
}
SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
with open(os.path.join(SCHEMAS, "..", "meson.build"), encoding="utf-8") as build:
    VERSION = re.search(r"version: '(.*)'", build.read()).group(1)
LINE = re.compile(r'^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (-?[0-9.]+(?:e[-+][0-9]+)?|\+Inf|NaN)$')


def fetch(port, path, host="127.0.0.1"):
    """(status, body)"""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figures(port, host="127.0.0.1"):
    """{name and labels: value}; every line must be one that Prometheus takes."""
    status, text = fetch(port, "/metrics", host)
    assert status == 200, text
    found = {}
    families = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in families, line
            families[name] = kind
        elif not line.startswith("# HELP "):
            match = LINE.match(line)
            assert match, line
            assert any(match[1] == name or (kind == "histogram" and match[1] in (name + "_bucket", name + "_sum", name + "_count"))
                       for name, kind in families.items()), line
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


class ServerFaceTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.play = self.server(databases=[self.database("play", SCHEMA)], arguments=[f"--metrics=127.0.0.1:{self.port}"])

    def insert(self, n, **options):
        with self.play.connect() as client:
            return client.transact("Play", *[{"op": "insert", "table": "Thing", "row": {"name": "x"}} for _ in range(n)],
                                   *([{"op": "commit", "durable": True}] if options.get("durable") else []))

    def wait_for_line(self, pattern):
        """In the log, about something slow: it is written at the end of a turn."""

        def is_there():
            with open(self.play.log_path, encoding="utf-8") as log:
                return re.search(r"\|slow\|WARN\|" + pattern, log.read())

        wait_until(is_there, pattern)

    def test_figures(self):
        before = figures(self.port)
        self.insert(3)
        self.insert(2, durable=True)
        with self.play.connect() as client:
            client.call("monitor", ["Play", None, {"Thing": {}}])
            client.transact("Play", {"op": "select", "table": "Thing", "where": []})
            after = figures(self.port)
        change = {name: after[name] - before.get(name, 0) for name in after}
        self.assertEqual(change['boreas_rows{database="Play",table="Thing"}'], 5)
        self.assertEqual(change['boreas_transactions_total{database="Play",kind="write"}'], 2)
        self.assertEqual(change['boreas_transactions_total{database="Play",kind="read"}'], 1)
        self.assertEqual(change['boreas_transaction_seconds_count{database="Play"}'], 2)
        self.assertGreaterEqual(change['boreas_fsync_seconds_count{database="Play"}'], 1)
        self.assertGreater(change['boreas_file_bytes{database="Play"}'], 100)
        self.assertEqual(after['boreas_monitors{database="Play"}'], 1)
        self.assertEqual(after["boreas_sessions"], 1)
        self.assertEqual(after["boreas_ready"], 1)
        self.assertGreater(after["process_resident_memory_bytes"], 1e6)
        self.assertFalse(any("_Server" in name for name in after))
        self.assertEqual(after[f'boreas_build_info{{program="ovsdb-server",version="ovsdb-server (Open vSwitch) 3.5.0",boreas="{VERSION}"}}'], 1)

    def test_health(self):
        self.assertEqual(fetch(self.port, "/healthz"), (200, "ok\n"))
        self.assertEqual(fetch(self.port, "/readyz"), (200, "ok\n"))
        self.assertEqual(fetch(self.port, "/nothing")[0], 404)

    def test_page(self):
        self.insert(1)
        status, page = fetch(self.port, "/")
        self.assertEqual(status, 200)
        self.assertIn("<h2>Play ", page)
        self.assertIn("ovsdb-server on", page)
        self.assertIn(f"Boreas {VERSION}</footer>", page)
        self.assertNotRegex(page, r"(src|href)=")
        document = json.loads(fetch(self.port, "/status")[1])
        self.assertEqual([database["name"] for database in document["databases"]], ["Play"])

    def test_one_that_sends_slowly_holds_up_nobody(self):
        with socket.create_connection(("127.0.0.1", self.port)) as slow:
            slow.send(b"GET /metr")
            self.assertEqual(fetch(self.port, "/healthz")[0], 200)
            self.assertEqual(self.insert(1)[0]["uuid"][0], "uuid")

    def test_a_slow_transaction_leaves_a_line(self):
        text = '{"op":"mutate","table":"Thing","where":[],"mutations":[]},' * 5000
        self.insert(5000)
        with self.play.connect() as client:
            client.send('{"id":1,"method":"transact","params":["Play",' + text + '{"op":"abort"}]}')
            client.receive(60)
        for line in (
            r"a transaction of unix#\d+ on Play took \d+ ms, \d+ of them to be executed "
            r"\(of 5001, the first operation: mutate Thing\)",
            r"the process was deaf for \d+ ms \(\d+ ms user, \d+ ms system\), \d+ ms of it executing a transaction",
        ):
            self.wait_for_line(line)
        self.assertGreaterEqual(figures(self.port)['boreas_slow_total{kind="transaction"}'], 1)
        self.assertIn("of 5001, the first operation", fetch(self.port, "/")[1])

    def test_a_client_that_does_not_read_leaves_a_line(self):
        with self.play.connect() as client, self.play.connect() as writer:
            client.call("monitor", ["Play", None, {"Thing": {}}])
            n = 100
            for _ in range(n):
                writer.transact("Play", {"op": "insert", "table": "Thing", "row": {"name": "x" * 100000}})
            self.assertGreater(figures(self.port)["boreas_backlog_largest_bytes"], 1e6)
            since = time.monotonic()
            wait_until(lambda: time.monotonic() > since + 1.1, "it has been behind for a while")
            seen = 0
            while seen < n:
                seen += len(client.receive()["params"][1]["Thing"])

        self.wait_for_line(r"unix#\d+ took \d+ ms to read what it was sent, up to \d+ bytes")


class AddressTest(SystemTest):
    def test_no_address(self):
        for address, why in (("9000", "not ADDRESS:PORT or ADDRESS:PORT-LAST"), ("localhost:1", "localhost is no IP address")):
            done = self.run_command(binaries.ours("ovsdb-server"), "--no-dbs", "--unixctl=none", f"--metrics={address}",
                                    f"--remote=punix:{self.path('s')}", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"--metrics={address}: {why}", done.stderr)


    def test_environment(self):
        port = free_port()
        self.env["BOREAS_METRICS"] = f"127.0.0.1:{port}-{port + 20}"
        for name in ("a", "b"):
            server = self.server(name)
            with open(server.log_path, encoding="utf-8") as log:
                found = int(re.search(r"metrics and status on port (\d+)", log.read()).group(1))
            self.assertEqual(fetch(found, "/healthz"), (200, "ok\n"))
        self.env["BOREAS_METRICS"] = "nonsense"
        server = self.server("c")
        with open(server.log_path, encoding="utf-8") as log:
            self.assertIn("BOREAS_METRICS=nonsense: not ADDRESS:PORT", log.read())


class JsonLogTest(SystemTest):
    def test_lines_are_objects(self):
        server = self.server(arguments=["--log-format=json"])
        server.appctl("vlog/set", "file:dbg")
        with server.connect() as client:
            client.call("echo", ['"\n\\'])
        with open(server.log_path, encoding="utf-8") as log:
            lines = [json.loads(line) for line in log]
        self.assertTrue(all({"time", "number", "level", "module", "message", "program", "pid"} <= set(line) for line in lines))
        self.assertTrue(any("echo" in line["message"] for line in lines))
        self.assertEqual({line["pid"] for line in lines}, {server.pid})

    def test_no_such_format(self):
        done = self.run_command(binaries.ours("ovsdb-server"), "--log-format=xml", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--log-format=xml: neither text nor json", done.stderr)


class ClusterFaceTest(ClusterTest):
    """Three members with addresses of their own, all with the same port for their faces."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.raft_port = free_port()

    def host(self, name):
        return "127.0.0." + name[1:]

    def server(self, name, databases, arguments=()):
        return super().server(name, databases, [*arguments, f"--metrics={self.host(name)}:{self.port}"])

    def test_one_dies_then_another(self):
        members = self.cluster("ours", "ours", "ours", address=lambda name: f"tcp:{self.host(name)}:{self.raft_port}")
        insert(members[0], 1)
        all_have(members, [1])
        first = leader(members)
        for member in members:
            host = self.host(member.name)
            role = "leader" if member is first else "follower"
            self.assertEqual(figures(self.port, host)[f'boreas_raft_role{{database="{DATABASE}",role="{role}"}}'], 1)
            page = fetch(self.port, "/", host)[1]
            self.assertEqual(page.count(">leader</span>"), 1)
            self.assertEqual(page.count(">follower</span>"), 2)
        rest = [member for member in members if member is not first]
        first.kill()
        second = leader(rest)
        for member in rest:
            page = fetch(self.port, "/", self.host(member.name))[1]
            where = "this node" if member is second else self.host(second.name)
            self.assertRegex(page, rf"Last elections: <b>{status(second)['Server ID'][:4]}</b> \({where}\) won \d+\.\d s ago")
        host = self.host(rest[0].name)
        page = fetch(self.port, "/", host)[1]
        self.assertEqual(page.count("does not answer"), 1)
        self.assertIn("Connection refused", page)
        self.assertEqual(page.count(">leader</span>"), 1)
        self.assertEqual(fetch(self.port, "/readyz", host), (200, "ok\n"))
        rest[1].signal(signal.SIGSTOP)
        wait_until(lambda: fetch(self.port, "/readyz", host)[0] == 503, "it is not ready alone")
        self.assertIn(f"{DATABASE}: disconnected from the cluster", fetch(self.port, "/readyz", host)[1])
        self.assertEqual(fetch(self.port, "/healthz", host), (200, "ok\n"))
        self.assertIn("no answer within 1000 ms", fetch(self.port, "/", host)[1])
        rest[1].signal(signal.SIGCONT)
        wait_until(lambda: fetch(self.port, "/readyz", host)[0] == 200, "it is ready again")
        with open(rest[1].log_path, encoding="utf-8") as log:
            self.assertRegex(log.read(), r"\|slow\|WARN\|the process woke \d+ ms late")
        self.assertGreaterEqual(figures(self.port, self.host(rest[1].name))['boreas_slow_total{kind="stall"}'], 1)

    def test_snapshots(self):
        members = self.cluster("ours", "ours", "ours", address=lambda name: f"tcp:{self.host(name)}:{self.raft_port}")
        insert(members[0], 1)
        all_have(members, [1])
        first = leader(members)
        behind = next(member for member in members if member is not first)
        behind.kill()
        insert(first, 2)
        first.appctl("ovsdb-server/compact", DATABASE)
        insert(first, 3)
        behind.start()
        all_have(members, [1, 2, 3])

        def snapshots(member):
            now = figures(self.port, self.host(member.name))
            return {name: now[f'boreas_raft_snapshots_total{{database="{DATABASE}",kind="{name}"}}']
                    for name in ("taken", "sent", "installed")}, now[f'boreas_raft_snapshot_index{{database="{DATABASE}"}}']

        (of_first, index_of_first), (of_behind, index_of_behind) = snapshots(first), snapshots(behind)
        self.assertEqual((of_first["taken"], of_first["installed"]), (1, 0))
        self.assertGreaterEqual(of_first["sent"], 1)
        self.assertEqual((of_behind["taken"], of_behind["sent"]), (0, 0))
        self.assertGreaterEqual(of_behind["installed"], 1)
        self.assertGreaterEqual(index_of_behind, index_of_first)
        for member in members:
            now = figures(self.port, self.host(member.name))
            self.assertEqual(now[f'boreas_raft_snapshot_index{{database="{DATABASE}"}}'] + 1,
                             now[f'boreas_raft_log_start_index{{database="{DATABASE}"}}'])


class ActiveNorthdTest(SystemTest):
    def test_every_page_tells_it(self):
        port, raft_port = free_port(), free_port()
        hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        members = []
        for host in hosts:
            name, local = f"sb{host[-1]}", f"tcp:{host}:{raft_port}"
            file = self.path(name + ".db")
            words = (["join-cluster", file, "OVN_Southbound", local, f"tcp:{hosts[0]}:{raft_port}"] if members else
                     ["create-cluster", file, os.path.join(SCHEMAS, "ovn-sb.ovsschema"), local])
            self.run_command(binaries.ours("ovsdb-tool"), *words)
            members.append(self.server(name, [file], [f"--metrics={host}:{port}"]))
            wait_until(lambda: fetch(port, "/readyz", host)[0] == 200, f"{name} joins")
        for host in hosts:
            self.assertIn("<b>none</b><span>active ovn-northd</span>", fetch(port, "/", host)[1])
        nb = self.server("nb", [self.database("nb", os.path.join(SCHEMAS, "ovn-nb.ovsschema"))])
        self.track(Daemon(binaries.ours("ovn-northd"), self.directory, "northd", [
            f"--ovnnb-db={nb.remote}", "--ovnsb-db=" + ",".join(member.remote for member in members)], self.env)).start()
        for host in hosts:
            wait_until(lambda: re.search(r"<b>unix#\d+</b><span>active ovn-northd, says ", fetch(port, "/", host)[1]),
                       "the page tells of the active one")


class DocumentsTest(ClusterTest):
    """What docs, dashboard and alerts call by name is there, and all that is there is in docs."""

    def names_in(self, *path):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", *path), encoding="utf-8") as text:
            return {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\b(?:boreas|process)_[a-z_]+", text.read())}

    def test_names(self):
        ports = [free_port(), free_port(), free_port()]
        nb, sb = (
            self.server(kind, [self.database(kind, os.path.join(SCHEMAS, f"ovn-{kind}.ovsschema"))], [f"--metrics=127.0.0.1:{port}"])
            for kind, port in zip(("nb", "sb"), ports))
        self.track(Daemon(binaries.ours("ovn-northd"), self.directory, "northd", [
            f"--ovnnb-db={nb.remote}", f"--ovnsb-db={sb.remote}", f"--metrics=127.0.0.1:{ports[2]}"], self.env)).start()
        members = self.cluster("ours", "ours", arguments=["--metrics=127.0.0.1:0"])
        for member in members:
            with open(member.log_path, encoding="utf-8") as log:
                ports.append(int(re.search(r"metrics and status on port (\d+)", log.read()).group(1)))
        there = set()
        for port in ports:
            there |= {re.sub(r"_(bucket|count|sum)$", "", name.split("{")[0]) for name in figures(port)}
        self.assertEqual(there, self.names_in("docs", "operators.md"))
        self.assertLessEqual(self.names_in("packaging", "monitoring", "dashboard.json"), there)
        self.assertLessEqual(self.names_in("packaging", "monitoring", "alerts.yaml"), there)


class NorthdFaceTest(SystemTest):
    def test_figures_and_page(self):
        port = free_port()
        files = [self.database(kind, os.path.join(SCHEMAS, f"ovn-{kind}.ovsschema")) for kind in ("nb", "sb")]
        server = self.server(databases=files)
        northd = self.track(Daemon(binaries.ours("ovn-northd"), self.directory, "northd", [
            f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}", f"--metrics=127.0.0.1:{port}"], self.env)).start()
        wait_until(lambda: fetch(port, "/readyz")[0] == 200, "it follows both databases")
        with server.connect() as client:
            client.transact("OVN_Northbound", {"op": "insert", "table": "Logical_Switch", "row": {"name": "sw0"}})
        wait_until(lambda: figures(port)["boreas_northd_latency_seconds_count"] >= 1, "the change is translated")
        now = figures(port)
        self.assertEqual(now['boreas_northd_status{status="active"}'], 1)
        self.assertEqual(now['boreas_northd_connected{database="OVN_Southbound"}'], 1)
        self.assertGreater(now["boreas_northd_rows_written_total"], 10)
        self.assertIn("<b>active</b><span>status</span>", fetch(port, "/")[1])
        self.assertNotIn("<b>–</b>", fetch(port, "/")[1])
        other = free_port()
        standby = self.track(Daemon(binaries.ours("ovn-northd"), self.directory, "standby", [
            f"--ovnnb-db={server.remote}", f"--ovnsb-db={server.remote}", f"--metrics=127.0.0.1:{other}"], self.env)).start()
        wait_until(lambda: fetch(other, "/readyz")[0] == 200, "it follows both databases")
        self.assertIn("<b>standby</b><span>status</span>", fetch(other, "/")[1])
        self.assertIn("<b>–</b><span>half of the changes were in the southbound within</span>", fetch(other, "/")[1])
        standby.stop()
        server.stop()
        wait_until(lambda: fetch(port, "/readyz")[0] == 503, "it says that it is not connected")
        self.assertIn("the northbound is not followed: no contact with unix:", fetch(port, "/readyz")[1])
        northd.check_alive()


if __name__ == "__main__":
    unittest.main()
