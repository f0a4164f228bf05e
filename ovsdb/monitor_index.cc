#include "ovsdb/monitor_index.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "ovsdb/filter_index.h"

namespace ovsdb {
namespace {

// Scratch memory beyond this is given back after a large change: for all, and for each monitor.
constexpr size_t kKeptArenaBytes = 1 << 20;
constexpr size_t kKeptPieces = 64;

// Makes objects of equal contents one object: a set that finds them by what is in them.
struct ContentHash {
  size_t operator()(const TableShapeRef& shape) const { return shape->Hash(); }
  size_t operator()(const MonitorShapeRef& shape) const {
    size_t hash = absl::HashOf(shape->version());
    for (const TableShapeRef& table : shape->tables()) hash = absl::HashOf(hash, table.get());
    return hash;
  }
};
struct ContentEqual {
  bool operator()(const TableShapeRef& a, const TableShapeRef& b) const { return a->Equals(*b); }
  bool operator()(const MonitorShapeRef& a, const MonitorShapeRef& b) const {
    return a->version() == b->version() && a->tables() == b->tables();
  }
};

bool HasFilter(const RowFilters& filters) {
  return std::any_of(filters.begin(), filters.end(), [](const RowFilterRef& f) { return !!f; });
}

// The row updates of a change, written once each. A piece is one row's update or those of a whole
// table, and what a monitor is told is a list of pieces: monitors with the same list share a text.
class Pieces {
 public:
  using Id = uint32_t;
  static constexpr Id kNone = UINT32_MAX;

  void Clear() {
    texts_.clear();
    whole_tables_.clear();
    pieces_.clear();
    if (arena_.capacity() > kKeptArenaBytes) arena_ = std::string();
    arena_.clear();
  }

  // kNone if there is nothing to tell.
  Id WriteRow(const TableShape& shape, RowEvent event, const RowChange& row) {
    const Row* before = row.before.get();
    const Row* after = row.after.get();
    if (!shape.Tells(event, before, after)) return kNone;
    const size_t begin = arena_.size();
    shape.AppendRowUpdate(event, before, after, &arena_);
    return Add(shape, begin);
  }

  // All of a table's changes.
  Id WriteTable(const TableShape& shape, const TableChange& table) {
    auto [it, is_new] = whole_tables_.try_emplace(&shape, kNone);
    if (!is_new) return it->second;
    const size_t begin = arena_.size();
    for (const RowChange& row : table.rows) {
      const RowEvent event = !row.before  ? RowEvent::kInsert
                             : !row.after ? RowEvent::kDelete
                                          : RowEvent::kModify;
      if (!shape.Tells(event, row.before.get(), row.after.get())) continue;
      if (arena_.size() > begin) arena_.push_back(',');
      shape.AppendRowUpdate(event, row.before.get(), row.after.get(), &arena_);
    }
    if (arena_.size() > begin) it->second = Add(shape, begin);
    return it->second;
  }

  // The table updates object of a list, which must live until Clear().
  const Text& TextOf(absl::Span<const Id> list) {
    Text& text = texts_[list];
    if (text == nullptr) text = Assemble(list);
    return text;
  }

  // As TextOf, for a list that is the only one of its kind.
  Text Assemble(absl::Span<const Id> list) const {
    size_t size = 2;
    for (Id id : list) size += pieces_[id].size + pieces_[id].shape->table_prefix().size() + 2;
    std::string text;
    text.reserve(size);
    const TableShape* shape = nullptr;
    for (Id id : list) {
      const Piece& piece = pieces_[id];
      if (piece.shape == shape) {
        text.push_back(',');
      } else {
        text.append(shape == nullptr ? "{" : "},");
        text.append(piece.shape->table_prefix());
        shape = piece.shape;
      }
      text.append(arena_, piece.begin, piece.size);
    }
    text.append("}}");
    return std::make_shared<const std::string>(std::move(text));
  }

 private:
  struct Piece {
    const TableShape* shape;
    size_t begin, size;  // In the arena.
  };

  Id Add(const TableShape& shape, size_t begin) {
    pieces_.push_back({&shape, begin, arena_.size() - begin});
    return static_cast<Id>(pieces_.size() - 1);
  }

  std::string arena_;
  std::vector<Piece> pieces_;
  absl::flat_hash_map<const TableShape*, Id> whole_tables_;
  absl::flat_hash_map<absl::Span<const Id>, Text> texts_;
};

// A shape in which filtered monitors see a table, and what was written in it for the row at hand.
struct ShapeSlot {
  static size_t EventIndex(RowEvent event) {
    return event == RowEvent::kInsert ? 0 : event == RowEvent::kDelete ? 1 : 2;
  }

  TableShapeRef shape;
  size_t users = 0;
  uint64_t row = 0;           // The number of the row that these are about.
  Pieces::Id pieces[3] = {};  // By EventIndex; kUnknown if not yet looked at.
  static constexpr Pieces::Id kUnknown = Pieces::kNone - 1;
};

}  // namespace

// A filtered monitor's interest in one table.
struct Monitor::TableWatch : FilterWatch {
  Monitor* monitor = nullptr;
  size_t slot = 0;  // In FilteredTable::slots.
};

struct MonitorIndex::Impl {
  // The filtered monitors that see a table: monitors without any filter are not here.
  struct FilteredTable {
    explicit FilteredTable(const TableSchema* table) : index(table) {}
    FilterIndex index;                         // Those with a filter on this table,
    std::vector<Monitor::TableWatch*> always;  // and those without.
    std::vector<ShapeSlot> slots;
  };

  explicit Impl(SchemaRef database_schema) : schema(std::move(database_schema)) {
    tables.reserve(schema->tables.size());
    for (const TableSchema& table : schema->tables) tables.emplace_back(&table);
  }

  MonitorShapeRef Intern(const MonitorShape& shape);
  void Register(Monitor* monitor);
  void Unregister(Monitor* monitor);
  void ReplaceFilters(Monitor* monitor, RowFilters filters);

  size_t TakeSlot(FilteredTable* table, const TableShapeRef& shape);
  void PublishToFiltered(const TableChange& change);
  void Tell(Monitor* monitor, Pieces::Id piece);
  void PublishToPlain(const Change& change, std::vector<Delivery>* out);
  void ForgetChange();

  SchemaRef schema;
  absl::flat_hash_set<TableShapeRef, ContentHash, ContentEqual> table_shapes;
  absl::flat_hash_set<MonitorShapeRef, ContentHash, ContentEqual> shapes;
  absl::flat_hash_map<const MonitorShape*, std::vector<Monitor*>> plain;  // Without filters.
  std::vector<FilteredTable> tables;
  size_t monitor_count = 0;
  std::shared_ptr<PageTexts> page_texts = MakePageTexts();

  // For the change at hand.
  Pieces pieces;
  std::vector<Monitor*> told;  // Filtered monitors that have something to be told.
  std::vector<FilterWatch*> watches;
  uint64_t row = 0;
};

MonitorShapeRef MonitorIndex::Impl::Intern(const MonitorShape& shape) {
  std::vector<TableShapeRef> shared;
  shared.reserve(shape.tables().size());
  for (const TableShapeRef& table : shape.tables()) {
    shared.push_back(*table_shapes.insert(table).first);
  }
  return *shapes.emplace(new MonitorShape(schema, shape.version(), std::move(shared))).first;
}

void MonitorIndex::Impl::Register(Monitor* monitor) {
  ++monitor_count;
  if (!HasFilter(monitor->filters_)) {
    plain[monitor->shape_.get()].push_back(monitor);
    return;
  }
  const auto& shapes_of_tables = monitor->shape_->tables();
  monitor->watches_ = std::vector<Monitor::TableWatch>(shapes_of_tables.size());
  for (size_t i = 0; i < shapes_of_tables.size(); ++i) {
    Monitor::TableWatch& watch = monitor->watches_[i];
    FilteredTable& table = tables[shapes_of_tables[i]->schema().index];
    watch.monitor = monitor;
    watch.slot = TakeSlot(&table, shapes_of_tables[i]);
    if (monitor->filters_[i]) {
      table.index.Add(&watch, *monitor->filters_[i]);
    } else {
      table.always.push_back(&watch);
    }
  }
}

size_t MonitorIndex::Impl::TakeSlot(FilteredTable* table, const TableShapeRef& shape) {
  std::vector<ShapeSlot>& slots = table->slots;
  auto slot = std::find_if(slots.begin(), slots.end(),
                           [&](const ShapeSlot& s) { return s.shape == shape; });
  if (slot == slots.end()) {
    slot =
        std::find_if(slots.begin(), slots.end(), [](const ShapeSlot& s) { return s.users == 0; });
    if (slot == slots.end()) slot = slots.insert(slot, ShapeSlot());
    slot->shape = shape;
    slot->row = 0;
  }
  ++slot->users;
  return slot - slots.begin();
}

void MonitorIndex::Impl::Unregister(Monitor* monitor) {
  --monitor_count;
  if (!HasFilter(monitor->filters_)) {
    auto it = plain.find(monitor->shape_.get());
    std::vector<Monitor*>& group = it->second;
    *std::find(group.begin(), group.end(), monitor) = group.back();
    group.pop_back();
    if (group.empty()) plain.erase(it);
    return;
  }
  const auto& shapes_of_tables = monitor->shape_->tables();
  for (size_t i = 0; i < shapes_of_tables.size(); ++i) {
    Monitor::TableWatch& watch = monitor->watches_[i];
    FilteredTable& table = tables[shapes_of_tables[i]->schema().index];
    if (--table.slots[watch.slot].users == 0) table.slots[watch.slot].shape = nullptr;
    if (monitor->filters_[i]) {
      table.index.Remove(&watch, *monitor->filters_[i]);
    } else {
      *std::find(table.always.begin(), table.always.end(), &watch) = table.always.back();
      table.always.pop_back();
    }
  }
  monitor->watches_.clear();
}

void MonitorIndex::Impl::ReplaceFilters(Monitor* monitor, RowFilters filters) {
  if (!HasFilter(monitor->filters_) || !HasFilter(filters)) {
    Unregister(monitor);
    monitor->filters_ = std::move(filters);
    Register(monitor);
    return;
  }
  for (size_t i = 0; i < filters.size(); ++i) {
    const RowFilterRef& before = monitor->filters_[i];
    const RowFilterRef& after = filters[i];
    if (before == after) continue;
    Monitor::TableWatch& watch = monitor->watches_[i];
    FilteredTable& table = tables[monitor->shape_->tables()[i]->schema().index];
    if (before && after) {
      table.index.Replace(&watch, *before, *after);
    } else if (before) {
      table.index.Remove(&watch, *before);
      table.always.push_back(&watch);
    } else {
      *std::find(table.always.begin(), table.always.end(), &watch) = table.always.back();
      table.always.pop_back();
      table.index.Add(&watch, *after);
    }
  }
  monitor->filters_ = std::move(filters);
}

void MonitorIndex::Impl::Tell(Monitor* monitor, Pieces::Id piece) {
  if (piece == Pieces::kNone || monitor->paused()) return;
  if (monitor->told_.empty()) told.push_back(monitor);
  monitor->told_.push_back(piece);
}

void MonitorIndex::Impl::PublishToFiltered(const TableChange& change) {
  FilteredTable& table = tables[change.table];
  for (Monitor::TableWatch* watch : table.always) {
    Tell(watch->monitor, pieces.WriteTable(*table.slots[watch->slot].shape, change));
  }
  for (const RowChange& change_of_row : change.rows) {
    ++row;
    watches.clear();
    table.index.Match(change_of_row.before.get(), change_of_row.after.get(), &watches);
    for (FilterWatch* filter_watch : watches) {
      auto* watch = static_cast<Monitor::TableWatch*>(filter_watch);
      const RowEvent event = !watch->matched_before()  ? RowEvent::kInsert
                             : !watch->matched_after() ? RowEvent::kDelete
                                                       : RowEvent::kModify;
      ShapeSlot& slot = table.slots[watch->slot];
      if (slot.row != row) {
        slot.row = row;
        std::fill(std::begin(slot.pieces), std::end(slot.pieces), ShapeSlot::kUnknown);
      }
      Pieces::Id& piece = slot.pieces[ShapeSlot::EventIndex(event)];
      if (piece == ShapeSlot::kUnknown) piece = pieces.WriteRow(*slot.shape, event, change_of_row);
      Tell(watch->monitor, piece);
    }
  }
}

void MonitorIndex::Impl::PublishToPlain(const Change& change, std::vector<Delivery>* out) {
  for (const auto& [shape, monitors] : plain) {
    std::vector<Pieces::Id> list;
    for (const TableChange& table : change.tables) {
      const int position = shape->Position(table.table);
      if (position < 0) continue;
      const Pieces::Id piece = pieces.WriteTable(*shape->tables()[position], table);
      if (piece != Pieces::kNone) list.push_back(piece);
    }
    if (list.empty()) continue;
    const Text text = pieces.Assemble(list);
    for (Monitor* monitor : monitors) {
      if (!monitor->paused()) out->push_back({monitor, text});
    }
  }
}

void MonitorIndex::Impl::ForgetChange() {
  pieces.Clear();
  for (Monitor* monitor : told) {
    monitor->told_.clear();
    if (monitor->told_.capacity() > kKeptPieces) monitor->told_.shrink_to_fit();
  }
  told.clear();
}

MonitorIndex::MonitorIndex(SchemaRef schema) : impl_(std::make_unique<Impl>(std::move(schema))) {}
MonitorIndex::~MonitorIndex() = default;

std::unique_ptr<Monitor> MonitorIndex::Add(MonitorRequest request, MonitorOwner* owner) {
  request.shape = impl_->Intern(*request.shape);
  std::unique_ptr<Monitor> monitor(new Monitor(this, owner, std::move(request)));
  impl_->Register(monitor.get());
  return monitor;
}

void MonitorIndex::Publish(const Change& change, std::vector<Delivery>* out) {
  for (const TableChange& table : change.tables) impl_->PublishToFiltered(table);
  for (Monitor* monitor : impl_->told) {
    out->push_back({monitor, impl_->pieces.TextOf(monitor->told_)});
  }
  impl_->PublishToPlain(change, out);
  impl_->ForgetChange();
}

size_t MonitorIndex::monitor_count() const { return impl_->monitor_count; }

size_t MonitorIndex::kind_count() const {
  absl::flat_hash_set<std::vector<int>> kinds;
  for (const MonitorShapeRef& shape : impl_->shapes) {
    std::vector<int> kind;
    for (const TableShapeRef& table : shape->tables()) {
      kind.insert(kind.end(), {table->schema().index, table->select(),
                               static_cast<int>(table->columns().size())});
      for (const TableShape::Column& column : table->columns()) {
        kind.insert(kind.end(), {column.column, column.select});
      }
    }
    kinds.insert(std::move(kind));
  }
  return kinds.size();
}

size_t MonitorIndex::text_count() const { return CountPageTexts(*impl_->page_texts); }

Monitor::Monitor(MonitorIndex* index, MonitorOwner* owner, MonitorRequest request)
    : index_(index),
      owner_(owner),
      id_(std::move(request.id)),
      shape_(std::move(request.shape)),
      filters_(std::move(request.filters)) {}

Monitor::~Monitor() {
  MonitorIndex::Impl* index = index_->impl_.get();
  index->Unregister(this);
  shape_ = nullptr;
  absl::erase_if(index->shapes, [](const MonitorShapeRef& shape) { return shape->unique(); });
  absl::erase_if(index->table_shapes, [](const TableShapeRef& shape) { return shape->unique(); });
}

std::unique_ptr<TextSource> Monitor::Initial(const Database& db, Envelope envelope) const {
  return InitialUpdate(shape_, db, filters_, std::move(envelope), index_->impl_->page_texts);
}

std::unique_ptr<TextSource> Monitor::Since(Change missed, Envelope envelope) const {
  return ChangeUpdate(shape_, filters_, std::move(missed), std::move(envelope));
}

std::unique_ptr<TextSource> Monitor::ChangeFilters(FilterRequest request, const Database& db,
                                                   Envelope envelope) {
  id_ = std::move(request.new_id);
  RowFilters& filters = request.filters;
  for (size_t i = 0; i < filters.size(); ++i) {
    if (filters[i] && filters_[i] && *filters[i] == *filters_[i]) filters[i] = filters_[i];
  }
  std::unique_ptr<TextSource> update;
  if (paused()) {
    Snapshot now = db.TakeSnapshot();
    update = DifferenceUpdate(shape_, {std::move(*sent_), filters_}, {now, filters},
                              std::move(envelope));
    sent_ = std::move(now);
  } else {
    update = FilterUpdate(shape_, db, filters_, filters, std::move(envelope));
  }
  index_->impl_->ReplaceFilters(this, std::move(filters));
  return update;
}

void Monitor::Pause(Snapshot sent) { sent_ = std::move(sent); }

std::unique_ptr<TextSource> Monitor::Resume(Snapshot now, Envelope envelope) {
  Snapshot sent = *std::exchange(sent_, std::nullopt);
  return DifferenceUpdate(shape_, {std::move(sent), filters_}, {std::move(now), filters_},
                          std::move(envelope));
}

}  // namespace ovsdb
