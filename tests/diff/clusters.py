"""A cluster of three in the place of one server: clients talk to its leader, and each transaction is
committed by the members together."""

import os
import re
import subprocess

from harness import jsonrpc
from harness.daemon import OvsdbServer
from harness.waiting import wait_until


def cluster_of(tool):
    """The class for Program's `server_class`. `tool` makes and unmakes the files."""

    class Cluster(ThreeServers):
        ovsdb_tool = tool

    return Cluster


class ThreeServers:
    """What rounds and lockstep want of a server. `databases` names a standalone file, which becomes a
    cluster's and is made anew when the members stop."""

    ovsdb_tool = None

    def __init__(self, path, directory, name, databases):
        self.name = name
        self.databases = databases
        self._members = [
            OvsdbServer(path, directory, f"{name}-{i}", [os.path.join(directory, f"{name}-{i}.raft.db")]) for i in (1, 2, 3)
        ]
        self._addresses = [f"unix:{directory}/{name}-{i}.raft" for i in (1, 2, 3)]

    @property
    def process(self):
        """The member that died, if one did."""
        return next((member.process for member in self._members if not member.running()), self._members[0].process)

    def start(self):
        database = self._tool("db-name", self.databases[0]).strip()
        first, *others = self._members
        self._tool("create-cluster", first.databases[0], self.databases[0], self._addresses[0])
        first.start()
        for member, address in zip(others, self._addresses[1:]):
            self._tool("join-cluster", member.databases[0], database, address, self._addresses[0])
            member.start()
            wait_until(lambda: "Status: cluster member" in self._status(member, database), f"{member.name} joins")
        self._database = database
        return self

    def connect(self):
        return self._members[0].connect()

    def appctl(self, *words):
        return self._members[0].appctl(*words)

    def settle(self):
        """Waits until what was executed is committed."""
        # Twice: what was sent before the first look has been read before the second.
        for _ in range(2):
            wait_until(self._is_settled, "all is committed")

    def _is_settled(self):
        if not all(member.running() for member in self._members):
            return True
        text = self._status(self._members[0], self._database)
        return not text or re.search("not yet committed: 0\nEntries not yet applied: 0\n", text)

    @staticmethod
    def _status(member, database):
        try:
            return member.appctl("cluster/status", database)
        except (OSError, jsonrpc.Closed):
            return ""

    def stop(self):
        for member in self._members:
            member.stop()
        os.unlink(self.databases[0])
        self._tool("cluster-to-standalone", self.databases[0], self._members[0].databases[0])

    def kill(self):
        for member in self._members:
            member.kill()

    def _tool(self, *words):
        return subprocess.run([self.ovsdb_tool, *words], check=True, capture_output=True, text=True, timeout=60).stdout
