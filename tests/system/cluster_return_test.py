"""Members of a cluster that come back under their id without their file: whom they wait for."""

import os

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
