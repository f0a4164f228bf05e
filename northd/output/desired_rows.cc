#include "northd/output/desired_rows.h"

#include <algorithm>

namespace northd {

using ovsdb::Atom;
using ovsdb::Datum;
using ovsdb::Uuid;

namespace {

// What a new row is called: the same by all instances, so that one that takes over has no names to
// learn.
Uuid MakeUuid(int table, absl::string_view key) {
  // FNV-1a from two beginnings, mixed.
  const auto hash = [&](uint64_t h) {
    const auto add = [&h](uint64_t byte) { h = (h ^ byte) * 0x100000001b3; };
    add(static_cast<uint64_t>(table));
    for (const char c : key) add(static_cast<unsigned char>(c));
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93;
    return h ^ h >> 32;
  };
  constexpr uint64_t kVersion = 0xf000;
  constexpr uint64_t kVariant = uint64_t{3} << 62;
  return {(hash(0xcbf29ce484222325) & ~kVersion) | 0x4000,
          (hash(0x84222325cbf29ce4) & ~kVariant) | uint64_t{2} << 62};
}

}  // namespace

// ---- OutRow ----

void OutRow::Set(int column, Datum value) { columns_.emplace_back(column, std::move(value)); }
void OutRow::Set(int column, absl::string_view value) { Set(column, Datum(Atom::String(value))); }
void OutRow::Set(int column, int64_t value) { Set(column, Datum(Atom::Integer(value))); }
void OutRow::Set(int column, bool value) { Set(column, Datum(Atom::Boolean(value))); }
void OutRow::Set(int column, const Uuid& value) { Set(column, Datum(Atom::Of(value))); }

void OutRow::Set(int column, absl::Span<const std::string> values) {
  std::vector<Atom> atoms;
  atoms.reserve(values.size());
  for (const std::string& value : values) atoms.push_back(Atom::String(value));
  Set(column, ovsdb::MakeDatum(atoms, {}));
}

void OutRow::Set(int column, absl::Span<const Uuid> values) {
  std::vector<Atom> atoms;
  atoms.reserve(values.size());
  for (const Uuid& value : values) atoms.push_back(Atom::Of(value));
  Set(column, ovsdb::MakeDatum(atoms, {}));
}

void OutRow::Set(int column, const std::map<std::string, std::string>& values) {
  std::vector<Atom> keys;
  std::vector<Atom> atoms;
  for (const auto& [key, value] : values) {
    keys.push_back(Atom::String(key));
    atoms.push_back(Atom::String(value));
  }
  Set(column, ovsdb::MakeDatum(keys, atoms));
}

// ---- Rows and their names ----

DesiredRows::DesiredRows(engine::Engine* engine, Replica* replica, ovsdb::UuidGenerator* uuids)
    : sink_(engine->AddSink(this)), replica_(replica), uuids_(uuids) {
  const size_t n = replica->database().schema().tables.size();
  policies_.resize(n);
  existing_.resize(n);
  by_key_.resize(n);
}

void DesiredRows::Declare(int table, Policy policy) {
  policies_[static_cast<size_t>(table)] = std::move(policy);
}

Uuid DesiredRows::FindExisting(int table, absl::string_view key) {
  Existing& existing = existing_[static_cast<size_t>(table)];
  const auto& key_of = policies_[static_cast<size_t>(table)].key_of;
  if (!existing.known) {
    existing.known = true;
    replica_->database().table(table).ForEach([&](const ovsdb::Row& row) {
      std::string its_key = key_of(*replica_, row);
      if (!its_key.empty()) existing.by_key.try_emplace(std::move(its_key), row.uuid());
    });
  }
  const auto found = existing.by_key.find(key);
  return found == existing.by_key.end() ? Uuid() : found->second;
}

void DesiredRows::Observe(int table, const ovsdb::RowChange& change) {
  Existing& existing = existing_[static_cast<size_t>(table)];
  if (!existing.known) return;
  const auto& key_of = policies_[static_cast<size_t>(table)].key_of;
  if (change.before) {
    const auto found = existing.by_key.find(key_of(*replica_, *change.before));
    if (found != existing.by_key.end() && found->second == change.uuid()) {
      existing.by_key.erase(found);
    }
  }
  if (change.after) {
    std::string key = key_of(*replica_, *change.after);
    if (key.empty()) return;
    const auto [at, is_new] = existing.by_key.try_emplace(std::move(key), change.uuid());
    // One that goes in the same change makes room for it.
    if (!is_new && replica_->Peek(table, at->second) == nullptr) at->second = change.uuid();
  }
}

uint32_t DesiredRows::FindOrMake(int table, absl::string_view key, const Uuid& wish) {
  auto& by_key = by_key_[static_cast<size_t>(table)];
  const auto found = by_key.find(key);
  if (found != by_key.end()) return found->second;
  auto desired = std::make_unique<Desired>();
  desired->table = table;
  desired->key = std::string(key);
  desired->uuid = FindExisting(table, key);
  if (desired->uuid.is_zero()) desired->uuid = wish;
  if (desired->uuid.is_zero() && policy(table).keys_are_uuids) {
    desired->uuid = Uuid::Parse(key).value_or(Uuid());
  }
  if (desired->uuid.is_zero()) desired->uuid = MakeUuid(table, key);
  if (by_uuid_.contains(desired->uuid)) desired->uuid = uuids_->Next();
  uint32_t number = 0;
  if (free_rows_.empty()) {
    number = static_cast<uint32_t>(rows_.size());
    rows_.emplace_back();
  } else {
    number = free_rows_.back();
    free_rows_.pop_back();
  }
  by_key.emplace(desired->key, number);
  by_uuid_[desired->uuid] = number;
  rows_[number] = std::move(desired);
  asked_.push_back(number);
  return number;
}

Uuid DesiredRows::Identity(int table, absl::string_view key, const Uuid& wish) {
  return rows_[FindOrMake(table, key, wish)]->uuid;
}

Uuid DesiredRows::Renew(int table, absl::string_view key, absl::string_view as) {
  const uint32_t number = FindOrMake(table, key);
  const Uuid present = rows_[number]->uuid;
  const Uuid uuid = MakeUuid(table, as);
  if (by_uuid_.contains(uuid)) return present;
  Rename(number, uuid);
  replaced_.emplace_back(table, present);
  return uuid;
}

void DesiredRows::Rename(uint32_t number, const Uuid& uuid) {
  Desired& desired = *rows_[number];
  by_uuid_.erase(desired.uuid);
  desired.uuid = uuid;
  by_uuid_[uuid] = number;
  desired.contents_touched = true;
  Touch(number);
}

DesiredRows::Desired* DesiredRows::FindByUuid(const Uuid& uuid) {
  const auto found = by_uuid_.find(uuid);
  return found == by_uuid_.end() ? nullptr : rows_[found->second].get();
}

// ---- Contents ----

uint32_t DesiredRows::FindOrMakeContent(const Desired& desired, Columns columns) {
  const auto before = [](const auto& a, const auto& b) { return a.first < b.first; };
  // They are set in order, nearly always.
  if (!std::is_sorted(columns.begin(), columns.end(), before)) {
    std::stable_sort(columns.begin(), columns.end(), before);
  }
  for (uint32_t number : desired.contents) {
    if (contents_[number].columns == columns) return number;
  }
  uint32_t number = 0;
  if (free_contents_.empty()) {
    number = static_cast<uint32_t>(contents_.size());
    contents_.emplace_back();
  } else {
    number = free_contents_.back();
    free_contents_.pop_back();
  }
  contents_[number] = {std::move(columns), 0};
  return number;
}

void DesiredRows::Emit(engine::Context& ctx, OutRow row) {
  const uint32_t number = FindOrMake(row.table_, row.key_);
  const uint32_t content = FindOrMakeContent(*rows_[number], std::move(row.columns_));
  ctx.Emit({sink_, number, content, 0});
}

uint32_t DesiredRows::FindOrMakeAtom(const Atom& atom) {
  const auto [at, is_new] = atom_numbers_.try_emplace(Datum(atom), 0);
  if (!is_new) return at->second;
  if (free_atoms_.empty()) {
    at->second = static_cast<uint32_t>(atoms_.size());
    atoms_.emplace_back();
  } else {
    at->second = free_atoms_.back();
    free_atoms_.pop_back();
  }
  atoms_[at->second] = {at->first, 0};
  return at->second;
}

void DesiredRows::EmitElement(engine::Context& ctx, int table, absl::string_view key, int column,
                              const Atom& element) {
  ctx.Emit({sink_, FindOrMake(table, key), FindOrMakeAtom(element), static_cast<uint32_t>(column)});
}

void DesiredRows::Add(const engine::Emission& emission) {
  Desired& desired = *rows_[emission.item];
  if (emission.b == 0) {
    Content& content = contents_[emission.a];
    if (++content.references > 1) return;
    desired.contents.push_back(emission.a);
    desired.contents_touched = true;
  } else {
    ++atoms_[emission.a].references;
    const uint64_t element = ElementKey(emission.b, emission.a);
    if (++desired.elements[element] > 1) return;
    desired.touched_elements.push_back(element);
  }
  Touch(emission.item);
}

void DesiredRows::Remove(const engine::Emission& emission) {
  Desired& desired = *rows_[emission.item];
  if (emission.b == 0) {
    Content& content = contents_[emission.a];
    if (--content.references > 0) return;
    content.columns.clear();
    std::erase(desired.contents, emission.a);
    free_contents_.push_back(emission.a);
    desired.contents_touched = true;
  } else {
    // The atom's number stays its own while the writer may ask for it: until FreeUnusedAtoms().
    --atoms_[emission.a].references;
    const uint64_t element = ElementKey(emission.b, emission.a);
    const auto found = desired.elements.find(element);
    if (--found->second > 0) return;
    desired.elements.erase(found);
    desired.touched_elements.push_back(element);
  }
  Touch(emission.item);
}

bool DesiredRows::SetsColumn(const Desired& desired, int column) const {
  for (uint32_t number : desired.contents) {
    for (const auto& pair : contents_[number].columns) {
      if (pair.first == column) return true;
    }
  }
  return false;
}

DesiredRows::Columns DesiredRows::ContentOf(const Desired& desired,
                                            const ovsdb::Row* present) const {
  Columns columns;
  for (uint32_t number : desired.contents) {
    for (const auto& [column, datum] : contents_[number].columns) {
      const int plain = column & ~OutRow::kDefault;
      if (plain != column && present != nullptr && !present->datum(plain).empty()) continue;
      const bool known = std::any_of(columns.begin(), columns.end(),
                                     [&](const auto& pair) { return pair.first == plain; });
      if (!known) columns.emplace_back(plain, datum);
    }
  }
  std::map<int, std::vector<Atom>> sets;
  for (int column : policies_[static_cast<size_t>(desired.table)].element_columns) sets[column];
  for (const auto& [element, count] : desired.elements) {
    sets[static_cast<int>(element >> 32)].push_back(atom(element).key(0));
  }
  for (auto& [column, atoms] : sets) {
    const Datum set = ovsdb::MakeDatum(atoms, {});
    const auto at = std::find_if(columns.begin(), columns.end(),
                                 [c = column](const auto& pair) { return pair.first == c; });
    if (at == columns.end()) {
      columns.emplace_back(column, set);
    } else {
      at->second = ovsdb::Union(at->second, set);
    }
  }
  return columns;
}

// ---- What the writer has to look at ----

void DesiredRows::Touch(uint32_t number) {
  Desired& desired = *rows_[number];
  if (desired.touched) return;
  desired.touched = true;
  touched_.push_back(number);
}

void DesiredRows::TouchChanged(const ovsdb::RowChange& change) {
  const auto found = by_uuid_.find(change.uuid());
  if (found == by_uuid_.end()) return;
  Desired& desired = *rows_[found->second];
  const std::vector<int>& element_columns =
      policies_[static_cast<size_t>(desired.table)].element_columns;
  if (!change.before || !change.after || element_columns.empty()) {
    desired.contents_touched = true;
  } else {
    const auto touch_elements = [&](int column, const Datum& elements) {
      for (size_t i = 0; i < elements.size(); ++i) {
        desired.touched_elements.push_back(
            ElementKey(static_cast<uint32_t>(column), FindOrMakeAtom(elements.key(i))));
      }
    };
    for (int column = ovsdb::TableSchema::kFirstRealColumn; column < change.after->n_columns();
         ++column) {
      const Datum& before = change.before->datum(column);
      const Datum& after = change.after->datum(column);
      const bool by_element = std::find(element_columns.begin(), element_columns.end(), column) !=
                              element_columns.end();
      if (by_element) {
        touch_elements(column, ovsdb::Subtract(before, after));
        touch_elements(column, ovsdb::Subtract(after, before));
      } else if (before != after) {
        desired.contents_touched = true;
      }
    }
  }
  Touch(found->second);
}

bool DesiredRows::Adopt(uint32_t number) {
  Desired* desired = rows_[number].get();
  if (desired == nullptr) return false;
  if (const ovsdb::Row* row = replica_->Peek(desired->table, desired->uuid)) {
    const int column = policy(desired->table).number_column;
    if (column == 0 || !Wanted(*desired)) return false;
    const Columns columns = ContentOf(*desired, row);
    return std::any_of(columns.begin(), columns.end(), [&](const auto& pair) {
      return pair.first == column && pair.second != row->datum(column);
    });
  }
  const Uuid existing = FindExisting(desired->table, desired->key);
  if (existing.is_zero() || by_uuid_.contains(existing)) return false;
  Rename(number, existing);
  return true;
}

bool DesiredRows::AdoptExisting(bool all) {
  bool adopted = false;
  if (all) {
    for (uint32_t number = 0; number < row_count(); ++number) adopted |= Adopt(number);
  } else {
    for (uint32_t number : std::vector<uint32_t>(touched_)) adopted |= Adopt(number);
  }
  return adopted;
}

std::vector<uint32_t> DesiredRows::TakeTouched() {
  for (uint32_t number : asked_) {
    if (rows_[number] != nullptr) Touch(number);
  }
  asked_.clear();
  std::vector<uint32_t> touched;
  touched.swap(touched_);
  for (uint32_t number : touched) rows_[number]->touched = false;
  return touched;
}

void DesiredRows::EraseIfUnused(uint32_t number) {
  Desired& desired = *rows_[number];
  for (uint64_t element : desired.touched_elements) {
    const uint32_t atom = static_cast<uint32_t>(element);
    if (atoms_[atom].references == 0) unused_atoms_.push_back(atom);
  }
  desired.touched_elements.clear();
  desired.contents_touched = false;
  if (!desired.contents.empty() || !desired.elements.empty()) return;
  by_key_[static_cast<size_t>(desired.table)].erase(desired.key);
  by_uuid_.erase(desired.uuid);
  rows_[number] = nullptr;
  free_rows_.push_back(number);
}

void DesiredRows::FreeUnusedAtoms() {
  for (const uint32_t atom : unused_atoms_) {
    if (atoms_[atom].references != 0 || atoms_[atom].atom.empty()) continue;
    atom_numbers_.erase(atoms_[atom].atom);
    atoms_[atom].atom = Datum();
    free_atoms_.push_back(atom);
  }
  unused_atoms_.clear();
}

}  // namespace northd
