"""Members that come back: after they lost their file or part of it, were frozen, or had no room left."""

import os
import signal
import subprocess
import time
import unittest

from chaos.network import needs_root
from harness import binaries
from harness.cluster import DATABASE, ClusterTest, all_have, insert, joined, leader, numbers_of, status
from harness.log_file import record
from harness.waiting import wait_until

OURS = ("ours", "ours", "ours")
LIMIT = 30  # Seconds until a member that lost its file is back.


class OrderTest(ClusterTest):
    def test_a_record_that_breaks_the_rules_is_named(self):
        [member] = self.cluster("ours")
        insert(member, 1, 2)
        member.stop()
        with open(member.databases[0], "ab") as file:
            file.write(record({"commit_index": 1}, "CLUSTER"))
        programs = [binaries.ours("ovsdb-server")] + ([binaries.reference("ovsdb-server")] if binaries.have_reference() else [])
        for program in programs:
            done = self.run_command(program, f"--unixctl={self.path('x.ctl')}", f"--remote=punix:{self.path('x.sock')}",
                                    member.databases[0], check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, rf"error reading record (\d+) from {DATABASE} log: record \1 regresses commit index from \d+ to 1")
            if program == programs[0]:
                self.assertIn(member.databases[0] + ": error reading", done.stderr)


class DamageTest(ClusterTest):
    """Each member in turn loses what it has, and is brought back as Kube-OVN's start script does it."""

    def setUp(self):
        super().setUp()
        self.members = self.cluster(*OURS)
        self.numbers = list(range(10))
        insert(self.members[0], *self.numbers)
        all_have(self.members, self.numbers)

    def each_member(self, damage, repair):
        """`repair(member, header, others)` may be given a header that was saved before."""
        for member in list(self.members):
            with self.subTest(member=member.name):
                others = [other for other in self.members if other is not member]
                file, header = member.databases[0], self.path(member.name + ".header")
                with open(header, "w", encoding="utf-8") as out:
                    out.write(self.tool("db-raft-header", file).stdout)
                sid = self.tool("db-sid", file).stdout.strip()
                member.kill()
                damage(file)
                self.more(others[0])
                start = time.monotonic()
                repair(member, header, others)
                member.start()
                wait_until(lambda: joined(member), "it is a member", LIMIT)
                all_have(self.members, self.numbers)
                self.assertLess(time.monotonic() - start, LIMIT)
                self.assertEqual(member.appctl("cluster/sid", DATABASE).strip(), sid)
                self.more(member)
                all_have(self.members, self.numbers)
                self.assertEqual(len(status(leader(self.members))["servers"]), 3)
        for member in self.members:
            member.stop()
        self.tool("check-cluster", *[member.databases[0] for member in self.members])

    def more(self, member):
        self.numbers.append(len(self.numbers))
        insert(member, self.numbers[-1])

    def rejoin(self, member, header, others):
        if os.path.exists(member.databases[0]):
            os.unlink(member.databases[0])
        self.tool("rejoin-cluster", member.databases[0], header, member.address, *[other.address for other in others])

    def join_under_its_id(self, member, header, others):
        del header
        cid = others[0].appctl("cluster/cid", DATABASE).strip()
        self.tool(f"--cid={cid}", f"--sid={self.sids[member.name]}", "join-cluster", member.databases[0], DATABASE,
                  member.address, *[other.address for other in others])

    def log_of(self, member):
        with open(member.log_path, encoding="utf-8") as log:
            return log.readlines()

    def fix(self, member, header, others):
        if self.tool("fix-cluster", member.databases[0], check=False).returncode:
            self.rejoin(member, header, others)

    def test_deleted(self):
        self.each_member(os.unlink, self.rejoin)

    def test_deleted_and_named_by_hand(self):
        self.sids = {member.name: member.appctl("cluster/sid", DATABASE).strip() for member in self.members}
        self.each_member(os.unlink, self.join_under_its_id)

    def test_emptied(self):
        self.each_member(lambda file: os.truncate(file, 0), self.fix)

    def test_cut_by_a_few_bytes(self):
        self.each_member(lambda file: os.truncate(file, os.path.getsize(file) - 5), self.fix)

    def test_cut_and_started_as_it_is(self):
        self.each_member(lambda file: os.truncate(file, os.path.getsize(file) - 5), lambda *_: None)

    def test_a_bit_flipped(self):
        def flip(file):
            place = os.path.getsize(file) * 2 // 3
            with open(file, "r+b") as out:
                out.seek(place)
                byte = out.read(1)[0]
                out.seek(place)
                out.write(bytes([byte ^ 1]))

        self.each_member(flip, self.fix)

    def test_damage_to_the_record_that_says_that_it_joined(self):
        member = self.members[1]
        member.kill()
        file = member.databases[0]
        with open(file, "r+b") as out:
            place = out.read().index(b"\nOVSDB CLUSTER ", 1) + 80
            out.seek(place)
            byte = out.read(1)[0]
            out.seek(place)
            out.write(bytes([byte ^ 1]))
        member.start(ready=False)
        self.assertNotEqual(member.process.wait(20), 0)
        with open(member.log_path, encoding="utf-8") as log:
            self.assertRegex(log.read(), rf"{file}: \d+ bytes starting at offset \d+ have SHA-1 hash")

    def test_a_flipped_bit_is_refused_with_file_and_offset(self):
        """Even in the last record: without it the member could vote for one that lacks what it acknowledged."""
        for member, where in zip(self.members, (0.5, 0.9, 1)):
            member.kill()
            file = member.databases[0]
            with open(file, "r+b") as out:
                content = out.read()
                last = content.rindex(b"\nOVSDB CLUSTER ")
                place = content.index(b'"', content.index(b"\n", last + 1) if where == 1 else int(len(content) * where))
                out.seek(place)
                out.write(b"!")
            member.start(ready=False)
            self.assertNotEqual(member.process.wait(20), 0)
            told = rf"{file}: \d+ bytes starting at offset (\d+) have SHA-1 hash"
            self.assertRegex("".join(self.log_of(member)), told)


class FrozenTest(ClusterTest):
    def test_a_leader_that_stands_still_is_replaced_and_follows(self):
        members = self.cluster(*OURS)
        insert(members[0], 1)
        first = leader(members)
        rest = [member for member in members if member is not first]
        first.signal(signal.SIGSTOP)
        try:
            second = leader_of(rest)
            insert(second, 2)
        finally:
            first.signal(signal.SIGCONT)
        insert(first, 3)
        all_have(members, [1, 2, 3])
        self.assertEqual(sum(status(member)["Role"] == "leader" for member in members), 1)

    def test_a_follower_that_stands_still_disturbs_nobody(self):
        members = self.cluster(*OURS)
        insert(members[0], 1)
        first = leader(members)
        term = status(first)["Term"]
        frozen = next(member for member in members if member is not first)
        frozen.signal(signal.SIGSTOP)
        try:
            end = time.monotonic() + 3
            numbers = [1]
            while time.monotonic() < end:
                numbers.append(len(numbers) + 1)
                insert(first, numbers[-1])
        finally:
            frozen.signal(signal.SIGCONT)
        all_have(members, numbers)
        self.assertEqual(status(first)["Term"], term)


@needs_root
class FullDiskTest(ClusterTest):
    def setUp(self):
        super().setUp()
        self.disk = self.path("disk")
        os.mkdir(self.disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "boreas", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)

    def on_the_small_disk(self, member):
        """Moves a member's file there."""
        member.stop()
        place = os.path.join(self.disk, "db")
        subprocess.run(["mv", member.databases[0], place], check=True)
        os.symlink(place, member.databases[0])
        member.start()

    def fill(self):
        with open(os.path.join(self.disk, "ballast"), "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(512))
            except OSError:
                pass

    def test_the_leader_steps_down_and_comes_back(self):
        members = self.cluster(*OURS)
        insert(members[0], 1)
        poor = leader(members)
        self.on_the_small_disk(poor)
        wait_until(lambda: joined(poor), "it is back")
        rest = [member for member in members if member is not poor]
        for _ in range(20):
            if leader(members) is poor:
                break
            leader(members).appctl("cluster/failure-test", "transfer-leadership")
        self.assertIs(leader(members), poor)
        self.fill()
        with poor.connect() as client:
            # More than may be left of a page.
            client.request("transact", [DATABASE, *[{"op": "insert", "table": "T", "row": {"n": n}} for n in range(100, 300)]])
            wait_until(lambda: status(poor)["Role"] != "leader", "it steps down")
        second = leader_of(rest)
        for n in range(2, 8):
            insert(second, n)
        # It serves what it has, and says what is wrong.
        self.assertIn(1, numbers_of(poor))
        self.assertEqual(status(poor)["Status"], "failed")
        self.assertFalse(told(poor)["connected"], "clients are told to go elsewhere")
        self.assertIn("No space left on device", poor.appctl("ovsdb-server/get-db-storage-status", DATABASE))
        os.unlink(os.path.join(self.disk, "ballast"))
        wait_until(lambda: set(range(1, 8)) <= set(numbers_of(poor)), "it has caught up")
        self.assertEqual(poor.appctl("ovsdb-server/get-db-storage-status", DATABASE).strip(), "status: ok")
        self.assertEqual(status(poor)["Status"], "cluster member")
        insert(poor, 8)

    @binaries.needs_reference
    def test_a_leader_of_stocks_brings_it_up_to_date(self):
        members = self.cluster("stock", "ours", "ours", election_timer_ms=300)
        first, poor, _ = members
        self.on_the_small_disk(poor)
        self.assertIs(leader(members), first)
        self.fill()
        numbers = []
        end = time.monotonic() + 4  # Time for a dozen signs of life.
        while time.monotonic() < end:
            numbers.append(len(numbers) + 1)
            insert(first, numbers[-1])
        self.assertEqual(status(poor)["Status"], "failed")
        os.unlink(os.path.join(self.disk, "ballast"))
        all_have(members, numbers)
        self.assertIs(leader(members), first)


def told(member):
    """What `_Server` says of the database."""
    with member.connect() as client:
        [found] = client.transact("_Server", {"op": "select", "table": "Database", "where": [["name", "==", DATABASE]]})
    return found["rows"][0]


def leader_of(rest):
    """Who leads among `rest`, whatever the others believe."""
    return wait_until(lambda: next((member for member in rest if status(member).get("Role") == "leader"), None), "one leads")


if __name__ == "__main__":
    unittest.main()
