// Conditions on rows: the `where` of operations and monitors (RFC 7047 section 5.1 <condition>,
// extended by ovsdb-server(7) with booleans and order comparisons on optional numbers).
#ifndef OVSDB_CONDITION_H_
#define OVSDB_CONDITION_H_

#include <cstdint>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "ovsdb/datum.h"
#include "ovsdb/json.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"
#include "ovsdb/type.h"

namespace ovsdb {

// One comparison of a column with a constant, or a constant truth.
//
// Comparisons are kept in their simplest form: on a column of at most one element `includes` of an
// element is kept as kEqual (and `excludes` as kNotEqual), of nothing as kTrue; so whoever indexes
// clauses by value need look at kEqual and, for sets and maps, kIncludes only.
class Clause {
 public:
  enum class Function : uint8_t {
    kFalse,
    kTrue,
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kIncludes,
    kExcludes,
  };

  // Syntax errors and "unknown column", "unknown function" or "constraint violation" as stock words
  // them. `symbols` resolves named UUIDs; without it they are syntax errors.
  static absl::StatusOr<Clause> Parse(const TableSchema& table, const Json& json,
                                      SymbolTable* symbols);

  Function function() const { return function_; }
  bool is_constant() const { return function_ <= Function::kTrue; }
  int column() const { return column_; }               // ColumnSchema::index; 0 if constant.
  const Datum& argument() const { return argument_; }  // Empty if constant.

  // `row` must be of the table that the clause was parsed for.
  bool Matches(const Row& row) const;

  // Total, so that equal conditions can be brought into one order and found again.
  bool operator==(const Clause& o) const {
    return function_ == o.function_ && column_ == o.column_ && argument_ == o.argument_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Clause& c) {
    return H::combine(std::move(h), c.function_, c.column_, c.argument_);
  }

 private:
  Clause() = default;
  explicit Clause(bool truth) : function_(truth ? Function::kTrue : Function::kFalse) {}
  void Simplify(const ColumnType& type);
  bool MatchesAtom(const Atom& atom) const;
  bool MatchesDatum(const Datum& datum) const;

  Function function_ = Function::kFalse;
  int column_ = 0;
  Datum argument_;
};

// A list of clauses. Operations want rows that match all of them, monitors rows that match any.
class Condition {
 public:
  Condition() = default;  // No clauses: every row matches, either way.

  // `json` must be an array.
  static absl::StatusOr<Condition> Parse(const TableSchema& table, const Json& json,
                                         SymbolTable* symbols);

  const absl::InlinedVector<Clause, 1>& clauses() const { return clauses_; }

  // The conjunction, as in `transact`.
  bool MatchesAll(const Row& row) const;
  // The union, as in `monitor_cond`; true without clauses.
  bool MatchesAny(const Row& row) const;
  // Whether MatchesAny() holds for every row there can be.
  bool always_matches_any() const;

  bool operator==(const Condition& o) const { return clauses_ == o.clauses_; }

 private:
  absl::InlinedVector<Clause, 1> clauses_;
};

}  // namespace ovsdb

#endif  // OVSDB_CONDITION_H_
