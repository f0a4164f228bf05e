"""Backup and relay servers, with ours and the reference's on either side."""

import json
import unittest

from harness import binaries, jsonrpc
from harness.case import SystemTest
from harness.waiting import wait_until

SCHEMA = {
    "name": "Repl",
    "version": "1.0.0",
    "tables": {
        "A": {"columns": {"n": {"type": "integer"}, "b": {"type": {"key": {"type": "uuid", "refTable": "B"}, "min": 0, "max": 5}}},
              "isRoot": True},
        "B": {"columns": {"text": {"type": "string"}}},
        "Secret": {"columns": {"text": {"type": "string"}}, "isRoot": True},
    },
}
CHANGES = [
    [{"op": "insert", "table": "B", "uuid-name": "b", "row": {"text": "one"}},
     {"op": "insert", "table": "A", "row": {"n": 1, "b": ["named-uuid", "b"]}},
     {"op": "insert", "table": "Secret", "row": {"text": "s"}}],
    [{"op": "update", "table": "A", "where": [], "row": {"n": 2}}],
    [{"op": "insert", "table": "A", "row": {"n": 3}}],
    [{"op": "update", "table": "A", "where": [["n", "==", 2]], "row": {"b": ["set", []]}}],
]


def rows(server, *tables):
    """Rows with their UUIDs, which replication keeps; None while the database is not there."""
    tables = tables or tuple(SCHEMA["tables"])
    selects = [{"op": "select", "table": table, "where": []} for table in tables]
    try:
        with server.connect() as client:
            results = client.transact("Repl", *selects)
    except (RuntimeError, jsonrpc.Closed):
        return None
    found = []
    for result in results:
        for row in result["rows"]:
            row.pop("_version")
        found.append(sorted(result["rows"], key=json.dumps))
    return found


def pairs():
    ours = binaries.ours("ovsdb-server")
    found = [("ours of ours", ours, ours)]
    if binaries.have_reference():
        stock = binaries.reference("ovsdb-server")
        found += [("ours of stock", stock, ours), ("stock of ours", ours, stock)]
    return found


class ReplicationTestBase(SystemTest):
    def setUp(self):
        super().setUp()
        self.turn = 0

    def fresh(self, kind, program, arguments=(), with_database=True):
        self.turn += 1
        name = f"{kind}{self.turn}"
        databases = [self.database(name, SCHEMA)] if with_database else []
        return self.server(name, databases, list(arguments), program)

    def change(self, server, changes=CHANGES):
        with server.connect() as client:
            for operations in changes:
                for result in client.transact("Repl", *operations):
                    self.assertNotIn("error", result)

    def follows(self, follower, source, *tables):
        def equal():
            there = rows(follower, *tables)
            return there is not None and there == rows(source, *tables)

        wait_until(equal, f"{follower.name} equals {source.name}")


class BackupTest(ReplicationTestBase):
    def test_backup_follows(self):
        for what, active_program, backup_program in pairs():
            with self.subTest(what):
                active = self.fresh("active", active_program)
                self.change(active, CHANGES[:1])
                backup = self.fresh("backup", backup_program, ["--sync-from=" + active.remote])
                self.follows(backup, active)
                self.change(active, CHANGES[1:])
                self.follows(backup, active)
                self.assertIn("state: backup", backup.appctl("ovsdb-server/sync-status"))
                self.assertIn(f"replicating: {active.remote}", backup.appctl("ovsdb-server/sync-status"))
                with backup.connect() as client:
                    refused = client.transact("Repl", {"op": "insert", "table": "A", "row": {"n": 9}})
                    self.assertEqual(refused[-1]["error"], "not allowed")

    def test_takeover_and_return(self):
        for what, active_program, backup_program in pairs():
            with self.subTest(what):
                active = self.fresh("active", active_program)
                self.change(active)
                backup = self.fresh("backup", backup_program, ["--sync-from=" + active.remote])
                self.follows(backup, active)
                backup.appctl("ovsdb-server/disconnect-active-ovsdb-server")
                self.change(backup, [[{"op": "insert", "table": "A", "row": {"n": 77}}]])
                self.assertIn("state: active", backup.appctl("ovsdb-server/sync-status"))
                self.assertEqual(len(rows(active, "A")[0]), 2)
                backup.appctl("ovsdb-server/connect-active-ovsdb-server")
                self.follows(backup, active)

    def test_started_active(self):
        active = self.fresh("active", binaries.ours("ovsdb-server"))
        self.change(active)
        backup = self.fresh("backup", binaries.ours("ovsdb-server"), ["--sync-from=" + active.remote, "--active"])
        self.assertEqual(rows(backup), [[], [], []])
        self.assertIn("state: active", backup.appctl("ovsdb-server/sync-status"))
        backup.appctl("ovsdb-server/connect-active-ovsdb-server")
        self.follows(backup, active)

    def test_excluded_tables(self):
        for what, active_program, backup_program in pairs():
            with self.subTest(what):
                active = self.fresh("active", active_program)
                self.change(active, CHANGES[:1])
                backup = self.fresh("backup", backup_program, [
                    "--sync-from=" + active.remote, "--sync-exclude-tables=Repl:Secret"])
                self.follows(backup, active, "A", "B")
                self.change(active, CHANGES[1:])
                self.follows(backup, active, "A", "B")
                self.assertEqual(rows(backup, "Secret"), [[]])
                self.assertEqual(backup.appctl("ovsdb-server/get-sync-exclude-tables"), "Repl:Secret")

    def test_what_was_replicated_is_kept(self):
        active = self.fresh("active", binaries.ours("ovsdb-server"))
        self.change(active)
        backup = self.fresh("backup", binaries.ours("ovsdb-server"), ["--sync-from=" + active.remote])
        self.follows(backup, active)
        before = rows(active)
        active.stop()
        backup.stop()
        backup.start()
        self.assertEqual(rows(backup), before)
        active.start()
        self.change(active, [[{"op": "insert", "table": "A", "row": {"n": 5}}]])
        self.follows(backup, active)

    def test_clients_of_a_backup_are_told_of_changes(self):
        active = self.fresh("active", binaries.ours("ovsdb-server"))
        backup = self.fresh("backup", binaries.ours("ovsdb-server"), ["--sync-from=" + active.remote])
        self.follows(backup, active)
        with backup.connect() as client:
            client.call("set_db_change_aware", [True])
            client.call("monitor_cond", ["Repl", "m", {"A": {}}])
            self.change(active, [[{"op": "insert", "table": "A", "row": {"n": 5}}]])
            update = client.wait_for(lambda m: m.get("method") == "update2")[0]
            self.assertEqual(list(update["params"][1]["A"].values()), [{"insert": {"n": 5}}])


class RelayTest(ReplicationTestBase):
    def relay(self, program, *sources):
        relay = self.fresh("relay", program, with_database=False, arguments=[])
        relay.stop()
        relay.arguments = ["--remote=punix:" + relay.socket, f"relay:Repl:{','.join(s.remote for s in sources)}"]
        return relay.start()

    def test_relay_follows_and_forwards(self):
        for what, source_program, relay_program in pairs():
            with self.subTest(what):
                source = self.fresh("source", source_program)
                self.change(source, CHANGES[:1])
                relay = self.relay(relay_program, source)
                self.follows(relay, source)
                self.change(source, CHANGES[1:2])
                self.follows(relay, source)
                self.change(relay, CHANGES[2:])
                self.follows(relay, source)
                with relay.connect() as client:
                    bad = client.transact("Repl", {"op": "insert", "table": "A", "row": {"n": "x"}})
                    self.assertIn("error", bad[0])

    def test_a_writer_sees_its_own_write(self):
        """Updates of a forwarded transaction reach the relay's client before the reply."""
        source = self.fresh("source", binaries.ours("ovsdb-server"))
        relay = self.relay(binaries.ours("ovsdb-server"), source)
        self.follows(relay, source)
        with relay.connect() as client:
            client.call("monitor_cond_since", ["Repl", "m", {"A": {}}, "00000000-0000-0000-0000-000000000000"])
            request = client.request("transact", ["Repl", {"op": "insert", "table": "A", "row": {"n": 4}}])
            reply, before = client.wait_for(lambda m: m.get("id") == request)
            self.assertIn("uuid", reply["result"][0])
            self.assertEqual([m["method"] for m in before], ["update3"])

    def test_history_across_reconnects(self):
        """A relay keeps history: a client that returns gets the difference alone."""
        for what, source_program, relay_program in pairs():
            with self.subTest(what):
                source = self.fresh("source", source_program)
                relay = self.relay(relay_program, source)
                self.follows(relay, source)
                zero = "00000000-0000-0000-0000-000000000000"
                with relay.connect() as client:
                    found, first, _ = client.call("monitor_cond_since", ["Repl", "m", {"A": {}}, zero])["result"]
                self.assertFalse(found)
                self.change(source, [[{"op": "insert", "table": "A", "row": {"n": n}}] for n in range(3)])
                self.follows(relay, source)
                with relay.connect() as client:
                    reply = client.call("monitor_cond_since", ["Repl", "m", {"A": {}}, first])["result"]
                self.assertEqual((first == zero, reply[0]), self.expected_of_history(first, zero))

    @staticmethod
    def expected_of_history(first, zero):
        """A standalone source has no transaction ids to give; then there is nothing to find."""
        return (True, False) if first == zero else (False, True)

    def test_connection_lost_and_found(self):
        for what, source_program, relay_program in pairs():
            with self.subTest(what):
                source = self.fresh("source", source_program)
                self.change(source)
                relay = self.relay(relay_program, source)
                self.follows(relay, source)
                before = rows(source)
                source.stop()
                wait_until(lambda r=relay: self.server_row(r)["connected"] is False, "the relay is disconnected")
                self.assertEqual(rows(relay), before)
                source.start()
                wait_until(lambda r=relay: self.server_row(r)["connected"] is True, "the relay is connected")
                self.change(source, [[{"op": "insert", "table": "A", "row": {"n": 8}}]])
                self.follows(relay, source)

    @staticmethod
    def server_row(server):
        with server.connect() as client:
            select = {"op": "select", "table": "Database", "where": [["name", "==", "Repl"]]}
            found = client.transact("_Server", select)[0]["rows"]
        return found[0] if found else {"connected": None}

    def test_server_row(self):
        shown = []
        for what, source_program, relay_program in pairs():
            source = self.fresh("source", source_program)
            relay = self.relay(relay_program, source)
            self.follows(relay, source)
            row = self.server_row(relay)
            shown.append({key: row[key] for key in ("model", "connected", "leader", "cid", "sid", "index")})
        self.assertEqual(shown, [shown[0]] * len(shown))
        self.assertEqual(shown[0]["model"], "relay")

    def test_conversion_of_the_source(self):
        for what, source_program, relay_program in pairs():
            with self.subTest(what):
                source = self.fresh("source", source_program)
                self.change(source)
                relay = self.relay(relay_program, source)
                self.follows(relay, source)
                wider = json.loads(json.dumps(SCHEMA))
                wider["tables"]["A"]["columns"]["new"] = {"type": "string"}
                with source.connect() as client:
                    self.assertIsNone(client.call("convert", ["Repl", wider])["error"])

                def converted(r=relay):
                    try:
                        with r.connect() as client:
                            schema = client.call("get_schema", ["Repl"])["result"]
                        return "new" in schema["tables"]["A"]["columns"]
                    except (jsonrpc.Closed, TypeError):
                        return False

                wait_until(converted, "the relay has the new schema")
                self.follows(relay, source)

    def test_two_sources(self):
        """The relay goes to the other source when its own ends."""
        source = self.fresh("source", binaries.ours("ovsdb-server"))
        other = self.fresh("source", binaries.ours("ovsdb-server"))
        for server in (source, other):
            self.change(server, [[{"op": "insert", "table": "A", "row": {"n": 1}}]])
        relay = self.relay(binaries.ours("ovsdb-server"), source, other)
        wait_until(lambda: rows(relay) in (rows(source), rows(other)), "the relay follows one")
        gone, left = (source, other) if rows(relay) == rows(source) else (other, source)
        gone.stop()
        self.follows(relay, left)


if __name__ == "__main__":
    unittest.main()
