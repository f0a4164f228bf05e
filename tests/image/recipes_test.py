"""The commands of docs/operations.md, run as they stand there, for what no node can mend by itself."""

import os
import unittest

from image.case import ImageTest, needs_image
from image.document import commands
from image.nodes import DATABASES, ENVIRONMENT, IMAGE, NUMBERS


@needs_image
class RecipesTest(ImageTest):
    def on_node(self, number, block):
        """Runs a block on a node that is up, with the addresses of these nodes."""
        for other in NUMBERS:
            block = block.replace(f"NODE{other}", f"10.89.77.{10 + other}")
        return self.nodes.exec(number, "bash", "-ec", block).stdout

    def on_disk(self, number, block):
        """Runs a block on a node that is down."""
        self.run_command("podman", "run", "--rm", "--network", "none", "--entrypoint", "bash",
                         "-v", self.nodes.file(number, "") + ":/etc/ovn", IMAGE, "-ec", block, env=ENVIRONMENT)

    def write_names(self, *names):
        rows = [{"op": "insert", "table": "Address_Set", "row": {"name": name}} for name in names]
        self.nodes.transact(self.nodes.leader(), "nb", *rows)
        self.nodes.sync(1)

    def check_names(self, *names):
        for database in DATABASES:
            for number in NUMBERS:
                have = {row["name"] for row in self.nodes.select(number, database, "Address_Set", "name")}
                self.assertEqual(have - {"svc_monitor_mac"}, set(names), (database, number))  # That is ovn-northd's.

    def stop_all(self):
        for number in NUMBERS:
            self.nodes.stop(number)

    def start_all(self):
        for number in NUMBERS:
            self.nodes.command("start", str(number))
        for number in NUMBERS:
            self.nodes.command("wait", str(number))
        self.nodes.wait_until_members()
        self.nodes.sync(1)
        for number in NUMBERS:
            self.assertEqual(self.unhealthy(number), "")

    def test_backup_and_restore(self):
        backup, restore, found = commands("Backup and restore")
        self.write_names("kept")
        self.on_node(2, backup)
        self.write_names("late")
        self.on_node(2, restore)
        self.nodes.sync(1)
        self.check_names("kept")
        # All is gone but the backup.
        self.stop_all()
        os.rename(self.nodes.file(2, "nb.backup"), self.path("nb.backup"))
        for number in NUMBERS:
            self.nodes.wipe(number)
        os.rename(self.path("nb.backup"), self.nodes.file(1, "nb.backup"))
        self.on_disk(1, found)
        self.start_all()
        self.check_names("kept")

    def test_a_majority_is_lost(self):
        rescue, empty, found = commands("A majority is lost")
        self.write_names("a", "b")
        for number in (1, 3):
            self.nodes.kill(number)
            self.nodes.wipe(number)
        self.nodes.stop(2)
        self.on_disk(2, rescue)
        for database in DATABASES:
            os.rename(self.nodes.file(2, f"ovn{database}_db.rescued"), self.nodes.file(1, f"ovn{database}_db.rescued"))
        for number in NUMBERS:
            self.on_disk(number, empty)
        self.on_disk(1, found)
        self.start_all()
        self.check_names("a", "b")

    def test_the_southbound_is_lost(self):
        [empty] = commands("Everything is lost")
        self.write_names("a", "b")
        self.stop_all()
        for number in NUMBERS:
            self.on_disk(number, empty)
        self.start_all()
        self.check_names("a", "b")

    def test_a_node_is_lost_for_good(self):
        [kick] = commands("A node is lost")
        self.write_names("a")
        gone = {database: self.nodes.status(3, database)["Server ID"][:4] for database in DATABASES}
        self.nodes.kill(3)
        for database, name in DATABASES.items():
            leader = self.nodes.leader(database, among=(1, 2))
            block = kick.replace("ovnnb", f"ovn{database}").replace("OVN_Northbound", name).replace("SERVER", gone[database])
            self.assertIn("started removal", self.on_node(leader, block))
        # Another one, here with the same address, takes its place.
        self.nodes.wipe(3)
        self.nodes.start(3)
        self.nodes.wait_until_members()
        self.write_names("b")
        self.check_names("a", "b")


if __name__ == "__main__":
    unittest.main()
