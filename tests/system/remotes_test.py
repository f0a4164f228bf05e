"""Remotes: in the database, in the configuration file, read-only, with roles, with probes."""

import json
import os
import re
import socket
import unittest

from harness import binaries, jsonrpc
from harness.case import SystemTest
from harness.daemon import CommandFailed
from harness.pki import Authority, client_context
from harness.twins import TwinTest
from harness.waiting import wait_until

SET_OF_STRINGS = {"key": "string", "min": 0, "max": "unlimited"}
STRING_MAP = {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
OPTIONAL_INTEGER = {"key": {"type": "integer"}, "min": 0, "max": 1}


def references(table, **more):
    return {"key": {"type": "uuid", "refTable": table}, "min": 0, "max": "unlimited", **more}


SCHEMA = {
    "name": "Hub",
    "version": "1.0.0",
    "tables": {
        "Root": {"columns": {"targets": {"type": SET_OF_STRINGS}, "connections": {"type": references("Connection")}},
                 "isRoot": True, "maxRows": 1},
        "Connection": {
            "columns": {
                "target": {"type": "string"},
                "max_backoff": {"type": OPTIONAL_INTEGER},
                "inactivity_probe": {"type": OPTIONAL_INTEGER},
                "read_only": {"type": "boolean"},
                "role": {"type": "string"},
                "other_config": {"type": STRING_MAP},
                "external_ids": {"type": STRING_MAP},
                "is_connected": {"type": "boolean", "ephemeral": True},
                "status": {"type": STRING_MAP, "ephemeral": True},
            },
            "indexes": [["target"]],
        },
        "T": {"columns": {"name": {"type": "string"}, "x": {"type": "integer"}, "y": {"type": "integer"},
                          "owner": {"type": STRING_MAP}}, "isRoot": True},
        "RBAC_Role": {"columns": {"name": {"type": "string"}, "permissions": {"type": {
            "key": "string", "value": {"type": "uuid", "refTable": "RBAC_Permission"},
            "min": 0, "max": "unlimited"}}}, "isRoot": True},
        "RBAC_Permission": {"columns": {
            "table": {"type": "string"}, "authorization": {"type": SET_OF_STRINGS},
            "insert_delete": {"type": "boolean"}, "update": {"type": SET_OF_STRINGS}}, "isRoot": True},
    },
}


def connections(*rows):
    """Operations that make `rows` the only connections of the database."""
    names = [f"c{i}" for i in range(len(rows))]
    return [
        {"op": "delete", "table": "Root", "where": []},
        *({"op": "insert", "table": "Connection", "uuid-name": name, "row": row}
          for name, row in zip(names, rows)),
        {"op": "insert", "table": "Root", "row": {
            "connections": ["set", [["named-uuid", name] for name in names]]}},
    ]


def statuses(client):
    """target -> (is_connected, status) as the database tells."""
    rows = client.transact("Hub", {"op": "select", "table": "Connection", "where": []})[0]["rows"]
    return {row["target"]: (row["is_connected"], dict(row["status"][1])) for row in rows}


class RemotesTest(SystemTest):
    def hub(self, *arguments, path=None, name="ours"):
        return self.server(name, [self.database(name + "-hub", SCHEMA)], arguments, path)

    def answers(self, remote, tls=None):
        try:
            with jsonrpc.Connection(remote, tls) as connection:
                return connection.call("echo", ["x"], 5).get("result") == ["x"]
        except (OSError, jsonrpc.Closed, jsonrpc.Timeout):
            return False

    def test_strings_in_the_database(self):
        hub = self.hub("--remote=db:Hub,Root,targets")
        first, second = self.path("first.sock"), self.path("second.sock")
        with hub.connect() as client:
            client.transact("Hub", {"op": "insert", "table": "Root", "row": {"targets": "punix:" + first}})
            wait_until(lambda: self.answers("unix:" + first), "the first remote is served")
            client.transact("Hub", {"op": "update", "table": "Root", "where": [], "row": {
                "targets": ["set", ["punix:" + second, "ptcp:0:127.0.0.1"]]}})
            wait_until(lambda: self.answers("unix:" + second), "the second remote is served")
            wait_until(lambda: self.answers(f"tcp:127.0.0.1:{hub.bound_port()}"), "the TCP remote too")
            wait_until(lambda: not os.path.exists(first), "the first is gone")
            client.transact("Hub", {"op": "delete", "table": "Root", "where": []})
            wait_until(lambda: not os.path.exists(second), "all are gone")

    def test_rows_in_the_database(self):
        hub = self.hub("--remote=db:Hub,Root,connections")
        listening = "punix:" + self.path("rows.sock")
        with hub.connect() as client, socket.create_server(("127.0.0.1", 0)) as manager:
            active = f"tcp:127.0.0.1:{manager.getsockname()[1]}"
            dead = "tcp:127.0.0.1:1"
            client.transact("Hub", *connections(
                {"target": listening}, {"target": active, "inactivity_probe": 0, "max_backoff": 1000},
                {"target": dead, "max_backoff": 1000}, {"target": "ptcp:0:127.0.0.1"}))
            wait_until(lambda: self.answers("unix:" + self.path("rows.sock")), "the remote is served")
            manager.settimeout(20)
            session, _ = manager.accept()
            with session:
                session.sendall(b'{"id":1,"method":"lock","params":["mine"]}')
                clients = [jsonrpc.Connection("unix:" + self.path("rows.sock")) for _ in range(3)]
                wait_until(lambda: statuses(client)[active][0], "the manager is connected")
                status = wait_until(
                    lambda: statuses(client)[active][1].get("locks_held") and statuses(client)[active][1],
                    "the status tells of the lock")
                self.assertEqual((status["state"], status["locks_held"]), ("ACTIVE", "mine"))
                self.assertTrue(status["sec_since_connect"].isdigit())
                wait_until(lambda: statuses(client)[listening][1].get("n_connections") == "3", "connections are counted")
                self.assertTrue(statuses(client)[listening][0])
                port = wait_until(lambda: statuses(client)["ptcp:0:127.0.0.1"][1].get("bound_port"), "the port is told")
                self.assertTrue(self.answers(f"tcp:127.0.0.1:{port}"))
                wait_until(lambda: statuses(client)[dead][1].get("state") == "BACKOFF", "the failure is told")
                self.assertFalse(statuses(client)[dead][0])
                for connection in clients:
                    connection.close()
                manager.close()
            wait_until(lambda: not statuses(client)[active][0], "the manager's end is noticed")

    def test_targets_must_be_one_string(self):
        schema = json.loads(json.dumps(SCHEMA))
        schema["tables"]["Connection"]["columns"]["target"]["type"] = {"key": "string", "min": 0, "max": "unlimited"}
        database = self.database("odd", schema)
        hub = self.server("odd", [database], ["--remote=db:Hub,Root,connections"])
        with hub.connect() as client:
            client.transact("Hub", *connections({"target": "punix:" + self.path("target.sock")}))

        def told():
            with open(hub.log_path, encoding="utf-8") as log:
                return "Table `Connection' has missing or invalid `target' column" in log.read()

        wait_until(told, "the log says why")
        self.assertFalse(os.path.exists(self.path("target.sock")))

    def rights(self, remote):
        """What a client may do there: "all", "no writes" or "those of a role"."""
        try:
            with jsonrpc.Connection(remote) as client:
                [inserted, *_] = client.transact("Hub", {"op": "insert", "table": "T", "row": {}}, {"op": "abort"})
        except (OSError, jsonrpc.Closed):
            return "nothing"
        return {"not allowed": "no writes", "permission error": "those of a role"}.get(inserted.get("error"), "all")

    @binaries.needs_reference
    def test_rows_restrict_what_is_configured_too(self):
        """A target that is given on the command line, too, whichever of the two comes first in whatever order."""
        for name, path in TwinTest.programs():
            for number in range(3):
                shared = self.path(f"{name}{number}.shared")
                for row, rights in (({"role": "worker"}, "those of a role"), ({"read_only": True}, "no writes"), ({}, "all")):
                    with self.subTest(name, number=number, row=row):
                        hub = self.hub("--remote=punix:" + shared, "--remote=db:Hub,Root,connections", path=path,
                                       name=f"{name}{number}")
                        with hub.connect() as client:
                            client.transact("Hub", *connections({"target": "punix:" + shared, **row}))
                        wait_until(lambda r=rights, s=shared: self.rights("unix:" + s) == r, "the row counts")
                        hub.stop()
                        hub.start()
                        wait_until(lambda r=rights, s=shared: self.rights("unix:" + s) == r, "the row counts again")
                        hub.stop()
                        os.unlink(self.path(f"{name}{number}-hub.db"))

    def test_rows_override_what_is_configured(self):
        """The columns that say something; the rest stays as configured, but for dscp as in stock."""
        target = "punix:" + self.path("shared.sock")
        strict = {"role": "worker", "read-only": True, "inactivity-probe": 1000}
        hub_file = self.database("hub", SCHEMA)
        own = "punix:" + self.path("own.sock")
        config = self.write("config.json", {"databases": {hub_file: {}}, "remotes": {
            target: strict, own: {}, "db:Hub,Root,connections": {}, "db:Hub,Root,targets": {}}})
        hub = self.server("hub", start=False)
        hub.arguments = ["--config-file=" + config]
        hub.start()
        remote = "unix:" + target[6:]
        with jsonrpc.Connection("unix:" + own[6:]) as client:
            self.assertEqual(self.rights(remote), "those of a role")
            client.transact("Hub", *connections({"target": target}))
            wait_until(lambda: self.rights(remote) == "all", "the row takes the role and the restriction away")
            with jsonrpc.Connection(remote) as silent:
                self.assertEqual([message["method"] for message in silent.wait_closed(5)], ["echo"])
            client.transact("Hub", {"op": "update", "table": "Connection", "where": [], "row": {"read_only": True}},
                            {"op": "update", "table": "Root", "where": [], "row": {"targets": target}})
            wait_until(lambda: self.rights(remote) == "no writes", "a mention as a string changes nothing")
            client.transact("Hub", {"op": "delete", "table": "Root", "where": []})
            wait_until(lambda: self.rights(remote) == "those of a role", "the configuration counts again")

    @staticmethod
    def echoes(connection):
        return connection.call("echo", ["x"], 5).get("result") == ["x"]

    def test_marked_packets(self):
        """A `dscp` of its own: clients are served, those connected before a change are not any more."""
        hub = self.hub("--remote=db:Hub,Root,connections")
        with hub.connect() as client:
            client.transact("Hub", *connections({"target": "ptcp:0:127.0.0.1", "other_config": ["map", [["dscp", "10"]]]}))
            remote = f"tcp:127.0.0.1:{hub.bound_port()}"
            with jsonrpc.Connection(remote) as early:
                self.assertTrue(self.echoes(early))
                for other_config in ([["dscp", "0"]], [["dscp", "63"]], []):
                    client.transact("Hub", {"op": "update", "table": "Connection", "where": [], "row": {
                        "other_config": ["map", other_config]}})
                    early.wait_closed(5)
                    early = jsonrpc.Connection(remote)  # The same port.
                    self.assertTrue(self.echoes(early))
                client.transact("Hub", {"op": "update", "table": "Connection", "where": [], "row": {
                    "other_config": ["map", [["dscp", "48"]]]}})  # As by default.
                self.assertTrue(self.echoes(early))
                early.close()

    @binaries.needs_reference
    def test_odd_rows(self):
        """No target at all, one that is empty, a place for the status that is not quite as usual."""
        schema = json.loads(json.dumps(SCHEMA))
        columns = schema["tables"]["Connection"]["columns"]
        columns["is_connected"]["type"] = {"key": "boolean", "min": 0, "max": 1}
        del columns["status"]
        shown = []
        for name, path in TwinTest.programs():
            hub = self.server(name, [self.database(name, schema)], ["--remote=db:Hub,Root,connections"], path)
            both = "punix:" + self.path(name + ".both")
            with hub.connect() as client:
                client.transact("Hub", *connections({"target": ""}, {"target": both, "role": "worker", "read_only": True}))
                told = {"op": "select", "table": "Connection", "where": [], "columns": ["target", "is_connected"]}
                rows = wait_until(lambda c=client, t=told: [
                    r for r in [c.transact("Hub", t)[0]["rows"]] if all(row["is_connected"] is False for row in r)],
                    "the status is told")
                with jsonrpc.Connection("unix:" + both[6:]) as restricted:
                    refused = restricted.call("convert", ["Hub", schema])["error"]

            def logged(path=hub.log_path):
                with open(path, encoding="utf-8") as file:
                    return sorted(set(re.findall(r"\|(reconnect\|.* failed .*)", file.read())))

            lines = wait_until(logged, "the log says why")
            shown.append(json.dumps([sorted(rows[0], key=json.dumps), refused, lines]).replace(name, "NAME"))
        self.assertEqual(shown[0], shown[1])

    @binaries.needs_reference
    def test_other_rows_are_left_alone(self):
        """Rows of the table of remotes that no remote is read from, or that is not any more."""
        schema = json.loads(json.dumps(SCHEMA))
        schema["tables"]["Connection"]["isRoot"] = True
        shown = []
        for name, path in TwinTest.programs():
            hub = self.server(name, [self.database(name + "-hub", schema)], ["--remote=db:Hub,Root,connections"], path)
            used, unused = "punix:" + self.path(name + ".used"), "punix:" + self.path(name + ".unused")
            with hub.connect() as client:
                client.transact("Hub", *connections({"target": used}), {"op": "insert", "table": "Connection", "row": {
                    "target": unused, "is_connected": True, "status": ["map", [["mine", "1"]]]}})
                wait_until(lambda u=used: self.answers("unix:" + u[6:]), "the remote is served")
                with jsonrpc.Connection("unix:" + used[6:]):
                    wait_until(lambda c=client, u=used: statuses(c)[u][0], "its status is told")
                    before = statuses(client)
                    shown.append([self.without_times(before[target]) for target in (used, unused)])
                    client.transact("Hub", {"op": "delete", "table": "Root", "where": []}, *[
                        {"op": "insert", "table": "Connection", "uuid-name": "c", "row": {"target": used + "2"}},
                        {"op": "insert", "table": "Root", "row": {"connections": ["named-uuid", "c"]}}])
                    wait_until(lambda c=client, u=used: statuses(c)[u + "2"][1], "the status of another one is told")
                after = statuses(client)
                self.assertEqual([after[used], after[unused]], [before[used], before[unused]])
        self.assertEqual(shown[0], shown[1])

    def test_listening_on_a_host_that_has_a_name(self):
        hub = self.hub("--remote=ptcp:0:localhost", "--remote=ptcp:0:name.invalid", "--remote=db:Hub,Root,connections")
        self.assertTrue(self.answers(f"tcp:127.0.0.1:{hub.bound_port('0:localhost')}"))
        with hub.connect() as client:
            client.transact("Hub", *connections({"target": "ptcp:0:localhost"}))
            port = wait_until(lambda: statuses(client)["ptcp:0:localhost"][1].get("bound_port"), "the port is told")
            self.assertTrue(self.answers(f"tcp:127.0.0.1:{port}"))

    @binaries.needs_reference
    def test_status_is_as_in_stock(self):
        shown = []
        for name, path in TwinTest.programs():
            hub = self.hub("--remote=db:Hub,Root,connections", path=path, name=name)
            target = "punix:" + self.path(name + "-status.sock")
            with hub.connect() as client:
                client.transact("Hub", *connections({"target": target}, {"target": "tcp:127.0.0.1:1"}))
                wait_until(lambda t=target: self.answers("unix:" + t[6:]), "the remote is served")
                first = jsonrpc.Connection("unix:" + target[6:])
                first.call("lock", ["a"])
                first.call("lock", ["b"])
                second = jsonrpc.Connection("unix:" + target[6:])
                second.call("lock", ["a"])
                wait_until(lambda c=client, t=target: statuses(c)[t][1].get("n_connections") == "2", "both are counted")
                listening, refused = statuses(client)[target], statuses(client)["tcp:127.0.0.1:1"]
                second.close()
                wait_until(lambda c=client, t=target: "n_connections" not in statuses(c)[t][1], "one is left")
                single = statuses(client)[target]
                first.close()
                wait_until(lambda c=client, t=target: not statuses(c)[t][0], "none is left")
                shown.append([self.without_times(s) for s in (listening, refused, single, statuses(client)[target])])
        self.assertEqual(shown[0], shown[1])

    @staticmethod
    def without_times(status):
        connected, more = status
        return connected, {key: "N" if key.startswith("sec_") else value for key, value in more.items()
                           if key not in ("state",)}

    def test_read_only(self):
        hub = self.hub("--remote=db:Hub,Root,connections")
        target = "punix:" + self.path("ro.sock")
        with hub.connect() as client:
            client.transact("Hub", *connections({"target": target, "read_only": True}))
            wait_until(lambda: self.answers("unix:" + target[6:]), "the remote is served")
            with jsonrpc.Connection("unix:" + target[6:]) as reader:
                inserted = reader.transact("Hub", {"op": "insert", "table": "T", "row": {"name": "x"}})
                self.assertEqual(inserted[-1]["error"], "not allowed")
                self.assertEqual(reader.transact("Hub", {"op": "select", "table": "T", "where": []}), [{"rows": []}])
                self.assertIsNotNone(reader.call("convert", ["Hub", SCHEMA])["error"])
                reader.call("monitor", ["Hub", None, {"T": {}}])
                client.transact("Hub", {"op": "insert", "table": "T", "row": {"name": "y"}})
                self.assertEqual(reader.receive()["method"], "update")

    def test_probe_drops_a_silent_client(self):
        hub = self.hub("--remote=db:Hub,Root,connections")
        target = "punix:" + self.path("probed.sock")
        with hub.connect() as client:
            client.transact("Hub", *connections({"target": target, "inactivity_probe": 1000}))
            wait_until(lambda: self.answers("unix:" + target[6:]), "the remote is served")
            with jsonrpc.Connection("unix:" + target[6:]) as silent:
                messages = silent.wait_closed()
                self.assertEqual([message["method"] for message in messages], ["echo"])
            with jsonrpc.Connection("unix:" + target[6:]) as awake:
                for _ in range(3):
                    probe = awake.receive()
                    self.assertEqual(probe, {"id": "echo", "method": "echo", "params": []})
                    awake.send({"id": probe["id"], "result": [], "error": None})
                self.assertEqual(awake.call("echo", [1])["result"], [1])


class ConfigFileTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.hub_file = self.database("hub", SCHEMA)
        self.other_file = self.database("other", {**SCHEMA, "name": "Other"})

    def configured(self, content):
        path = self.write("config.json", content)
        server = self.server("configured", arguments=["--config-file=" + path], start=False)
        server.arguments = ["--config-file=" + path]
        return server.start()

    def remote(self, name):
        return "punix:" + self.path(name)

    def databases(self, name):
        with jsonrpc.Connection("unix:" + self.path(name)) as client:
            return sorted(client.call("list_dbs", [])["result"])

    def test_remotes_and_databases(self):
        server = self.configured({
            "remotes": {self.remote("a.sock"): {}, self.remote("ro.sock"): {"read-only": True, "inactivity-probe": 0}},
            "databases": {self.hub_file: {}},
        })
        self.assertEqual(self.databases("a.sock"), ["Hub", "_Server"])
        with jsonrpc.Connection("unix:" + self.path("ro.sock")) as reader:
            refused = reader.transact("Hub", {"op": "insert", "table": "T", "row": {}})
            self.assertEqual(refused[-1]["error"], "not allowed")
        self.write("config.json", {
            "remotes": {self.remote("b.sock"): None},
            "databases": {self.hub_file: None, self.other_file: {"service-model": "standalone"}},
        })
        server.appctl("ovsdb-server/reload")
        wait_until(lambda: os.path.exists(self.path("b.sock")), "the new remote is served")
        self.assertEqual(self.databases("b.sock"), ["Hub", "Other", "_Server"])
        wait_until(lambda: not os.path.exists(self.path("a.sock")), "the old remote is gone")

    @binaries.needs_reference
    def test_bad_reload_ends_as_in_stock(self):
        """The command's error, and what is served after it."""
        outcomes = []
        for name, path in TwinTest.programs():
            hub = self.database(name + "-hub", SCHEMA)
            good = {"remotes": {self.remote(name + ".a"): {}}, "databases": {hub: {}}}
            config = self.write(name + ".json", good)
            server = self.server(name, path=path, start=False)
            server.arguments = ["--config-file=" + config]
            server.start()
            for content in ("{", "[]", {**good, "databases": {"nowhere.db": {}}},
                            {**good, "databases": {hub: {"service-model": "clustered"}}},
                            {**good, "databases": {hub: {"service-model": "nonsense"}}},
                            {**good, "databases": {hub: {}, "nowhere.db": {}}},
                            {**good, "remotes": {"db:a,b,c": None}}):
                self.write(name + ".json", content)
                try:
                    said = server.appctl("ovsdb-server/reload")
                except CommandFailed as error:
                    said = str(error)
                said += server.appctl("ovsdb-server/list-dbs") + server.appctl("ovsdb-server/list-remotes")
                self.write(name + ".json", good)
                server.appctl("ovsdb-server/reload")
                said += server.appctl("ovsdb-server/list-dbs") + server.appctl("ovsdb-server/list-remotes")
                outcomes.append(said.replace(self.directory + "/" + name, "NAME"))
        half = len(outcomes) // 2
        self.assertEqual(outcomes[:half], outcomes[half:])

    @binaries.needs_reference
    def test_commands_are_refused_as_in_stock(self):
        answers = []
        for name, path in TwinTest.programs():
            config = self.write(name + ".json", {"remotes": {}, "databases": {}})
            server = self.server(name, path=path, start=False)
            server.arguments = ["--config-file=" + config]
            server.start()
            said = []
            for words in (["add-remote", "punix:x"], ["remove-remote", "punix:x"], ["add-db", "x"], ["remove-db", "x"],
                          ["set-active-ovsdb-server", "unix:x"], ["connect-active-ovsdb-server"],
                          ["set-sync-exclude-tables", "a:b"], ["set-active-ovsdb-server-probe-interval", "5"],
                          ["disconnect-active-ovsdb-server"], ["list-remotes"], ["sync-status"], ["reload"],
                          ["set-relay-source-probe-interval", "5"]):
                try:
                    said.append("OK " + server.appctl("ovsdb-server/" + words[0], *words[1:]))
                except CommandFailed as error:
                    said.append(str(error).replace(config, "CONFIG"))
            answers.append(said)
        self.assertEqual(answers[0], answers[1])

    @binaries.needs_reference
    def test_bad_files_are_refused_as_in_stock(self):
        hub = os.path.basename(self.hub_file)
        databases = [
            {"nowhere.db": {}}, {hub: {"service-model": "clustered"}}, {hub: {"service-model": "relay"}},
            {hub: {"service-model": 5}}, {hub: {"service-model": "active-backup"}},
            {hub: {"service-model": "active-backup", "backup": True, "source": {}}},
            {hub: {"service-model": "active-backup", "backup": 5, "source": {"unix:x": None}}},
            {hub: {"service-model": "active-backup", "source": {"unix:x": None, "unix:y": None}}},
            {hub: {"service-model": "active-backup", "source": {"unix:x": {"read-only": True}}}},
            {hub: {"nonsense": 1}}, {hub: 3}, {"Hub": {"service-model": "relay"}}, 3, [],
        ]
        remotes = [3, {"ptcp:0:127.0.0.1": {"max-backoff": "x"}}, {"ptcp:0:127.0.0.1": {"nonsense": 1}},
                   {"ptcp:0:127.0.0.1": 5}, {"db:a,b,c": None}]
        contents = [
            "", "{", "[]", "3", '"x"', *({"remotes": {}, "databases": d} for d in databases),
            *({"remotes": r, "databases": {}} for r in remotes),
            {"remotes": {}, "databases": {}, "nonsense": {}},
        ]
        for content in contents:
            config = self.write("bad.json", content)
            said = []
            for name, path in TwinTest.programs():
                argv = [path, f"--unixctl={self.path(name)}.ctl", "--run=true", "--config-file=" + config]
                done = self.run_command(*argv, check=False)
                text = "\n".join(line.split("|", 2)[-1] for line in done.stderr.split("\n"))
                said.append((done.returncode, re.sub(r"port \d+", "port N", text)))
            with self.subTest(content=content):
                if said[1][0] < 0:  # Stock died of it.
                    self.assertTrue(said[0][0] in (0, 1) or binaries.subject_is_reference())
                else:
                    self.assertEqual(said[0], said[1])


class RoleTest(SystemTest):
    """RBAC: what a client with a role may do, by the name in its certificate."""

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)
        self.key, self.certificate = self.authority.issue("server")
        self.client = client_context(self.authority, *self.authority.issue("alice"))

    RULES = [
        {"op": "insert", "table": "RBAC_Permission", "uuid-name": "t", "row": {
            "table": "T", "authorization": ["set", ["name", "owner:id"]], "insert_delete": True,
            "update": ["set", ["x", "owner"]]}},
        {"op": "insert", "table": "RBAC_Permission", "uuid-name": "open", "row": {
            "table": "Root", "authorization": "", "insert_delete": False, "update": "targets"}},
        {"op": "insert", "table": "RBAC_Role", "row": {"name": "worker", "permissions": ["map", [
            ["T", ["named-uuid", "t"]], ["Root", ["named-uuid", "open"]]]]}},
        {"op": "insert", "table": "T", "row": {"name": "alice", "x": 1}},
        {"op": "insert", "table": "T", "row": {"name": "bob", "x": 2}},
        {"op": "insert", "table": "T", "row": {"name": "", "x": 3, "owner": ["map", [["id", "alice"]]]}},
    ]
    TRIES = [
        [{"op": "update", "table": "T", "where": [["name", "==", "alice"]], "row": {"x": 5}}],
        [{"op": "update", "table": "T", "where": [["name", "==", "alice"]], "row": {"y": 5}}],
        [{"op": "update", "table": "T", "where": [["name", "==", "bob"]], "row": {"x": 5}}],
        [{"op": "update", "table": "T", "where": [["x", "==", 3]], "row": {"x": 6}}],
        [{"op": "update", "table": "T", "where": [], "row": {"x": 6}}],
        [{"op": "mutate", "table": "T", "where": [["name", "==", "alice"]], "mutations": [["x", "+=", 1]]}],
        [{"op": "mutate", "table": "T", "where": [["name", "==", "alice"]], "mutations": [["y", "+=", 1]]}],
        [{"op": "mutate", "table": "T", "where": [["name", "==", "bob"]], "mutations": [["x", "+=", 1]]}],
        [{"op": "mutate", "table": "T", "where": [["name", "==", "bob"]], "mutations": []}],
        [{"op": "mutate", "table": "RBAC_Role", "where": [], "mutations": []}],
        [{"op": "delete", "table": "T", "where": [["name", "==", "bob"]]}],
        [{"op": "delete", "table": "T", "where": [["name", "==", "alice"]]}],
        [{"op": "insert", "table": "T", "row": {"name": "alice"}}],
        [{"op": "insert", "table": "T", "row": {"name": "bob"}}],
        [{"op": "insert", "table": "Root", "row": {}}],
        [{"op": "delete", "table": "Root", "where": []}],
        [{"op": "update", "table": "Root", "where": [], "row": {"targets": "x"}}],
        [{"op": "update", "table": "Root", "where": [], "row": {"connections": ["set", []]}}],
        [{"op": "insert", "table": "RBAC_Role", "row": {}}],
        [{"op": "update", "table": "Connection", "where": [], "row": {"role": ""}}],
        [{"op": "select", "table": "RBAC_Role", "where": [], "columns": ["name"]}],
    ]

    def outcomes(self, name, path):
        hub = self.server(name, [self.database(name + "-hub", SCHEMA)], [
            "--remote=db:Hub,Root,connections", "--private-key=" + self.key, "--certificate=" + self.certificate,
            "--ca-cert=" + self.authority.certificate], path)
        with hub.connect() as root:
            root.transact("Hub", *connections({"target": "pssl:0:127.0.0.1", "role": "worker"}), *self.RULES)
            address = f"ssl:127.0.0.1:{hub.bound_port()}"
            results = []
            with jsonrpc.Connection(address, self.client) as alice:
                for operations in self.TRIES:
                    results.append(alice.transact("Hub", *operations, {"op": "abort"}))
                results.append(alice.call("convert", ["Hub", SCHEMA])["error"])
                for operation in results[:-1]:
                    for result in operation:
                        (result or {}).pop("uuid", None)
        return json.loads(json.dumps(results))

    def test_denials(self):
        results = self.outcomes("ours", binaries.ours("ovsdb-server"))
        denied = [any((part or {}).get("error") == "permission error" for part in result) for result in results[:-1]]
        self.assertEqual(denied, [False, True, True, False, True, False, True, True, False, False, True, False, False,
                                  True, True, True, False, True, True, True, False])

    @binaries.needs_reference
    def test_words_are_those_of_stock(self):
        ours, stock = [self.outcomes(name, path) for name, path in TwinTest.programs()]
        for operations, a, b in zip(self.TRIES, ours, stock):
            self.assertEqual(a, b, operations)
        self.assertEqual(ours[-1], stock[-1])


if __name__ == "__main__":
    unittest.main()
