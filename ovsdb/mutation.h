// Mutations of columns: what `mutate` does to each row (RFC 7047 section 5.1 <mutation>).
#ifndef OVSDB_MUTATION_H_
#define OVSDB_MUTATION_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "ovsdb/datum.h"
#include "ovsdb/json.h"
#include "ovsdb/schema.h"
#include "ovsdb/type.h"

namespace ovsdb {

class Mutation {
 public:
  enum class Mutator : uint8_t {
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kRemainder,
    kInsert,
    kDelete,
  };

  // Errors as stock words them: syntax errors, "unknown column", "unknown mutator", and "constraint
  // violation" for an immutable column. `symbols` resolves named UUIDs. The table's schema must
  // outlive the mutation.
  static absl::StatusOr<Mutation> Parse(const TableSchema& table, const Json& json,
                                        SymbolTable* symbols);

  int column() const { return column_->index; }
  Mutator mutator() const { return mutator_; }

  // The column's new value; shares the old one where nothing changes. "range error", "domain error"
  // or "constraint violation" if there can be none.
  absl::StatusOr<Datum> Apply(const Datum& value) const;

 private:
  Mutation(const ColumnSchema* column, Mutator mutator, Datum argument)
      : column_(column), mutator_(mutator), argument_(std::move(argument)) {}
  absl::StatusOr<Datum> Calculate(const Datum& value) const;

  const ColumnSchema* column_;
  Mutator mutator_;
  Datum argument_;
};

}  // namespace ovsdb

#endif  // OVSDB_MUTATION_H_
