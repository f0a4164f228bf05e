#include "northd/pipeline/fdb.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/ports.h"
#include "northd/model/switches.h"
#include "northd/output/flow_table.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {

std::monostate AddFdb(Context& ctx, const std::monostate&) {
  const DatapathSet& switches = ctx.Get(kSwitchGroups, {}).all;
  for (const Stage stage :
       {Stage::kLsInLookupFdb, Stage::kLsInPutFdb, Stage::kLsOutLookupFdb, Stage::kLsOutPutFdb}) {
    AddFlow(ctx, switches, stage, 0, "1", "next;");
  }
  return {};
}
constexpr engine::Kind<std::monostate> kFdb{"fdb", &AddFdb};

std::monostate AddFdbOf(Context& ctx, const Uuid& uuid) {
  const SwitchPort& port = ctx.Get(kSwitchPortModel, uuid);
  if (!port.exists) return {};
  const Datapath& sw = ctx.Get(kDatapath, port.switch_uuid);
  if (!sw.exists || !port.has_unknown || !port.port_security.empty()) return {};
  const bool is_remote = port.type == SwitchPortType::kRemote;
  if (port.is_localnet()) {
    const auto row = Row<nb::LogicalSwitchPort>(ctx, uuid);
    if (!row.options().GetBool("localnet_learn_fdb", false)) return {};
  } else if (port.type != SwitchPortType::kVif && port.type != SwitchPortType::kSwitch &&
             !is_remote) {
    return {};
  }
  const FlowExtra extra = {.hint = uuid, .port = port.name};
  const std::string from_port = absl::StrCat("inport == ", port.json_name);
  AddFlow(ctx, sw.number, is_remote ? Stage::kLsOutLookupFdb : Stage::kLsInLookupFdb, 100,
          from_port,
          absl::StrCat(port.is_localnet() ? "flags.localnet = 1; " : "",
                       "reg0[11] = lookup_fdb(inport, eth.src); next;"),
          extra);
  AddFlow(ctx, sw.number, is_remote ? Stage::kLsOutPutFdb : Stage::kLsInPutFdb, 100,
          absl::StrCat(from_port, " && reg0[11] == 0"), "put_fdb(inport, eth.src); next;", extra);
  return {};
}
constexpr engine::Kind<Uuid> kFdbOf{"fdb_of", &AddFdbOf};

}  // namespace northd
