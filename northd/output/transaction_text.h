// The text of a transaction under construction (RFC 7047 section 4.1.3 "transact").
#ifndef NORTHD_OUTPUT_TRANSACTION_TEXT_H_
#define NORTHD_OUTPUT_TRANSACTION_TEXT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"

namespace northd {

class TransactionText {
 public:
  // Column by number and new value.
  using Columns = std::vector<std::pair<int, ovsdb::Datum>>;

  explicit TransactionText(const ovsdb::DatabaseSchema* schema) : schema_(schema) {}

  // The transaction fails unless the session holds the lock.
  void AssertLock(absl::string_view lock);
  void Insert(int table, const ovsdb::Uuid& uuid, const Columns& columns);
  void Update(int table, const ovsdb::Uuid& uuid, const Columns& columns);
  // Adds elements to a set and takes others out of it.
  void MutateSet(int table, const ovsdb::Uuid& uuid, int column, const ovsdb::Datum& insert,
                 const ovsdb::Datum& remove);
  // Makes maps of a row what they shall be from what they are, pair by pair: others may be at other
  // pairs meanwhile.
  struct MapChange {
    int column;
    ovsdb::Datum before;
    ovsdb::Datum after;
  };
  void MutateMaps(int table, const ovsdb::Uuid& uuid, const std::vector<MapChange>& changes);
  void Delete(int table, const ovsdb::Uuid& uuid);
  void Comment(absl::string_view comment);

  // Rows that are written or deleted.
  size_t row_count() const { return n_rows_; }
  // The params of `transact`.
  std::string Params() const;

 private:
  void Begin(absl::string_view op);
  void Count(int table, const ovsdb::Uuid& uuid);
  void Mutation(int table, int column, absl::string_view mutator, const ovsdb::Datum& elements);
  void Where(int table, const ovsdb::Uuid& uuid);
  void Row(int table, const Columns& columns);

  const ovsdb::DatabaseSchema* schema_;
  std::string operations_;
  size_t n_rows_ = 0;
  std::pair<int, ovsdb::Uuid> last_row_{-1, {}};  // Table and row of the last operation.
};

}  // namespace northd

#endif  // NORTHD_OUTPUT_TRANSACTION_TEXT_H_
