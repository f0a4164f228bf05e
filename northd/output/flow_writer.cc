#include "northd/output/flow_writer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "northd/output/spelling.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

using ovsdb::Atom;
using ovsdb::Datum;
using ovsdb::Row;
using ovsdb::Uuid;
using sb::LogicalDPGroup;
using sb::LogicalFlow;

constexpr absl::string_view kPortTag = "in_out_port";
constexpr absl::string_view kStageName = "stage-name";
constexpr absl::string_view kStageHint = "stage-hint";

absl::string_view TextOf(const Row& row, int column) {
  const Datum& datum = row.datum(column);
  return datum.empty() ? absl::string_view() : datum.key(0).string();
}

absl::string_view ValueOf(const Row& row, int column, absl::string_view key) {
  const Datum& datum = row.datum(column);
  const int i = datum.Find(Atom::String(key));
  return i < 0 ? absl::string_view() : datum.value(static_cast<size_t>(i)).string();
}

std::optional<Stage> StageOf(const Row& row) {
  static const auto& by_name = *[] {
    auto* map = new absl::flat_hash_map<absl::string_view, Stage>;
    for (int i = 0; i < kNumStages; ++i) map->emplace(kStages[i].name, static_cast<Stage>(i));
    return map;
  }();
  const auto found = by_name.find(ValueOf(row, LogicalFlow::kExternalIds, kStageName));
  if (found == by_name.end()) return std::nullopt;
  const StageInfo& info = InfoOf(found->second);
  const bool fits = (TextOf(row, LogicalFlow::kPipeline) == "ingress") == info.ingress &&
                    row.datum(LogicalFlow::kTableId).key(0).integer() == info.table;
  return fits ? std::optional<Stage>(found->second) : std::nullopt;
}

FlowTable::Content ContentOf(const Row& row, Stage stage) {
  FlowTable::Content content;
  content.stage = stage;
  content.priority = static_cast<uint16_t>(row.datum(LogicalFlow::kPriority).key(0).integer());
  content.match = TextOf(row, LogicalFlow::kMatch);
  content.actions = TextOf(row, LogicalFlow::kActions);
  content.meter = TextOf(row, LogicalFlow::kControllerMeter);
  content.port = ValueOf(row, LogicalFlow::kTags, kPortTag);
  content.description = TextOf(row, LogicalFlow::kFlowDesc);
  return content;
}

// The same flow but for the order in sets.
bool MeanTheSame(const FlowTable::Content& a, const FlowTable::Content& b) {
  if (a == b) return true;
  FlowTable::Content rest = b;
  rest.match = a.match;
  rest.actions = a.actions;
  return a == rest && WithSetsInOrder(a.match) == WithSetsInOrder(b.match) &&
         WithSetsInOrder(a.actions) == WithSetsInOrder(b.actions);
}

// What a flow is to apply to. The set of an only user is there already.
DatapathSet DatapathsFor(const FlowTable::Flow& flow, DatapathSets* sets) {
  if (flow.users.size() == 1 && !flow.held_sets.empty()) return flow.held_sets.front();
  return sets->Make(flow.Datapaths(*sets));
}

Datum Optional(absl::string_view text) {
  return text.empty() ? Datum() : Datum(Atom::String(text));
}

}  // namespace

uint32_t HintOfRow(const Row& row) {
  uint32_t hint = 0;
  return absl::SimpleHexAtoi(ValueOf(row, LogicalFlow::kExternalIds, kStageHint), &hint) ? hint : 0;
}

// ---- What the southbound has ----

void FlowWriter::Observe(int table, const ovsdb::RowChange& change) {
  if (table == LogicalFlow::kTable) {
    const auto found = by_row_.find(change.uuid());
    if (found != by_row_.end()) {
      flows_->Find(found->second)->row_fits = false;
      flows_->Touch(found->second);
    } else if (change.after) {
      strangers_.push_back(change.uuid());
    }
  } else if (table == LogicalDPGroup::kTable) {
    if (groups_.contains(change.uuid())) touched_groups_.insert(change.uuid());
  }
}

DatapathSet FlowWriter::SetOf(const Row& group, bool* complete) const {
  DatapathBits bits;
  *complete = true;
  for (const Uuid& datapath : group.datum(LogicalDPGroup::kDatapaths).uuids()) {
    const int64_t number = sets_->FindSb(datapath);
    if (number < 0) {
      *complete = false;
    } else {
      bits.Add(static_cast<DatapathNumber>(number));
    }
  }
  return sets_->Make(bits);
}

void FlowWriter::LinkAll() {
  for (uint32_t i = 0; i < flows_->flow_count(); ++i) {
    FlowTable::Flow* flow = flows_->Find(i);
    if (flow == nullptr) continue;
    SetGroup(flow, nullptr);
    flow->row = Uuid();
    flow->row_fits = false;
    flows_->Touch(i);
  }
  by_row_.clear();
  groups_.clear();
  group_by_set_.clear();
  touched_groups_.clear();
  strangers_.clear();
  const ovsdb::Table& rows = southbound_->database().table(LogicalFlow::kTable);
  by_row_.reserve(rows.size());
  rows.ForEach([&](const Row& row) {
    const std::optional<Stage> stage = StageOf(row);
    if (!stage || !Link(row, flows_->Lookup(ContentOf(row, *stage)))) {
      strangers_.push_back(row.uuid());
    }
  });
  LinkRespelled();
}

// Rows that differ from a flow in the order of sets alone.
void FlowWriter::LinkRespelled() {
  if (strangers_.empty()) return;
  const auto key = [](const FlowTable::Content& content) {
    return std::tuple(content.stage, content.priority, WithSetsInOrder(content.match),
                      WithSetsInOrder(content.actions));
  };
  absl::flat_hash_map<std::tuple<Stage, uint16_t, std::string, std::string>, uint32_t> unlinked;
  for (uint32_t i = 0; i < flows_->flow_count(); ++i) {
    const FlowTable::Flow* flow = flows_->Find(i);
    if (flow == nullptr || !flow->row.is_zero() || flow->users.empty()) continue;
    unlinked.emplace(key(flow->content()), i);
  }
  std::erase_if(strangers_, [&](const Uuid& uuid) {
    const Row* row = southbound_->Peek(LogicalFlow::kTable, uuid);
    const std::optional<Stage> stage = StageOf(*row);
    if (!stage) return false;
    const FlowTable::Content content = ContentOf(*row, *stage);
    const auto found = unlinked.find(key(content));
    return found != unlinked.end() &&
           MeanTheSame(content, flows_->Find(found->second)->content()) &&
           Link(*row, found->second);
  });
}

// Rows that others have made may be what is wanted.
void FlowWriter::LinkStrangers() {
  std::sort(strangers_.begin(), strangers_.end());
  strangers_.erase(std::unique(strangers_.begin(), strangers_.end()), strangers_.end());
  std::erase_if(strangers_, [this](const Uuid& uuid) {
    const Row* row = southbound_->Peek(LogicalFlow::kTable, uuid);
    if (row == nullptr || by_row_.contains(uuid)) return true;
    const std::optional<Stage> stage = StageOf(*row);
    return stage && Link(*row, flows_->Lookup(ContentOf(*row, *stage)));
  });
}

// Lets the row stand for the flow, if there is one (not -1) and it has none yet, or one that is
// gone.
bool FlowWriter::Link(const Row& row, int64_t number) {
  FlowTable::Flow* flow = number < 0 ? nullptr : flows_->Find(static_cast<uint32_t>(number));
  if (flow == nullptr) return false;
  if (!flow->row.is_zero()) {
    if (southbound_->Peek(LogicalFlow::kTable, flow->row) != nullptr) return false;
    by_row_.erase(flow->row);
  }
  flow->row = row.uuid();
  flow->row_fits = true;
  by_row_[row.uuid()] = static_cast<uint32_t>(number);
  SetGroup(flow, GroupOf(row));
  flows_->Touch(static_cast<uint32_t>(number));
  return true;
}

void FlowWriter::Unlink(uint32_t number) {
  FlowTable::Flow* flow = flows_->Find(number);
  if (!flow->row.is_zero()) by_row_.erase(flow->row);
  SetGroup(flow, nullptr);
}

// ---- Groups ----

void FlowWriter::SetGroup(FlowTable::Flow* flow, Group* group) {
  if (!flow->group.is_zero()) {
    const auto old = groups_.find(flow->group);
    if (old != groups_.end() && --old->second->users == 0 && group != old->second.get()) {
      // The southbound collects a group that no flow refers to.
      touched_groups_.insert(flow->group);
    }
  }
  flow->group = group == nullptr ? Uuid() : group->uuid;
  if (group != nullptr) ++group->users;
}

Datum FlowWriter::DatapathsOf(const DatapathSet& set) const {
  std::vector<Atom> atoms;
  set.bits().ForEach(
      [&](DatapathNumber n) { atoms.push_back(Atom::Of(sets_->datapath(n).sb_uuid)); });
  return ovsdb::MakeDatum(atoms, {});
}

// The group that a flow's row is for; null if it is for none that makes sense.
FlowWriter::Group* FlowWriter::GroupOf(const Row& row) {
  const absl::Span<const Uuid> uuids = row.datum(LogicalFlow::kLogicalDpGroup).uuids();
  if (uuids.empty()) return nullptr;
  const auto known = groups_.find(uuids.front());
  if (known != groups_.end()) return known->second.get();
  const Row* present = southbound_->Peek(LogicalDPGroup::kTable, uuids.front());
  if (present == nullptr) return nullptr;
  bool complete = false;
  DatapathSet set = SetOf(*present, &complete);
  if (!complete || set.size() < 2) return nullptr;
  auto group = std::make_unique<Group>();
  group->uuid = present->uuid();
  group->set = set;
  group_by_set_.try_emplace(std::move(set), group.get());
  return groups_.emplace(present->uuid(), std::move(group)).first->second.get();
}

void FlowWriter::SetMembers(Group* group, const DatapathSet& set) {
  const auto by_set = group_by_set_.find(group->set);
  if (by_set != group_by_set_.end() && by_set->second == group) group_by_set_.erase(by_set);
  group->set = set;
  group_by_set_.try_emplace(set, group);
}

// Takes over what another instance has made of groups.
void FlowWriter::FollowGroups() {
  absl::flat_hash_set<Uuid> changed;
  absl::flat_hash_set<Uuid> again;
  for (const Uuid& uuid : touched_groups_) {
    const auto found = groups_.find(uuid);
    if (found == groups_.end()) continue;
    Group* group = found->second.get();
    const Row* row = southbound_->Peek(LogicalDPGroup::kTable, uuid);
    if (group->users == 0) {
      const auto by_set = group_by_set_.find(group->set);
      if (by_set != group_by_set_.end() && by_set->second == group) group_by_set_.erase(by_set);
      groups_.erase(found);
    } else if (row != nullptr) {
      bool complete = false;
      const DatapathSet set = SetOf(*row, &complete);
      if (!complete) again.insert(uuid);  // Of datapaths that are not known here yet.
      if (set == group->set) continue;
      SetMembers(group, set);
      changed.insert(uuid);
    }
  }
  touched_groups_ = std::move(again);
  if (changed.empty()) return;
  for (uint32_t i = 0; i < flows_->flow_count(); ++i) {
    const FlowTable::Flow* flow = flows_->Find(i);
    if (flow != nullptr && changed.contains(flow->group)) flows_->Touch(i);
  }
}

// Changes groups in place where all their flows go to the same set.
void FlowWriter::MoveGroups(const std::vector<Move>& moves) {
  std::map<std::pair<Uuid, uint32_t>, uint32_t> counts;  // By group and id of the target.
  for (const Move& move : moves) {
    const Uuid& group = flows_->Find(move.flow)->group;
    if (!group.is_zero()) ++counts[{group, move.target.id()}];
  }
  for (const Move& move : moves) {
    const auto found = groups_.find(flows_->Find(move.flow)->group);
    if (found == groups_.end()) continue;
    Group* group = found->second.get();
    if (group->set == move.target || group_by_set_.contains(move.target)) continue;
    const auto count = counts.find({group->uuid, move.target.id()});
    if (count == counts.end() || count->second != group->users) continue;
    SetMembers(group, move.target);
    touched_groups_.insert(group->uuid);
  }
}

FlowWriter::Group* FlowWriter::GroupFor(const DatapathSet& set) {
  Group*& group = group_by_set_[set];
  if (group == nullptr) {
    auto fresh = std::make_unique<Group>();
    fresh->uuid = uuids_->Next();
    fresh->set = set;
    group = fresh.get();
    touched_groups_.insert(fresh->uuid);
    groups_.emplace(fresh->uuid, std::move(fresh));
  }
  return group;
}

// ---- Flows ----

void FlowWriter::Settle() {
  if (check_all_) {
    check_all_ = false;
    LinkAll();
  }
  LinkStrangers();
  FollowGroups();
  for (uint32_t number : flows_->TakeTouched()) {
    FlowTable::Flow* flow = flows_->Find(number);
    const Row* row =
        flow->row.is_zero() ? nullptr : southbound_->Peek(LogicalFlow::kTable, flow->row);
    if (row != nullptr) SetGroup(flow, GroupOf(*row));
    flow->written = DatapathsFor(*flow, sets_);
    if (IsRight(*flow, row)) continue;
    if (row == nullptr && flow->users.empty()) {
      Unlink(number);
      flows_->Erase(number);
    } else {
      flows_->Touch(number);
    }
  }
}

bool FlowWriter::IsRight(const FlowTable::Flow& flow, const Row* row) const {
  if (flow.users.empty() || row == nullptr) return false;
  if (flow.written.size() > 1) {
    const auto group = groups_.find(flow.group);
    if (group == groups_.end() || !(group->second->set == flow.written)) return false;
  } else if (!flow.group.is_zero()) {
    return false;
  }
  return Differences(flow, row).empty();
}

void FlowWriter::Write(TransactionText* transaction) {
  if (check_all_) {
    check_all_ = false;
    LinkAll();
  }
  LinkStrangers();
  const std::vector<uint32_t> touched = flows_->TakeTouched();
  std::vector<Move> moves;
  std::vector<uint32_t> wanted;
  for (uint32_t number : touched) {
    FlowTable::Flow* flow = flows_->Find(number);
    if (flow->users.empty()) {
      if (southbound_->Peek(LogicalFlow::kTable, flow->row) != nullptr) {
        transaction->Delete(LogicalFlow::kTable, flow->row);
      }
      Unlink(number);
      flows_->Erase(number);
      continue;
    }
    wanted.push_back(number);
    flow->written = DatapathsFor(*flow, sets_);
    if (flow->written.size() > 1) moves.push_back({number, flow->written});
  }
  MoveGroups(moves);
  for (uint32_t number : wanted) {
    FlowTable::Flow* flow = flows_->Find(number);
    if (flow->written.size() < 2) {
      SetGroup(flow, nullptr);
    } else {
      const auto present = groups_.find(flow->group);
      if (present == groups_.end() || !(present->second->set == flow->written)) {
        SetGroup(flow, GroupFor(flow->written));
      }
    }
    WriteFlow(number, transaction);
  }
  for (const Uuid& uuid : touched_groups_) {
    const auto found = groups_.find(uuid);
    if (found == groups_.end()) continue;
    Group* group = found->second.get();
    if (group->users == 0) {
      const auto by_set = group_by_set_.find(group->set);
      if (by_set != group_by_set_.end() && by_set->second == group) group_by_set_.erase(by_set);
      groups_.erase(found);
      continue;
    }
    const Datum datapaths = DatapathsOf(group->set);
    const Row* row = southbound_->Peek(LogicalDPGroup::kTable, uuid);
    if (row == nullptr) {
      transaction->Insert(LogicalDPGroup::kTable, uuid, {{LogicalDPGroup::kDatapaths, datapaths}});
    } else if (const Datum& present = row->datum(LogicalDPGroup::kDatapaths);
               !(present == datapaths)) {
      transaction->MutateSet(LogicalDPGroup::kTable, uuid, LogicalDPGroup::kDatapaths,
                             ovsdb::Subtract(datapaths, present),
                             ovsdb::Subtract(present, datapaths));
    }
  }
  touched_groups_.clear();
  for (const Uuid& uuid : strangers_) {
    if (southbound_->Peek(LogicalFlow::kTable, uuid) != nullptr && !by_row_.contains(uuid)) {
      transaction->Delete(LogicalFlow::kTable, uuid);
    }
  }
  strangers_.clear();
}

Datum FlowWriter::ExternalIds(const FlowTable::Flow& flow, uint32_t hint) {
  absl::string_view file = flow.file;
  file.remove_prefix(file.rfind('/') + 1);
  const std::string source = absl::StrCat(file, ":", flow.line);
  const std::string hint_text = absl::StrFormat("%08x", hint);
  std::vector<Atom> keys = {Atom::String("source"), Atom::String(kStageName)};
  std::vector<Atom> values = {Atom::String(source), Atom::String(InfoOf(flow.stage).name)};
  if (hint != 0) {
    keys.push_back(Atom::String(kStageHint));
    values.push_back(Atom::String(hint_text));
  }
  return ovsdb::MakeDatum(keys, values);
}

// What a flow's row has to have instead of what it has; null: there is no row yet.
TransactionText::Columns FlowWriter::Differences(const FlowTable::Flow& flow,
                                                 const Row* row) const {
  const FlowTable::Content content = flow.content();
  const StageInfo& stage = InfoOf(flow.stage);
  TransactionText::Columns columns;
  const auto want = [&](int column, Datum value) {
    if (row != nullptr && row->datum(column) == value) return;
    if (row == nullptr && value.empty()) return;
    columns.emplace_back(column, std::move(value));
  };
  const auto want_reference = [&](int column, const Uuid& target) {
    const absl::Span<const Uuid> present =
        row == nullptr ? absl::Span<const Uuid>() : row->datum(column).uuids();
    if (present.empty() ? target.is_zero() : present.front() == target) return;
    columns.emplace_back(column, target.is_zero() ? Datum() : Datum(Atom::Of(target)));
  };
  Uuid datapath;
  if (flow.written.size() == 1) {
    flow.written.bits().ForEach([&](DatapathNumber n) { datapath = sets_->datapath(n).sb_uuid; });
  }
  want_reference(LogicalFlow::kLogicalDatapath, datapath);
  want_reference(LogicalFlow::kLogicalDpGroup, flow.group);
  std::optional<Stage> present;
  if (row != nullptr) present = flow.row_fits ? flow.stage : StageOf(*row);
  if (!present || (!flow.row_fits && !MeanTheSame(ContentOf(*row, *present), content))) {
    want(LogicalFlow::kPipeline, Datum(Atom::String(stage.ingress ? "ingress" : "egress")));
    want(LogicalFlow::kTableId, Datum(Atom::Integer(stage.table)));
    want(LogicalFlow::kPriority, Datum(Atom::Integer(content.priority)));
    want(LogicalFlow::kMatch, Datum(Atom::String(content.match)));
    want(LogicalFlow::kActions, Datum(Atom::String(content.actions)));
    want(LogicalFlow::kControllerMeter, Optional(content.meter));
    want(LogicalFlow::kFlowDesc, Optional(content.description));
    want(LogicalFlow::kTags, content.port.empty() ? Datum()
                                                  : ovsdb::MakeDatum({Atom::String(kPortTag)},
                                                                     {Atom::String(content.port)}));
  }
  // Several may want the flow: whose hint it has is left as it is.
  if (!present || !flow.HasHint(HintOfRow(*row))) {
    want(LogicalFlow::kExternalIds, ExternalIds(flow, flow.LeastHint()));
  }
  return columns;
}

void FlowWriter::WriteFlow(uint32_t number, TransactionText* transaction) {
  FlowTable::Flow* flow = flows_->Find(number);
  const Row* row =
      flow->row.is_zero() ? nullptr : southbound_->Peek(LogicalFlow::kTable, flow->row);
  const TransactionText::Columns columns = Differences(*flow, row);
  if (columns.empty()) return;
  if (row != nullptr) {
    transaction->Update(LogicalFlow::kTable, flow->row, columns);
    return;
  }
  if (flow->row.is_zero()) {
    flow->row = uuids_->Next();
    by_row_[flow->row] = number;
  }
  transaction->Insert(LogicalFlow::kTable, flow->row, columns);
}

}  // namespace northd
