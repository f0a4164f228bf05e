"""Rows of the northbound's tables: for each table its columns, each made by a function of Values."""

from northd_fuzz.values import CHAINS, CHASSIS, METERS, PROTOCOLS, ROUTE_TABLES

FIELDS = ["eth_src", "ip_src", "ip_dst", "ipv6_src", "tp_src", "tp_dst"]
# Not two that may advertise the same address: the reference takes one for the other then, or writes both for ever.
REDISTRIBUTED = ["connected", "connected-as-host", "static", "nat", "lb", "connected,static", "connected,nat", "x"]


def _ids(v, *keys):
    return v.map_of({key: lambda: "id" for key in keys}, 0.1)


SWITCH_CONFIG = {
    "subnet": lambda v: v.pick("10.0.0.0/24", "10.0.1.0/28", "x"),
    "exclude_ips": lambda v: v.pick("10.0.0.2..10.0.0.5", "10.0.0.3"),
    "ipv6_prefix": lambda v: v.pick("fd00::", "fd01::/64"),
    "mac_only": lambda v: v.boolean(),
    "mcast_snoop": lambda v: v.boolean(),
    "mcast_querier": lambda v: v.boolean(),
    "mcast_eth_src": lambda v: v.mac(),
    "mcast_ip4_src": lambda v: v.ip4(),
    "mcast_ip6_src": lambda v: v.pick("fe80::1", "fd00::1"),
    "mcast_flood_unregistered": lambda v: v.boolean(),
    # As many as there are groups, or more: which ones fit is chance in the reference.
    "mcast_table_size": lambda v: v.number(3, 16, 4096),
    "mcast_idle_timeout": lambda v: v.number(1, 15, 300, 7200),
    "mcast_query_interval": lambda v: v.number(1, 60),
    "mcast_query_max_response": lambda v: v.number(1, 5, 20),
    "dhcp_relay_port": lambda v: v.name("Logical_Switch_Port"),
    "interconn-ts": lambda v: v.pick("ts0", "ts1"),
    "ic-vxlan_mode": lambda v: v.boolean(),
    "vlan-passthru": lambda v: v.boolean(),
    "requested-tnl-key": lambda v: v.number(0, 5, 7, (1 << 24) - 1),
    "broadcast-arps-to-all-routers": lambda v: v.boolean(),
    "fdb_age_threshold": lambda v: v.number(0, 30),
    "ct-zone-limit": lambda v: v.number(0, 10, -1),
    "enable-stateless-acl-with-lb": lambda v: v.boolean(),
}

SWITCH_PORT_OPTIONS = {
    "router-port": lambda v: v.lonely_router_port(),
    "network_name": lambda v: "phys",
    "requested-chassis": lambda v: v.pick(*CHASSIS, "hv1,hv2", "nowhere"),
    "mcast_flood": lambda v: v.boolean(),
    "mcast_flood_reports": lambda v: v.boolean(),
    "arp_proxy": lambda v: v.pick("0a:58:a9:fe:01:01 169.254.238.0/24", "169.254.239.2", "x"),
    "nat-addresses": lambda v: v.pick("router", "router", f"{v.mac()} {v.ip4()}", "x"),
    "exclude-lb-vips-from-garp": lambda v: v.boolean(),
    "qos_max_rate": lambda v: v.number(100000, 1),
    "qos_min_rate": lambda v: v.number(100000),
    "qos_burst": lambda v: v.number(1000),
    "virtual-ip": lambda v: v.ip4(),
    "virtual-parents": lambda v: v.pick("sw0p0", "sw0p0,sw0p1", "nobody"),
    "requested-tnl-key": lambda v: v.number(0, 3, 4),
    "hostname": lambda v: "host",
    "enable_router_port_acl": lambda v: v.boolean(),
    "ct-zone-limit": lambda v: v.number(0, 10, -1),
    "ethtype": lambda v: "802.1ad",
    "l2gateway-chassis": lambda v: v.pick(*CHASSIS),
    "vtep-physical-switch": lambda v: "ps0",
    "vtep-logical-switch": lambda v: "vls0",
    "iface-id-ver": lambda v: "1",
    "vif-plug-type": lambda v: "representor",
    "vif-plug-mtu-request": lambda v: v.number(1400),
    "localnet_learn_fdb": lambda v: v.boolean(),
    "force_fdb_lookup": lambda v: v.boolean(),
    "pkt_clone_type": lambda v: v.pick("mc_unknown", "x"),
    "disable_arp_nd_rsp": lambda v: v.boolean(),
    "receive_multicast": lambda v: v.boolean(),
    "activation-strategy": lambda v: "rarp",
    "disable_garp_rarp": lambda v: v.boolean(),
}

ROUTER_OPTIONS = {
    "chassis": lambda v: v.pick(*CHASSIS),
    "always_learn_from_arp_request": lambda v: v.boolean(),
    "dynamic_neigh_routers": lambda v: v.boolean(),
    "mcast_relay": lambda v: v.boolean(),
    "ct-commit-all": lambda v: v.boolean(),
    "dnat_force_snat_ip": lambda v: v.pick(v.ip(), f"{v.ip4()} {v.ip6()}"),
    "lb_force_snat_ip": lambda v: v.pick("router_ip", v.ip(), f"{v.ip4()} {v.ip6()}", "x"),
    "snat-ct-zone": lambda v: v.number(0, 1, 666),
    "mac_binding_age_threshold": lambda v: v.pick("0", "100", "10.0.0.0/24:60;200", "x"),
    "requested-tnl-key": lambda v: v.number(0, 5, 8),
    "dynamic-routing": lambda v: v.boolean(),
    "dynamic-routing-redistribute": lambda v: v.pick(*REDISTRIBUTED),
    "dynamic-routing-vrf-name": lambda v: "vrf",
    "dynamic-routing-vrf-id": lambda v: v.number(7),
    "dynamic-routing-redistribute-local-only": lambda v: v.boolean(),
    "disable_garp_rarp": lambda v: v.boolean(),
    "ct-zone-limit": lambda v: v.number(0, 10, -1),
}

ROUTER_PORT_OPTIONS = {
    "gateway_mtu": lambda v: v.number(0, 1400, 1500),
    "gateway_mtu_bypass": lambda v: "tcp",
    "redirect-type": lambda v: "overlay",  # With "bridged", which of several gateway ports counts is up to chance.
    "reside-on-redirect-chassis": lambda v: v.boolean(),
    "requested-tnl-key": lambda v: v.number(0, 3, 4),
    "requested-chassis": lambda v: v.pick(*CHASSIS, "nowhere"),
    "mcast_flood": lambda v: v.boolean(),
    "prefix": lambda v: v.boolean(),
    "prefix_delegation": lambda v: v.boolean(),
    "route_table": lambda v: v.pick(*ROUTE_TABLES),
    "routing-protocols": lambda v: v.pick("BGP", "BFD", "BGP,BFD", "x"),
    "routing-protocol-redirect": lambda v: v.pick("sw0p0", "sw1p0", "nobody"),
    "dynamic-routing-redistribute": lambda v: v.pick(*REDISTRIBUTED),
    "dynamic-routing-maintain-vrf": lambda v: v.boolean(),
    "dynamic-routing-port-name": lambda v: "sw0p0",
    "dynamic-routing-redistribute-local-only": lambda v: v.boolean(),
    "ic-route-tag": lambda v: "blue",
    "gateway_mtu_x": lambda v: "1",
}

LB_OPTIONS = {
    "event": lambda v: v.boolean(),
    "reject": lambda v: v.boolean(),
    "skip_snat": lambda v: v.boolean(),
    "add_route": lambda v: v.boolean(),
    "use_stateless_nat": lambda v: v.boolean(),
    "hairpin_snat_ip": lambda v: v.pick(v.ip4(), v.ip6(), "x"),
    "neighbor_responder": lambda v: v.pick("all", "none", "reachable"),
    "affinity_timeout": lambda v: v.number(0, 60, 70000),
    "ct_flush": lambda v: v.boolean(),
    "template": lambda v: v.boolean(),
    "address-family": lambda v: v.pick("ipv4", "ipv6", "x"),
}

RA_CONFIGS = {
    "address_mode": lambda v: v.pick("slaac", "dhcpv6_stateful", "dhcpv6_stateless", "x"),
    "mtu": lambda v: v.number(1400, 1),
    "send_periodic": lambda v: v.boolean(),
    "max_interval": lambda v: v.number(10, 4),
    "min_interval": lambda v: v.number(3, 8),
    "rdnss": lambda v: v.ip6(),
    "dnssl": lambda v: "ovn.org",
    "route_info": lambda v: "HIGH-fd03::/64",
    "router_preference": lambda v: v.pick("HIGH", "LOW"),
}

GLOBAL_OPTIONS = {
    "controller_event": lambda v: v.boolean(),
    "use_logical_dp_groups": lambda v: v.boolean(),
    "use_ct_inv_match": lambda v: v.boolean(),
    "ignore_lsp_down": lambda v: v.boolean(),
    "debug_drop_domain_id": lambda v: v.number(1, 5),
    "debug_drop_collector_set": lambda v: v.number(1, 5),
    "default_acl_drop": lambda v: v.boolean(),
    "install_ls_lb_from_router": lambda v: v.boolean(),
    "use_common_zone": lambda v: v.boolean(),
    "ignore_chassis_features": lambda v: v.boolean(),
    "vxlan_mode": lambda v: v.boolean(),
    "ecmp_nexthop_monitor_enable": lambda v: v.boolean(),
    "always_tunnel": lambda v: v.boolean(),
    "acl_ct_translation": lambda v: v.boolean(),
    "bfd-min-rx": lambda v: v.number(100),
    "bfd-decay-min-rx": lambda v: v.number(200),
    "bfd-min-tx": lambda v: v.number(300),
    "bfd-mult": lambda v: v.number(5),
    "mac_binding_removal_limit": lambda v: v.number(0, 100),  # Not so few that removals take several rounds.
    "fdb_removal_limit": lambda v: v.number(0, 100),
    "mac_prefix": lambda v: v.pick("0a:00:00", "0a:00:01"),
    "svc_monitor_mac": lambda v: v.pick("0a:00:00:00:00:01", "0a:00:00:00:00:02"),
    "ic-route-adv": lambda v: v.boolean(),
    "unknown_option": lambda v: "1",
    "use_parallel_build": lambda v: v.boolean(),
    "max_tunid": lambda v: "77",
}

DHCP_VALUES = {
    "netmask": "255.255.0.0", "offerip": "10.0.0.9", "hostname": '"host"', "ip_forward_enable": "1", "default_ttl": "64", "T1": "100",
    "T2": "200", "classless_static_route": "{30.0.0.0/24,10.0.0.10, 0.0.0.0/0,10.0.0.1}", "next_server": "10.0.0.7", "wpad": '"a, b"',
    "bootfile_name": '"x"', "bootfile_name_alt": '"y"', "tftp_server": "10.0.0.8", "domain_search_list": '"a.org, b.org"',
    "broadcast_address": "10.0.0.255", "ia_addr": "fd00::9", "domain_search": '"ovn.org"', "fqdn": '"vm.ovn.org"', "ntp_server": "",
}

CONTROLLED = ["arp", "arp-resolve", "dhcpv4-opts", "dhcpv6-opts", "dns", "event-elb", "icmp4-error", "icmp6-error", "igmp", "nd-na",
              "nd-ns", "nd-ns-resolve", "nd-ra-opts", "tcp-reset", "bfd", "reject", "svc-monitor", "dhcpv4-relay"]


def _of(value):
    return lambda v: value


def _choices(v, options):
    return {key: (lambda make=make: make(v)) for key, make in options.items()}


def _options(options, chance=0.08):
    return lambda v: v.map_of(_choices(v, options), chance)


def _enabled(v):
    return v.optional(lambda: v.maybe(0.3), 0.15)


# Columns that a new row gets, and that an update may change.
TABLES = {
    "Logical_Switch": {
        "other_config": _options(SWITCH_CONFIG),
        "load_balancer": lambda v: v.refs("Load_Balancer"),
        "load_balancer_group": lambda v: v.refs("Load_Balancer_Group", 1),
        "dns_records": lambda v: v.refs("DNS"),
        "copp": lambda v: v.optional(lambda: v.ref("Copp"), 0.3),
        "external_ids": lambda v: _ids(v, "neutron:network_name"),
    },
    "Logical_Switch_Port": {
        "type": lambda v: v.pick(*[""] * 6, "localnet", "localport", "router", "virtual", "external", "l2gateway", "vtep", "remote",
                               "switch", "x"),
        "peer": lambda v: v.optional(lambda: v.name("Logical_Switch_Port"), 0.1),
        "options": _options(SWITCH_PORT_OPTIONS, 0.05),
        "addresses": lambda v: v.set_of(v.addresses, 2),
        "port_security": lambda v: v.set_of(v.addresses, 1),
        "parent_name": lambda v: v.optional(lambda: v.name("Logical_Switch_Port"), 0.1),
        "tag": lambda v: v.optional(lambda: v.rng.randint(1, 5), 0.1),
        "tag_request": lambda v: v.optional(lambda: v.rng.randint(0, 3), 0.1),
        "enabled": _enabled,
        "dhcpv4_options": lambda v: v.optional(lambda: v.ref("DHCP_Options"), 0.2),
        "dhcpv6_options": lambda v: v.optional(lambda: v.ref("DHCP_Options"), 0.2),
        "mirror_rules": lambda v: v.refs("Mirror", 1),
        "ha_chassis_group": lambda v: v.optional(lambda: v.ref("HA_Chassis_Group"), 0.1),
        "external_ids": lambda v: _ids(v, "neutron:port_name", "neutron:cidrs"),
    },
    "Logical_Router": {
        "enabled": _enabled,
        "load_balancer": lambda v: v.refs("Load_Balancer"),
        "load_balancer_group": lambda v: v.refs("Load_Balancer_Group", 1),
        "copp": lambda v: v.optional(lambda: v.ref("Copp"), 0.3),
        "options": _options(ROUTER_OPTIONS),
        "external_ids": lambda v: _ids(v, "neutron:router_name"),
    },
    "Logical_Router_Port": {
        "mac": lambda v: v.mac(),
        "networks": lambda v: v.own_networks(),
        "options": _options(ROUTER_PORT_OPTIONS, 0.06),
        "enabled": _enabled,
        "ipv6_ra_configs": lambda v: v.map_of(_choices(v, RA_CONFIGS), 0.4) if v.maybe(0.2) else ["map", []],
        "ha_chassis_group": lambda v: v.optional(lambda: v.ref("HA_Chassis_Group"), 0.1),
        "peer": lambda v: v.optional(lambda: v.name("Logical_Router_Port"), 0.08),
        "dhcp_relay": lambda v: v.optional(lambda: v.ref("DHCP_Relay"), 0.1),
        "external_ids": lambda v: _ids(v, "neutron:router_port"),
    },
    "Gateway_Chassis": {
        "chassis_name": lambda v: v.pick(*CHASSIS, "nowhere"),
        "priority": lambda v: v.rng.randint(0, 20),
        "options": lambda v: v.map_of({"key": lambda: "value"}, 0.1),
    },
    "Logical_Router_Static_Route": {
        "route_table": lambda v: v.pick("", "", *ROUTE_TABLES),
        "ip_prefix": lambda v: v.prefix(),
        "policy": lambda v: v.optional(lambda: v.pick("src-ip", "dst-ip")),
        "nexthop": lambda v: v.pick(v.ip(), v.ip(), v.ip(), "discard", ""),
        "output_port": lambda v: v.optional(lambda: v.name("Logical_Router_Port"), 0.25),
        "bfd": lambda v: v.optional(lambda: v.ref("BFD"), 0.2),
        "selection_fields": lambda v: v.set_of(lambda: v.pick(*FIELDS), 2),
        "options": _options({"ecmp_symmetric_reply": lambda v: v.boolean(), "origin": lambda v: "connected"}, 0.2),
    },
    "Logical_Router_Policy": {
        "priority": lambda v: v.rng.randint(0, 10),
        "chain": lambda v: v.optional(lambda: v.pick(*CHAINS), 0.15),
        "match": lambda v: v.match(),
        "action": lambda v: v.pick("allow", "drop", "reroute", "reroute", "jump"),
        "jump_chain": lambda v: v.optional(lambda: v.pick(*CHAINS), 0.3),
        "nexthop": lambda v: v.optional(v.ip, 0.2),
        "nexthops": lambda v: v.set_of(v.ip4 if v.maybe(0.8) else v.ip, 3),
        "bfd_sessions": lambda v: v.refs("BFD", 1),
        "options": _options({"pkt_mark": lambda v: v.number(0, 5, -1)}, 0.2),
    },
    "NAT": {
        "type": lambda v: v.pick("snat", "dnat", "dnat_and_snat", "dnat_and_snat"),
        "external_ip": lambda v: v.ip(),
        "logical_ip": lambda v: v.pick(v.ip(), v.network()),
        "external_mac": lambda v: v.optional(v.mac, 0.4),
        "logical_port": lambda v: v.optional(lambda: v.name("Logical_Switch_Port"), 0.4),
        "external_port_range": lambda v: v.pick("", "", "", "1-3000", "x"),
        "allowed_ext_ips": lambda v: v.optional(lambda: v.ref("Address_Set"), 0.1),
        "exempted_ext_ips": lambda v: v.optional(lambda: v.ref("Address_Set"), 0.1),
        "gateway_port": lambda v: v.optional(lambda: v.ref("Logical_Router_Port"), 0.2),
        "priority": lambda v: v.rng.randint(0, 5),
        "match": lambda v: v.match() if v.maybe(0.15) else "",
        "options": _options({"stateless": lambda v: v.boolean(), "add_route": lambda v: v.boolean()}, 0.2),
    },
    "Load_Balancer": {
        "name": lambda v: v.pick("lb0", "lb1", "lb2"),
        "vips": lambda v: v.vips(),
        "protocol": lambda v: v.optional(lambda: v.pick(*PROTOCOLS), 0.7),
        "ip_port_mappings": lambda v: v.map_of({v.backend(): lambda: v.monitored() for _ in range(3)}, 0.6),
        "selection_fields": lambda v: v.set_of(lambda: v.pick(*FIELDS), 2) if v.maybe(0.2) else ["set", []],
        "options": _options(LB_OPTIONS, 0.15),
    },
    "Load_Balancer_Group": {"load_balancer": lambda v: v.refs("Load_Balancer", 3)},
    "Load_Balancer_Health_Check": {
        "vip": lambda v: v.vip()[0],
        "options": _options({
            "interval": lambda v: v.number(5), "timeout": lambda v: v.number(20),
            "success_count": lambda v: v.number(2), "failure_count": lambda v: v.number(3)}, 0.4),
    },
    "ACL": {
        "name": lambda v: v.optional(lambda: v.pick("acl0", "acl1"), 0.3),
        "priority": lambda v: v.rng.randint(0, 5) * 1000,
        "direction": lambda v: v.pick("from-lport", "to-lport"),
        "match": lambda v: v.match(),
        "action": lambda v: v.pick("allow", "allow-related", "allow-stateless", "drop", "reject", "pass"),
        "log": lambda v: v.maybe(0.2),
        "severity": lambda v: v.optional(lambda: v.pick("alert", "info"), 0.3),
        "meter": lambda v: v.optional(lambda: v.pick(*METERS, "nothing"), 0.3),
        "label": lambda v: v.rng.randint(1, 3) if v.maybe(0.1) else 0,
        "tier": lambda v: v.rng.randint(0, 2) if v.maybe(0.2) else 0,
        "options": _options({
            "apply-after-lb": lambda v: v.boolean(), "log-related": lambda v: v.boolean(),
            "persist-established": lambda v: v.boolean()}, 0.1),
        "sample_new": lambda v: v.optional(lambda: v.ref("Sample"), 0.3),
        "sample_est": lambda v: v.optional(lambda: v.ref("Sample"), 0.3),
    },
    "Sample": {
        "collectors": lambda v: v.refs("Sample_Collector", 2),
        "metadata": lambda v: v.rng.randint(1, 4),
    },
    "QoS": {
        "priority": lambda v: v.rng.randint(0, 5),
        "direction": lambda v: v.pick("from-lport", "to-lport"),
        "match": lambda v: v.match(),
        "action": lambda v: v.pick(["map", []], ["map", [["dscp", 3]]], ["map", [["dscp", 3], ["mark", 7]]], ["map", [["mark", 9]]]),
        "bandwidth": lambda v: v.pick(["map", []], ["map", [["rate", 100]]], ["map", [["burst", 9], ["rate", 100]]]),
    },
    "Forwarding_Group": {
        "name": lambda v: "fwd0",
        "vip": lambda v: v.ip4(),
        "vmac": lambda v: v.mac(),
        "liveness": lambda v: v.maybe(),
        "child_port": lambda v: v.set_of(lambda: v.name("Logical_Switch_Port"), 2, least=1),
    },
    "Address_Set": {"addresses": lambda v: v.set_of(v.network, 3)},
    "Port_Group": {"ports": lambda v: v.refs("Logical_Switch_Port", 3)},
    "DHCP_Options": {
        "cidr": lambda v: v.pick("10.0.0.0/24", "10.0.1.0/24", "fd00::/64", "x"),
        "options": lambda v: _options({
            "server_id": lambda v: v.pick("10.0.0.1", "00:00:00:00:00:01"), "server_mac": lambda v: v.mac(),
            "lease_time": lambda v: v.number(3600), "router": lambda v: "10.0.0.1", "mtu": lambda v: v.number(1400),
            "dns_server": lambda v: "{8.8.8.8, 7.7.7.7}", "dhcpv6_stateless": lambda v: v.boolean(),
            "domain_name": lambda v: '"ovn.org"', "unknown_option": lambda v: "1",
            **{key: _of(value) for key, value in DHCP_VALUES.items() if v.maybe(0.1)}}, 0.7)(v),
    },
    "DHCP_Relay": {
        "name": lambda v: "relay",
        "options": lambda v: v.map_of({"key": lambda: "value"}, 0.1),
        "servers": lambda v: v.optional(lambda: v.pick("10.0.1.5", "x"), 0.9),
    },
    "DNS": {
        "records": lambda v: v.map_of({"vm1.ovn.org": v.ip4, "vm2": lambda: f"{v.ip4()} {v.ip6()}"}, 0.6),
        "options": _options({"ovn-owned": lambda v: v.boolean()}, 0.2),
    },
    "Copp": {"meters": lambda v: v.map_of({key: (lambda: v.pick(*METERS)) for key in CONTROLLED}, 0.2)},
    "Meter": {
        "unit": lambda v: v.pick("kbps", "pktps"),
        "fair": lambda v: v.optional(v.maybe, 0.4),
    },
    "Meter_Band": {
        "action": lambda v: "drop",
        "rate": lambda v: v.rng.randint(1, 100),
        "burst_size": lambda v: v.rng.randint(0, 10),
    },
    "Mirror": {
        "filter": lambda v: v.pick("from-lport", "to-lport", "both"),
        "sink": lambda v: v.pick("10.9.9.9", "nonsense"),
        "type": lambda v: v.pick("gre", "erspan", "local"),
        "index": lambda v: v.rng.randint(0, 3),
    },
    "HA_Chassis": {
        "chassis_name": lambda v: v.pick(*CHASSIS, "nowhere"),
        "priority": lambda v: v.rng.randint(0, 20),
    },
    "HA_Chassis_Group": {},
    "BFD": {
        "logical_port": lambda v: v.known("Logical_Router_Port"),
        "dst_ip": lambda v: v.ip(),
        "min_tx": lambda v: v.optional(lambda: 500, 0.3),
        "min_rx": lambda v: v.optional(lambda: 500, 0.3),
        "detect_mult": lambda v: v.optional(lambda: 4, 0.3),
    },
    "Static_MAC_Binding": {
        "logical_port": lambda v: v.name("Logical_Router_Port"),
        "ip": lambda v: v.ip(),
        "mac": lambda v: v.mac(),
        "override_dynamic_mac": lambda v: v.maybe(),
    },
    "Chassis_Template_Var": {
        "chassis": lambda v: v.pick(*CHASSIS),
        "variables": lambda v: v.map_of({"vip": v.ip4, "backends": lambda: f"{v.ip4()}:80"}, 0.6),
    },
    "Sample_Collector": {
        "id": lambda v: v.rng.randint(1, 5),
        "name": lambda v: "collector",
        "probability": lambda v: v.rng.randint(0, 65535),
        "set_id": lambda v: v.rng.randint(1, 9),
    },
    "Sampling_App": {
        "type": lambda v: v.pick("drop", "acl-new", "acl-est"),
        "id": lambda v: v.rng.randint(1, 9),
    },
}

# All tables' rows have external_ids but those of these.
for _table, _columns in TABLES.items():
    if _table not in ("Sample", "Load_Balancer_Group", "Static_MAC_Binding"):
        _columns.setdefault("external_ids", lambda v: v.map_of({"key": lambda: "value", "ic-learned-route": lambda: "x"}, 0.1))

# Columns that northd writes, in which others may meddle.
WRITTEN = {
    "Logical_Switch_Port": {
        "up": lambda v: v.optional(v.maybe),
        "dynamic_addresses": lambda v: v.optional(lambda: f"{v.mac()} {v.ip4()}"),
    },
    "Logical_Router_Port": {"ipv6_prefix": lambda v: v.set_of(lambda: v.pick("fd0a::/64", "x"))},
    "BFD": {"status": lambda v: v.optional(lambda: v.pick("down", "init", "up", "admin_down"))},
}

# Columns of NB_Global, beside its options.
GLOBAL_COLUMNS = {
    "ipsec": lambda v: v.maybe(),
    "name": lambda v: v.pick("", "az0", "az1"),
    "external_ids": lambda v: v.map_of({"key": lambda: "value"}, 0.5),
}

# Columns that name a row: the reference does not follow when one changes.
FIXED = {"Static_MAC_Binding": ["logical_port", "ip"]}

# Tables whose rows belong to others', with the column that has them there.
OWNERS = {
    "Logical_Switch_Port": [("Logical_Switch", "ports")],
    "Logical_Router_Port": [("Logical_Router", "ports")],
    "Gateway_Chassis": [("Logical_Router_Port", "gateway_chassis")],
    "Logical_Router_Static_Route": [("Logical_Router", "static_routes")],
    "Logical_Router_Policy": [("Logical_Router", "policies")],
    "NAT": [("Logical_Router", "nat")],
    "Load_Balancer_Health_Check": [("Load_Balancer", "health_check")],
    "ACL": [("Logical_Switch", "acls"), ("Port_Group", "acls")],
    "QoS": [("Logical_Switch", "qos_rules")],
    "Forwarding_Group": [("Logical_Switch", "forwarding_groups")],
    "Meter_Band": [("Meter", "bands")],
    "HA_Chassis": [("HA_Chassis_Group", "ha_chassis")],
}

# Names of rows, of which there are few; other tables' rows have none that matters.
NAMES = {
    "Address_Set": ["as0", "as1", "as2"],
    "Port_Group": ["pg0", "pg1"],
    "Load_Balancer_Group": ["lbg0", "lbg1"],
    "Copp": ["copp0", "copp1"],
    "Meter": METERS,
    "Mirror": ["mirror0", "mirror1"],
    "HA_Chassis_Group": ["hagrp0", "hagrp1"],
}

# How often a row of a table is made, beside the network itself.
WEIGHTS = {
    "Logical_Switch": 2, "Logical_Switch_Port": 8, "Logical_Router": 2, "Logical_Router_Port": 4, "Gateway_Chassis": 4,
    "Logical_Router_Static_Route": 8, "Logical_Router_Policy": 6, "NAT": 10, "Load_Balancer": 8, "Load_Balancer_Group": 2,
    "Load_Balancer_Health_Check": 2, "ACL": 6, "QoS": 2, "Forwarding_Group": 1, "Address_Set": 3, "Port_Group": 3,
    "DHCP_Options": 2, "DHCP_Relay": 1, "DNS": 2, "Copp": 2, "Meter": 2, "Mirror": 1, "HA_Chassis": 2,
    "HA_Chassis_Group": 1, "BFD": 2, "Static_MAC_Binding": 2, "Chassis_Template_Var": 1, "Sample_Collector": 1, "Sample": 2,
    "Sampling_App": 1,
}
