"""Clusters: ours alone and mixed with the reference's servers."""

import json
import shutil
import unittest

from harness import binaries, jsonrpc
from harness.cluster import DATABASE, SCHEMA, ClusterTest, all_have, insert, joined, leader, numbers_of, status
from harness.daemon import CommandFailed
from harness.waiting import wait_until

OURS = ("ours", "ours", "ours")
MIXTURES = [OURS, ("ours", "stock", "stock"), ("stock", "ours", "ours"), ("ours", "ours", "stock")]


class CommitTest(ClusterTest):
    def test_every_member_writes_and_all_see_it(self):
        for kinds in MIXTURES:
            with self.subTest(kinds=kinds):
                members = self.cluster(*kinds)
                for i, member in enumerate(members):
                    insert(member, *range(10 * i, 10 * i + 5))
                all_have(members, sorted(10 * i + j for i in range(3) for j in range(5)))
                for member in members:
                    member.kill()
                self.check_files(members)

    def check_files(self, members):
        files = [member.databases[0] for member in members]
        self.run_command(binaries.reference("ovsdb-tool"), "check-cluster", *files)

    def test_an_index_is_unique_in_the_whole_cluster(self):
        members = self.cluster(*OURS)
        insert(members[0], 1)
        for member in members:
            with member.connect() as client:
                results = client.transact(DATABASE, {"op": "insert", "table": "T", "row": {"n": 1}})
            self.assertEqual(results[-1]["error"], "constraint violation")


    @binaries.needs_reference
    def test_what_leaves_no_record_is_no_change(self):
        for kind in ("ours", "stock"):
            with self.subTest(kind=kind):
                [member] = self.cluster(kind)
                insert(member, 1)
                with member.connect() as client:
                    client.call("monitor", [DATABASE, "m", {"T": {}}])
                    nobody = ["uuid", "deadbeef-0000-4000-8000-000000000000"]  # Goes at once, by its weak reference.
                    refer = {"op": "mutate", "table": "T", "where": [], "mutations": [["others", "insert", nobody]]}
                    request = client.request("transact", [DATABASE, refer])
                    reply, told = client.wait_for(lambda message: message["id"] == request)
                self.assertEqual(reply["result"], [{"count": 1}])
                self.assertEqual(told, [])


class FailoverTest(ClusterTest):
    def test_the_others_go_on_and_the_lost_one_comes_back(self):
        for kinds in MIXTURES:
            with self.subTest(kinds=kinds):
                members = self.cluster(*kinds)
                insert(members[1], 1, 2)
                all_have(members, [1, 2])
                lost = leader(members)
                lost.kill()
                rest = [member for member in members if member is not lost]
                leader(rest)
                insert(rest[0], 3)
                insert(rest[1], 4)
                lost.start()
                wait_until(lambda: joined(lost), "the lost one is back")
                all_have(members, [1, 2, 3, 4])
                for member in members:
                    member.kill()

    def test_a_follower_that_missed_a_snapshot_gets_it(self):
        members = self.cluster(*OURS)
        insert(members[0], *range(5))
        all_have(members, list(range(5)))
        first = leader(members)
        behind = next(member for member in members if member is not first)
        behind.kill()
        insert(first, *range(5, 10))
        first.appctl("ovsdb-server/compact", DATABASE)
        insert(first, 10)
        behind.start()
        all_have(members, list(range(11)))
        self.assertEqual(status(first)["Role"], "leader")

    def test_large_snapshots(self):
        """Between ours they go in pieces, from and to stock in one message."""
        text = 'x"\u00e9' * 25000
        for kinds in (OURS, ("ours", "ours", "stock"), ("stock", "stock", "ours")):
            with self.subTest(kinds=kinds):
                members = self.cluster(*kinds)
                first, behind = members[0], members[2]
                self.assertIs(leader(members), first)
                term = status(first)["Term"]
                behind.kill()
                with first.connect() as client:
                    for n in range(40):
                        [done] = client.transact(DATABASE, {"op": "insert", "table": "T", "row": {"n": n, "text": text}})
                        self.assertIn("uuid", done)
                first.appctl("ovsdb-server/compact", DATABASE)
                insert(first, 40)
                behind.start()
                all_have(members, list(range(41)))
                with behind.connect() as client:
                    [found] = client.transact(DATABASE, {"op": "select", "table": "T", "where": [["n", "==", 7]], "columns": ["text"]})
                self.assertEqual(found["rows"], [{"text": text}])
                if kinds == OURS:
                    self.assertEqual(status(first)["Term"], term)
                for member in members:
                    member.kill()

    def test_one_of_three_serves_nothing_new(self):
        members = self.cluster(*OURS)
        insert(members[0], 1)
        all_have(members, [1])
        for member in members[1:]:
            member.kill()
        with members[0].connect() as client:
            client.request("transact", [DATABASE, {"op": "insert", "table": "T", "row": {"n": 2}}])
            wait_until(lambda: status(members[0]).get("Role") != "leader", "it steps down")
        members[1].start()
        leader(members[:2])
        insert(members[1], 3)


@binaries.needs_reference
class ControlTest(ClusterTest):
    def test_members_tell_the_same(self):
        members = self.cluster("ours", "stock", "ours")
        insert(members[0], 1)
        all_have(members, [1])

        def memory(member):
            shown = dict(word.split(":") for word in member.appctl("memory/show").split())
            return {key: n for key, n in shown.items() if key.startswith("raft-")}

        for member in members:
            wait_until(lambda: memory(member)["raft-connections"] == "4", "two go out, two come in")
            self.assertIn("raft-log", memory(member))
        for member in members:
            member.appctl("ovsdb-server/compact", DATABASE)
            self.assertRegex(self.refusal(member), r"(^|\n)ovsdb error: not storing a duplicate snapshot")

    def refusal(self, member):
        """Of a compaction when there is nothing new. A leader of stock's hands over for one, which is new."""
        for _ in range(5):
            try:
                member.appctl("ovsdb-server/compact", DATABASE)
            except CommandFailed as refused:
                return str(refused)
        self.assertEqual(member.kind, "stock", "ours compacts again and again")
        with open(member.log_path, encoding="utf-8") as log:  # At times it only logs it.
            return "\n".join(line.rpartition("|")[2] for line in log)


    def test_the_file_of_one_that_left(self):
        last = []
        for kind in ("ours", "stock"):
            members = self.cluster(kind, kind)

            def end(file=members[1].databases[0]):
                with open(file, "rb") as log:
                    return log.read().splitlines()[-1]

            members[1].appctl("cluster/leave", DATABASE)
            wait_until(lambda e=end: b"note" in e(), "it has left")
            last.append(end())
            for member in members:
                member.kill()
        self.assertEqual(*last)

    def test_members_copy_nobody(self):
        """What a standalone server would do, and ovn-ctl's demote_ovnnb has done."""
        for kind in ("ours", "stock"):
            with self.subTest(kind=kind):
                [other] = self.cluster(kind)
                insert(other, 777)
                members = self.cluster(kind, kind, kind)
                insert(members[0], 1)
                for member in members:
                    member.appctl("ovsdb-server/set-active-ovsdb-server", other.remote)
                    member.appctl("ovsdb-server/connect-active-ovsdb-server")
                    member.appctl("ovsdb-server/set-sync-exclude-tables", f"{DATABASE}:T")
                    self.assertEqual(member.appctl("ovsdb-server/sync-status"), "state: active\n")
                for n, member in enumerate(members, 2):
                    insert(member, n)
                all_have(members, [1, 2, 3, 4])
                for member in members:
                    member.appctl("ovsdb-server/disconnect-active-ovsdb-server")
                    self.assertEqual(member.appctl("ovsdb-server/sync-status"), "state: active\n")
                for member in [other, *members]:
                    member.kill()


class PeersTest(ClusterTest):
    def test_one_that_is_gone_fills_no_log(self):
        members = self.cluster(*OURS)
        first = leader(members)
        gone = next(member for member in members if member is not first)
        gone.kill()

        def lines():
            with open(first.log_path, encoding="utf-8") as log:
                return [line for line in log if gone.address in line and "|reconnect|" in line]

        wait_until(lambda: "suppressing further logging" in "".join(lines()), "it gives up telling")
        told = len(lines())
        # One attempt a second goes on; two connections are lost, one each way.
        self.assertLessEqual(int(status(first)["Disconnections"]), 2)
        gone.start()
        wait_until(lambda: joined(gone), "it is back")
        self.assertLessEqual(len(lines()), told + 2)

    def test_a_model_that_is_not_the_file_s(self):
        [member] = self.cluster("ours")
        member.stop()
        file = member.databases[0]
        config = self.write("config.json", {"remotes": {}, "databases": {file: {"service-model": "standalone"}}})
        refused = self.run_command(binaries.ours("ovsdb-server"), "--config-file=" + config, "--no-chdir",
                                   "--unixctl=" + self.path("x.ctl"), check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"{file}: database is clustered and not standalone", refused.stderr)


class MembershipTest(ClusterTest):
    def test_leaving_and_being_kicked(self):
        members = self.cluster(*OURS)
        insert(members[0], 1)
        first = leader(members)
        others = [member for member in members if member is not first]
        others[0].appctl("cluster/leave", DATABASE)
        wait_until(lambda: len(status(first)["servers"]) == 2, "one is gone")
        wait_until(lambda: self.databases(others[0]) == ["_Server"], "and knows it")
        sid = others[1].appctl("cluster/sid", DATABASE)
        self.assertEqual(first.appctl("cluster/kick", DATABASE, sid[:4]), "started removal")
        wait_until(lambda: len(status(first)["servers"]) == 1, "the other is gone, too")
        wait_until(lambda: self.databases(others[1]) == ["_Server"], "and knows it")
        insert(first, 2)
        self.assertEqual(numbers_of(first), [1, 2])
        with self.assertRaisesRegex(CommandFailed, "unknown server"):
            first.appctl("cluster/kick", DATABASE, sid[:4])

    def test_a_leader_whose_database_is_removed_hands_over(self):
        members = self.cluster(*OURS)
        first = leader(members)
        first.appctl("ovsdb-server/remove-db", DATABASE)
        rest = [member for member in members if member is not first]
        self.assertIn("reason: leadership_transfer", leader(rest).appctl("cluster/status", DATABASE))

    def test_kicks_that_nothing_comes_of(self):
        members = self.cluster("ours", "ours")
        with self.subTest("no leader"):
            members[1].kill()
            wait_until(lambda: status(members[0])["Leader"] == "unknown", "it leads no more")
            with self.assertRaisesRegex(CommandFailed, "failed to send removal request"):
                members[0].appctl("cluster/kick", DATABASE, members[1].address)
        with self.subTest("the only server"):
            [only] = self.cluster("ours")
            with self.assertRaisesRegex(CommandFailed, "the only server can't be removed"):
                only.appctl("cluster/kick", DATABASE, only.address)
            insert(only, 1)

    def test_two_servers_with_one_id(self):
        members = self.cluster(*OURS)
        first = leader(members)
        follower = next(member for member in members if member is not first)
        copy = self.path("copy.db")
        shutil.copy(follower.databases[0], copy)
        self.server("copy", [copy])
        wait_until(lambda: "two servers may use one ID" in read(first.log_path), "the leader warns of it")

    def databases(self, member):
        return member.appctl("ovsdb-server/list-dbs").split()

    def test_the_election_timer(self):
        members = self.cluster(*OURS)
        first = leader(members)
        self.assertEqual(
            first.appctl("cluster/change-election-timer", DATABASE, "2000"),
            "change of election timer initiated.",
        )
        for member in members:
            wait_until(lambda: status(member)["Election timer"] == "2000", f"{member.name} has it")


class ConversionTest(ClusterTest):
    def test_every_member_has_the_new_schema(self):
        schema = json.loads(json.dumps(SCHEMA))
        schema["tables"]["T"]["columns"]["more"] = {"type": "string"}
        for kinds in MIXTURES:
            with self.subTest(kinds=kinds):
                members = self.cluster(*kinds)
                insert(members[0], 1)
                all_have(members, [1])
                with members[-1].connect() as client:
                    self.assertEqual(client.call("convert", [DATABASE, schema])["result"], {})
                for member in members:
                    wait_until(lambda: self.has_column(member), f"{member.name} is converted")
                insert(members[1], 2)
                all_have(members, [1, 2])
                for member in members:
                    member.kill()

    def test_it_waits_for_a_leader(self):
        schema = json.loads(json.dumps(SCHEMA))
        schema["tables"]["T"]["columns"]["more"] = {"type": "string"}
        for kind in ("ours", "stock"):
            with self.subTest(kind=kind):
                members = self.cluster(kind, kind, kind)
                insert(members[0], 1)
                all_have(members, [1])
                for member in members[1:]:
                    member.kill()
                wait_until(lambda: status(members[0]).get("Role") == "candidate", "it looks for a leader", 30)
                with members[0].connect() as gone:
                    gone.request("convert", [DATABASE, SCHEMA])
                    gone.call("echo", [])
                with members[0].connect() as client:
                    asked = client.request("convert", [DATABASE, schema])
                    self.assertEqual(numbers_of(members[0]), [1])  # Meanwhile others are answered.
                    for member in members[1:]:
                        member.start()
                    answer, _ = client.wait_for(lambda message: message.get("id") == asked)
                    self.assertEqual(answer["result"], {})
                for member in members:
                    wait_until(lambda: self.has_column(member), f"{member.name} is converted")
                insert(members[1], 2)
                all_have(members, [1, 2])
                for member in members:
                    member.kill()

    def test_a_schema_with_ephemeral_columns_is_refused(self):
        schema = json.loads(json.dumps(SCHEMA))
        schema["tables"]["T"]["columns"]["more"] = {"type": "string", "ephemeral": True}
        answers = []
        for kind in ("ours", "stock"):
            [member] = self.cluster(kind)
            with member.connect() as client:
                answers.append(client.call("convert", [DATABASE, schema])["error"])
        self.assertEqual(*answers)

    def has_column(self, member):
        try:
            with member.connect() as client:
                schema = client.call("get_schema", [DATABASE])["result"]
        except jsonrpc.Closed:  # Just when it is converted, clients are sent away.
            return False
        return "more" in schema["tables"]["T"]["columns"]



class AloneTest(ClusterTest):
    def test_one_that_starts_alone_is_a_member_until_nobody_answers(self):
        for kind in ("ours", "stock") if binaries.have_reference() else ("ours",):
            members = self.cluster(kind, kind, election_timer_ms=5000)
            for member in members:
                member.kill()
            members[0].start()
            self.assertEqual((kind, status(members[0])["Status"]), (kind, "cluster member"))


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
