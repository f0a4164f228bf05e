#include "northd/model/ports.h"

#include <map>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/dynamic_addresses.h"
#include "northd/model/ipam.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "ovsdb/json.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

SwitchPortType TypeOf(absl::string_view type) {
  static const auto& types = *new absl::flat_hash_map<absl::string_view, SwitchPortType>{
      {"", SwitchPortType::kVif},
      {"router", SwitchPortType::kRouter},
      {"localnet", SwitchPortType::kLocalnet},
      {"localport", SwitchPortType::kLocalport},
      {"l2gateway", SwitchPortType::kL2Gateway},
      {"vtep", SwitchPortType::kVtep},
      {"external", SwitchPortType::kExternal},
      {"virtual", SwitchPortType::kVirtual},
      {"remote", SwitchPortType::kRemote},
      {"switch", SwitchPortType::kSwitch},
  };
  const auto found = types.find(type);
  return found == types.end() ? SwitchPortType::kUnknown : found->second;
}

// ---- Tunnel keys ----

using Keys = std::map<std::string, int64_t>;  // By logical port.

int64_t ExistingKey(Context& ctx, const Uuid& datapath, const std::string& port) {
  World& world = ctx.world();
  const ovsdb::Row* row =
      world.sb.Peek(sb::PortBinding::kTable, world.sb_rows.Identity(sb::PortBinding::kTable, port));
  if (row == nullptr) return 0;
  const Uuid sb_datapath = world.sb_rows.Identity(sb::DatapathBinding::kTable, datapath.ToString());
  if (row->datum(sb::PortBinding::kDatapath).key(0).uuid() != sb_datapath) return 0;
  return row->datum(sb::PortBinding::kTunnelKey).key(0).integer();
}

Keys ComputePortKeys(Context& ctx, const Uuid& datapath) {
  const KeyLimits& limits = ctx.Get(kKeyLimits, {});
  const std::string scope = absl::StrCat("port/", datapath.ToString());
  std::vector<NumberWish> wishes;
  const auto add = [&](const std::string& port, int64_t requested) {
    if (requested < 0 || requested > limits.max_port) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "Tunnel key %d for port %s is out of range%s", requested, port,
                      limits.vxlan ? " with VXLAN" : "");
      requested = 0;
    }
    wishes.push_back({.key = port, .requested = requested});
    if (!ctx.world().numbers.Remembers(scope, port)) {
      wishes.back().existing = ExistingKey(ctx, datapath, port);
    }
  };
  if (const auto sw = Row<nb::LogicalSwitch>(ctx, datapath)) {
    for (const Uuid& uuid : sw.ports()) {
      const auto port = Row<nb::LogicalSwitchPort>(ctx, uuid);
      if (!port) continue;
      add(std::string(port.name()), port.options().GetInt("requested-tnl-key", 0));
      if (port.type() == "router" && ctx.Get(kIsCentralized, uuid)) {
        add(absl::StrCat("cr-", port.name()), 0);
      }
    }
  } else if (const auto router = Row<nb::LogicalRouter>(ctx, datapath)) {
    for (const Uuid& uuid : router.ports()) {
      const auto port = Row<nb::LogicalRouterPort>(ctx, uuid);
      if (!port) continue;
      add(std::string(port.name()), port.options().GetInt("requested-tnl-key", 0));
      if (!port.gateway_chassis().empty() || port.ha_chassis_group()) {
        add(absl::StrCat("cr-", port.name()), 0);
      }
    }
  }
  const std::vector<int64_t> numbers =
      ctx.world().numbers.Assign(scope, wishes, 1, limits.max_port);
  Keys keys;
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (wishes[i].requested != 0 && numbers[i] != wishes[i].requested) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "Logical port %s requests tunnel key %d, which another port has",
                      wishes[i].key, wishes[i].requested);
    }
    if (numbers[i] != 0) keys[wishes[i].key] = numbers[i];
  }
  return keys;
}
constexpr engine::Kind<Uuid, Keys> kPortKeys{"port_keys", &ComputePortKeys};

using PortId = std::pair<Uuid, std::string>;  // Datapath and logical port.

int64_t ComputePortKey(Context& ctx, const PortId& id) {
  const Keys& keys = ctx.Get(kPortKeys, id.first);
  const auto found = keys.find(id.second);
  return found == keys.end() ? 0 : found->second;
}
constexpr engine::Kind<PortId, int64_t> kPortKey{"port_key", &ComputePortKey, /*is_cutoff=*/true};

// ---- Rows ----

// What a Port_Binding is of. If that is another than what it was of, whatever controllers have said
// of it and what refers to it is of something else: then there is a new row.
struct Bound {
  std::string logical_port;
  Uuid datapath;  // Of the northbound.
  bool is_virtual = false;
  std::optional<bool> is_nested = {};  // In another port; none: it makes no difference.
};

bool IsOf(Context& ctx, const sb::PortBinding& binding, const Bound& bound) {
  const Datapath& datapath = ctx.Get(kDatapath, bound.datapath);
  return (!datapath.exists || binding.datapath() == datapath.sb_uuid) &&
         (binding.type() == "virtual") == bound.is_virtual &&
         (!bound.is_nested || binding.parent_port().has_value() == *bound.is_nested);
}

Uuid PresentOrNew(Context& ctx, const Bound& bound) {
  DesiredRows& rows = ctx.world().sb_rows;
  const Uuid present = rows.Identity(sb::PortBinding::kTable, bound.logical_port);
  const auto binding = Row<sb::PortBinding>(ctx, present);
  if (!binding || IsOf(ctx, binding, bound)) return present;
  return rows.Renew(sb::PortBinding::kTable, bound.logical_port,
                    absl::StrCat(bound.logical_port, " ", bound.datapath.ToString(), " ",
                                 bound.is_virtual, " ", bound.is_nested.value_or(false)));
}

// Of a router's port, or of the half of a port that redirects.
Uuid ComputePortBinding(Context& ctx, const PortId& id) {
  return PresentOrNew(ctx, {.logical_port = id.second, .datapath = id.first});
}
constexpr engine::Kind<PortId, Uuid> kPortBinding{"port_binding", &ComputePortBinding};

Uuid ComputeSwitchPortBinding(Context& ctx, const Uuid& uuid) {
  const auto port = Row<nb::LogicalSwitchPort>(ctx, uuid);
  if (!port) return {};
  Bound bound{.logical_port = std::string(port.name()), .datapath = SwitchOf(ctx, uuid)};
  bound.is_virtual = port.type() == "virtual";
  if (port.type().empty()) bound.is_nested = port.parent_name().has_value();
  return PresentOrNew(ctx, bound);
}
constexpr engine::Kind<Uuid, Uuid> kSwitchPortBinding{"switch_port_binding",
                                                      &ComputeSwitchPortBinding};

}  // namespace

Uuid PortBindingUuid(Context& ctx, const Uuid& datapath, const std::string& logical_port) {
  return ctx.Get(kPortBinding, PortId(datapath, logical_port));
}

int64_t PortKey(Context& ctx, const Uuid& datapath, const std::string& logical_port) {
  return ctx.Get(kPortKey, PortId(datapath, logical_port));
}

std::string JsonName(absl::string_view name) {
  std::string text;
  ovsdb::AppendJsonString(name, &text);
  return text;
}

// ---- Switch ports ----

SwitchPort ComputeSwitchPort(Context& ctx, const Uuid& uuid) {
  SwitchPort port;
  const auto row = Row<nb::LogicalSwitchPort>(ctx, uuid);
  if (!row) return port;
  port.switch_uuid = SwitchOf(ctx, uuid);
  if (port.switch_uuid.is_zero()) return port;
  if (!RowsWith<nb::LogicalRouterPort>(ctx, nb::LogicalRouterPort::kName, row.name()).empty()) {
    static base::RateLimit limit(5, 1);
    log.WarnLimited(limit, "duplicate logical port %s", std::string(row.name()));
    return port;
  }
  port.exists = true;
  port.uuid = uuid;
  port.name = std::string(row.name());
  port.json_name = JsonName(port.name);
  port.type = TypeOf(row.type());
  port.sb_uuid = ctx.Get(kSwitchPortBinding, uuid);
  port.tunnel_key = PortKey(ctx, port.switch_uuid, port.name);
  port.enabled = row.enabled().value_or(true);
  port.up = row.up().value_or(false);
  const auto add_addresses = [&](absl::string_view text) {
    if (auto addresses = PortAddresses::Parse(text)) port.addresses.push_back(*addresses);
  };
  port.has_unknown = port.type == SwitchPortType::kSwitch;
  bool is_dynamic = false;
  for (const absl::string_view text : row.addresses()) {
    if (text == "unknown") {
      port.has_unknown = true;
    } else if (DynamicRequest::Parse(text)) {
      is_dynamic = true;
    } else if (text != "router") {
      add_addresses(text);
    }
  }
  if (is_dynamic) {
    port.dynamic_addresses = ctx.Get(kDynamicAddresses, uuid);
    if (!port.dynamic_addresses.empty()) add_addresses(port.dynamic_addresses);
  }
  for (const absl::string_view text : row.port_security()) {
    if (auto addresses = PortAddresses::Parse(text)) port.port_security.push_back(*addresses);
  }
  if (port.is_router()) port.router_port = std::string(row.options().GetOrEmpty("router-port"));
  port.parent_name = std::string(row.parent_name().value_or(""));
  port.tag = TagToWrite(ctx, row);
  if (!port.tag) port.tag = row.tag();
  return port;
}
constexpr engine::Kind<Uuid, SwitchPort> kSwitchPortModel{"switch_port_model", &ComputeSwitchPort};

Uuid AnyRouterPortNamed(Context& ctx, absl::string_view name) {
  const auto rows = RowsWith<nb::LogicalRouterPort>(ctx, nb::LogicalRouterPort::kName, name);
  return rows.empty() || !ctx.Get(kRouterPortModel, rows.front()).exists ? Uuid() : rows.front();
}

Uuid RouterPortNamed(Context& ctx, absl::string_view name) {
  const Uuid port = AnyRouterPortNamed(ctx, name);
  if (port.is_zero()) return {};
  if (const auto peer = Row<nb::LogicalRouterPort>(ctx, port).peer()) {
    static base::RateLimit limit(1, 5);
    log.WarnLimited(limit, "a switch port leads to router port %s, which has a peer: %s",
                    std::string(name), std::string(*peer));
    return {};
  }
  return port;
}

Uuid PeerOf(Context& ctx, const SwitchPort& port) {
  return port.router_port.empty() ? Uuid() : RouterPortNamed(ctx, port.router_port);
}

SwitchPorts ComputeSwitchPorts(Context& ctx, const Uuid& sw) {
  SwitchPorts ports;
  const auto row = Row<nb::LogicalSwitch>(ctx, sw);
  if (!row) return ports;
  for (const Uuid& uuid : row.ports()) {
    const auto port = Row<nb::LogicalSwitchPort>(ctx, uuid);
    if (!port) continue;
    if (port.type() == "localnet") {
      ports.localnet.push_back(uuid);
      if (port.tag()) ports.has_tagged_localnet = true;
    }
    if (port.type() == "vtep") ports.vtep.push_back(uuid);
  }
  return ports;
}
constexpr engine::Kind<Uuid, SwitchPorts> kSwitchPorts{"switch_ports", &ComputeSwitchPorts,
                                                       /*is_cutoff=*/true};

bool ComputeIsCentralized(Context& ctx, const Uuid& switch_port) {
  const auto row = Row<nb::LogicalSwitchPort>(ctx, switch_port);
  if (!row || row.type() != "router") return false;
  const Uuid peer = RouterPortNamed(ctx, row.options().GetOrEmpty("router-port"));
  if (peer.is_zero()) return false;
  const std::vector<Uuid>& gateways =
      ctx.Get(kRouterGateways, RouterOf(ctx, peer)).distributed_ports;
  return gateways.size() == 1 && gateways.front() == peer &&
         ctx.Get(kSwitchPorts, SwitchOf(ctx, switch_port)).localnet.empty();
}
constexpr engine::Kind<Uuid, bool> kIsCentralized{"is_centralized", &ComputeIsCentralized};

// ---- Router ports ----

namespace {

bool IsEnabled(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  return row && row.enabled().value_or(true);
}

bool IsDistributedGateway(Context& ctx, const nb::LogicalRouterPort& port, const Uuid& router) {
  if (port.gateway_chassis().empty() && !port.ha_chassis_group()) return false;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row || !row.options().Contains("chassis")) return true;
  static base::RateLimit limit(1, 5);
  log.WarnLimited(limit,
                  "Bad configuration: distributed gateway port configured on port %s on L3 gateway "
                  "router",
                  std::string(port.name()));
  return false;
}

}  // namespace

RouterGateways ComputeRouterGateways(Context& ctx, const Uuid& router) {
  RouterGateways gateways;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return gateways;
  const auto chassis = row.options().Get("chassis");
  gateways.is_gateway_router = chassis.has_value();
  gateways.chassis = std::string(chassis.value_or(""));
  for (const Uuid& uuid : row.ports()) {
    if (ctx.Get(kRouterPortModel, uuid).is_distributed_gateway) {
      gateways.distributed_ports.push_back(uuid);
    }
  }
  return gateways;
}
constexpr engine::Kind<Uuid, RouterGateways> kRouterGateways{
    "router_gateways", &ComputeRouterGateways, /*is_cutoff=*/true};

RouterPort ComputeRouterPort(Context& ctx, const Uuid& uuid) {
  RouterPort port;
  const auto row = Row<nb::LogicalRouterPort>(ctx, uuid);
  if (!row) return port;
  port.router_uuid = RouterOf(ctx, uuid);
  if (!IsEnabled(ctx, port.router_uuid)) return port;
  std::vector<std::string> networks;
  for (const absl::string_view network : row.networks()) networks.emplace_back(network);
  std::vector<std::string> bad_networks;
  const auto addresses = PortAddresses::ParseRouterPort(row.mac(), networks, &bad_networks);
  if (!addresses) {
    static base::RateLimit limit(5, 1);
    log.WarnLimited(limit, "logical router port %s has a bad 'mac' %s", std::string(row.name()),
                    std::string(row.mac()));
    return port;
  }
  if (!bad_networks.empty()) {
    static base::RateLimit limit(5, 1);
    log.WarnLimited(limit, "logical router port %s has bad 'networks' %s", std::string(row.name()),
                    absl::StrJoin(bad_networks, " "));
  }
  port.exists = true;
  port.uuid = uuid;
  port.addresses = *addresses;
  port.name = std::string(row.name());
  port.json_name = JsonName(port.name);
  port.sb_uuid = PortBindingUuid(ctx, port.router_uuid, port.name);
  port.tunnel_key = PortKey(ctx, port.router_uuid, port.name);
  port.enabled = row.enabled().value_or(true);
  port.is_distributed_gateway = IsDistributedGateway(ctx, row, port.router_uuid);
  if (port.is_distributed_gateway) port.cr_json_name = JsonName(absl::StrCat("cr-", port.name));
  if (const auto peer = row.peer()) {
    const auto rows = RowsWith<nb::LogicalRouterPort>(ctx, nb::LogicalRouterPort::kName, *peer);
    // Only two that name each other are joined.
    if (!rows.empty() && Row<nb::LogicalRouterPort>(ctx, rows.front()).peer() == row.name()) {
      port.peer_router_port = rows.front();
    }
    return port;
  }
  // Of several that lead here, it is the last one by name that the router leads to.
  std::string last;
  for (const Uuid& other : RowsWithPair<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kOptions,
                                                               "router-port", port.name)) {
    const auto its = Row<nb::LogicalSwitchPort>(ctx, other);
    if (its.type() != "router" || SwitchOf(ctx, other).is_zero() || its.name() < last) continue;
    last = std::string(its.name());
    port.switch_port = other;
  }
  return port;
}
constexpr engine::Kind<Uuid, RouterPort> kRouterPortModel{"router_port_model", &ComputeRouterPort};

}  // namespace northd
