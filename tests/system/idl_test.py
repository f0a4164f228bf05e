"""The Python `ovs` library's IDL: replicas, conditions, change tracking, locks, transactions."""

import json
import time
import unittest

from harness.case import SystemTest

try:
    import ovs.db.idl
    import ovs.poller
    import ovs.vlog

    ovs.vlog.Vlog.set_level("any", "console", "off")
    ovs.vlog.Vlog.init()
except ImportError:
    ovs = None

SCHEMA = {
    "name": "Shop",
    "version": "1.0.0",
    "tables": {
        "Item": {
            "columns": {
                "name": {"type": "string"},
                "price": {"type": "real"},
                "stock": {"type": "integer"},
                "labels": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
                "facts": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
                "shelf": {"type": {"key": {"type": "uuid", "refTable": "Shelf"}, "min": 0, "max": 1}},
                "related": {"type": {"key": {"type": "uuid", "refTable": "Item", "refType": "weak"},
                                     "min": 0, "max": "unlimited"}},
            },
            "indexes": [["name"]],
            "isRoot": True,
        },
        "Shelf": {"columns": {"number": {"type": "integer"}}},
    },
}


@unittest.skipIf(ovs is None, "no Python ovs library (python3-openvswitch)")
class IdlTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.shop = self.server(databases=[self.database("shop", SCHEMA)])

    def replica(self, condition=None, lock=None, track=False, columns=None):
        helper = ovs.db.idl.SchemaHelper(schema_json=SCHEMA)
        if columns:
            helper.register_columns("Item", columns)
        else:
            helper.register_all()
        made = TrackingIdl(self.shop.remote, helper) if track else ovs.db.idl.Idl(self.shop.remote, helper)
        if condition is not None:
            made.cond_change("Item", condition)
        if lock:
            made.set_lock(lock)
        self.addCleanup(made.close)
        # Not has_ever_connected(): that a lock's arrival makes true before any content came.
        self.run_until(made, lambda: made.state == ovs.db.idl.Idl.IDL_S_MONITORING, "the IDL monitors")
        return made

    def run_until(self, idl, condition, what, seconds=20):
        """Runs the IDL, as a program's main loop would, until condition()."""
        deadline = time.monotonic() + seconds
        idl.run()
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"not within {seconds} s: {what}")
            poller = ovs.poller.Poller()
            idl.wait(poller)
            poller.timer_wait(100)
            poller.block()
            idl.run()

    def commit(self, idl, change):
        """Runs change(transaction) to its end, and returns the transaction."""
        transaction = ovs.db.idl.Transaction(idl)
        change(transaction)
        self.assertIn(transaction.commit_block(),
                      (ovs.db.idl.Transaction.SUCCESS, ovs.db.idl.Transaction.UNCHANGED),
                      transaction.get_error())
        return transaction

    def add(self, idl, name, **columns):
        def change(transaction):
            row = transaction.insert(idl.tables["Item"])
            row.name = name
            for column, value in columns.items():
                setattr(row, column, value)
        return self.commit(idl, change)

    @staticmethod
    def names(idl):
        return sorted(row.name for row in idl.tables["Item"].rows.values())

    def find(self, idl, name):
        return next((row for row in idl.tables["Item"].rows.values() if row.name == name), None)

    def test_transactions_reach_another_replica(self):
        writer, reader = self.replica(), self.replica()

        def fill(transaction):
            shelf = transaction.insert(writer.tables["Shelf"])
            shelf.number = 3
            item = transaction.insert(writer.tables["Item"])
            item.name, item.price, item.stock = "tea \u2615", 2.5, -7
            item.labels = ["hot", "green"]
            item.facts = {"origin": "hill", "quote": 'say "tea"'}
            item.shelf = shelf
            transaction.add_comment("filled")

        self.commit(writer, fill)
        self.run_until(reader, lambda: self.names(reader) == ["tea \u2615"], "the row arrives")
        row = self.find(reader, "tea \u2615")
        self.assertEqual((row.price, row.stock, sorted(row.labels)), (2.5, -7, ["green", "hot"]))
        self.assertEqual(row.facts, {"origin": "hill", "quote": 'say "tea"'})
        self.assertEqual(row.shelf[0].number, 3)

        def change(transaction):
            item = self.find(writer, "tea \u2615")
            item.addvalue("labels", "strong")
            item.delvalue("labels", "hot")
            item.setkey("facts", "age", "1")
            item.delkey("facts", "quote")
            item.increment("stock")

        self.commit(writer, change)
        self.run_until(reader, lambda: row.stock == -6, "the mutations arrive")
        self.assertEqual(sorted(row.labels), ["green", "strong"])
        self.assertEqual(row.facts, {"origin": "hill", "age": "1"})
        self.commit(writer, lambda transaction: self.find(writer, "tea \u2615").delete())
        self.run_until(reader, lambda: not self.names(reader), "the row goes")
        self.assertEqual(list(reader.tables["Shelf"].rows.values()), [])

    def test_failing_transaction(self):
        idl = self.replica()
        self.add(idl, "one")
        transaction = ovs.db.idl.Transaction(idl)
        transaction.insert(idl.tables["Item"]).name = "one"
        self.assertEqual(transaction.commit_block(), ovs.db.idl.Transaction.ERROR)
        self.assertEqual(json.loads(transaction.get_error())["error"], "constraint violation")

    def test_verify_makes_writers_try_again(self):
        first, second = self.replica(), self.replica()
        self.add(first, "counter", stock=1)
        self.run_until(second, lambda: self.names(second), "the row arrives")
        late = ovs.db.idl.Transaction(second)
        row = self.find(second, "counter")
        row.verify("stock")
        row.stock = row.stock + 10

        def change(transaction):
            self.find(first, "counter").stock = 5

        self.commit(first, change)
        self.assertEqual(late.commit_block(), ovs.db.idl.Transaction.TRY_AGAIN)
        late.abort()
        self.run_until(second, lambda: self.find(second, "counter").stock == 5, "the change arrives")

    def test_condition_and_its_change(self):
        writer = self.replica()
        for name, stock in (("a", 1), ("b", 2), ("c", 3), ("d", 4)):
            self.add(writer, name, stock=stock)
        some = self.replica(condition=[["stock", ">", 2]])
        self.run_until(some, lambda: self.names(some) == ["c", "d"], "rows that match arrive")

        def change(transaction):
            self.find(writer, "a").stock = 9
            self.find(writer, "d").stock = 0

        self.commit(writer, change)
        self.run_until(some, lambda: self.names(some) == ["a", "c"], "rows come and go with their values")
        some.cond_change("Item", [["name", "==", "b"], ["name", "==", "d"]])
        self.run_until(some, lambda: self.names(some) == ["b", "d"], "the new condition holds")
        some.cond_change("Item", [False])
        self.run_until(some, lambda: self.names(some) == [], "nothing matches false")
        some.cond_change("Item", [True])
        self.run_until(some, lambda: self.names(some) == ["a", "b", "c", "d"], "all match true")

    def test_fewer_columns(self):
        writer = self.replica()
        self.add(writer, "a", stock=1)
        some = self.replica(columns=["name"])
        self.run_until(some, lambda: self.names(some) == ["a"], "the row arrives")
        self.assertFalse(hasattr(self.find(some, "a"), "stock"))

    def test_change_tracking(self):
        watcher, writer = self.replica(track=True), self.replica()
        self.add(writer, "x", stock=1)
        self.commit(writer, lambda t: setattr(self.find(writer, "x"), "stock", 2))
        self.commit(writer, lambda t: self.find(writer, "x").delete())
        self.run_until(watcher, lambda: len(watcher.events) == 3, "three events come")
        self.assertEqual(watcher.events, [("create", "x", None), ("update", "x", 1), ("delete", "x", None)])

    def test_weak_references_go_with_their_row(self):
        idl = self.replica()
        self.add(idl, "a")
        self.add(idl, "b")

        def relate(transaction):
            self.find(idl, "a").related = [self.find(idl, "b")]

        self.commit(idl, relate)
        self.run_until(idl, lambda: len(self.find(idl, "a").related) == 1, "the reference is there")
        self.commit(idl, lambda transaction: self.find(idl, "b").delete())
        self.run_until(idl, lambda: self.find(idl, "a").related == [], "the reference goes")

    def test_lock(self):
        holder = self.replica(lock="the_lock")
        self.run_until(holder, lambda: holder.has_lock, "the first gets the lock")
        waiter = self.replica(lock="the_lock")
        self.run_until(waiter, lambda: waiter.is_lock_contended, "the second waits")
        transaction = ovs.db.idl.Transaction(waiter)
        transaction.insert(waiter.tables["Item"]).name = "no"
        self.assertEqual(transaction.commit_block(), ovs.db.idl.Transaction.NOT_LOCKED)
        transaction.abort()
        self.add(holder, "yes")
        holder.close()
        self.run_until(waiter, lambda: waiter.has_lock, "the second gets it after the first")
        self.add(waiter, "now")
        self.assertEqual(self.names(waiter), ["now", "yes"])

    def test_reconnects_to_a_restarted_server(self):
        idl = self.replica()
        self.add(idl, "kept")
        before = idl.change_seqno
        self.shop.stop()
        self.shop.start()
        self.run_until(idl, lambda: idl.change_seqno != before and self.names(idl) == ["kept"], "the IDL is back")
        self.add(idl, "more")
        self.run_until(idl, lambda: self.names(idl) == ["kept", "more"], "it writes again")


if ovs:

    class TrackingIdl(ovs.db.idl.Idl):
        """Keeps what notify() tells."""

        def __init__(self, *arguments):
            self.events = []
            super().__init__(*arguments)

        def notify(self, event, row, updates=None):
            if row._table.name == "Item":
                self.events.append((event, row.name, getattr(updates, "stock", None)))


if __name__ == "__main__":
    unittest.main()
