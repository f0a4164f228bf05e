#include "northd/model/router_attachment.h"

#include "absl/strings/str_cat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

bool HasLocalnet(Context& ctx, const Uuid& switch_uuid) {
  const auto sw = Row<nb::LogicalSwitch>(ctx, switch_uuid);
  if (!sw) return false;
  for (const Uuid& uuid : sw.ports()) {
    const auto port = Row<nb::LogicalSwitchPort>(ctx, uuid);
    if (port && port.type() == "localnet") return true;
  }
  return false;
}
// Of a switch.
constexpr engine::Kind<Uuid, bool> kHasLocalnet{"has_localnet", &HasLocalnet, /*is_cutoff=*/true};

// What a router is to its ports.
struct Gateways {
  bool is_gateway_router = false;  // It lives on one chassis.
  std::vector<Uuid> ports;         // Its distributed gateway ports.

  bool operator==(const Gateways& o) const = default;
};

Gateways ComputeGateways(Context& ctx, const Uuid& uuid) {
  Gateways gateways;
  const auto router = Row<nb::LogicalRouter>(ctx, uuid);
  if (!router) return gateways;
  gateways.is_gateway_router = router.options().Contains("chassis");
  if (gateways.is_gateway_router) return gateways;
  for (const Uuid& port_uuid : router.ports()) {
    const auto port = Row<nb::LogicalRouterPort>(ctx, port_uuid);
    if (port && (!port.gateway_chassis().empty() || port.ha_chassis_group())) {
      gateways.ports.push_back(port_uuid);
    }
  }
  return gateways;
}
constexpr engine::Kind<Uuid, Gateways> kGateways{"attachment_gateways", &ComputeGateways,
                                                 /*is_cutoff=*/true};

}  // namespace

std::vector<Uuid> ComputeGatewayPorts(Context& ctx, const Uuid& router) {
  return ctx.Get(kGateways, router).ports;
}

RouterAttachment ComputeRouterAttachment(Context& ctx, const Uuid& uuid) {
  RouterAttachment result;
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return result;
  const Uuid peer_uuid = PeerOf(ctx, port);
  if (peer_uuid.is_zero()) return result;
  const RouterPort& peer = ctx.Get(kRouterPortModel, peer_uuid);
  if (!peer.exists) return result;
  result.exists = true;
  result.router_port = peer_uuid;
  result.router = peer.router_uuid;
  result.enabled = peer.enabled;
  result.addresses = peer.addresses;
  const Gateways& gateways = ctx.Get(kGateways, peer.router_uuid);
  result.of_gateway_router = gateways.is_gateway_router;
  if (gateways.ports.empty()) return result;

  if (ctx.Get(kHasLocalnet, port.switch_uuid)) {
    const auto row = Row<nb::LogicalRouterPort>(ctx, peer_uuid);
    if (peer.is_distributed_gateway) {
      result.resident_with = peer.cr_json_name;
    } else if (gateways.ports.size() == 1 &&
               row.options().GetBool("reside-on-redirect-chassis", false)) {
      result.resident_with = ctx.Get(kRouterPortModel, gateways.ports.front()).cr_json_name;
    }
  } else if (peer.is_distributed_gateway && gateways.ports.size() == 1) {
    result.redirect_port = JsonName(absl::StrCat("cr-", port.name));
  }
  return result;
}

std::vector<PortAddresses> AddressesOf(Context& ctx, const SwitchPort& port) {
  std::vector<PortAddresses> all = port.addresses;
  if (port.is_router() &&
      Row<nb::LogicalSwitchPort>(ctx, port.uuid).addresses().Contains("router")) {
    const RouterAttachment& attachment = ctx.Get(kRouterAttachment, port.uuid);
    if (attachment.exists) all.push_back(attachment.addresses);
  }
  return all;
}

}  // namespace northd
