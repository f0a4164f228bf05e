"""The base of the image's tests: three nodes, a load, and the seconds that something took."""

import contextlib
import os
import sys
import time

from harness.case import SystemTest
from harness.waiting import wait_until
from image.load import Load
from image.nodes import NUMBERS, Nodes, needs_image  # pylint: disable=unused-import

figures = []  # (What happened, seconds until something was written, seconds until it was translated.)


class ImageTest(SystemTest):
    options = ()  # Of podman, for all nodes.
    tls = None

    def setUp(self):
        super().setUp()
        self.nodes = Nodes(self.path("nodes"), self.tls)
        self.addCleanup(self._down)
        self.prepare()
        self.up()

    def prepare(self):
        """What a test does before the nodes run."""

    def up(self):
        self.nodes.up(*self.options)

    def _down(self):
        if self._failed():
            for number in NUMBERS:
                sys.stderr.write(f"--- node {number}\n" + "".join(self.nodes.logs(number).splitlines(True)[-30:]))
        self.nodes.down()

    def load(self):
        return Load(self.nodes)

    def settle(self, load, n_writes=20):
        """Until the load goes on."""
        before = len(load.writes), len(load.syncs)
        wait_until(lambda: len(load.writes) > before[0] + n_writes and len(load.syncs) > before[1] + 2,
                   "something is written and translated", 60)

    def outage(self, what, load, since, limit=15):
        """Once the load has gone on, notes how long it had to wait; fails if that was long."""
        self.settle(load)
        writes, syncs = load.writes.outage(since), load.syncs.outage(since)
        figures.append((what, writes, syncs))
        sys.stderr.write(f"{what}: {writes:.1f} s until a write, {syncs:.1f} s until a change in the southbound\n")
        self.assertLess(writes, limit)
        self.assertLess(syncs, limit * 2)

    def check(self, load):
        """Nothing that was acknowledged is lost, and all nodes are as they should be."""
        self.nodes.wait_until_members()
        self.nodes.sync(1)
        with contextlib.suppress(AssertionError):  # Followers may be late; what is lost is told below.
            wait_until(lambda: not load.verdict(), "all nodes have what was acknowledged")
        self.assertEqual(load.verdict(), [])
        self.assertGreater(len(load.acknowledged), 50)
        for number in NUMBERS:
            self.assertEqual(self.unhealthy(number), "")

    def unhealthy(self, number):
        """What a probe of Kubernetes would complain of, as Kube-OVN's asks for it."""
        script = os.path.join(os.path.dirname(__file__), "probe.sh")
        with open(script, encoding="utf-8") as text:
            return self.nodes.exec(number, "bash", "-c", text.read(), check=False).stdout


def now():
    return time.monotonic()

