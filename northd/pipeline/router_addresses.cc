#include "northd/pipeline/router_addresses.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/globals.h"
#include "northd/model/lb_neighbors.h"
#include "northd/model/load_balancers.h"
#include "northd/model/nat.h"
#include "northd/model/router_attachment.h"
#include "northd/model/router_networks.h"
#include "northd/model/shared_addresses.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/neighbor_replies.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// What leads requests to a router: an enabled port of a switch, and of the router.
struct Attachment {
  Uuid switch_port;
  DatapathNumber sw = 0;
  bool only_router_ports = false;  // Nobody else on the switch learns from requests.
  std::string json_name;           // Of the switch port.
  std::string redirect_port;       // See RouterAttachment.
  PortAddresses addresses;         // Of the router port.
  bool operator==(const Attachment& o) const = default;
};

std::optional<Attachment> AttachmentOf(Context& ctx, const Uuid& switch_port) {
  const RouterAttachment& attachment = ctx.Get(kRouterAttachment, switch_port);
  if (!attachment.exists || !attachment.enabled) return std::nullopt;
  const SwitchPort& port = ctx.Get(kSwitchPortModel, switch_port);
  const SwitchTraits& sw = ctx.Get(kSwitchTraits, port.switch_uuid);
  if (!sw.exists) return std::nullopt;
  return Attachment{switch_port,
                    sw.number,
                    sw.only_router_ports,
                    port.json_name,
                    attachment.redirect_port,
                    attachment.addresses};
}

// Of a router. With all that its NAT rules and VIPs need, since they are many, and so are its
// ports.
using Attachments = std::vector<Attachment>;
Attachments ComputeAttachments(Context& ctx, const Uuid& uuid) {
  Attachments attachments;
  const auto router = Row<nb::LogicalRouter>(ctx, uuid);
  if (!router) return attachments;
  for (const Uuid& port_uuid : router.ports()) {
    const auto port = Row<nb::LogicalRouterPort>(ctx, port_uuid);
    if (!port) continue;
    for (const Uuid& switch_port : RowsWithPair<nb::LogicalSwitchPort>(
             ctx, nb::LogicalSwitchPort::kOptions, "router-port", port.name())) {
      if (auto attachment = AttachmentOf(ctx, switch_port)) {
        attachments.push_back(*std::move(attachment));
      }
    }
  }
  return attachments;
}
constexpr engine::Kind<Uuid, Attachments> kAttachmentsOf{"attachments_of", &ComputeAttachments,
                                                         /*is_cutoff=*/true};

// ---- Flows ----

// A request goes to the router, and to ports of others, who may want to learn from it.
void AddRequests(Context& ctx, const Attachment& at, absl::string_view address, bool v6) {
  const auto to = [&at](absl::string_view name) {
    return at.only_router_ports ? absl::StrCat("outport = ", name, "; output;")
                                : absl::StrCat("clone {outport = ", name,
                                               "; output; }; outport = \"_MC_flood_l2\"; output;");
  };
  const FlowExtra extra = {.hint = at.switch_port};
  const std::string match = absl::StrCat("flags[1] == 0 && ", RequestFor(address, v6));
  if (at.redirect_port.empty()) {
    AddFlow(ctx, at.sw, Stage::kLsInL2Lkup, 80, match, to(at.json_name), extra);
    return;
  }
  const std::string resident = absl::StrCat("is_chassis_resident(", at.redirect_port, ")");
  AddFlow(ctx, at.sw, Stage::kLsInL2Lkup, 80, absl::StrCat(match, " && ", resident),
          to(at.json_name), extra);
  AddFlow(ctx, at.sw, Stage::kLsInL2Lkup, 80, absl::StrCat(match, " && !", resident),
          to(at.redirect_port), extra);
}

bool IsInNetworks(const PortAddresses& addresses, const Ip& ip) {
  for (const Network& network : ip.v6 ? addresses.v6 : addresses.v4) {
    if (network.Contains(ip)) return true;
  }
  return false;
}

// A VIP is asked for where it is in the networks of a router that answers for it.
std::monostate AddVip(Context& ctx, const LbVipId& id) {
  const LbVip& vip = ctx.Get(kLbVip, id);
  const std::optional<Ip> ip = vip.valid ? Ip::Parse(vip.ip) : std::nullopt;
  const DatapathSet& routers = ctx.Get(kLbVipAnswerers, id);
  if (!ip || ip->v6 != IsAnsweredAsV6(ctx, id) || routers.empty()) return {};
  routers.bits().ForEach([&](DatapathNumber router) {
    const Uuid uuid = ctx.world().datapath_sets.datapath(router).nb_uuid;
    for (const Attachment& attachment : ctx.Get(kAttachmentsOf, uuid)) {
      if (IsInNetworks(attachment.addresses, *ip)) AddRequests(ctx, attachment, vip.ip, ip->v6);
    }
  });
  return {};
}
constexpr engine::Kind<LbVipId> kVip{"vip_addresses", &AddVip};

using NatMacs = std::set<std::string>;

NatMacs ComputeNatMacs(Context& ctx, const Uuid& router_uuid) {
  NatMacs macs;
  const auto router = Row<nb::LogicalRouter>(ctx, router_uuid);
  if (!router) return macs;
  for (const Uuid& uuid : router.nat()) {
    const auto nat = Row<nb::NAT>(ctx, uuid);
    if (!nat || !nat.external_mac() || nat.type() == "snat") continue;
    if (ctx.Get(kNat, uuid).valid) macs.emplace(*nat.external_mac());
  }
  return macs;
}
// Of a router: the MAC addresses that it uses for NAT on other chassis.
constexpr engine::Kind<Uuid, NatMacs> kNatMacs{"nat_macs", &ComputeNatMacs, /*is_cutoff=*/true};

// Requests by the router itself concern no other router.
void AddOwnRequests(Context& ctx, const Attachment& at, const Uuid& router) {
  const NatMacs& macs = ctx.Get(kNatMacs, router);
  std::vector<std::string> all = {at.addresses.mac_text()};
  all.insert(all.end(), macs.begin(), macs.end());
  AddFlow(ctx, at.sw, Stage::kLsInL2Lkup, 75,
          absl::StrCat("eth.src == {", absl::StrJoin(all, ", "),
                       "} && (arp.op == 1 || rarp.op == 3 || nd_ns)"),
          "outport = \"_MC_flood_l2\"; output;");
}

// Where the port of a NAT rule is resident, the switch finds the rule's MAC address at the router.
void AddNatMac(Context& ctx, const nb::NAT& nat, const Uuid& router) {
  if (nat.type() != "dnat_and_snat" || !nat.logical_port() || !nat.external_mac()) return;
  const std::optional<Mac> mac = Mac::Parse(*nat.external_mac());
  if (!mac) return;
  for (const Uuid& gateway : ctx.Get(kRouterGateways, router).distributed_ports) {
    const Uuid& switch_port = ctx.Get(kRouterPortModel, gateway).switch_port;
    const SwitchPort& port = ctx.Get(kSwitchPortModel, switch_port);
    if (!port.exists) continue;
    const Datapath& sw = ctx.Get(kDatapath, port.switch_uuid);
    if (!sw.exists) continue;
    AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 50,
            absl::StrCat("eth.dst == ", mac->ToString(), " && is_chassis_resident(",
                         JsonName(*nat.logical_port()), ")"),
            port.enabled ? absl::StrCat("outport = ", port.json_name, "; output;")
                         : GetGlobals(ctx).drop_action,
            {.hint = switch_port});
  }
}

}  // namespace

std::monostate AddRouterAddressesOf(Context& ctx, const Uuid& uuid) {
  const std::optional<Attachment> at = AttachmentOf(ctx, uuid);
  if (!at) return {};
  for (const Network& network : at->addresses.v4) {
    AddRequests(ctx, *at, network.IpText(), /*v6=*/false);
  }
  for (const Network& network : at->addresses.v6) {
    AddRequests(ctx, *at, network.IpText(), /*v6=*/true);
  }
  if (!at->only_router_ports) {
    AddOwnRequests(ctx, *at, ctx.Get(kRouterAttachment, uuid).router);
  }
  return {};
}
constexpr engine::Kind<Uuid> kRouterAddressesOf{"router_addresses_of", &AddRouterAddressesOf};

std::monostate AddNatAddressesOf(Context& ctx, const Uuid& uuid) {
  const Nat& nat = ctx.Get(kNat, uuid);
  // Its MAC address is found even if nothing else comes of the rule.
  const auto row = Row<nb::NAT>(ctx, uuid);
  if (row && !nat.router.is_zero()) AddNatMac(ctx, row, nat.router);
  if (!nat.valid) return {};
  // An address that is one of its ports' as well is reached as that.
  if (nat.type == NatType::kSnat && IsRouterAddress(ctx, nat.router, nat.external_ip)) return {};
  // Likewise one that is a VIP: where that is reachable, or nowhere.
  if (IsLbVip(ctx, nat.router, nat.external_ip)) return {};
  for (const Attachment& attachment : ctx.Get(kAttachmentsOf, nat.router)) {
    AddRequests(ctx, attachment, nat.external_text, nat.v6());
  }
  return {};
}
constexpr engine::Kind<Uuid> kNatAddressesOf{"nat_addresses_of", &AddNatAddressesOf};

std::monostate AddVipAddressesOf(Context& ctx, const Uuid& uuid) {
  const auto lb = Row<nb::LoadBalancer>(ctx, uuid);
  if (!lb) return {};
  for (const auto& [vip, backends] : lb.vips()) {
    ctx.Require(kVip, LbVipId(uuid, std::string(vip)));
  }
  return {};
}
constexpr engine::Kind<Uuid> kVipAddressesOf{"vip_addresses_of", &AddVipAddressesOf};

}  // namespace northd
