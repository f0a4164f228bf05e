"""A control plane for a run: our nb and sb, and the northd under test; its CPU, and what it writes."""

import json
import pathlib
import re
import shutil
import tempfile
import time

from harness.daemon import Daemon, OvsdbServer
from harness.jsonrpc import Connection, Timeout

NB, SB = "OVN_Northbound", "OVN_Southbound"
STILL_SEC = 0.25       # So long without work, and it is done.
STILL_CPU_NSEC = 1e5   # Less is a timer.


def cpu_nsec(daemon):
    """User and system time of all threads of a process: clock_getcpuclockid(3) in the kernel's numbering."""
    return time.clock_gettime_ns(~daemon.pid << 3 | 2)


class NotDone(Exception):
    """Something is not done in time."""


class Plane:
    def __init__(self, server, northd, files, timeout):
        """`files`: the databases to begin with, a northbound and a southbound, which are copied."""
        self._northd = northd
        self._timeout = timeout
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-boreas-northd-"))
        self._servers = []
        for name, file in zip(("nb", "sb"), files):
            copy = str(self.directory / f"{name}.db")
            shutil.copyfile(file, copy)
            self._servers.append(OvsdbServer(server, str(self.directory), name, [copy], ["-vfile:warn"]))
        self._daemons = []
        self._clients = {}
        self._nb_cfg = 0

    def __enter__(self):
        for server, database in zip(self._servers, (NB, SB)):
            server.start()
            self._clients[database] = server.connect()
        self._clients[NB].call("monitor", [NB, "sequence", {"NB_Global": {"columns": ["sb_cfg"]}}], self._timeout)
        return self

    def __exit__(self, *_):
        for client in self._clients.values():
            client.close()
        for daemon in [*self._daemons, *self._servers]:
            daemon.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- northd ----

    def start_northd(self, name):
        daemon = Daemon(self._northd, str(self.directory), name, [
            f"--ovnnb-db={self._servers[0].remote}", f"--ovnsb-db={self._servers[1].remote}", "-vfile:warn"])
        self._daemons.append(daemon)
        return daemon.start(ready=False)

    def wait_still(self, *northds):
        """Waits until neither they nor the servers do anything."""
        daemons = [*northds, *self._servers]
        deadline = time.monotonic() + self._timeout
        known, since = 0, time.monotonic()
        while time.monotonic() < since + STILL_SEC:
            now = sum(map(cpu_nsec, daemons))
            if now > known + STILL_CPU_NSEC:
                known, since = now, time.monotonic()
            if since > deadline:
                raise NotDone(f"still busy after {self._timeout} s")
            time.sleep(0.02)

    # ---- Databases ----

    def transact(self, database, operations):
        for result in self._clients[database].transact(database, *operations, seconds=self._timeout):
            if result and "error" in result:
                raise RuntimeError(json.dumps(result))

    def change(self, operations):
        """A change of the northbound, as by `ovn-nbctl --wait=sb`: see wait_written()."""
        self._nb_cfg += 1
        self.transact(NB, [*operations, {"op": "update", "table": "NB_Global", "where": [], "row": {"nb_cfg": self._nb_cfg}}])

    def wait_written(self):
        """Waits until northd says that the southbound has the last change."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                update = self._clients[NB].receive(max(0, deadline - time.monotonic()))
            except Timeout:
                raise NotDone(f"not in the southbound after {self._timeout} s") from None
            if update.get("method") == "update" and self._says(update, self._nb_cfg):
                return

    @staticmethod
    def _says(update, number):
        return any(row["new"]["sb_cfg"] == number for row in update["params"][1]["NB_Global"].values())

    def watch_southbound(self):
        """From now on rows_written() counts."""
        with open(pathlib.Path(__file__).parents[2] / "schemas/ovn-sb.ovsschema", encoding="utf-8") as file:
            tables = json.load(file)["tables"]
        requests = {table: {"select": {"initial": False}} for table in tables if table != "SB_Global"}
        self._clients[SB].call("monitor", [SB, "rows", requests], self._timeout)

    def rows_written(self):
        """Rows inserted, changed and deleted since this was last asked, or since our own last transaction."""
        count = 0
        while True:
            try:
                update = self._clients[SB].receive(0)
            except Timeout:
                return count
            if update.get("method") == "update":
                count += sum(map(len, update["params"][1].values()))

    def datapath(self, name):
        """The UUID of a switch's or router's Datapath_Binding."""
        [found] = self._clients[SB].transact(SB, {
            "op": "select", "table": "Datapath_Binding", "columns": ["_uuid"],
            "where": [["external_ids", "includes", ["map", [["name", name]]]]]})
        return found["rows"][0]["_uuid"][1]

