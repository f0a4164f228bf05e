#include "ovsdb/dump.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "ovsdb/index.h"
#include "ovsdb/row_filter.h"
#include "ovsdb/snapshot_diff.h"

namespace ovsdb {
namespace {

constexpr size_t kPieceBytes = 64 << 10;
constexpr size_t kRowsPerTurn = 4096;  // Rows looked at in a turn, wanted or not.

bool Wants(const RowFilterRef& filter, const RowRef& row) {
  return row && (!filter || filter->Matches(*row));
}

// Puts row updates together to a table updates object in its envelope, and cuts it into pieces.
class UpdateWriter {
 public:
  explicit UpdateWriter(Envelope envelope) : envelope_(std::move(envelope)) {}

  void AppendRow(const TableShape& shape, RowEvent event, const Row* before, const Row* after) {
    if (!shape.Tells(event, before, after)) return;
    Separate(shape);
    shape.AppendRowUpdate(event, before, after, &text_);
  }

  // Row updates that are text already.
  void AppendRows(const TableShape& shape, const Text& rows, std::vector<Text>* out) {
    Separate(shape);
    Flush(out);
    out->push_back(rows);
    written_ += rows->size();
  }

  void Finish(std::vector<Text>* out) {
    if (table_ != nullptr) {
      text_ += "}}";
    } else if (envelope_.even_if_empty) {
      text_ += envelope_.before;
      text_ += "{}";
    } else {
      return;
    }
    text_ += envelope_.after;
    Flush(out);
  }

  // Whether a piece is full: then it goes to `*out`.
  bool TakePiece(std::vector<Text>* out) {
    if (written_ + text_.size() < kPieceBytes) return false;
    Flush(out);
    written_ = 0;
    return true;
  }

 private:
  // Writes what stands between the row that follows and what is there already.
  void Separate(const TableShape& shape) {
    if (table_ == &shape) {
      text_ += ',';
      return;
    }
    if (table_ != nullptr) {
      text_ += "},";
    } else {
      text_ += envelope_.before;
      text_ += '{';
    }
    text_ += shape.table_prefix();
    table_ = &shape;
  }

  void Flush(std::vector<Text>* out) {
    if (text_.empty()) return;
    out->push_back(std::make_shared<const std::string>(std::move(text_)));
    text_.clear();
  }

  Envelope envelope_;
  const TableShape* table_ = nullptr;  // Of the newest row; null if there was none.
  std::string text_;
  size_t written_ = 0;  // Bytes given out since the last piece was full.
};

}  // namespace

// Texts of `initial` updates of whole pages. Whoever sends one keeps it alive, and as long as any
// initial contents are being sent the newest ones are kept too: readers that go at different speeds
// still share them.
class PageTexts {
 public:
  // The comma-separated updates of a page's rows; null if it has none.
  Text Get(const PageRef& page, const TableShapeRef& shape) {
    std::weak_ptr<const PageText>& known = texts_[{page.get(), shape.get()}];
    std::shared_ptr<const PageText> text = known.lock();
    if (text == nullptr) {
      text = Write(page, shape);
      known = text;
      Keep(text);
      Sweep();
    }
    if (text->rows.empty()) return nullptr;
    return Text(text, &text->rows);
  }

  void AddReader() { ++readers_; }
  void RemoveReader() {
    if (--readers_ > 0) return;
    kept_.clear();
    kept_bytes_ = 0;
  }

  size_t count() const {
    return std::count_if(texts_.begin(), texts_.end(),
                         [](const auto& entry) { return !entry.second.expired(); });
  }

 private:
  // Holds page and shape too, so that their addresses stand for them.
  struct PageText {
    PageRef page;
    TableShapeRef shape;
    std::string rows;
  };

  static constexpr size_t kMaxKeptBytes = 32 << 20;

  std::shared_ptr<const PageText> Write(const PageRef& page, const TableShapeRef& shape) {
    scratch_.clear();
    for (const RowRef& row : page->rows) {
      if (!row) continue;
      if (!scratch_.empty()) scratch_.push_back(',');
      shape->AppendRowUpdate(RowEvent::kInitial, nullptr, row.get(), &scratch_);
    }
    return std::make_shared<const PageText>(PageText{page, shape, std::string(scratch_)});
  }

  void Keep(std::shared_ptr<const PageText> text) {
    kept_bytes_ += text->rows.size();
    kept_.push_back(std::move(text));
    while (kept_bytes_ > kMaxKeptBytes) {
      kept_bytes_ -= kept_.front()->rows.size();
      kept_.pop_front();
    }
  }

  // Forgets texts that are gone, when there may be as many of them as others.
  void Sweep() {
    if (texts_.size() < sweep_at_) return;
    absl::erase_if(texts_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = 2 * texts_.size() + 64;
  }

  absl::flat_hash_map<std::pair<const Page*, const TableShape*>, std::weak_ptr<const PageText>>
      texts_;
  size_t sweep_at_ = 64;
  std::deque<std::shared_ptr<const PageText>> kept_;
  size_t kept_bytes_ = 0;
  int readers_ = 0;
  std::string scratch_;
};

std::shared_ptr<PageTexts> MakePageTexts() { return std::make_shared<PageTexts>(); }

size_t CountPageTexts(const PageTexts& texts) { return texts.count(); }

namespace {

// Finds rows by clauses with the lookups of a table: the few that a filter wants among many.
class RowFinder {
 public:
  RowFinder(const Database& db, int table) : table_(db.table(table)), indexes_(db.indexes(table)) {}

  // Notes the rows that may match the clause. False if that takes a look at every row.
  bool Find(const Clause& clause) {
    if (clause.function() != Clause::Function::kEqual) return false;
    const Datum& value = clause.argument();
    if (clause.column() == TableSchema::kUuidColumn) {
      Note(table_.Find(value.key(0).uuid()));
      return true;
    }
    if (clause.column() == TableSchema::kVersionColumn) return false;
    if (clause.column() != column_) ChooseIndex(clause.column());
    if (unique_ != nullptr) {
      const Datum* const values[] = {&value};
      Note(unique_->Find(values));
      return true;
    }
    if (lookup_ == nullptr) return false;
    lookup_->ForEachCandidate(value, [&](const Row& row) { Note(&row); });
    return true;
  }

  std::vector<RowRef> Take() {
    std::vector<RowRef> rows;
    rows.reserve(rows_.size());
    for (const Row* row : rows_) rows.emplace_back(row);
    return rows;
  }

 private:
  void ChooseIndex(int column) {
    column_ = column;
    unique_ = indexes_.FindUnique({&column, 1});
    lookup_ = unique_ == nullptr ? indexes_.FindLookup(table_, column) : nullptr;
  }
  void Note(const Row* row) {
    if (row != nullptr) rows_.insert(row);
  }

  const Table& table_;
  const IndexSet& indexes_;
  int column_ = -1;  // The one that the indexes are on.
  const UniqueIndex* unique_ = nullptr;
  const LookupIndex* lookup_ = nullptr;
  absl::flat_hash_set<const Row*> rows_;
};

// The rows that may pass a filter, or nothing if every row has to be looked at.
std::optional<std::vector<RowRef>> FindRows(const Database& db, int table,
                                            const RowFilter& filter) {
  if (!filter.others().empty()) return std::nullopt;
  RowFinder finder(db, table);
  for (const RowFilter::KeyedClause& keyed : filter.keyed()) {
    if (!finder.Find(keyed.clause)) return std::nullopt;
  }
  return finder.Take();
}

// The rows that may pass one of the filters but not the other.
std::optional<std::vector<RowRef>> FindRowsBetween(const Database& db, int table,
                                                   const RowFilter& a, const RowFilter& b) {
  if (a.others() != b.others()) return std::nullopt;
  std::vector<const Clause*> clauses;
  RowFilter::Compare(a, b, [&](const Clause* in_a, const Clause* in_b) {
    if (in_a == nullptr || in_b == nullptr) clauses.push_back(in_a != nullptr ? in_a : in_b);
  });
  RowFinder finder(db, table);
  for (const Clause* clause : clauses) {
    if (!finder.Find(*clause)) return std::nullopt;
  }
  return finder.Take();
}

class InitialSource : public TextSource {
 public:
  InitialSource(MonitorShapeRef shape, const Database& db, RowFilters filters, Envelope envelope,
                std::shared_ptr<PageTexts> texts)
      : shape_(std::move(shape)),
        snapshot_(db.TakeSnapshot()),
        filters_(std::move(filters)),
        found_(filters_.size()),
        writer_(std::move(envelope)),
        texts_(std::move(texts)) {
    texts_->AddReader();
    for (size_t i = 0; i < filters_.size(); ++i) {
      if (filters_[i]) found_[i] = FindRows(db, table_index(i), *filters_[i]);
    }
  }
  ~InitialSource() override { texts_->RemoveReader(); }

  bool Next(std::vector<Text>* out) override {
    size_t rows = 0;
    for (; position_ < shape_->tables().size(); ++position_) {
      if (!shape_->tables()[position_]->Selects(RowEvent::kInitial)) continue;
      if (!in_table_) BeginTable();
      for (; next_ < Steps(); ++next_) {
        if (writer_.TakePiece(out) || rows >= kRowsPerTurn) return true;
        rows += Step(out);
      }
      EndTable();
    }
    writer_.Finish(out);
    return false;
  }

 private:
  int table_index(size_t position) const { return shape_->tables()[position]->schema().index; }

  // The table at hand goes by the rows that were found in it, or else by its pages. Pages are let
  // go one by one: freeing many rows that nobody else holds takes its time.
  void BeginTable() {
    TableSnapshot table = std::exchange(snapshot_.tables[table_index(position_)], {});
    if (!found_[position_].has_value()) pages_ = table.pages();
    in_table_ = true;
  }
  size_t Steps() const {
    return found_[position_].has_value() ? found_[position_]->size() : pages_.size();
  }
  void EndTable() {
    pages_.clear();
    next_ = 0;
    in_table_ = false;
  }
  // Takes step next_ and returns how many rows were looked at.
  size_t Step(std::vector<Text>* out) {
    const TableShape& shape = *shape_->tables()[position_];
    const RowFilterRef& filter = filters_[position_];
    if (found_[position_].has_value()) {
      AppendIfWanted((*found_[position_])[next_]);
      return 1;
    }
    const PageRef page = std::exchange(pages_[next_], nullptr);
    if (filter) {
      for (const RowRef& row : page->rows) AppendIfWanted(row);
    } else if (Text rows = texts_->Get(page, shape_->tables()[position_])) {
      writer_.AppendRows(shape, rows, out);
    }
    return Page::kSlots;
  }
  void AppendIfWanted(const RowRef& row) {
    if (!Wants(filters_[position_], row)) return;
    writer_.AppendRow(*shape_->tables()[position_], RowEvent::kInitial, nullptr, row.get());
  }

  MonitorShapeRef shape_;
  Snapshot snapshot_;
  RowFilters filters_;
  std::vector<std::optional<std::vector<RowRef>>> found_;  // By table, where lookups helped.
  UpdateWriter writer_;
  std::shared_ptr<PageTexts> texts_;
  size_t position_ = 0;         // Of the table in the shape,
  size_t next_ = 0;             // and of the step in the table.
  bool in_table_ = false;       // The table has been begun:
  std::vector<PageRef> pages_;  // its pages, from that step on.
};

// An update made of rows that may have something to tell: derived classes say which.
class CandidateSource : public TextSource {
 public:
  CandidateSource(MonitorShapeRef shape, RowFilters from, RowFilters to, Envelope envelope)
      : shape_(std::move(shape)),
        from_(std::move(from)),
        to_(std::move(to)),
        writer_(std::move(envelope)) {}

  bool Next(std::vector<Text>* out) final {
    size_t rows = 0;
    while (rows < kRowsPerTurn && !writer_.TakePiece(out)) {
      if (next_ < candidates_.size()) {
        Append(candidates_[next_++]);
        ++rows;
      } else if (FindCandidates()) {
        rows += Page::kSlots;
      } else {
        writer_.Finish(out);
        return false;
      }
    }
    return true;
  }

 protected:
  // Appends candidates of the table at a position in the shape; false if there are no more. A call
  // looks at no more than a page, or at rows that were found before.
  virtual bool NextCandidates(size_t position, std::vector<RowChange>* candidates) = 0;

  const MonitorShape& shape() const { return *shape_; }
  bool FilterChanges(size_t position) const { return !(from_[position] == to_[position]); }

 private:
  // Looks for more candidates, perhaps in vain; false at the end.
  bool FindCandidates() {
    candidates_.clear();
    next_ = 0;
    for (; position_ < shape_->tables().size(); ++position_) {
      if (NextCandidates(position_, &candidates_)) return true;
    }
    return false;
  }

  void Append(const RowChange& row) {
    bool was = Wants(from_[position_], row.before);
    bool is = Wants(to_[position_], row.after);
    if (!was && !is) return;
    if (was && is && row.before == row.after) return;
    RowEvent event = !was ? RowEvent::kInsert : is ? RowEvent::kModify : RowEvent::kDelete;
    writer_.AppendRow(*shape_->tables()[position_], event, row.before.get(), row.after.get());
  }

  MonitorShapeRef shape_;
  RowFilters from_, to_;
  UpdateWriter writer_;
  size_t position_ = 0;                // The table's in the shape.
  std::vector<RowChange> candidates_;  // Of that table,
  size_t next_ = 0;                    // from here on.
};

// Candidates known beforehand: for each table of the shape, rows; or all rows of a snapshot of it.
class ListSource : public CandidateSource {
 public:
  struct TableList {
    std::vector<RowChange> rows;
    std::optional<TableSnapshot> all;
  };

  ListSource(MonitorShapeRef shape, RowFilters from, RowFilters to, std::vector<TableList> tables,
             Envelope envelope)
      : CandidateSource(std::move(shape), std::move(from), std::move(to), std::move(envelope)),
        tables_(std::move(tables)) {}

 protected:
  bool NextCandidates(size_t position, std::vector<RowChange>* candidates) override {
    TableList& table = tables_[position];
    *candidates = std::exchange(table.rows, {});
    if (!candidates->empty()) return true;
    if (!table.all.has_value() || page_ == table.all->pages().size()) {
      page_ = 0;
      return false;
    }
    for (const RowRef& row : table.all->pages()[page_++]->rows) {
      if (row) candidates->push_back({row, row});
    }
    return true;
  }

 private:
  std::vector<TableList> tables_;
  size_t page_ = 0;
};

// What differs between two snapshots, and where filters differ the rows that are equal too.
class DifferenceSource : public CandidateSource {
 public:
  DifferenceSource(MonitorShapeRef shape, View from, View to, Envelope envelope)
      : CandidateSource(std::move(shape), std::move(from.filters), std::move(to.filters),
                        std::move(envelope)),
        before_(std::move(from.snapshot)),
        after_(std::move(to.snapshot)) {}

 protected:
  bool NextCandidates(size_t position, std::vector<RowChange>* candidates) override {
    if (!diff_.has_value()) Begin(position);
    if (diff_->Next(candidates)) {
      if (FilterChanges(position)) Remember(*candidates);
      return true;
    }
    if (page_ == pages_.size()) {
      End();
      return false;
    }
    const PageRef page = std::exchange(pages_[page_++], nullptr);
    for (const RowRef& row : page->rows) {
      if (row && !changed_.contains(row.get())) candidates->push_back({row, row});
    }
    return true;
  }

 private:
  void Begin(size_t position) {
    const int table = shape().tables()[position]->schema().index;
    const TableSnapshot before = std::exchange(before_.tables[table], {});
    const TableSnapshot after = std::exchange(after_.tables[table], {});
    diff_.emplace(before, after);
    if (FilterChanges(position)) pages_ = after.pages();
  }
  void Remember(const std::vector<RowChange>& changes) {
    for (const RowChange& change : changes) {
      if (change.after) changed_.insert(change.after.get());
    }
  }
  void End() {
    diff_.reset();
    changed_.clear();
    pages_.clear();
    page_ = 0;
  }

  Snapshot before_, after_;           // Of tables to come.
  std::optional<SnapshotDiff> diff_;  // Of the table at hand.
  // If rows that do not differ are to be told too: the table's pages from page_ on, and the rows in
  // them that have been told.
  std::vector<PageRef> pages_;
  size_t page_ = 0;
  absl::flat_hash_set<const Row*> changed_;
};

}  // namespace

std::unique_ptr<TextSource> InitialUpdate(MonitorShapeRef shape, const Database& db,
                                          RowFilters filters, Envelope envelope,
                                          std::shared_ptr<PageTexts> texts) {
  return std::make_unique<InitialSource>(std::move(shape), db, std::move(filters),
                                         std::move(envelope), std::move(texts));
}

std::unique_ptr<TextSource> DifferenceUpdate(MonitorShapeRef shape, View from, View to,
                                             Envelope envelope) {
  return std::make_unique<DifferenceSource>(std::move(shape), std::move(from), std::move(to),
                                            std::move(envelope));
}

std::unique_ptr<TextSource> FilterUpdate(MonitorShapeRef shape, const Database& db,
                                         const RowFilters& from, RowFilters to, Envelope envelope) {
  std::vector<ListSource::TableList> tables(shape->tables().size());
  for (size_t i = 0; i < tables.size(); ++i) {
    if (from[i] == to[i]) continue;
    const int table = shape->tables()[i]->schema().index;
    std::optional<std::vector<RowRef>> rows;
    if (from[i] && to[i]) rows = FindRowsBetween(db, table, *from[i], *to[i]);
    if (rows.has_value()) {
      for (RowRef& row : *rows) tables[i].rows.push_back({row, row});
    } else {
      tables[i].all = db.table(table).Snapshot();
    }
  }
  return std::make_unique<ListSource>(std::move(shape), from, std::move(to), std::move(tables),
                                      std::move(envelope));
}

std::unique_ptr<TextSource> ChangeUpdate(MonitorShapeRef shape, RowFilters filters, Change change,
                                         Envelope envelope) {
  std::vector<ListSource::TableList> tables(shape->tables().size());
  for (TableChange& table : change.tables) {
    int position = shape->Position(table.table);
    if (position >= 0) tables[position].rows = std::move(table.rows);
  }
  RowFilters same = filters;
  return std::make_unique<ListSource>(std::move(shape), std::move(filters), std::move(same),
                                      std::move(tables), std::move(envelope));
}

}  // namespace ovsdb
