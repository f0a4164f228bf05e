#include "northd/output/row_writer.h"

#include <algorithm>
#include <map>

namespace northd {
namespace {

using ovsdb::Atom;
using ovsdb::ColumnSchema;
using ovsdb::Datum;

// A set is mutated rather than written anew where that is so much shorter.
constexpr size_t kMutateAdvantage = 4;

}  // namespace

void RowWriter::Observe(int table, const ovsdb::RowChange& change) {
  desired_->Observe(table, change);
  if (!desired_->declared(table)) return;
  if (desired_->FindByUuid(change.uuid()) != nullptr) {
    desired_->TouchChanged(change);
  } else if (change.after && desired_->policy(table).delete_others) {
    strangers_.emplace_back(table, change.uuid());
  }
}

void RowWriter::TouchAll() {
  if (!check_all_) return;
  check_all_ = false;
  const size_t n_tables = replica_->database().schema().tables.size();
  for (int table = 0; table < static_cast<int>(n_tables); ++table) {
    if (!desired_->declared(table) || !desired_->policy(table).delete_others) continue;
    replica_->database().table(table).ForEach(
        [&](const ovsdb::Row& row) { strangers_.emplace_back(table, row.uuid()); });
  }
  for (uint32_t i = 0; i < desired_->row_count(); ++i) {
    DesiredRows::Desired* desired = desired_->Find(i);
    if (desired == nullptr) continue;
    desired->contents_touched = true;
    desired_->Touch(i);
  }
}

void RowWriter::AddReplaced() {
  for (const auto& replaced : desired_->TakeReplaced()) strangers_.push_back(replaced);
}

void RowWriter::Settle() {
  TouchAll();
  TransactionText nowhere(&replica_->database().schema());
  std::vector<uint32_t> wrong;
  for (uint32_t number : desired_->TakeTouched()) {
    const size_t before = nowhere.row_count();
    WriteRow(number, &nowhere);
    if (nowhere.row_count() != before) wrong.push_back(number);
  }
  for (uint32_t number : wrong) {
    desired_->Find(number)->contents_touched = true;
    desired_->Touch(number);
  }
  AddReplaced();
  std::sort(strangers_.begin(), strangers_.end());
  strangers_.erase(std::unique(strangers_.begin(), strangers_.end()), strangers_.end());
  std::erase_if(strangers_, [this](const auto& stranger) {
    return replica_->Peek(stranger.first, stranger.second) == nullptr ||
           desired_->FindByUuid(stranger.second) != nullptr;
  });
}

void RowWriter::Write(TransactionText* transaction) {
  TouchAll();
  for (uint32_t number : desired_->TakeTouched()) WriteRow(number, transaction);
  desired_->FreeUnusedAtoms();
  AddReplaced();
  // After that: rows that nobody wants any more have been forgotten.
  for (const auto& [table, uuid] : strangers_) {
    const ovsdb::Row* row = replica_->Peek(table, uuid);
    if (row == nullptr || desired_->FindByUuid(uuid) != nullptr) continue;
    const auto& is_foreign = desired_->policy(table).is_foreign;
    if (is_foreign && is_foreign(*row)) continue;
    transaction->Delete(table, uuid);
    if (on_delete_) on_delete_(table, *row);
  }
  strangers_.clear();
}

void RowWriter::WriteRow(uint32_t number, TransactionText* transaction) {
  DesiredRows::Desired& desired = *desired_->Find(number);
  const DesiredRows::Policy& policy = desired_->policy(desired.table);
  const ovsdb::Row* row = replica_->Peek(desired.table, desired.uuid);
  if (!desired_->Wanted(desired)) {
    if (row != nullptr && policy.delete_others) {
      strangers_.emplace_back(desired.table, desired.uuid);
    }
  } else if (row == nullptr) {
    if (policy.insert) {
      transaction->Insert(desired.table, desired.uuid, desired_->ContentOf(desired, nullptr));
    }
  } else if (desired.contents_touched || !WriteElements(desired, *row, transaction)) {
    WriteColumns(desired, *row, transaction);
  }
  desired_->EraseIfUnused(number);
}

void RowWriter::WriteColumns(const DesiredRows::Desired& desired, const ovsdb::Row& row,
                             TransactionText* transaction) {
  const ovsdb::TableSchema& table =
      replica_->database().schema().tables[static_cast<size_t>(desired.table)];
  DesiredRows::Columns changed;
  std::vector<TransactionText::MapChange> maps;
  for (auto& [column, datum] : desired_->ContentOf(desired, &row)) {
    const ColumnSchema& schema = table.columns[static_cast<size_t>(column)];
    const Datum& present = row.datum(column);
    // A column that was left empty and may not be has its default.
    if (present == datum ||
        (datum.empty() && schema.type.n_min > 0 && schema.type.IsDefault(present))) {
      continue;
    }
    if (schema.type.is_map()) {
      maps.push_back({column, present, std::move(datum)});
    } else {
      changed.emplace_back(column, std::move(datum));
    }
  }
  if (!maps.empty()) transaction->MutateMaps(desired.table, desired.uuid, maps);
  if (changed.empty()) return;
  if (changed.size() == 1) {
    const auto& [column, datum] = changed.front();
    if (table.columns[static_cast<size_t>(column)].type.is_set()) {
      const Datum insert = ovsdb::Subtract(datum, row.datum(column));
      const Datum remove = ovsdb::Subtract(row.datum(column), datum);
      if ((insert.size() + remove.size()) * kMutateAdvantage <= datum.size()) {
        transaction->MutateSet(desired.table, desired.uuid, column, insert, remove);
        return;
      }
    }
  }
  transaction->Update(desired.table, desired.uuid, changed);
}

// Writes only what has changed among the elements that are emitted one by one. False if that cannot
// be told apart from the rest.
bool RowWriter::WriteElements(const DesiredRows::Desired& desired, const ovsdb::Row& row,
                              TransactionText* transaction) {
  std::map<int, std::pair<std::vector<Atom>, std::vector<Atom>>> changes;
  for (uint64_t element : desired.touched_elements) {
    const int column = static_cast<int>(element >> 32);
    const Atom atom = desired_->atom(element).key(0);
    const bool wanted = desired.elements.contains(element);
    if (wanted == row.datum(column).Contains(atom)) continue;
    if (desired_->SetsColumn(desired, column)) return false;
    auto& [insert, remove] = changes[column];
    (wanted ? insert : remove).push_back(atom);
  }
  for (const auto& [column, change] : changes) {
    transaction->MutateSet(desired.table, desired.uuid, column, ovsdb::MakeDatum(change.first, {}),
                           ovsdb::MakeDatum(change.second, {}));
  }
  return true;
}

}  // namespace northd
