"""A control plane: one server with both databases and a northd."""

import os
import time

from harness import binaries
from harness.daemon import Daemon, OvsdbServer, create_database
from northd_fuzz import corpus

NB, SB = "OVN_Northbound", "OVN_Southbound"
SCHEMAS = {"nb": "ovn-nb.ovsschema", "sb": "ovn-sb.ovsschema"}
SECONDS = 10


class Stuck(AssertionError):
    """A northd has not caught up in time."""


class Plane:
    """`find` gives the path of a program by its name: binaries.ours or binaries.reference."""

    def __init__(self, name, find, directory):
        self.name = name
        self.directory = os.path.join(directory, name)
        os.mkdir(self.directory)
        schemas = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
        files = [
            create_database(os.path.join(self.directory, db + ".db"), os.path.join(schemas, schema), find("ovsdb-tool"))
            for db, schema in SCHEMAS.items()
        ]
        env = {**os.environ, **{f"{project}_{kind}DIR": self.directory for project in ("OVS", "OVN") for kind in ("RUN", "LOG")}}
        self.server = OvsdbServer(find("ovsdb-server"), self.directory, "db", files, env=env)
        self.northd = Daemon(find("ovn-northd"), self.directory, "northd",
                             ["--ovnnb-db=" + self.server.remote, "--ovnsb-db=" + self.server.remote], env)
        self.client = None
        self._nb_cfg = 0

    def start(self, options):
        """Starts with an NB_Global of these options."""
        self.server.start()
        self.client = corpus.client(self.server.socket)
        self.client.transact(NB, {"op": "insert", "table": "NB_Global", "row": {"options": ["map", sorted(options.items())]}})
        self.northd.start()
        self.wait()
        return self

    def apply(self, edit):
        """Carries out an edit (see network.py) in one transaction; whether it was accepted."""
        operations = self._resolved(edit["ops"]) if edit["db"] == "sb" else edit["ops"]
        if operations is None:
            return False
        results = self.client.call("transact", [NB if edit["db"] == "nb" else SB, *operations])
        return not any(result and "error" in result for result in results)

    def _resolved(self, value):
        """With {"find": [table, column, value]} replaced by the row that has it; None if none has.
        A fourth element names a column, whose value then stands there instead of the row."""
        if isinstance(value, dict) and set(value) == {"find"}:
            table, column, wanted, result = [*value["find"], "_uuid"][:4]
            rows = self.client.transact(SB, {"op": "select", "table": table, "where": [], "columns": [result, column]})
            for row in rows[0]["rows"]:
                found = row[column]
                if found == wanted or (isinstance(found, list) and found[0] == "map" and wanted in found[1]):
                    return row[result]
            return None
        if isinstance(value, dict):
            parts = {key: self._resolved(part) for key, part in value.items()}
            return None if None in parts.values() else parts
        if isinstance(value, list):
            parts = [self._resolved(part) for part in value]
            return None if None in parts else parts
        return value

    def wait(self):
        """Waits until northd has seen all that was done, and what it did itself."""
        for _ in range(2):
            self._nb_cfg += 1
            self.client.transact(NB, {"op": "update", "table": "NB_Global", "where": [], "row": {"nb_cfg": self._nb_cfg}})
            deadline = time.monotonic() + SECONDS
            pause = 0.001
            while self._sb_cfg() < self._nb_cfg:
                self.northd.check_alive()
                if time.monotonic() > deadline:
                    raise Stuck(f"{self.name}'s northd has not caught up in {SECONDS} s: {self._last_error()}")
                time.sleep(pause)
                pause = min(pause * 1.3, 0.05)

    def _last_error(self):
        with open(self.northd.log_path, encoding="utf-8", errors="replace") as log:
            return ([line for line in log if "error" in line] or [""])[-1][:600]

    def _sb_cfg(self):
        operation = {"op": "select", "table": "SB_Global", "where": [], "columns": ["nb_cfg"]}
        rows = self.client.transact(SB, operation)[0]["rows"]
        return rows[0]["nb_cfg"] if rows else 0

    def dump(self):
        """Both databases as they are: northbound, southbound."""
        return self.client.dump(NB), self.client.dump(SB)

    def port_rows(self):
        """The UUIDs of the ports' rows in the southbound, by their names."""
        operation = {"op": "select", "table": "Port_Binding", "where": [], "columns": ["_uuid", "logical_port"]}
        return {row["logical_port"]: row["_uuid"][1] for row in self.client.transact(SB, operation)[0]["rows"]}

    def learned(self, ports):
        """The UUIDs of what FDB has of these ports."""
        bindings, datapaths, learned = (result["rows"] for result in self.client.transact(SB, *(
            {"op": "select", "table": table, "where": []} for table in ("Port_Binding", "Datapath_Binding", "FDB"))))
        datapath_keys = {row["_uuid"][1]: row["tunnel_key"] for row in datapaths}
        keys = {(datapath_keys[row["datapath"][1]], row["tunnel_key"]) for row in bindings if row["logical_port"] in ports}
        return {row["_uuid"][1] for row in learned if (row["dp_key"], row["port_key"]) in keys}

    def forget_learned(self, uuids):
        """Deletes these rows of FDB."""
        self.client.transact(SB, *({"op": "delete", "table": "FDB", "where": [["_uuid", "==", ["uuid", uuid]]]} for uuid in uuids))

    def asking_for_keys(self):
        """The names of ports for which a tunnel key is requested."""
        operations = [{"op": "select", "table": table, "where": [], "columns": ["name", "options"]}
                      for table in ("Logical_Switch_Port", "Logical_Router_Port")]
        return {row["name"] for result in self.client.transact(NB, *operations) for row in result["rows"]
                if "requested-tnl-key" in dict(row["options"][1])}

    def recompute(self):
        self.northd.appctl("inc-engine/recompute")
        self.wait()

    def restart(self):
        self.northd.stop()
        self.northd.start()
        self.wait()

    def stop(self):
        if self.client:
            self.client.__exit__()
        self.northd.kill()
        self.server.kill()


def make_planes(directory):
    """The reference's and ours."""
    return [Plane("reference", binaries.reference, directory), Plane("ours", binaries.ours, directory)]

