// The rows as a running transaction sees them: the unmodified database with its own changes laid
// over it.
#ifndef OVSDB_OVERLAY_H_
#define OVSDB_OVERLAY_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "ovsdb/change.h"
#include "ovsdb/condition.h"
#include "ovsdb/database.h"
#include "ovsdb/row.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// Borrows the database, which must not change meanwhile. Rows that are handed out stay valid until
// the overlay changes them.
class Overlay {
 public:
  // A row that the transaction changed, or whose references it counts.
  struct Entry {
    int table;
    Uuid uuid;
    const Row* before;                               // Null: not in the database.
    std::optional<MutableRow> after = std::nullopt;  // A new version, of a row that is not deleted.
    bool deleted = false;
    // Strong references to the row that the transaction has added, less those it has removed.
    int64_t added_references = 0;

    const Row* current() const {
      if (deleted) return nullptr;
      return after.has_value() ? &after->row() : before;
    }
    bool is_inserted() const { return before == nullptr && !deleted; }
    bool is_changed() const { return after.has_value() || (deleted && before != nullptr); }
  };
  using Rows = absl::InlinedVector<const Row*, 4>;

  explicit Overlay(const Database& db) : db_(db) {}

  const Database& db() const { return db_; }

  const Row* Find(int table, const Uuid& uuid) const;  // Null if there is none.
  // The rows that match all clauses: by UUID or by an index where the clauses allow it.
  Rows Select(int table, const Condition& condition) const;
  // Whether an insertion may use the UUID: neither in the table nor deleted from it just now.
  bool IsFree(int table, const Uuid& uuid) const;

  void Insert(int table, MutableRow row);  // Requires IsFree().
  // A version of a current row to write to.
  MutableRow& Modify(int table, const Row& row);
  void Delete(int table, const Row& row);  // Requires a current row.

  // All entries, in the order in which the transaction came upon them. Entries are added at the
  // end: go through them by position where that may happen.
  size_t size() const { return entries_.size(); }
  Entry& entry(size_t i) { return entries_[i]; }
  // The entry of a row, or null.
  const Entry* FindEntry(int table, const Uuid& uuid) const;
  // Its position, made if there is no entry yet; -1 if there is no such row at all.
  int Touch(int table, const Uuid& uuid);

 private:
  // Up to here looking through all entries is faster than hashing.
  static constexpr size_t kMaxLinear = 8;

  int FindPosition(int table, const Uuid& uuid) const;
  Entry& Add(int table, const Uuid& uuid, const Row* before);
  const Row* CurrentOf(int table, const Row& base) const;

  const Database& db_;
  absl::InlinedVector<Entry, kMaxLinear> entries_;
  // Filled when there are more entries than kMaxLinear.
  absl::flat_hash_map<std::pair<int, Uuid>, uint32_t> positions_;
};

}  // namespace ovsdb

#endif  // OVSDB_OVERLAY_H_
