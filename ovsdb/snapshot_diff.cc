#include "ovsdb/snapshot_diff.h"

#include <algorithm>
#include <utility>

namespace ovsdb {

SnapshotDiff::SnapshotDiff(const TableSnapshot& before, const TableSnapshot& after)
    : before_(before.pages()), after_(after.pages()) {
  const size_t n = std::max(before_.size(), after_.size());
  before_.resize(n);
  after_.resize(n);
}

bool SnapshotDiff::Next(std::vector<RowChange>* changes) {
  for (; page_ < before_.size(); ++page_) {
    if (before_[page_] == after_[page_]) continue;
    ComparePages(std::exchange(before_[page_], nullptr), std::exchange(after_[page_], nullptr),
                 changes);
    ++page_;
    return true;
  }
  return NextGone(changes) || NextCome(changes);
}

void SnapshotDiff::ComparePages(const PageRef& before, const PageRef& after,
                                std::vector<RowChange>* changes) {
  static const Page kNoRows;
  const Page& old_page = before ? *before : kNoRows;
  const Page& new_page = after ? *after : kNoRows;
  for (int i = 0; i < Page::kSlots; ++i) {
    const RowRef& old_row = old_page.rows[i];
    const RowRef& new_row = new_page.rows[i];
    if (old_row == new_row) continue;
    if (old_row && new_row && old_row->uuid() == new_row->uuid()) {
      changes->push_back({old_row, new_row});
      continue;
    }
    if (old_row) gone_.push_back(old_row);
    if (new_row) come_.emplace(new_row->uuid(), new_row);
  }
}

bool SnapshotDiff::NextGone(std::vector<RowChange>* changes) {
  const size_t end = std::min(gone_.size(), next_gone_ + Page::kSlots);
  if (next_gone_ == end) return false;
  for (; next_gone_ < end; ++next_gone_) {
    RowRef old_row = std::exchange(gone_[next_gone_], nullptr);
    RowRef new_row;
    const auto come = come_.find(old_row->uuid());
    if (come != come_.end()) {
      new_row = std::move(come->second);
      come_.erase(come);
    }
    if (old_row != new_row) changes->push_back({std::move(old_row), std::move(new_row)});
  }
  return true;
}

bool SnapshotDiff::NextCome(std::vector<RowChange>* changes) {
  if (come_.empty()) return false;
  auto come = come_.begin();
  for (int i = 0; i < Page::kSlots && come != come_.end(); ++i) {
    changes->push_back({nullptr, std::move(come->second)});
    come_.erase(come++);
  }
  return true;
}

}  // namespace ovsdb
