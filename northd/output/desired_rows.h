// Rows that tables of a database shall have, as units emit them.
//
//   OutRow row = OutRow::Of<sb::PortBinding>(port.name());       // Its key: a name for it that
//   row.Set(sb::PortBinding::kType, "patch");                    // survives restarts.
//   Emit(ctx, ctx.world().sb_rows, std::move(row));
//
// Several units may each emit some of a row's columns. A row is named by table and key, and gets
// the UUID of the row of this key that is there already, or else a new one: so rows can refer to
// each other before they are written. Columns that are not set are left alone. Large sets may also
// be emitted element by element, by many units.
#ifndef NORTHD_OUTPUT_DESIRED_ROWS_H_
#define NORTHD_OUTPUT_DESIRED_ROWS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "northd/engine/engine.h"
#include "northd/replica/replica.h"
#include "ovsdb/datum.h"
#include "ovsdb/uuid.h"

namespace northd {

// A row under construction.
class OutRow {
 public:
  OutRow(int table, std::string key) : table_(table), key_(std::move(key)) {}
  template <typename R>
  static OutRow Of(absl::string_view key) {
    return OutRow(R::kTable, std::string(key));
  }

  void Set(int column, ovsdb::Datum value);
  void Set(int column, absl::string_view value);
  void Set(int column, const char* value) { Set(column, absl::string_view(value)); }
  void Set(int column, const std::string& value) { Set(column, absl::string_view(value)); }
  void Set(int column, int64_t value);
  void Set(int column, int value) { Set(column, static_cast<int64_t>(value)); }
  void Set(int column, bool value);
  void Set(int column, const ovsdb::Uuid& value);
  void Set(int column, absl::Span<const std::string> values);
  void Set(int column, const std::vector<std::string>& values) {
    Set(column, absl::MakeConstSpan(values));
  }
  void Set(int column, absl::Span<const ovsdb::Uuid> values);
  void Set(int column, const std::vector<ovsdb::Uuid>& values) {
    Set(column, absl::MakeConstSpan(values));
  }
  void Set(int column, const std::map<std::string, std::string>& values);
  void SetEmpty(int column) { Set(column, ovsdb::Datum()); }
  // A value that is written only where the row has none yet: what others go on from.
  template <typename T>
  void SetDefault(int column, const T& value) {
    Set(column, value);
    columns_.back().first |= kDefault;
  }
  static constexpr int kDefault = 1 << 16;  // Added to a column's number.

 private:
  friend class DesiredRows;
  int table_;
  std::string key_;
  std::vector<std::pair<int, ovsdb::Datum>> columns_;
};

class DesiredRows final : public engine::Sink {
 public:
  // What a table's rows are to us.
  struct Policy {
    // The key of a row that is there; "" for one that cannot be ours.
    std::function<std::string(Replica& replica, const ovsdb::Row& row)> key_of;
    bool insert = true;                                     // Rows that are not there yet are made.
    bool delete_others = true;                              // Rows that nobody emits are deleted,
    std::function<bool(const ovsdb::Row& row)> is_foreign;  // but for those that this says, if set.
    std::vector<int> element_columns;  // That EmitElement() may fill: empty without any.
    int number_column = 0;             // That has a number of our choice; 0: there is none.
    bool keys_are_uuids = false;       // A row is made with the UUID that its key is the text of.
  };
  using Columns = std::vector<std::pair<int, ovsdb::Datum>>;  // By number.

  struct Desired {
    int table = 0;
    std::string key;
    ovsdb::Uuid uuid;
    std::vector<uint32_t> contents;  // Numbers of what is emitted for it, oldest first.
    // Of elements that are emitted one by one: by column and atom's number, how often.
    absl::flat_hash_map<uint64_t, uint32_t> elements;
    std::vector<uint64_t> touched_elements;
    bool touched = false;
    bool contents_touched = false;
  };

  // `replica` and `uuids` outlive this.
  DesiredRows(engine::Engine* engine, Replica* replica, ovsdb::UuidGenerator* uuids);

  void Declare(int table, Policy policy);

  // ---- For units ----

  // The UUID of the row with this key, existing or to be. What is to be shall have `wish`, unless
  // that is zero or another's.
  ovsdb::Uuid Identity(int table, absl::string_view key, const ovsdb::Uuid& wish = {});
  // A new row for this key, in the place of the one that is there: so what others have written into
  // that or refer to it by is gone. Its UUID is made of `as`, which says what the row is of now;
  // none is made if the one that is there has that UUID, or else it might be for ever.
  ovsdb::Uuid Renew(int table, absl::string_view key, absl::string_view as);
  void Emit(engine::Context& ctx, OutRow row);
  // One element of a set in the row of this key, for which somebody else emits the rest.
  void EmitElement(engine::Context& ctx, int table, absl::string_view key, int column,
                   const ovsdb::Atom& element);

  // ---- For the writer ----

  const Policy& policy(int table) const { return policies_[static_cast<size_t>(table)]; }
  bool declared(int table) const { return policies_[static_cast<size_t>(table)].key_of != nullptr; }
  Desired* Find(uint32_t number) { return rows_[number].get(); }
  Desired* FindByUuid(const ovsdb::Uuid& uuid);
  uint32_t row_count() const { return static_cast<uint32_t>(rows_.size()); }
  // Whether somebody emits the row; elements alone do not make one.
  bool Wanted(const Desired& desired) const { return !desired.contents.empty(); }
  // What its columns shall be: those of all who emit it, the older one's where two set the same,
  // and elements put together.
  // `present` is the row as it is, or null.
  Columns ContentOf(const Desired& desired, const ovsdb::Row* present) const;
  // Whether a column is set as a whole.
  bool SetsColumn(const Desired& desired, int column) const;
  const ovsdb::Datum& atom(uint64_t element) const {
    return atoms_[static_cast<uint32_t>(element)].atom;
  }
  std::vector<uint32_t> TakeTouched();
  // Rows that new ones are in the place of, by table.
  std::vector<std::pair<int, ovsdb::Uuid>> TakeReplaced() { return std::exchange(replaced_, {}); }
  void Touch(uint32_t number);
  // The row of the database has changed: of elements, only those that did are looked at.
  void TouchChanged(const ovsdb::RowChange& change);
  // Gives rows that are not there under their UUIDs those of the rows that are there by their keys:
  // others have made them since. True if one has another UUID now, or another number there, so that
  // every unit must run again. `all` rows, or those that are touched.
  bool AdoptExisting(bool all);
  // Forgets a row that nobody emits.
  void EraseIfUnused(uint32_t number);
  // Once all touched rows are written: another row may have lost the same element.
  void FreeUnusedAtoms();

  // The replica's row has changed: keys of rows that are there.
  void Observe(int table, const ovsdb::RowChange& change);

  void Add(const engine::Emission& emission) override;
  void Remove(const engine::Emission& emission) override;

 private:
  struct Content {
    Columns columns;
    uint32_t references = 0;
  };
  struct Element {
    ovsdb::Datum atom;
    uint32_t references = 0;
  };
  // Keys of the rows that are there, by table.
  struct Existing {
    bool known = false;
    absl::flat_hash_map<std::string, ovsdb::Uuid> by_key;
  };

  uint32_t FindOrMake(int table, absl::string_view key, const ovsdb::Uuid& wish = {});
  void Rename(uint32_t number, const ovsdb::Uuid& uuid);
  bool Adopt(uint32_t number);
  ovsdb::Uuid FindExisting(int table, absl::string_view key);
  uint32_t FindOrMakeContent(const Desired& desired, Columns columns);
  uint32_t FindOrMakeAtom(const ovsdb::Atom& atom);
  static uint64_t ElementKey(uint32_t column, uint32_t atom) {
    return uint64_t{column} << 32 | atom;
  }

  const uint32_t sink_;
  Replica* const replica_;
  ovsdb::UuidGenerator* const uuids_;
  std::vector<Policy> policies_;
  std::vector<Existing> existing_;
  std::vector<std::unique_ptr<Desired>> rows_;
  std::vector<uint32_t> free_rows_;
  std::vector<absl::flat_hash_map<std::string, uint32_t>> by_key_;  // By table.
  absl::flat_hash_map<ovsdb::Uuid, uint32_t> by_uuid_;
  std::vector<Content> contents_;
  std::vector<uint32_t> free_contents_;
  std::vector<Element> atoms_;
  std::vector<uint32_t> free_atoms_;
  std::vector<uint32_t> unused_atoms_;
  absl::flat_hash_map<ovsdb::Datum, uint32_t> atom_numbers_;
  std::vector<uint32_t> touched_;
  std::vector<std::pair<int, ovsdb::Uuid>> replaced_;
  std::vector<uint32_t> asked_;  // Rows that were only asked for, perhaps.
};

}  // namespace northd

#endif  // NORTHD_OUTPUT_DESIRED_ROWS_H_
