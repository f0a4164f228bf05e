"""What the environment says reaches the databases."""

import unittest

from harness.waiting import wait_until
from image.case import ImageTest, needs_image
from image.nodes import DATABASES, NUMBERS


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


if __name__ == "__main__":
    unittest.main()
