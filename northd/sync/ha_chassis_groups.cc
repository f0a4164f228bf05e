#include "northd/sync/ha_chassis_groups.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

struct Member {
  std::string chassis_name;
  int64_t priority = 0;
};

// The group of this name with these members.
Uuid EmitGroup(Context& ctx, absl::string_view name, std::vector<Member> members) {
  DesiredRows& rows = ctx.world().sb_rows;
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return std::tie(a.chassis_name, b.priority) < std::tie(b.chassis_name, a.priority);
  });
  std::vector<Uuid> uuids;
  size_t n_same = 0;  // Members before it that are the same chassis.
  for (size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    n_same = i > 0 && members[i - 1].chassis_name == member.chassis_name ? n_same + 1 : 0;
    const std::string key = HaChassisKey(member.chassis_name, name, n_same);
    OutRow row = OutRow::Of<sb::HAChassis>(key);
    const auto chassis = RowsWith<sb::Chassis>(ctx, sb::Chassis::kName, member.chassis_name);
    row.Set(sb::HAChassis::kChassis, chassis.subspan(0, chassis.empty() ? 0 : 1));
    row.Set(sb::HAChassis::kPriority, member.priority);
    row.Set(sb::HAChassis::kExternalIds,
            std::map<std::string, std::string>{{"chassis-name", member.chassis_name}});
    rows.Emit(ctx, std::move(row));
    uuids.push_back(rows.Identity(sb::HAChassis::kTable, key));
  }
  OutRow group = OutRow::Of<sb::HAChassisGroup>(name);
  group.Set(sb::HAChassisGroup::kName, name);
  group.Set(sb::HAChassisGroup::kHaChassis, uuids);
  group.SetEmpty(sb::HAChassisGroup::kRefChassis);  // Elements are added: ha_references.h.
  rows.Emit(ctx, std::move(group));
  return rows.Identity(sb::HAChassisGroup::kTable, name);
}

}  // namespace

std::string HaChassisKey(absl::string_view chassis, absl::string_view group, size_t n_same) {
  std::string key = absl::StrCat(chassis, "/", group);
  if (n_same > 0) absl::StrAppend(&key, "/", n_same);
  return key;
}

Uuid ComputeHaChassisGroup(Context& ctx, const Uuid& uuid) {
  const auto group = Row<nb::HAChassisGroup>(ctx, uuid);
  if (!group) return {};
  std::vector<Member> members;
  for (const Uuid& member : group.ha_chassis()) {
    const auto row = Row<nb::HAChassis>(ctx, member);
    if (row) members.push_back({std::string(row.chassis_name()), row.priority()});
  }
  return EmitGroup(ctx, group.name(), members);
}
constexpr engine::Kind<Uuid, Uuid> kHaChassisGroup{"ha_chassis_group", &ComputeHaChassisGroup};

Uuid ComputeGatewayGroup(Context& ctx, const Uuid& router_port) {
  const auto port = Row<nb::LogicalRouterPort>(ctx, router_port);
  if (!port) return {};
  if (const auto group = port.ha_chassis_group()) return ctx.Get(kHaChassisGroup, *group);
  if (port.gateway_chassis().empty()) return {};
  std::vector<Member> members;
  for (const Uuid& member : port.gateway_chassis()) {
    const auto row = Row<nb::GatewayChassis>(ctx, member);
    if (row) members.push_back({std::string(row.chassis_name()), row.priority()});
  }
  return EmitGroup(ctx, port.name(), members);
}
constexpr engine::Kind<Uuid, Uuid> kGatewayGroup{"gateway_group", &ComputeGatewayGroup};

}  // namespace northd
