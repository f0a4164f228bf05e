"""The kinds of change whose cost is measured, one by one.

A function makes the steps of one kind: each is done, and what northd then does is measured. After the
last one the network is as it was before. It makes none where the network has no place for it.
"""

import dataclasses

import northbound
from northbound import delete, insert, put, take, update

NB, SB = "OVN_Northbound", "OVN_Southbound"


@dataclasses.dataclass(frozen=True)
class Step:
    title: str
    operations: object  # A list; or a function of the plane that makes one.
    database: str = NB
    limit_ms: float = 3  # Of CPU; None: in proportion to what is written.


def nothing(net):
    yield Step("nothing but the number to wait for", [])


def port(net):
    row = net.nb.new("Logical_Switch_Port", name="new-port", addresses=["0a:04:00:00:00:01 10.0.0.200"])
    yield Step("add a port", [insert(row), put(net.switch, "ports", [row])])
    yield Step("change its address", [update(row, addresses=["0a:04:00:00:00:01 10.0.0.201"])])
    yield Step("delete it", [take(net.switch, "ports", [row])])


def pod(net):
    row = net.nb.new("Logical_Switch_Port", name="new-pod", addresses=["0a:04:00:00:00:02 10.0.0.202"],
                     port_security=["0a:04:00:00:00:02 10.0.0.202"])
    yield Step("add a pod: port, port group, address set", [
        insert(row), put(net.switch, "ports", [row]), put(net.port_group, "ports", [row]),
        put(net.address_set, "addresses", ["10.0.0.202"])])
    yield Step("delete it", [
        take(net.switch, "ports", [row]), take(net.port_group, "ports", [row]),
        take(net.address_set, "addresses", ["10.0.0.202"])])


def _acl(net, owner, where):
    match = f"outport == @{owner.columns['name']} && ip4" if owner.table == "Port_Group" else "ip4"
    row = net.nb.new("ACL", direction="to-lport", priority=1500, match=match + " && tcp.dst == 99", action="allow-related")
    yield Step(f"add an ACL to a {where}", [insert(row), put(owner, "acls", [row])])
    yield Step("change it", [update(row, match=match + " && tcp.dst == 98", action="drop")])
    yield Step("delete it", [take(owner, "acls", [row])])


def acl_switch(net):
    yield from _acl(net, net.switch, "switch")


def acl_group(net):
    yield from _acl(net, net.port_group, "port group")


def port_group(net):
    others = [p for p in net.ports if p not in net.port_group.columns["ports"]]
    yield Step("add a port to a port group", [put(net.port_group, "ports", others[:1])])
    yield Step("remove it", [take(net.port_group, "ports", others[:1])])


def address_set(net):
    yield Step("add an address to an address set", [put(net.address_set, "addresses", ["10.99.99.99"])])
    yield Step("remove it", [take(net.address_set, "addresses", ["10.99.99.99"])])


def policy(net):
    ports = net.ports[::len(net.ports) // 10][:10]
    group = net.nb.new("Port_Group", name="new_policy", ports=ports)
    addresses = net.nb.new("Address_Set", name="new_policy_v4", addresses=[f"10.0.0.{i}" for i in range(10, 20)])
    acls = [
        net.nb.new("ACL", direction="to-lport", priority=1000, match="outport == @new_policy", action="drop"),
        net.nb.new("ACL", direction="to-lport", priority=1001, action="allow-related",
                   match="outport == @new_policy && ip4.src == $new_policy_v4 && tcp.dst == 8080")]
    group.columns["acls"] = acls
    yield Step("add a network policy", [insert(addresses), *map(insert, acls), insert(group)])
    yield Step("delete it", [delete(group), delete(addresses)])


def vip(net):
    limit = 30 if net.vip_everywhere else 3
    address, backends = "10.96.250.1:80", "10.0.0.10:80,10.0.0.11:80"
    yield Step("add a VIP", [put(net.load_balancer, "vips", {address: backends})], limit_ms=limit)
    yield Step("change its backends", [take(net.load_balancer, "vips", [address]),
                                       put(net.load_balancer, "vips", {address: backends + ",10.0.0.12:80"})], limit_ms=limit)
    yield Step("delete it", [take(net.load_balancer, "vips", [address])], limit_ms=limit)


def _balancer(net):
    return net.nb.new("Load_Balancer", name="new-balancer", protocol=["tcp"], vips={"10.96.250.2:80": "10.0.0.10:80"})


def balancer_group(net):
    if net.lb_group is None:
        return
    row = _balancer(net)
    yield Step("add a load balancer to a group", [insert(row), put(net.lb_group, "load_balancer", [row])], limit_ms=30)
    yield Step("delete it", [take(net.lb_group, "load_balancer", [row]), delete(row)], limit_ms=30)


def balancer_switch(net):
    row = _balancer(net)
    yield Step("add a load balancer to a switch", [insert(row), put(net.switch, "load_balancer", [row])])
    yield Step("delete it", [take(net.switch, "load_balancer", [row]), delete(row)])


def nat(net):
    row = net.nb.new("NAT", type="dnat_and_snat", external_ip="172.16.99.1", logical_ip="10.0.0.11")
    yield Step("add NAT", [insert(row), put(net.gateway, "nat", [row])])
    yield Step("change it", [update(row, logical_ip="10.0.0.12")])
    yield Step("delete it", [take(net.gateway, "nat", [row])])


def route(net):
    hop = net.nb.new("Logical_Router_Static_Route", ip_prefix="10.202.0.0/24", nexthop="10.0.0.20")
    yield Step("add a static route", [insert(hop), put(net.router, "static_routes", [hop])])
    yield Step("delete it", [take(net.router, "static_routes", [hop])])


def ecmp(net):
    if net.ecmp_route is None:
        return
    hop = net.nb.new("Logical_Router_Static_Route", ip_prefix=net.ecmp_route.columns["ip_prefix"], nexthop="172.16.0.9")
    yield Step("add another ECMP next hop", [insert(hop), put(net.router, "static_routes", [hop])])
    yield Step("delete it", [take(net.router, "static_routes", [hop])])


def router_policy(net):
    row = net.nb.new("Logical_Router_Policy", priority=25000, match="ip4.src == 10.0.0.77", action="reroute",
                     nexthops=["10.0.0.20", "10.0.0.21"])
    yield Step("add a policy with two next hops", [insert(row), put(net.router, "policies", [row])])
    yield Step("change it", [update(row, match="ip4.src == 10.0.0.78")])
    yield Step("delete it", [take(net.router, "policies", [row])])


def dhcp(net):
    row = net.nb.new("DHCP_Options", cidr="10.0.0.0/24", options={
        "server_id": "10.0.0.1", "server_mac": "0a:03:00:00:00:01", "lease_time": "3600", "router": "10.0.0.1"})
    before = net.port.columns.get("dhcpv4_options", [])
    yield Step("add DHCP options to a port", [insert(row), update(net.port, dhcpv4_options=[row])])
    yield Step("change them", [update(row, options={**row.columns["options"], "mtu": "1400"})])
    yield Step("delete them", [update(net.port, dhcpv4_options=before), delete(row)])


def dns(net):
    if net.dns is None:
        return
    yield Step("add a DNS record", [put(net.dns, "records", {"new.example.org": "10.0.0.99"})])
    yield Step("delete it", [take(net.dns, "records", ["new.example.org"])])


def switch(net):
    row = net.nb.new("Logical_Switch", name="new-switch")
    router_port = net.nb.new("Logical_Router_Port", name="new-router-port", networks=["10.251.0.1/24"], mac="0a:02:00:00:ff:01")
    end = net.nb.new("Logical_Switch_Port", name="to-new-router-port", type="router", addresses=["router"],
                     options={"router-port": "new-router-port"})
    row.columns["ports"] = [end]
    yield Step("add a switch with a router port", [
        insert(end), insert(row), insert(router_port), put(net.router, "ports", [router_port])], limit_ms=None)
    yield Step("delete it", [take(net.router, "ports", [router_port]), delete(row)], limit_ms=None)


def meter(net):
    band = net.nb.new("Meter_Band", action="drop", rate=100)
    row = net.nb.new("Meter", name="new-meter", unit="pktps", bands=[band])
    yield Step("add a meter", [insert(band), insert(row)])
    yield Step("change it", [update(band, rate=200)])
    yield Step("delete it", [delete(row)])


def qos(net):
    row = net.nb.new("QoS", direction="to-lport", priority=100, match="ip4", bandwidth={"rate": 1000})
    yield Step("add a QoS rule", [insert(row), put(net.switch, "qos_rules", [row])])
    yield Step("delete it", [take(net.switch, "qos_rules", [row])])


def gateway_priority(net):
    if net.gateway_chassis is None:
        return
    yield Step("change a gateway's priority", [update(net.gateway_chassis, priority=30)])
    yield Step("change it back", [update(net.gateway_chassis, priority=net.gateway_chassis.columns["priority"])])


def chassis(net):
    encap, row, private = net.new_chassis()
    yield Step("a chassis joins", [insert(encap), insert(row), insert(private)], SB)
    yield Step("it leaves", [delete(private), delete(row)], SB)


def bfd(net):
    def flip(status):
        where = [["logical_port", "==", net.bfd.columns["logical_port"]], ["dst_ip", "==", net.bfd.columns["dst_ip"]]]
        return [{"op": "update", "table": "BFD", "where": where, "row": {"status": status}}]

    yield Step("a BFD session comes up", flip("up"), SB)
    yield Step("it goes down", flip("down"), SB)


def claim(net):
    def binding(**columns):
        return [{"op": "update", "table": "Port_Binding", "where": [["logical_port", "==", net.port.columns["name"]]],
                 "row": columns}]

    _, row, _ = net.chassis[0]
    yield Step("a port is claimed", binding(chassis=northbound.encode(row), up=True), SB)
    yield Step("it is released", binding(chassis=["set", []], up=False), SB)


def mac_binding(net):
    row = net.sb.new("MAC_Binding", logical_port=net.router.columns["ports"][0].columns["name"], ip="10.0.0.88",
                     mac="0a:05:00:00:00:01", timestamp=1)

    def learn(plane):
        row.columns["datapath"] = northbound.Row("Datapath_Binding", plane.datapath(net.router.columns["name"]), {})
        return [insert(row)]

    yield Step("a MAC binding is learned", learn, SB)
    yield Step("it is forgotten", [delete(row)], SB)


KINDS = {kind.__name__.replace("_", "-"): kind for kind in (
    nothing, port, pod, acl_switch, acl_group, port_group, address_set, policy, vip, balancer_group, balancer_switch, nat, route,
    ecmp, router_policy, dhcp, dns, switch, meter, qos, gateway_priority, chassis, bfd, claim, mac_binding)}
