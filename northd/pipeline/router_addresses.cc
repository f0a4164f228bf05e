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

// A router's ports in parts: a port that comes or goes makes what its NAT rules and VIPs need anew
// in one of them, since both may be many.
constexpr uint8_t kParts = 16;
constexpr size_t kFewPorts = 2 * kParts;  // All in the first part.
using PartId = std::pair<Uuid, uint8_t>;  // Of a Logical_Router.

bool ComputeHasFewPorts(Context& ctx, const Uuid& uuid) {
  const auto router = Row<nb::LogicalRouter>(ctx, uuid);
  return !router || router.ports().size() <= kFewPorts;
}
constexpr engine::Kind<Uuid, bool> kHasFewPorts{"has_few_router_ports", &ComputeHasFewPorts,
                                                /*is_cutoff=*/true};

std::monostate PartPorts(Context& ctx, const Uuid& uuid) {
  const auto router = Row<nb::LogicalRouter>(ctx, uuid);
  if (!router) return {};
  const bool few = ctx.Get(kHasFewPorts, uuid);
  for (const Uuid& port : router.ports()) {
    const auto part = static_cast<uint8_t>(few ? 0 : port.lo % kParts);
    ctx.world().parts_of_router.Emit(ctx, {uuid, part}, port);
  }
  return {};
}
constexpr engine::Kind<Uuid> kPortParts{"router_port_parts", &PartPorts, /*is_cutoff=*/true};

// Reading a relation is a unit's whole business. The unit that emits it is brought up to date
// first.
std::vector<Uuid> ComputePortsIn(Context& ctx, const PartId& id) {
  ctx.Get(kPortParts, id.first);
  const auto& ports = ctx.world().parts_of_router.Read(ctx, id);
  return {ports.begin(), ports.end()};
}
constexpr engine::Kind<PartId, std::vector<Uuid>> kPortsIn{"router_ports_in_part", &ComputePortsIn,
                                                           /*is_cutoff=*/true};

// With all that NAT rules and VIPs need.
using Attachments = std::vector<Attachment>;
Attachments ComputeAttachments(Context& ctx, const PartId& id) {
  Attachments attachments;
  for (const Uuid& port_uuid : ctx.Get(kPortsIn, id)) {
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
constexpr engine::Kind<PartId, Attachments> kAttachmentsIn{"attachments_in_part",
                                                           &ComputeAttachments,
                                                           /*is_cutoff=*/true};

uint8_t PartsOf(Context& ctx, const Uuid& router) {
  return ctx.Get(kHasFewPorts, router) ? 1 : kParts;
}

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
    for (uint8_t part = 0; part < PartsOf(ctx, uuid); ++part) {
      for (const Attachment& attachment : ctx.Get(kAttachmentsIn, PartId(uuid, part))) {
        if (IsInNetworks(attachment.addresses, *ip)) AddRequests(ctx, attachment, vip.ip, ip->v6);
      }
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

// Of a NAT rule that is valid, and a part of its router's ports.
using NatInPart = std::pair<Uuid, uint8_t>;
std::monostate AddNatIn(Context& ctx, const NatInPart& id) {
  const Nat& nat = ctx.Get(kNat, id.first);
  for (const Attachment& attachment : ctx.Get(kAttachmentsIn, PartId(nat.router, id.second))) {
    AddRequests(ctx, attachment, nat.external_text, nat.v6());
  }
  return {};
}
constexpr engine::Kind<NatInPart> kNatIn{"nat_addresses_in_part", &AddNatIn};

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
  for (uint8_t part = 0; part < PartsOf(ctx, nat.router); ++part) {
    ctx.Require(kNatIn, NatInPart(uuid, part));
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
