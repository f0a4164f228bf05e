"""Hostile and unlucky clients: the server's memory stays bounded and the others are served."""

import json
import os
import resource
import socket
import threading
import time
import unittest

from harness import jsonrpc, sanitizers
from harness.case import SystemTest
from harness.pki import Authority, client_context
from harness.waiting import wait_until

SCHEMA = {
    "name": "Load",
    "version": "1.0.0",
    "tables": {"T": {"columns": {"n": {"type": "integer"}, "text": {"type": "string"}}, "isRoot": True}},
}
MEGABYTE = 1024  # In the unit of /proc, kB.
GIGABYTE = 1 << 30  # In bytes.


class RobustnessTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.load = self.server(databases=[self.database("load", SCHEMA)])
        self.bystander = self.load.connect()
        self.addCleanup(self.bystander.close)

    def assert_served(self, seconds=5):
        """Another client gets an answer, and soon."""
        start = time.monotonic()
        self.assertEqual(self.bystander.call("echo", ["on"], seconds)["result"], ["on"])
        inserted = self.bystander.transact("Load", {"op": "insert", "table": "T", "row": {"n": -1}}, seconds=seconds)
        self.assertIn("uuid", inserted[0])
        return time.monotonic() - start

    def assert_bounded(self, before_kb, more_megabytes):
        grown = self.load.resident_kb() - before_kb
        self.assertLess(grown, more_megabytes * MEGABYTE, "memory in kB")

    def raw(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(self.load.socket)
        self.addCleanup(connection.close)
        return connection

    def send_until_closed(self, connection, chunk, total):
        """Sends up to `total` bytes of repeated `chunk`; returns how many went before the end."""
        sent = 0
        try:
            while sent < total:
                sent += connection.send(chunk)
        except OSError:
            pass
        return sent

    def serving_others(self, action):
        """The result of `action`, during which other clients get their answers."""
        result = []
        thread = threading.Thread(target=lambda: result.append(action()))
        thread.start()
        while thread.is_alive():
            self.assert_served()
        thread.join()
        self.assert_served()
        return result[0]

    def test_a_gigabyte_without_newline_or_brace(self):
        """Cut off at our limit for a message, if not at once; nothing is kept."""
        request = b'{"id":1,"method":"echo","params":['
        for start, filler in ((b"", b"x"), (request + b'"', b"x"), (request + b'"', b"\\"), (request, b"0,"),
                              (b"", b"["), (b"", b'"')):
            with self.subTest(start=start, filler=filler):
                before = self.load.resident_kb()
                connection = self.raw()
                connection.sendall(start)
                chunk = filler * ((1 << 20) // len(filler))
                sent = self.serving_others(lambda c=connection, text=chunk: self.send_until_closed(c, text, GIGABYTE))
                self.assertLess(sent, GIGABYTE, "the server never stopped reading")
                wait_until(lambda b=before: self.load.resident_kb() - b < 100 * MEGABYTE, "the memory is given back")
        if not sanitizers.watch(self.load.pid):
            self.assertLess(self.load.peak_kb(), 700 * MEGABYTE)

    def test_a_gigabyte_of_spaces(self):
        """Harmless between messages, whether or not they are refused."""
        connection = self.raw()
        self.serving_others(lambda: self.send_until_closed(connection, b" " * (1 << 20), GIGABYTE))
        if not sanitizers.watch(self.load.pid):
            self.assertLess(self.load.peak_kb(), 100 * MEGABYTE)

    def test_deep_json(self):
        for text in (b"[" * 10_000, b'{"a":' * 10_000, b'{"id":1,"method":"echo","params":' + b"[" * 10_000,
                     b'{"id":1,"method":"echo","params":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
                     b'{"id":1,"method":"echo","params":[' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"]}"):
            with self.subTest(text=text[:40]):
                connection = self.raw()
                # It may be cut off before it has said all.
                try:
                    connection.sendall(text)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 16):
                        pass
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assert_served()

    def test_deep_json_inside_limits_of_stock(self):
        """What stock takes, ours takes too: it allows 1,000 levels."""
        deep = "[" * 900 + "]" * 900
        with self.load.connect() as client:
            client.send('{"id":1,"method":"echo","params":%s}' % deep)
            reply = client.receive()
        self.assertEqual(json.dumps(reply["result"]), deep)

    def test_deep_transaction(self):
        for depth in (100, 900):
            deep = "[" * depth + "]" * depth
            for text in ('["Load",{"op":"insert","table":"T","row":{"text":%s}}]' % deep,
                         '["Load",{"op":"select","table":"T","where":%s}]' % deep, deep):
                with self.load.connect() as client:
                    client.send('{"id":1,"method":"transact","params":%s}' % text)
                    self.assertEqual(client.receive()["id"], 1)
        self.assert_served()

    def test_a_client_that_never_reads_replies(self):
        before = self.load.resident_kb()
        connection = self.raw()
        request = json.dumps({"id": 1, "method": "echo", "params": ["x" * 100_000]}).encode()
        connection.settimeout(5)
        sent = 0
        try:
            while sent < 1 << 30:
                sent += connection.send(request)
        except OSError:
            pass
        self.assertLess(sent, 1 << 30, "the server took all without being read")
        self.assert_served()
        self.assert_bounded(before, 200)

    def test_a_monitor_that_never_reads(self):
        """Hundreds of megabytes of updates for those who do not read them: they fall behind alone."""
        text = "x" * 100_000
        with self.load.connect() as writer:
            writer.transact("Load", *[{"op": "insert", "table": "T", "row": {"n": i}} for i in range(10)])
            lazy = [self.load.connect() for _ in range(10)]
            for client in lazy:
                client.request("monitor_cond", ["Load", "m", {"T": {}}])
                client.receive()
            before = self.load.resident_kb()
            for turn in range(300):
                writer.transact("Load", {"op": "update", "table": "T", "where": [["n", "==", turn % 10]],
                                         "row": {"text": text[turn:]}}, seconds=30)
            self.assert_bounded(before, 400)
            self.assert_served()
            for client in lazy:
                client.close()

    def test_two_thousand_idle_connections(self):
        self.allow_descriptors(4096)
        many = self.server("many", [self.database("many", SCHEMA)])
        before = many.resident_kb()
        clients = []
        for _ in range(2000):
            clients.append(many.connect())
        self.assertEqual(clients[-1].call("echo", [1])["result"], [1])
        self.assertEqual(clients[0].call("echo", [1])["result"], [1])
        self.assertLess(many.resident_kb() - before, 200 * MEGABYTE)
        for client in clients:
            client.close()
        with many.connect() as client:
            self.assertEqual(client.call("echo", [1])["result"], [1])

    def allow_descriptors(self, wanted):
        """For this process and those that it starts, while the test runs."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < wanted:
            self.skipTest("too few file descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_half_open_tls_handshakes(self):
        """Silent, stopped halfway or babbling: they cost little, delay nobody, and are cut off."""
        self.allow_descriptors(4096)
        authority = Authority(self.directory)
        key, certificate = authority.issue("server")
        server = self.server("tls", [self.database("tls", SCHEMA)], [
            "--remote=pssl:0:127.0.0.1", "--private-key=" + key, "--certificate=" + certificate,
            "--ca-cert=" + authority.certificate])
        port = server.bound_port()
        context = client_context(authority, *authority.issue("client"))

        def descriptors():
            return len(os.listdir(f"/proc/{server.pid}/fd"))

        at_first, before = descriptors(), server.resident_kb()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # The head of a long ClientHello.
        for number in range(1000):
            connection = socket.create_connection(("127.0.0.1", port))
            self.addCleanup(connection.close)
            connection.send((b"", hello, hello + b"\0" * (number % 400), b"babble" * 10)[number % 4])
            if number % 100 == 0:
                with jsonrpc.Connection(f"ssl:127.0.0.1:{port}", context) as client:
                    self.assertEqual(client.call("echo", [1])["result"], [1])
        with server.connect() as client:
            self.assertEqual(client.call("echo", [1])["result"], [1])
        self.assertLess(server.resident_kb() - before, 200 * MEGABYTE)
        wait_until(lambda: descriptors() <= at_first, "the server gives up on them", 60)
        with jsonrpc.Connection(f"ssl:127.0.0.1:{port}", context) as client:
            self.assertEqual(client.call("echo", [1])["result"], [1])

    def test_more_connections_than_descriptors(self):
        """Out of descriptors the server goes on with those that it has, and recovers."""
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        few_path = self.database("few", SCHEMA)
        server = self.server("few", [few_path], start=False)
        server.start(preexec=few)
        first = server.connect()
        others = [self.raw_to(server) for _ in range(100)]
        for _ in range(3):
            self.assertEqual(first.call("echo", ["still"])["result"], ["still"])
        for other in others:
            other.close()

        def served():
            try:
                with server.connect() as client:
                    return client.call("echo", [1], 2)
            except (OSError, jsonrpc.Closed, jsonrpc.Timeout):
                return None

        wait_until(served, "new clients are served again")
        first.close()

    @staticmethod
    def raw_to(server):
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        try:
            connection.connect(server.socket)
        except BlockingIOError:
            pass
        return connection

    def test_connections_that_come_and_go(self):
        before = self.load.resident_kb()
        for turn in range(2000):
            with self.load.connect() as client:
                if turn % 3 == 0:
                    client.request("monitor", ["Load", turn, {"T": {}}])
                if turn % 3 == 1:
                    client.request("lock", ["all"])
                if turn % 5 == 0:
                    client.send_bytes(b'{"id":')
        self.assert_served()
        self.assert_bounded(before, 50)
        wait_until(lambda: "sessions:1" in self.load.appctl("memory/show").split(), "one session is left")

    def test_stock_dies_of_these(self):
        """Messages that kill the reference (3.5.0) are answered, and the server goes on."""
        for method, params in (
            ("monitor", ["Load"]), ("monitor", ["Load", "m", []]), ("monitor", ["Load", "m", {"T": 3}]),
            ("monitor", ["Load", "m", {"T": [3]}]), ("monitor_cond", ["Load", "m", 3]), ("monitor_cond", ["Load"]),
            ("monitor_cond_since", ["Load", "m"]), ("monitor_cond_since", ["Load", "m", {"T": []}]),
            ("monitor_cond_change", ["m", "m", 3]), ("monitor_cond_change", []), ("monitor_cancel", []),
            ("transact", []), ("transact", {}), ("get_schema", []), ("lock", []), ("cancel", []),
            ("convert", []), ("convert", ["Load", 3]), ("set_db_change_aware", []), ("list_dbs", {"a": 1}),
        ):
            with self.subTest(method=method, params=params), self.load.connect() as client:
                try:
                    client.request(method, params)
                    client.request("echo", ["end"], "end")
                    client.wait_for(lambda m: m.get("id") == "end")
                except jsonrpc.Closed:
                    pass
            self.assert_served()

    def test_arithmetic_that_stock_dies_of(self):
        insert = {"op": "insert", "table": "T", "row": {"n": -3}}
        for mutator, operand in (("*=", 0), ("*=", -1), ("/=", -1), ("%=", -1), ("/=", 0), ("%=", 0)):
            for start in (-3, -(2**63), 2**63 - 1, 0):
                with self.subTest(mutator=mutator, operand=operand, start=start):
                    insert["row"]["n"] = start
                    result = self.bystander.transact(
                        "Load", insert, {"op": "mutate", "table": "T", "where": [["n", "==", start]],
                                         "mutations": [["n", mutator, operand]]}, {"op": "abort"})
                    self.assertIn("uuid", result[0])
        self.assert_served()

    def test_conditions_on_columns_that_are_not_monitored(self):
        """Two monitors of the same columns, one with a condition on another column."""
        with self.load.connect() as one, self.load.connect() as two:
            one.call("monitor_cond", ["Load", "m", {"T": {"columns": ["n"]}}])
            two.call("monitor_cond", ["Load", "m", {"T": {"columns": ["n"], "where": [["text", "==", "yes"]]}}])
            two.call("monitor_cond", ["Load", "n", {"T": {"columns": [], "where": [["_uuid", "!=", ["uuid", "0" * 8 + "-0000-0000-0000-" + "0" * 12]]]}}])
            self.bystander.transact("Load", {"op": "insert", "table": "T", "row": {"n": 7, "text": "no"}})
            self.bystander.transact("Load", {"op": "update", "table": "T", "where": [["n", "==", 7]], "row": {"text": "yes"}})
            self.bystander.transact("Load", {"op": "update", "table": "T", "where": [["n", "==", 7]], "row": {"n": 8}})
            self.bystander.transact("Load", {"op": "delete", "table": "T", "where": [["n", "==", 8]]})
            updates = [m["params"][1]["T"] for m in self.until_echo(two) if m.get("params", [None])[0] == "m"]
        kinds = [(list(row), row) for update in updates for row in update.values()]
        self.assertEqual([kind[0] for kind, _ in kinds], ["insert", "modify", "delete"])
        self.assertEqual(kinds[0][1]["insert"], {"n": 7})
        self.assert_served()

    @staticmethod
    def until_echo(client):
        client.request("echo", [], "end")
        return client.wait_for(lambda m: m.get("id") == "end")[1]

    def test_conversions_that_do_not_fit(self):
        """An error, the database as it was, and service."""
        self.bystander.transact("Load", {"op": "insert", "table": "T", "row": {"n": 1, "text": "x"}})
        for column, kind in (("text", {"key": "string", "value": "string", "min": 0, "max": 5}), ("n", "boolean"),
                             ("n", {"key": {"type": "uuid", "refTable": "T"}}),
                             ("n", {"key": {"type": "integer", "minInteger": 5}}), ("text", "integer"),
                             ("text", {"key": {"type": "string", "enum": ["set", ["y"]]}})):
            schema = json.loads(json.dumps(SCHEMA))
            schema["tables"]["T"]["columns"][column]["type"] = kind
            with self.subTest(column=column, kind=kind), self.load.connect() as client:
                self.assertIsNotNone(client.call("convert", ["Load", schema])["error"])
            self.bystander.close()
            self.bystander = self.load.connect()
            rows = self.bystander.transact("Load", {"op": "select", "table": "T", "where": [["n", "==", 1]]})[0]["rows"]
            self.assertEqual([row["text"] for row in rows], ["x"])


if __name__ == "__main__":
    unittest.main()
