#include "northd/model/router_attachment.h"

#include "absl/strings/str_cat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
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
  const RouterGateways& gateways = ctx.Get(kRouterGateways, peer.router_uuid);
  result.of_gateway_router = gateways.is_gateway_router;
  if (gateways.distributed_ports.empty()) return result;

  if (!ctx.Get(kSwitchPorts, port.switch_uuid).localnet.empty()) {
    const auto row = Row<nb::LogicalRouterPort>(ctx, peer_uuid);
    if (peer.is_distributed_gateway) {
      result.resident_with = peer.cr_json_name;
    } else if (gateways.distributed_ports.size() == 1 &&
               row.options().GetBool("reside-on-redirect-chassis", false)) {
      result.resident_with =
          ctx.Get(kRouterPortModel, gateways.distributed_ports.front()).cr_json_name;
    }
  } else if (ctx.Get(kIsCentralized, uuid)) {
    result.redirect_port = JsonName(absl::StrCat("cr-", port.name));
  }
  return result;
}
constexpr engine::Kind<Uuid, RouterAttachment> kRouterAttachment{"router_attachment",
                                                                 &ComputeRouterAttachment};

std::vector<PortAddresses> AddressesOf(Context& ctx, const SwitchPort& port) {
  std::vector<PortAddresses> all = port.addresses;
  if (port.is_router() &&
      Row<nb::LogicalSwitchPort>(ctx, port.uuid).addresses().Contains("router")) {
    const RouterAttachment& attachment = ctx.Get(kRouterAttachment, port.uuid);
    if (attachment.exists) all.push_back(attachment.addresses);
  }
  return all;
}

std::optional<PortAddresses> ArpProxyOf(Context& ctx, const SwitchPort& port,
                                        const RouterAttachment& attachment) {
  const auto option = Row<nb::LogicalSwitchPort>(ctx, port.uuid).options().Get("arp_proxy");
  if (!option || !attachment.exists) return std::nullopt;
  if (auto addresses = PortAddresses::Parse(*option)) return addresses;
  auto addresses =
      PortAddresses::Parse(absl::StrCat(attachment.addresses.mac_text(), " ", *option));
  if (!addresses || (addresses->v4.empty() && addresses->v6.empty())) return std::nullopt;
  return addresses;
}

}  // namespace northd
