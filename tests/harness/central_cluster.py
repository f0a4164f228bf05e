"""Our ovn-northd, two of them, on clusters of our servers."""

import os
import re

from harness import binaries
from harness.case import SystemTest
from harness.daemon import CommandFailed, Daemon
from harness.waiting import wait_until

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
DATABASES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}


class CentralCluster(SystemTest):
    def setUp(self):
        super().setUp()
        self.members = {name: self.cluster(name) for name in DATABASES}
        self.northds = [self.northd(f"northd{i}") for i in range(2)]
        self.nbctl("init")

    def cluster(self, name):
        tool = binaries.ours("ovsdb-tool")
        members = []
        for number in range(3):
            file, local = self.path(f"{name}{number}.db"), f"unix:{self.path(name)}{number}.raft"
            if members:
                self.run_command(tool, "join-cluster", file, DATABASES[name], local, f"unix:{self.path(name)}0.raft")
            else:
                self.run_command(tool, "create-cluster", file, os.path.join(SCHEMAS, f"ovn-{name}.ovsschema"), local)
            members.append(self.server(f"{name}{number}", [file]))
            wait_until(lambda: self.status(members[-1]).get("Status") == "cluster member", f"{name}{number} joins")
        return members

    def status(self, member):
        try:
            return dict(re.findall(r"^(\w[\w ]*): (.*)$", member.appctl("cluster/status", DATABASES[member.name[:2]]), re.M))
        except (CommandFailed, OSError):
            return {}

    def leader(self, name):
        def find():
            leaders = [member for member in self.members[name] if member.running() and self.status(member).get("Role") == "leader"]
            return leaders[0] if len(leaders) == 1 else None

        return wait_until(find, f"one server leads {name}")

    def remotes(self, name):
        return ",".join(member.remote for member in self.members[name])

    def northd(self, name):
        daemon = Daemon(binaries.ours("ovn-northd"), self.directory, name,
                        ["--ovnnb-db=" + self.remotes("nb"), "--ovnsb-db=" + self.remotes("sb")], self.env)
        return self.track(daemon).start()

    def active(self):
        def find():
            found = [northd for northd in self.northds if northd.appctl("status") == "Status: active\n"]
            return found[0] if len(found) == 1 else None

        return wait_until(find, "one northd is active", 40)

    def nbctl(self, *arguments, check=True):
        return self.run_command(binaries.reference("ovn-nbctl"), "--timeout=30", "--db=" + self.remotes("nb"), *arguments, check=check)

    def sbctl(self, *arguments):
        return self.run_command(binaries.reference("ovn-sbctl"), "--timeout=30", "--db=" + self.remotes("sb"), *arguments).stdout

    def kill(self, daemon):
        daemon.kill()
        daemon.start()

    def rows(self, name, table):
        with self.leader(name).connect() as connection:
            reply = connection.call("transact", [DATABASES[name], {"op": "select", "table": table, "where": []}])
        return reply["result"][0]["rows"]
