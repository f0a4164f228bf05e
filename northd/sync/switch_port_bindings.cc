#include "northd/sync/switch_port_bindings.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "northd/model/chassis.h"
#include "northd/model/datapaths.h"
#include "northd/model/ports.h"
#include "northd/model/queues.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "northd/sync/ha_chassis_groups.h"
#include "northd/sync/mirrors.h"
#include "northd/sync/nat_addresses.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

using PB = sb::PortBinding;
using Options = std::map<std::string, std::string>;

// ---- Chassis ----

struct RequestedChassis {
  std::optional<Uuid> main;
  std::vector<Uuid> additional;
};

// "MAIN[,ADDITIONAL]...": names or host names. The first that there is counts as the main one.
RequestedChassis FindRequested(Context& ctx, const SwitchPort& port, absl::string_view names) {
  RequestedChassis requested;
  for (const absl::string_view name : absl::StrSplit(names, ',', absl::SkipEmpty())) {
    const std::optional<Uuid> chassis = FindChassis(ctx, name);
    if (!chassis) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "Unknown chassis '%s' set in options:requested-chassis on LSP '%s'.",
                      std::string(name), port.name);
    } else if (!requested.main) {
      requested.main = chassis;
    } else {
      requested.additional.push_back(*chassis);
    }
  }
  return requested;
}

template <typename T>
void SetOptional(OutRow* out, int column, const std::optional<T>& value) {
  if (value) {
    out->Set(column, *value);
  } else {
    out->SetEmpty(column);
  }
}

// What is in this availability zone is not bound to a chassis of another.
void LeaveRemoteChassis(Context& ctx, const SwitchPort& port, OutRow* out) {
  const auto binding = Row<PB>(ctx, port.sb_uuid);
  const auto chassis = binding ? binding.chassis() : std::nullopt;
  if (chassis && ctx.Get(kIsRemoteChassis, *chassis)) out->SetEmpty(PB::kChassis);
}

// A remote port is bound by us, to the remote chassis that it requests; so is any other that
// requests several.
void BindRemote(Context& ctx, const SwitchPort& port, const RequestedChassis& requested,
                Options* options, OutRow* out) {
  const auto binding = Row<PB>(ctx, port.sb_uuid);
  if (port.type != SwitchPortType::kRemote && requested.additional.empty()) {
    LeaveRemoteChassis(ctx, port, out);
  } else if (requested.main && ctx.Get(kIsRemoteChassis, *requested.main)) {
    out->Set(PB::kChassis, *requested.main);
    (*options)["is-remote-nb-bound"] = "true";
  } else if (binding && binding.options().GetBool("is-remote-nb-bound", false)) {
    out->SetEmpty(PB::kChassis);
  }
}

// ---- Kinds of ports ----

// The network that the switch's localnet port leads to.
std::string PhysicalNetworkOf(Context& ctx, const SwitchPort& port) {
  const std::vector<Uuid>& localnet = ctx.Get(kSwitchPorts, port.switch_uuid).localnet;
  if (localnet.empty()) return "";
  const auto row = Row<nb::LogicalSwitchPort>(ctx, localnet.front());
  return row ? std::string(row.options().GetOrEmpty("network_name")) : "";
}

// The port that a port of type switch is one wire with: they name each other. "" if there is none.
std::string WireEnd(Context& ctx, const SwitchPort& port, const nb::LogicalSwitchPort& row) {
  if (!row.peer()) return "";
  const auto other = FindRow<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName, *row.peer());
  const bool mutual = other && other.type() == "switch" && other.peer().value_or("") == port.name;
  return mutual ? std::string(other.name()) : "";
}

// A port that leads to a router. Which chassis it requested before it became one stays in its row.
void SetRouterColumns(Context& ctx, const SwitchPort& port, const nb::LogicalSwitchPort& row,
                      OutRow* out) {
  const Uuid peer = PeerOf(ctx, port);
  const RouterGateways gateways =
      peer.is_zero() ? RouterGateways() : ctx.Get(kRouterGateways, RouterOf(ctx, peer));
  Options options;
  if (const auto name = row.options().Get("router-port")) options["peer"] = std::string(*name);
  if (gateways.is_gateway_router) options["l3gateway-chassis"] = gateways.chassis;
  out->Set(PB::kType, gateways.is_gateway_router ? "l3gateway" : "patch");
  out->Set(PB::kOptions, options);
  out->Set(PB::kNatAddresses, ctx.Get(kNatAddresses, port.uuid));
  out->SetEmpty(PB::kHaChassisGroup);
  LeaveRemoteChassis(ctx, port, out);
}

// Any other.
void SetOtherColumns(Context& ctx, const SwitchPort& port, const nb::LogicalSwitchPort& row,
                     OutRow* out) {
  Options options;
  for (const auto& [key, value] : row.options()) options.emplace(key, value);
  if (const int64_t queue = QueueOf(ctx, port)) {
    options["qdisc_queue_id"] = absl::StrCat(queue);
    const std::string network = PhysicalNetworkOf(ctx, port);
    if (!network.empty()) options["qos_physical_network"] = network;
  }
  const auto sw = Row<nb::LogicalSwitch>(ctx, port.switch_uuid);
  if (sw && sw.other_config().GetBool("vlan-passthru", false)) options["vlan-passthru"] = "true";
  absl::string_view type = row.type();
  if (port.type == SwitchPortType::kSwitch) {
    type = "patch";
    if (std::string peer = WireEnd(ctx, port, row); !peer.empty()) options["peer"] = peer;
  }
  const RequestedChassis requested =
      FindRequested(ctx, port, row.options().GetOrEmpty("requested-chassis"));
  SetOptional(out, PB::kRequestedChassis, requested.main);
  out->Set(PB::kRequestedAdditionalChassis, requested.additional);
  if (!requested.additional.empty()) {
    const auto binding = Row<PB>(ctx, port.sb_uuid);
    const auto activated =
        binding ? binding.options().Get("additional-chassis-activated") : std::nullopt;
    if (activated) options["additional-chassis-activated"] = std::string(*activated);
  }
  BindRemote(ctx, port, requested, &options, out);
  if (port.type == SwitchPortType::kUnknown) {
    out->SetDefault(PB::kType, "");
  } else {
    out->Set(PB::kType, type);
  }
  out->Set(PB::kOptions, options);
  out->SetEmpty(PB::kNatAddresses);
  const auto group = row.ha_chassis_group();
  if (port.type == SwitchPortType::kExternal && group) {
    const Uuid& sb_group = ctx.Get(kHaChassisGroup, *group);
    SetOptional(out, PB::kHaChassisGroup,
                sb_group.is_zero() ? std::nullopt : std::optional(sb_group));
  } else {
    out->SetEmpty(PB::kHaChassisGroup);
  }
}

Options ExternalIdsOf(const nb::LogicalSwitchPort& row) {
  Options ids;
  for (const auto& [key, value] : row.external_ids()) ids.emplace(key, value);
  const auto name = ids.find("neutron:port_name");
  if (name != ids.end() && !name->second.empty()) ids["name"] = name->second;
  return ids;
}

// What a port and the half of it that redirects have in common.
OutRow BeginRow(Context& ctx, const SwitchPort& port, const Datapath& datapath,
                const nb::LogicalSwitchPort& row, const std::string& name, int64_t key) {
  OutRow out = OutRow::Of<PB>(name);
  out.Set(PB::kLogicalPort, name);
  out.Set(PB::kDatapath, datapath.sb_uuid);
  out.Set(PB::kTunnelKey, key);
  out.SetDefault(PB::kUp, false);
  out.Set(PB::kMac, row.addresses().datum());
  out.Set(PB::kPortSecurity, row.port_security().datum());
  out.Set(PB::kExternalIds, ExternalIdsOf(row));
  out.Set(PB::kMirrorRules, MirrorsOf(ctx, row.mirror_rules()));
  SetOptional(&out, PB::kParentPort, row.parent_name());
  SetOptional(&out, PB::kTag, port.tag);
  return out;
}

// The port of a centralized one that is where its router's gateway is.
void EmitChassisRedirect(Context& ctx, const SwitchPort& port, const Datapath& datapath,
                         const nb::LogicalSwitchPort& row) {
  const std::string name = absl::StrCat("cr-", port.name);
  const int64_t key = PortKey(ctx, port.switch_uuid, name);
  if (key == 0) return;
  OutRow out = BeginRow(ctx, port, datapath, row, name, key);
  out.Set(PB::kType, "chassisredirect");
  out.Set(PB::kOptions, Options{{"distributed-port", port.name}});
  out.Set(PB::kHaChassisGroup, ctx.Get(kGatewayGroup, PeerOf(ctx, port)));
  ctx.world().sb_rows.Emit(ctx, std::move(out));
}

}  // namespace

std::monostate SyncSwitchPortBinding(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists || port.tunnel_key == 0) return {};
  const Datapath& datapath = ctx.Get(kDatapath, port.switch_uuid);
  const auto row = Row<nb::LogicalSwitchPort>(ctx, uuid);
  if (!datapath.exists) return {};
  OutRow out = BeginRow(ctx, port, datapath, row, port.name, port.tunnel_key);
  if (port.is_router()) {
    SetRouterColumns(ctx, port, row, &out);
    if (ctx.Get(kIsCentralized, uuid)) EmitChassisRedirect(ctx, port, datapath, row);
  } else {
    SetOtherColumns(ctx, port, row, &out);
  }
  ctx.world().sb_rows.Emit(ctx, std::move(out));
  return {};
}
constexpr engine::Kind<Uuid> kSyncSwitchPortBinding{"sync_switch_port_binding",
                                                    &SyncSwitchPortBinding};

}  // namespace northd
