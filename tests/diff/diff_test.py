"""A short differential run for every build, and the proof that the tester finds what it should."""

import os
import sys
import unittest

from diff import exemptions
from diff.canonical import is_update
from diff.minimise import minimise
from diff.report import describe
from diff.rounds import Program, Round, random_round
from harness import binaries, jsonrpc
from harness.daemon import OvsdbServer

SEED = 1
OPERATIONS = 15000
SKIPPED = 77  # As meson understands it.
ROUND_OPERATIONS = 1000


class LyingConnection(jsonrpc.Connection):
    """Says that one row more was mutated than there were, whenever there were some."""

    def receive(self, seconds=20):
        message = super().receive(seconds)
        for result in message.get("result") or []:
            if isinstance(result, dict) and result.get("count", 0) > 0:
                result["count"] += 1
        return message


class LateConnection(jsonrpc.Connection):
    """Tells of one row at a time, and of further ones behind the next barrier."""

    def __init__(self, remote):
        super().__init__(remote)
        self._late = []
        self._is_due = False

    def receive(self, seconds=20):
        if self._late and self._is_due:
            return self._late.pop(0)
        message = super().receive(seconds)
        self._is_due = isinstance(message.get("id"), list) and message["id"][0] == "barrier"
        if not is_update(message):
            return message
        *head, tables = message["params"]
        parts = [{table: {row: rows[row]}} for table, rows in tables.items() for row in rows]
        self._late += [message | {"params": [*head, part]} for part in parts]
        return self._late.pop(0)


class LateServer(OvsdbServer):
    def connect(self):
        return LateConnection(self.remote)


class LyingServer(OvsdbServer):
    def connect(self):
        return LyingConnection(self.remote)


def stock(server_class=OvsdbServer):
    server, tool = binaries.reference("ovsdb-server"), binaries.reference("ovsdb-tool")
    return Program(server, tool, server_class)


@binaries.needs_reference
class TesterTest(unittest.TestCase):
    """The tester itself, with the reference on both sides."""

    def test_finds_and_shortens_a_planted_difference(self):
        programs = (stock(), stock(LyingServer))
        outcome = random_round(programs, 1, ROUND_OPERATIONS)
        self.assertIsNotNone(outcome.failure)
        steps = minimise(programs, outcome.schema, outcome.sessions, outcome.steps)
        self.assertLessEqual(len(steps), 3)
        with Round(programs, outcome.schema, outcome.sessions) as servers:
            self.assertIsNotNone(servers.run(steps))

    def test_finds_nothing_between_reference_and_itself(self):
        for seed in (1, 2, 3):
            outcome = random_round((stock(), stock()), seed, ROUND_OPERATIONS)
            self.assertIsNone(outcome.failure)

    def test_waits_for_updates_behind_the_barrier(self):
        for seed in (1, 2, 3):
            outcome = random_round((stock(), stock(LateServer)), seed, ROUND_OPERATIONS)
            self.assertIsNone(outcome.failure)


@binaries.needs_reference
class DifferenceTest(unittest.TestCase):
    def test_random_operations(self):
        """BOREAS_SEED begins elsewhere; `python3 -m diff` makes long runs and shortens failures."""
        first = int(os.environ.get("BOREAS_SEED", SEED))
        ours = Program(binaries.ours("ovsdb-server"), binaries.ours("ovsdb-tool"))
        for seed in range(first, first + OPERATIONS // ROUND_OPERATIONS):
            outcome = random_round((stock(), ours), seed, ROUND_OPERATIONS)
            failure = outcome.failure
            if failure and failure.dead != ["first"]:
                lines = describe(outcome.steps[-1], failure.differences)
                self.fail(
                    f"seed {seed}, step {failure.step}, died: {failure.dead or 'none'}\n"
                    + "\n".join(lines)
                    + f"\nRepeat with: python3 -m diff --seed {seed} --operations 1"
                )
        print(f"{OPERATIONS} operations from seed {first}, excused: {dict(exemptions.used)}", file=sys.stderr)


if __name__ == "__main__":
    if not binaries.have_reference():
        sys.exit(SKIPPED)
    unittest.main()
