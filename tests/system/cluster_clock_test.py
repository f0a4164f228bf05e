"""The wall clocks of a cluster's members jump. Nothing that it does may go by them."""

import time
import unittest

from harness.cluster import DATABASE, ClusterTest, all_have, insert, leader, status
from harness.wall_clock import WallClock, needs_wall_clock
from harness.waiting import wait_until

YEAR = 365 * 86400
ELECTION_TIMER_MS = 500
HOLD_SECONDS = 3 * ELECTION_TIMER_MS / 1000  # Long enough for an election, were there a reason.


@needs_wall_clock
class ClockJumpTest(ClusterTest):
    def setUp(self):
        super().setUp()
        self.clocks = []
        self.n_inserted = 0

    def server(self, *arguments, **more):
        """Each by a clock of its own."""
        self.clocks.append(WallClock(self.path(f"clock{len(self.clocks)}")))
        before, self.env = self.env, {**self.env, **self.clocks[-1].environment}
        try:
            return super().server(*arguments, **more)
        finally:
            self.env = before

    def year_of(self, member):
        """The year by a line that it logs now."""
        member.appctl("vlog/close")
        member.appctl("vlog/reopen")
        with open(member.log_path, encoding="utf-8") as log:
            return int(log.readlines()[-1][:4])

    def insert_for(self, seconds, members):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.n_inserted += 1
            insert(members[self.n_inserted % len(members)], self.n_inserted)

    def test_back_and_forth(self):
        members = self.cluster("ours", "ours", "ours", election_timer_ms=ELECTION_TIMER_MS)
        first = leader(members)
        term = status(first)["Term"]
        this_year = self.year_of(first)
        for years in (11, -11, 0):
            for clock in self.clocks:
                clock.set(years * YEAR)
                self.insert_for(HOLD_SECONDS / len(members), members)
            self.insert_for(HOLD_SECONDS, members)
            for member in members:
                self.assertAlmostEqual(self.year_of(member), this_year + years, delta=1)
        all_have(members, list(range(1, self.n_inserted + 1)))
        self.assertEqual((leader(members), status(first)["Term"]), (first, term))

    def test_a_transaction_waits_as_long_as_it_said(self):
        [member] = self.cluster("ours")
        for seconds in (YEAR, -YEAR):
            with member.connect() as client:
                client.send({"id": 1, "method": "transact", "params": [DATABASE, {
                    "op": "wait", "table": "T", "where": [], "columns": ["n"], "rows": [], "until": "!=", "timeout": 1000}]})
                start = time.monotonic()
                self.clocks[0].set(seconds)
                self.assertEqual(client.receive()["result"][0]["error"], "timed out")
                self.assertGreater(time.monotonic() - start, 0.9)

    def test_a_leader_of_the_future_dies(self):
        """What it wrote is later than all that its followers write; its file, than now."""
        members = self.cluster("ours", "ours", "ours", election_timer_ms=ELECTION_TIMER_MS)
        first = leader(members)
        self.clocks[members.index(first)].set(YEAR)
        self.insert_for(0.1, [first])
        first.kill()
        rest = [member for member in members if member is not first]
        wait_until(lambda: any(status(member)["Role"] == "leader" for member in rest), "another one leads")
        self.insert_for(0.1, rest)
        self.clocks[members.index(first)].set(0)
        first.start()
        all_have(members, list(range(1, self.n_inserted + 1)))


if __name__ == "__main__":
    unittest.main()
