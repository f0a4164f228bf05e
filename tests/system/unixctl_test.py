"""The control socket: every command of ovsdb-server, its texts and its errors, as the reference's."""

import json
import os
import re
import unittest

from harness import binaries, jsonrpc
from harness.daemon import CommandFailed
from harness.twins import TwinTest
from harness.waiting import wait_until

ZERO = "00000000-0000-0000-0000-000000000000"
SCHEMA = {
    "name": "Small",
    "version": "1.0.0",
    "tables": {"T": {"columns": {"x": {"type": "integer"}}, "isRoot": True}, "U": {"columns": {
        "remotes": {"type": {"key": "string", "min": 0, "max": "unlimited"}}}, "isRoot": True}},
}


@binaries.needs_reference
class UnixctlTest(TwinTest):
    def setUp(self):
        super().setUp()
        self.twin("small", SCHEMA)

    def command(self, *words, **more):
        """The same answer or error from both."""

        def run(server):
            try:
                return "OK " + server.appctl(*words)
            except CommandFailed as error:
                return "ERROR " + str(error)

        return self.same(run, **more)

    def test_list_commands(self):
        """Ours may have commands that stock has not; never the other way round."""
        lists = [server.appctl("list-commands").split("\n") for server in self.twins]
        self.assertEqual(set(lists[1]) - set(lists[0]), set())
        self.assertEqual(lists[0], lists[0][:1] + sorted(lists[0][1:-1]) + [""])

    def test_ovs_appctl(self):
        """The stock program, with a status and what it prints on either stream."""
        for words in (["version"], ["list-commands"], ["nonsense"], ["ovsdb-server/add-db"],
                      ["ovsdb-server/list-dbs"], ["exit", "too", "many"]):
            with self.subTest(words=words):
                def run(server, words=words):
                    done = self.run_command(
                        binaries.reference("ovs-appctl"), "-t", server.control, *words, check=False)
                    return f"{done.returncode}\n{done.stderr}\n{done.stdout if words != ['list-commands'] else ''}"
                self.same(run)

    def test_version(self):
        self.assertRegex(self.command("version"), r"^OK ovsdb-server \(Open vSwitch\) \d+\.\d+\.\d+$")

    def test_wrong_commands(self):
        for words in (["nonsense"], [""], ["exit", "x"], ["version", "x"], ["ovsdb-server/add-db"],
                      ["ovsdb-server/add-db", "a", "b"], ["ovsdb-server/add-remote"], ["vlog/list", "x"],
                      ["ovsdb-server/remove-remote"], ["coverage/read-counter"], ["memory/show", "x"],
                      ["ovsdb-server/get-db-storage-status"], ["ovsdb-server/tlog-set", "x"],
                      ["ovsdb-server/list-dbs", "x"], ["ovsdb-server/reconnect", "x"]):
            with self.subTest(words=words):
                self.command(*words)

    def test_argument_counts(self):
        """Every command of stock refuses as many wrong words as stock does, in its words."""
        commands = [line.split()[0] for line in self.twins[1].appctl("list-commands").split("\n")[1:-1]]
        for command in sorted(set(commands) - {"exit", "ovsdb-server/reconnect"}):
            # Stock dies of this command without a word.
            first = 1 if command == "ovsdb-server/set-sync-exclude-tables" else 0
            for count in range(first, 5):
                words = [command, *["word"] * count]
                with self.subTest(words=words):
                    self.command_or_nothing(words)

    def command_or_nothing(self, words):
        def run(server):
            try:
                server.appctl(*words)
                return "accepted"
            except CommandFailed as error:
                return str(error)

        self.same(run)

    def test_databases(self):
        self.command("ovsdb-server/list-dbs")
        for name in ("Small", "_Server", "Nowhere"):
            self.command("ovsdb-server/get-db-storage-status", name)
            self.command("ovsdb-server/compact", name)
        self.command("ovsdb-server/compact")
        self.command("ovsdb-server/remove-db", "Nowhere")
        self.command("ovsdb-server/remove-db", "_Server")
        self.command("ovsdb-server/add-db", "/nowhere/at-all.db")
        self.command("ovsdb-server/add-db", self.write("garbage.db", "This is not a database.\n"))
        self.command("ovsdb-server/add-db", self.write("empty.db", ""))

        def again(server):
            try:
                return server.appctl("ovsdb-server/add-db", server.databases[0])
            except CommandFailed as error:
                return str(error)

        self.same(again)
        self.command("ovsdb-server/remove-db", "Small")
        self.command("ovsdb-server/list-dbs")
        self.same(again)
        self.command("ovsdb-server/list-dbs")

    def test_remotes(self):
        self.same(lambda server: server.appctl("ovsdb-server/list-remotes").replace(server.socket, "SOCKET"))
        for remote in ("punix:extra.sock", "ptcp:0:127.0.0.1", "tcp:127.0.0.1:1", "db:Small,U,remotes"):
            self.command("ovsdb-server/add-remote", remote)
        self.command("ovsdb-server/add-remote", "ptcp:0:127.0.0.1")
        for remote in ("nonsense", "db:Small,U", "db:Nowhere,U,remotes", "db:Small,V,remotes",
                       "db:Small,U,nothing", "db:Small,T,x", "ptcp:99999", ""):
            with self.subTest(remote=remote):
                self.command("ovsdb-server/add-remote", remote)
        self.same(lambda server: server.appctl("ovsdb-server/list-remotes").replace(server.socket, "SOCKET"))
        self.command("ovsdb-server/remove-remote", "ptcp:0:127.0.0.1")
        self.command("ovsdb-server/remove-remote", "ptcp:0:127.0.0.1")

    def test_replication_commands(self):
        self.command("ovsdb-server/sync-status")
        self.command("ovsdb-server/get-active-ovsdb-server")
        self.command("ovsdb-server/get-sync-exclude-tables")
        self.command("ovsdb-server/connect-active-ovsdb-server")
        for tables in ("Small:T", "Small:T,Small:U", "nonsense", "Small:Nothing", "Nowhere:T", ""):
            self.command("ovsdb-server/set-sync-exclude-tables", tables)
            self.command("ovsdb-server/get-sync-exclude-tables")
        self.command("ovsdb-server/set-sync-exclude-tables", "Small:T")
        self.command("ovsdb-server/set-active-ovsdb-server", "unix:nowhere.sock")
        self.command("ovsdb-server/get-active-ovsdb-server")
        for probe in ("1000", "0", "x", "-1"):
            self.command("ovsdb-server/set-active-ovsdb-server-probe-interval", probe)
            self.command("ovsdb-server/set-relay-source-probe-interval", probe)
        self.command("ovsdb-server/connect-active-ovsdb-server")
        self.same(lambda server: re.sub(
            "(?s)state: .*", "state", server.appctl("ovsdb-server/sync-status")))
        self.command("ovsdb-server/disconnect-active-ovsdb-server")
        self.command("ovsdb-server/sync-status")

    def test_switches(self):
        for words in (["ovsdb-server/memory-trim-on-compaction", "on"],
                      ["ovsdb-server/memory-trim-on-compaction", "off"],
                      ["ovsdb-server/memory-trim-on-compaction", "maybe"],
                      ["ovsdb-server/perf-counters-clear"], ["ovsdb-server/reload"],
                      ["ovsdb/file/column-diff-enable"], ["ovsdb/file/no-data-conversion-enable"],
                      ["ovsdb-server/tlog-set", "Small:T", "on"], ["ovsdb-server/tlog-list"],
                      ["ovsdb-server/tlog-set", "Small:T", "off"], ["ovsdb-server/tlog-set", "Small", "on"],
                      ["ovsdb-server/tlog-set", "Small:X", "on"], ["ovsdb-server/tlog-set", "Nowhere:T", "on"],
                      ["ovsdb-server/tlog-set", ":", "on"], ["ovsdb-server/tlog-set", "Small:", "on"],
                      ["ovsdb-server/tlog-set", ":T", "on"], ["ovsdb-server/tlog-set", "Small:T:x", "on"],
                      ["ovsdb-server/tlog-set", "Small:T,Small:U", "on"], ["ovsdb-server/tlog-set", "", "on"],
                      ["ovsdb-server/tlog-set", "Small:T", "maybe"], ["ovsdb-server/tlog-list"]):
            with self.subTest(words=words):
                self.command(*words)

    def test_logged_rows(self):
        """What tlog-set has logged: each row that a transaction changed, with all its columns."""
        transactions = (
            [{"op": "insert", "table": "T", "row": {"x": 5}}, {"op": "insert", "table": "U", "row": {"remotes": "a"}}],
            [{"op": "update", "table": "U", "where": [], "row": {"remotes": ["set", ["a b", "c"]]}}],
            [{"op": "mutate", "table": "T", "where": [], "mutations": [["x", "+=", 1]]}, {"op": "abort"}],
            [{"op": "delete", "table": "T", "where": []}, {"op": "delete", "table": "U", "where": []}],
        )
        logs = []
        for server in self.twins:
            server.appctl("ovsdb-server/tlog-set", "Small:U", "on")
            server.appctl("ovsdb-server/tlog-set", "Small:T", "on")
            with server.connect() as client:
                for operations in transactions:
                    client.transact("Small", *operations)
                server.appctl("ovsdb-server/tlog-set", "Small:T", "off")
                client.transact("Small", *transactions[0])
            with open(server.log_path, encoding="utf-8") as log:
                rows = re.findall(r"\|transaction\|INFO\|(.*)", re.sub(r"[0-9a-f-]{36}", "UUID", log.read()))
            logs.append("\n".join(sorted(" ".join(sorted(row.split(","))) for row in rows)))
        self.assertEqual(logs[0].count("\n"), 5)
        self.assert_same(*logs)

    def test_logging(self):
        for words in (["vlog/list-pattern"], ["vlog/set", "jsonrpc:file:dbg"], ["vlog/set", "nomodule:dbg"],
                      ["vlog/set", "jsonrpc:nowhere:dbg"], ["vlog/set", "jsonrpc:file:loud"],
                      ["vlog/set", "PATTERN:file:%m"], ["vlog/list-pattern"], ["vlog/set", "PATTERN:nowhere:%m"],
                      ["vlog/set", "PATTERN:file:%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"],
                      ["vlog/set", "FACILITY:daemon"], ["vlog/set", "FACILITY:nonsense"], ["vlog/set", "off"],
                      ["vlog/set", "file:info"], ["vlog/set"], ["vlog/set", "a", "b"],
                      ["vlog/disable-rate-limit"], ["vlog/disable-rate-limit", "jsonrpc"],
                      ["vlog/disable-rate-limit", "nomodule"], ["vlog/enable-rate-limit"],
                      ["vlog/enable-rate-limit", "any"], ["vlog/disable-rate-limit", "ANY"],
                      ["vlog/enable-rate-limit", ""], ["vlog/disable-rate-limit", ""],
                      ["vlog/reopen"], ["vlog/close"], ["vlog/reopen"]):
            with self.subTest(words=words):
                self.command(*words)

    def test_log_levels(self):
        """vlog/list's shape; ours may have modules that stock has not, never the other way round."""
        modules = []
        for server in self.twins:
            server.appctl("vlog/set", "jsonrpc:file:dbg")
            lines = server.appctl("vlog/list").split("\n")
            self.assertEqual(lines[0], "                 console    syslog    file")
            self.assertEqual(lines[1], "                 -------    ------    ------")
            levels = {line.split()[0]: line.split()[1:] for line in lines[2:-1]}
            modules.append(levels)
            self.assertEqual(levels["jsonrpc"], ["OFF", "INFO", "DBG"])
        self.assertLessEqual(set(modules[1]), set(modules[0]))

    def test_log_is_reopened(self):
        """As logrotate does it: rename, then vlog/reopen."""
        server = self.twins[0]
        os.rename(server.log_path, server.log_path + ".1")
        server.appctl("vlog/reopen")
        with open(server.log_path, encoding="utf-8") as log:
            self.assertIn("opened log file", log.read())

    def test_debug_log_shows_messages(self):
        """Tests and people read what came and went on a session."""
        server = self.twins[0]
        server.appctl("vlog/set", "jsonrpc:file:dbg")
        with server.connect() as client:
            client.call("echo", ["marker"])

        def logged():
            with open(server.log_path, encoding="utf-8") as log:
                return re.search(r'received request, method="echo".*marker', log.read())

        wait_until(logged, "the request is in the log")

    def test_debug_log_calls_sent_errors_replies(self):
        def sent(server):
            server.appctl("vlog/set", "jsonrpc:file:dbg")
            with server.connect() as client:
                client.call("nonsense", [])

            def logged():
                with open(server.log_path, encoding="utf-8") as log:
                    return re.search(r"send \w+, error=.*unknown method.*", log.read())

            return wait_until(logged, "the reply is in the log").group()

        self.same(sent)

    def test_json_format(self):
        """set-options --format json wraps answers, for that connection."""
        for words in (["version"], ["ovsdb-server/list-dbs"], ["vlog/list-pattern"], ["nonsense"]):
            def run(server, words=words):
                with jsonrpc.Connection("unix:" + server.control) as connection:
                    before = connection.call("set-options", ["--format", "json"])
                    reply = connection.call(words[0], words[1:])
                    connection.call("set-options", ["--format", "text"])
                    text = connection.call(words[0], words[1:])
                return json.dumps([before, reply, text], indent=1, sort_keys=True)
            with self.subTest(words=words):
                self.same(run)
        for words in (["--format"], ["--format", "xml"], ["nonsense"], [], ["-1"], ["-xyz"], ["--xyz"], ["-"]):
            with self.subTest(words=words):
                self.command("set-options", *words)

    def test_odd_requests(self):
        """Parameters that are no strings."""
        for method, params in (("version", [1]), ("version", {}), ("list-commands", [None]), ("exit", ["a"] * 50)):
            def run(server, method=method, params=params):
                with jsonrpc.Connection("unix:" + server.control) as connection:
                    connection.request(method, params)
                    try:
                        return json.dumps(connection.receive(10), sort_keys=True)
                    except jsonrpc.Closed:
                        return "closed"
            with self.subTest(method=method, params=params):
                self.same(run)

    def test_conditional_monitors_can_be_forbidden(self):
        for server in self.twins:
            server.appctl("ovsdb-server/disable-monitor-cond")
        requests = {"T": [{"columns": ["x"]}]}
        for method, params in (("monitor", ["Small", "m", requests]), ("monitor_cond", ["Small", "m", requests]),
                               ("monitor_cond_since", ["Small", "m", requests, "00000000-0000-0000-0000-000000000000"]),
                               ("monitor_cond_change", ["Small", "n", "n", requests])):
            def run(server, method=method, params=params):
                with server.connect() as client:
                    return json.dumps(client.call(method, params)["error"], sort_keys=True)
            with self.subTest(method=method):
                self.same(run)

    def test_memory(self):
        """memory/show counts the same things."""
        self.transact_both("Small", *[{"op": "insert", "table": "T", "row": {"x": i}} for i in range(100)])
        clients = [server.connect() for server in self.twins]
        for client in clients:
            client.call("monitor", ["Small", "m", {"T": {}}])
            client.call("monitor_cond", ["Small", "n", {"U": {}}])
            for number, columns in enumerate((["x"], ["x"], [])):
                client.call("monitor", ["Small", f"plain{number}", {"T": {"columns": columns}}])
            for number in range(3):  # One and the same to memory/show, whatever the condition.
                requests = {"T": [{"columns": ["x"], "where": [["x", "==", number]]}]}
                client.call("monitor_cond", ["Small", f"cond{number}", requests])
                client.call("monitor_cond_since", ["Small", f"since{number}", requests, ZERO])
            client.call("monitor", ["Small", "quiet", {"T": {"columns": ["x"], "select": {"initial": False}}}])
        shown = [
            dict(word.split(":") for word in server.appctl("memory/show").split())
            for server in self.twins
        ]
        # Texts that are kept after they were sent are an implementation's own.
        self.assertEqual({k for k, v in shown[1].items() if v != "0"} - set(shown[0]), {"json-caches"})
        for key in ("atoms", "cells", "monitors", "n-weak-refs", "sessions"):
            self.assertEqual(shown[0][key], shown[1][key], key)
        for server in self.twins:
            text = server.appctl("memory/show")
            self.assertEqual(text, " ".join(sorted(text.split())))
        for client in clients:
            client.close()

    def test_coverage(self):
        for server in self.twins:
            text = server.appctl("coverage/show")
            self.assertRegex(text, r"^Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=\w{8}:\n")
            self.assertRegex(text, r"\n\d+ events never hit\n?$")
            self.assertGreater(int(server.appctl("coverage/read-counter", "pstream_open")), 0)
        self.command("coverage/read-counter", "nothing_at_all")

    def test_reconnect_drops_sessions(self):
        for server in self.twins:
            with server.connect() as client:
                client.call("echo", [])
                server.appctl("ovsdb-server/reconnect")
                client.wait_closed()

    def test_exit(self):
        for server in self.twins:
            self.assertEqual(server.appctl("exit"), "")
            self.assertEqual(server.process.wait(20), 0)
            self.assertFalse(os.path.exists(server.control))
            self.assertFalse(os.path.exists(server.socket))


if __name__ == "__main__":
    unittest.main()
