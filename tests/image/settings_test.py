"""What the environment says reaches the databases, and ./central knows the nodes."""

import os
import subprocess
import unittest

from harness.waiting import wait_until
from image.case import ImageTest, needs_image
from image.nodes import DATABASES, NUMBERS

CENTRAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../central")


@needs_image
class SettingsTest(ImageTest):
    def options_of(self, database, number=3):
        """What all nodes share."""
        [row] = self.nodes.select(number, database, f"{database.upper()}_Global", "options")
        return dict(row["options"][1])

    def wait_for_intervals(self, probe, northd):
        def seen():
            northbound, southbound = self.options_of("nb"), self.options_of("sb")
            return (northbound.get("inactivity_probe"), northbound.get("northd_probe_interval"),
                    southbound.get("inactivity_probe")) == (probe, northd, probe)

        wait_until(seen, f"intervals are {probe} and {northd}", 30)

    def test_a_running_cluster_takes_new_intervals(self):
        """From a node that does not lead, and nothing else changes."""
        self.wait_for_intervals("180000", "5000")
        self.nodes.exec(2, "ovn-nbctl", f"--db={self.nodes.servers()}", "set", "NB_Global", ".", "options:mac_prefix=0a:00:00")
        leaders = {self.nodes.leader(database) for database in DATABASES}
        number = next(number for number in reversed(NUMBERS) if number not in leaders)
        self.nodes.run(number, "-e", "PROBE_INTERVAL=31000", "-e", "OVN_NORTHD_PROBE_INTERVAL=7000")
        self.wait_for_intervals("31000", "7000")
        self.assertEqual(self.options_of("nb")["mac_prefix"], "0a:00:00")

    def central(self, *words):
        environment = {**os.environ, "NODES_PREFIX": self.nodes.prefix, "NODES_DIRECTORY": self.nodes.directory,
                       "CENTRAL_RUN": self.path("run")}
        done = subprocess.run([CENTRAL, *words], env=environment, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout

    def test_central_shows_and_ends_them(self):
        self.nodes.wait_until_members()
        status, said = self.central("status")
        self.assertEqual(status, 0, said)
        lines = said.splitlines()
        self.assertEqual(len(lines), len(NUMBERS), said)
        for number, line in zip(NUMBERS, lines):
            self.assertRegex(line, rf"^node {number} +10\.89\.77\.1{number}, nb (leads|follows), sb (leads|follows), northd (active|standby)$")
        for what in ("nb leads", "sb leads", "northd active"):
            self.assertEqual(said.count(what), 1, said)
        self.nodes.kill(2)
        status, said = self.central("status")
        self.assertEqual(status, 1, said)
        self.assertIn("not running", said.splitlines()[1])
        self.assertEqual(self.central("down")[0], 0)
        self.assertEqual([name for name in os.listdir("/run/netns") if name.startswith(self.nodes.prefix)], [])
        self.assertNotIn("node 1", self.central("status")[1])


if __name__ == "__main__":
    unittest.main()
