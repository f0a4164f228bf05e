#include "northd/model/written_flows.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "northd/output/flow_writer.h"
#include "northd/replica/lookup.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

bool HoldsNumber(int64_t table, absl::string_view match, absl::string_view actions) {
  if (table == InfoOf(Stage::kLrInIpRoutingPre).table) {
    return absl::StartsWith(actions, "reg7 = ") && actions != "reg7 = 0; next;";
  }
  if (table == InfoOf(Stage::kLrInIpRouting).table) {
    // Of a group of routes, or of a table.
    return absl::StrContains(actions, "; reg8[16..31] = ") ||
           (absl::StrContains(match, "reg7 == ") && !absl::StrContains(match, "reg7 == 0 "));
  }
  if (table == InfoOf(Stage::kLrInPolicy).table) {
    return absl::StartsWith(match, "reg9[16..31] == ") ||
           absl::StrContains(actions, "; reg8[16..31] = ") ||
           absl::StrContains(actions, "reg9[16..31]=");
  }
  if (table == InfoOf(Stage::kLrInIpRoutingEcmp).table ||
      table == InfoOf(Stage::kLrInPolicyEcmp).table) {
    return absl::StartsWith(match, "reg8[0..15] == ") && absl::StrContains(match, " && ");
  }
  return false;
}

}  // namespace

// Reads nothing that is recorded: this is what there was at the beginning.
WrittenFlows ComputeWrittenFlows(Context& ctx, const std::monostate&) {
  const ovsdb::Database& database = ctx.world().sb.database();
  WrittenFlows all;
  database.table(sb::LogicalFlow::kTable).ForEach([&](const ovsdb::Row& row) {
    const auto text = [&](int column) { return row.datum(column).key(0).string(); };
    if (text(sb::LogicalFlow::kPipeline) != "ingress") return;
    const int64_t table = row.datum(sb::LogicalFlow::kTableId).key(0).integer();
    const absl::string_view match = text(sb::LogicalFlow::kMatch);
    const absl::string_view actions = text(sb::LogicalFlow::kActions);
    if (!HoldsNumber(table, match, actions)) return;
    const auto add = [&](const Uuid& datapath) {
      all[{datapath, static_cast<int>(table)}].push_back(
          {row.datum(sb::LogicalFlow::kPriority).key(0).integer(), std::string(match),
           std::string(actions), HintOfRow(row)});
    };
    for (const Uuid& datapath : row.datum(sb::LogicalFlow::kLogicalDatapath).uuids()) {
      add(datapath);
    }
    for (const Uuid& uuid : row.datum(sb::LogicalFlow::kLogicalDpGroup).uuids()) {
      const ovsdb::Row* group = ctx.world().sb.Peek(sb::LogicalDPGroup::kTable, uuid);
      if (group == nullptr) continue;
      for (const Uuid& datapath : group->datum(sb::LogicalDPGroup::kDatapaths).uuids()) {
        add(datapath);
      }
    }
  });
  return all;
}
constexpr engine::Kind<std::monostate, WrittenFlows> kWrittenFlows{"written_flows",
                                                                   &ComputeWrittenFlows};

int64_t WrittenNumber(Context& ctx, const Uuid& sb_datapath, Stage stage,
                      absl::FunctionRef<int64_t(const WrittenFlow& flow)> f) {
  const WrittenFlows& all = ctx.Get(kWrittenFlows, {});
  const auto found = all.find({sb_datapath, InfoOf(stage).table});
  if (found == all.end()) return 0;
  for (const WrittenFlow& flow : found->second) {
    if (const int64_t number = f(flow); number != 0) return number;
  }
  return 0;
}

int64_t NumberAfter(absl::string_view text, absl::string_view prefix) {
  const size_t at = text.find(prefix);
  if (at == absl::string_view::npos) return 0;
  text.remove_prefix(at + prefix.size());
  size_t n = 0;
  while (n < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[n]))) ++n;
  int64_t number = 0;
  return absl::SimpleAtoi(text.substr(0, n), &number) ? number : 0;
}

}  // namespace northd
