"""Three real servers, each on a node and with a small disk of its own."""

import json
import os
import re
import shutil
import subprocess
import tempfile

from chaos.load import DATABASE, SCHEMA, initial_operations
from chaos.network import Network
from harness import binaries, jsonrpc
from harness.daemon import CommandFailed, OvsdbServer
from harness.wall_clock import WallClock, have_wall_clock
from harness.waiting import wait_until

PORT = 6643
DISK_BYTES = 64 << 20


class Member(OvsdbServer):
    def __init__(self, kind, node, directory, prefix):
        path = (binaries.ours if kind == "ours" else binaries.reference)("ovsdb-server")
        super().__init__(path, directory, f"{kind}{node}", [os.path.join(directory, "db")], ["-vraft:dbg"])
        self.kind = kind
        self.node = node
        self.wall_clock = None
        if have_wall_clock():
            self.wall_clock = WallClock(directory + ".clock")  # Beside the disk, which may be full.
            self.env = {**os.environ, **self.wall_clock.environment}
        self._prefix = prefix

    def argv(self):
        return [*self._prefix, *super().argv()]

    def status(self):
        """The lines of cluster/status by what stands before the colon; {} if it does not answer."""
        try:
            text = self.appctl("cluster/status", DATABASE, seconds=2)
        except (CommandFailed, OSError, jsonrpc.Closed, jsonrpc.Timeout):
            return {}
        return dict(re.findall(r"^(\w[\w ]*): (.*)$", text, re.M))

    def numbers(self):
        """Of all that was ever written, what this member has."""
        with self.connect() as client:
            [found] = client.transact(DATABASE, {"op": "select", "table": "Number", "where": [], "columns": ["n"]})
        return [row["n"] for row in found["rows"]]


class Cluster:
    """Members of the `kinds`, "ours" or "stock", that have all joined. To be closed."""

    def __init__(self, kinds, election_timer_ms):
        self.directory = tempfile.mkdtemp(prefix="boreas-chaos-")
        self.members = []
        self.network = None
        self._mounted = []
        try:
            self.network = Network(len(kinds))
            self._start(kinds, election_timer_ms)
        except BaseException:
            self.close()
            raise

    def _start(self, kinds, election_timer_ms):
        tool = binaries.ours("ovsdb-tool")
        schema = os.path.join(self.directory, "schema")
        with open(schema, "w", encoding="utf-8") as out:
            json.dump(SCHEMA, out)
        addresses = [f"tcp:{self.network.address(node)}:{PORT}" for node in self.network.nodes]
        for node, kind in zip(self.network.nodes, kinds):
            member = Member(kind, node, self._disk(node), self.network.prefix(node))
            file, address = member.databases[0], addresses[node - 1]
            if node == 1:
                subprocess.run([tool, f"--election-timer={election_timer_ms}", "create-cluster", file, schema, address], check=True, timeout=20)
            else:
                subprocess.run([tool, "join-cluster", file, DATABASE, address, addresses[0]], check=True, timeout=20)
            self.members.append(member)
            member.start()
            wait_until(lambda: self.members[-1].status().get("Status") == "cluster member", f"{member.name} joins")
        with self.members[0].connect() as client:
            results = client.transact(DATABASE, *initial_operations())
        assert not any("error" in result for result in results), results

    def _disk(self, node):
        path = os.path.join(self.directory, str(node))
        os.mkdir(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "boreas", path], check=True, timeout=20)
        self._mounted.append(path)
        return path

    def leader(self):
        """Who says that it leads, of the newest term; None if nobody does."""
        found = [(int(status["Term"]), member.node, member)
                 for member in self.members if member.running()
                 for status in [member.status()] if status.get("Role") == "leader"]
        return max(found)[2] if found else None

    def close(self, keep=False):
        for member in self.members:
            member.kill()
        if keep:
            return
        if self.network is not None:
            self.network.close()
        for path in self._mounted:
            subprocess.run(["umount", path], check=False, timeout=20)
        shutil.rmtree(self.directory, ignore_errors=True)
