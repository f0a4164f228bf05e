#include "northd/sync/stale_rows.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

using ovsdb::Atom;
using ovsdb::Row;
using ovsdb::Uuid;

constexpr int kTables[] = {sb::MACBinding::kTable, sb::FDB::kTable, sb::IGMPGroup::kTable,
                           sb::LearnedRoute::kTable};

// As external_ids of a Datapath_Binding has it.
constexpr absl::string_view kSwitch = "logical-switch";
constexpr absl::string_view kRouter = "logical-router";

bool IsLearned(int table) {
  return std::find(std::begin(kTables), std::end(kTables), table) != std::end(kTables);
}

}  // namespace

bool StaleRows::IsWanted(const Uuid& uuid) const {
  const DesiredRows::Desired* desired = world_->sb_rows.FindByUuid(uuid);
  return desired != nullptr && world_->sb_rows.Wanted(*desired);
}

bool StaleRows::IsSwitch(const Uuid& datapath) const {
  if (!IsWanted(datapath)) return false;
  const Row* row = world_->sb.Peek(sb::DatapathBinding::kTable, datapath);
  return row == nullptr ||  // It is being written only now.
         row->datum(sb::DatapathBinding::kExternalIds).Contains(Atom::String(kSwitch));
}

bool StaleRows::IsRouterPort(const Uuid& port) const {
  if (!IsWanted(port)) return false;
  const Row* binding = world_->sb.Peek(sb::PortBinding::kTable, port);
  if (binding == nullptr) return true;  // It is being written only now.
  const Row* datapath = world_->sb.Peek(sb::DatapathBinding::kTable,
                                        binding->datum(sb::PortBinding::kDatapath).key(0).uuid());
  return datapath == nullptr ||
         datapath->datum(sb::DatapathBinding::kExternalIds).Contains(Atom::String(kRouter));
}

bool StaleRows::IsStale(int table, const Row& row) const {
  switch (table) {
    case sb::MACBinding::kTable: {
      const Uuid port = world_->sb_rows.Identity(
          sb::PortBinding::kTable, row.datum(sb::MACBinding::kLogicalPort).key(0).string());
      // Whatever the datapath: it may be a switch's.
      return !IsWanted(row.datum(sb::MACBinding::kDatapath).key(0).uuid()) || !IsRouterPort(port);
    }
    case sb::LearnedRoute::kTable:
      // Whatever the datapath: that of the port is what counts.
      return !IsWanted(row.datum(sb::LearnedRoute::kDatapath).key(0).uuid()) ||
             !IsRouterPort(row.datum(sb::LearnedRoute::kLogicalPort).key(0).uuid());
    case sb::IGMPGroup::kTable: {
      const ovsdb::Datum& datapath = row.datum(sb::IGMPGroup::kDatapath);
      return datapath.empty() || !IsSwitch(datapath.key(0).uuid()) ||
             row.datum(sb::IGMPGroup::kChassis).empty();
    }
    default: {
      const auto datapaths =
          world_->sb.PeekIndex(sb::DatapathBinding::kTable, sb::DatapathBinding::kTunnelKey,
                               Atom::Integer(row.datum(sb::FDB::kDpKey).key(0).integer()));
      if (datapaths.empty() || !IsSwitch(datapaths.front())) return true;
      const auto ports =
          world_->sb.PeekIndex(sb::PortBinding::kTable, sb::PortBinding::kTunnelKey,
                               Atom::Integer(row.datum(sb::FDB::kPortKey).key(0).integer()));
      return std::none_of(ports.begin(), ports.end(), [&](const Uuid& port) {
        const Row* binding = world_->sb.Peek(sb::PortBinding::kTable, port);
        return binding->datum(sb::PortBinding::kDatapath).key(0).uuid() == datapaths.front() &&
               IsWanted(port);
      });
    }
  }
}

void StaleRows::Observe(int table, const ovsdb::RowChange& change) {
  if (IsLearned(table) && change.after) suspects_.emplace_back(table, change.uuid());
  if (change.before && change.after) ObserveKeys(table, *change.before, *change.after);
}

// FDB names datapaths and ports by their keys: what it has under an old one belongs to nobody.
void StaleRows::ObserveKeys(int table, const Row& before, const Row& after) {
  const auto differs = [&](int column) { return before.datum(column) != after.datum(column); };
  if (table == sb::DatapathBinding::kTable && differs(sb::DatapathBinding::kTunnelKey)) {
    AddLearnedBy(&before);
  } else if (table == sb::PortBinding::kTable &&
             (differs(sb::PortBinding::kTunnelKey) || differs(sb::PortBinding::kDatapath))) {
    AddLearnedBy(world_->sb.Peek(sb::DatapathBinding::kTable,
                                 before.datum(sb::PortBinding::kDatapath).key(0).uuid()));
  }
}

void StaleRows::AddLearnedBy(const Row* datapath) {
  if (datapath == nullptr) return;
  AddIndexed(sb::FDB::kTable, sb::FDB::kDpKey,
             Atom::Integer(datapath->datum(sb::DatapathBinding::kTunnelKey).key(0).integer()));
}

void StaleRows::AddIndexed(int table, int column, const Atom& value) {
  for (const Uuid& uuid : world_->sb.PeekIndex(table, column, value)) {
    suspects_.emplace_back(table, uuid);
  }
}

void StaleRows::OnDelete(int table, const Row& row) {
  if (table == sb::DatapathBinding::kTable) {
    const Atom uuid = Atom::Of(row.uuid());
    AddIndexed(sb::MACBinding::kTable, sb::MACBinding::kDatapath, uuid);
    AddIndexed(sb::LearnedRoute::kTable, sb::LearnedRoute::kDatapath, uuid);
    AddIndexed(sb::IGMPGroup::kTable, sb::IGMPGroup::kDatapath, uuid);
    AddLearnedBy(&row);
  } else if (table == sb::PortBinding::kTable) {
    AddIndexed(sb::MACBinding::kTable, sb::MACBinding::kLogicalPort,
               Atom::String(row.datum(sb::PortBinding::kLogicalPort).key(0).string()));
    AddIndexed(sb::LearnedRoute::kTable, sb::LearnedRoute::kLogicalPort, Atom::Of(row.uuid()));
    AddLearnedBy(world_->sb.Peek(sb::DatapathBinding::kTable,
                                 row.datum(sb::PortBinding::kDatapath).key(0).uuid()));
  }
}

void StaleRows::Write(TransactionText* transaction) {
  if (check_all_) {
    check_all_ = false;
    for (const int table : kTables) {
      world_->sb.database().table(table).ForEach(
          [&](const Row& row) { suspects_.emplace_back(table, row.uuid()); });
    }
  }
  std::sort(suspects_.begin(), suspects_.end());
  suspects_.erase(std::unique(suspects_.begin(), suspects_.end()), suspects_.end());
  for (const auto& [table, uuid] : suspects_) {
    const Row* row = world_->sb.Peek(table, uuid);
    if (row != nullptr && IsStale(table, *row)) transaction->Delete(table, uuid);
  }
  suspects_.clear();
}

}  // namespace northd
