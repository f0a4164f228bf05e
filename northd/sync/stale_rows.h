// Deletes what controllers have learned about datapaths and ports that are no more: MAC_Binding,
// FDB, IGMP_Group and Learned_Route. Such rows are many and come and go by themselves, so that
// there is no unit for each: they are looked at when they come, and when what they belong to goes.
#ifndef NORTHD_SYNC_STALE_ROWS_H_
#define NORTHD_SYNC_STALE_ROWS_H_

#include <utility>
#include <vector>

#include "northd/output/transaction_text.h"
#include "northd/world.h"
#include "ovsdb/change.h"
#include "ovsdb/row.h"
#include "ovsdb/uuid.h"

namespace northd {

class StaleRows {
 public:
  // `world` outlives this.
  explicit StaleRows(World* world) : world_(world) {}

  // A row of the southbound has changed.
  void Observe(int table, const ovsdb::RowChange& change);
  // A row of the southbound is about to be deleted, by what is being written.
  void OnDelete(int table, const ovsdb::Row& row);
  // Looks at every row at the next Write().
  void CheckAll() {
    check_all_ = true;
    suspects_.clear();
  }
  // Adds what is to be deleted. After the rows that units emit have been written.
  void Write(TransactionText* transaction);

 private:
  bool IsStale(int table, const ovsdb::Row& row) const;
  // Learned by a router: not of a switch's port, and not of none.
  bool IsRouterPort(const ovsdb::Uuid& port) const;
  bool IsSwitch(const ovsdb::Uuid& datapath) const;
  bool IsWanted(const ovsdb::Uuid& uuid) const;
  void ObserveKeys(int table, const ovsdb::Row& before, const ovsdb::Row& after);
  // What FDB has under the key of the Datapath_Binding, which may be null.
  void AddLearnedBy(const ovsdb::Row* datapath);
  void AddIndexed(int table, int column, const ovsdb::Atom& value);

  World* const world_;
  bool check_all_ = true;
  std::vector<std::pair<int, ovsdb::Uuid>> suspects_;
};

}  // namespace northd

#endif  // NORTHD_SYNC_STALE_ROWS_H_
