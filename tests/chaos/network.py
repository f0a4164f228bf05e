"""A network of our own for a few nodes, whose links can be cut: namespaces joined by a bridge."""

import itertools
import os
import shutil
import subprocess
import sys
import unittest

_numbers = itertools.count()
# Where packets go that are to get lost.
NOWHERE = "02:00:00:00:00:00"


def needs_root(test):
    """Class or method decorator: skipped, loudly, where namespaces and mounts are not to be had."""
    if os.geteuid() == 0 and shutil.which("ip"):
        return test
    sys.stderr.write(f"SKIPPED, for it takes root and the command ip: {test.__qualname__}\n")
    return unittest.skip("takes root and the command ip")(test)


def _run(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=20)


class Network:
    """Nodes 1 to `n`, each in a namespace with the address that address(node) tells."""

    def __init__(self, n):
        self._prefix = f"boreas{os.getpid()}x{next(_numbers)}"
        self.nodes = range(1, n + 1)
        self._switch = self._prefix + "sw"
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def _make(self):
        _run("ip", "netns", "add", self._switch)
        _run("ip", "-n", self._switch, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        _run("ip", "-n", self._switch, "link", "set", "br0", "up")
        for node in self.nodes:
            space = self.namespace(node)
            _run("ip", "netns", "add", space)
            _run("ip", "-n", space, "link", "set", "lo", "up")
            _run("ip", "-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", f"p{node}", "netns", self._switch)
            _run("ip", "-n", space, "addr", "add", self.address(node) + "/24", "dev", "eth0")
            _run("ip", "-n", space, "link", "set", "eth0", "up")
            _run("ip", "-n", self._switch, "link", "set", f"p{node}", "master", "br0", "up")

    def close(self):
        for space in [*map(self.namespace, self.nodes), self._switch]:
            subprocess.run(["ip", "netns", "del", space], capture_output=True, timeout=20, check=False)

    def namespace(self, node):
        return f"{self._prefix}n{node}"

    @staticmethod
    def address(node):
        return f"10.89.77.{node}"

    def prefix(self, node):
        """Words that make the command after them run on a node."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(node)}"]

    def isolate(self, node):
        _run("ip", "-n", self._switch, "link", "set", f"p{node}", "down")

    def drop(self, sender, receiver):
        """What `sender` has for `receiver` gets lost; the other direction is as it was."""
        _run("ip", "-n", self.namespace(sender), "neigh", "replace", self.address(receiver), "lladdr", NOWHERE, "nud", "permanent", "dev", "eth0")

    def heal(self):
        for node in self.nodes:
            _run("ip", "-n", self._switch, "link", "set", f"p{node}", "up")
            _run("ip", "-n", self.namespace(node), "neigh", "flush", "dev", "eth0", "nud", "permanent")
