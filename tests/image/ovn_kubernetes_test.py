"""The daemons as OVN-Kubernetes runs them: each in a container of its own, in the foreground, by ovn-ctl."""

import os
import unittest

from harness.case import SystemTest
from harness.waiting import wait_until
from image.nodes import ENVIRONMENT, IMAGE, needs_image

CTL = "/usr/share/ovn/scripts/ovn-ctl"


@needs_image
class OvnKubernetesTest(SystemTest):
    """Recipe: "OVN-Kubernetes" in docs/operations.md."""

    COMMANDS = {
        "nb": f"exec {CTL} run_nb_ovsdb --no-monitor --ovn-nb-log='-vconsole:info -vfile:info'",
        "sb": f"exec {CTL} run_sb_ovsdb --no-monitor --ovn-sb-log='-vconsole:info -vfile:info'",
        "northd": f"until [ -S /var/run/ovn/ovnnb_db.sock ] && [ -S /var/run/ovn/ovnsb_db.sock ]; do sleep 0.2; done; "
                  f"{CTL} start_northd --no-monitor --ovn-manage-ovsdb=no --ovn-northd-log='-vconsole:info -vfile:info'; "
                  "exec sleep infinity",
    }

    def setUp(self):
        super().setUp()
        self.prefix = f"bk{os.getpid()}"
        for part in ("etc", "run", "log"):
            os.makedirs(self.path(part))
        self.addCleanup(lambda: [self.podman("rm", "-f", "-t", "5", self.prefix + name) for name in reversed(self.COMMANDS)])
        for name, command in self.COMMANDS.items():
            network = "none" if name == "nb" else f"container:{self.prefix}nb"
            volumes = [word for part, place in (("etc", "/etc/ovn"), ("run", "/var/run/ovn"), ("log", "/var/log/ovn"))
                       for word in ("-v", f"{self.path(part)}:{place}")]
            self.podman("run", "-d", "--name", self.prefix + name, "--network", network, *volumes,
                        "--entrypoint", "bash", IMAGE, "-c", command)

    def podman(self, *words):
        return self.run_command("podman", *words, env=ENVIRONMENT)

    def exec(self, name, *words):
        return self.podman("exec", self.prefix + name, *words).stdout

    def northd_is_active(self):
        try:
            return self.exec("northd", "ovn-appctl", "-t", "ovn-northd", "status") == "Status: active\n"
        except AssertionError:
            return False

    def test_a_node_of_its_own(self):
        wait_until(self.northd_is_active, "ovn-northd works", 30)
        self.exec("nb", "ovn-nbctl", "set", "NB_Global", ".", "options:northd-backoff-interval-ms=300", "options:name=node1")
        self.exec("nb", "ovn-nbctl", "--inactivity-probe=0", "set-connection", "ptcp:6641:[127.0.0.1]")
        self.exec("sb", "ovn-sbctl", "--inactivity-probe=0", "set-connection", "ptcp:6642:[127.0.0.1]")
        self.exec("northd", "ovn-nbctl", "--db=tcp:127.0.0.1:6641", "--timeout=20", "--wait=sb", "ls-add", "node1")
        self.assertIn("node1", self.exec("sb", "ovn-sbctl", "--db=tcp:127.0.0.1:6642", "list", "Datapath_Binding"))
        for name, database in (("nb", "OVN_Northbound"), ("sb", "OVN_Southbound")):
            control = ("ovn-appctl", "-t", f"/var/run/ovn/ovn{name}_db.ctl")
            self.assertIn("cells:", self.exec(name, *control, "memory/show"))
            self.assertEqual(self.exec(name, *control, "ovsdb-server/get-db-storage-status", database), "status: ok\n")
        self.assertIn("Statistics for", self.exec("northd", "ovn-appctl", "-t", "ovn-northd", "stopwatch/show"))
        # Each ends when it is asked, and goes on where it was.
        for name in ("nb", "sb"):
            self.exec(name, "ovn-appctl", "-t", f"/var/run/ovn/ovn{name}_db.ctl", "exit")
            self.assertEqual(self.podman("wait", self.prefix + name).stdout, "0\n")
        with open(self.path("etc", "ovnnb_db.db"), encoding="utf-8") as file:
            self.assertIn("OVSDB JSON", file.readline())
