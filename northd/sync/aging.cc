#include "northd/sync/aging.h"

#include <algorithm>
#include <optional>
#include <string>

#include "northd/model/addresses.h"
#include "northd/model/age_thresholds.h"
#include "northd/model/globals.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/row_view.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

using ovsdb::Atom;
using ovsdb::Row;
using ovsdb::Uuid;

constexpr int kTables[] = {sb::MACBinding::kTable, sb::FDB::kTable};
// Between two removals of as many as may go at once.
constexpr int64_t kPauseMs = 5000;

absl::string_view TextOf(const Row& row, int column, absl::string_view key) {
  return StringMap(row.datum(column)).GetOrEmpty(key);
}

absl::string_view MacThresholds(const Row& router) {
  return TextOf(router, nb::LogicalRouter::kOptions, "mac_binding_age_threshold");
}

absl::string_view FdbThreshold(const Row& sw) {
  return TextOf(sw, nb::LogicalSwitch::kOtherConfig, "fdb_age_threshold");
}

// The switch or router that a Datapath_Binding says it stands for; null if there is none.
const Row* Northbound(const World& world, const Row& datapath, absl::string_view kind, int table) {
  const std::optional<Uuid> uuid =
      Uuid::Parse(TextOf(datapath, sb::DatapathBinding::kExternalIds, kind));
  return uuid ? world.nb.Peek(table, *uuid) : nullptr;
}

// Whether all chassis keep the timestamps of what is in use fresh: else its age says nothing.
bool IsAgeKnown(World& world, int table) {
  const Globals* globals = world.engine.Peek(kGlobals, {});
  if (globals == nullptr) return false;
  return table == sb::FDB::kTable ? globals->features.fdb_timestamp
                                  : globals->features.mac_binding_timestamp;
}

int64_t RemovalLimit(const World& world, absl::string_view option) {
  int64_t limit = 0;
  world.nb.database().table(nb::NBGlobal::kTable).ForEach([&](const Row& row) {
    limit = StringMap(row.datum(nb::NBGlobal::kOptions)).GetInt(option, 0);
  });
  return limit > 0 ? limit : Aging::kNever;
}

}  // namespace

Aging::Schedule& Aging::ScheduleOf(int table) {
  return table == sb::FDB::kTable ? fdb_ : mac_bindings_;
}

void Aging::ObserveNorthbound(int table, const ovsdb::RowChange& change) {
  const auto text = [](const ovsdb::RowRef& row, absl::string_view (*threshold)(const Row&)) {
    return row ? threshold(*row) : absl::string_view();
  };
  const auto differs = [&](absl::string_view (*threshold)(const Row&)) {
    return text(change.before, threshold) != text(change.after, threshold);
  };
  if ((table == nb::LogicalRouter::kTable && differs(&MacThresholds)) ||
      (table == nb::LogicalSwitch::kTable && differs(&FdbThreshold))) {
    touched_datapaths_.push_back(change.uuid());
  }
}

void Aging::ObserveSouthbound(int table, const ovsdb::RowChange& change) {
  if (table == sb::MACBinding::kTable || table == sb::FDB::kTable) {
    touched_.emplace_back(table, change.uuid());
  }
}

// ---- When ----

int64_t Aging::DueAt(int table, const Row& row) const {
  int64_t seconds = 0;
  int64_t timestamp = 0;
  if (table == sb::MACBinding::kTable) {
    const Row* datapath = world_->sb.Peek(sb::DatapathBinding::kTable,
                                          row.datum(sb::MACBinding::kDatapath).key(0).uuid());
    const Row* router = datapath == nullptr ? nullptr
                                            : Northbound(*world_, *datapath, "logical-router",
                                                         nb::LogicalRouter::kTable);
    if (router == nullptr) return kNever;
    const AgeThresholds thresholds = AgeThresholds::Parse(MacThresholds(*router));
    const std::optional<Ip> ip = Ip::Parse(row.datum(sb::MACBinding::kIp).key(0).string());
    seconds = ip ? thresholds.Of(*ip) : thresholds.default_seconds;
    timestamp = row.datum(sb::MACBinding::kTimestamp).key(0).integer();
  } else {
    const auto datapaths =
        world_->sb.PeekIndex(sb::DatapathBinding::kTable, sb::DatapathBinding::kTunnelKey,
                             Atom::Integer(row.datum(sb::FDB::kDpKey).key(0).integer()));
    const Row* datapath = datapaths.empty()
                              ? nullptr
                              : world_->sb.Peek(sb::DatapathBinding::kTable, datapaths.front());
    const Row* sw = datapath == nullptr ? nullptr
                                        : Northbound(*world_, *datapath, "logical-switch",
                                                     nb::LogicalSwitch::kTable);
    if (sw == nullptr) return kNever;
    seconds = StringMap(sw->datum(nb::LogicalSwitch::kOtherConfig)).GetInt("fdb_age_threshold", 0);
    timestamp = row.datum(sb::FDB::kTimestamp).key(0).integer();
  }
  if (seconds <= 0 || seconds > UINT32_MAX) return kNever;
  const int64_t ms = seconds * 1000;
  return timestamp > kNever - ms ? kNever : timestamp + ms;
}

void Aging::Reschedule(int table, const Uuid& uuid) {
  Schedule& schedule = ScheduleOf(table);
  const Row* row = world_->sb.Peek(table, uuid);
  const int64_t due = row == nullptr ? kNever : DueAt(table, *row);
  const auto found = schedule.due_at.find(uuid);
  if (found != schedule.due_at.end()) {
    if (found->second == due) return;
    schedule.due.erase({found->second, uuid});
    schedule.due_at.erase(found);
  }
  if (due == kNever) return;
  schedule.due.emplace(due, uuid);
  schedule.due_at.emplace(uuid, due);
}

void Aging::RescheduleDatapath(const Uuid& nb_uuid) {
  const Uuid uuid = world_->sb_rows.Identity(sb::DatapathBinding::kTable, nb_uuid.ToString());
  const Row* datapath = world_->sb.Peek(sb::DatapathBinding::kTable, uuid);
  if (datapath == nullptr) return;  // Nothing can have been learned there.
  const int64_t key = datapath->datum(sb::DatapathBinding::kTunnelKey).key(0).integer();
  const auto reschedule = [&](int table, int column, const Atom& value) {
    const auto rows = world_->sb.PeekIndex(table, column, value);
    for (const Uuid& row : std::vector<Uuid>(rows.begin(), rows.end())) Reschedule(table, row);
  };
  reschedule(sb::MACBinding::kTable, sb::MACBinding::kDatapath, Atom::Of(uuid));
  reschedule(sb::FDB::kTable, sb::FDB::kDpKey, Atom::Integer(key));
}

// ---- Removal ----

int64_t Aging::WriteTable(int table, TransactionText* transaction, int64_t now_ms) {
  if (!IsAgeKnown(*world_, table)) return kNever;
  Schedule& schedule = ScheduleOf(table);
  if (now_ms >= schedule.not_before_ms) {
    int64_t left = RemovalLimit(
        *world_, table == sb::FDB::kTable ? "fdb_removal_limit" : "mac_binding_removal_limit");
    while (left > 0 && !schedule.due.empty() && schedule.due.begin()->first <= now_ms) {
      const Uuid uuid = schedule.due.begin()->second;
      transaction->Delete(table, uuid);
      schedule.due.erase(schedule.due.begin());
      schedule.due_at.erase(uuid);
      if (--left == 0) schedule.not_before_ms = now_ms + kPauseMs;
    }
  }
  if (schedule.due.empty()) return kNever;
  return std::max(schedule.due.begin()->first, schedule.not_before_ms);
}

int64_t Aging::Write(TransactionText* transaction, int64_t now_ms) {
  if (check_all_) {
    check_all_ = false;
    for (const int table : kTables) {
      world_->sb.database().table(table).ForEach(
          [&](const Row& row) { touched_.emplace_back(table, row.uuid()); });
    }
  }
  for (const auto& [table, uuid] : touched_) Reschedule(table, uuid);
  touched_.clear();
  for (const Uuid& uuid : touched_datapaths_) RescheduleDatapath(uuid);
  touched_datapaths_.clear();
  int64_t next = kNever;
  for (const int table : kTables) next = std::min(next, WriteTable(table, transaction, now_ms));
  return next;
}

}  // namespace northd
