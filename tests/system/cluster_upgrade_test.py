"""From stock to ours and back, one member at a time, under load; and clusters as ovn-ctl makes them."""

import os
import re
import unittest

from chaos.load import DATABASE, SCHEMA, Client, History, initial_operations
from harness import binaries
from harness.case import SystemTest
from harness.cluster import free_port
from harness.daemon import OvsdbServer
from harness.waiting import wait_until
from system.ovn_ctl_test import OvnCtlTest


@binaries.needs_reference
class RollingUpgradeTest(SystemTest):
    def test_stock_to_ours_and_back_under_load(self):
        schema = self.write("schema", SCHEMA)
        tool = binaries.reference("ovsdb-tool")
        address = [f"unix:{self.path(name)}.raft" for name in "abc"]
        self.run_command(tool, "create-cluster", self.path("a.db"), schema, address[0])
        for i, name in enumerate("bc", 1):
            self.run_command(tool, "join-cluster", self.path(name + ".db"), DATABASE, address[i], address[0])
        members = [self.reference_server(name, [self.path(name + ".db")]) for name in "abc"]
        for member in members:
            wait_until(lambda: "cluster member" in member.appctl("cluster/status", DATABASE), f"{member.name} joins")
        with members[0].connect() as client:
            client.transact(DATABASE, *initial_operations())
        history = History()
        for member in members:
            member.kind = "stock"
        clients = [Client(f"client {i}", members, history, i, pause=0.01) for i in range(4)]
        for client in clients:
            client.start()
        try:
            for kind in ("ours", "stock"):
                for member in members:
                    self.replace(member, kind)
                    before = len(history.acknowledged)
                    wait_until(lambda: len(history.acknowledged) > before + 20, f"writes go on with {member.name} of {kind}")
        finally:
            for client in clients:
                client.stop()
            for client in clients:
                client.join(60)
        numbers = {}

        def agree():
            numbers.update({member.name: self.numbers(member) for member in members})
            return len({tuple(have) for have in numbers.values()}) == 1

        wait_until(agree, "all have the same")
        self.assertEqual(history.verdict(numbers), [])
        self.assertGreater(len(history.acknowledged), 100)
        for member in members:
            member.kill()
        self.run_command(tool, "check-cluster", *[member.databases[0] for member in members])

    def replace(self, member, kind):
        """Another program goes on with the member's file and sockets."""
        member.stop()
        member.kind = kind
        member.path = (binaries.ours if kind == "ours" else binaries.reference)("ovsdb-server")
        member.start()
        wait_until(lambda: "Status: cluster member" in member.appctl("cluster/status", DATABASE), f"{member.name} is back")

    def numbers(self, member):
        with member.connect() as client:
            [found] = client.transact(DATABASE, {"op": "select", "table": "Number", "where": [], "columns": ["n"]})
        return sorted(row["n"] for row in found["rows"])


class OvnCtlClusterTest(OvnCtlTest):
    """Three nodes of each kind, by Debian's script."""

    NODES = (1, 2, 3)

    def setUp(self):
        super().setUp()
        # OvnCtlTest has a folder per kind; here there is one per kind and node.
        kinds = dict(self.folders)
        self.kinds = tuple(kinds)
        for kind in kinds:
            for node in self.NODES:
                folder = self.path(f"{kind}{node}")
                for part in ("run", "log", "db", "etc"):
                    os.makedirs(os.path.join(folder, part))
                os.symlink(os.path.join(kinds[kind], "bin"), os.path.join(folder, "bin"))
                self.folders[f"{kind}{node}"] = folder
        self.ports = {name: free_port() for name in self.folders}

    def start(self, kind, node, *more):
        options = ["--db-nb-cluster-local-addr=127.0.0.1", f"--db-nb-cluster-local-port={self.ports[f'{kind}{node}']}",
                   "--db-nb-cluster-local-proto=tcp", "--db-nb-election-timer=2000"]
        if node > 1:
            options += ["--db-nb-cluster-remote-addr=127.0.0.1", "--db-nb-cluster-remote-proto=tcp",
                        f"--db-nb-cluster-remote-port={self.ports[f'{kind}1']}"]
        text = self.ctl(f"{kind}{node}", *options, *more, "start_nb_ovsdb")
        for name, port in self.ports.items():
            text = text.replace(str(port), "PORT" + name[-1])
        # Who waits for a member that has not joined yet is sent away when it has, or comes later: chance.
        return re.sub(r"^(reconnect|jsonrpc)\|.*\n", "", text, flags=re.MULTILINE)

    def status(self, name):
        return self.run_command(binaries.reference("ovs-appctl"), "-t", f"{self.folders[name]}/run/ovnnb_db.ctl",
                                "cluster/status", "OVN_Northbound").stdout

    def check_clusters(self):
        for kind in self.kinds:
            for node in self.NODES:
                name = f"{kind}{node}"
                wait_until(lambda: "Status: cluster member" in self.status(name), f"{name} joins")
            status = self.status(f"{kind}3")
            self.assertEqual(status.count(" at tcp:127.0.0.1:"), 3)
        remotes = {kind: ",".join(f"unix:{self.folders[f'{kind}{node}']}/run/ovnnb_db.sock" for node in self.NODES)
                   for kind in self.kinds}
        for kind in self.kinds:
            nbctl = [binaries.reference("ovn-nbctl"), "--db=" + remotes[kind], "--timeout=20"]
            self.run_command(*nbctl, "ls-add", "sw0")
            self.assertIn("sw0", self.run_command(*nbctl, "show").stdout)

    def test_three_nodes(self):
        for node in self.NODES:
            self.assertEqual(*(self.start(kind, node).replace(kind, "KIND") for kind in self.kinds))
        self.check_clusters()
        for kind in self.kinds:
            self.assertIn("Election timer: 2000", self.status(f"{kind}2"))

    def test_a_standalone_database_becomes_a_cluster(self):
        for kind in self.kinds:
            self.assertIn("-> 0\n", self.ctl(f"{kind}1", "start_nb_ovsdb"))
            self.nbctl(f"{kind}1", "ls-add", "old")
            self.ctl(f"{kind}1", "stop_nb_ovsdb")
        for node in self.NODES:
            self.assertEqual(*(self.start(kind, node).replace(kind, "KIND") for kind in self.kinds))
        self.check_clusters()
        for kind in self.kinds:
            self.assertIn("old", self.nbctl(f"{kind}2", "--no-leader-only", "ls-list"))


def load_tests(loader, *_):
    """OvnCtlTest's own tests have their own module."""
    suite = unittest.TestSuite()
    suite.addTests(loader.loadTestsFromTestCase(RollingUpgradeTest))
    suite.addTests(OvnCtlClusterTest(name) for name in ("test_three_nodes", "test_a_standalone_database_becomes_a_cluster"))
    return suite


if __name__ == "__main__":
    unittest.main()
