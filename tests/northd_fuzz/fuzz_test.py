"""Random sequences of edits for some seconds, and those that once told ours from the reference."""

import glob
import json
import os
import random
import sys
import time
import unittest

from harness import binaries
from northd_fuzz import corpus
from northd_fuzz.network import sequence
from northd_fuzz.sequence import jumps_elsewhere, renewed_alone, renewed_by_both, run

SKIPPED = 77  # What meson takes for a skipped test.
SECONDS = float(os.environ.get("BOREAS_SECONDS", 20))
CASES = os.path.join(os.path.dirname(__file__), "cases", "*.json")


class SequenceTest(unittest.TestCase):
    def expect_equal(self, steps, what):
        outcome = run(steps)
        if outcome.failure:
            self.fail("\n".join([f"{what}, step {outcome.failure.step}: {outcome.failure.kind}", *outcome.failure.lines[:60]]))
        return outcome


class RandomTest(SequenceTest):
    def test_random_sequences(self):
        first = int(os.environ.get("BOREAS_SEED", 1))
        end = time.monotonic() + SECONDS
        done = 0
        while time.monotonic() < end:
            self.expect_equal(list(sequence(first + done, 12)), f"sequence of seed {first + done}")
            done += 1
        print(f"{done} sequences from seed {first}", file=sys.stderr)


class KeptTest(SequenceTest):
    def test_kept_sequences(self):
        for path in sorted(glob.glob(CASES)):
            with self.subTest(os.path.basename(path)), open(path, encoding="utf-8") as case:
                self.expect_equal(json.load(case), path)


class RenewedTest(unittest.TestCase):
    def test_rows_that_were_made_anew(self):
        before = [{"a": 1, "b": 2, "c": 3, "d": 9, "gone": 4}, {"a": 5, "b": 6, "c": 7, "d": 9, "gone": 8}]
        after = [{"a": 1, "b": 12, "c": 13, "d": 19, "new": 14}, {"a": 15, "b": 6, "c": 17, "d": 9, "new": 18}]
        self.assertEqual(renewed_alone(before, after, {"a", "b", "c", "gone", "new"}), ["b"])
        self.assertEqual(renewed_by_both(before, after), {"c"})


class JumpTest(unittest.TestCase):
    def test_jumps_to_a_chain_of_another_router(self):
        def northbound(chain_of_own):
            return {
                "Logical_Router": {"aaaaaaaa-own": {"policies": ["set", [["uuid", "jump"], ["uuid", "own"]]]},
                                   "bbbbbbbb-other": {"policies": ["uuid", "other"]}},
                "Logical_Router_Policy": {
                    "jump": {"priority": 9, "match": "ip4", "action": "jump", "chain": ["set", []], "jump_chain": "chain1"},
                    "own": {"priority": 8, "match": "ip4", "action": "drop", "chain": chain_of_own, "jump_chain": ["set", []]},
                    "other": {"priority": 9, "match": "ip4", "action": "drop", "chain": "chain1", "jump_chain": ["set", []]},
                },
            }

        flow = 'lr:aaaaaaaa 9 ip4  {"actions": "reg9[16..31]=<1>; next(pipeline=ingress, table=17);"}'
        elsewhere = northbound("chain0")
        self.assertTrue(jumps_elsewhere(flow, elsewhere))
        self.assertFalse(jumps_elsewhere(flow, northbound("chain1")), "its own router has the chain, too")
        elsewhere["Logical_Router_Policy"]["jump"]["jump_chain"] = "chain2"
        self.assertFalse(jumps_elsewhere(flow, elsewhere), "no router has the chain")
        for other in (flow.replace("aaaaaaaa", "bbbbbbbb"), flow.replace(" 9 ", " 8 "), flow.replace("ip4", "ip6"),
                      flow.replace("reg9[16..31]=<1>; next(pipeline=ingress, table=17);", "drop;")):
            self.assertFalse(jumps_elsewhere(other, northbound("chain0")), other)


class GeneratorTest(unittest.TestCase):
    def test_a_seed_gives_the_same_sequence_again(self):
        seed = random.randrange(1 << 32)
        self.assertEqual(list(sequence(seed, 20)), list(sequence(seed, 20)))


if __name__ == "__main__":
    if not binaries.have_reference() or not corpus.have_corpus():
        print(f"SKIPPED: needs the reference in {binaries.REFERENCE} and compare.py in {corpus.FOLDER}", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
