#include "northd/pipeline/arp_proxy.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/addresses.h"
#include "northd/model/copp.h"
#include "northd/model/router_attachment.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

constexpr absl::string_view kNotFromRouter = "reg0[18] == 0 && ";

// With bits, whatever they are.
std::string Text(const Ip& ip, int prefix) { return absl::StrCat(ip.ToString(), "/", prefix); }

}  // namespace

std::monostate AddArpProxyOf(Context& ctx, const Uuid& uuid) {
  const RouterAttachment& attachment = ctx.Get(kRouterAttachment, uuid);
  if (!attachment.exists) return {};
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  const SwitchTraits& sw = ctx.Get(kSwitchTraits, port.switch_uuid);
  const std::optional<PortAddresses> proxy = ArpProxyOf(ctx, port, attachment);
  if (!proxy || !sw.exists || sw.vlan_passthru) return {};
  const std::string mac = proxy->mac_text();
  if (!proxy->v4.empty()) {
    std::vector<std::string> targets;
    for (const Network& network : proxy->v4) targets.push_back(Text(network.ip, network.prefix));
    AddFlow(ctx, sw.number, Stage::kLsInArpRsp, 30,
            absl::StrCat(kNotFromRouter, "arp.op == 1 && arp.tpa == {", absl::StrJoin(targets, ","),
                         "}"),
            absl::StrCat("eth.dst = eth.src; eth.src = ", mac,
                         "; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ", mac,
                         "; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;"),
            {.hint = uuid});
  }
  if (!proxy->v6.empty()) {
    std::vector<std::string> targets;
    std::vector<std::string> destinations;
    for (const Network& network : proxy->v6) {
      targets.push_back(Text(network.ip, network.prefix));
      destinations.push_back(targets.back());
      destinations.push_back(Text(SolicitedNode(network.ip), network.prefix));
    }
    AddFlow(
        ctx, sw.number, Stage::kLsInArpRsp, 30,
        absl::StrCat(kNotFromRouter, "nd_ns && ip6.dst == { ", absl::StrJoin(destinations, ", "),
                     " } && nd.target == { ", absl::StrJoin(targets, ", "), " }"),
        absl::StrCat("nd_na_router { eth.src = ", mac,
                     "; ip6.src = nd.target; nd.target = nd.target; nd.tll = ", mac,
                     "; outport = inport; flags.loopback = 1; output; };"),
        {.hint = uuid, .meter = CoppMeter(ctx, port.switch_uuid, "nd-na")});
  }
  return {};
}
constexpr engine::Kind<Uuid> kArpProxyOf{"arp_proxy_of", &AddArpProxyOf};

}  // namespace northd
