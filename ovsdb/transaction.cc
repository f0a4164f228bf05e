#include "ovsdb/transaction.h"

#include <algorithm>
#include <utility>

#include "ovsdb/error.h"
#include "ovsdb/integrity.h"
#include "ovsdb/operation.h"
#include "ovsdb/overlay.h"

namespace ovsdb {
namespace {

// What the overlay changes, with new versions for rows that were there before.
std::vector<TableChange> TakeChanges(Overlay* overlay, UuidGenerator* uuids) {
  std::vector<TableChange> changes;
  for (size_t i = 0; i < overlay->size(); i++) {
    Overlay::Entry& entry = overlay->entry(i);
    if (!entry.is_changed()) continue;
    auto change = std::lower_bound(changes.begin(), changes.end(), entry.table,
                                   [](const TableChange& a, int table) { return a.table < table; });
    if (change == changes.end() || change->table != entry.table) {
      change = changes.insert(change, TableChange{entry.table, {}});
    }
    RowChange& row = change->rows.emplace_back();
    row.before = RowRef(entry.before);
    if (!entry.after.has_value()) continue;
    if (entry.before != nullptr) entry.after->set_version(uuids->Next());
    row.after = std::move(*entry.after).Finish();
  }
  return changes;
}

// Appends to a JSON array whose bracket is open.
void Separate(std::string* array) {
  if (array->back() != '[') array->push_back(',');
}

}  // namespace

TransactionOutcome ExecuteTransaction(const Database& db, const Json& params,
                                      const TransactionContext& context) {
  TransactionOutcome outcome;
  Overlay overlay(db);
  OperationRunner runner(context, &overlay);
  outcome.result.push_back('[');
  absl::Status status;
  const int n_operations = static_cast<int>(params.Size()) - 1;
  int i = 1;
  for (; i <= n_operations && status.ok(); i++) {
    Separate(&outcome.result);
    const size_t begin = outcome.result.size();
    status = runner.Run(params[i], i, n_operations, &outcome.result);
    if (runner.must_wait()) {
      outcome.must_wait = true;
      outcome.timeout_msec = runner.timeout_msec();
      outcome.result.clear();
      return outcome;
    }
    if (!status.ok()) {
      outcome.result.resize(begin);
      AppendError(status, &outcome.result);
    }
  }
  for (; i <= n_operations; i++) outcome.result += ",null";

  outcome.operations_ok = status.ok();
  if (status.ok()) {
    status = CheckIntegrity(&overlay);
    if (status.ok()) {
      outcome.committed = true;
      outcome.durable = runner.durable();
      outcome.change.tables = TakeChanges(&overlay, context.uuids);
      outcome.change.comment = runner.comment();
    } else {
      Separate(&outcome.result);
      AppendError(status, &outcome.result);
    }
  }
  outcome.result += ']';
  return outcome;
}

absl::StatusOr<Change> CheckChange(const Database& db, Change change, UuidGenerator* uuids) {
  Overlay overlay(db);
  for (const TableChange& table : change.tables) {
    for (const RowChange& row : table.rows) {
      if (!row.after) {
        overlay.Delete(table.table, *row.before);
      } else if (!row.before) {
        overlay.Insert(table.table, MutableRow(*row.after, row.after->version()));
      } else {
        overlay.Modify(table.table, *row.before) = MutableRow(*row.after, row.after->version());
      }
    }
  }
  if (absl::Status status = CheckIntegrity(&overlay); !status.ok()) return status;
  change.tables = TakeChanges(&overlay, uuids);
  return change;
}

}  // namespace ovsdb
