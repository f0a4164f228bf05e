#include "northd/sync/nat_addresses.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "northd/model/addresses.h"
#include "northd/model/lb_vip_ips.h"
#include "northd/model/port_nats.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

constexpr absl::string_view kResident = " is_chassis_resident(";

// Of a MAC address, IP addresses and where these are: the IP addresses are apart, in order.
struct Parts {
  absl::string_view mac;
  std::vector<absl::string_view> ips;
  absl::string_view resident;
  bool operator==(const Parts& o) const = default;

  explicit Parts(absl::string_view text) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(text, absl::MaxSplits(kResident, 1));
    resident = halves.second;
    ips = absl::StrSplit(halves.first, ' ');
    mac = ips.front();
    std::sort(ips.begin(), ips.end());
  }
};

// VIPs may be in any order, and the reference has one of its own: the one that is there stays.
void KeepOrder(Context& ctx, const Uuid& binding, std::vector<std::string>* addresses) {
  const ovsdb::Row* row = ctx.world().sb.Peek(sb::PortBinding::kTable, binding);
  if (row == nullptr) return;
  const ovsdb::Datum& present = row->datum(sb::PortBinding::kNatAddresses);
  for (std::string& address : *addresses) {
    for (size_t i = 0; i < present.size(); ++i) {
      const absl::string_view there = present.key(i).string();
      if (there.size() != address.size() || Parts(there) != Parts(address)) continue;
      address = std::string(there);
      break;
    }
  }
}

std::string Resident(const std::string& json_name) {
  return absl::StrCat(kResident, json_name, ")");
}

// Of the router's NAT rules: those that are distributed each on their own, the others together,
// with the VIPs of its load balancers if these are wanted.
std::vector<std::string> NatAddresses(Context& ctx, const RouterPort& port, bool with_vips) {
  std::vector<std::string> addresses;
  std::string central = port.addresses.mac_text();
  bool has_central = false;
  for (const PortNat& nat : PortNats(ctx, port, /*with_route=*/false)) {
    if (!nat.mac.empty()) {
      addresses.push_back(
          absl::StrCat(nat.mac, " ", nat.text, Resident(JsonName(nat.logical_port))));
      continue;
    }
    absl::StrAppend(&central, " ", nat.text);
    has_central = true;
  }
  if (with_vips) {
    for (const std::string& vip : LbVipIpsOf(ctx, port.router_uuid, WhichVips::kAll)) {
      absl::StrAppend(&central, " ", vip);
      has_central = true;
    }
  }
  if (has_central) {
    if (port.is_distributed_gateway) central += Resident(port.cr_json_name);
    addresses.push_back(std::move(central));
  }
  return addresses;
}

// Whether the chassis that has the router announces the port's own addresses.
bool AnnouncesItself(Context& ctx, const SwitchPort& port, const RouterPort& peer,
                     const RouterGateways& gateways) {
  if (gateways.distributed_ports.empty()) {
    return gateways.is_gateway_router && !ctx.Get(kSwitchPorts, port.switch_uuid).localnet.empty();
  }
  if (peer.is_distributed_gateway) return true;
  if (!Row<nb::LogicalRouterPort>(ctx, peer.uuid)
           .options()
           .GetBool("reside-on-redirect-chassis", false)) {
    return false;
  }
  if (gateways.distributed_ports.size() == 1) return true;
  static base::RateLimit limit(1, 1);
  log.WarnLimited(limit,
                  "logical router port %s: reside-on-redirect-chassis is for a router with one "
                  "distributed gateway port",
                  peer.name);
  return false;
}

}  // namespace

std::vector<std::string> ComputeNatAddresses(Context& ctx, const Uuid& switch_port) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, switch_port);
  const Uuid peer_uuid = PeerOf(ctx, port);
  if (peer_uuid.is_zero()) return {};
  const RouterPort& peer = ctx.Get(kRouterPortModel, peer_uuid);
  if (!peer.exists) return {};
  const RouterGateways& gateways = ctx.Get(kRouterGateways, peer.router_uuid);
  const bool distributed = !gateways.distributed_ports.empty();
  if (!distributed && !gateways.is_gateway_router) return {};
  // Where the router is, if that depends on a chassis.
  std::string resident;
  if (distributed) {
    resident =
        Resident(peer.is_distributed_gateway
                     ? peer.cr_json_name
                     : ctx.Get(kRouterPortModel, gateways.distributed_ports.front()).cr_json_name);
  }

  std::vector<std::string> addresses;
  const auto row = Row<nb::LogicalSwitchPort>(ctx, switch_port);
  if (const auto wanted = row.options().Get("nat-addresses")) {
    if (*wanted == "router") {
      addresses =
          NatAddresses(ctx, peer, !row.options().GetBool("exclude-lb-vips-from-garp", false));
    } else if (PortAddresses::Parse(*wanted)) {
      addresses.push_back(absl::StrCat(*wanted, resident));
    } else {
      static base::RateLimit limit(1, 1);
      log.WarnLimited(limit, "logical switch port %s has bad nat-addresses", port.name);
    }
  }
  if (AnnouncesItself(ctx, port, peer, gateways)) {
    std::string own = peer.addresses.mac_text();
    for (const Network& network : peer.addresses.v4) absl::StrAppend(&own, " ", network.IpText());
    addresses.push_back(absl::StrCat(own, resident));
  }
  KeepOrder(ctx, port.sb_uuid, &addresses);
  return addresses;
}
constexpr engine::Kind<Uuid, std::vector<std::string>> kNatAddresses{"nat_addresses",
                                                                     &ComputeNatAddresses};

}  // namespace northd
