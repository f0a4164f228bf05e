#include "northd/pipeline/qos.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/model/datapaths.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

constexpr int64_t kMaxDscp = 63;

std::string ActionsOf(const nb::QoS& rule) {
  std::string actions;
  if (const std::optional<int64_t> rate = rule.bandwidth().Get("rate")) {
    const std::optional<int64_t> burst = rule.bandwidth().Get("burst");
    absl::StrAppend(&actions, "set_meter(", *rate);
    if (burst) absl::StrAppend(&actions, ", ", *burst);
    absl::StrAppend(&actions, "); ");
  }
  for (const auto& [key, value] : rule.action()) {
    if (key == "mark") {
      absl::StrAppend(&actions, "pkt.mark = ", value, "; ");
    } else if (key == "dscp" && value <= kMaxDscp) {
      absl::StrAppend(&actions, "ip.dscp = ", value, "; ");
    } else if (key == "dscp") {
      static base::RateLimit limit(5, 1);
      log.WarnLimited(limit, "QoS rule %s: 'dscp' %d is more than %d", rule.uuid().ToString(),
                      value, kMaxDscp);
    }
  }
  return actions + "next;";
}

using RuleOfSwitch = std::pair<Uuid, Uuid>;  // Switch and QoS rule.

std::monostate AddRule(Context& ctx, const RuleOfSwitch& key) {
  const Datapath& sw = ctx.Get(kDatapath, key.first);
  const auto rule = Row<nb::QoS>(ctx, key.second);
  if (!rule || !sw.exists) return {};
  AddFlow(ctx, sw.number, rule.direction() == "from-lport" ? Stage::kLsInQos : Stage::kLsOutQos,
          static_cast<int>(rule.priority()), rule.match(), ActionsOf(rule), {.hint = key.second});
  return {};
}
constexpr engine::Kind<RuleOfSwitch> kRule{"qos_rule", &AddRule};

}  // namespace

std::monostate AddQos(Context& ctx, const std::monostate&) {
  const DatapathSet& switches = ctx.Get(kSwitchGroups, {}).all;
  AddFlow(ctx, switches, Stage::kLsInQos, 0, "1", "next;");
  AddFlow(ctx, switches, Stage::kLsOutQos, 0, "1", "next;");
  return {};
}
constexpr engine::Kind<std::monostate> kQos{"qos", &AddQos};

std::monostate AddQosOf(Context& ctx, const Uuid& uuid) {
  const auto sw = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!sw) return {};
  for (const Uuid& rule : sw.qos_rules()) ctx.Require(kRule, RuleOfSwitch(uuid, rule));
  return {};
}
constexpr engine::Kind<Uuid> kQosOf{"qos_of", &AddQosOf};

}  // namespace northd
