#include "ovsdb/datum.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <numeric>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"
#include "ovsdb/json.h"

namespace ovsdb {
namespace {

// Where a text is in a block: bytes from the beginning of the block's data.
struct TextCell {
  uint32_t offset;
  uint32_t size;
};

size_t CellSize(AtomType type) {
  switch (type) {
    case AtomType::kVoid:
      return 0;
    case AtomType::kUuid:
      return sizeof(Uuid);
    default:
      return 8;
  }
}

template <typename T>
T LoadAt(const char* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <typename T>
void StoreAt(char* p, const T& v) {
  std::memcpy(p, &v, sizeof v);
}

Atom LoadCell(AtomType type, const char* data, const char* cell) {
  switch (type) {
    case AtomType::kVoid:
      break;
    case AtomType::kInteger:
      return Atom::Integer(LoadAt<int64_t>(cell));
    case AtomType::kReal:
      return Atom::Real(LoadAt<double>(cell));
    case AtomType::kBoolean:
      return Atom::Boolean(LoadAt<int64_t>(cell) != 0);
    case AtomType::kString: {
      const auto text = LoadAt<TextCell>(cell);
      return Atom::String({data + text.offset, text.size});
    }
    case AtomType::kUuid:
      return Atom::Of(LoadAt<Uuid>(cell));
  }
  return Atom();
}

template <typename T>
std::strong_ordering CompareNumbers(T a, T b) {
  return a < b   ? std::strong_ordering::less
         : b < a ? std::strong_ordering::greater
                 : std::strong_ordering::equal;
}

}  // namespace

absl::string_view AtomTypeName(AtomType type) {
  switch (type) {
    case AtomType::kVoid:
      break;
    case AtomType::kInteger:
      return "integer";
    case AtomType::kReal:
      return "real";
    case AtomType::kBoolean:
      return "boolean";
    case AtomType::kString:
      return "string";
    case AtomType::kUuid:
      return "uuid";
  }
  return "void";
}

bool Atom::is_default() const {
  switch (type_) {
    case AtomType::kVoid:
      return true;
    case AtomType::kInteger:
      return integer() == 0;
    case AtomType::kReal:
      return real() == 0;
    case AtomType::kBoolean:
      return !boolean();
    case AtomType::kString:
      return string().empty();
    case AtomType::kUuid:
      return uuid().is_zero();
  }
  return false;
}

std::strong_ordering Atom::Compare(const Atom& o) const {
  switch (type_) {
    case AtomType::kVoid:
      break;
    case AtomType::kInteger:
      return CompareNumbers(integer(), o.integer());
    case AtomType::kReal:
      return CompareNumbers(real(), o.real());
    case AtomType::kBoolean:
      return CompareNumbers<int>(boolean(), o.boolean());
    case AtomType::kString:
      return CompareNumbers(string().compare(o.string()), 0);
    case AtomType::kUuid:
      return uuid() <=> o.uuid();
  }
  return std::strong_ordering::equal;
}

void Atom::AppendJson(std::string* out, RealForm reals) const {
  switch (type_) {
    case AtomType::kVoid:
      return;
    case AtomType::kInteger:
      return AppendInteger(integer(), out);
    case AtomType::kReal:
      return AppendReal(real(), reals, out);
    case AtomType::kBoolean:
      out->append(boolean() ? "true" : "false");
      return;
    case AtomType::kString:
      return AppendJsonString(string(), out);
    case AtomType::kUuid:
      out->append("[\"uuid\",\"");
      uuid().AppendTo(out);
      out->append("\"]");
      return;
  }
}

namespace {

// Whether people can read the string without quotes: nothing else looks like it.
bool IsPlainWord(absl::string_view s) {
  if (s.empty() || !(absl::ascii_isalpha(s[0]) || s[0] == '_')) return false;
  for (char c : s) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '-' && c != '.') return false;
  }
  return s != "true" && s != "false" && !Uuid::Parse(s);
}

}  // namespace

void Atom::AppendText(std::string* out) const {
  if (type_ == AtomType::kUuid) {
    uuid().AppendTo(out);
  } else if (type_ == AtomType::kString && IsPlainWord(string())) {
    out->append(string().data(), string().size());
  } else {
    AppendJson(out);
  }
}

// A reference count and `size` bytes of data. The elements of a set or map are laid out as the
// cells of the keys, the cells of the values, the texts of the keys, the texts of the values;
// texts in the order of their cells, without gaps. So equal values are equal bytes, and a run of
// elements is copied with one memcpy per part.
struct Datum::Block {
  mutable std::atomic<uint32_t> references;
  uint32_t size;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  // Has one reference. A value of 4 GB is as good as out of memory.
  static Block* New(size_t size) {
    if (size > std::numeric_limits<uint32_t>::max()) std::abort();
    auto* block = static_cast<Block*>(::operator new(sizeof(Block) + size));
    return new (block) Block{1, static_cast<uint32_t>(size)};
  }
  void AddReference() const { references.fetch_add(1, std::memory_order_relaxed); }
  void Release() const {
    // The only holder need not tell others.
    if (references.load(std::memory_order_acquire) == 1 ||
        references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      ::operator delete(const_cast<Block*>(this));
    }
  }
};

const Datum::Block* Datum::block() const {
  const Block* block;
  std::memcpy(&block, bits_.inside, sizeof(void*));
  return block;
}

void Datum::set_block(const Block* block) { std::memcpy(bits_.inside, &block, sizeof(void*)); }

uint32_t Datum::length() const { return LoadAt<uint32_t>(bits_.inside + 8); }
void Datum::set_length(uint32_t n) { StoreAt(bits_.inside + 8, n); }

void Datum::SetText(absl::string_view text) {
  if (text.size() <= kMaxShortText) {
    bits_.form = Form::kShortText;
    bits_.short_length = text.size();
    std::copy(text.begin(), text.end(), bits_.inside);
    return;
  }
  bits_.form = Form::kText;
  Block* block = Block::New(text.size());
  std::copy(text.begin(), text.end(), block->data());
  set_block(block);
  set_length(text.size());
}

Datum::Datum(const Atom& atom) {
  bits_.key_type = atom.type();
  switch (atom.type()) {
    case AtomType::kVoid:
      break;
    case AtomType::kInteger:
      bits_.form = Form::kNumber;
      StoreAt(bits_.inside, atom.integer());
      break;
    case AtomType::kReal:
      bits_.form = Form::kNumber;
      StoreAt(bits_.inside, atom.real());
      break;
    case AtomType::kBoolean:
      bits_.form = Form::kNumber;
      StoreAt(bits_.inside, int64_t{atom.boolean()});
      break;
    case AtomType::kString:
      SetText(atom.string());
      break;
    case AtomType::kUuid: {
      bits_.form = Form::kUuid;
      Block* block = Block::New(sizeof(Uuid));
      StoreAt(block->data(), atom.uuid());
      set_block(block);
      break;
    }
  }
}

void Datum::AddReference() const { block()->AddReference(); }
void Datum::Release() const { block()->Release(); }

size_t Datum::size() const {
  switch (bits_.form) {
    case Form::kEmpty:
      return 0;
    case Form::kElements:
      return length();
    default:
      return 1;
  }
}

Atom Datum::key(size_t i) const {
  switch (bits_.form) {
    case Form::kEmpty:
      break;
    case Form::kNumber:
      return LoadCell(bits_.key_type, nullptr, bits_.inside);
    case Form::kShortText:
      return Atom::String({bits_.inside, bits_.short_length});
    case Form::kText:
      return Atom::String({block()->data(), length()});
    case Form::kUuid:
      return Atom::Of(LoadAt<Uuid>(block()->data()));
    case Form::kElements: {
      const char* data = block()->data();
      return LoadCell(bits_.key_type, data, data + i * CellSize(bits_.key_type));
    }
  }
  return Atom();
}

absl::Span<const Uuid> Datum::uuids() const {
  if (empty()) return {};
  // Keys come first in a block, and a block is aligned for any of them.
  return {reinterpret_cast<const Uuid*>(block()->data()), size()};
}

Atom Datum::value(size_t i) const {
  const char* data = block()->data();
  const size_t keys_size = length() * CellSize(bits_.key_type);
  return LoadCell(bits_.value_type, data, data + keys_size + i * CellSize(bits_.value_type));
}

size_t Datum::LowerBound(const Atom& key, size_t begin) const {
  // Doubling steps first: where two values are walked side by side the place is often near.
  const size_t n = size();
  size_t step = 1, end = begin;
  while (end < n && std::is_lt(this->key(end).Compare(key))) {
    begin = end + 1;
    end += step;
    step *= 2;
  }
  end = std::min(end, n);
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (std::is_lt(this->key(middle).Compare(key))) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

int Datum::Find(const Atom& key) const {
  const size_t i = LowerBound(key, 0);
  return i < size() && this->key(i) == key ? static_cast<int>(i) : -1;
}

std::strong_ordering Datum::Compare(const Datum& o) const {
  const size_t n = std::min(size(), o.size());
  for (size_t i = 0; i < n; i++) {
    if (auto order = key(i).Compare(o.key(i)); std::is_neq(order)) return order;
    if (!is_map()) continue;
    if (auto order = value(i).Compare(o.value(i)); std::is_neq(order)) return order;
  }
  return size() <=> o.size();
}

absl::string_view Datum::bytes() const {
  if (has_block()) return {block()->data(), block()->size};
  return {bits_.inside, sizeof bits_.inside};
}

bool Datum::operator==(const Datum& o) const {
  if (has_block() && bits_.form == o.bits_.form && block() == o.block()) return true;
  return bits_.form == o.bits_.form && bits_.key_type == o.bits_.key_type &&
         bits_.value_type == o.bits_.value_type && bits_.short_length == o.bits_.short_length &&
         bytes() == o.bytes();
}

void Datum::AppendJson(bool is_map, std::string* out, RealForm reals) const {
  const size_t n = size();
  if (n == 1 && !is_map) return key(0).AppendJson(out, reals);
  out->append(is_map ? "[\"map\",[" : "[\"set\",[");
  for (size_t i = 0; i < n; i++) {
    if (i > 0) out->push_back(',');
    if (!is_map) {
      key(i).AppendJson(out, reals);
      continue;
    }
    out->push_back('[');
    key(i).AppendJson(out, reals);
    out->push_back(',');
    value(i).AppendJson(out, reals);
    out->push_back(']');
  }
  out->append("]]");
}

size_t Datum::heap_bytes() const { return has_block() ? sizeof(Block) + block()->size : 0; }

// Puts values with elements together: out of atoms, or out of runs of other values' elements.
class DatumAssembler {
 public:
  DatumAssembler(AtomType key, AtomType value) : key_type_(key), value_type_(value) {}

  // Adds the elements [begin, end) of `from`, which must outlive the assembler. Runs are in order.
  void AddRun(const Datum& from, size_t begin, size_t end) {
    if (begin == end) return;
    if (!runs_.empty() && runs_.back().from == &from && runs_.back().end == begin) {
      runs_.back().end = end;
    } else {
      runs_.push_back({&from, begin, end});
    }
    n_ += end - begin;
  }

  Datum Finish() {
    if (n_ == 0) return Datum();
    const Run& first = runs_[0];
    if (first.from->size() == n_ && runs_.size() == 1) return *first.from;
    if (n_ == 1 && value_type_ == AtomType::kVoid) return Datum(first.from->key(first.begin));
    size_t text_size = 0;
    for (const Run& run : runs_) {
      text_size += TextSize(run, key_type_, kKeys) + TextSize(run, value_type_, kValues);
    }
    Begin(n_, text_size);
    for (const Run& run : runs_) PutRun(run, key_type_, kKeys);
    for (const Run& run : runs_) PutRun(run, value_type_, kValues);
    return End();
  }

  // The elements at the positions `order` of `keys` and `values`: sorted, without duplicates.
  Datum FromAtoms(absl::Span<const Atom> keys, absl::Span<const Atom> values,
                  absl::Span<const uint32_t> order) {
    if (order.empty()) return Datum();
    if (order.size() == 1 && values.empty()) return Datum(keys[order[0]]);
    size_t text_size = 0;
    for (uint32_t i : order) {
      text_size += TextSize(keys[i]);
      if (!values.empty()) text_size += TextSize(values[i]);
    }
    Begin(order.size(), text_size);
    for (uint32_t i : order) PutAtom(keys[i]);
    if (!values.empty()) {
      for (uint32_t i : order) PutAtom(values[i]);
    }
    return End();
  }

 private:
  enum Part { kKeys, kValues };
  struct Run {
    const Datum* from;
    size_t begin, end;
  };

  static size_t TextSize(const Atom& atom) {
    return atom.type() == AtomType::kString ? atom.string().size() : 0;
  }
  static Atom Get(const Datum& from, Part part, size_t i) {
    return part == kKeys ? from.key(i) : from.value(i);
  }
  static size_t TextSize(const Run& run, AtomType type, Part part) {
    if (type != AtomType::kString) return 0;
    const absl::string_view first = Get(*run.from, part, run.begin).string();
    const absl::string_view last = Get(*run.from, part, run.end - 1).string();
    return last.data() + last.size() - first.data();
  }

  void Begin(size_t n, size_t text_size) {
    const size_t cells = n * (CellSize(key_type_) + CellSize(value_type_));
    n_ = n;
    block_ = Datum::Block::New(cells + text_size);
    cell_ = block_->data();
    text_ = block_->data() + cells;
  }

  void PutText(absl::string_view text) {
    StoreAt(cell_, TextCell{static_cast<uint32_t>(text_ - block_->data()),
                            static_cast<uint32_t>(text.size())});
    text_ = std::copy(text.begin(), text.end(), text_);
  }

  void PutAtom(const Atom& atom) {
    switch (atom.type()) {
      case AtomType::kVoid:
        break;
      case AtomType::kInteger:
        StoreAt(cell_, atom.integer());
        break;
      case AtomType::kReal:
        StoreAt(cell_, atom.real());
        break;
      case AtomType::kBoolean:
        StoreAt(cell_, int64_t{atom.boolean()});
        break;
      case AtomType::kString:
        PutText(atom.string());
        break;
      case AtomType::kUuid:
        StoreAt(cell_, atom.uuid());
        break;
    }
    cell_ += CellSize(atom.type());
  }

  void PutRun(const Run& run, AtomType type, Part part) {
    if (type == AtomType::kVoid) return;
    if (run.from->bits_.form != Datum::Form::kElements) return PutAtom(run.from->key(0));
    const char* data = run.from->block()->data();
    const size_t skipped = part == kKeys ? 0 : run.from->length() * CellSize(key_type_);
    const char* cells = data + skipped + run.begin * CellSize(type);
    const size_t n = run.end - run.begin;
    if (type != AtomType::kString) {
      std::memcpy(cell_, cells, n * CellSize(type));
      cell_ += n * CellSize(type);
      return;
    }
    const auto first = LoadAt<TextCell>(cells);
    const size_t text_size = TextSize(run, type, part);
    const auto new_offset = static_cast<uint32_t>(text_ - block_->data());
    std::memcpy(text_, data + first.offset, text_size);
    text_ += text_size;
    for (size_t i = 0; i < n; i++) {
      auto text = LoadAt<TextCell>(cells + i * sizeof(TextCell));
      text.offset += new_offset - first.offset;
      StoreAt(cell_, text);
      cell_ += sizeof(TextCell);
    }
  }

  Datum End() {
    Datum datum;
    datum.bits_.form = Datum::Form::kElements;
    datum.bits_.key_type = key_type_;
    datum.bits_.value_type = value_type_;
    datum.set_block(std::exchange(block_, nullptr));
    datum.set_length(n_);
    return datum;
  }

  AtomType key_type_, value_type_;
  absl::InlinedVector<Run, 4> runs_;
  size_t n_ = 0;
  Datum::Block* block_ = nullptr;  // Being filled:
  char* cell_ = nullptr;           // where the next element goes,
  char* text_ = nullptr;           // and where its text goes.
};

Datum MakeDatum(absl::Span<const Atom> keys, absl::Span<const Atom> values, bool* had_duplicates) {
  absl::InlinedVector<uint32_t, 16> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  auto less = [&](uint32_t a, uint32_t b) { return std::is_lt(keys[a].Compare(keys[b])); };
  auto not_less = [&](uint32_t a, uint32_t b) { return !less(a, b); };
  // Most input was written by a server, in order.
  if (std::adjacent_find(order.begin(), order.end(), not_less) != order.end()) {
    std::stable_sort(order.begin(), order.end(), less);
    order.erase(std::unique(order.begin(), order.end(), not_less), order.end());
  }
  if (had_duplicates != nullptr) *had_duplicates = order.size() != keys.size();
  if (keys.empty()) return Datum();
  DatumAssembler assembler(keys[0].type(), values.empty() ? AtomType::kVoid : values[0].type());
  return assembler.FromAtoms(keys, values, order);
}

Atom DatumBuilder::Keep(const Atom& atom) {
  if (atom.type() != AtomType::kString) return atom;
  return Atom::String(texts_.emplace_back(atom.string()));
}

void DatumBuilder::Add(const Atom& key) { keys_.push_back(Keep(key)); }

void DatumBuilder::Add(const Atom& key, const Atom& value) {
  keys_.push_back(Keep(key));
  values_.push_back(Keep(value));
}

Datum DatumBuilder::Build(bool* had_duplicates) {
  Datum datum = MakeDatum(keys_, values_, had_duplicates);
  keys_.clear();
  values_.clear();
  texts_.clear();
  return datum;
}

Datum DatumBuilder::Build() { return Build(nullptr); }

namespace {

bool EqualValues(const Datum& a, size_t i, const Datum& b, size_t j) {
  return !a.is_map() || a.value(i) == b.value(j);
}

// Walks two values side by side by key: calls only_a(begin, end) and only_b(begin, end) for runs of
// elements whose keys only one has, and both(i, j) for a common key, until one of them returns
// false. Costs the length of the shorter times the logarithm of what is skipped in the longer.
template <typename OnlyA, typename OnlyB, typename Both>
bool Walk(const Datum& a, const Datum& b, OnlyA only_a, OnlyB only_b, Both both) {
  const size_t n = a.size(), m = b.size();
  size_t i = 0, j = 0;
  while (i < n && j < m) {
    const auto order = a.key(i).Compare(b.key(j));
    if (std::is_lt(order)) {
      const size_t end = a.LowerBound(b.key(j), i + 1);
      if (!only_a(i, end)) return false;
      i = end;
    } else if (std::is_gt(order)) {
      const size_t end = b.LowerBound(a.key(i), j + 1);
      if (!only_b(j, end)) return false;
      j = end;
    } else {
      if (!both(i++, j++)) return false;
    }
  }
  return (i == n || only_a(i, n)) && (j == m || only_b(j, m));
}

bool Ignore(size_t, size_t) { return true; }
bool Stop(size_t, size_t) { return false; }

// The types of the values that come of combining two of the same type, one of which may be empty.
DatumAssembler AssemblerFor(const Datum& a, const Datum& b) {
  const Datum& typed = a.empty() ? b : a;
  return DatumAssembler(typed.key_type(), typed.value_type());
}

}  // namespace

Datum Union(const Datum& a, const Datum& b) {
  DatumAssembler result = AssemblerFor(a, b);
  auto take_a = [&](size_t begin, size_t end) { return result.AddRun(a, begin, end), true; };
  auto take_b = [&](size_t begin, size_t end) { return result.AddRun(b, begin, end), true; };
  Walk(a, b, take_a, take_b, [&](size_t i, size_t) { return take_a(i, i + 1); });
  return result.Finish();
}

Datum Subtract(const Datum& a, const Datum& b) {
  DatumAssembler result = AssemblerFor(a, a);
  auto take_a = [&](size_t begin, size_t end) { return result.AddRun(a, begin, end), true; };
  Walk(a, b, take_a, Ignore,
       [&](size_t i, size_t j) { return EqualValues(a, i, b, j) || take_a(i, i + 1); });
  return result.Finish();
}

Datum SubtractKeys(const Datum& map, const Datum& keys) {
  DatumAssembler result = AssemblerFor(map, map);
  auto take = [&](size_t begin, size_t end) { return result.AddRun(map, begin, end), true; };
  Walk(map, keys, take, Ignore, Ignore);
  return result.Finish();
}

bool Includes(const Datum& a, const Datum& b) {
  return Walk(a, b, Ignore, Stop, [&](size_t i, size_t j) { return EqualValues(a, i, b, j); });
}

bool Excludes(const Datum& a, const Datum& b) {
  return Walk(a, b, Ignore, Ignore, [&](size_t i, size_t j) { return !EqualValues(a, i, b, j); });
}

Datum Difference(const Datum& before, const Datum& after) {
  DatumAssembler result = AssemblerFor(before, after);
  auto take_old = [&](size_t begin, size_t end) { return result.AddRun(before, begin, end), true; };
  auto take_new = [&](size_t begin, size_t end) { return result.AddRun(after, begin, end), true; };
  Walk(before, after, take_old, take_new,
       [&](size_t i, size_t j) { return EqualValues(before, i, after, j) || take_new(j, j + 1); });
  return result.Finish();
}

// A pair of the difference that the map has is one to remove, any other one to set: as differences
// are their own inverse, this is the same computation.
Datum ApplyDifference(const Datum& before, const Datum& difference) {
  return Difference(before, difference);
}

}  // namespace ovsdb
