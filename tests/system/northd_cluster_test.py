"""Our ovn-northd, two of them, on clusters of our servers, while those who work are killed.

BOREAS_KILLS says how many are (a few by default), BOREAS_SEED which.
"""

import collections
import os
import random
import threading

from harness import binaries
from harness.central_cluster import CentralCluster
from harness.daemon import CommandFailed
from harness.waiting import wait_until

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
class NorthdClusterTest(CentralCluster):
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

    def test_only_a_leader_is_asked_for_the_lock(self):
        self.active()
        for northd in self.northds:
            with open(northd.log_path, encoding="utf-8") as log:
                self.assertNotIn("lock lost", log.read())

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
