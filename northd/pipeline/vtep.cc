#include "northd/pipeline/vtep.h"

#include "absl/strings/str_cat.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"

namespace northd {

std::monostate AddVtep(Context& ctx, const std::monostate&) {
  const DatapathSet& switches = ctx.Get(kSwitchGroups, {}).with_vtep_ports;
  AddFlow(ctx, switches, Stage::kLsInHairpin, 1000, "reg0[14] == 1",
          absl::StrCat("next(pipeline=ingress, table=", InfoOf(Stage::kLsInL2Lkup).table, ");"));
  // Requests are the routers' to answer.
  AddFlow(ctx, switches, Stage::kLsInArpRsp, 65535, "reg0[14] == 1 && (arp || nd_ns)",
          "flags.loopback = 1; next;");
  return {};
}
constexpr engine::Kind<std::monostate> kVtep{"vtep", &AddVtep};

}  // namespace northd
