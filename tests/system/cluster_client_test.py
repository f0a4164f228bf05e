"""What clients of a cluster see: moving to another member, members cut off from the others, locks."""

import re
import unittest

from harness import binaries
from harness.cluster import DATABASE, ClusterTest, all_have, insert, joined, leader, status
from harness.waiting import wait_until

OURS = ("ours", "ours", "ours")
NEVER_SEEN = "00000000-0000-0000-0000-000000000000"


def watch(client, since):
    """A monitor of T from the transaction `since` on: whether that was found, the newest
    transaction, and the changes."""
    reply = client.call("monitor_cond_since", [DATABASE, "m", {"T": [{"columns": ["n"]}]}, since])
    return reply["result"]


def numbers_in(updates):
    return sorted(row["insert"]["n"] if "insert" in row else row["initial"]["n"] for row in updates.get("T", {}).values())


class ResyncTest(ClusterTest):
    def members_and_mark(self, *kinds):
        """A cluster, and the name of a state that a client of the first member saw."""
        members = self.cluster(*kinds)
        insert(members[0], *range(10))
        all_have(members, list(range(10)))
        with members[0].connect() as client:
            found, mark, _ = watch(client, NEVER_SEEN)
            self.assertFalse(found)
        return members, mark

    def check(self, member, mark, expected):
        with member.connect() as client:
            found, _, updates = watch(client, mark)
        self.assertTrue(found, member.name)
        self.assertEqual(numbers_in(updates), expected)

    def test_a_client_that_moves_gets_only_what_it_missed(self):
        for kinds in (OURS, ("ours", "stock", "ours")):
            with self.subTest(kinds=kinds):
                members, mark = self.members_and_mark(*kinds)
                insert(members[1], *range(10, 15))
                all_have(members, list(range(15)))
                for member in members:
                    self.check(member, mark, list(range(10, 15)))
                for member in members:
                    member.kill()

    def test_also_at_the_old_leader_once_it_is_started_again(self):
        for kinds in (OURS, ("stock", "ours", "ours")):
            with self.subTest(kinds=kinds):
                members, mark = self.members_and_mark(*kinds)
                old = leader(members)
                old.kill()
                new = leader([member for member in members if member is not old])
                insert(new, *range(10, 15))
                old.start()
                all_have(members, list(range(15)))
                self.check(old, mark, list(range(10, 15)))
                for member in members:
                    member.kill()

    def test_also_after_many_transactions(self):
        """Stock remembers a hundred."""
        members, mark = self.members_and_mark(*OURS)
        with members[0].connect() as client:
            for n in range(10, 400):
                client.request("transact", [DATABASE, {"op": "insert", "table": "T", "row": {"n": n}}])
            for _ in range(10, 400):
                client.receive()
        all_have(members, list(range(400)))
        for member in members:
            self.check(member, mark, list(range(10, 400)))

    def test_from_a_member_that_was_started_anew(self):
        members, mark = self.members_and_mark(*OURS)
        insert(members[1], *range(10, 15))
        all_have(members, list(range(15)))
        for member in members:
            member.stop()
            member.start()
            wait_until(lambda: joined(member), f"{member.name} is back")
            all_have(members, list(range(15)))
            self.check(member, mark, list(range(10, 15)))

    def test_the_memory_is_bounded(self):
        members = self.cluster("ours", arguments=["--history-bytes=20000"])
        insert(members[0], 0)
        with members[0].connect() as client:
            _, mark, _ = watch(client, NEVER_SEEN)
        text = "x" * 100
        with members[0].connect() as client:
            for n in range(1, 50):
                client.transact(DATABASE, {"op": "insert", "table": "T", "row": {"n": n}}, {"op": "comment", "comment": text})
        self.check(members[0], mark, list(range(1, 50)))
        with members[0].connect() as client:
            for n in range(1000):
                client.transact(DATABASE, {"op": "update", "table": "T", "where": [["n", "==", n + 49]], "row": {"n": n + 50}})
            found, _, updates = watch(client, mark)
        self.assertFalse(found)
        self.assertEqual(len(updates["T"]), 50)


class CutOffTest(ClusterTest):
    def database_row(self, client):
        [found] = client.transact("_Server", {
            "op": "select", "table": "Database", "where": [["name", "==", DATABASE]],
            "columns": ["connected", "leader", "cid", "sid", "index", "model"]})
        return found["rows"][0]

    def test_the_last_member_says_that_it_is_alone(self):
        for kind in ("ours", "stock"):
            with self.subTest(kind=kind):
                members = self.cluster(kind, kind, kind)
                insert(members[0], 1)
                with members[0].connect() as client:
                    self.assertTrue(self.database_row(client)["connected"])
                    self.assertEqual(self.database_row(client)["model"], "clustered")
                    for member in members[1:]:
                        member.kill()
                    wait_until(lambda: not self.database_row(client)["connected"], "it is cut off", 30)
                    self.assertFalse(self.database_row(client)["leader"])
                    members[1].start()
                    wait_until(lambda: self.database_row(client)["connected"], "it is not any more", 30)
                for member in members:
                    member.kill()

    def test_the_leader_is_one_of_them(self):
        members = self.cluster(*OURS)
        first = leader(members)
        rows = []
        for member in members:
            with member.connect() as client:
                rows.append((member, self.database_row(client)))
        self.assertEqual([row["leader"] for member, row in rows], [member is first for member in members])
        self.assertEqual({row["cid"][1] for _, row in rows}, {first.appctl("cluster/cid", DATABASE).strip()})
        for member, row in rows:
            self.assertEqual(row["sid"][1], member.appctl("cluster/sid", DATABASE).strip())

    def test_a_leader_only_client_hears_that_its_server_leads_no_more(self):
        members = self.cluster(*OURS)
        first = leader(members)
        with first.connect() as client:
            client.call("monitor_cond", ["_Server", "s", {"Database": [{"columns": ["leader", "name"]}]}])
            first.appctl("cluster/failure-test", "transfer-leadership")

            def tells(message):
                rows = message["params"][1].get("Database", {}) if message.get("method") == "update2" else {}
                return any(row.get("modify", {}).get("leader") is False for row in rows.values())

            client.wait_for(tells)


class LockTest(ClusterTest):
    def test_locks_are_a_server_s_own(self):
        for kind in ("ours", "stock"):
            with self.subTest(kind=kind):
                members = self.cluster(kind, kind)
                with members[0].connect() as one, members[0].connect() as two, members[1].connect() as other:
                    self.assertEqual(one.call("lock", ["l"])["result"], {"locked": True})
                    self.assertEqual(two.call("lock", ["l"])["result"], {"locked": False})
                    self.assertEqual(other.call("lock", ["l"])["result"], {"locked": True})
                    guarded = [DATABASE, {"op": "assert", "lock": "l"}, {"op": "insert", "table": "T", "row": {"n": 1}}]
                    self.assertIn("uuid", one.call("transact", guarded)["result"][1])
                    self.assertEqual(two.call("transact", guarded)["result"][0]["error"], "not owner")
                for member in members:
                    member.kill()


class FailureScenarioTest(ClusterTest):
    """cluster/failure-test, which stock's own tests use."""

    @binaries.needs_reference
    def test_answers_are_stock_s(self):
        ours, stock = self.cluster("ours", "stock")
        for words in (["delay-election"], ["stop-raft-rpc"], ["clear"], ["clear"], ["nonsense"], [], ["a", "b"]):
            answers = []
            for member in (ours, stock):
                try:
                    answers.append(member.appctl("cluster/failure-test", *words))
                except Exception as error:  # pylint: disable=broad-except
                    answers.append(str(error))
            self.assertEqual(*answers)
        listed = [re.findall("^  cluster/.*$", member.appctl("list-commands"), re.M) for member in (ours, stock)]
        self.assertEqual(*listed)

    def test_crashes(self):
        for scenario, victim in (
            ("crash-before-sending-append-request", "leader"),
            ("crash-after-sending-append-request", "leader"),
            ("crash-before-sending-execute-command-reply", "leader"),
            ("crash-after-sending-execute-command-reply", "leader"),
            ("crash-before-sending-execute-command-request", "follower"),
            ("crash-after-sending-execute-command-request", "follower"),
            ("crash-after-receiving-append-request-update", "follower"),
        ):
            with self.subTest(scenario=scenario):
                self.crash(scenario, victim)

    def crash(self, scenario, victim):
        members = self.cluster(*OURS, election_timer_ms=300)
        insert(members[0], 1)
        first = leader(members)
        follower = next(member for member in members if member is not first)
        dying = first if victim == "leader" else follower
        dying.appctl("cluster/failure-test", scenario)
        with follower.connect() as client:
            client.request("transact", [DATABASE, {"op": "insert", "table": "T", "row": {"n": 2}}])
            self.assertEqual(dying.process.wait(20), 1)
            answer = None
            if dying is not follower:
                # It is committed once, whichever leader does it.
                answer = client.receive()["result"]
        rest = [member for member in members if member is not dying]
        insert(leader(rest), 3)
        dying.start()
        wait_until(lambda: joined(dying), "it is back")
        if answer is not None and "uuid" in answer[0]:
            all_have(members, [1, 2, 3])
        else:
            wait_until(lambda: len({tuple(numbers) for numbers in map(sorted_numbers, members)}) == 1, "all have the same")
            self.assertIn(sorted_numbers(dying), ([1, 3], [1, 2, 3]))
        for member in members:
            member.kill()

    def test_nothing_sent(self):
        members = self.cluster(*OURS, election_timer_ms=300)
        first = leader(members)
        rest = [member for member in members if member is not first]
        first.appctl("cluster/failure-test", "stop-raft-rpc")
        insert(leader_of(rest), 1)
        first.appctl("cluster/failure-test", "clear")
        all_have(members, [1])

    def test_leadership_goes_on_demand(self):
        members = self.cluster(*OURS)
        first = leader(members)
        first.appctl("cluster/failure-test", "transfer-leadership")
        wait_until(lambda: status(first)["Role"] == "follower", "it follows")
        second = leader(members)
        self.assertIsNot(first, second)
        # Whoever hears a leader votes for nobody else, so it may be any of them that leads next.
        before = int(status(first)["Term"])
        first.appctl("cluster/failure-test", "force-election")
        wait_until(lambda: all(int(status(member)["Term"]) > before for member in members), "a later term")
        leader(members)


def sorted_numbers(member):
    with member.connect() as client:
        [found] = client.transact(DATABASE, {"op": "select", "table": "T", "where": [], "columns": ["n"]})
    return sorted(row["n"] for row in found["rows"])


def leader_of(rest):
    return wait_until(lambda: next((member for member in rest if status(member).get("Role") == "leader"), None), "one leads")


if __name__ == "__main__":
    unittest.main()
