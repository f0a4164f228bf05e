"""What runs on a hypervisor, of the reference: a vswitchd with a dummy datapath and an ovn-controller."""

import os

from harness import binaries
from harness.daemon import Daemon, OvsdbServer, create_database


class Hypervisor:
    """A chassis `name` of the southbound at `remotes`, with an interface for each of `ports`, and
    a bridge to the physical `network`. Ends with the test."""

    def __init__(self, test, name, remotes, ports, address="127.0.0.1", network=None):
        self.test = test
        directory = test.path(name)
        os.mkdir(directory)
        self.env = {**test.env, "OVS_RUNDIR": directory, "OVN_RUNDIR": directory}
        self.bridge = f"unix:{directory}/br-int.mgmt"
        conf = create_database(
            os.path.join(directory, "conf.db"), binaries.reference_file("share/openvswitch/vswitch.ovsschema"))
        local = test.track(OvsdbServer(binaries.ours("ovsdb-server"), directory, "db", [conf], env=self.env)).start()
        self._start(directory, "ovs-vswitchd", "--enable-dummy=override", f"--pidfile={directory}/ovs-vswitchd.pid", local.remote)
        interfaces = []
        for number, port in enumerate(ports, 1):
            interfaces += ["--", "add-port", "br-int", f"vif{number}", "--", "set", "interface", f"vif{number}",
                           "type=dummy", f"external-ids:iface-id={port}"]
        if network:
            interfaces += ["--", "add-br", "br-ex", "--", "set", "bridge", "br-ex", "datapath_type=dummy", "--",
                           "set", "open", ".", f"external-ids:ovn-bridge-mappings={network}:br-ex"]
        test.run_command(
            binaries.reference("ovs-vsctl"), "--db=" + local.remote, "--timeout=30",
            "set", "open", ".", f"external-ids:system-id={name}", f'external-ids:ovn-remote="{remotes}"',
            "external-ids:ovn-encap-type=geneve", f"external-ids:ovn-encap-ip={address}",
            "--", "add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=dummy", "fail-mode=secure", *interfaces)
        self._start(directory, "ovn-controller", local.remote)

    def _start(self, directory, program, *arguments):
        self.test.track(Daemon(binaries.reference(program), directory, program, arguments, self.env)).start()

    def flows(self):
        """How many OpenFlow flows there are."""
        return self.test.run_command(
            binaries.reference("ovs-ofctl"), "-O", "OpenFlow15", "dump-flows", self.bridge).stdout.count("table=")
