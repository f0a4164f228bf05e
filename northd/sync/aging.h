// Deletes what controllers have learned and not seen again for long: MAC_Binding by the router's
// options:mac_binding_age_threshold, FDB by the switch's other_config:fdb_age_threshold; not while
// there are chassis that do not keep the timestamps. Such rows are many and touched often, so that
// there is no unit for each: what is due is kept in order.
#ifndef NORTHD_SYNC_AGING_H_
#define NORTHD_SYNC_AGING_H_

#include <cstdint>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "northd/output/transaction_text.h"
#include "northd/world.h"
#include "ovsdb/change.h"
#include "ovsdb/row.h"
#include "ovsdb/uuid.h"

namespace northd {

class Aging {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  // `world` outlives this.
  explicit Aging(World* world) : world_(world) {}

  // A row of one of the databases has changed.
  void ObserveNorthbound(int table, const ovsdb::RowChange& change);
  void ObserveSouthbound(int table, const ovsdb::RowChange& change);
  // Looks at every row at the next Write().
  void CheckAll() {
    check_all_ = true;
    touched_.clear();
    touched_datapaths_.clear();
  }
  // Adds what is to be deleted, no more of a table than NB_Global's *_removal_limit, if that is not
  // 0. Returns when there will be more. Times are milliseconds of the wall clock.
  int64_t Write(TransactionText* transaction, int64_t now_ms);

 private:
  // Rows of a table by when they are due.
  struct Schedule {
    std::set<std::pair<int64_t, ovsdb::Uuid>> due;
    absl::flat_hash_map<ovsdb::Uuid, int64_t> due_at;
    int64_t not_before_ms = 0;  // As many as may go at once have gone.
  };

  Schedule& ScheduleOf(int table);
  void Reschedule(int table, const ovsdb::Uuid& uuid);
  void RescheduleDatapath(const ovsdb::Uuid& nb_uuid);
  int64_t DueAt(int table, const ovsdb::Row& row) const;
  int64_t WriteTable(int table, TransactionText* transaction, int64_t now_ms);

  World* const world_;
  bool check_all_ = true;
  Schedule mac_bindings_;
  Schedule fdb_;
  std::vector<std::pair<int, ovsdb::Uuid>> touched_;
  std::vector<ovsdb::Uuid> touched_datapaths_;  // By switch or router.
};

}  // namespace northd

#endif  // NORTHD_SYNC_AGING_H_
