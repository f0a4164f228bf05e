"""Relays, with ours and the reference's on either side."""

import json
import os
import re
import signal
import unittest

from harness import binaries, jsonrpc
from harness.mirror import (
    OTHER_SCHEMA,
    SCHEMA,
    ZERO,
    MirrorTest,
    answer,
    change,
    changed,
    crash,
    follows,
    insert,
    logged,
    numbers,
    rows,
)
from harness.pki import Authority
from harness.waiting import wait_until

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOT_AVAILABLE = {
    "error": "database not available",
    "details": "transact request specifies database Repl which is not yet available because it has not "
               "completed joining its cluster",
}


def has_row(n, timeout=None):
    """A `wait` for a row with this number; in milliseconds, if it has a timeout."""
    found = {"op": "wait", "table": "A", "where": [["n", "==", n]], "columns": ["n"], "until": "==", "rows": [{"n": n}]}
    return found if timeout is None else {**found, "timeout": timeout}


def server_row(relay):
    """What `_Server` says of the relay's database."""
    select = {"op": "select", "table": "Database", "where": [["name", "==", "Repl"]]}
    with relay.connect() as client:
        [row] = client.transact("_Server", select)[0]["rows"]
    return {name: row[name] for name in ("model", "connected", "leader", "cid", "sid", "index", "schema")}


def monitor(client, last=ZERO):
    return client.call("monitor_cond_since", ["Repl", "m", {"A": {"columns": ["n"]}}, last])["result"]


def told_numbers(updates):
    """The numbers of table A in <table-updates2>, sorted."""
    return sorted(next(iter(row.values()))["n"] for row in updates.get("A", {}).values())


class ContentsTest(MirrorTest):
    def test_follows(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            relay = pair.relay(source)
            follows(relay, source)
            change(source, [insert(4)], [{"op": "delete", "table": "A", "where": [["n", "==", 3]]}])
            follows(relay, source)
            change(relay, [insert(5)])
            follows(relay, source)

        self.each(scenario)

    def test_server_row(self):
        nothing = ["set", []]

        def scenario(pair):
            relay = pair.relay("unix:" + pair.path("source.sock"))
            row = {"model": "relay", "connected": False, "leader": False, "cid": nothing, "sid": nothing,
                   "index": nothing, "schema": nothing}
            self.assertEqual(server_row(relay), row)
            self.assertEqual(answer(relay, "list-dbs"), "Repl\n_Server\n")
            self.assertEqual(answer(relay, "sync-status"), "state: active\n")
            self.assertEqual(answer(relay, "get-db-storage-status", "Repl"), "status: ok")
            self.assertEqual(answer(relay, "tlog-list").splitlines()[2], "Repl             ")
            source = pair.source()
            follows(relay, source)
            row = server_row(relay)
            self.assertEqual((row["model"], row["connected"], row["leader"]), ("relay", True, False))
            self.assertIn("Secret", row["schema"])
            self.assertEqual(answer(relay, "compact", "Repl"), "")

        self.each(scenario)

    def test_before_there_is_a_source(self):
        def scenario(pair):
            relay = pair.relay("unix:" + pair.path("source.sock"))
            with relay.connect() as client, relay.connect() as aware:
                self.assertEqual(client.call("list_dbs", [])["result"], ["Repl", "_Server"])
                self.assertEqual(client.call("transact", ["Repl", insert(1)])["error"], NOT_AVAILABLE)
                refused = client.call("get_schema", ["Repl"])["error"]
                self.assertEqual(refused["details"], NOT_AVAILABLE["details"].replace("transact", "get_schema"))
                aware.call("set_db_change_aware", [True])
                aware.call("monitor_cond", ["_Server", "s", {"Database": {"columns": ["connected"]}}])
                source = pair.source()
                update = aware.receive()
                self.assertEqual(list(update["params"][1]["Database"].values()), [{"modify": {"connected": True}}])
                client.wait_closed()
                follows(relay, source)
                self.assertEqual(aware.transact("Repl", insert(1))[0].keys(), {"uuid"})
            self.assertTrue(any(line.endswith("disconnecting (database Repl connected to storage)")
                                for line in logged(relay, "ovsdb_jsonrpc_server")))

        self.each(scenario)

    def test_compaction_before_there_is_a_source(self):
        """There is nothing to do; stock dies of it."""
        relay = self.server("relay", [f"relay:Repl:unix:{self.path('source.sock')}"])
        self.assertEqual(relay.appctl("ovsdb-server/compact", "Repl"), "")
        self.assertEqual(relay.appctl("ovsdb-server/compact"), "")
        self.assertEqual(relay.appctl("ovsdb-server/list-dbs").split(), ["Repl", "_Server"])

    def test_a_relay_of_relays(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            first = pair.relay(source, name="first")
            second = pair.relay(first, name="second", role="source")
            third = pair.relay(second, name="third")
            follows(third, source)
            change(third, [insert(9)])
            self.assertIn(9, numbers(source))
            follows(third, source)

        self.each(scenario)

    def test_backups_and_relays(self):
        """A backup of a relay, and a relay of that, which cannot write."""

        def scenario(pair):
            source = pair.source()
            change(source, [insert(1)])
            relay = pair.relay(source)
            backup = pair.server("source", "backup", arguments=["--sync-from=" + relay.remote])
            last = pair.relay(backup, name="last")
            follows(last, source)
            with last.connect() as client:
                [refused] = client.transact("Repl", insert(2))
            self.assertEqual(refused["details"],
                             "insert operation not allowed when database server is in read only mode")
            change(source, [insert(3)])
            follows(last, source)

        self.each(scenario)

    @binaries.needs_reference
    def test_clients_for_leaders_only(self):
        def scenario(pair):
            relay = pair.relay(pair.source())
            command = [binaries.reference("ovsdb-client"), "--timeout=20"]
            self.run_command(*command, "wait", relay.remote, "Repl", "connected")
            transaction = '["Repl",{"op":"insert","table":"A","row":{"n":5}}]'
            done = self.run_command(*command, "--leader-only", "transact", relay.remote, transaction)
            self.assertRegex(done.stdout, r'^\[\{"uuid":\["uuid",')

        self.each(scenario)

    def test_many_clients(self):
        def scenario(pair):
            source = pair.source()
            change(source, [insert(1)])
            relay = pair.relay(source)
            follows(relay, source)
            clients = [relay.connect() for _ in range(50)]
            for client in clients:
                self.assertEqual(told_numbers(monitor(client)[2]), [1])
            change(source, [insert(2)])
            for client in clients:
                self.assertEqual(told_numbers(client.receive()["params"][2]), [2])
                client.close()

        self.each(scenario)


class TransactionTest(MirrorTest):
    TRANSACTIONS = [
        [insert(1)],
        [insert("x")],
        [{"op": "insert", "table": "Nope", "row": {}}],
        [{"op": "insert", "table": "A", "row": {"nope": 1}}],
        [insert(3), {"op": "abort"}],
        [insert(3), {"op": "commit", "durable": True}],
        [{"op": "comment", "comment": "hello"}],
        [{"op": "commit", "durable": True}],
        [{"op": "assert", "lock": "l"}, insert(30)],
        [{"op": "insert", "table": "B", "row": {"text": "dangling"}}],
        [{"op": "insert", "table": "A", "row": {"b": ["uuid", ZERO]}}],
        [has_row(1, timeout=0), insert(5)],
        [has_row(7, timeout=0), insert(6)],
        [has_row(7, timeout=0)],
        [{"op": "frob"}],
        ["x"],
        [{"op": "update", "table": "A", "where": [["n", "==", -5]], "row": {"n": 1}}],
        [{"op": "mutate", "table": "A", "where": [["n", "==", 5]], "mutations": [["n", "*=", 2]]}],
        [{"op": "insert", "table": "A", "uuid": ZERO[:-1] + "1", "row": {"n": 77}}],
        [{"op": "insert", "table": "A", "uuid": ZERO[:-1] + "1", "row": {"n": 77}}],
        [{"op": "delete", "table": "A", "where": [["n", "<", 5]]}],
        [],
    ]

    def test_answers_are_those_of_the_source(self):
        def answers(server, check):
            found = []
            with server.connect() as client:
                for operations in self.TRANSACTIONS:
                    reply = client.call("transact", ["Repl", *operations])
                    text = json.dumps([reply["result"], reply["error"]], sort_keys=True)
                    found.append(UUID.sub("UUID", text))
                    check()
            return found

        def scenario(pair):
            source = pair.source()
            relay = pair.relay(source)
            follows(relay, source)
            direct = pair.source("direct")
            expected = answers(direct, lambda: None)
            self.assertEqual(answers(relay, lambda: follows(relay, source)), expected)
            self.assertEqual(numbers(source), numbers(direct))

        self.each(scenario)

    def test_waiting(self):
        def scenario(pair):
            source = pair.source()
            relay = pair.relay(source)
            follows(relay, source)
            with relay.connect() as client:
                result = client.transact("Repl", has_row(9, timeout=50), insert(1))
                self.assertRegex(result[0]["details"], '^"wait" timed out after [0-9]+ ms$')
                request = client.request("transact", ["Repl", has_row(9), insert(10)])
                self.assertEqual(client.call("echo", ["still here"])["result"], ["still here"])
                change(source, [insert(9)])
                reply, _ = client.wait_for(lambda m: m.get("id") == request)
                self.assertEqual(list(reply["result"][1]), ["uuid"])
                client.call("set_db_change_aware", [True])
                request = client.request("transact", ["Repl", has_row(99), insert(100)])
                client.notify("cancel", [request])
                self.assertEqual(client.receive(), {"id": request, "error": "canceled"})
            self.assertEqual(numbers(source), [9, 10])

        self.each(scenario)

    def test_a_writer_sees_its_own_write(self):
        """Updates of a forwarded transaction reach the relay's client before the reply."""

        def scenario(pair):
            source = pair.source()
            relay = pair.relay(source)
            follows(relay, source)
            with relay.connect() as client:
                monitor(client)
                request = client.request("transact", ["Repl", insert(4)])
                reply, before = client.wait_for(lambda m: m.get("id") == request)
                self.assertEqual(list(reply["result"][0]), ["uuid"])
                self.assertEqual([told_numbers(m["params"][2]) for m in before], [[4]])

        self.each(scenario)

    def test_locks_are_the_relay_s_own(self):
        def scenario(pair):
            source = pair.source()
            relay = pair.relay(source)
            follows(relay, source)
            with relay.connect() as client, relay.connect() as other, source.connect() as direct:
                self.assertEqual(client.call("lock", ["l"])["result"], {"locked": True})
                self.assertEqual(other.call("lock", ["l"])["result"], {"locked": False})
                self.assertEqual(direct.call("lock", ["l"])["result"], {"locked": True})
                self.assertEqual(client.transact("Repl", {"op": "assert", "lock": "l"}), [{}])
                # A transaction that writes is the source's business, which knows of no lock of ours.
                [refused, _] = client.transact("Repl", {"op": "assert", "lock": "l"}, insert(1))
                self.assertEqual(refused, {"error": "not owner", "details": "Asserted lock l not held."})
                client.close()
                self.assertEqual(other.receive()["method"], "locked")

        self.each(scenario)

    def test_the_source_ends_while_it_executes(self):
        def scenario(pair):
            source = pair.source()
            change(source, [insert(1)])
            relay = pair.relay(source)
            follows(relay, source)
            with relay.connect() as client, relay.connect() as gone:
                source.signal(signal.SIGSTOP)
                request = client.request("transact", ["Repl", insert(2)])
                again = client.request("transact", ["Repl", insert(3)], request)
                self.assertEqual(client.receive()["error"]["details"], "transact: duplicate request ID")
                gone.request("transact", ["Repl", insert(4)])
                gone.call("echo", [])
                gone.close()
                # Others are served meanwhile.
                select = {"op": "select", "table": "A", "where": [], "columns": ["n"]}
                self.assertEqual(client.transact("Repl", select), [{"rows": [{"n": 1}]}])
                source.kill()
                self.assertEqual(client.receive(), {"id": again, "error": "canceled"})
                source.start()
                follows(relay, source)
                change(relay, [insert(5)])
            self.assertEqual(numbers(source), [1, 5])

        self.each(scenario)

    def test_a_client_that_goes_has_written(self):
        def scenario(pair):
            source = pair.source()
            relay = pair.relay(source)
            follows(relay, source)
            source.signal(signal.SIGSTOP)
            with relay.connect() as client:
                client.request("transact", ["Repl", insert(1)])
                client.call("echo", [])
            source.signal(signal.SIGCONT)
            wait_until(lambda: numbers(relay) == [1], "the transaction is executed")

        self.each(scenario)


class SourceTest(MirrorTest):
    def test_goes_and_returns(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            relay = pair.relay(source)
            follows(relay, source)
            before = rows(source)
            with relay.connect() as client:
                monitor(client)
                source.stop()
                wait_until(lambda: logged(relay, "reconnect")[-1].endswith("before reconnect"), "it is gone")
                # For half a minute the relay says that it is connected.
                self.assertTrue(server_row(relay)["connected"])
                self.assertEqual(rows(relay), before)
                request = client.request("transact", ["Repl", insert(8)])
                source.start()
                reply, updates = client.wait_for(lambda m: m.get("id") == request)
                self.assertEqual(list(reply["result"][0]), ["uuid"])
                self.assertEqual([told_numbers(m["params"][2]) for m in updates], [[8]])
            follows(relay, source)

        self.each(scenario)

    def test_one_of_several(self):
        def scenario(pair):
            sources = [pair.source("one"), pair.source("two,2")]  # A comma may be part of a name.
            for n, source in enumerate(sources):
                change(source, [insert(n)])
            relay = pair.relay("unix:" + pair.path("nowhere"), *sources)
            wait_until(lambda: rows(relay) in [rows(s) for s in sources], "the relay follows one")
            [n] = numbers(relay)
            sources[n].stop()
            follows(relay, sources[1 - n])
            sources[n].start()
            sources[1 - n].stop()
            follows(relay, sources[n])

        self.each(scenario)

    def test_one_that_freezes(self):
        def scenario(pair):
            sources = [pair.source("one"), pair.source("two")]
            for n, source in enumerate(sources):
                change(source, [insert(n)])
            relay = pair.relay(*sources)
            wait_until(lambda: rows(relay) in [rows(s) for s in sources], "the relay follows one")
            self.assertEqual(answer(relay, "set-relay-source-probe-interval", "x"),
                             "error: Invalid probe interval, integer value expected")
            self.assertEqual(answer(relay, "set-relay-source-probe-interval", "1000"), "")
            [n] = numbers(relay)
            sources[n].signal(signal.SIGSTOP)
            follows(relay, sources[1 - n])
            silent = f"{sources[n].remote}: no response to inactivity probe after 1"
            self.assertTrue(any(line.startswith(silent) for line in logged(relay, "reconnect")))
            sources[n].signal(signal.SIGCONT)

        self.each(scenario)

    def test_tcp_and_tls(self):
        authority = Authority(self.directory)
        key, certificate = authority.issue("server")
        tls = [f"--private-key={key}", f"--certificate={certificate}", f"--ca-cert={authority.certificate}"]

        def scenario(pair):
            listen = ["--remote=ptcp:0:127.0.0.1", "--remote=pssl:0:127.0.0.1", *tls]
            source = pair.source(arguments=listen)
            with open(source.log_path, encoding="utf-8") as log:
                tcp, ssl = re.findall(r"0:127.0.0.1: listening on port (\d+)", log.read())
            change(source)
            for kind, ports in (("tcp", (tcp, ssl)), ("ssl", (ssl, tcp))):
                # Which port is which is not told: the wrong one is tried in vain.
                remotes = [f"{kind}:127.0.0.1:{port}" for port in ports]
                relay = pair.relay(*remotes, name=kind, arguments=tls)
                follows(relay, source)
                change(relay, [insert(9)])
                follows(relay, source)

        self.each(scenario)

    def test_a_log_line_for_a_server_without_the_database(self):
        def scenario(pair):
            source = pair.source(schema=OTHER_SCHEMA)
            relay = pair.relay(source)
            line = f"{source.remote}: server does not have Repl database"
            wait_until(lambda: line in logged(relay, "ovsdb_cs"), "the log says so")
            self.assertEqual(answer(source, "add-db", pair.database("late")), "")
            change(source, [insert(1)])
            follows(relay, source)

        self.each(scenario)

    def test_conversion(self):
        """The reference's standalone servers do not tell of it: there a cluster is the source."""
        wider = changed(SCHEMA, A={"new": {"type": "string"}})

        def scenario(pair):
            source = pair.source() if pair.is_ours("source") else pair.cluster()
            change(source)
            relay = pair.relay(source)
            follows(relay, source)
            with relay.connect() as aware, source.connect() as writer:
                aware.call("set_db_change_aware", [True])
                monitor(aware)
                request = aware.request("transact", ["Repl", has_row(99), insert(100)])
                self.assertIsNone(writer.call("convert", ["Repl", wider])["error"])
                told = [aware.receive(), aware.receive()]
                self.assertIn({"id": request, "error": "canceled"}, told)
                self.assertIn({"id": None, "method": "monitor_canceled", "params": ["m"]}, told)
                schema = aware.call("get_schema", ["Repl"])["result"]
                self.assertIn("new", schema["tables"]["A"]["columns"])
            change(relay, [{"op": "insert", "table": "A", "row": {"n": 9, "new": "x"}}])
            follows(relay, source)

        self.each(scenario)

    def test_conversion_of_a_standalone_source(self):
        """Ours notices in any case, and ends the connections of clients that would not."""
        wider = changed(SCHEMA, A={"new": {"type": "string"}})

        def scenario(pair):
            source = pair.source()
            change(source)
            relay = pair.relay(source)
            follows(relay, source)
            with relay.connect() as client, source.connect() as writer:
                refused = client.call("convert", ["Repl", wider])["error"]
                self.assertEqual(refused["error"], "not allowed")
                writer.call("convert", ["Repl", wider])
                client.wait_closed()
            follows(relay, source)
            self.assertIn("new", rows(relay, "A")[0][0])

        kinds = [("ours", "ours")] + [("stock", "ours")] * binaries.have_reference()
        self.each(scenario, kinds)


class HistoryTest(MirrorTest):
    def test_of_a_standalone_source(self):
        """Its transactions have no names: everything is told again."""

        def scenario(pair):
            source = pair.source()
            change(source, [insert(1)])
            relay = pair.relay(source)
            follows(relay, source)
            for _ in range(2):
                with relay.connect() as client:
                    found, last, updates = monitor(client)
                    self.assertEqual((found, last, told_numbers(updates)), (False, ZERO, [1]))

        self.each(scenario)

    @binaries.needs_reference
    def test_of_a_cluster(self):
        """A client that was away, and a relay whose source was, are told what they missed."""

        def scenario(pair):
            source = pair.cluster()
            change(source, [insert(1)])
            relay = pair.relay(source)
            follows(relay, source)
            with relay.connect() as client:
                found, first, updates = monitor(client)
                self.assertEqual((found, told_numbers(updates)), (False, [1]))
                change(source, [insert(2)])
                update = client.receive()["params"]
                self.assertEqual(told_numbers(update[2]), [2])
            change(relay, [insert(3)])
            follows(relay, source)
            for last, missed in ((first, [2, 3]), (update[1], [3])):
                with relay.connect() as client:
                    found, newest, updates = monitor(client, last)
                    self.assertEqual((found, told_numbers(updates)), (True, missed))
            with source.connect() as client:
                self.assertEqual(monitor(client)[1], newest)
            # The relay itself asks for no more than what it missed.
            answer(source, "reconnect")
            change(source, [insert(4)])
            follows(relay, source)
            with relay.connect() as client:
                found, _, updates = monitor(client, newest)
                self.assertEqual((found, told_numbers(updates)), (True, [4]))

        self.each(scenario, [("stock", "ours"), ("stock", "stock")])


class RunTimeTest(MirrorTest):
    def test_add_and_remove(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            server = pair.server("follower", "server", [])
            self.assertEqual(answer(server, "add-db", f"relay:Repl:{source.remote}"), "")
            self.assertEqual(answer(server, "add-db", "relay:Repl"),
                             "error: I/O error: relay:Repl: open failed (No such file or directory)")
            self.assertEqual(answer(server, "add-db", f"relay:_Repl:{source.remote}"),
                             'error: ovsdb error: _Repl: names beginning with "_" are reserved')
            follows(server, source)
            if pair.is_ours("follower"):  # The reference's loses its relay, and dies of removing it.
                self.assertEqual(answer(server, "add-db", f"relay:Repl:{source.remote}"),
                                 "error: ovsdb error: Repl: duplicate database name")
                change(source, [insert(5)])
                follows(server, source)
            self.assertEqual(answer(server, "list-dbs"), "Repl\n_Server\n")
            with server.connect() as client:
                client.call("echo", [])
                self.assertEqual(answer(server, "remove-db", "Repl"), "")
                client.wait_closed()
            self.assertEqual(answer(server, "remove-db", "Repl"), "error: Failed to find the database.")
            self.assertEqual(answer(server, "add-db", f"relay:Repl:{source.remote}"), "")
            follows(server, source)

        self.each(scenario)

    def test_beside_other_databases(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            files = [pair.database("own", OTHER_SCHEMA), f"relay:Repl:{source.remote}"]
            server = pair.server("follower", "server", files)
            change(server, [{"op": "insert", "table": "T", "row": {"x": "y"}}], database="Other")
            follows(server, source)
            self.assertEqual(answer(server, "list-dbs"), "Other\nRepl\n_Server\n")

        self.each(scenario)

    def test_after_a_crash(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            server = pair.daemon("follower", "server", [], [])
            answer(server, "add-db", f"relay:Repl:{source.remote}")
            follows(server, source)
            crash(server, signal.SIGABRT)
            follows(server, source)

        self.each(scenario)

    def test_remotes_from_the_relayed_database(self):
        """As ovn-ctl has it: the relay listens where rows of the source say, also when it is gone."""
        schema = changed(SCHEMA, Connection={"target": {"type": "string"}})
        schema["tables"]["Connection"]["isRoot"] = True
        schema["tables"]["Global"] = {
            "columns": {"connections": {"type": {"key": {"type": "uuid", "refTable": "Connection"}, "min": 0}}},
            "isRoot": True}

        def scenario(pair):
            extra = pair.path("extra.sock")
            relay = pair.relay("unix:" + pair.path("source.sock"),
                               arguments=["--remote=db:Repl,Global,connections"])
            source = pair.source(schema=schema)
            follows(relay, source)
            change(source, [{"op": "insert", "table": "Connection", "uuid-name": "c", "row": {"target": "punix:" + extra}},
                            {"op": "insert", "table": "Global", "row": {"connections": ["named-uuid", "c"]}}])
            wait_until(lambda: os.path.exists(extra), "the relay listens")
            source.stop()
            with jsonrpc.Connection("unix:" + extra) as client:
                select = {"op": "select", "table": "Connection", "where": [], "columns": ["target"]}
                self.assertEqual(client.transact("Repl", select), [{"rows": [{"target": "punix:" + extra}]}])

        self.each(scenario)

    def test_configuration_file(self):
        def scenario(pair):
            sources = [pair.source("one"), pair.source("two")]
            for n, source in enumerate(sources):
                change(source, [insert(n)])
            relay = pair.server("follower", "relay", [], start=False)

            def configure(source, **options):
                config = {"remotes": {"punix:" + relay.socket: options},
                          "databases": {"Repl": {"service-model": "relay", "source": {source.remote: {}}}}}
                return self.write(f"{pair.name}.json", config)

            path = configure(sources[0], **{"read-only": True})
            relay.arguments = ["--config-file=" + path]
            relay.start()
            follows(relay, sources[0])
            with relay.connect() as client:
                [refused] = client.transact("Repl", insert(9))
                self.assertEqual(refused["details"],
                                 "insert operation not allowed when database server is in read only mode")
            change_it = f"error: Update the {path} and use ovsdb-server/reload instead"
            self.assertEqual(answer(relay, "add-db", "relay:X:unix:x"), change_it)
            # Another source takes the place of the first; clients see nothing but changes of rows.
            with relay.connect() as client:
                monitor(client)
                configure(sources[1], **{"read-only": True})
                self.assertEqual(answer(relay, "reload"), "")
                changes = []
                while len(changes) < 2:
                    update, _ = client.wait_for(lambda m: m.get("method") == "update3")
                    changes += [list(row)[0] for row in update["params"][2]["A"].values()]
                self.assertEqual(sorted(changes), ["delete", "insert"])
            follows(relay, sources[1])

        self.each(scenario)


if __name__ == "__main__":
    unittest.main()
