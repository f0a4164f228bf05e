#include "ovsdb/references.h"

#include "absl/strings/str_cat.h"
#include "ovsdb/database.h"
#include "ovsdb/error.h"

namespace ovsdb {

int64_t ReferenceMap::strong_count(int table, const Uuid& row) const {
  const auto it = strong_[table].find(row);
  return it == strong_[table].end() ? 0 : it->second;
}

void ReferenceMap::AddStrong(int table, const Uuid& target, int n) {
  const auto it = strong_[table].try_emplace(target, 0).first;
  it->second += n;
  if (it->second == 0) strong_[table].erase(it);
}

void ReferenceMap::AddWeak(const WeakLink& link, int n) {
  const auto it = weak_.insert(link).first;
  it->n_references += n;
  if (it->n_references == 0) weak_.erase(it);
}

void ReferenceMap::Replace(const TableSchema& table, const TablePlan& plan, const Row* before,
                           const Row* after) {
  const Uuid& uuid = before != nullptr ? before->uuid() : after->uuid();
  for (int column : plan.strong_columns) {
    DiffReferences(table.columns[column], RefType::kStrong, before, after,
                   [&](int target_table, const Uuid& target, int sign) {
                     const bool is_self = target_table == table.index && target == uuid;
                     if (!is_self) AddStrong(target_table, target, sign);
                   });
  }
  for (int column : plan.weak_columns) {
    DiffReferences(table.columns[column], RefType::kWeak, before, after,
                   [&](int, const Uuid& target, int sign) {
                     AddWeak(WeakLink{target, uuid, table.index}, sign);
                   });
  }
}

absl::Status ReferenceMap::CheckTargets(const Database& db) const {
  for (size_t table = 0; table < strong_.size(); table++) {
    for (const auto& [target, count] : strong_[table]) {
      if (db.table(table).Find(target) != nullptr) continue;
      return Error(
          kReferentialIntegrity,
          absl::StrCat(count, " strong reference(s) to nonexistent row ", target.ToString(),
                       " in table ", db.schema().tables[table].name, "."));
    }
  }
  return absl::OkStatus();
}

}  // namespace ovsdb
