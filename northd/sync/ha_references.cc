#include "northd/sync/ha_references.h"

#include <map>
#include <set>
#include <string>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

using Names = std::set<std::string>;

// The name of a gateway port's group, if that has several chassis; or "".
std::string ComputeGroupName(Context& ctx, const Uuid& router_port) {
  const auto port = Row<nb::LogicalRouterPort>(ctx, router_port);
  if (!port) return "";
  if (const auto group = port.ha_chassis_group()) {
    const auto row = Row<nb::HAChassisGroup>(ctx, *group);
    return row && row.ha_chassis().size() > 1 ? std::string(row.name()) : "";
  }
  return port.gateway_chassis().size() > 1 ? std::string(port.name()) : "";
}
constexpr engine::Kind<Uuid, std::string> kGroupName{"ha_group_name", &ComputeGroupName};

// Routers and switches that are connected, by one of them.
class Islands {
 public:
  Uuid Find(const Uuid& uuid) {
    const auto [at, is_new] = parents_.try_emplace(uuid, uuid);
    Uuid root = at->second;
    while (parents_.at(root) != root) root = parents_.at(root);
    parents_[uuid] = root;
    return root;
  }
  void Join(const Uuid& a, const Uuid& b) {
    const Uuid root = Find(a);
    parents_[Find(b)] = root;
  }

 private:
  absl::flat_hash_map<Uuid, Uuid> parents_;
};

// The groups that each switch can reach.
std::map<Uuid, Names> ComputeReachable(Context& ctx, const std::monostate&) {
  std::map<Uuid, Names> by_router;
  for (const Uuid& router : AllRows<nb::LogicalRouter>(ctx)) {
    for (const Uuid& port : ctx.Get(kRouterGateways, router).distributed_ports) {
      const std::string& name = ctx.Get(kGroupName, port);
      if (!name.empty()) by_router[router].insert(name);
    }
  }
  if (by_router.empty()) return {};
  Islands islands;
  std::set<Uuid> switches;
  for (const Uuid& router : AllRows<nb::LogicalRouter>(ctx)) {
    for (const Uuid& uuid : Row<nb::LogicalRouter>(ctx, router).ports()) {
      const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
      if (!port.switch_port.is_zero()) {
        const Uuid sw = SwitchOf(ctx, port.switch_port);
        islands.Join(router, sw);
        switches.insert(sw);
      } else if (!port.peer_router_port.is_zero()) {
        islands.Join(router, RouterOf(ctx, port.peer_router_port));
      }
    }
  }
  std::map<Uuid, Names> by_island;
  for (const auto& [router, names] : by_router) {
    by_island[islands.Find(router)].insert(names.begin(), names.end());
  }
  std::map<Uuid, Names> by_switch;
  for (const Uuid& sw : switches) {
    const auto names = by_island.find(islands.Find(sw));
    if (names != by_island.end()) by_switch[sw] = names->second;
  }
  return by_switch;
}
constexpr engine::Kind<std::monostate, std::map<Uuid, Names>> kReachable{"reachable_ha_groups",
                                                                         &ComputeReachable};

Names ComputeReachableFrom(Context& ctx, const Uuid& sw) {
  const auto& by_switch = ctx.Get(kReachable, {});
  const auto found = by_switch.find(sw);
  return found == by_switch.end() ? Names() : found->second;
}
// All ports of a switch read it, and it is asked anew whenever any switch or router is attached.
constexpr engine::Kind<Uuid, Names> kReachableFrom{"reachable_ha_groups_of_switch",
                                                   &ComputeReachableFrom, /*is_cutoff=*/true};

}  // namespace

void EmitHaReferences(Context& ctx, const SwitchPort& port) {
  const Names& names = ctx.Get(kReachableFrom, port.switch_uuid);
  if (names.empty()) return;
  const auto binding = Row<sb::PortBinding>(ctx, port.sb_uuid);
  if (!binding) return;
  const auto add = [&](const Uuid& chassis) {
    for (const std::string& name : names) {
      ctx.world().sb_rows.EmitElement(ctx, sb::HAChassisGroup::kTable, name,
                                      sb::HAChassisGroup::kRefChassis, ovsdb::Atom::Of(chassis));
    }
  };
  if (const auto chassis = binding.chassis()) add(*chassis);
  for (const Uuid& chassis : binding.additional_chassis()) add(chassis);
}

}  // namespace northd
