#include "ovsdb/table.h"

#include <utility>

namespace ovsdb {

TableSnapshot::TableSnapshot(const TableSchema* schema,
                             std::shared_ptr<const std::vector<PageRef>> pages, size_t n_rows)
    : schema_(schema), pages_(std::move(pages)), n_rows_(n_rows) {}

const Row* Table::Find(const Uuid& uuid) const {
  const auto it = slots_.find(Key(uuid));
  return it == slots_.end() ? nullptr : RowAt(pages_, it->position).get();
}

RowRef Table::FindRef(const Uuid& uuid) const {
  const auto it = slots_.find(Key(uuid));
  return it == slots_.end() ? RowRef() : RowAt(pages_, it->position);
}

RowRef& Table::MutableRowAt(uint32_t position) {
  snapshot_pages_.reset();
  Ref<Page>& page = pages_[position / Page::kSlots];
  if (!page->unique()) {
    Ref<Page> copy(new Page);
    copy->rows = page->rows;
    page = std::move(copy);
  }
  return page->rows[position % Page::kSlots];
}

uint32_t Table::TakeFreePosition() {
  if (free_positions_.empty()) {
    const uint32_t begin = pages_.size() * Page::kSlots;
    pages_.emplace_back(new Page);
    for (uint32_t i = Page::kSlots; i > 0; i--) free_positions_.push_back(begin + i - 1);
  }
  const uint32_t position = free_positions_.back();
  free_positions_.pop_back();
  return position;
}

void Table::Put(RowRef row) {
  const Key key(row->uuid());
  auto it = slots_.find(key);
  if (it == slots_.end()) {
    const uint32_t position = TakeFreePosition();
    // The row must be in place before its slot can be compared with others.
    MutableRowAt(position) = std::move(row);
    slots_.insert(Slot{position, key.hash});
  } else {
    MutableRowAt(it->position) = std::move(row);
  }
}

void Table::Erase(const Uuid& uuid) {
  const auto it = slots_.find(Key(uuid));
  if (it == slots_.end()) return;
  const uint32_t position = it->position;
  slots_.erase(it);
  MutableRowAt(position) = nullptr;
  free_positions_.push_back(position);
}

TableSnapshot Table::Snapshot() const {
  if (snapshot_pages_ == nullptr) {
    snapshot_pages_ = std::make_shared<const std::vector<PageRef>>(pages_.begin(), pages_.end());
  }
  return TableSnapshot(schema_, snapshot_pages_, size());
}

}  // namespace ovsdb
