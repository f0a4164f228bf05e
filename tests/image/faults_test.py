"""Three nodes of the image, and what goes wrong with nodes: a link, a process, a file, a disk, the power."""

import contextlib
import http.client
import os
import re
import shutil
import time
import unittest

from harness.waiting import wait_until
from image.case import ImageTest, needs_image, now
from image.nodes import DATABASES, NUMBERS, network


@needs_image
class FaultsTest(ImageTest):
    PORTS = range(9101, 9104)
    options = ("-e", f"BOREAS_METRICS=:{PORTS[0]}-{PORTS[-1]}")

    def others(self, number):
        return [other for other in NUMBERS if other != number]

    def test_three_nodes_are_founded(self):
        self.nodes.wait_until_members()
        for number in NUMBERS:
            self.assertEqual(self.unhealthy(number), "")
            for database in DATABASES:
                mode = os.stat(self.nodes.file(number, f"ovn{database}_db.db")).st_mode & 0o777
                self.assertEqual(mode & ~0o640, 0, oct(mode))
        self.nodes.exec(2, "ovn-nbctl", f"--db={self.nodes.servers()}", "--wait=sb", "ls-add", "sw0")
        self.assertEqual(len(self.nodes.select(3, "sb", "Datapath_Binding", "_uuid")), 1)
        states = [self.nodes.exec(number, "ovn-appctl", "-t", "ovn-northd", "status").stdout for number in NUMBERS]
        self.assertEqual(sorted(states), ["Status: active\n", "Status: standby\n", "Status: standby\n"])
        for number in NUMBERS:
            programs = [self.program_at(number, port) for port in self.PORTS]
            self.assertEqual(sorted(programs), ["ovn-northd", "ovsdb-server", "ovsdb-server"])

    def program_at(self, number, port):
        """The one whose figures are there; it is ready."""
        with network(self.nodes.network):
            connection = http.client.HTTPConnection(f"10.89.77.{10 + number}", port, timeout=5)
            with contextlib.closing(connection):
                answers = {}
                for path in ("/readyz", "/metrics"):
                    connection.request("GET", path)
                    answers[path] = connection.getresponse().read().decode()
        self.assertEqual(answers["/readyz"], "ok\n")
        return re.search(r'^boreas_build_info\{.*program="([^"]*)"', answers["/metrics"], re.M).group(1)

    def test_the_leaders_link_is_cut_and_mended(self):
        with self.load() as load:
            self.settle(load)
            leader = self.nodes.leader()
            since = now()
            self.nodes.cut(leader)
            self.assertNotEqual(self.nodes.leader(among=self.others(leader)), leader)
            self.outage("the leader's link is cut", load, since)
            since = now()
            self.nodes.mend(leader)
            wait_until(lambda: self.unhealthy(leader) == "", "the node is healthy again", 30)
            self.outage("it is mended", load, since)
        self.check(load)

    def test_the_leader_is_killed(self):
        with self.load() as load:
            self.settle(load)
            leader = self.nodes.leader()
            since = now()
            self.nodes.kill(leader)
            self.outage("the leader is killed", load, since)
            self.nodes.start(leader)
        self.check(load)

    def test_a_leader_that_stops_hands_over(self):
        with self.load() as load:
            self.settle(load)
            leader = self.nodes.leader()
            since = now()
            self.nodes.stop(leader)
            stopped = now() - since
            self.settle(load)
            self.outage("the leader is stopped", load, since)
            self.assertLess(load.writes.outage(since), 0.9, "an election was waited for")
            self.assertLess(stopped, 20)
            with open(os.path.join(self.nodes.directory, str(leader), "log", "ovsdb-server-nb.log"), encoding="utf-8") as log:
                self.assertIn("Transferring leadership", log.read())
            self.nodes.start(leader)
        self.check(load)

    def lose(self, number, what, spoil):
        """A node dies, its files suffer, and it comes back by itself."""
        with self.load() as load:
            self.settle(load)
            since = now()
            self.nodes.kill(number)
            spoil()
            self.settle(load)
            self.nodes.start(number)
            self.outage(what, load, since)
        self.check(load)

    def test_a_disk_is_lost(self):
        for number in (2, 1):  # 1 would found a cluster, if there were none.
            self.lose(number, f"node {number} loses its disk", lambda: self.nodes.wipe(number))

    def test_a_file_is_torn(self):
        def tear():
            for database in DATABASES:
                file = self.nodes.file(3, f"ovn{database}_db.db")
                os.truncate(file, os.path.getsize(file) - 7)

        self.lose(3, "a node's files end in half a record", tear)
        self.assertEqual([name for name in os.listdir(self.nodes.file(3, "")) if ".db.2" in name], [])

    def damage(self, number):
        """A bit of its northbound's file, in a name."""
        with open(self.nodes.file(number, "ovnnb_db.db"), "r+b") as file:
            content = file.read()
            place = content.index(b'"name":"n', len(content) // 2) + 8
            file.seek(place)
            file.write(bytes([content[place] ^ 1]))

    def test_a_file_is_damaged(self):
        member = self.nodes.status(3, "nb")["Server ID"]
        self.lose(3, "a node's file is damaged", lambda: self.damage(3))
        self.assertEqual(self.nodes.status(3, "nb")["Server ID"], member)
        kept = [name for name in os.listdir(self.nodes.file(3, "")) if name.startswith("ovnnb_db.db.2")]
        self.assertEqual(len(kept), 1)

    def test_all_are_killed_at_once(self):
        with self.load() as load:
            self.settle(load)
            since = now()
            for number in NUMBERS:
                self.nodes.kill(number)
            for number in NUMBERS:
                self.nodes.command("start", str(number))
            for number in NUMBERS:
                self.nodes.command("wait", str(number))
            self.settle(load)
            self.outage("all nodes are killed at once", load, since, 40)
        self.check(load)

    def start_apart(self, *numbers, seconds=6):
        """A while after each other, so that each is alone, or with those before, for that long."""
        for number in numbers:
            self.nodes.command("start", str(number))
            time.sleep(seconds)
        for number in numbers:
            self.nodes.command("wait", str(number))

    def test_all_are_killed_and_the_first_loses_its_disk(self):
        """It is back before the others, and must not found another cluster."""
        before = {database: self.nodes.status(2, database)["Cluster ID"] for database in DATABASES}
        with self.load() as load:
            self.settle(load)
            since = now()
            for number in NUMBERS:
                self.nodes.kill(number)
            self.nodes.wipe(1)
            self.start_apart(1, 2, 3)
            self.settle(load)
            self.outage("all nodes are killed, and the first loses its disk", load, since, 60)
        self.check(load)
        for number in NUMBERS:
            for database in DATABASES:
                self.assertEqual(self.nodes.status(number, database)["Cluster ID"], before[database], (number, database))

    def test_a_file_is_damaged_while_all_are_down(self):
        """Of one of the two who have all. With the third, who has not, it must not be a majority."""
        names = [f"n{i}" for i in range(40)]
        self.write_names("before")
        self.nodes.kill(1)
        self.write_names(*names)
        self.nodes.kill(2)
        self.nodes.kill(3)
        self.damage(3)
        for number in (3, 1):
            self.nodes.command("start", str(number))
            time.sleep(6)
        self.assertFalse(self.leads_within(10, among=(3, 1)))
        self.nodes.command("start", "2")
        for number in NUMBERS:
            self.nodes.command("wait", str(number))
        self.nodes.wait_until_members()
        self.nodes.sync(1)
        self.write_names("after")
        for number in NUMBERS:
            have = {row["name"] for row in self.nodes.select(number, "nb", "Address_Set", "name")}
            self.assertEqual({"before", "after", *names} - have, set(), number)

    def write_names(self, *names):
        """Each in a transaction of its own, and so in a record."""
        leader = self.nodes.leader()
        for name in names:
            self.nodes.transact(leader, "nb", {"op": "insert", "table": "Address_Set", "row": {"name": name}})

    def leads_within(self, seconds, among):
        """Whether one of these leads the northbound."""
        with contextlib.suppress(AssertionError):
            return bool(self.nodes.leader(among=among, seconds=seconds))
        return False


@needs_image
class PowerCutTest(ImageTest):
    """Each node's files are on a file system of its own in a loop device. When the power is cut, what is on the
    device then is all that is left: whatever was written and not synced is gone with the page cache."""

    MIB = 64

    def prepare(self):
        os.makedirs(self.nodes.directory)
        self.addCleanup(self._unmount_all)
        for number in NUMBERS:
            os.makedirs(self.mount_point(number))
            self.run_command("truncate", "-s", f"{self.MIB}M", self.disk(number))
            try:
                self.run_command("mkfs.ext4", "-q", "-F", self.disk(number))
                self.mount(number)
            except AssertionError as error:
                self.skipTest(f"no loop devices here: {error}")

    def disk(self, number):
        return self.path(f"disk{number}")

    def mount_point(self, number):
        return os.path.join(self.nodes.directory, str(number))

    def mount(self, number):
        self.run_command("mount", "-o", "loop", self.disk(number), self.mount_point(number))

    def unmount(self, number):
        wait_until(lambda: self.run_command("umount", self.mount_point(number), check=False).returncode == 0,
                   f"the file system of node {number} is unmounted")

    def _unmount_all(self):
        for number in NUMBERS:
            self.run_command("umount", self.mount_point(number), check=False)

    def cut_power(self):
        for number in NUMBERS:
            self.nodes.kill(number)
        for number in NUMBERS:
            shutil.copyfile(self.disk(number), self.disk(number) + ".cut")
        for number in NUMBERS:
            self.unmount(number)
            os.replace(self.disk(number) + ".cut", self.disk(number))
            self.mount(number)

    def test_the_power_is_cut(self):
        with self.load() as load:
            self.settle(load, 200)
            for number in NUMBERS:
                with open(os.path.join(self.mount_point(number), "unsynced"), "w", encoding="utf-8") as file:
                    file.write("gone")
            since = now()
            self.cut_power()
            for number in NUMBERS:
                unsynced = os.path.join(self.mount_point(number), "unsynced")
                self.assertFalse(os.path.exists(unsynced) and os.path.getsize(unsynced), "this was no power cut")
            for number in NUMBERS:
                self.nodes.command("start", str(number))
            for number in NUMBERS:
                self.nodes.command("wait", str(number))
            self.settle(load)
            self.outage("the power is cut, and is back", load, since, 40)
        self.check(load)


if __name__ == "__main__":
    unittest.main()
