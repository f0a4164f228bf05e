// The operations of a transaction (RFC 7047 section 5.2, extended by ovsdb-server(7)): parsing,
// effect on the overlay, result.
#ifndef OVSDB_OPERATION_H_
#define OVSDB_OPERATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ovsdb/condition.h"
#include "ovsdb/database.h"
#include "ovsdb/json.h"
#include "ovsdb/object_parser.h"
#include "ovsdb/overlay.h"
#include "ovsdb/transaction.h"

namespace ovsdb {

// Runs the operations of one transaction, one after the other. Borrows all that it is given.
class OperationRunner {
 public:
  OperationRunner(const TransactionContext& context, Overlay* overlay)
      : context_(context), overlay_(*overlay), db_(overlay->db()), symbols_(context.uuids) {}

  // Runs operation `number` of `total` (counted from 1, for messages) and appends its result. An
  // error ends the transaction. So does an operation that must wait: then must_wait().
  absl::Status Run(const Json& json, int number, int total, std::string* result);

  bool must_wait() const { return must_wait_; }
  std::optional<int64_t> timeout_msec() const { return timeout_msec_; }  // Of the wait.
  bool durable() const { return durable_; }
  const std::string& comment() const { return comment_; }  // All comments, a line each.

 private:
  using Values = absl::InlinedVector<std::pair<int, Datum>, 8>;  // By column.

  struct Kind;
  static const Kind* FindKind(absl::string_view name);

  // Each takes the members of an operation, and runs it if their form is right.
  absl::Status Insert(ObjectParser* parser, std::string* result);
  absl::Status Select(ObjectParser* parser, std::string* result);
  absl::Status Update(ObjectParser* parser, std::string* result);
  absl::Status Mutate(ObjectParser* parser, std::string* result);
  absl::Status Delete(ObjectParser* parser, std::string* result);
  absl::Status Wait(ObjectParser* parser, std::string* result);
  absl::Status Commit(ObjectParser* parser, std::string* result);
  absl::Status Abort(ObjectParser* parser, std::string* result);
  absl::Status Comment(ObjectParser* parser, std::string* result);
  absl::Status Assert(ObjectParser* parser, std::string* result);

  // "Parsing ovsdb operation 1 of 1 failed: ...".
  absl::Status FormError(const ObjectParser& parser) const;
  const TableSchema* TakeTable(ObjectParser* parser) const;
  absl::StatusOr<Values> ParseRow(const TableSchema& table, const Json& json);
  absl::StatusOr<Uuid> ChooseUuid(const TableSchema& table, const Json* uuid, const Json* name);
  absl::Status CheckDefaults(const TableSchema& table, const Values& values) const;
  absl::StatusOr<bool> Holds(const TableSchema& table, const Condition& condition,
                             absl::Span<const int> columns, const Json& rows);
  absl::Status Postpone(std::optional<int64_t> timeout_msec);

  const TransactionContext& context_;
  Overlay& overlay_;
  const Database& db_;
  SymbolTable symbols_;
  const Json* json_ = nullptr;  // The operation that runs,
  int number_ = 0;              // which it is,
  int total_ = 0;               // and of how many.
  bool must_wait_ = false;
  std::optional<int64_t> timeout_msec_;
  bool durable_ = false;
  std::string comment_;
};

}  // namespace ovsdb

#endif  // OVSDB_OPERATION_H_
