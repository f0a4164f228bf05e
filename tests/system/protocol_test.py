"""The wire as a raw client sees it: framing, odd bytes, ids, what closes a connection."""

import json
import unittest

from harness import jsonrpc
from harness.case import SystemTest

SCHEMA = {
    "name": "Play",
    "version": "1.0.0",
    "tables": {
        "Thing": {
            "columns": {
                "name": {"type": "string"},
                "number": {"type": "integer"},
                "tags": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
            },
            "isRoot": True,
        }
    },
}


class ProtocolTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.play = self.server(databases=[self.database("play", SCHEMA)])

    def test_lists_databases_and_schema(self):
        with self.play.connect() as client:
            self.assertEqual(sorted(client.call("list_dbs", [])["result"]), ["Play", "_Server"])
            schema = client.call("get_schema", ["Play"])["result"]
            self.assertEqual(sorted(schema["tables"]["Thing"]["columns"]), ["name", "number", "tags"])

    def test_inserts_and_selects(self):
        with self.play.connect() as client:
            inserted, selected = client.transact(
                "Play",
                {"op": "insert", "table": "Thing", "row": {"name": "a", "number": 7}},
                {"op": "select", "table": "Thing", "where": [], "columns": ["name", "number", "tags"]},
            )
            self.assertEqual(inserted["uuid"][0], "uuid")
            self.assertEqual(selected["rows"], [{"name": "a", "number": 7, "tags": ["set", []]}])

    def test_message_split_into_single_bytes(self):
        text = json.dumps({"id": "x\u00e9\U0001f600", "method": "echo", "params": ["\u20ac", {"a": []}]})
        with self.play.connect() as client:
            for byte in text.encode():
                client.send_bytes(bytes([byte]))
            reply = client.receive()
        self.assertEqual(
            reply, {"id": "x\u00e9\U0001f600", "result": ["\u20ac", {"a": []}], "error": None}
        )

    def test_many_requests_in_one_write(self):
        requests = [{"id": i, "method": "echo", "params": [i]} for i in range(1000)]
        with self.play.connect() as client:
            client.send("".join(json.dumps(request) for request in requests))
            for i in range(1000):
                self.assertEqual(client.receive(), {"id": i, "result": [i], "error": None})

    def test_ids_of_every_json_type_come_back(self):
        with self.play.connect() as client:
            for request_id in [0, -1, 1.5, "", "x", True, [1, [2]], {"a": None}]:
                client.request("echo", [], request_id)
                self.assertEqual(client.receive(), {"id": request_id, "result": [], "error": None})

    def test_numbers_come_back_with_fifteen_digits(self):
        with self.play.connect() as client:
            client.send('{"id":0.30000000000000004,"method":"echo","params":[9223372036854775808,0.1234567890123456789]}')
            reply = client.receive()
        self.assertEqual(reply, {"id": 0.3, "result": [9.22337203685478e18, 0.123456789012346], "error": None})

    def test_garbage_closes_only_that_connection(self):
        garbage = [b"}", b"{]", b'{"id":1,,}', b"\x00", b"nonsense ", b'{"a":"\xff"}', b'{"a":"\\ud800"}', b"[1]", b'"text"', b"{}"]
        with self.play.connect() as bystander:
            for data in garbage:
                with self.subTest(data=data), self.play.connect() as client:
                    client.send_bytes(data)
                    self.assertEqual(client.wait_closed(), [])
                    self.assertEqual(bystander.call("echo", ["still"])["result"], ["still"])

    def test_order_of_what_a_conversion_brings(self):
        with self.play.connect() as client:
            client.call("set_db_change_aware", [True])
            client.call("monitor", ["Play", "m", {"Thing": {}}])
            wait = {"op": "wait", "table": "Thing", "where": [], "columns": ["name"], "until": "!=", "rows": []}
            waiting = client.request("transact", ["Play", wait])
            conversion = client.request("convert", ["Play", {**SCHEMA, "version": "1.0.1"}])
            messages = [client.receive() for _ in range(3)]
        self.assertEqual(
            messages,
            [
                {"id": None, "method": "monitor_canceled", "params": ["m"]},
                {"id": conversion, "result": {}, "error": None},
                {"id": waiting, "error": "canceled"},
            ],
        )

    def test_conversion_with_the_id_of_what_waits(self):
        wait = {"op": "wait", "table": "Thing", "where": [], "columns": ["name"], "until": "!=", "rows": []}
        with self.play.connect() as client:
            client.request("transact", ["Play", wait], request_id=7)
            client.request("convert", ["Play", 3], request_id=7)
            reply = client.receive()
        self.assertEqual(reply["error"]["details"], "convert: duplicate request ID")

    def test_half_a_message_keeps_the_connection(self):
        with self.play.connect() as client:
            client.send_bytes(b'{"id":1,"method":"echo","params":["')
            with self.assertRaises(jsonrpc.Timeout):
                client.receive(0.2)
            client.send_bytes(b'done"]}')
            self.assertEqual(client.receive()["result"], ["done"])


if __name__ == "__main__":
    unittest.main()
