"""./central: what the README shows of it."""

import os
import re
import subprocess
import unittest

from harness import binaries
from harness.case import SystemTest
from harness.cluster import free_port
from harness.waiting import wait_until

CENTRAL = os.path.join(os.path.dirname(__file__), "..", "..", "central")


@binaries.needs_reference
class CentralTest(SystemTest):
    def setUp(self):
        super().setUp()
        ports = {f"CENTRAL_{name}": str(free_port()) for name in ("NB_PORT", "SB_PORT", "NB_RAFT_PORT", "SB_RAFT_PORT")}
        self.env = {**os.environ, **ports, "CENTRAL_BUILD": binaries.BUILD, "CENTRAL_RUN": self.path("run"),
                    "NODES_PREFIX": f"bc{os.getpid()}"}  # None: nodes that somebody else runs stay.
        self.addCleanup(subprocess.run, [CENTRAL, "down"], env=self.env, check=True, capture_output=True, timeout=60)

    def central(self, *words, check=True):
        return self.run_command(CENTRAL, *words, check=check, seconds=120)

    def nbctl(self, *words):
        environment = re.findall(r"(OVN_\w+_DB)=(\S+)", self.central("env").stdout)
        return self.run_command(binaries.reference("ovn-nbctl"), "--timeout=20", *words,
                                env={**self.env, **dict(environment)}).stdout

    def status(self):
        """Each daemon's line; whether all run."""
        done = self.central("status", check=False)
        return dict(line.split(maxsplit=1) for line in done.stdout.splitlines()), done.returncode == 0

    def leader(self, database):
        """The number of the node that leads, or None."""
        lines, _ = self.status()
        found = [name for name, line in lines.items() if name.startswith(database) and "leads" in line]
        return found[0][2:] if len(found) == 1 else None

    def test_alone(self):
        self.central("up")
        self.nbctl("ls-add", "sw0")
        lines, all_run = self.status()
        self.assertTrue(all_run)
        self.assertEqual(sorted(lines), ["nb", "northd", "sb"])
        self.assertIn("answers", lines["nb"])
        self.central("down")
        self.assertFalse(self.status()[1])
        self.central("up")
        self.assertIn("sw0", self.nbctl("ls-list"))

    def test_a_cluster_survives_each_of_its_nodes(self):
        self.central("up", "--cluster", "3")
        lines, all_run = self.status()
        self.assertTrue(all_run, lines)
        self.assertEqual(sorted(lines), ["nb1", "nb2", "nb3", "northd1", "northd2", "sb1", "sb2", "sb3"])
        self.assertEqual(sorted(lines[name].split()[-1] for name in ("northd1", "northd2")), ["active", "standby"])
        for i in range(2):
            node = wait_until(lambda: self.leader("nb"), "one leads")
            self.central("kill", node)
            lines, all_run = self.status()
            self.assertFalse(all_run)
            self.assertEqual(lines["nb" + node], "not running")
            # ovn-nbctl tries each server once, and finds none that leads while they elect.
            wait_until(lambda: self.leader("nb") not in (None, node), "another one leads")
            self.nbctl("--wait=sb", "ls-add", f"sw{i}")
            self.central("start", node)
            self.assertTrue(self.status()[1])
        self.central("down")
        self.assertFalse(self.status()[1])
        self.central("up", "--cluster", "3")
        self.assertEqual(re.findall(r"sw\d", self.nbctl("ls-list")), ["sw0", "sw1"])

    def test_mistakes(self):
        for words in (["up", "--cluster"], ["up", "--cluster", "x"], ["up", "--cluster", "10"], ["kill"], ["start", "1", "2"], ["kill", "7"]):
            done = self.central(*words, check=False)
            self.assertEqual(done.returncode, 1, words)
            self.assertTrue(done.stderr.startswith("central: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
