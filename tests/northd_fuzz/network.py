"""Makes the steps of a sequence: edits of a northbound, and of what others write into the southbound.

A step is a list of edits, an edit one transaction: {"db": "nb" or "sb", "ops": [...]}, with the UUIDs of
new rows chosen here, so that they are the same everywhere. Where an edit names a row of the southbound, it
says how to find it: {"find": [table, column, value]}, or the value of another of its columns, which
comes fourth then.

What is believed here only steers the choice of edits; whether one is accepted, the servers say.
"""

import random
import uuid as uuids

from northd_fuzz.tables import FIXED, GLOBAL_COLUMNS, GLOBAL_OPTIONS, NAMES, OWNERS, TABLES, WEIGHTS, WRITTEN
from northd_fuzz.values import CHASSIS, METERS, ROUTERS, SWITCHES, Values

FEATURES = ["ct-commit-nat-v2", "ct-commit-to-zone", "ct-next-zone", "ct-label-flush", "fdb-timestamp", "ls-dpg-column",
            "mac-binding-timestamp", "ovn-sample-with-registers"]
CHOSEN = ["mac_prefix", "svc_monitor_mac"]  # Options that a northd chooses at random where they are not.
MOST_ROWS = 8  # Of a table; ports may be more.
LEARNED_AT = [4102444800000, 4102444800000, 1000]  # What is learned in 2100 is not old yet.
# Southbound tables, how rows of each are chosen, and what may be written into them.
TAMPERED = [
    ("Logical_Flow", "priority", [0, 50, 100], {"priority": 17, "match": "ip4", "actions": "next;"}),
    ("Logical_Flow", "pipeline", ["ingress", "egress"], {"table_id": 30}),  # Where there are no others like them.
    ("Port_Binding", "logical_port", ["sw0p0", "sw0-lr0", "lr0-sw0"],
     {"type": "wrong", "mac": "00:00:00:00:00:99", "options": ["map", [["a", "b"]]], "nat_addresses": "x", "tag": 9}),
    ("Multicast_Group", "name", ["_MC_flood", "_MC_unknown"], {"ports": ["set", []], "tunnel_key": 40000}),
    ("Address_Set", "name", ["as0", "svc_monitor_mac"], {"addresses": "10.9.9.9", "name": "other"}),
    ("Load_Balancer", "name", ["lb0", "lb1"], {"vips": ["map", []], "name": "x", "ls_datapath_group": ["set", []]}),
    ("Meter", "name", METERS, {"unit": "kbps"}),
    ("HA_Chassis_Group", "name", ["lr0-sw0", "hagrp0"], {"name": "other", "ha_chassis": ["set", []]}),
    ("DHCP_Options", "name", ["router"], {"code": 99}),
    ("IP_Multicast", "enabled", [True, False], {"table_size": 3, "querier": True}),
    ("Port_Group", "name", ["pg0", "1_pg0", "2_pg0"], {"ports": "x", "name": "other"}),
    ("Mirror", "name", ["mirror0"], {"sink": "x", "external_ids": ["map", [["a", "b"]]]}),
    ("Gateway_Chassis", "priority", list(range(20)), {"priority": 77, "chassis": ["set", []]}),
    ("HA_Chassis", "priority", list(range(20)), {"priority": 77, "chassis": ["set", []]}),
    # Not the address: the reference knows a row by its UUID and leaves it at another one.
    ("Static_MAC_Binding", "override_dynamic_mac", [True, False], {"mac": "x"}),
    ("BFD", "detect_mult", [4, 5, 10], {"min_tx": 1, "detect_mult": 77, "dst_ip": "10.0.0.77"}),
    ("Service_Monitor", "port", [80, 8080], {"src_ip": "x", "options": ["map", [["a", "b"]]], "src_mac": "x", "port": 81}),
    ("DNS", "options", [["map", []]], {"records": ["map", [["a", "b"]]], "external_ids": ["map", []]}),
    ("Chassis_Template_Var", "chassis", CHASSIS, {"variables": ["map", [["a", "b"]]], "chassis": "other"}),
    # By name: which keys they have may differ.
    ("Datapath_Binding", "external_ids", [["map", [["name", name]]] for name in ("sw0", "sw1", "lr0")], {"tunnel_key": 77}),
    ("SB_Global", "ipsec", [True, False], {"ipsec": True, "options": ["map", []], "external_ids": ["map", [["a", "b"]]]}),
]


def sequence(seed, steps, tables=None):
    """The steps of the sequence with this seed. `tables`: only rows of these, beside the network itself."""
    return _Network(random.Random(seed), tables).steps(steps)


class _Network:
    def __init__(self, rng, tables):
        self.rng = rng
        self.rows = {table: {} for table in TABLES}  # table -> uuid -> (name, owner's uuid, owner's column)
        self.values = Values(rng, lambda table: list(self.rows[table]), self._names)
        self.weights = {t: w for t, w in WEIGHTS.items() if tables is None or t in tables}
        self.chassis = []
        self.numbers = {}  # Of switches and routers, in the order of their first connection.
        self.plain = [] if tables is None else [table for table in TABLES if table not in tables]

    def steps(self, count):
        yield self._begin()
        for _ in range(count - 1):
            yield [edit for _ in range(self.rng.choice([1, 1, 2, 3])) if (edit := self._some_edit())]

    # ---- The network that features are put on ----

    def _begin(self):
        edits = [self._add_chassis(name) for name in CHASSIS[: self.rng.randint(1, 3)]]
        switches = [self._insert("Logical_Switch", name=name) for name in SWITCHES[: self.rng.randint(1, 4)]]
        routers = [self._insert("Logical_Router", name=name) for name in ROUTERS[: self.rng.randint(0, 3)]]
        edits += [edit for _, edit in switches + routers]
        for switch, _ in switches:
            for _ in range(self.rng.randint(0, 2)):
                edits.append(self._add_port(switch))
            for router, _ in routers:
                if self.rng.random() < 0.6:
                    edits += self._connect(switch, router)
        return [edit for edit in edits if edit]

    def _add_port(self, switch):
        name = f"{self.rows['Logical_Switch'][switch][0]}p{self.rng.randint(0, 3)}"
        return self._insert("Logical_Switch_Port", name=name, owner=("Logical_Switch", switch, "ports"))[1]

    def _connect(self, switch, router):
        """A router's port and the switch's port that leads to it. Which of two networks that are the
        same, or of two neighbours with the same address, is taken is up to chance: there are none."""
        number = self.numbers.setdefault(switch, len(self.numbers))
        host = self.numbers.setdefault(router, len(self.numbers)) + 1
        ends = [self.rows["Logical_Router"][router][0], self.rows["Logical_Switch"][switch][0]]
        router_port = "-".join(ends)
        networks = [f"10.0.{number}.{host}/24"] + [f"fd{number:02x}::{host:x}/64"] * (self.rng.random() < 0.4)
        return [
            self._insert("Logical_Router_Port", name=router_port, owner=("Logical_Router", router, "ports"),
                         row={"networks": ["set", networks], "mac": f"00:00:00:{host:02x}:{number:02x}:fe"})[1],
            self._insert("Logical_Switch_Port", name="-".join(reversed(ends)), owner=("Logical_Switch", switch, "ports"),
                         row={"type": "router", "addresses": "router", "options": ["map", [["router-port", router_port]]]})[1],
        ]

    # ---- Edits ----

    def _some_edit(self):
        """Of what was thought of first, much is not possible: there is no row to change yet."""
        return next((edit for _ in range(10) if (edit := self._edit())), None)

    def _edit(self):
        make = self.rng.choices(
            [self._insert_any, self._update_any, self._delete_any, self._connect_any, self._global, self._southbound],
            [50, 25, 10, 4, 3, 10])[0]
        return make()

    def _insert_any(self):
        table = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
        if table == "Logical_Switch_Port" and self.rows["Logical_Switch"] and self.rng.random() < 0.9:
            return self._add_port(self.rng.choice(list(self.rows["Logical_Switch"])))
        if len(self.rows[table]) >= MOST_ROWS:
            return None
        if table == "BFD" and not self.rows["Logical_Router_Port"]:
            return None
        owner = None
        if table in OWNERS:
            parent, column = self.rng.choice(OWNERS[table])
            if not self.rows[parent]:
                return None
            owner = (parent, self.rng.choice(list(self.rows[parent])), column)
        return self._insert(table, owner=owner)[1]

    def _connect_any(self):
        switches, routers = self.rows["Logical_Switch"], self.rows["Logical_Router"]
        if not switches or not routers:
            return None
        edits = self._connect(self.rng.choice(list(switches)), self.rng.choice(list(routers)))
        return {"db": "nb", "ops": edits[0]["ops"] + edits[1]["ops"]}

    def _insert(self, table, name=None, owner=None, row=None):
        """(UUID, edit). Columns that `row` does not say are random."""
        uuid = self._new_uuid()
        made = {column: make(self.values) for column, make in TABLES[table].items() if self.rng.random() < 0.5}
        if table in self.plain:
            made = {}
        for column in self._required(table):
            made[column] = TABLES[table][column](self.values)
        if made.get("nexthop") == "discard":
            made.pop("options", None)  # ecmp_symmetric_reply kills the reference then.
        if row:
            plain = {"networks", "mac", "type", "addresses", "options", "peer", "enabled"}
            made = {column: value for column, value in made.items() if column not in plain and self.rng.random() < 0.2}
            made.update(row)
        name = name or self._new_name(table)
        if name is not None and table not in ("Load_Balancer", "Static_MAC_Binding"):
            made["name"] = name
        operations = [{"op": "insert", "table": table, "uuid": uuid, "row": made}]
        if table == "Meter":
            band = self._new_uuid()
            operations.insert(0, {"op": "insert", "table": "Meter_Band", "uuid": band,
                                  "row": {column: make(self.values) for column, make in TABLES["Meter_Band"].items()}})
            made["bands"] = ["uuid", band]
        if owner:
            parent, parent_uuid, column = owner
            operations.append(_mutate(parent, parent_uuid, column, "insert", uuid))
        self.rows[table][uuid] = (made.get("name", ""), *(owner or (None, None, None)))
        return uuid, {"db": "nb", "ops": operations}

    @staticmethod
    def _required(table):
        """Columns that every row should have, for it to mean anything."""
        return {
            "NAT": ["type", "external_ip", "logical_ip"], "ACL": ["priority", "direction", "match", "action"],
            "QoS": ["direction", "match"], "Logical_Router_Static_Route": ["ip_prefix", "nexthop"],
            "Logical_Router_Policy": ["match", "action", "nexthops"], "Logical_Router_Port": ["mac", "networks"],
            "Load_Balancer": ["vips"], "Mirror": ["filter", "type"], "Meter": ["unit"], "Meter_Band": ["action", "rate"],
            "BFD": ["logical_port", "dst_ip"], "Static_MAC_Binding": ["logical_port", "ip", "mac"],
            "Forwarding_Group": ["child_port", "vip", "vmac"], "DHCP_Options": ["cidr", "options"], "DNS": ["records"],
            "Gateway_Chassis": ["chassis_name", "priority"], "HA_Chassis": ["chassis_name", "priority"],
            "Logical_Switch_Port": ["addresses"], "Sample_Collector": ["id", "set_id"], "Sampling_App": ["type", "id"],
            "Chassis_Template_Var": ["chassis", "variables"], "Copp": ["meters"], "Sample": ["metadata"],
        }.get(table, [])

    def _update_any(self):
        table = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
        if not self.rows[table] or not TABLES[table]:
            return None
        uuid = self.rng.choice(list(self.rows[table]))
        columns = {**TABLES[table], **WRITTEN.get(table, {})}
        for column in FIXED.get(table, ()):
            del columns[column]
        chosen = self.rng.sample(list(columns), min(len(columns), self.rng.choice([1, 1, 2])))
        row = {column: columns[column](self.values) for column in chosen}
        return {"db": "nb", "ops": [{"op": "update", "table": table, "where": [["_uuid", "==", ["uuid", uuid]]], "row": row}]}

    def _delete_any(self):
        table = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
        if not self.rows[table]:
            return None
        uuid = self.rng.choice(list(self.rows[table]))
        _, parent, parent_uuid, column = self._forget(table, uuid)
        if parent:
            return {"db": "nb", "ops": [_mutate(parent, parent_uuid, column, "delete", uuid)]}
        return {"db": "nb", "ops": [{"op": "delete", "table": table, "where": [["_uuid", "==", ["uuid", uuid]]]}]}

    def _forget(self, table, uuid):
        known = self.rows[table].pop(uuid)
        for child, rows in self.rows.items():
            for other in [other for other, (_, _, owner, _) in rows.items() if owner == uuid]:
                if other in rows:
                    self._forget(child, other)
        return known

    def _global(self):
        if self.rng.random() < 0.2:
            column = self.rng.choice(list(GLOBAL_COLUMNS))
            row = {column: GLOBAL_COLUMNS[column](self.values)}
            return {"db": "nb", "ops": [{"op": "update", "table": "NB_Global", "where": [], "row": row}]}
        key = self.rng.choice(list(GLOBAL_OPTIONS))
        mutations = [["options", "delete", ["set", [key]]]]
        if key in CHOSEN or self.rng.random() < 0.7:
            mutations.append(["options", "insert", ["map", [[key, str(GLOBAL_OPTIONS[key](self.values))]]]])
        return {"db": "nb", "ops": [{"op": "mutate", "table": "NB_Global", "where": [], "mutations": mutations}]}

    # ---- What others write into the southbound ----

    def _southbound(self):
        return self.rng.choice([self._claim, self._claim, self._chassis, self._chassis_config, self._bfd_status,
                                self._service_status, self._learned_route, self._igmp_group, self._mac_binding,
                                self._fdb, self._prefix_delegation, self._forget_learned, self._tamper])()

    def _add_chassis(self, name):
        features = [[feature, "true"] for feature in FEATURES if self.rng.random() < 0.9]
        config = features + [["is-remote", "true"]] * (self.rng.random() < 0.1)
        self.chassis.append(name)
        encap = self._new_uuid()
        return {"db": "sb", "ops": [
            {"op": "insert", "table": "Encap", "uuid": encap,
             "row": {"type": self.rng.choice(["geneve"] * 9 + ["vxlan"]), "ip": f"192.168.9.{CHASSIS.index(name)}", "chassis_name": name}},
            {"op": "insert", "table": "Chassis", "uuid": self._new_uuid(),
             "row": {"name": name, "hostname": f"host-{name}", "encaps": ["uuid", encap], "other_config": ["map", config]}}]}

    def _chassis(self):
        absent = [name for name in CHASSIS if name not in self.chassis]
        if absent and self.rng.random() < 0.6:
            return self._add_chassis(self.rng.choice(absent))
        if not self.chassis:
            return None
        name = self.rng.choice(self.chassis)
        self.chassis.remove(name)
        return {"db": "sb", "ops": [{"op": "delete", "table": "Chassis", "where": [["name", "==", name]]}]}

    def _chassis_config(self):
        """A controller of another version."""
        if not self.chassis:
            return None
        features = [[feature, "true"] for feature in FEATURES if self.rng.random() < 0.9]
        return {"db": "sb", "ops": [{"op": "update", "table": "Chassis", "where": [["name", "==", self.rng.choice(self.chassis)]],
                                     "row": {"other_config": ["map", features]}}]}

    def _claim(self):
        """A chassis binds a port, or lets it go."""
        name = self.rng.choice([name for name in self._names("Logical_Switch_Port") if "-" not in name] or ["nobody"])
        chassis = {"find": ["Chassis", "name", self.rng.choice(self.chassis)]} if self.chassis and self.rng.random() < 0.7 else ["set", []]
        up = chassis != ["set", []] and self.rng.random() < 0.8
        return {"db": "sb", "ops": [{"op": "update", "table": "Port_Binding", "where": [["logical_port", "==", name]],
                                     "row": {"chassis": chassis, "up": up}}]}

    def _bfd_status(self):
        return {"db": "sb", "ops": [{"op": "update", "table": "BFD",
                                     "where": [["logical_port", "==", self.values.known("Logical_Router_Port")]],
                                     "row": {"status": self.rng.choice(["up", "down", "init", "admin_down"])}}]}

    def _service_status(self):
        return {"db": "sb", "ops": [{"op": "update", "table": "Service_Monitor", "where": [["logical_port", "==", self.values.name("Logical_Switch_Port")]],
                                     "row": {"status": self.rng.choice(["online", "offline", "error"])}}]}

    def _learned_route(self):
        if not self.rows["Logical_Router_Port"]:
            return None
        port = self.rng.choice(list(self.rows["Logical_Router_Port"].values()))
        return {"db": "sb", "ops": [{"op": "insert", "table": "Learned_Route", "uuid": self._new_uuid(), "row": {
            "datapath": {"find": ["Datapath_Binding", "external_ids", ["logical-router", port[2]]]},
            "logical_port": {"find": ["Port_Binding", "logical_port", port[0]]},
            "ip_prefix": self.values.prefix(), "nexthop": self.values.ip()}}]}

    def _igmp_group(self):
        if not self.rows["Logical_Switch_Port"] or not self.chassis:
            return None
        port = self.rng.choice(list(self.rows["Logical_Switch_Port"].values()))
        return {"db": "sb", "ops": [{"op": "insert", "table": "IGMP_Group", "uuid": self._new_uuid(), "row": {
            "address": self.rng.choice(["239.0.1.68", "239.0.1.69", "ff0a:dead::1"]),
            "datapath": {"find": ["Datapath_Binding", "external_ids", ["logical-switch", port[2]]]},
            "chassis": {"find": ["Chassis", "name", self.rng.choice(self.chassis)]},
            "ports": {"find": ["Port_Binding", "logical_port", port[0]]}}}]}

    def _mac_binding(self):
        ports = self.rows["Logical_Router_Port"]
        if not ports:
            return None
        port = self.rng.choice(list(ports.values()))
        return {"db": "sb", "ops": [{"op": "insert", "table": "MAC_Binding", "uuid": self._new_uuid(), "row": {
            "datapath": {"find": ["Datapath_Binding", "external_ids", ["logical-router", port[2]]]},
            "logical_port": port[0], "ip": self.values.ip(), "mac": self.values.mac(), "timestamp": self.rng.choice(LEARNED_AT)}}]}

    def _fdb(self):
        ports = self.rows["Logical_Switch_Port"]
        if not ports:
            return None
        port = self.rng.choice(list(ports.values()))
        return {"db": "sb", "ops": [{"op": "insert", "table": "FDB", "uuid": self._new_uuid(), "row": {
            "dp_key": {"find": ["Datapath_Binding", "external_ids", ["logical-switch", port[2]], "tunnel_key"]},
            "port_key": {"find": ["Port_Binding", "logical_port", port[0], "tunnel_key"]},
            "mac": self.values.mac(), "timestamp": self.rng.choice(LEARNED_AT)}}]}

    def _prefix_delegation(self):
        name = self.values.known("Logical_Router_Port")
        return {"db": "sb", "ops": [{"op": "mutate", "table": "Port_Binding", "where": [["logical_port", "==", name]], "mutations": [
            ["options", "insert", ["map", [["ipv6_ra_pd_list", self.rng.choice(["1:fd0a::/64", "2:fd0b::/48", "x"])]]]]]}]}

    def _forget_learned(self):
        table = self.rng.choice(["Learned_Route", "IGMP_Group", "MAC_Binding", "FDB"])
        return {"db": "sb", "ops": [{"op": "delete", "table": table, "where": []}]}

    def _tamper(self):
        """Somebody meddles with what is northd's."""
        table, column, values, changes = self.rng.choice(TAMPERED)
        where = [[column, "includes", self.rng.choice(values)]]
        if self.rng.random() < 0.5:
            return {"db": "sb", "ops": [{"op": "delete", "table": table, "where": where}]}
        changed = self.rng.choice(list(changes))
        return {"db": "sb", "ops": [{"op": "update", "table": table, "where": where, "row": {changed: changes[changed]}}]}

    # ---- Names ----

    def _names(self, table):
        return [name for name, *_ in self.rows[table].values() if name]

    def _new_name(self, table):
        if table in NAMES:
            return self.rng.choice(NAMES[table])
        if table in ("Logical_Switch", "Logical_Router"):
            return self.rng.choice(SWITCHES if table == "Logical_Switch" else ROUTERS)
        if table in ("Logical_Switch_Port", "Logical_Router_Port", "Gateway_Chassis"):
            return f"{table[8:].lower().replace('_', '')}{self.rng.randint(0, 9)}"
        return None

    def _new_uuid(self):
        return str(uuids.UUID(int=self.rng.getrandbits(128), version=4))


def _mutate(table, uuid, column, mutator, element):
    return {"op": "mutate", "table": table, "where": [["_uuid", "==", ["uuid", uuid]]],
            "mutations": [[column, mutator, ["set", [["uuid", element]]]]]}
