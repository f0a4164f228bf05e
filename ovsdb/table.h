// A table's current rows, and snapshots of them that cost pages, not rows.
#ifndef OVSDB_TABLE_H_
#define OVSDB_TABLE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "ovsdb/ref_counted.h"
#include "ovsdb/row.h"

namespace ovsdb {

// A fixed number of row slots. Shared between the table and its snapshots; the table copies a
// page before it writes to one that a snapshot also holds. A reader that keeps results by page
// (serialised JSON, say) can rely on an equal pointer meaning equal rows while it holds the page.
class Page : public RefCounted<Page> {
 public:
  static constexpr int kSlots = 128;
  std::array<RowRef, kSlots> rows;  // Null: a free slot.
};

using PageRef = Ref<const Page>;

// The rows of one table at one moment. Copying shares. Safe on any thread.
class TableSnapshot {
 public:
  TableSnapshot() = default;
  TableSnapshot(const TableSchema* schema, std::shared_ptr<const std::vector<PageRef>> pages,
                size_t n_rows);

  const TableSchema& schema() const { return *schema_; }
  size_t size() const { return n_rows_; }
  const std::vector<PageRef>& pages() const { return *pages_; }

  template <typename F>  // f(const RowRef&)
  void ForEach(F&& f) const {
    for (const PageRef& page : *pages_) {
      for (const RowRef& row : page->rows) {
        if (row) f(row);
      }
    }
  }

 private:
  const TableSchema* schema_ = nullptr;
  std::shared_ptr<const std::vector<PageRef>> pages_;
  size_t n_rows_ = 0;
};

// Calls f(before, after) (one of them null for a row that came or went) for each row that
// differs between two snapshots of a table. Pages that both hold cost one comparison.
template <typename F>
void DiffSnapshots(const TableSnapshot& before, const TableSnapshot& after, F&& f);

// The current rows. Single-threaded, but for its snapshots.
class Table {
 public:
  explicit Table(const TableSchema* schema) : schema_(schema) {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableSchema& schema() const { return *schema_; }
  size_t size() const { return slot_of_.size(); }

  const Row* Find(const Uuid& uuid) const;  // Null if there is none.
  RowRef FindRef(const Uuid& uuid) const;

  // Inserts or replaces by UUID. Does not look at constraints, indexes or references.
  void Put(RowRef row);
  void Erase(const Uuid& uuid);

  // Costs one pointer per page the first time after a write, nothing again until the next.
  TableSnapshot Snapshot() const;

  template <typename F>  // f(const Row&); the table must not change meanwhile.
  void ForEach(F&& f) const;

 private:
  const TableSchema* schema_;
  absl::flat_hash_map<Uuid, uint32_t> slot_of_;
  std::vector<Ref<Page>> pages_;
  std::vector<uint32_t> free_slots_;
  mutable std::shared_ptr<const std::vector<PageRef>> snapshot_pages_;
};

}  // namespace ovsdb

#endif  // OVSDB_TABLE_H_
