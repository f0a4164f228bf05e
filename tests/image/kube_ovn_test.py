"""What Kube-OVN's scripts and its leader checker ask of a node, and a start-up like theirs over our entry point."""

import json
import os
import re
import unittest

from harness.waiting import wait_until
from image.case import ImageTest, needs_image, now
from image.nodes import DATABASES, NUMBERS

START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "by_ovn_ctl.sh")


@needs_image
class KubeOvnTest(ImageTest):
    """Recipe: "Kube-OVN" in docs/operations.md."""

    options = ("-v", START + ":/usr/bin/ovn-central:ro")

    def control(self, number, database, *words, check=True):
        done = self.nodes.exec(number, "ovn-appctl", "-t", f"/var/run/ovn/ovn{database}_db.ctl", *words, check=check)
        return done.stdout + done.stderr

    def test_it_starts_and_is_healthy(self):
        self.nodes.wait_until_members()
        for number in NUMBERS:
            self.assertEqual(self.unhealthy(number), "")
            for status in ("status_northd", "status_ovnnb", "status_ovnsb"):
                self.nodes.exec(number, "/usr/share/ovn/scripts/ovn-ctl", status)
        self.nodes.exec(2, "ovn-nbctl", "--no-leader-only", "set", "NB_Global", ".", "options:use_logical_dp_groups=true")
        self.nodes.sync(3)

    def test_leaders_are_found(self):
        """By the database, by ovn-northd's control socket that the pid names, and by stealing its lock."""
        for database, name in DATABASES.items():
            query = json.dumps(["_Server", {"op": "select", "table": "Database", "where": [["name", "==", name]],
                                            "columns": ["leader"]}])
            answers = [self.nodes.exec(number, "ovsdb-client", "query", self.nodes.server(number, database), query).stdout
                       for number in NUMBERS]
            self.assertEqual(sorted(answers), ['[{"rows":[{"leader":false}]}]\n'] * 2 + ['[{"rows":[{"leader":true}]}]\n'])

        def states():
            ask = "ovn-appctl -t /var/run/ovn/ovn-northd.$(cat /var/run/ovn/ovn-northd.pid).ctl status"
            return sorted(self.nodes.exec(number, "bash", "-c", ask).stdout for number in NUMBERS)

        one_active = ["Status: active\n"] + ["Status: standby\n"] * 2
        self.assertEqual(states(), one_active)
        leader = self.nodes.leader("sb")
        steal = ("ovsdb-client", "-t", "1", "steal", self.nodes.server(leader, "sb"), "ovn_northd")
        self.nodes.exec(leader, *steal, check=False)
        wait_until(lambda: states() == one_active, "one ovn-northd is active again")
        self.nodes.sync(1)

    def test_compaction_and_header(self):
        leader = self.nodes.leader()
        for database, name in DATABASES.items():
            for number in NUMBERS:
                self.control(number, database, "ovsdb-server/compact", check=False)
                again = self.control(number, database, "ovsdb-server/compact", check=False)
                self.assertIn("not storing a duplicate snapshot", again)
                file = f"/etc/ovn/ovn{database}_db.db"
                header = json.loads(self.nodes.exec(number, "ovsdb-tool", "db-raft-header", file).stdout)
                self.assertEqual(header["name"], name)
                port = {"nb": 6643, "sb": 6644}[database]
                self.assertEqual(header["local_address"], f"tcp:[10.89.77.{10 + number}]:{port}")
                self.assertEqual(header["server_id"], self.control(number, database, "cluster/sid", name).strip())
                self.assertEqual(header["cluster_id"], self.control(number, database, "cluster/cid", name).strip())
                status = self.control(number, database, "cluster/status", name)
                self.assertRegex(status, re.compile(r"^Role: (leader|follower)$", re.M))
        self.assertEqual(self.nodes.leader(), leader)

    def test_nodes_lose_one_thing_after_the_other(self):
        """A disk with all on it, then another node's file, and then a file that is no database."""
        with self.load() as load:
            self.settle(load)
            since = now()
            self.nodes.kill(3)
            self.nodes.wipe(3)
            self.nodes.start(3)
            # It joined as a new member, and nobody counts the one that it was: the next loss would stop the cluster.
            self.nodes.wait_until_members()
            self.nodes.kill(2)
            os.unlink(self.nodes.file(2, "ovnsb_db.db"))
            self.nodes.start(2)
            self.nodes.wait_until_members()
            self.nodes.kill(1)
            with open(self.nodes.file(1, "ovnsb_db.db"), "wb") as file:
                file.write(b"no database" * 500)
            self.nodes.start(1)
            self.outage("three nodes lose a file or a disk in turn", load, since)
        self.check(load)


if __name__ == "__main__":
    unittest.main()
