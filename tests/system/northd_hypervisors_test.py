"""Two hypervisors on our whole control plane, a cluster of three; what packets meet there, as on the reference's."""

import re
import unittest

from harness import binaries
from harness.central import Central
from harness.central_cluster import CentralCluster
from harness.hypervisor import Hypervisor
from harness.waiting import wait_until

NETWORK = [
    ["set", "nb_global", ".", "options:mac_prefix=02:00:00", "options:svc_monitor_mac=02:00:00:00:00:99"],
    ["ls-add", "sw0", "--", "ls-add", "sw1", "--", "ls-add", "public"],
    *(["lsp-add", switch, port, "--", "lsp-set-addresses", port, f"{mac} {ip}", "--", "lsp-set-port-security", port, f"{mac} {ip}"]
      for switch, port, mac, ip in (
          ("sw0", "p1", "00:00:00:00:00:01", "10.0.0.1"), ("sw0", "p2", "00:00:00:00:00:02", "10.0.0.2"),
          ("sw1", "p3", "00:00:00:00:00:03", "10.0.1.3"))),
    ["lr-add", "r0"],
    *(["lrp-add", "r0", f"r0-{switch}", mac, network, "--", "lsp-add", switch, f"{switch}-r0", "--",
       "lsp-set-type", f"{switch}-r0", "router", "--", "lsp-set-addresses", f"{switch}-r0", "router", "--",
       "lsp-set-options", f"{switch}-r0", f"router-port=r0-{switch}"]
      for switch, mac, network in (
          ("sw0", "00:00:00:00:01:00", "10.0.0.254/24"), ("sw1", "00:00:00:00:01:01", "10.0.1.254/24"),
          ("public", "00:00:00:00:01:02", "172.16.0.254/24"))),
    ["lsp-add", "public", "public-net", "--", "lsp-set-type", "public-net", "localnet", "--",
     "lsp-set-addresses", "public-net", "unknown", "--", "lsp-set-options", "public-net", "network_name=physnet"],
    ["lrp-set-gateway-chassis", "r0-public", "hv2", "20"],
    ["lr-nat-add", "r0", "snat", "172.16.0.1", "10.0.0.0/16"],
    ["lr-nat-add", "r0", "dnat_and_snat", "172.16.0.2", "10.0.0.2"],
    ["lr-route-add", "r0", "0.0.0.0/0", "172.16.0.253"],
    ["pg-add", "pg0", "p1", "p2"],
    ["acl-add", "pg0", "to-lport", "1000", "outport == @pg0 && ip4 && tcp.dst == 22", "drop"],
    ["acl-add", "pg0", "to-lport", "1001", "outport == @pg0 && ip4.src == 10.0.1.0/24", "allow-related"],
    ["acl-add", "sw1", "from-lport", "900", 'inport == "p3" && udp', "reject"],
    ["lb-add", "lb0", "10.9.0.1:80", "10.0.0.1:8080,10.0.0.2:8080", "tcp"],
    ["ls-lb-add", "sw1", "lb0", "--", "lr-lb-add", "r0", "lb0"],
]
P1 = 'inport == "p1" && eth.src == 00:00:00:00:00:01 && ip4.src == 10.0.0.1'
P3 = 'inport == "p3" && eth.src == 00:00:00:00:00:03 && ip4.src == 10.0.1.3'
TO_P2 = "eth.dst == 00:00:00:00:00:02 && ip4.dst == 10.0.0.2 && ip.ttl == 64"
PACKETS = {
    "a neighbour": ("sw0", f"{P1} && {TO_P2} && icmp4"),
    "a port that an ACL closes": ("sw0", f"{P1} && {TO_P2} && tcp && tcp.dst == 22"),
    "somebody else's address": ("sw0", f"{P1.replace('10.0.0.1', '10.0.0.9')} && {TO_P2} && icmp4"),
    "an ARP request for a neighbour": ("sw0", 'inport == "p1" && eth.src == 00:00:00:00:00:01 && eth.dst == ff:ff:ff:ff:ff:ff && '
                                       "arp.op == 1 && arp.sha == 00:00:00:00:00:01 && arp.spa == 10.0.0.1 && arp.tpa == 10.0.0.2"),
    "through the router": ("sw1", f"{P3} && eth.dst == 00:00:00:00:01:01 && ip4.dst == 10.0.0.1 && ip.ttl == 64 && tcp && tcp.dst == 80"),
    "a rejected protocol": ("sw1", f"{P3} && eth.dst == 00:00:00:00:01:01 && ip4.dst == 10.0.0.1 && ip.ttl == 64 && udp && udp.dst == 53"),
    "a virtual address": ("sw1", f"{P3} && eth.dst == 00:00:00:00:01:01 && ip4.dst == 10.9.0.1 && ip.ttl == 64 && tcp && tcp.dst == 80"),
    "the outside": ("sw0", f"{P1} && eth.dst == 00:00:00:00:01:00 && ip4.dst == 8.8.8.8 && ip.ttl == 64 && icmp4"),
    "the router itself": ("sw0", f"{P1} && eth.dst == 00:00:00:00:01:00 && ip4.dst == 10.0.0.254 && ip.ttl == 64 && icmp4.type == 8"),
    "no life left": ("sw0", f"{P1} && eth.dst == 00:00:00:00:01:00 && ip4.dst == 10.0.1.3 && ip.ttl == 1 && icmp4"),
    "a floating address": ("public", 'inport == "public-net" && eth.src == 00:00:00:00:09:09 && eth.dst == 00:00:00:00:01:02 && '
                           "ip4.src == 8.8.8.8 && ip4.dst == 172.16.0.2 && ip.ttl == 64 && tcp && tcp.dst == 443"),
}


@binaries.needs_reference
class HypervisorsTest(CentralCluster):
    def test_packets_meet_what_they_meet_on_the_reference(self):
        for command in NETWORK:
            self.nbctl(*command)
        hypervisors = [
            Hypervisor(self, name, self.remotes("sb"), ports, address, network="physnet")
            for name, ports, address in (("hv1", ["p1", "p3"], "127.0.0.1"), ("hv2", ["p2"], "127.0.0.2"))]
        for port in ("p1", "p2", "p3"):
            self.nbctl("wait-until", "Logical_Switch_Port", port, "up=true")
        self.nbctl("--wait=hv", "sync")
        for hypervisor in hypervisors:
            wait_until(lambda: hypervisor.flows() > 200, "flows are installed")
        with_acls = [hypervisor.flows() for hypervisor in hypervisors]

        reference = Central(self, "stock", binaries.reference("ovsdb-server"))
        for command in NETWORK:
            reference.nbctl(*command)
        for name, ports, address in (("hv1", ["p1", "p3"], "127.0.0.1"), ("hv2", ["p2"], "127.0.0.2")):
            reference.sbctl("chassis-add", name, "geneve", address)
            # What it can do decides which flows there are.
            features = self.sbctl("get", "chassis", name, "other_config").strip()
            reference.sbctl("set", "chassis", name, f"other_config={features}")
            for port in ports:
                reference.sbctl("lsp-bind", port, name)
        reference.sbctl("lsp-bind", "cr-r0-public", "hv2")
        reference.nbctl("--wait=sb", "sync")
        for what, (datapath, packet) in PACKETS.items():
            with self.subTest(what):
                ours, stock = (self.trace(remote, datapath, packet) for remote in (self.leader("sb").remote, reference.sb.remote))
                self.assertEqual(ours, stock)

        # The flows follow, whoever serves them.
        self.kill(self.leader("sb"))
        self.nbctl("--wait=hv", "acl-del", "pg0")
        for hypervisor, before in zip(hypervisors, with_acls):
            wait_until(lambda: hypervisor.flows() < before, "the ACLs' flows go")

    def trace(self, remote, datapath, packet):
        text = self.run_command(
            binaries.reference("ovn-trace"), "--db=" + remote, "--lb-dst=10.0.0.1:8080", datapath, packet).stdout
        self.assertIn("ingress", text)
        # Rows have other ids, and stages other sources.
        return re.sub(r"uuid [0-9a-f]{8}|\(\w+\.\w+:\d+\)", "...", text)


if __name__ == "__main__":
    unittest.main()
