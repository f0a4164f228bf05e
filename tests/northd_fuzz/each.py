"""python3 -m northd_fuzz.each: every column and option by itself, on a network that has a bit of everything.

Random sequences seldom meet an option together with what it is about: here each value of each column
that the generator knows, and of each option in it, is set on each row and taken back.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time

from harness.daemon import CommandFailed, DaemonDied
from northd_fuzz import tables
from northd_fuzz.plane import Stuck, make_planes
from northd_fuzz.sequence import OPTIONS, compare
from northd_fuzz.values import Values

TRIES = 3  # Values of a column or option that are random.
OPTIONS_OF = {
    ("Logical_Switch", "other_config"): tables.SWITCH_CONFIG,
    ("Logical_Switch_Port", "options"): tables.SWITCH_PORT_OPTIONS,
    ("Logical_Router", "options"): tables.ROUTER_OPTIONS,
    ("Logical_Router_Port", "options"): tables.ROUTER_PORT_OPTIONS,
    ("Logical_Router_Port", "ipv6_ra_configs"): tables.RA_CONFIGS,
    ("Load_Balancer", "options"): tables.LB_OPTIONS,
    ("NB_Global", "options"): tables.GLOBAL_OPTIONS,
}


class Network:
    """The edits of it, and the UUIDs of its rows by table."""

    def __init__(self):
        self.edits = []
        self.rows = {}
        self._rng = random.Random(1)

    def new_uuid(self):
        return f"{self._rng.getrandbits(32):08x}-0000-4000-8000-{self._rng.getrandbits(48):012x}"

    def add(self, table, owner=None, **row):
        uuid = self.new_uuid()
        operations = [{"op": "insert", "table": table, "uuid": uuid, "row": row}]
        if owner:
            parent, parent_uuid, column = owner
            operations.append({"op": "mutate", "table": parent, "where": [["_uuid", "==", ["uuid", parent_uuid]]],
                               "mutations": [[column, "insert", ["set", [["uuid", uuid]]]]]})
        self.edits.append({"db": "nb", "ops": operations})
        self.rows.setdefault(table, []).append(uuid)
        return uuid

    def transactions(self):
        """All of it: rows that nothing refers to yet would be gone after their own."""
        return [{"db": db, "ops": [op for edit in self.edits if edit["db"] == db for op in edit["ops"]]} for db in ("sb", "nb")]

    def chassis(self, name, number):
        encap = self.new_uuid()
        features = ["ct-commit-nat-v2", "ct-commit-to-zone", "ct-next-zone", "ct-label-flush", "fdb-timestamp", "ls-dpg-column",
                    "mac-binding-timestamp", "ovn-sample-with-registers"]
        self.edits.append({"db": "sb", "ops": [
            {"op": "insert", "table": "Encap", "uuid": encap, "row": {"type": "geneve", "ip": f"1.1.1.{number}", "chassis_name": name}},
            {"op": "insert", "table": "Chassis", "uuid": self.new_uuid(), "row": {
                "name": name, "encaps": ["uuid", encap], "other_config": ["map", [[feature, "true"] for feature in features]]}}]})


def _map(**items):
    return ["map", sorted([key.replace("__", "-"), value] for key, value in items.items())]


def _uuids(*uuids):
    return ["set", [["uuid", uuid] for uuid in uuids]]


def build():
    """Two switches on a distributed router with a gateway port to a third, a gateway router beside it."""
    n = Network()
    n.chassis("hv1", 1)
    n.chassis("hv2", 2)
    for name in ("meter0", "meter1"):
        band = n.new_uuid()
        n.add("Meter", name=name, unit="pktps", bands=["uuid", band])
        n.edits[-1]["ops"].insert(0, {"op": "insert", "table": "Meter_Band", "uuid": band, "row": {"action": "drop", "rate": 10}})
        n.rows.setdefault("Meter_Band", []).append(band)
    copp = n.add("Copp", name="copp0", meters=["map", sorted([what, "meter0"] for what in tables.CONTROLLED)])
    n.add("Address_Set", name="as0", addresses=["set", ["10.0.0.7", "10.0.1.0/24"]])
    collector = n.add("Sample_Collector", id=1, set_id=3, probability=65535)
    sample = n.add("Sample", collectors=["uuid", collector], metadata=9)
    n.add("Sampling_App", type="acl-new", id=7)
    dhcp4 = n.add("DHCP_Options", cidr="10.0.0.0/24", options=_map(server_id="10.0.0.1", server_mac="00:00:00:00:00:01", lease_time="10"))
    dhcp6 = n.add("DHCP_Options", cidr="fd00::/64", options=_map(server_id="00:00:00:00:00:01"))
    relay = n.add("DHCP_Relay", name="relay", servers="10.0.1.5")
    dns = n.add("DNS", records=_map(vm="10.0.0.5"))
    mirror = n.add("Mirror", name="mirror0", filter="both", sink="10.9.9.9", type="gre", index=1)
    switches, ports = [], []
    for i, name in enumerate(("sw0", "sw1", "public")):
        switch = n.add("Logical_Switch", name=name, copp=["uuid", copp], dns_records=["uuid", dns],
                       other_config=_map(mcast_snoop="true", mcast_querier="true", mcast_ip4_src="10.0.0.1", mcast_eth_src="00:00:00:00:00:09"))
        switches.append(switch)
        for j in range(2):
            ports.append(n.add("Logical_Switch_Port", ("Logical_Switch", switch, "ports"), name=f"{name}p{j}", dhcpv4_options=["uuid", dhcp4],
                               dhcpv6_options=["uuid", dhcp6], mirror_rules=["uuid", mirror],
                               addresses=["set", [f"00:00:00:00:0{i}:1{j} 10.0.{i}.1{j} fd0{i}::1{j}"] + ["unknown"] * j],
                               port_security=["set", [f"00:00:00:00:0{i}:1{j} 10.0.{i}.1{j}"] if j == 0 else []]))
        for direction in ("from-lport", "to-lport"):
            n.add("ACL", ("Logical_Switch", switch, "acls"), direction=direction, priority=100, match="tcp.dst == 80", action="allow-related",
                  log=True, meter="meter1", sample_new=["uuid", sample], sample_est=["uuid", sample])
            n.add("QoS", ("Logical_Switch", switch, "qos_rules"), direction=direction, priority=5, match="ip4", action=["map", [["dscp", 3]]])
    n.add("Logical_Switch_Port", ("Logical_Switch", switches[2], "ports"), name="ln", type="localnet", addresses="unknown",
          options=_map(network_name="phys"))
    for type_ in ("localport", "virtual", "external", "l2gateway", "remote"):
        n.add("Logical_Switch_Port", ("Logical_Switch", switches[0], "ports"), name=f"sw0{type_}", type=type_,
              addresses="00:00:00:00:00:50 10.0.0.50", options=_map(virtual__ip="10.0.0.60", virtual__parents="sw0p0"))
    n.add("Port_Group", name="pg0", ports=_uuids(*ports[:3]))
    n.add("ACL", ("Port_Group", n.rows["Port_Group"][0], "acls"), direction="to-lport", priority=200, match="outport == @pg0 && ip4",
          action="drop")
    routers = []
    for i, (name, options) in enumerate((("lr0", {}), ("gw0", {"chassis": "hv1"}))):
        router = n.add("Logical_Router", name=name, copp=["uuid", copp], options=_map(mcast_relay="true", **options))
        routers.append(router)
        for j, switch in enumerate(("sw0", "sw1", "public")):
            if i == 1 and j < 2:
                continue
            port = n.add("Logical_Router_Port", ("Logical_Router", router, "ports"), name=f"{name}-{switch}", mac=f"00:00:00:00:1{i}:0{j}",
                         networks=["set", [f"10.0.{j}.{i + 1}/24", f"fd0{j}::{i + 1}/64"]], dhcp_relay=["uuid", relay],
                         ipv6_ra_configs=_map(address_mode="slaac", send_periodic="true"))
            n.add("Logical_Switch_Port", ("Logical_Switch", switches[j], "ports"), name=f"{switch}-{name}", type="router", addresses="router",
                  options=_map(router__port=f"{name}-{switch}", nat__addresses="router"))
            if switch == "public" and i == 0:
                for priority, chassis in enumerate(("hv1", "hv2")):
                    n.add("Gateway_Chassis", ("Logical_Router_Port", port, "gateway_chassis"), name=f"gc{priority}", chassis_name=chassis,
                          priority=priority)
        for nexthops, prefix in ((("10.0.2.20", "10.0.2.21"), "20.0.0.0/24"), (("10.0.2.20",), "0.0.0.0/0"), (("fd02::20",), "::/0")):
            for nexthop in nexthops:
                bfd = n.add("BFD", logical_port=f"{name}-public", dst_ip=nexthop) if prefix == "0.0.0.0/0" else None
                n.add("Logical_Router_Static_Route", ("Logical_Router", router, "static_routes"), ip_prefix=prefix, nexthop=nexthop,
                      bfd=["uuid", bfd] if bfd else ["set", []])
        n.add("Logical_Router_Policy", ("Logical_Router", router, "policies"), priority=10, match="ip4.src == 10.0.0.0/24", action="reroute",
              nexthops=["set", ["10.0.2.30", "10.0.2.31"]])
        for j, type_ in enumerate(("snat", "dnat", "dnat_and_snat", "dnat_and_snat")):
            row = {"logical_port": "sw0p0", "external_mac": "00:00:00:00:77:07"} if j == 3 else {}
            n.add("NAT", ("Logical_Router", router, "nat"), type=type_, external_ip=f"10.0.2.10{i}" if j == 0 else f"10.0.2.1{i}{j}",
                  logical_ip="10.0.0.0/24" if j == 0 else f"10.0.0.1{j}", **row)
    balancers = [n.add("Load_Balancer", name="lb0", protocol="tcp", vips=_map(**{"10.9.0.1:80": "10.0.0.10:80,10.0.1.10:80", "10.9.0.2:80": ""}),
                       ip_port_mappings=_map(**{"10.0.0.10": "sw0p0:10.0.0.200"})),
                 n.add("Load_Balancer", name="lb1", vips=_map(**{"[fd09::1]:80": "[fd00::10]:80", "10.9.0.3": "10.0.0.11"}))]
    n.add("Load_Balancer_Health_Check", ("Load_Balancer", balancers[0], "health_check"), vip="10.9.0.1:80")
    group = n.add("Load_Balancer_Group", name="lbg0", load_balancer=_uuids(*balancers))
    for table, uuids in (("Logical_Switch", switches), ("Logical_Router", routers)):
        for uuid in uuids:
            n.edits.append(_set(table, uuid, {"load_balancer_group": ["uuid", group]}))
    n.add("Forwarding_Group", ("Logical_Switch", switches[0], "forwarding_groups"), name="fwd0", vip="10.0.0.99", vmac="00:00:00:00:00:99",
          child_port=["set", ["sw0p0", "sw0p1"]], liveness=True)
    n.add("HA_Chassis_Group", name="hagrp0")
    n.add("HA_Chassis", ("HA_Chassis_Group", n.rows["HA_Chassis_Group"][0], "ha_chassis"), chassis_name="hv1", priority=3)
    n.add("Static_MAC_Binding", logical_port="lr0-sw0", ip="10.0.0.77", mac="00:00:00:00:00:78")
    n.add("Chassis_Template_Var", chassis="hv1", variables=_map(vip="10.9.0.9", backends="10.0.0.10:80"))
    return n


def _set(table, uuid, row):
    where = [["_uuid", "==", ["uuid", uuid]]] if uuid else []
    return {"db": "nb", "ops": [{"op": "update", "table": table, "where": where, "row": row}]}


def changes(network, seed):
    """(what it is, edit) of each column and each option, for some rows of its table."""
    rng = random.Random(seed)
    names = {"Logical_Switch_Port": ["sw0p0", "sw1p0", "public-lr0"], "Logical_Router_Port": ["lr0-sw0", "lr0-public", "gw0-public"]}
    for (table, column), options in OPTIONS_OF.items():
        for key, make in options.items():
            for uuid in network.rows.get(table, [None]):
                values = Values(rng, lambda t: network.rows.get(t, []), lambda t: names.get(t, []))
                for value in sorted({str(make(values)) for _ in range(TRIES)}):
                    where = [["_uuid", "==", ["uuid", uuid]]] if uuid else []
                    yield f"{table} {column}:{key}={value}", {"db": "nb", "ops": [
                        {"op": "mutate", "table": table, "where": where,
                         "mutations": [[column, "delete", ["set", [key]]], [column, "insert", ["map", [[key, value]]]]]}]}
    for table, columns in tables.TABLES.items():
        for column, make in columns.items():
            if (table, column) in OPTIONS_OF or column in tables.FIXED.get(table, ()):
                continue
            for uuid in network.rows.get(table, []):
                values = Values(rng, lambda t: network.rows.get(t, []), lambda t: names.get(t, []))
                for _ in range(TRIES):
                    value = make(values)
                    yield f"{table} {column}={value}", _set(table, uuid, {column: value})


class Runner:
    """Both control planes with the network on them."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="northd-each-")
        self.network = build()
        self.planes = make_planes(self.directory)
        for plane in self.planes:
            plane.start(OPTIONS)
            for edit in self.network.transactions():
                if not plane.apply(edit):
                    raise AssertionError(f"{plane.name} refuses {edit}")
            plane.wait()

    def stop(self):
        for plane in self.planes:
            plane.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def differences(self):
        """None of them, or what there is once the reference has begun anew."""
        for plane in self.planes:
            plane.wait()
        lines = compare(self.planes)
        for again in (self.planes[0].recompute, self.planes[0].restart):
            if not lines:
                break
            again()
            lines = compare(self.planes)
        return lines

    def row(self, edit):
        """The row that an edit changes, as it is."""
        operation = edit["ops"][0]
        select = {"op": "select", "table": operation["table"], "where": operation["where"]}
        row = self.planes[0].client.transact("OVN_Northbound", select)[0]["rows"][0]
        column = operation["mutations"][0][0] if "mutations" in operation else next(iter(operation["row"]))
        return {column: row[column]}

    def run(self, edit):
        """Lines about what differs once a change is made; it is taken back."""
        operation = edit["ops"][0]
        before = self.row(edit)
        if len({plane.apply(edit) for plane in self.planes}) > 1:
            return ["accepted by one alone"]
        try:
            return self.differences()
        finally:
            back = {"db": "nb", "ops": [{"op": "update", "table": operation["table"], "where": operation["where"], "row": before}]}
            for plane in self.planes:
                plane.apply(back)


def main():
    parser = argparse.ArgumentParser(prog="northd_fuzz.each", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the values")
    parser.add_argument("--seconds", type=float, help="no longer than this")
    parser.add_argument("--only", default="", help="changes that have this in their names: 'NAT ', 'options:mcast'")
    parser.add_argument("--skip", type=int, default=0, help="this many of them")
    arguments = parser.parse_args()
    start = time.monotonic()
    runner = Runner()
    failures = done = 0
    try:
        lines = runner.differences()
        if lines:
            print("the network itself:", *lines[:20], sep="\n    ")
            return True
        chosen = [change for change in changes(runner.network, arguments.seed) if arguments.only in change[0]]
        for what, edit in chosen[arguments.skip:]:
            if arguments.seconds and time.monotonic() - start > arguments.seconds:
                break
            done += 1
            try:
                lines = runner.run(edit)
            except (DaemonDied, Stuck, CommandFailed) as error:
                ours = runner.planes[1]
                ours_failed = str(error).startswith(ours.name) or not ours.northd.running()
                failures += ours_failed
                print(f"{what}: {'ours' if ours_failed else 'the reference'} fails: {str(error).splitlines()[0]}", flush=True)
                runner.stop()
                runner = Runner()
                continue
            if lines:
                failures += 1
                print(f"{what}:", *(line[:300] for line in lines[:12]), sep="\n    ", flush=True)
    finally:
        runner.stop()
    print(f"{done} of {len(chosen)} changes from the {arguments.skip}th, {failures} with a difference")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
