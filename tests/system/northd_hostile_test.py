"""Northbounds with rows that make no sense, and southbounds that somebody else meddles with."""

import os
import uuid as uuids

from harness import binaries
from harness.case import SystemTest
from harness.daemon import CommandFailed, Daemon
from harness.waiting import wait_until

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")
NB, SB = "OVN_Northbound", "OVN_Southbound"
LONG = "x" * 65536
WEIRD_NAMES = ['a"b', "a\\b", "tab\t", "line\nfeed", "\u0001", "ümlaut", "%s%n", " ", "$set", "@group", "_MC_flood", LONG]


def new_uuid():
    return str(uuids.uuid4())


def insert(table, row, uuid=None):
    return {"op": "insert", "table": table, "uuid": uuid or new_uuid(), "row": row}


def refs(uuid_list):
    return ["set", [["uuid", uuid] for uuid in uuid_list]]


class HostileTest(SystemTest):
    """A switch `sw0` with a port `good` and a router `r0` on it, which nothing that follows may harm."""

    def setUp(self):
        super().setUp()
        self.db = self.server("db", [self.database(name, os.path.join(SCHEMAS, f"ovn-{name}.ovsschema"))
                                     for name in ("nb", "sb")])
        self.switch, self.router, good, self.router_port, to_router = (new_uuid() for _ in range(5))
        self.transact(
            NB,
            insert("NB_Global", {}),
            insert("Logical_Switch_Port", {"name": "good", "addresses": "00:00:00:00:00:01 10.0.0.1"}, good),
            insert("Logical_Switch_Port", {"name": "sw0-r0", "type": "router", "addresses": "router",
                                           "options": ["map", [["router-port", "r0-sw0"]]]}, to_router),
            insert("Logical_Switch", {"name": "sw0", "ports": refs([good, to_router])}, self.switch),
            insert("Logical_Router_Port", {"name": "r0-sw0", "mac": "00:00:00:00:01:00", "networks": "10.0.0.254/24"},
                   self.router_port),
            insert("Logical_Router", {"name": "r0", "ports": refs([self.router_port])}, self.router))
        self.nb_cfg = 0
        self.northd = self.track(Daemon(
            binaries.ours("ovn-northd"), self.directory, "northd",
            ["--ovnnb-db=" + self.db.remote, "--ovnsb-db=" + self.db.remote], self.env)).start()
        self.sync()

    def transact(self, database, *operations):
        with self.db.connect() as connection:
            reply = connection.call("transact", [database, *operations])
        errors = [result for result in reply["result"] if result and "error" in result]
        self.assertEqual(errors, [])
        return reply["result"]

    def rows(self, table, *columns):
        return self.transact(SB, {"op": "select", "table": table, "where": [], "columns": list(columns)})[0]["rows"]

    def sync(self):
        """Waits until northd has seen all that was done, and what it did about it itself."""
        for _ in range(2):
            self.nb_cfg += 1
            self.transact(NB, {"op": "update", "table": "NB_Global", "where": [], "row": {"nb_cfg": self.nb_cfg}})
            wait_until(lambda: self.rows("SB_Global", "nb_cfg") == [{"nb_cfg": self.nb_cfg}], "northd has caught up")

    def own(self, table, uuid, column, row_table, row):
        """Inserts a row that belongs to another, in this column of that one; its UUID."""
        new = new_uuid()
        self.transact(NB, insert(row_table, row, new),
                      {"op": "mutate", "table": table, "where": [["_uuid", "==", ["uuid", uuid]]],
                       "mutations": [[column, "insert", refs([new])]]})
        return new

    def flows(self):
        return sorted(str(sorted(row.items())) for row in self.rows(
            "Logical_Flow", "pipeline", "table_id", "priority", "match", "actions"))

    def log(self):
        with open(self.northd.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def written(self):
        return int(self.northd.appctl("inc-engine/units").split("rows-written:")[1].split()[0])

    def expect_as_from_scratch(self):
        def compare():
            try:
                return self.northd.appctl("inc-engine/compare") == "as from scratch\n"
            except CommandFailed as error:
                if "try again" in str(error):
                    return False
                raise
        wait_until(compare, "a comparison between passes")

    def expect_quiet(self):
        """Sooner or later it writes no more than what it is asked for."""
        def is_quiet():
            before = self.written()
            self.sync()
            # A number twice, each in the southbound and, with its times, in the northbound.
            return self.written() - before == 6
        wait_until(is_quiet, "northd has nothing more to write")


class InvalidRowTest(HostileTest):
    # By what has it: the table and column, the kind of row, and rows of that kind that change nothing.
    USELESS = {
        ("Logical_Router", "nat", "NAT"): [
            {"type": "snat", "external_ip": "junk", "logical_ip": "10.0.0.0/24"},
            {"type": "snat", "external_ip": LONG, "logical_ip": "10.0.0.0/24"},
            {"type": "dnat", "external_ip": "10.0.0.9", "logical_ip": "10.0.0.0/24"},
            {"type": "dnat_and_snat", "external_ip": "10.0.0.9", "logical_ip": "fd00::1"},
            {"type": "dnat_and_snat", "external_ip": "10.0.0.9", "logical_ip": "10.0.0.1", "external_mac": "00:00:zz"},
        ],
        ("Logical_Router", "static_routes", "Logical_Router_Static_Route"): [
            {"ip_prefix": "junk", "nexthop": "10.0.0.2"},
            {"ip_prefix": "10.9.0.0/33", "nexthop": "10.0.0.2"},
            {"ip_prefix": "10.9.0.0/24", "nexthop": LONG},
            {"ip_prefix": "10.9.0.0/24", "nexthop": "172.16.0.1"},
            {"ip_prefix": "10.9.0.0/24", "nexthop": "10.0.0.2", "output_port": "nobody"},
        ],
    }

    def test_an_invalid_row_costs_only_itself_and_is_named(self):
        before = self.flows()
        for (table, column, kind), rows in self.USELESS.items():
            owner = {"Logical_Router": self.router, "Logical_Switch": self.switch}[table]
            for row in rows:
                with self.subTest(kind=kind, row={key: value[:40] for key, value in row.items()}):
                    self.own(table, owner, column, kind, row)
                    self.sync()
                    flows = self.flows()
                    self.assertEqual(set(before) - set(flows), set())
        log = self.log()
        self.assertRegex(log, r"WARN\|bad external ip junk for snat in router " + self.router)
        self.assertRegex(log, r"WARN\|bad 'ip_prefix' junk in static route [0-9a-f]{8}-")
        # As many rows, and many times as many words, make few lines.
        self.assertLess(log.count("WARN|"), 40)
        self.expect_as_from_scratch()
        self.expect_quiet()

    def test_a_router_port_keeps_what_is_right_of_its_networks(self):
        self.own("Logical_Router", self.router, "ports", "Logical_Router_Port",
                 {"name": "half", "mac": "00:00:00:00:02:00", "networks": ["set", ["10.0.1.1/24", "junk", "0.0.0.0/0"]]})
        self.own("Logical_Router", self.router, "ports", "Logical_Router_Port",
                 {"name": "none", "mac": "00:00:00:00:02:00 ", "networks": "10.0.2.1/24"})
        self.sync()
        macs = {row["logical_port"]: row["mac"] for row in self.rows("Port_Binding", "logical_port", "mac")}
        self.assertEqual(macs["half"], "00:00:00:00:02:00 10.0.1.1/24")
        self.assertNotIn("none", macs)
        self.assertRegex(self.log(), "WARN.*router port half has bad 'networks' 0.0.0.0/0 junk")
        self.assertRegex(self.log(), "WARN.*router port none has a bad 'mac'")

    def test_absurd_numbers(self):
        self.transact(
            NB,
            {"op": "update", "table": "Logical_Switch", "where": [], "row": {"other_config": ["map", [
                ["requested-tnl-key", "99999999999999999999"], ["mcast_snoop", "true"], ["mcast_table_size", "-5"],
                ["mcast_idle_timeout", "1e9"], ["fdb_age_threshold", "-1"], ["ct-zone-limit", "x"],
                ["subnet", "0.0.0.0/0"], ["exclude_ips", "9..1"], ["ipv6_prefix", "::/129"]]]}},
            {"op": "update", "table": "Logical_Router", "where": [], "row": {"options": ["map", [
                ["requested-tnl-key", "-5"], ["mac_binding_age_threshold", ";;/99:x"], ["snat-ct-zone", "99999999999"]]]}},
            {"op": "update", "table": "Logical_Switch_Port", "where": [["name", "==", "good"]], "row": {
                "options": ["map", [["requested-tnl-key", "-1"], ["qos_max_rate", "-1"], ["qos_burst", "x"]]]}},
            {"op": "update", "table": "NB_Global", "where": [], "row": {"options": ["map", [
                ["max_tunid", "-1"], ["mac_prefix", "zz"], ["svc_monitor_mac", "zz"], ["bfd-min-tx", "x"]]]}})
        self.sync()
        keys = [row["tunnel_key"] for row in self.rows("Datapath_Binding", "tunnel_key")]
        self.assertEqual(len(keys), 2)
        self.assertEqual(len({row["logical_port"] for row in self.rows("Port_Binding", "logical_port")}), 3)
        self.expect_as_from_scratch()
        self.expect_quiet()

    def test_names_of_all_kinds(self):
        for i, name in enumerate(WEIRD_NAMES):
            self.own("Logical_Switch", self.switch, "ports", "Logical_Switch_Port",
                     {"name": name, "addresses": f"00:00:00:00:03:{i:02x} 10.0.0.{i + 10}"})
            self.own("Logical_Router", self.router, "ports", "Logical_Router_Port",
                     {"name": "r" + name, "mac": f"00:00:00:00:04:{i:02x}", "networks": f"10.1.{i}.1/24"})
            self.transact(NB, insert("Address_Set", {"name": name, "addresses": ["set", ["10.0.0.1", LONG]]}),
                          insert("Port_Group", {"name": name}), insert("Logical_Switch", {"name": name}))
        self.sync()
        ports = {row["logical_port"] for row in self.rows("Port_Binding", "logical_port")}
        self.assertLessEqual({prefix + name for prefix in ("", "r") for name in WEIRD_NAMES}, ports)
        matches = " ".join(row["match"] for row in self.rows("Logical_Flow", "match"))
        self.assertIn(r'inport == "ra\"b"', matches)
        self.assertIn(r'inport == "rline\nfeed"', matches)
        self.expect_as_from_scratch()
        self.expect_quiet()

    def test_one_name_for_two(self):
        before = self.flows()
        self.own("Logical_Switch", self.switch, "ports", "Logical_Switch_Port",
                 {"name": "r0-sw0", "addresses": "00:00:00:00:00:09"})
        self.sync()
        self.assertEqual(self.flows(), before)
        self.assertRegex(self.log(), "WARN.*duplicate logical port r0-sw0")
        self.expect_quiet()


class MeddlingTest(HostileTest):
    def expect_put_right(self, *operations):
        tables = ("Datapath_Binding", "Port_Binding", "Multicast_Group", "Address_Set", "Logical_Flow", "Meter",
                  "Port_Group", "DHCP_Options", "RBAC_Role", "RBAC_Permission", "IP_Multicast", "Load_Balancer")
        self.sync()
        before = {table: len(self.rows(table, "_uuid")) for table in tables}
        flows = self.flows()
        self.transact(SB, *operations)
        self.sync()
        self.assertEqual({table: len(self.rows(table, "_uuid")) for table in tables}, before)
        self.assertEqual(self.flows(), flows)
        self.expect_as_from_scratch()
        self.expect_quiet()

    def test_rows_that_are_gone_come_back(self):
        for table in ("Logical_Flow", "Multicast_Group", "Port_Binding", "Address_Set", "DHCP_Options", "RBAC_Role",
                      "IP_Multicast"):
            with self.subTest(table=table):
                self.expect_put_right({"op": "delete", "table": table, "where": []})

    def test_all_of_a_datapath_comes_back(self):
        self.expect_put_right(*({"op": "delete", "table": table, "where": []} for table in (
            "Logical_Flow", "Multicast_Group", "IP_Multicast", "Port_Binding", "Datapath_Binding")))

    def test_changed_columns_are_changed_back(self):
        for table, row in {
                "Logical_Flow": {"priority": 17, "actions": "drop;", "external_ids": ["map", []]},
                "Port_Binding": {"type": "wrong", "mac": "zz", "tag": 9, "options": ["map", [["peer", "nobody"]]]},
                "Multicast_Group": {"ports": ["set", []]},
                "Datapath_Binding": {"external_ids": ["map", [["logical-switch", "nonsense"]]]},
                "RBAC_Permission": {"update": ["set", []]},
                "IP_Multicast": {"table_size": 7}}.items():
            with self.subTest(table=table):
                self.expect_put_right({"op": "update", "table": table, "where": [], "row": row})
        self.assertEqual({row["type"] for row in self.rows("Port_Binding", "type")}, {"", "patch"})

    def test_rows_that_nobody_asked_for_go(self):
        datapath = self.rows("Datapath_Binding", "_uuid")[0]["_uuid"]
        stranger = new_uuid()
        self.expect_put_right(
            insert("Datapath_Binding", {"tunnel_key": 99, "external_ids": ["map", [["logical-switch", new_uuid()]]]}, stranger),
            insert("Port_Binding", {"logical_port": "stranger", "datapath": ["uuid", stranger], "tunnel_key": 9}),
            insert("Logical_Flow", {"logical_datapath": datapath, "pipeline": "ingress", "table_id": 0, "priority": 1,
                                    "match": "1", "actions": "next;"}),
            insert("Logical_Flow", {"pipeline": "ingress", "table_id": 0, "priority": 1, "match": "1", "actions": "next;"}),
            insert("Multicast_Group", {"name": "strangers", "datapath": datapath, "tunnel_key": 40000, "ports": ["set", []]}),
            insert("Address_Set", {"name": "strangers"}), insert("Port_Group", {"name": "strangers"}),
            insert("Load_Balancer", {"name": "stranger"}), insert("DHCP_Options", {"name": "strange", "code": 9, "type": "ipv4"}))

    def test_roles_of_others_stay(self):
        self.sync()
        self.transact(SB, insert("RBAC_Role", {"name": "stranger"}))
        self.sync()
        self.assertEqual({row["name"] for row in self.rows("RBAC_Role", "name")}, {"ovn-controller", "stranger"})
        self.expect_as_from_scratch()
        self.expect_quiet()

    def test_a_second_row_for_the_same_goes(self):
        datapath = next(row for row in self.rows("Datapath_Binding", "_uuid", "external_ids"))
        self.expect_put_right(
            insert("Datapath_Binding", {"tunnel_key": 99, "external_ids": datapath["external_ids"]}),
            insert("RBAC_Role", {"name": "ovn-controller"}))
