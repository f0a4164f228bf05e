"""Our ovn-northd, two of them, on clusters of our servers, while those who work are killed.

BOREAS_KILLS says how many are (a few by default), BOREAS_SEED which.
"""

import collections
import os
import random
import re
import threading

from harness import binaries
from harness.case import SystemTest
from harness.daemon import CommandFailed, Daemon
from harness.waiting import wait_until

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
DATABASES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}
KILLS = int(os.environ.get("BOREAS_KILLS", "6"))
SEED = int(os.environ.get("BOREAS_SEED", "1"))


class Editor(threading.Thread):
    """Edits the northbound until told to stop. What fails while nobody leads is left out."""

    def __init__(self, nbctl, seed):
        super().__init__()
        self._nbctl = nbctl
        self._rng = random.Random(seed)
        self._done = threading.Event()
        self.edits = 0
        self.start()

    def run(self):
        while not self._done.is_set():
            if self._nbctl(*self._edit(), check=False).returncode == 0:
                self.edits += 1

    def stop(self):
        self._done.set()
        self.join()

    def _edit(self):
        rng = self._rng
        switch, router, port = f"sw{rng.randrange(4)}", f"r{rng.randrange(2)}", rng.randrange(6)
        name = f"{switch}-p{port}"
        return rng.choice([
            ["--may-exist", "ls-add", switch],
            ["--may-exist", "ls-add", switch, "--", "--may-exist", "lsp-add", switch, name, "--",
             "lsp-set-addresses", name, f"00:00:00:00:{port:02x}:01 10.0.{port}.1"],
            ["--if-exists", "lsp-del", name],
            ["--if-exists", "ls-del", switch],
            ["--may-exist", "lr-add", router, "--", "--may-exist", "lrp-add", router, f"{router}-{switch}",
             f"00:00:00:01:0{switch[2:]}:0{router[1:]}", f"10.{router[1:]}.{switch[2:]}.254/24"],
            ["--if-exists", "lr-del", router],
            ["--may-exist", "acl-add", switch, "to-lport", str(1000 + port), "ip4", rng.choice(["allow-related", "drop"])],
            ["--may-exist", "lb-add", f"lb{port}", f"10.96.0.{port}:80", f"10.0.0.{rng.randrange(1, 9)}:80"],
            ["--may-exist", "ls-lb-add", switch, f"lb{port}"],
            ["--if-exists", "lb-del", f"lb{port}"],
            ["--", "--id=@m", "create", "Meter_Band", "action=drop", f"rate={port + 1}", "--",
             "create", "Meter", f"name=m{rng.randrange(1000)}", "unit=pktps", "bands=@m"],
        ])


@binaries.needs_reference
class NorthdClusterTest(SystemTest):
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

    def kill(self, daemon):
        daemon.kill()
        daemon.start()

    def rows(self, name, table):
        with self.leader(name).connect() as connection:
            reply = connection.call("transact", [DATABASES[name], {"op": "select", "table": table, "where": []}])
        return reply["result"][0]["rows"]


    def is_as_from_scratch(self, northd):
        try:
            return northd.appctl("inc-engine/compare") == "as from scratch\n"
        except CommandFailed as error:
            if "try again" in str(error):
                return False
            raise

    def check_southbound(self):
        self.nbctl("--wait=sb", "sync")
        active = self.active()
        wait_until(lambda: self.is_as_from_scratch(active), "a comparison between passes")
        datapaths = self.rows("sb", "Datapath_Binding")
        self.assertEqual(len(datapaths), len(self.rows("nb", "Logical_Switch")) + len(self.rows("nb", "Logical_Router")))
        ports = len(self.rows("nb", "Logical_Switch_Port")) + len(self.rows("nb", "Logical_Router_Port"))
        self.assertEqual(len(self.rows("sb", "Port_Binding")), ports)
        for table, columns in (("Datapath_Binding", ["tunnel_key"]), ("Port_Binding", ["logical_port"]),
                               ("Port_Binding", ["datapath", "tunnel_key"]), ("Load_Balancer", ["name"]), ("Meter", ["name"]),
                               ("Multicast_Group", ["datapath", "name"]), ("Address_Set", ["name"]), ("RBAC_Permission", ["table"]),
                               ("Logical_Flow", ["logical_datapath", "logical_dp_group", "pipeline", "table_id", "priority", "match"])):
            keys = collections.Counter(str([row[column] for column in columns]) for row in self.rows("sb", table))
            self.assertEqual([key for key, count in keys.items() if count > 1], [], table)

    def test_end_state_is_as_from_scratch_whoever_is_killed(self):
        rng = random.Random(SEED)
        editor = Editor(self.nbctl, SEED)
        try:
            for number in range(KILLS):
                before = editor.edits
                wait_until(lambda seen=before: editor.edits > seen + 3, "the northbound is edited", 60)
                if number % 2 == 0:
                    self.kill(self.active())
                else:
                    self.kill(self.leader(rng.choice(["sb", "sb", "nb"])))
        finally:
            editor.stop()
        self.check_southbound()
        # Whoever is next finds nothing to do.
        before = sorted(str(row) for row in self.rows("sb", "Logical_Flow") + self.rows("sb", "Port_Binding"))
        self.kill(self.active())
        self.check_southbound()
        self.assertEqual(sorted(str(row) for row in self.rows("sb", "Logical_Flow") + self.rows("sb", "Port_Binding")), before)
