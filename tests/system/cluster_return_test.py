"""Members of a cluster that come back under their id without their file: whom they wait for."""

import os
import threading

from harness.cluster import DATABASE, ClusterTest, all_have, insert, joined, leader, status
from harness.waiting import wait_until


class ReturnTest(ClusterTest):
    def lose_file(self, member, members):
        """Ends `member`, and puts a file to join with in the place of the one that it had."""
        sid, cid = (member.appctl(f"cluster/{name}", DATABASE).strip() for name in ("sid", "cid"))
        member.kill()
        os.unlink(member.databases[0])
        others = [other.address for other in members if other is not member]
        self.tool(f"--sid={sid}", f"--cid={cid}", "join-cluster", member.databases[0], DATABASE, member.address, *others)

    def test_it_comes_back_among_stock_servers_and_votes(self):
        for kinds in (("stock", "stock", "ours"), ("ours", "stock", "ours")):
            with self.subTest(kinds=kinds):
                members = self.cluster(*kinds)
                insert(members[0], *range(5))
                members[0].appctl("ovsdb-server/compact", DATABASE)
                lost = members[-1]
                self.lose_file(lost, members)
                insert(members[0], 5)
                lost.start()
                wait_until(lambda: joined(lost), "it is back", 30)
                insert(lost, 6)
                all_have(members, list(range(7)))
                members[0].kill()
                leader(members[1:])
                insert(lost, 7)
                for member in members[1:]:
                    member.kill()

    def test_it_comes_back_among_stock_servers_under_load(self):
        """A leader of stock's refuses to look ahead: it counts back below zero for each request on its way."""
        members = self.cluster("stock", "stock", "ours")
        insert(members[0], *range(100))
        over = threading.Event()
        writers = [threading.Thread(target=self.write_until, args=(over, members[0], first)) for first in (1000, 100000)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(3):
                self.lose_file(members[-1], members)
                members[-1].start()
                wait_until(lambda: joined(members[-1]), "it is back", 30)
        finally:
            over.set()
            for writer in writers:
                writer.join()
        insert(members[-1], 100)

    @staticmethod
    def write_until(over, member, first):
        with member.connect() as client:
            for n in range(first, first + 10000):
                client.transact(DATABASE, {"op": "insert", "table": "T", "row": {"n": n, "text": "x" * 20000}})
                if over.wait(0.005):
                    break

    def test_it_waits_for_all_that_it_may_have_promised_something(self):
        members = self.cluster("ours", "ours", "ours")
        insert(members[0], 1)
        all_have(members, [1])
        lost, away, other = members
        away.kill()
        self.lose_file(lost, members)
        lost.start()
        wait_until(lambda: status(lost).get("Status") == "joining cluster", "it asks to be let in")
        wait_until(lambda: status(other).get("Role") != "leader", "nobody leads")
        away.start()
        wait_until(lambda: joined(lost), "it is back", 30)
        insert(lost, 2)
        all_have(members, [1, 2])
