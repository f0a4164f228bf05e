"""Nodes of the ovn-central image, each with an address of its own, and what can happen to them."""

import contextlib
import ctypes
import os
import re
import shutil
import subprocess
import sys
import unittest

from harness import jsonrpc
from harness.waiting import wait_until

PACKAGING = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "packaging", "image"))
IMAGE = os.environ.get("IMAGE", "localhost/boreas/ovn-central")
DATABASES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}
PORTS = {"nb": 6641, "sb": 6642}
NUMBERS = (1, 2, 3)
CLONE_NEWNET = 0x40000000
ENVIRONMENT = {**os.environ, "CONTAINERS_CONF": os.path.join(PACKAGING, "containers.conf")}


def needs_image(test):
    """Class decorator: skipped, loudly, where the nodes cannot run."""
    if os.getuid() != 0:
        why = "it needs root"
    elif shutil.which("podman") is None:
        why = "there is no podman"
    elif subprocess.run(["podman", "image", "exists", IMAGE], env=ENVIRONMENT, check=False).returncode:
        why = f"there is no image {IMAGE}: './central image' makes it"
    else:
        return test
    sys.stderr.write(f"SKIPPED, for {why}: {test.__qualname__}\n")
    return unittest.skip(why)(test)


@contextlib.contextmanager
def network(name):
    """This thread's sockets are in a network namespace; those made meanwhile stay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as own, open(f"/run/netns/{name}", "rb") as other:

        def enter(namespace):
            if libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns to {namespace.name}")

        enter(other)
        try:
            yield
        finally:
            enter(own)


class Nodes:
    """Three nodes. `tls`: an ssl.SSLContext for who talks to them, if they speak TLS."""

    def __init__(self, directory, tls=None):
        self.prefix = f"bt{os.getpid()}"
        self.directory = directory
        self.network = self.prefix + "sw"
        self.tls = tls
        self.kind = dict.fromkeys(NUMBERS, "ours")  # Or "stock".
        self._environment = {**ENVIRONMENT, "IMAGE": IMAGE, "NODES_PREFIX": self.prefix, "NODES_DIRECTORY": directory}

    # ---- packaging/image/nodes ----

    def command(self, *words, seconds=120, check=True, image=None):
        environment = {**self._environment, **({"IMAGE": image} if image else {})}
        done = subprocess.run([os.path.join(PACKAGING, "nodes"), *words], env=environment, capture_output=True,
                              text=True, timeout=seconds, check=False)
        if check and done.returncode:
            raise AssertionError(f"nodes {' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def up(self, *options, image=None):
        self.command("up", str(len(NUMBERS)), *options, seconds=180, image=image)

    def down(self):
        self.command("down")

    def kill(self, number):
        self.command("kill", str(number))

    def stop(self, number):
        self.command("stop", str(number))

    def start(self, number):
        """And waits until it is up."""
        self.command("start", str(number))
        self.command("wait", str(number))

    def run(self, number, *options, image=None):
        """Another container on the same databases."""
        self.command("run", str(number), *options, image=image)
        self.command("wait", str(number))

    def cut(self, number):
        self.command("cut", str(number))

    def mend(self, number):
        self.command("mend", str(number))

    def exec(self, number, *words, **more):
        return self.command("exec", str(number), *words, **more)

    def logs(self, number):
        return self.command("logs", str(number), check=False).stdout

    # ---- Their databases ----

    def file(self, number, name):
        """Where a node has /etc/ovn/NAME."""
        return os.path.join(self.directory, str(number), "etc", name)

    def wipe(self, number):
        directory = self.file(number, "")
        for name in os.listdir(directory):
            os.unlink(os.path.join(directory, name))

    def server(self, number, database="nb"):
        return f"{'ssl' if self.tls else 'tcp'}:10.89.77.{10 + number}:{PORTS[database]}"

    def servers(self, database="nb"):
        return ",".join(self.server(number, database) for number in NUMBERS)

    def connect(self, number, database="nb"):
        with network(self.network):
            return jsonrpc.Connection(self.server(number, database), self.tls)

    def transact(self, number, database, *operations):
        with self.connect(number, database) as connection:
            results = connection.call("transact", [database_name(database), *operations])["result"]
        errors = [result for result in results if "error" in (result or {})]
        assert not errors, errors
        return results

    def select(self, number, database, table, *columns):
        """The rows of a table as this node has them."""
        return self.transact(number, database, {"op": "select", "table": table, "where": [], "columns": list(columns)})[0]["rows"]

    def leader(self, database="nb", among=NUMBERS, seconds=30):
        """The number of the node that leads, once one does."""
        where = [["name", "==", DATABASES[database]]]

        def leads(number):
            with contextlib.suppress(OSError, jsonrpc.Closed, jsonrpc.Timeout), self.connect(number, database) as connection:
                query = ["_Server", {"op": "select", "table": "Database", "where": where, "columns": ["leader"]}]
                return connection.call("transact", query, 2)["result"][0]["rows"] == [{"leader": True}]
            return False

        return wait_until(lambda: next((number for number in among if leads(number)), None), f"one node leads {database}", seconds)

    def status(self, number, database):
        """The lines of cluster/status by what stands before the colon, and "servers": id -> address."""
        text = self.exec(number, "ovn-appctl", "-t", f"/var/run/ovn/ovn{database}_db.ctl", "cluster/status",
                         DATABASES[database], check=False).stdout
        found = dict(re.findall(r"^(\w[\w ]*): (.*)$", text, re.M))
        return {**found, "servers": dict(re.findall(r"^    \S+ \((\w{4}) at ([^)]*)\)", text, re.M))}

    def wait_until_members(self, among=NUMBERS):
        """All are members of clusters of that many."""

        def members():
            states = [self.status(number, database) for number in among for database in DATABASES]
            return all(state.get("Status") == "cluster member" and len(state["servers"]) == len(NUMBERS) for state in states)

        wait_until(members, "all nodes are members", 60)

    def sync(self, number, database="nb", seconds=20):
        """Until what was written northbound is in the southbound; asked from a node."""
        return self.exec(number, "ovn-nbctl", f"--db={self.servers(database)}", f"--timeout={seconds}", "--wait=sb", "sync")


def database_name(database):
    return DATABASES.get(database, database)
