#include "northd/pipeline/router_mtu.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// Beside the payload that an MTU counts, a frame has a header, perhaps with a VLAN tag.
constexpr int64_t kEthernetHeader = 14;
constexpr int64_t kVlanHeader = 4;

struct LimitedPort {
  Uuid port;
  std::string json_name;
  int64_t mtu;
  bool operator==(const LimitedPort& o) const = default;
};
using LimitedPorts = std::vector<LimitedPort>;

// The ports of a router that have an MTU.
LimitedPorts ComputeLimitedPorts(Context& ctx, const Uuid& router) {
  LimitedPorts ports;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return ports;
  for (const Uuid& uuid : row.ports()) {
    const int64_t mtu = GatewayMtu(ctx, uuid);
    if (mtu <= 0) continue;
    const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
    if (port.exists) ports.push_back({uuid, port.json_name, mtu});
  }
  return ports;
}
constexpr engine::Kind<Uuid, LimitedPorts> kLimitedPorts{"limited_router_ports",
                                                         &ComputeLimitedPorts, true};

// Errors in the name of the port `in` to senders of what `match` says and is too large.
class TooBig {
 public:
  TooBig(Context* ctx, const RouterPort& in, const Router& router)
      : ctx_(*ctx), in_(in), router_(router) {}

  void Add(Stage stage, int priority, const std::string& match, bool dnatted, int64_t mtu) {
    const std::string begin =
        absl::StrCat(" {", dnatted ? "flags.icmp_snat = 1; " : "", "reg9[0] = 1; reg9[1] = 0; ",
                     "eth.dst = ", in_.addresses.mac_text(), "; ");
    const absl::string_view reply = dnatted ? " && ct.trk && ct.rpl && ct.dnat" : "";
    if (!in_.addresses.v4.empty()) {
      AddFlow(ctx_, router_.number, stage, priority,
              absl::StrCat(match, " && ip4 && reg9[1] && reg9[0] == 0", reply),
              absl::StrCat("icmp4_error", begin,
                           "ip4.dst = ip4.src; ip4.src = ", in_.addresses.v4[0].IpText(),
                           "; ip.ttl = 255; icmp4.type = 3; /* Destination Unreachable. */ "
                           "icmp4.code = 4; /* Frag Needed and DF was Set. */ icmp4.frag_mtu = ",
                           mtu, "; next(pipeline=ingress, table=0); };"),
              {.hint = in_.uuid, .meter = CoppMeter(ctx_, router_.uuid, "icmp4-error")});
    }
    if (!in_.addresses.v6.empty()) {
      AddFlow(ctx_, router_.number, stage, priority,
              absl::StrCat(match, " && ip6 && reg9[1] && reg9[0] == 0", reply),
              absl::StrCat("icmp6_error", begin,
                           "ip6.dst = ip6.src; ip6.src = ", in_.addresses.v6[0].IpText(),
                           "; ip.ttl = 255; icmp6.type = 2; /* Packet Too Big. */ icmp6.code = 0; "
                           "icmp6.frag_mtu = ",
                           mtu, "; next(pipeline=ingress, table=0); };"),
              {.hint = in_.uuid, .meter = CoppMeter(ctx_, router_.uuid, "icmp6-error")});
    }
  }

 private:
  Context& ctx_;
  const RouterPort& in_;
  const Router& router_;
};

}  // namespace

int64_t GatewayMtu(Context& ctx, const Uuid& port) {
  const auto row = Row<nb::LogicalRouterPort>(ctx, port);
  return row ? row.options().GetInt("gateway_mtu", 0) : 0;
}

PacketLimit PacketLimitOf(Context& ctx, const RouterPort& port) {
  PacketLimit limit;
  const int64_t mtu = GatewayMtu(ctx, port.uuid);
  if (mtu <= 0) return limit;
  const bool tagged = SwitchPortsBehind(ctx, port).has_tagged_localnet;
  limit.check = absl::StrCat("reg9[1] = check_pkt_larger(",
                             mtu + kEthernetHeader + (tagged ? kVlanHeader : 0), "); ");
  limit.bypass = std::string(
      Row<nb::LogicalRouterPort>(ctx, port.uuid).options().GetOrEmpty("gateway_mtu_bypass"));
  return limit;
}

std::monostate TranslateRouterPortMtu(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  const std::string inport = absl::StrCat("inport == ", port.json_name);
  TooBig too_big(&ctx, port, router);
  for (const LimitedPort& out : ctx.Get(kLimitedPorts, router.uuid)) {
    if (out.port == uuid) {
      too_big.Add(Stage::kLrInIpInput, 150, inport, /*dnatted=*/false, out.mtu);
      continue;
    }
    const std::string match = absl::StrCat(inport, " && outport == ", out.json_name);
    too_big.Add(Stage::kLrInLargerPkts, 150, match, /*dnatted=*/false, out.mtu);
    too_big.Add(Stage::kLrInLargerPkts, 160, match, /*dnatted=*/true, out.mtu);
  }
  const PacketLimit limit = PacketLimitOf(ctx, port);
  if (limit.check.empty()) return {};
  const std::string outport = absl::StrCat("outport == ", port.json_name);
  AddFlow(ctx, router.number, Stage::kLrInChkPktLen, 50, outport,
          absl::StrCat(limit.check, "next;"), {.hint = uuid});
  if (!limit.bypass.empty()) {
    AddFlow(ctx, router.number, Stage::kLrInChkPktLen, 55,
            absl::StrCat(outport, " && (", limit.bypass, ")"), "next;", {.hint = uuid});
  }
  return {};
}
constexpr engine::Kind<Uuid> kRouterPortMtu{"router_port_mtu", &TranslateRouterPortMtu};

}  // namespace northd
