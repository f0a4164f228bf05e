"""The networks that northd translates in the benchmark, at full size and at a tenth.

Each is a northbound, the chassis in the southbound, and the places where changes are made (changes.py).
"""

import northbound

FEATURES = ("ct-commit-nat-v2", "ct-commit-to-zone", "ct-next-zone", "ct-no-masked-label", "ct-state-save", "fdb-timestamp",
            "ls-dpg-column", "mac-binding-timestamp", "ovn-ct-lb-related", "ovn-sample-with-registers", "port-up-notif")


def chassis_rows(rows, number):
    """A chassis as its controller registers it: the rows of three tables, in the order of insertion."""
    name = f"chassis-{number}"
    encap = rows.new("Encap", type="geneve", ip=f"192.168.{number // 250}.{number % 250 + 1}", chassis_name=name)
    chassis = rows.new("Chassis", name=name, hostname=name, encaps=[encap],
                       other_config={feature: "true" for feature in FEATURES})
    return encap, chassis, rows.new("Chassis_Private", name=name, chassis=[chassis])


class Network:
    """What all of them have. A subclass fills `nb` and sets the places."""

    # Rows of the northbound, or None where the network has no such thing.
    switch = port = port_group = address_set = load_balancer = lb_group = router = gateway = gateway_chassis = None
    dns = bfd = ecmp_route = None
    vip_everywhere = False  # A VIP of load_balancer lands on hundreds of datapaths.

    def __init__(self, tenth):
        self.part = 10 if tenth else 1
        self.nb = northbound.Rows(1)
        self.sb = northbound.Rows(2)
        self.nb.add("NB_Global", options={"mac_prefix": "0a:00:00", "svc_monitor_mac": "0a:00:00:00:00:01",
                                          "northd_probe_interval": "0"})
        self.chassis = []
        self.ports = []  # Of virtual machines.
        self.routers_ports = 0
        self.build()

    def add_chassis(self, count):
        for number in range(count):
            self.chassis.append(chassis_rows(self.sb, number))

    def new_chassis(self):
        """The rows of one that is not there."""
        return chassis_rows(self.sb, len(self.chassis))

    def southbound_operations(self):
        return [northbound.insert(row) for rows in self.chassis for row in rows]

    def add_port(self, switch, number, address, **columns):
        """A virtual machine's port, the number-th of all."""
        mac = f"0a:01:{number >> 24 & 255:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        addresses = f"{mac} {address}"
        port = self.nb.add_to(switch, "ports", "Logical_Switch_Port", name=f"port-{number}", addresses=[addresses],
                              port_security=[addresses], **columns)
        self.ports.append(port)
        return port

    def connect(self, switch, router, address, **columns):
        """A router's port with this address, and the port of the switch that leads to it."""
        self.routers_ports += 1
        name = f"{router.columns['name']}-{switch.columns['name']}"
        port = self.nb.add_to(router, "ports", "Logical_Router_Port", name=name, networks=[address],
                              mac=f"0a:02:00:00:{self.routers_ports >> 8:02x}:{self.routers_ports & 255:02x}", **columns)
        self.nb.add_to(switch, "ports", "Logical_Switch_Port", name="to-" + name, type="router", addresses=["router"],
                       options={"router-port": name})
        return port

    def add_external_switch(self, name):
        switch = self.nb.add("Logical_Switch", name=name)
        self.nb.add_to(switch, "ports", "Logical_Switch_Port", name="localnet-" + name, type="localnet",
                       addresses=["unknown"], options={"network_name": "physnet"})
        return switch

    def add_gateway_port(self, switch, router, address):
        """A distributed gateway port with two chassis to choose from."""
        port = self.connect(switch, router, address)
        for number, priority in ((0, 20), (1, 10)):
            self.nb.add_to(port, "gateway_chassis", "Gateway_Chassis", name=f"{port.columns['name']}-{number}",
                           chassis_name=f"chassis-{number}", priority=priority)
        return port

    def add_acl(self, owner, number, direction="to-lport", **columns):
        port = "outport" if direction == "to-lport" else "inport"
        here = f"{port} == @{owner.columns['name']}" if owner.table == "Port_Group" else f"{port} != \"\""
        return self.nb.add_to(owner, "acls", "ACL", direction=direction, priority=1001 + number % 100,
                              match=f"{here} && ip4 && tcp.dst == {1000 + number}", action="allow-related", **columns)

    def add_edge(self, router):
        """A gateway to the world for a router: NAT, routes over several next hops, and one that is watched."""
        external = self.add_external_switch("public")
        port = self.add_gateway_port(external, router, "172.16.0.10/16")
        self.gateway = router
        self.gateway_chassis = port.columns["gateway_chassis"][1]
        for number in range(20):
            self.nb.add_to(router, "nat", "NAT", type="dnat_and_snat", external_ip=f"172.16.1.{number + 1}",
                           logical_ip=f"10.0.{number}.5")
        self.add_watched_route(router, port.columns["name"], "172.16.0.1")
        for hop in range(3):
            self.ecmp_route = self.nb.add_to(router, "static_routes", "Logical_Router_Static_Route",
                                             ip_prefix="10.200.0.0/16", nexthop=f"172.16.0.{hop + 2}")

    def add_watched_route(self, router, port, next_hop):
        self.bfd = self.nb.add("BFD", logical_port=port, dst_ip=next_hop, min_tx=1000, min_rx=1000, detect_mult=3)
        self.nb.add_to(router, "static_routes", "Logical_Router_Static_Route", ip_prefix="0.0.0.0/0", nexthop=next_hop,
                       bfd=[self.bfd])

    def build(self):
        raise NotImplementedError


class Flat(Network):
    """500 switches of 20 ports on one router, ACLs by port group."""

    name = "flat"

    def build(self):
        self.add_chassis(50)
        self.router = self.nb.add("Logical_Router", name="router")
        n_switches, n_groups = 500 // self.part, 100 // self.part
        groups = [self.nb.add("Port_Group", name=f"group_{i}", ports=[]) for i in range(n_groups)]
        sets = [self.nb.add("Address_Set", name=f"set_{i}", addresses=[f"10.{i}.9.{j}" for j in range(1, 51)])
                for i in range(n_groups)]
        for i, group in enumerate(groups):
            for rule in range(5):
                self.add_acl(group, i * 5 + rule, "to-lport" if rule % 2 else "from-lport")
        for i in range(n_switches):
            switch = self.nb.add("Logical_Switch", name=f"switch-{i}")
            self.connect(switch, self.router, f"10.{i >> 8}.{i & 255}.1/24")
            for j in range(20):
                port = self.add_port(switch, i * 20 + j, f"10.{i >> 8}.{i & 255}.{j + 10}")
                groups[(i * 20 + j) % n_groups].columns["ports"].append(port)
            self.switch = self.switch or switch
        self.dns = self.nb.add("DNS", records={f"host-{i}.example.org": f"10.0.0.{i + 10}" for i in range(20)})
        self.switch.columns["dns_records"] = [self.dns]
        self.load_balancer = self.nb.add("Load_Balancer", name="balancer", protocol=["tcp"],
                                         vips={"10.250.0.1:80": "10.0.0.10:80,10.0.0.11:80"})
        self.switch.columns["load_balancer"] = [self.load_balancer]
        self.add_edge(self.router)
        self.port, self.port_group, self.address_set = self.ports[0], groups[0], sets[0]


class Kubernetes(Network):
    """250 nodes of 50 pods with a gateway router each, 5,000 VIPs on all of them, 200 policies."""

    name = "kubernetes"
    vip_everywhere = True

    def build(self):
        n_nodes, n_balancers, n_policies = 250 // self.part, 2500 // self.part, 200 // self.part
        self.add_chassis(n_nodes)
        self.lb_group = self.nb.add("Load_Balancer_Group", name="cluster", load_balancer=[])
        policies = [(self.nb.add("Port_Group", name=f"policy_{i}", ports=[]),
                     self.nb.add("Address_Set", name=f"policy_{i}_v4", addresses=[])) for i in range(n_policies)]
        for i, (group, addresses) in enumerate(policies):
            name = group.columns["name"]
            self.nb.add_to(group, "acls", "ACL", direction="to-lport", priority=1000, match=f"outport == @{name}", action="drop")
            self.nb.add_to(group, "acls", "ACL", direction="to-lport", priority=1001, action="allow-related",
                           match=f"outport == @{name} && ip4.src == ${addresses.columns['name']} && tcp.dst == {8000 + i}")
        self.router = self.nb.add("Logical_Router", name="cluster_router")
        join = self.nb.add("Logical_Switch", name="join")
        self.connect(join, self.router, "100.64.0.1/16")
        for node in range(n_nodes):
            self._add_node(node, join, policies)
        for i in range(n_balancers):
            backends = [f"10.{(i + j) % n_nodes}.0.{10 + i % 50}" for j in range(3)]
            balancer = self.nb.add(
                "Load_Balancer", name=f"service-{i}", protocol=["tcp"], options={"reject": "true"},
                vips={f"10.96.{i >> 8}.{i & 255}:{port}": ",".join(f"{backend}:{port}" for backend in backends)
                      for port in (80, 443)})
            self.lb_group.columns["load_balancer"].append(balancer)
        self.load_balancer = self.lb_group.columns["load_balancer"][0]
        self.port = self.ports[0]
        self.port_group, self.address_set = policies[0]

    def _add_node(self, node, join, policies):
        switch = self.nb.add("Logical_Switch", name=f"node-{node}", load_balancer_group=[self.lb_group])
        self.connect(switch, self.router, f"10.{node}.0.1/24")
        gateway = self.nb.add("Logical_Router", name=f"gateway-{node}", load_balancer_group=[self.lb_group],
                              options={"chassis": f"chassis-{node}", "lb_force_snat_ip": "router_ip",
                                       "dynamic_neigh_routers": "true"})
        hop = f"100.64.{node + 2 >> 8}.{node + 2 & 255}"
        self.connect(join, gateway, f"{hop}/16")
        port = self.connect(self.add_external_switch(f"external-{node}"), gateway, f"172.18.{node}.10/16")
        self.nb.add_to(gateway, "nat", "NAT", type="snat", external_ip=f"172.18.{node}.10", logical_ip=f"10.{node}.0.0/24")
        self.nb.add_to(gateway, "static_routes", "Logical_Router_Static_Route", ip_prefix="10.0.0.0/8", nexthop="100.64.0.1")
        self.nb.add_to(self.router, "static_routes", "Logical_Router_Static_Route", ip_prefix=f"{hop}/32", nexthop=hop)
        self.nb.add_to(self.router, "static_routes", "Logical_Router_Static_Route", ip_prefix=f"10.{node}.0.0/24",
                       nexthop=hop, policy=["src-ip"])
        self.nb.add_to(self.router, "policies", "Logical_Router_Policy", priority=1004, action="reroute",
                       match=f'inport == "cluster_router-node-{node}" && ip4.dst == 172.18.{node}.10',
                       nexthops=[f"10.{node}.0.2"])
        self.add_acl(switch, node)
        if self.gateway is None:
            self.switch, self.gateway = switch, gateway
            self.add_watched_route(gateway, port.columns["name"], "172.18.255.1")
        for pod in range(50):
            number = node * 50 + pod
            address = f"10.{node}.0.{pod + 10}"
            port = self.add_port(switch, number, address)
            group, addresses = policies[number % len(policies)]
            group.columns["ports"].append(port)
            addresses.columns["addresses"].append(address)


class KubeOvn(Network):
    """One VPC of 250 subnets of 50 pods: policies, ECMP routes, balancers, DHCP, DNS; 100 VPCs with NAT."""

    name = "kube-ovn"
    vip_everywhere = True

    def build(self):
        n_subnets, n_vpcs = 250 // self.part, 100 // self.part
        self.add_chassis(50)
        self.router = self.nb.add("Logical_Router", name="vpc")
        self.load_balancer = self.nb.add(
            "Load_Balancer", name="cluster-tcp", protocol=["tcp"],
            vips={f"10.96.{i >> 8}.{i & 255}:80": ",".join(f"10.{(i + j) % n_subnets}.0.{10 + i % 50}:80" for j in range(3))
                  for i in range(1000 // self.part)})
        udp = self.nb.add("Load_Balancer", name="cluster-udp", protocol=["udp"],
                          vips={f"10.97.0.{i}:53": f"10.0.0.{10 + i}:53" for i in range(200 // self.part)})
        self.dns = self.nb.add("DNS", records={f"host-{i}.example.org": f"10.0.0.{i + 10}" for i in range(100)})
        groups = [self.nb.add("Port_Group", name=f"security_{i}", ports=[]) for i in range(50 // self.part)]
        self.address_set = self.nb.add("Address_Set", name="allowed", addresses=[f"10.1.0.{i}" for i in range(10, 60)])
        for i, group in enumerate(groups):
            self.add_acl(group, i)
            self.add_acl(group, i, "from-lport")
        for i in range(n_subnets):
            self._add_subnet(i, [self.load_balancer, udp], groups)
        self.add_edge(self.router)
        for i in range(100 // self.part):
            for hop in range(3):
                self.nb.add_to(self.router, "static_routes", "Logical_Router_Static_Route", ip_prefix=f"10.201.{i}.0/24",
                               nexthop=f"172.16.0.{hop + 2}")
        external = self.add_external_switch("vpc-external")
        for i in range(n_vpcs):
            self._add_vpc(i, external)
        self.port, self.port_group = self.ports[0], groups[0]

    def _add_subnet(self, i, balancers, groups):
        subnet = f"10.{i}.0.0/24"
        switch = self.nb.add("Logical_Switch", name=f"subnet-{i}", load_balancer=list(balancers), dns_records=[self.dns])
        self.switch = self.switch or switch
        self.connect(switch, self.router, f"10.{i}.0.1/24")
        dhcp = self.nb.add("DHCP_Options", cidr=subnet, options={
            "server_id": "169.254.0.254", "server_mac": "0a:03:00:00:00:01", "lease_time": "3600", "router": f"10.{i}.0.1"})
        self.nb.add_to(self.router, "policies", "Logical_Router_Policy", priority=31000, match=f"ip4.dst == {subnet}", action="allow")
        self.nb.add_to(self.router, "policies", "Logical_Router_Policy", priority=29000, match=f"ip4.src == {subnet}", action="reroute",
                       nexthops=[f"172.16.0.{i % 200 + 20 + hop}" for hop in range(3)])
        for pod in range(50):
            number = i * 50 + pod
            port = self.add_port(switch, number, f"10.{i}.0.{pod + 10}", dhcpv4_options=[dhcp])
            groups[number % len(groups)].columns["ports"].append(port)

    def _add_vpc(self, i, external):
        router = self.nb.add("Logical_Router", name=f"vpc-{i}")
        switch = self.nb.add("Logical_Switch", name=f"vpc-{i}-subnet")
        self.connect(switch, router, "10.0.0.1/24")
        self.add_gateway_port(external, router, f"172.17.{i}.1/16")
        for pod in range(5):
            self.add_port(switch, 1_000_000 + i * 5 + pod, f"10.0.0.{pod + 10}")
        self.nb.add_to(router, "nat", "NAT", type="snat", external_ip=f"172.17.{i}.1", logical_ip="10.0.0.0/24")
        self.nb.add_to(router, "nat", "NAT", type="dnat_and_snat", external_ip=f"172.17.{i}.2", logical_ip="10.0.0.10")
        self.nb.add_to(router, "static_routes", "Logical_Router_Static_Route", ip_prefix="0.0.0.0/0", nexthop="172.17.255.254")


NETWORKS = {network.name: network for network in (Flat, Kubernetes, KubeOvn)}
