#include "northd/sync/router_port_bindings.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/model/addresses.h"
#include "northd/model/chassis.h"
#include "northd/model/datapaths.h"
#include "northd/model/nat.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "northd/sync/ha_chassis_groups.h"
#include "northd/sync/router_advertisements.h"

namespace northd {
namespace {

using PB = sb::PortBinding;
using Options = std::map<std::string, std::string>;

// ---- What the router has ----

// It has a NAT rule that is carried out where the port of its address is.
bool ComputeHasDistributedNat(Context& ctx, const Uuid& router) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return false;
  return std::any_of(row.nat().begin(), row.nat().end(), [&](const Uuid& uuid) {
    const Nat& nat = ctx.Get(kNat, uuid);
    return nat.valid && nat.type == NatType::kDnatAndSnat && !nat.external_mac.empty();
  });
}
constexpr engine::Kind<Uuid, bool> kHasDistributedNat{"router_has_distributed_nat",
                                                      &ComputeHasDistributedNat};

// Routing protocols may take its routes from where it resides.
void AddDynamicRouting(Context& ctx, const RouterPort& port, const StringMap& port_options,
                       Options* options) {
  const auto router = Row<nb::LogicalRouter>(ctx, port.router_uuid);
  if (!router || !router.options().GetBool("dynamic-routing", false)) return;
  (*options)["dynamic-routing"] = "true";
  if (port_options.GetBool("dynamic-routing-maintain-vrf", false)) {
    (*options)["dynamic-routing-maintain-vrf"] = "true";
  }
  if (const auto name = port_options.Get("dynamic-routing-port-name")) {
    (*options)["dynamic-routing-port-name"] = std::string(*name);
  }
  if (const auto vrf = router.options().Get("dynamic-routing-vrf-name")) {
    (*options)["dynamic-routing-vrf-name"] = std::string(*vrf);
  }
}

// ---- Rows ----

// "MAC IP/BITS...", without the link-local address that a port has anyway, which is the last.
std::string AddressesText(const PortAddresses& addresses) {
  std::string text = addresses.mac_text();
  const auto add = [&](const Network& network) {
    absl::StrAppend(&text, " ", network.IpText(), "/", network.prefix);
  };
  for (const Network& network : addresses.v4) add(network);
  for (size_t i = 0; i + 1 < addresses.v6.size(); ++i) add(addresses.v6[i]);
  return text;
}

OutRow BeginRow(const RouterPort& port, const nb::LogicalRouterPort& row, const Datapath& datapath,
                const std::string& name, int64_t key) {
  OutRow out = OutRow::Of<PB>(name);
  out.Set(PB::kLogicalPort, name);
  out.Set(PB::kDatapath, datapath.sb_uuid);
  out.Set(PB::kTunnelKey, key);
  out.SetDefault(PB::kUp, false);
  out.Set(PB::kMac, AddressesText(port.addresses));
  Options ids;
  for (const auto& [id, value] : row.external_ids()) ids.emplace(id, value);
  out.Set(PB::kExternalIds, ids);
  out.SetEmpty(PB::kParentPort);
  out.SetEmpty(PB::kTag);
  return out;
}

void EmitChassisRedirect(Context& ctx, const RouterPort& port, const Datapath& datapath,
                         const nb::LogicalRouterPort& row) {
  const std::string name = absl::StrCat("cr-", port.name);
  const int64_t key = PortKey(ctx, port.router_uuid, name);
  if (key == 0) return;
  OutRow out = BeginRow(port, row, datapath, name, key);
  out.Set(PB::kType, "chassisredirect");
  out.SetEmpty(PB::kRequestedChassis);
  Options options{{"distributed-port", port.name}};
  const absl::string_view redirect = row.options().GetOrEmpty("redirect-type");
  if (row.options().Contains("redirect-type")) options["redirect-type"] = std::string(redirect);
  const bool has_vtep = !port.switch_port.is_zero() &&
                        !ctx.Get(kSwitchPorts, SwitchOf(ctx, port.switch_port)).vtep.empty();
  if (redirect != "bridged" && !has_vtep && !ctx.Get(kHasDistributedNat, port.router_uuid)) {
    options["always-redirect"] = "true";
  }
  AddDynamicRouting(ctx, port, row.options(), &options);
  out.Set(PB::kOptions, options);
  const Uuid& group = ctx.Get(kGatewayGroup, port.uuid);
  if (group.is_zero()) {
    out.SetEmpty(PB::kHaChassisGroup);
  } else {
    out.Set(PB::kHaChassisGroup, group);
  }
  ctx.world().sb_rows.Emit(ctx, std::move(out));
}

}  // namespace

std::monostate SyncRouterPortBinding(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || port.tunnel_key == 0) return {};
  const Datapath& datapath = ctx.Get(kDatapath, port.router_uuid);
  const auto row = Row<nb::LogicalRouterPort>(ctx, uuid);
  if (!datapath.exists) return {};
  const RouterGateways& gateways = ctx.Get(kRouterGateways, port.router_uuid);

  OutRow out = BeginRow(port, row, datapath, port.name, port.tunnel_key);
  out.SetEmpty(PB::kHaChassisGroup);
  if (const std::optional<Uuid> remote = RemoteChassisOf(ctx, uuid)) {
    out.Set(PB::kType, "remote");
    out.Set(PB::kChassis, *remote);
    out.Set(PB::kRequestedChassis, *remote);
  } else {
    out.Set(PB::kType, gateways.is_gateway_router ? "l3gateway" : "patch");
    out.SetEmpty(PB::kRequestedChassis);
  }
  Options options;
  std::string peer;
  if (!port.switch_port.is_zero()) {
    peer = ctx.Get(kSwitchPortModel, port.switch_port).name;
  } else if (!port.peer_router_port.is_zero()) {
    peer = ctx.Get(kRouterPortModel, port.peer_router_port).name;
  }
  if (!peer.empty()) {
    options["peer"] = peer;
    if (port.is_distributed_gateway) {
      options["chassis-redirect-port"] = absl::StrCat("cr-", port.name);
    }
  }
  if (gateways.is_gateway_router) {
    options["l3gateway-chassis"] = gateways.chassis;
    AddDynamicRouting(ctx, port, row.options(), &options);
  }
  const std::string& delegated = ctx.Get(kDelegatedPrefixes, port.name);
  if (!delegated.empty()) options["ipv6_ra_pd_list"] = delegated;
  AddRouterAdvertisements(port, row, &options);
  out.Set(PB::kOptions, options);
  ctx.world().sb_rows.Emit(ctx, std::move(out));
  if (port.is_distributed_gateway) EmitChassisRedirect(ctx, port, datapath, row);
  return {};
}
constexpr engine::Kind<Uuid> kSyncRouterPortBinding{"sync_router_port_binding",
                                                    &SyncRouterPortBinding};

}  // namespace northd
