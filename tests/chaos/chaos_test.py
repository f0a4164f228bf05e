"""A short run for every build; `python3 -m chaos` makes long ones."""

import sys
import unittest

from chaos.network import needs_root
from chaos.run import Run
from harness import binaries

SEED = 7
FAULTS = 8


@needs_root
class ChaosTest(unittest.TestCase):
    def check(self, kinds):
        said = []
        with Run(kinds, SEED, said.append) as run:
            run.inflict(FAULTS)
            problems = run.verdict()
            self.assertEqual(problems, [], "\n".join(said))
            self.assertGreater(len(run.history.acknowledged), 50)
            print(f"{kinds}: {run.counts}, {len(run.history.acknowledged)} writes", file=sys.stderr)

    def test_ours(self):
        self.check(["ours", "ours", "ours"])

    @binaries.needs_reference
    def test_with_one_stock_server(self):
        self.check(["ours", "ours", "stock"])


if __name__ == "__main__":
    unittest.main()
