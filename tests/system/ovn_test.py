"""OVN on our servers: its utilities, its northd and a hypervisor, all from the reference."""

import os
import re
import subprocess
import unittest

from harness import binaries
from harness.central import Central, schema
from harness.daemon import Daemon
from harness.hypervisor import Hypervisor
from harness.twins import TwinTest
from harness.waiting import wait_until

NETWORK = [
    ["ls-add", "sw0"],
    ["lsp-add", "sw0", "p1"],
    ["lsp-set-addresses", "p1", "00:00:00:00:00:01 10.0.0.1"],
    ["lsp-add", "sw0", "p2", "--", "lsp-set-addresses", "p2", "dynamic"],
    ["set", "logical_switch", "sw0", "other_config:subnet=10.0.0.0/24"],
    ["lr-add", "r0"],
    ["lrp-add", "r0", "r0-sw0", "00:00:00:00:01:00", "10.0.0.254/24", "fd00::1/64"],
    ["lsp-add", "sw0", "sw0-r0", "--", "lsp-set-type", "sw0-r0", "router", "--",
     "lsp-set-addresses", "sw0-r0", "router", "--", "lsp-set-options", "sw0-r0", "router-port=r0-sw0"],
    ["lr-route-add", "r0", "0.0.0.0/0", "10.0.0.253"],
    ["lr-nat-add", "r0", "snat", "172.16.0.1", "10.0.0.0/24"],
    ["acl-add", "sw0", "to-lport", "1000", "ip4.src == 10.0.0.9", "drop"],
    ["acl-add", "sw0", "from-lport", "900", 'inport == "p1" && tcp', "allow-related"],
    ["lb-add", "lb0", "10.9.0.1:80", "10.0.0.1:8080,10.0.0.2:8080", "tcp"],
    ["ls-lb-add", "sw0", "lb0"],
    ["pg-add", "pg0", "p1", "p2"],
    ["create", "address_set", "name=as0", 'addresses="10.0.0.1","10.0.0.2"'],
    ["meter-add", "m0", "drop", "100", "kbps", "10"],
    ["ha-chassis-group-add", "g0"],
    ["set-connection", "ptcp:0:127.0.0.1"],
]
# What the translator is not asked to do.
MORE = [
    ["--id=@p", "create", "Logical_Switch_Port", "name=p3", "--", "add", "logical_switch", "sw0", "ports", "@p"],
    ["add", "logical_switch", "sw0", "external_ids", "a=1", "b=2"],
    ["remove", "logical_switch", "sw0", "external_ids", "a"],
    ["set", "logical_switch_port", "p1", "external_ids:k=\"a b\"", "enabled=false"],
    ["clear", "logical_switch_port", "p1", "enabled"],
    ["--may-exist", "ls-add", "sw0"],
    ["--if-exists", "get", "logical_switch", "nothing", "name"],
    ["dhcp-options-create", "10.0.0.0/24", "owner=me"],
    ["qos-add", "sw0", "from-lport", "100", "ip4", "rate=1000", "burst=10"],
    ["lrp-set-gateway-chassis", "r0-sw0", "ch1", "20"],
    ["--ecmp", "lr-route-add", "r0", "0.0.0.0/0", "10.0.0.252"],
    ["lr-policy-add", "r0", "10", "ip4.src == 10.0.0.1", "drop"],
    ["lsp-set-port-security", "p1", "00:00:00:00:00:01"],
    ["lsp-set-options", "p1", "a=1", "b=2"],
    ["fwd-group-add", "fg0", "sw0", "10.0.0.50", "00:00:00:00:00:50", "p1", "p2"],
    ["static-mac-binding-add", "r0-sw0", "10.0.0.1", "00:00:00:00:00:01"],
    ["set-ssl", "/key", "/certificate", "/ca"],
    ["--no-wait", "comment", "nothing changes", "--", "ls-add", "sw1", "--", "set", "logical_switch", "sw1", "other_config:a=b"],
    ["--dry-run", "ls-add", "sw9"],
    ["--oneline", "ls-list", "--", "lr-list"],
    ["wait-until", "logical_switch", "sw1", "other_config:a=b"],
    ["--all", "destroy", "dns"],
    ["set", "nb_global", ".", "name=here"],
]
MORE_QUERIES = [
    ["dhcp-options-list"], ["qos-list", "sw0"], ["lrp-get-gateway-chassis", "r0-sw0"], ["lr-policy-list", "r0"],
    ["lsp-get-port-security", "p1"], ["lsp-get-options", "p1"], ["fwd-group-list"], ["get-ssl"], ["lsp-get-up", "p1"],
    ["lsp-get-enabled", "p1"], ["lr-route-list", "r0"], ["lrp-get-enabled", "r0-sw0"], ["get-connection"],
    ["--format=csv", "--columns=name,external_ids,tag,up", "list", "logical_switch_port"],
    ["--format=html", "--columns=name,external_ids", "find", "logical_switch", "external_ids:b=2"],
    ["--format=list", "--data=bare", "--columns=name,nat", "find", "logical_router", "name!=r1"],
    ["--no-headings", "--columns=ip_prefix,nexthop", "list", "logical_router_static_route"],
    ["--columns=name", "find", "logical_switch_port", "external_ids{>=}k"], ["get", "logical_switch", "sw0", "external_ids:b"],
    ["get", "logical_switch", "sw0", "external_ids:none"], ["get", "logical_switch", "sw0", "_uuid"],
]
SOUTHBOUND = [
    ["init"], ["chassis-add", "ch0", "geneve,vxlan", "127.0.0.2"], ["chassis-add", "ch1", "geneve", "127.0.0.3"],
    ["--may-exist", "chassis-add", "ch1", "geneve", "127.0.0.3"], ["chassis-add", "ch1", "geneve", "127.0.0.4"],
    ["chassis-add", "ch2", "geneve", "127.0.0.2"],
    ["--id=@d", "create", "Datapath_Binding", "tunnel_key=1", "external_ids:name=sw0", "--", "create", "Port_Binding",
     "logical_port=p1", "datapath=@d", "tunnel_key=1", "--", "create", "Port_Binding", "logical_port=p2", "datapath=@d",
     "tunnel_key=2", 'mac="00:00:00:00:00:01 10.0.0.1"', "--", "create", "MAC_Binding", "logical_port=p1",
     "ip=10.0.0.9", "datapath=@d", "--", "create", "Logical_Flow", "logical_datapath=@d", "pipeline=ingress", "table_id=0",
     "priority=50", "match=1", "actions=next;", "external_ids:stage-name=first"],
    ["lsp-bind", "p1", "ch0"], ["lsp-bind", "p1", "ch1"], ["--may-exist", "lsp-bind", "p1", "ch0"], ["lsp-bind", "p9", "ch0"],
    ["set", "port_binding", "p2", "options:a=b", "up=true"], ["wait-until", "port_binding", "p2", "up=true"],
    ["show"], ["lflow-list"], ["dump-flows"], ["count-flows"], ["--uuid", "lflow-list", "sw0"],
    ["--columns=name,hostname", "list", "chassis"], ["--bare", "--columns=type,ip", "list", "encap"],
    ["--format=json", "--columns=logical_port,mac,options", "find", "port_binding", "logical_port=p2"], ["get", "port_binding", "p2", "options"],
    ["find", "mac_binding", "ip=10.0.0.8"], ["set", "port_binding", "p2", "nothing=1"], ["list", "nothing"],
    ["set-connection", "ptcp:0:127.0.0.1", "read-only", "role=ovn-controller", "ptcp:0:127.0.0.2"], ["get-connection"],
    ["del-connection"], ["set-ssl", "/key", "/certificate", "/ca"], ["get-ssl"], ["del-ssl"],
    ["--dry-run", "chassis-del", "ch0"], ["lsp-unbind", "p1"], ["lsp-unbind", "p9"], ["--if-exists", "lsp-unbind", "p9"],
    ["chassis-del", "ch0"], ["chassis-del", "ch0"], ["--if-exists", "chassis-del", "ch0"], ["show"],
    ["--all", "destroy", "port_binding"], ["--all", "destroy", "datapath_binding"],
    ["--all", "destroy", "mac_binding", "--", "--all", "destroy", "logical_flow", "--", "--all", "destroy", "datapath_binding"],
    ["list", "datapath_binding"],
]
QUERIES = [
    ["show"], ["ls-list"], ["lr-list"], ["lsp-list", "sw0"], ["lrp-list", "r0"], ["acl-list", "sw0"],
    ["lr-route-list", "r0"], ["lr-nat-list", "r0"], ["lb-list"], ["ls-lb-list", "sw0"],
    ["lsp-get-addresses", "p1"], ["lsp-get-type", "sw0-r0"], ["meter-list"], ["get-connection"],
    ["--columns=name,ports", "list", "logical_switch"], ["get", "logical_switch", "sw0", "other_config"],
    ["--bare", "--columns=name", "find", "logical_switch_port", "type=router"],
    ["--format=json", "--columns=name,addresses", "list", "address_set"],
]
FAILURES = [
    ["ls-add", "sw0"], ["lsp-add", "sw9", "p9"], ["ls-del", "sw9"], ["lsp-add", "sw0", "p1"],
    ["set", "logical_switch", "sw0", "nothing=1"], ["list", "nothing"],
    ["lr-route-add", "r0", "0.0.0.0/0", "nonsense"], ["create", "address_set", "name=as0"],
]
REMOVALS = [
    ["lsp-del", "p2"], ["--if-exists", "ls-del", "nothing"], ["lr-route-del", "r0"], ["acl-del", "sw0"],
    ["lr-nat-del", "r0", "snat"], ["lb-del", "lb0"], ["pg-del", "pg0"], ["lr-del", "r0"],
    ["destroy", "address_set", "as0"], ["meter-del"], ["ha-chassis-group-del", "g0"], ["del-connection"], ["ls-del", "sw0"],
]


class ControlTest(TwinTest):
    """ovn-nbctl and ovn-sbctl, which run as daemons, too."""

    def through_daemons(self, program, variable):
        """Starts a daemon of the program for each server; returns what has it run a command."""
        controls = {server.name: self.detach(program, server) for server in self.twins}

        def through_daemon(*arguments):
            def run(server):
                env = {**self.env, variable: controls[server.name]}
                done = self.run_command(
                    binaries.reference(program), "--timeout=20", *arguments, env=env, check=False)
                return f"{done.stdout}{done.returncode}{done.stderr}"

            return self.same(run, sort_lines=True)

        return through_daemon

    def detach(self, program, server):
        name = f"{server.name}-{program}"
        daemon = Daemon(
            binaries.reference(program), self.directory, name,
            ["--db=" + server.remote, "--detach", "--no-chdir", "--pidfile=" + self.path(name + ".pid")], self.env)
        # It detaches: the process that answers is the one named in the pidfile.
        daemon.start(ready=False).process.wait(20)
        with open(self.path(name + ".pid"), encoding="ascii") as file:
            self.addCleanup(self.end, int(file.read()))
        self.assertTrue(os.path.exists(daemon.control))
        return daemon.control

    @staticmethod
    def end(pid):
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass


@binaries.needs_reference
class SouthboundTest(ControlTest):
    def setUp(self):
        super().setUp()
        self.twin("sb", schema("sb"))

    def test_commands(self):
        for command in SOUTHBOUND:
            self.same_command("ovn-sbctl", "--db={remote}", "--timeout=20", *command, sort_lines=True)

    def test_daemon_mode(self):
        through_daemon = self.through_daemons("ovn-sbctl", "OVN_SB_DAEMON")
        for command in SOUTHBOUND:
            through_daemon(*command)


@binaries.needs_reference
class NorthboundTest(ControlTest):
    def setUp(self):
        super().setUp()
        self.twin("nb", schema("nb"))

    def nbctl(self, *arguments, **more):
        return self.same_command("ovn-nbctl", "--db={remote}", "--timeout=20", *arguments, **more)

    def test_commands(self):
        self.nbctl("init")
        for command in NETWORK + MORE:
            self.nbctl(*command)
        for command in QUERIES + MORE_QUERIES:
            self.nbctl(*command, sort_lines=True)
        for command in FAILURES:
            self.nbctl(*command)
        for command in REMOVALS:
            self.nbctl(*command)
        self.nbctl("show")

    def test_daemon_mode(self):
        through_daemon = self.through_daemons("ovn-nbctl", "OVN_NB_DAEMON")
        for command in [*NETWORK, *MORE, *QUERIES, *MORE_QUERIES, *FAILURES, *REMOVALS]:
            through_daemon(*command)
        self.nbctl("show")

    def test_wait_until(self):
        """ovn-nbctl waits for another client's change."""

        def waited(server):
            nbctl = [binaries.reference("ovn-nbctl"), "--db=" + server.remote, "--timeout=20"]
            self.run_command(*nbctl, "ls-add", "sw0", "--", "lsp-add", "sw0", "p1")
            waiting = subprocess.Popen(
                [*nbctl, "wait-until", "logical_switch_port", "p1", "up=true"], env=self.env)
            self.addCleanup(waiting.kill)
            self.run_command(*nbctl, "set", "logical_switch_port", "p1", "up=true")
            return str(waiting.wait(20))

        self.assertEqual(self.same(waited), "0")


@binaries.needs_reference
class CentralTest(TwinTest):
    def setUp(self):
        super().setUp()
        self.centrals = [Central(self, name, path) for name, path in self.programs()]
        self.twins = [central.sb for central in self.centrals]
        for central in self.centrals:
            for command in NETWORK:
                central.nbctl(*command)
            central.nbctl("--wait=sb", "sync")

    def same_in_southbound(self, *arguments):
        """ovn-sbctl's lines, sorted; rows are in no order and their UUIDs are northd's choice."""
        uuid = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|0x[0-9a-f]{8}\b")
        texts = []
        for central in self.centrals:
            lines = uuid.sub("UUID", central.sbctl(*arguments)).split("\n")
            texts.append("\n".join(sorted(lines)))
        return self.assert_same(*texts)

    def test_northd_fills_the_southbound(self):
        self.assertGreater(self.same_in_southbound("lflow-list").count("\n"), 100)
        self.same_in_southbound("show")
        for table, columns in [
            ("Port_Binding", "logical_port,type,mac,options"), ("Address_Set", "name,addresses"),
            ("Port_Group", "name"), ("Load_Balancer", "name,vips,protocol"), ("Meter", "name,unit"),
            ("Datapath_Binding", "tunnel_key"), ("Connection", "target"),
        ]:
            with self.subTest(table=table):
                self.same_in_southbound("--columns=" + columns, "list", table)

    def test_northd_follows_changes(self):
        before = self.same_in_southbound("lflow-list")
        for central in self.centrals:
            for command in REMOVALS:
                central.nbctl(*command)
            central.nbctl("--wait=sb", "sync")
        self.assertEqual(self.same_in_southbound("lflow-list").strip(), "")
        for central in self.centrals:
            for command in NETWORK:
                central.nbctl(*command)
            central.nbctl("--wait=sb", "sync")
        self.assertEqual(self.same_in_southbound("lflow-list"), before)

    def test_northd_survives_a_restart_of_the_servers(self):
        before = self.same_in_southbound("lflow-list")
        for central in self.centrals:
            for server in (central.nb, central.sb):
                server.stop()
                server.start()
            central.nbctl("--wait=sb", "ls-add", "sw1", "--", "ls-del", "sw1")
            central.nbctl("--wait=sb", "sync")
        self.assertEqual(self.same_in_southbound("lflow-list"), before)

    def test_sbctl_commands(self):
        for central in self.centrals:
            central.sbctl("chassis-add", "ch0", "geneve", "127.0.0.2")
            central.sbctl("lsp-bind", "p1", "ch0")
            central.nbctl("wait-until", "logical_switch_port", "p1", "up=true")
        self.same_in_southbound("show")
        for central in self.centrals:
            central.sbctl("lsp-unbind", "p1")
            central.sbctl("chassis-del", "ch0")
        self.same_in_southbound("show")


@binaries.needs_reference
class HypervisorTest(TwinTest):
    """ovn-controller and a dummy ovs-vswitchd bring a port up through our servers."""

    def test_port_comes_up(self):
        central = Central(self, "ours", binaries.ours("ovsdb-server"))
        hypervisor = Hypervisor(self, "hv1", central.sb.remote, ["p1"])
        central.nbctl("ls-add", "sw0", "--", "lsp-add", "sw0", "p1", "--",
                      "lsp-set-addresses", "p1", "00:00:00:00:00:01 10.0.0.1")
        central.nbctl("--wait=hv", "sync")
        central.nbctl("wait-until", "Logical_Switch_Port", "p1", "up=true")
        self.assertIn("hv1", central.sbctl("show"))
        self.assertIn("Port_Binding p1", central.sbctl("show"))
        wait_until(lambda: hypervisor.flows() > 50, "ovn-controller installs flows")
        without_acl = hypervisor.flows()
        central.nbctl("--wait=hv", "acl-add", "sw0", "to-lport", "1000", "ip4.src == 10.0.0.9", "drop")
        wait_until(lambda: hypervisor.flows() > without_acl, "the ACL's flows arrive")
        with_port = hypervisor.flows()
        central.nbctl("--wait=hv", "lsp-del", "p1")
        wait_until(lambda: hypervisor.flows() < with_port, "the port's flows go")
        self.assertNotIn("Port_Binding p1", central.sbctl("show"))


if __name__ == "__main__":
    unittest.main()
