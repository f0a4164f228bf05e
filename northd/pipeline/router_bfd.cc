#include "northd/pipeline/router_bfd.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/bfd.h"
#include "northd/model/copp.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/match.h"
#include "northd/pipeline/stages.h"

namespace northd {

std::monostate TranslateRouterPortBfd(Context& ctx, const Uuid& uuid) {
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || !HasBfd(ctx, port.name)) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  const auto add = [&](const std::vector<Network>& networks, absl::string_view v) {
    if (networks.empty()) return;
    const std::string own = absl::StrCat(AnyOf(IpTexts(networks)), " && udp.dst == 3784");
    AddFlow(ctx, router.number, Stage::kLrInIpInput, 110, absl::StrCat("ip", v, ".src == ", own),
            "next; ", {.hint = uuid});
    AddFlow(ctx, router.number, Stage::kLrInIpInput, 110, absl::StrCat("ip", v, ".dst == ", own),
            "handle_bfd_msg(); ", {.hint = uuid, .meter = CoppMeter(ctx, router.uuid, "bfd")});
  };
  add(port.addresses.v4, "4");
  add(port.addresses.v6, "6");
  return {};
}
constexpr engine::Kind<Uuid> kRouterPortBfd{"router_port_bfd", &TranslateRouterPortBfd};

}  // namespace northd
