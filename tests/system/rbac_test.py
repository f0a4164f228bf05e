"""What a hypervisor's ovn-controller may write in a southbound: tried for every table and column."""

import json
import os
import unittest
import uuid

from harness import binaries, jsonrpc
from harness.daemon import Daemon
from harness.pki import Authority, client_context
from harness.twins import TwinTest
from harness.waiting import wait_until

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
DATABASE = "OVN_Southbound"
ROLE = "ovn-controller"
DENIED = "permission error"
ROLES = ("RBAC_Role", "RBAC_Permission")
# Where the owner of a row stands.
OWNERS = {"Chassis": "name", "Chassis_Private": "name", "Encap": "chassis_name", "IGMP_Group": "chassis_name"}


def base_type(column, part="key"):
    kind = column["type"]
    found = kind[part] if isinstance(kind, dict) else kind
    return found if isinstance(found, dict) else {"type": found}


def is_scalar(column):
    kind = column["type"]
    return not isinstance(kind, dict) or ("value" not in kind and kind.get("min", 1) == 1 and kind.get("max", 1) == 1)


def empty(column):
    """A value that every column of this type takes, as far as its type alone says."""
    if not is_scalar(column):
        return ["map", []] if "value" in column["type"] else ["set", []]
    base = base_type(column)
    if "enum" in base:
        return base["enum"][1][0] if isinstance(base["enum"], list) else base["enum"]
    return {"integer": base.get("minInteger", 0), "real": 0, "boolean": False, "string": "",
            "uuid": ["uuid", "00000000-0000-0000-0000-000000000000"]}[base["type"]]


def outcome(answer):
    """Of several constraints that a granted write breaks, stock tells any."""
    return answer.get("error", answer)


# What a role is of: rows that the server has before any controller comes, in as far as it needs them.
THERE = (*ROLES, "SB_Global", "Connection", "SSL")


class Rows:
    """Inserts with UUIDs of our choice, and what they need to be valid."""

    def __init__(self, schema):
        self._tables = schema["tables"]
        self.operations = []
        self._n = 0

    def add(self, table, owner):
        """The UUID of a row of `owner`."""
        row = {}
        self._n += 1
        for name, column in self._tables[table]["columns"].items():
            kind = column["type"]
            needed = isinstance(kind, dict) and kind.get("min", 1) >= 1
            target = base_type(column).get("refTable")
            if OWNERS.get(table) == name:
                row[name] = owner
            elif needed and target:
                row[name] = ["uuid", self.add(target, owner)]
            elif is_scalar(column) and "enum" in base_type(column):
                row[name] = empty(column)
            elif is_scalar(column) and base_type(column)["type"] == "string":
                row[name] = f"{owner} {self._n}"  # Indexes want them different.
            elif is_scalar(column) and base_type(column)["type"] == "integer":
                row[name] = min(self._n + base_type(column).get("minInteger", 0), base_type(column).get("maxInteger", 1 << 20))
        name = str(uuid.UUID(int=self._n, version=4))
        self.operations.append({"op": "insert", "table": table, "uuid": name, "row": row})
        return name


class RbacTest(TwinTest):
    def start(self):
        """Both southbounds, with what our northd says who may do, and a client in the role at each."""
        authority = Authority(self.directory)
        key, certificate = authority.issue("server")
        schema = os.path.join(SCHEMAS, "ovn-sb.ovsschema")
        self.twin("sb", schema, [
            f"--remote=db:{DATABASE},SB_Global,connections", f"--private-key={key}", f"--certificate={certificate}",
            f"--ca-cert={authority.certificate}"])
        self.transact_both(
            DATABASE,
            {"op": "insert", "table": "Connection", "uuid-name": "c", "row": {"target": "pssl:0:127.0.0.1", "role": ROLE}},
            {"op": "insert", "table": "SB_Global", "row": {"connections": ["named-uuid", "c"]}})
        self.grant()
        mine = client_context(authority, *authority.issue("me"))
        return [jsonrpc.Connection(f"ssl:127.0.0.1:{server.bound_port()}", mine) for server in self.twins]

    def grant(self):
        nb = self.server("nb", [self.database("nb", os.path.join(SCHEMAS, "ovn-nb.ovsschema"))])
        sb = self.server("sb", [self.database("sb", os.path.join(SCHEMAS, "ovn-sb.ovsschema"))])
        self.track(Daemon(binaries.ours("ovn-northd"), self.directory, "northd",
                          [f"--ovnnb-db={nb.remote}", f"--ovnsb-db={sb.remote}"], self.env)).start()
        with sb.connect() as client:
            def rows():
                answers = client.transact(DATABASE, *({"op": "select", "table": table, "where": []} for table in ROLES))
                return all(answer["rows"] for answer in answers) and answers

            found = wait_until(rows, "northd has said who may do what")
        self.transact_both(DATABASE, *(
            {"op": "insert", "table": table, "uuid": row["_uuid"][1],
             "row": {name: value for name, value in row.items() if not name.startswith("_")}}
            for table, answer in zip(ROLES, found) for row in answer["rows"]))

    def test_every_write(self):
        clients = self.start()
        with open(os.path.join(SCHEMAS, "ovn-sb.ovsschema"), encoding="utf-8") as text:
            schema = json.load(text)
        rows = Rows(schema)
        tables = [table for table in schema["tables"] if table not in THERE]
        owned = {table: [rows.add(table, owner) for owner in ("me", "other")] for table in tables}
        for server in self.twins:
            with server.connect() as client:
                answers = client.transact(DATABASE, *rows.operations)
                self.assertFalse([answer for answer in answers if answer and "error" in answer])
        counts = {"granted": 0, "denied": 0}
        for operation in self.attempts(schema, owned):
            ours, stock = (client.transact(DATABASE, operation, {"op": "abort"})[0] for client in clients)
            with self.subTest(operation=operation):
                self.assertEqual(outcome(ours), outcome(stock))
            counts["denied" if outcome(ours) == DENIED else "granted"] += 1
        for client in clients:
            client.close()
        self.assertGreater(min(counts.values()), 100, counts)

    def attempts(self, schema, owned):
        for table in THERE:
            yield {"op": "insert", "table": table, "uuid": str(uuid.UUID(int=0, version=4)), "row": {}}
            yield from self.changes(schema, table, [])
        for table, uuids in owned.items():
            yield {"op": "insert", "table": table, "uuid": str(uuid.UUID(int=0, version=4)), "row": {}}
            for owner in ("me", "other"):
                if table in OWNERS:
                    yield {"op": "insert", "table": table, "uuid": str(uuid.UUID(int=0, version=4)), "row": {OWNERS[table]: owner}}
            for row in uuids:
                yield from self.changes(schema, table, [["_uuid", "==", ["uuid", row]]])

    def changes(self, schema, table, where):
        yield {"op": "delete", "table": table, "where": where}
        for name, column in schema["tables"][table]["columns"].items():
            yield {"op": "update", "table": table, "where": where, "row": {name: empty(column)}}
            if not is_scalar(column):
                for mutator in ("insert", "delete"):
                    yield {"op": "mutate", "table": table, "where": where, "mutations": [[name, mutator, ["set", []]]]}


if __name__ == "__main__":
    unittest.main()
