// What differs between two snapshots of a table, found bit by bit.
#ifndef OVSDB_SNAPSHOT_DIFF_H_
#define OVSDB_SNAPSHOT_DIFF_H_

#include <cstddef>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "ovsdb/change.h"
#include "ovsdb/table.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// Pages that both snapshots hold cost one comparison. Of the others it lets go as it proceeds, so
// that rows that nobody else holds are freed bit by bit, too; for that the caller should give up
// the snapshots.
class SnapshotDiff {
 public:
  SnapshotDiff(const TableSnapshot& before, const TableSnapshot& after);

  // Looks at no more than a page of rows that differ, and appends what it finds: each row of the
  // table once, in any order. False, with nothing appended, when there is no more.
  bool Next(std::vector<RowChange>* changes);

 private:
  void ComparePages(const PageRef& before, const PageRef& after, std::vector<RowChange>* changes);
  bool NextGone(std::vector<RowChange>* changes);
  bool NextCome(std::vector<RowChange>* changes);

  std::vector<PageRef> before_, after_;
  size_t page_ = 0;  // The next to compare.
  // A row that went and came back may have done so at another position: rows without a counterpart
  // in their place are kept until all pages have been seen.
  std::vector<RowRef> gone_;
  absl::flat_hash_map<Uuid, RowRef> come_;
  size_t next_gone_ = 0;
};

}  // namespace ovsdb

#endif  // OVSDB_SNAPSHOT_DIFF_H_
