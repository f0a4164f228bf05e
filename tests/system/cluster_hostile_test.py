"""What comes to a member's door that is no good, and peers that are of no use."""

import json
import socket
import threading
import unittest
import uuid

from harness import jsonrpc
from harness.cluster import DATABASE, ClusterTest, all_have, free_port, insert, joined, leader, status
from harness.waiting import wait_until

OURS = ("ours", "ours", "ours")


class GarbageTest(ClusterTest):
    def setUp(self):
        super().setUp()
        self.members = self.cluster(*OURS)
        insert(self.members[0], 1)
        all_have(self.members, [1])
        self.first = leader(self.members)
        self.term = status(self.first)["Term"]
        self.cid = self.first.appctl("cluster/cid", DATABASE).strip()
        self.sids = {member: member.appctl("cluster/sid", DATABASE).strip() for member in self.members}

    def message(self, method, **members):
        return {"id": None, "method": method, "params": [{"cluster": self.cid, "to": self.sids[self.first], **members}]}

    def refused(self, content):
        """The member cuts the connection off, and the cluster does not care."""
        with jsonrpc.Connection(self.first.address) as connection:
            try:
                connection.send_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
            except jsonrpc.Closed:
                return
            connection.wait_closed()

    def test_it_is_cut_off(self):
        stranger = str(uuid.uuid4())
        other = next(sid for member, sid in self.sids.items() if member is not self.first)
        entry = {"term": 2**62, "data": [None, {}], "eid": str(uuid.uuid4())}
        for content in (
            b"GET / HTTP/1.0\r\n\r\n",
            b"\xff\xfe\x00",
            b"[]",
            b'{"id":1,"result":1,"error":null}',
            {"id": 1, "method": "hello_request", "params": [{}]},
            self.message("no_such_request", **{"from": stranger}),
            self.message("hello_request", **{"from": stranger}),
            self.message("hello_request", **{"from": "x", "address": "unix:x"}),
            self.message("hello_request", **{"from": self.sids[self.first], "address": "unix:x"}),
            {**self.message("hello_request", **{"from": stranger, "address": "unix:x"}), "params": [{"cluster": str(uuid.uuid4()), "from": stranger, "address": "unix:x"}]},
            self.message("append_request", **{"from": other, "term": -1, "prev_log_index": 1, "prev_log_term": 1, "leader_commit": 1, "log": []}),
            self.message("append_request", **{"from": other, "term": 1, "prev_log_index": 1, "prev_log_term": 1, "leader_commit": 1, "log": [{**entry, "x": 1}]}),
            self.message("vote_request", **{"from": other, "term": 1.5, "last_log_index": 1, "last_log_term": 1}),
            self.message("boreas_piece", **{"from": other}),
            {"id": None, "method": "boreas_piece", "params": ["[", True]},
        ):
            with self.subTest(content=str(content)[:80]):
                self.refused(content)
        self.unmoved()

    def test_a_snapshot_that_is_none(self):
        follower = next(member for member in self.members if member is not self.first)
        snapshot = {
            "cluster": self.cid, "to": self.sids[follower], "from": self.sids[self.first], "term": int(self.term),
            "last_index": 1000, "last_term": int(self.term), "last_eid": str(uuid.uuid4()), "election_timer": 1000,
            "last_servers": {self.sids[member]: member.address for member in self.members}, "data": [],
        }
        for pieces in ([], ["[" * 100000], ["[null,", "{}]"], ['[{"name":"X","tables":{}},', "{"], ['[{"name":"X"},{}]']):
            with jsonrpc.Connection(follower.address) as connection:
                for piece in pieces:
                    connection.send_bytes(json.dumps({"id": None, "method": "boreas_piece", "params": [piece]}).encode())
                connection.send_bytes(json.dumps({"id": None, "method": "install_snapshot_request", "params": [snapshot]}).encode())
        wait_until(lambda: "failed to install a snapshot" in self.log_of(follower), "it says so")
        self.unmoved()

    def log_of(self, member):
        with open(member.log_path, encoding="utf-8") as log:
            return log.read()

    def unmoved(self):
        insert(self.first, 2)
        all_have(self.members, [1, 2])
        self.assertEqual(status(self.first)["Term"], self.term)
        self.assertEqual(status(self.first)["Role"], "leader")

    def test_one_that_never_ends_a_message(self):
        with jsonrpc.Connection(self.first.address) as connection:
            connection.send_bytes(b'{"id":null,"method":"hello_request","params":["' + b"x" * 1000000)
            self.unmoved()


    def test_strangers_who_only_hold_their_connections(self):
        """They are as many as a member takes; one that wants to join gets in, and a line says who made room."""
        held = [jsonrpc.Connection(member.address) for member in self.members for _ in range(260)]
        try:
            self.tool("join-cluster", self.path("x.db"), DATABASE, f"unix:{self.path('x.raft')}",
                      *(member.address for member in self.members))
            newcomer = self.server("x", [self.path("x.db")])
            wait_until(lambda: joined(newcomer), "it joins all the same")
            wait_until(lambda: "has not said who it is" in self.log_of(self.first), "it says so")
            self.unmoved()
        finally:
            for connection in held:
                connection.close()


class UselessPeerTest(ClusterTest):
    def test_a_remote_that_accepts_and_never_answers(self):
        members = self.cluster("ours")
        silent = socket.socket()
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        accepted = []
        threading.Thread(target=lambda: accepted.append(silent.accept()), daemon=True).start()
        self.tool("join-cluster", self.path("x.db"), DATABASE, f"unix:{self.path('x.raft')}",
                  f"tcp:127.0.0.1:{silent.getsockname()[1]}", members[0].address)
        newcomer = self.server("x", [self.path("x.db")])
        wait_until(lambda: joined(newcomer), "it joins all the same")
        wait_until(lambda: accepted, "it has tried the silent one")
        accepted[0][0].close()

    def test_one_that_joins_under_another_database_s_name(self):
        [member] = self.cluster("ours")
        insert(member, 1)
        file = self.path("x.db")
        self.tool("join-cluster", file, "Other", f"unix:{self.path('x.raft')}", member.address)
        newcomer = self.server("x", [file])

        def told():
            with open(newcomer.log_path, encoding="utf-8") as log:
                return f"{file}: failed to install a snapshot: ovsdb error: the cluster stores the database {DATABASE}, not Other" in log.read()

        wait_until(told, "it says what is wrong")
        self.assertIn("Status: joining cluster", newcomer.appctl("cluster/status", "Other"))
        with newcomer.connect() as client:
            self.assertIsNotNone(client.call("get_schema", ["Other"])["error"])
            [found] = client.transact("_Server", {"op": "select", "table": "Database", "where": [["name", "==", "Other"]],
                                                  "columns": ["connected", "index", "schema"]})
            self.assertEqual(found["rows"], [{"connected": False, "index": ["set", []], "schema": ["set", []]}])
        self.assertEqual(len(status(member)["servers"]), 1)
        insert(member, 2)
        all_have([member], [1, 2])

    def test_another_cluster_s_members_stay_outside(self):
        one, two = self.cluster("ours"), self.cluster("ours")
        cid = two[0].appctl("cluster/cid", DATABASE).strip()
        self.tool("--cid=" + cid, "join-cluster", self.path("x.db"), DATABASE, f"tcp:127.0.0.1:{free_port()}", one[0].address)
        stranger = self.server("x", [self.path("x.db")])

        def told():
            with open(one[0].log_path, encoding="utf-8") as log:
                return f"for cluster {cid}, which is not" in log.read()

        wait_until(told, "the member says why it refuses it")
        self.assertEqual(status(stranger)["Status"], "joining cluster")
        self.assertEqual(len(status(one[0])["servers"]), 1)
        insert(one[0], 1)


if __name__ == "__main__":
    unittest.main()
