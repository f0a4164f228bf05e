#include "bench/load/network.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace load {
namespace {

// A column of several values: ["set",[...]], or the bare value when there is one.
std::string Set(const std::string& comma_separated, uint64_t count) {
  if (count == 1) return comma_separated;
  return absl::StrCat("[\"set\",[", comma_separated, "]]");
}

struct FlowText {
  absl::string_view pipeline;
  int table;
  absl::string_view stage;
  int priority;
  std::string match;
  std::string actions;
};

// The flows that fill a real southbound: ARP and ND responders, L2 look-up, port security, ACLs,
// load balancing, NAT, routes.
FlowText MakeFlow(uint64_t index) {
  const uint64_t host = Mix(index, 3);
  const std::string mac = Mac(host);
  const std::string ip = Ipv4(host);
  const std::string port = PortName(host % 1000000);
  switch (index % 10) {
    case 0:
      return {"ingress",
              26,
              "ls_in_arp_rsp",
              50,
              absl::StrCat("arp.tpa == ", ip, " && arp.op == 1 && eth.dst == ff:ff:ff:ff:ff:ff"),
              absl::StrCat("eth.dst = eth.src; eth.src = ", mac,
                           "; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ", mac,
                           "; arp.tpa = arp.spa; arp.spa = ", ip,
                           "; outport = inport; flags.loopback = 1; output;")};
    case 1:
    case 2:
      return {"ingress",
              30,
              "ls_in_l2_lkup",
              50,
              absl::StrCat("eth.dst == ", mac),
              absl::StrCat("outport = \\\"", port, "\\\"; output;")};
    case 3:
      return {"ingress",
              0,
              "ls_in_check_port_sec",
              70,
              absl::StrCat("inport == \\\"", port, "\\\""),
              "reg0[15] = check_in_port_sec(); next;"};
    case 4:
      return {
          "ingress",
          9,
          "ls_in_acl_eval",
          1000 + static_cast<int>(host % 2000),
          absl::StrCat("reg0[7] == 1 && (outport == @pg.", host % 500, " && ip4 && ip4.src == $as.",
                       host % 700, " && tcp && tcp.dst == ", host % 65535, ")"),
          "reg8[16] = 1; reg0[1] = 1; next;"};
    case 5:
      return {"ingress",
              13,
              "ls_in_lb",
              120,
              absl::StrCat("ct.new && ip4.dst == 10.96.", host % 256, ".", host / 256 % 256,
                           " && reg1[16..23] == 6 && reg1[0..15] == ", host % 32768),
              absl::StrCat("reg4 = 10.96.", host % 256, ".", host / 256 % 256,
                           "; reg2[0..15] = ", host % 32768, "; ct_lb_mark(backends=", ip, ":8080,",
                           Ipv4(host + 1), ":8080,", Ipv4(host + 2), ":8080);")};
    case 6:
      return {"ingress",
              13,
              "lr_in_ip_routing",
              74,
              absl::StrCat("reg7 == 0 && ip4.dst == ", Ipv4(host % 65536 * 256), "/24"),
              absl::StrCat("ip.ttl--; reg8[0..15] = 0; reg0 = ip4.dst; reg5 = ", ip,
                           "; eth.src = ", mac, "; outport = \\\"lrp-", host % 4096,
                           "\\\"; flags.loopback = 1; reg9[9] = 1; next;")};
    case 7:
      return {"ingress",
              17,
              "lr_in_arp_resolve",
              100,
              absl::StrCat("outport == \\\"lrp-", host % 4096, "\\\" && reg0 == ", ip),
              absl::StrCat("eth.dst = ", mac, "; next;")};
    case 8:
      return {"egress",
              0,
              "lr_out_undnat",
              100,
              absl::StrCat("ip && ip4.src == ", ip, " && outport == \\\"lrp-", host % 4096,
                           "\\\" && is_chassis_resident(\\\"cr-lrp-", host % 4096, "\\\")"),
              absl::StrCat("eth.src = ", mac, "; ct_dnat;")};
    default:
      return {"egress",
              10,
              "ls_out_apply_port_sec",
              50,
              absl::StrCat("reg0[15] == 1 && outport == \\\"", port, "\\\""),
              "drop;"};
  }
}

}  // namespace

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9e3779b97f4a7c15 + b * 0xd1342543de82ef95 + 0x2545f4914f6cdd1d;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::string Uuid(Kind kind, uint64_t index) {
  const uint64_t high = Mix(index, static_cast<uint64_t>(kind) + 1000);
  const uint64_t low = Mix(high, index);
  return absl::StrFormat("%08x-%04x-4%03x-8%03x-%012x", high >> 32, high >> 16 & 0xffff,
                         high & 0xfff, low >> 52, low & 0xffffffffffff);
}

std::string UuidJson(Kind kind, uint64_t index) {
  return absl::StrCat("[\"uuid\",\"", Uuid(kind, index), "\"]");
}

std::string Mac(uint64_t index) {
  return absl::StrFormat("0a:58:%02x:%02x:%02x:%02x", index >> 24 & 0xff, index >> 16 & 0xff,
                         index >> 8 & 0xff, index & 0xff);
}

std::string Ipv4(uint64_t index) {
  return absl::StrCat("10.", index >> 16 & 0xff, ".", index >> 8 & 0xff, ".", index & 0xff);
}

std::string PortName(uint64_t index) {
  return absl::StrFormat("pod-%06x-%04x.ns-%d", index, Mix(index, 7) & 0xffff, index % 97);
}

std::string ChassisName(uint64_t index) { return absl::StrFormat("node-%05d.example.net", index); }

Southbound::Southbound(uint64_t rows, uint64_t datapaths_wanted) {
  datapaths = datapaths_wanted != 0 ? datapaths_wanted : std::clamp<uint64_t>(rows / 200, 10, 2500);
  ports = std::max(rows / 25, datapaths * 2);
  groups = std::clamp<uint64_t>(datapaths / 10, 4, 100);
  chassis = std::clamp<uint64_t>(rows / 1000, 10, 500);
  mac_bindings = rows / 50;
  address_sets = rows / 1000;
  const uint64_t other =
      datapaths * 3 + ports + groups + chassis * 3 + mac_bindings + address_sets + 1;
  flows = rows > other ? rows - other : 0;
}

Northbound::Northbound(uint64_t rows) {
  acls = rows / 10;
  address_sets = rows / 100;
  ports = rows - acls - address_sets;
  switches = (ports + kPortsPerSwitch - 1) / kPortsPerSwitch;
}

std::string SwitchRow(const Northbound& net, uint64_t index) {
  std::string ports;
  const uint64_t first = index * Northbound::kPortsPerSwitch;
  const uint64_t last = std::min(first + Northbound::kPortsPerSwitch, net.ports);
  for (uint64_t p = first; p < last; ++p) {
    absl::StrAppend(&ports, p == first ? "" : ",", UuidJson(Kind::kSwitchPort, p));
  }
  return absl::StrCat("{\"name\":\"subnet-", index, "\",\"ports\":", Set(ports, last - first),
                      ",\"other_config\":[\"map\",[[\"exclude_ips\",\"10.0.0.1\"],[\"subnet\",\"",
                      Ipv4(index * 256), "/24\"]]],\"external_ids\":[\"map\",[[\"vendor\",",
                      "\"example\"]]]}");
}

std::string SwitchPortRow(uint64_t index) {
  const std::string address = absl::StrCat(Mac(index), " ", Ipv4(index));
  return absl::StrCat(
      "{\"name\":\"", PortName(index), "\",\"addresses\":\"", address, "\",\"port_security\":\"",
      address, "\",\"up\":true,\"external_ids\":[\"map\",[[\"ls\",\"subnet-",
      index / Northbound::kPortsPerSwitch, "\"],[\"namespace\",\"ns-", index % 97,
      "\"],[\"pod\",\"ns-", index % 97, "/", absl::StrFormat("pod-%06x", index),
      "\"],[\"vendor\",\"example\"]]],\"options\":[\"map\",[[\"requested-chassis\",\"",
      ChassisName(index % 500), "\"]]]}");
}

std::string AclRow(uint64_t index) {
  return absl::StrCat(
      "{\"action\":\"allow-related\",\"direction\":\"to-lport\",\"priority\":2001,\"tier\":2,",
      "\"match\":\"outport == @pg.", index % 500, " && ip4 && ip4.src == $as.", index % 700,
      " && tcp && tcp.dst == ", index % 65535, "\",\"external_ids\":[\"map\",[[\"policy\",\"ns-",
      index % 97, "/policy-", index, "\"]]]}");
}

std::string PortGroupRow(const Northbound& net) {
  std::string acls;
  for (uint64_t i = 0; i < net.acls; ++i) {
    absl::StrAppend(&acls, i == 0 ? "" : ",", UuidJson(Kind::kAcl, i));
  }
  return absl::StrCat("{\"name\":\"pg.0\",\"acls\":", Set(acls, net.acls), "}");
}

std::string DatapathRow(uint64_t index) {
  return absl::StrCat("{\"tunnel_key\":", index + 1,
                      ",\"external_ids\":[\"map\",[[\"logical-switch\",\"",
                      Uuid(Kind::kSwitch, index), "\"],[\"name\",\"subnet-", index, "\"]]]}");
}

std::string DatapathGroupRow(const Southbound& net, uint64_t index) {
  const uint64_t members = std::min<uint64_t>(net.datapaths, 50);
  const uint64_t first = Mix(index, 11) % net.datapaths;
  std::string datapaths;
  for (uint64_t i = 0; i < members; ++i) {
    absl::StrAppend(&datapaths, i == 0 ? "" : ",",
                    UuidJson(Kind::kDatapath, (first + i) % net.datapaths));
  }
  return absl::StrCat("{\"datapaths\":", Set(datapaths, members), "}");
}

std::string PortBindingRow(const Southbound& net, uint64_t index) {
  const std::string address = absl::StrCat(Mac(index), " ", Ipv4(index));
  return absl::StrCat("{\"logical_port\":\"", PortName(index),
                      "\",\"datapath\":", UuidJson(Kind::kDatapath, index % net.datapaths),
                      ",\"tunnel_key\":", index / net.datapaths + 1, ",\"mac\":\"", address,
                      "\",\"port_security\":\"", address,
                      "\",\"up\":true,\"chassis\":", UuidJson(Kind::kChassis, index % net.chassis),
                      ",\"external_ids\":[\"map\",[[\"namespace\",\"ns-", index % 97,
                      "\"],[\"pod\",\"ns-", index % 97, "/", absl::StrFormat("pod-%06x", index),
                      "\"]]],\"options\":[\"map\",[[\"requested-chassis\",\"",
                      ChassisName(index % net.chassis), "\"]]]}");
}

std::string MulticastGroupRow(const Southbound& net, uint64_t index) {
  const uint64_t datapath = index / 2;
  std::string ports;
  uint64_t count = 0;
  for (uint64_t p = datapath; p < net.ports; p += net.datapaths) {
    absl::StrAppend(&ports, count++ == 0 ? "" : ",", UuidJson(Kind::kPortBinding, p));
  }
  return absl::StrCat("{\"datapath\":", UuidJson(Kind::kDatapath, datapath), ",\"name\":\"",
                      index % 2 == 0 ? "_MC_flood" : "_MC_flood_l2",
                      "\",\"tunnel_key\":", index % 2 == 0 ? 32768 : 32772,
                      ",\"ports\":", Set(ports, count), "}");
}

std::string ChassisRow(uint64_t index) {
  return absl::StrCat("{\"name\":\"", ChassisName(index), "\",\"hostname\":\"", ChassisName(index),
                      "\",\"encaps\":", UuidJson(Kind::kEncap, index),
                      ",\"other_config\":[\"map\",[[\"ct-no-masked-label\",\"true\"],",
                      "[\"datapath-type\",\"system\"],[\"fdb-timestamp\",\"true\"],",
                      "[\"iface-types\",\"bareudp,erspan,geneve,gre,internal,lisp,vxlan\"],",
                      "[\"is-interconn\",\"false\"],[\"mac-binding-timestamp\",\"true\"],",
                      "[\"ovn-bridge-mappings\",\"\"],[\"ovn-monitor-all\",\"false\"],",
                      "[\"port-up-notif\",\"true\"]]]}");
}

std::string ChassisPrivateRow(uint64_t index) {
  return absl::StrCat("{\"name\":\"", ChassisName(index),
                      "\",\"chassis\":", UuidJson(Kind::kChassis, index), ",\"nb_cfg\":7}");
}

std::string EncapRow(uint64_t index) {
  return absl::StrCat("{\"type\":\"geneve\",\"ip\":\"", Ipv4(0xff0000 + index),
                      "\",\"chassis_name\":\"", ChassisName(index),
                      "\",\"options\":[\"map\",[[\"csum\",\"true\"]]]}");
}

std::string MacBindingRow(const Southbound& net, uint64_t index) {
  return absl::StrCat("{\"logical_port\":\"lrp-", index % 4096, "\",\"ip\":\"", Ipv4(index),
                      "\",\"mac\":\"", Mac(Mix(index, 5)),
                      "\",\"timestamp\":", 1700000000000 + index,
                      ",\"datapath\":", UuidJson(Kind::kDatapath, index % net.datapaths), "}");
}

std::string AddressSetRow(uint64_t index) {
  std::string addresses;
  for (uint64_t i = 0; i < 50; ++i) {
    absl::StrAppend(&addresses, i == 0 ? "\"" : ",\"", Ipv4(index * 64 + i), "\"");
  }
  return absl::StrCat("{\"name\":\"as.", index, "\",\"addresses\":[\"set\",[", addresses, "]]}");
}

std::string FlowRow(const Southbound& net, uint64_t index) {
  const FlowText flow = MakeFlow(index);
  const bool grouped = Mix(index, 13) % 4 == 0;
  return absl::StrCat(
      grouped ? "{\"logical_dp_group\":" : "{\"logical_datapath\":",
      grouped ? UuidJson(Kind::kDatapathGroup, Mix(index, 17) % net.groups)
              : UuidJson(Kind::kDatapath, Mix(index, 19) % net.datapaths),
      ",\"pipeline\":\"", flow.pipeline, "\",\"table_id\":", flow.table,
      ",\"priority\":", flow.priority, ",\"match\":\"", flow.match, "\",\"actions\":\"",
      flow.actions, "\",\"external_ids\":[\"map\",[[\"source\",\"northd.c:", 5000 + index % 9000,
      "\"],[\"stage-hint\",\"", absl::StrFormat("%08x", Mix(index, 23) & 0xffffffff),
      "\"],[\"stage-name\",\"", flow.stage, "\"]]]}");
}

}  // namespace load
