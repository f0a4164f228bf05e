"""The image without NODE_IPS: one node, and no cluster."""

import os
import subprocess
import time
import unittest

from harness.case import SystemTest
from harness.waiting import wait_until
from image.nodes import ENVIRONMENT, IMAGE, needs_image


@needs_image
class StandaloneTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.name = f"bs{os.getpid()}"
        os.makedirs(self.path("etc"))
        self.addCleanup(self.podman, "rm", "-f", "-t", "5", self.name, check=False)
        self.podman("run", "-d", "--name", self.name, "--network", "none", "-v", self.path("etc") + ":/etc/ovn",
                    "-e", "ENABLE_COMPACT=true", "-e", "PROBE_INTERVAL=33000", IMAGE)
        self.wait_until_up(1)

    def podman(self, *words, check=True):
        done = subprocess.run(["podman", *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
        if check:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def exec(self, *words, check=True):
        return self.podman("exec", self.name, *words, check=check).strip()

    def wait_until_up(self, times):
        wait_until(lambda: self.podman("logs", self.name).count("this node is up") == times, "the node is up", 60)

    def test_it_works_and_keeps_what_it_has(self):
        self.exec("ovn-nbctl", "--timeout=20", "--wait=sb", "ls-add", "sw0")
        self.assertIn("ENABLE_COMPACT is set, and ignored", self.podman("logs", self.name))
        for database in ("nb", "sb"):
            self.exec("ovsdb-tool", "db-is-standalone", f"/etc/ovn/ovn{database}_db.db")
        wait_until(lambda: "33000" in self.exec("ovn-sbctl", "get", "SB_Global", ".", "options"), "options are set")
        # By TCP too, which is where other machines find it.
        self.assertIn("sw0", self.exec("ovn-nbctl", "--db=tcp:127.0.0.1:6641", "--timeout=10", "ls-list"))
        since = time.monotonic()
        self.podman("stop", "-t", "30", self.name)
        self.assertLess(time.monotonic() - since, 20)
        self.assertEqual(self.podman("inspect", "-f", "{{.State.ExitCode}}", self.name).strip(), "0")
        self.podman("start", self.name)
        self.wait_until_up(2)
        self.assertIn("sw0", self.exec("ovn-nbctl", "--timeout=20", "--wait=sb", "show"))
        self.assertEqual(self.exec("ovn-sbctl", "--bare", "--columns=external_ids", "list", "Datapath_Binding").count("name=sw0"), 1)

    def test_it_ends_with_a_daemon_that_is_gone(self):
        """To be started again by whoever looks after it."""
        pid = self.exec("cat", "/var/run/ovn/ovn-northd.pid")
        self.exec("kill", "-SEGV", pid)
        wait_until(lambda: self.exec("ovn-appctl", "-t", "ovn-northd", "status", check=False) == "Status: active",
                   "its monitor starts it again", 20)
        again = self.exec("cat", "/var/run/ovn/ovn-northd.pid")
        self.assertNotEqual(again, pid)
        self.exec("kill", "-KILL", again)  # By somebody who means it: the monitor leaves it at that.
        wait_until(lambda: self.podman("inspect", "-f", "{{.State.Running}}", self.name).strip() == "false", "it ends", 60)
        self.assertEqual(self.podman("inspect", "-f", "{{.State.ExitCode}}", self.name).strip(), "1")


if __name__ == "__main__":
    unittest.main()
