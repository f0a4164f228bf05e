#include "northd/output/compare.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "northd/world.h"

namespace northd {
namespace {

using Facts = std::map<std::string, std::string>;  // What is told apart, and what it is.

Facts FlowFacts(const World& world) {
  Facts facts;
  for (uint32_t i = 0; i < world.flows.flow_count(); ++i) {
    const FlowTable::Flow* flow = world.flows.Find(i);
    if (flow == nullptr || flow->users.empty()) continue;
    const FlowTable::Content content = flow->content();
    std::set<std::string> datapaths;
    flow->Datapaths(world.datapath_sets).ForEach([&](DatapathNumber n) {
      datapaths.insert(world.datapath_sets.datapath(n).nb_uuid.ToString());
    });
    std::set<uint32_t> hints;
    for (const FlowTable::User& user : flow->users) hints.insert(user.hint);
    std::string value = "datapaths";
    for (const std::string& datapath : datapaths) absl::StrAppend(&value, " ", datapath);
    absl::StrAppend(&value, " hints");
    for (uint32_t hint : hints) absl::StrAppend(&value, " ", absl::Hex(hint));
    facts.emplace(absl::StrCat(InfoOf(content.stage).name, " ", content.priority, " ",
                               content.match, " ", content.actions, " ", content.meter, " ",
                               content.port, " ", content.description),
                  std::move(value));
  }
  return facts;
}

Facts RowFacts(DesiredRows* rows, const ovsdb::DatabaseSchema& schema) {
  Facts facts;
  for (uint32_t i = 0; i < rows->row_count(); ++i) {
    const DesiredRows::Desired* desired = rows->Find(i);
    if (desired == nullptr || !rows->Wanted(*desired)) continue;
    const ovsdb::TableSchema& table = schema.tables[static_cast<size_t>(desired->table)];
    std::map<int, ovsdb::Datum> columns;
    for (auto& [column, datum] : rows->ContentOf(*desired, nullptr)) columns[column] = datum;
    std::string value;
    for (const auto& [column, datum] : columns) {
      const ovsdb::ColumnSchema& of_column = table.columns[static_cast<size_t>(column)];
      absl::StrAppend(&value, of_column.name, "=");
      datum.AppendJson(of_column.type.is_map(), &value);
      value += ' ';
    }
    facts.emplace(absl::StrCat(table.name, " ", desired->key), std::move(value));
  }
  return facts;
}

void Compare(const Facts& a, const Facts& b, size_t limit, std::vector<std::string>* lines) {
  const auto say = [&](std::string line) {
    if (lines->size() < limit) lines->push_back(std::move(line));
  };
  for (const auto& [what, value] : a) {
    const auto other = b.find(what);
    if (other == b.end()) {
      say(absl::StrCat("only in the first: ", what, ": ", value));
    } else if (other->second != value) {
      say(absl::StrCat("different: ", what, ": ", value, "/ ", other->second));
    }
  }
  for (const auto& [what, value] : b) {
    if (!a.contains(what)) say(absl::StrCat("only in the second: ", what, ": ", value));
  }
}

}  // namespace

std::vector<std::string> Differences(World* a, World* b, size_t limit) {
  std::vector<std::string> lines;
  Compare(FlowFacts(*a), FlowFacts(*b), limit, &lines);
  Compare(RowFacts(&a->sb_rows, a->sb.database().schema()),
          RowFacts(&b->sb_rows, b->sb.database().schema()), limit, &lines);
  Compare(RowFacts(&a->nb_rows, a->nb.database().schema()),
          RowFacts(&b->nb_rows, b->nb.database().schema()), limit, &lines);
  return lines;
}

}  // namespace northd
