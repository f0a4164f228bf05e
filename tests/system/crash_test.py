"""kill -9 at random moments: what was acknowledged as durable is there afterwards.

BOREAS_KILLS sets how often (default 10; 100 for the record).
"""

import os
import random
import shutil
import threading
import time
import unittest

from harness import binaries, jsonrpc
from harness.case import SystemTest

KILLS = int(os.environ.get("BOREAS_KILLS", "10"))
KILLS_PER_LEDGER = 8  # Then the rows are deleted: reading them all again takes the longer the more.
WRITERS = 4
SCHEMA = {
    "name": "Ledger",
    "version": "1.0.0",
    "tables": {
        "Entry": {"columns": {"number": {"type": "integer"}, "writer": {"type": "integer"},
                              "text": {"type": "string"}}, "indexes": [["writer", "number"]], "isRoot": True},
        "Total": {"columns": {"writer": {"type": "integer"}, "count": {"type": "integer"}},
                  "indexes": [["writer"]], "isRoot": True},
    },
}


class Writer(threading.Thread):
    """Writes numbered entries, several in flight, until the server is gone."""

    IN_FLIGHT = 8

    def __init__(self, remote, number, first):
        super().__init__(daemon=True)
        self.remote = remote
        self.number = number
        self.next = first
        self.acknowledged = []
        self.refused = []

    def run(self):
        try:
            with jsonrpc.Connection(self.remote) as connection:
                sent = {}
                while True:
                    while len(sent) < self.IN_FLIGHT:
                        sent[connection.request("transact", self.transaction(self.next))] = self.next
                        self.next += 1
                    reply = connection.receive()
                    entry = sent.pop(reply["id"], None)
                    if entry is None:
                        continue
                    if any("error" in (part or {}) for part in reply["result"]):
                        self.refused.append((entry, reply))
                    else:
                        self.acknowledged.append(entry)
        except (jsonrpc.Closed, OSError):
            pass

    def transaction(self, entry):
        return [
            "Ledger",
            {"op": "insert", "table": "Entry",
             "row": {"writer": self.number, "number": entry, "text": "x" * (entry * 37 % 3000)}},
            {"op": "mutate", "table": "Total", "where": [["writer", "==", self.number]],
             "mutations": [["count", "+=", 1]]},
            {"op": "commit", "durable": True},
        ]


class CrashTest(SystemTest):
    def test_acknowledged_transactions_survive(self):
        path = self.database("ledger", SCHEMA)
        server = self.server(databases=[path])
        first = [0] * WRITERS
        totals = [0] * WRITERS
        rng = random.Random()
        for kill in range(KILLS):
            if kill % KILLS_PER_LEDGER == 0:
                self.begin_ledger(server)
                acknowledged = [[] for _ in range(WRITERS)]
                begun = list(first)
            writers = [Writer(server.remote, number, first[number]) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            self.let_write(server, rng, kill)
            server.kill()
            for writer in writers:
                writer.join(30)
                self.assertFalse(writer.is_alive())
                self.assertEqual(writer.refused, [])
                acknowledged[writer.number] += writer.acknowledged
                totals[writer.number] += len(writer.acknowledged)
                first[writer.number] = writer.next
            sent = [set(range(*numbers)) for numbers in zip(begun, first)]
            if binaries.have_reference():
                self.check_rows(self.rows_by_stock(path), acknowledged, sent)
            server.start()
            with server.connect() as client:
                self.check_rows(client.transact("Ledger", *self.queries()), acknowledged, sent)
        self.assertTrue(all(totals))

    @staticmethod
    def begin_ledger(server):
        """Durably forgets all entries."""
        with server.connect() as client:
            client.transact(
                "Ledger", {"op": "delete", "table": "Entry", "where": []},
                {"op": "delete", "table": "Total", "where": []},
                *({"op": "insert", "table": "Total", "row": {"writer": writer}} for writer in range(WRITERS)),
                {"op": "commit", "durable": True})

    @staticmethod
    def let_write(server, rng, kill):
        """A random moment; every third time in the middle of a compaction, if it takes that long."""
        time.sleep(rng.uniform(0.02, 0.4))
        if kill % 3 == 2:
            def compact():
                try:
                    server.appctl("ovsdb-server/compact")
                except (OSError, jsonrpc.Closed):
                    pass

            threading.Thread(target=compact, daemon=True).start()
            time.sleep(rng.uniform(0, 0.02))

    @staticmethod
    def queries():
        return [{"op": "select", "table": "Entry", "where": [], "columns": ["writer", "number"]},
                {"op": "select", "table": "Total", "where": [], "columns": ["writer", "count"]}]

    def rows_by_stock(self, path):
        """Has the reference serve a copy of the file as the crash left it.

        Its server, for its ovsdb-tool refuses any file whose last record is torn.
        """
        copy = shutil.copy(path, self.path("copy.db"))
        stock = self.reference_server(databases=[copy])
        try:
            with stock.connect() as client:
                return client.transact("Ledger", *self.queries())
        finally:
            stock.kill()

    def check_rows(self, results, acknowledged, sent):
        """Nothing acknowledged is missing, nothing else there, and every transaction is whole or absent."""
        entries, totals = [result["rows"] for result in results]
        for writer in range(WRITERS):
            numbers = {row["number"] for row in entries if row["writer"] == writer}
            self.assertEqual(set(acknowledged[writer]) - numbers, set())
            self.assertEqual(numbers - sent[writer], set())
            counts = [row["count"] for row in totals if row["writer"] == writer]
            self.assertEqual(counts, [len(numbers)])


if __name__ == "__main__":
    unittest.main()
