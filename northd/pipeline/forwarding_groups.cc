#include "northd/pipeline/forwarding_groups.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/neighbor_replies.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {

std::monostate AddForwardingGroupsOf(Context& ctx, const Uuid& uuid) {
  const Datapath& sw = ctx.Get(kDatapath, uuid);
  const auto row = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!row || !sw.exists) return {};
  for (const Uuid& group_uuid : row.forwarding_groups()) {
    const auto group = Row<nb::ForwardingGroup>(ctx, group_uuid);
    if (!group || group.child_port().empty()) continue;
    AddFlow(ctx, sw.number, Stage::kLsInArpRsp, 50,
            absl::StrCat("arp.tpa == ", group.vip(), " && arp.op == 1"),
            ArpReply(group.vmac(), group.vip()), {.hint = group_uuid});
    std::string children;
    for (const absl::string_view child : group.child_port()) {
      absl::StrAppend(&children, children.empty() ? "\"" : ",\"", child, "\"");
    }
    AddFlow(ctx, sw.number, Stage::kLsInL2Lkup, 50, absl::StrCat("eth.dst == ", group.vmac()),
            absl::StrCat("fwd_group(", group.liveness() ? "liveness=\"true\"," : "",
                         "childports=", children, ");"),
            {.hint = group_uuid});
  }
  return {};
}
constexpr engine::Kind<Uuid> kForwardingGroupsOf{"forwarding_groups_of", &AddForwardingGroupsOf};

}  // namespace northd
