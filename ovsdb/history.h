// Recent changes by transaction id, so that a client that was away for a moment is sent what it
// missed and not everything (monitor_cond_since, ovsdb-server(7) section 4.1.15).
#ifndef OVSDB_HISTORY_H_
#define OVSDB_HISTORY_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "ovsdb/change.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// Puts changes together, each made on the state that the one before it left, into one with the
// effect of all. Rows that come and go meanwhile are left out.
class ChangeMerger {
 public:
  void Add(const Change& change);
  Change Take();

 private:
  struct MergedTable {
    std::vector<RowChange> rows;
    absl::flat_hash_map<Uuid, size_t> positions;
  };
  absl::btree_map<int, MergedTable> tables_;
};

// A change, and the name of the state that it led to.
struct NamedChange {
  Uuid id;
  Change change;
};

class History {
 public:
  // Keeps the newest changes that together take about `max_bytes`: what they are made of, and the
  // values that only they still hold.
  explicit History(size_t max_bytes) : max_bytes_(max_bytes) {}

  // `id` names the state that `change` led to. Zero ids are not kept: there is no history then.
  void Add(const Uuid& id, Change change);
  // Forgets everything; the state of now is `id`.
  void Reset(const Uuid& id);

  // What changed from the state `id` to now, merged (empty if that is the state of now), or nothing
  // if the state is not known (any more).
  std::optional<Change> Since(const Uuid& id) const;

  size_t size() const { return entries_.size(); }    // txn-history of memory/show.
  size_t atom_count() const { return atom_count_; }  // txn-history-atoms.
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Uuid id;
    Change change;
    size_t bytes;
    size_t atoms;
  };
  void DropOldest();

  size_t max_bytes_;
  size_t bytes_ = 0;
  size_t atom_count_ = 0;
  Uuid base_;  // The state before the oldest entry.
  std::deque<Entry> entries_;
};

}  // namespace ovsdb

#endif  // OVSDB_HISTORY_H_
