// A database's contents as units read them: rows, whole tables, and rows by the value of a column.
//
// What a unit reads is recorded, so that it runs again when that changes. Looking without being
// recorded is for writers, and for what a unit only begins with: which number a row that is there
// already has.
#ifndef NORTHD_REPLICA_REPLICA_H_
#define NORTHD_REPLICA_REPLICA_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "northd/engine/engine.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/datum.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"

namespace northd {

class Replica {
 public:
  // An empty database. `engine` outlives this.
  Replica(ovsdb::SchemaRef schema, engine::Engine* engine);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  const ovsdb::Database& database() const { return *database_; }

  // Makes the change and lets the units run that read what it changes. `observer` of what changes
  // is told afterwards.
  void Apply(const ovsdb::Change& change);
  void SetObserver(std::function<void(int table, const ovsdb::RowChange&)> observer) {
    observer_ = std::move(observer);
  }

  // ---- For units ----

  // A row, or null: that there is none is read, too. Of its columns none is read yet: Context::
  // ReadMore(*edge, 1 << column) records one.
  const ovsdb::Row* Read(engine::Context& context, int table, const ovsdb::Uuid& uuid,
                         uint32_t* edge);
  // Which rows there are, in order.
  absl::Span<const ovsdb::Uuid> ReadAll(engine::Context& context, int table);
  // The rows that have `value` in `column`, as an element or, with `map_key`, as what the map has
  // under it; in order.
  absl::Span<const ovsdb::Uuid> ReadIndex(engine::Context& context, int table, int column,
                                          const ovsdb::Atom& value, absl::string_view map_key = {});

  // ---- Without being recorded ----

  const ovsdb::Row* Peek(int table, const ovsdb::Uuid& uuid) const {
    return database_->table(table).Find(uuid);
  }
  absl::Span<const ovsdb::Uuid> PeekIndex(int table, int column, const ovsdb::Atom& value,
                                          absl::string_view map_key = {});

  // Forgets cells that nobody reads. Between passes.
  void Sweep();

 private:
  // Rows with one value.
  struct IndexEntry {
    ovsdb::Datum key;
    std::vector<ovsdb::Uuid> rows;  // In order.
    engine::Cell cell;
  };
  struct EntryHash {
    using is_transparent = void;
    size_t operator()(const ovsdb::Atom& atom) const { return absl::HashOf(atom); }
    size_t operator()(const std::unique_ptr<IndexEntry>& entry) const {
      return absl::HashOf(entry->key.key(0));
    }
  };
  struct EntryEqual {
    using is_transparent = void;
    static ovsdb::Atom Key(const ovsdb::Atom& atom) { return atom; }
    static ovsdb::Atom Key(const std::unique_ptr<IndexEntry>& entry) { return entry->key.key(0); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) == Key(b);
    }
  };
  struct Index {
    int column;
    std::string map_key;
    absl::flat_hash_set<std::unique_ptr<IndexEntry>, EntryHash, EntryEqual> entries;
  };
  // A row that was read: as it is, or null where there is none.
  struct RowCell {
    const ovsdb::Row* row;
    engine::Cell cell;
  };
  struct Table {
    absl::flat_hash_map<ovsdb::Uuid, std::unique_ptr<RowCell>> cells;  // That were read.
    std::vector<std::unique_ptr<Index>> indexes;                       // That were asked for.
    engine::Cell membership;
    std::vector<ovsdb::Uuid> rows;  // In order, if `rows_valid`.
    bool rows_valid = false;
  };

  static void ForEachKey(const Index& index, const ovsdb::Row& row,
                         absl::FunctionRef<void(const ovsdb::Atom&)> f);
  Index& FindIndex(int table, int column, absl::string_view map_key);
  static IndexEntry& FindEntry(Index* index, const ovsdb::Atom& value);
  void UpdateIndex(Index* index, const ovsdb::RowChange& change);

  engine::Engine* const engine_;
  std::unique_ptr<ovsdb::Database> database_;
  std::vector<Table> tables_;
  std::function<void(int, const ovsdb::RowChange&)> observer_;
  // Cells and entries of what is gone: to be looked at in Sweep().
  std::vector<std::pair<int, ovsdb::Uuid>> gone_rows_;
  std::vector<std::pair<Index*, IndexEntry*>> empty_entries_;
};

}  // namespace northd

#endif  // NORTHD_REPLICA_REPLICA_H_
