"""A live cluster of stock's programs becomes one of ours, a node at a time, and goes back, under load."""

import os
import subprocess
import sys
import unittest

from image.case import ImageTest, needs_image, now
from image.nodes import ENVIRONMENT, IMAGE, NUMBERS

FLOW = ("pipeline", "table_id", "priority", "match", "actions")
NETWORK = """ls-add sw0 -- ls-add sw1 -- lr-add lr0
  -- lrp-add lr0 lr0-sw0 00:00:00:00:ff:01 10.0.0.1/24 -- lsp-add sw0 sw0-lr0 -- lsp-set-type sw0-lr0 router
  -- lsp-set-addresses sw0-lr0 router -- lsp-set-options sw0-lr0 router-port=lr0-sw0
  -- lsp-add sw0 p0 -- lsp-set-addresses p0 00:00:00:00:00:01\\ 10.0.0.2
  -- lsp-add sw1 p1 -- lsp-set-addresses p1 00:00:00:00:00:02\\ 10.0.1.2
  -- acl-add sw0 to-lport 1000 ip4.src==10.0.0.0/24 allow-related -- lb-add lb0 10.1.0.1:80 10.0.0.2:8080 -- ls-lb-add sw0 lb0"""


def stock_image():
    """Built when it is missing; it is named after ours, on which it stands."""
    identity = subprocess.run(["podman", "image", "inspect", "-f", "{{.Id}}", IMAGE], env=ENVIRONMENT, check=True,
                              capture_output=True, text=True).stdout[:12]
    name = f"localhost/boreas/stock:{identity}"
    if subprocess.run(["podman", "image", "exists", name], env=ENVIRONMENT, check=False).returncode:
        file = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stock.Containerfile")
        build = subprocess.run(["podman", "build", "-q", "--network=host", "--build-arg", f"IMAGE={IMAGE}", "-t", name,
                                "-f", file, os.path.dirname(file)],
                               env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)
        if build.returncode:
            sys.stderr.write(f"SKIPPED: no image of stock's programs: {build.stderr[-500:]}\n")
            raise unittest.SkipTest("no image of stock's programs can be built")
    return name


@needs_image
class UpgradeTest(ImageTest):
    """Recipe: "Upgrade in place, and back" in docs/operations.md."""

    def setUp(self):
        self.stock = stock_image()
        super().setUp()

    def up(self):
        self.nodes.kind = dict.fromkeys(NUMBERS, "stock")
        self.nodes.up(image=self.stock)

    def flows(self):
        rows = self.nodes.select(self.nodes.leader("sb"), "sb", "Logical_Flow", "_uuid", *FLOW)
        return sorted(tuple(row[column] for column in FLOW) for row in rows)

    def programs(self):
        sums = ("sha256sum", "/usr/sbin/ovsdb-server", "/usr/bin/ovn-northd")
        return {self.nodes.exec(number, *sums).stdout for number in NUMBERS}

    def test_stock_to_ours_and_back(self):
        self.nodes.exec(1, "bash", "-c", f"ovn-nbctl --db={self.nodes.servers()} --wait=sb " + NETWORK.replace("\n", " "))
        of_stock, flows = self.programs(), self.flows()
        self.assertEqual(len(of_stock), 1)
        with self.load() as load:
            self.settle(load)
            for kind, image in (("ours", IMAGE), ("stock", self.stock)):
                for number in NUMBERS:
                    since = now()
                    self.nodes.run(number, image=image)
                    self.nodes.kind[number] = kind
                    self.nodes.wait_until_members()
                    self.outage(f"node {number} becomes {kind}", load, since)
                programs = self.programs()
                self.assertEqual(len(programs), 1)
                self.assertEqual(programs == of_stock, kind == "stock")
                self.assertEqual(self.flows(), flows)
        self.check(load)


if __name__ == "__main__":
    unittest.main()
