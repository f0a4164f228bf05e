// A table's current rows, and snapshots of them that cost pages, not rows.
#ifndef OVSDB_TABLE_H_
#define OVSDB_TABLE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
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

// The current rows. Single-threaded, but for its snapshots.
class Table {
 public:
  explicit Table(const TableSchema* schema)
      : schema_(schema), slots_(0, SlotHash(), SlotEqual{&pages_}) {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const TableSchema& schema() const { return *schema_; }
  size_t size() const { return slots_.size(); }

  const Row* Find(const Uuid& uuid) const;  // Null if there is none.
  RowRef FindRef(const Uuid& uuid) const;

  // Inserts or replaces by UUID. Does not look at constraints, indexes or references.
  void Put(RowRef row);
  void Erase(const Uuid& uuid);

  // Costs one pointer per page the first time after a write, nothing again until the next.
  TableSnapshot Snapshot() const;

  template <typename F>  // f(const Row&); the table must not change meanwhile.
  void ForEach(F&& f) const {
    for (const Ref<Page>& page : pages_) {
      for (const RowRef& row : page->rows) {
        if (row) f(*row);
      }
    }
  }

 private:
  // Where a row is, with part of its UUID's hash: so neither growing nor most comparisons look at
  // the row, and a row costs eight bytes here.
  struct Slot {
    uint32_t position;
    uint32_t hash;
  };
  struct Key {
    explicit Key(const Uuid& u) : uuid(u), hash(static_cast<uint32_t>(absl::HashOf(u))) {}
    const Uuid& uuid;
    uint32_t hash;
  };
  struct SlotHash {
    using is_transparent = void;
    size_t operator()(const Slot& slot) const { return absl::HashOf(slot.hash); }
    size_t operator()(const Key& key) const { return absl::HashOf(key.hash); }
  };
  struct SlotEqual {
    using is_transparent = void;
    const std::vector<Ref<Page>>* pages;
    bool operator()(const Slot& a, const Slot& b) const { return a.position == b.position; }
    bool operator()(const Slot& slot, const Key& key) const {
      return slot.hash == key.hash && RowAt(*pages, slot.position)->uuid() == key.uuid;
    }
  };

  static const RowRef& RowAt(const std::vector<Ref<Page>>& pages, uint32_t position) {
    return pages[position / Page::kSlots]->rows[position % Page::kSlots];
  }
  // The row's place, in a page that no snapshot holds.
  RowRef& MutableRowAt(uint32_t position);
  uint32_t TakeFreePosition();

  const TableSchema* schema_;
  std::vector<Ref<Page>> pages_;
  absl::flat_hash_set<Slot, SlotHash, SlotEqual> slots_;
  std::vector<uint32_t> free_positions_;
  mutable std::shared_ptr<const std::vector<PageRef>> snapshot_pages_;  // Null: written to since.
};

}  // namespace ovsdb

#endif  // OVSDB_TABLE_H_
