"""The Debian package in the place of the distribution's programs: how it comes, works, is replaced, and goes."""

import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness.case import SystemTest
from image import debian
from image.document import commands

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PACKAGES = os.environ.get("PACKAGES", os.path.join(TOP, "build", "deb"))
PROGRAMS = ("/usr/sbin/ovsdb-server", "/usr/bin/ovsdb-tool", "/usr/bin/ovn-northd")
OVN_CTL = "/usr/share/ovn/scripts/ovn-ctl"
# What dpkg and apt write down with whatever they do; the beginnings of paths.
NOTES = ("/var/lib/dpkg/status", "/var/lib/dpkg/diversions-old", "/var/lib/dpkg/lock", "/var/lib/dpkg/triggers/Lock",
         "/var/log/dpkg.log", "/var/log/apt/", "/var/lib/apt/", "/var/cache/apt/", "/var/cache/debconf/tmp.ci")


def package():
    """The one that is to be tested; skips, loudly, if it cannot be."""
    found = glob.glob(os.path.join(PACKAGES, "boreas_*.deb"))
    if os.getuid() != 0:
        why = "it needs root"
    elif not all(shutil.which(program) for program in ("mmdebstrap", "dpkg-deb", "unshare", "nsenter")):
        why = "there is no mmdebstrap, dpkg-deb, unshare or nsenter"
    elif len(found) != 1:
        why = f"there is not one package in {PACKAGES}: './central deb' makes it"
    else:
        return found[0]
    sys.stderr.write(f"SKIPPED, for {why}: the tests of the Debian package\n")
    raise unittest.SkipTest(why)


def make_newer(unpacked, path):
    """The same package with a higher version."""
    control = os.path.join(unpacked, "DEBIAN", "control")
    with open(control, encoding="utf-8") as file:
        text = re.sub(r"^(Version: .*)$", r"\1+newer", file.read(), flags=re.M)
    with open(control, "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run(["dpkg-deb", "-b", unpacked, path], check=True, capture_output=True)


class PackageTest(SystemTest):
    """Each test has a Debian of the release that the package was made on, with its ovn-central.
    Recipe: "Debian without containers" in docs/operations.md."""

    @classmethod
    def setUpClass(cls):
        cls.package = package()
        depends = subprocess.run(["dpkg-deb", "-f", cls.package, "Depends"], check=True, capture_output=True, text=True).stdout
        scratch = tempfile.mkdtemp(prefix="boreas-debian-")
        cls.addClassCleanup(shutil.rmtree, scratch)
        cls.base = os.path.join(scratch, "base")
        debian.make(platform.freedesktop_os_release()["VERSION_CODENAME"], cls.base, re.findall(r"(?:^|, )([^ ,]+)", depends))
        ours = os.path.join(scratch, "ours")
        subprocess.run(["dpkg-deb", "-R", cls.package, ours], check=True)
        cls.ours = {path: debian.digest(ours + path) for path in PROGRAMS}
        cls.stock = {path: debian.digest(cls.base + path) for path in PROGRAMS}
        cls.newer = os.path.join(scratch, "boreas_newer.deb")
        make_newer(ours, cls.newer)

    def setUp(self):
        super().setUp()
        self.system = debian.System(self.base, self.path("system"))
        self.addCleanup(self.system.stop)
        self.recipe = dict(zip(("install", "purge"), commands("Debian without containers"), strict=True))

    def install(self, package=None):
        directory = self.system.path("/root/package")
        os.mkdir(directory)
        shutil.copy(package or self.package, directory)
        self.system.run("bash", "-ec", "cd /root/package\n" + self.recipe["install"])
        shutil.rmtree(directory)

    def upgrade(self):
        before = self.version()
        self.install(self.newer)
        self.assertNotEqual(self.version(), before)

    def version(self):
        return self.system.run("dpkg-query", "-W", "-f", "${Version}", "boreas")

    def purge(self):
        self.system.run("bash", "-ec", self.recipe["purge"])

    def installed(self, suffix=""):
        return {path: debian.digest(self.system.path(path + suffix)) for path in PROGRAMS}

    def check_ours(self):
        self.assertEqual(self.installed(), self.ours)
        self.assertEqual(self.installed(".stock"), self.stock)
        self.assertEqual(self.system.run("dpkg", "--verify", "boreas"), "")
        for path in PROGRAMS:
            version = "25.03.0" if path.endswith("northd") else "3.5.0"
            self.assertIn(version, self.system.run(os.path.basename(path), "--version").splitlines()[0])

    def test_it_comes_and_goes_without_a_trace(self):
        before = self.system.tree(NOTES)
        self.install()
        self.check_ours()
        self.upgrade()
        self.check_ours()
        self.purge()
        self.assertEqual(self.installed(), self.stock)
        after = self.system.tree(NOTES)
        paths = before.keys() | after.keys()
        self.assertGreater(len(paths), 1000)
        self.assertEqual([(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)], [])

    def test_the_distributions_packages_are_replaced_below_it(self):
        self.install()
        archives = self.system.path("/var/cache/apt/archives")
        again = [name for name in os.listdir(archives) if re.match(r"(ovn|openvswitch)-(central|common)_", name)]
        self.assertEqual(len(again), 3)
        self.system.run("dpkg", "-i", *("/var/cache/apt/archives/" + name for name in again))
        self.check_ours()
        self.purge()
        self.assertEqual(self.installed(), self.stock)
        self.assertEqual(self.system.run("dpkg", "--verify", "ovn-central", "openvswitch-common"), "")

    def test_ovn_ctl_runs_them(self):
        """The distribution's programs, ours, newer ones of ours and the distribution's, on the same databases."""
        self.restart(self.stock)
        self.add_switch("stock0")
        self.install()
        self.restart(self.ours)
        self.add_switch("ours0")
        self.upgrade()
        self.add_switch("ours1")  # What runs goes on meanwhile.
        self.restart(self.ours)
        self.add_switch("ours2")
        self.purge()
        self.restart(self.stock)
        self.add_switch("stock1")
        self.system.run(OVN_CTL, "stop_northd")

    def restart(self, programs):
        """By ovn-ctl; these are to run then."""
        self.system.run(OVN_CTL, "restart_northd")
        for pidfile, path in (("ovnnb_db", PROGRAMS[0]), ("ovnsb_db", PROGRAMS[0]), ("ovn-northd", PROGRAMS[2])):
            running = self.system.run("bash", "-c", f"sha256sum </proc/$(cat /run/ovn/{pidfile}.pid)/exe").split()[0]
            self.assertEqual(running, programs[path], pidfile)
        self.assertEqual(self.system.run(OVN_CTL, "status_northd").strip(), "ovn-northd is running with pid "
                         + self.system.run("cat", "/run/ovn/ovn-northd.pid").strip())

    def add_switch(self, name):
        """And a port; they get to the southbound, and those that were there before stay."""
        before = self.system.run("ovn-nbctl", "--bare", "--columns=name", "list", "Logical_Switch").split()
        self.system.run("ovn-nbctl", "--timeout=20", "--wait=sb", "ls-add", name, "--", "lsp-add", name, name + "p",
                        "--", "lsp-set-addresses", name + "p", "00:00:00:00:00:01")
        flows = self.system.run("ovn-sbctl", "--timeout=20", "lflow-list")
        for switch in (*before, name):
            self.assertIn(f'Datapath: "{switch}"', flows)
            self.assertIn(f'outport = "{switch}p"', flows)


if __name__ == "__main__":
    unittest.main()
