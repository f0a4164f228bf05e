// Values of columns: atoms, sets and maps (RFC 7047 section 5.1).
//
// A Datum is 16 bytes and immutable; copying shares. Numbers, booleans and short strings are held
// inside, everything else in one reference-counted block without pointers, so that a row version
// costs one allocation plus what changed, and changing a large set costs copying bytes.
#ifndef OVSDB_DATUM_H_
#define OVSDB_DATUM_H_

#include <compare>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ovsdb/real_form.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

enum class AtomType : uint8_t { kVoid, kInteger, kReal, kBoolean, kString, kUuid };

absl::string_view AtomTypeName(AtomType type);  // "integer" ...; "void" for kVoid.

// A tagged view of one atom. It borrows strings: valid while what it was taken from lives. (A short
// string lives in the Datum itself: do not keep the string of a temporary Datum.)
class Atom {
 public:
  Atom() = default;  // kVoid
  static Atom Integer(int64_t v) {
    Atom a(AtomType::kInteger);
    a.u_.integer = v;
    return a;
  }
  static Atom Real(double v) {
    Atom a(AtomType::kReal);
    a.u_.real = v + 0.0;  // There is no negative zero.
    return a;
  }
  static Atom Boolean(bool v) {
    Atom a(AtomType::kBoolean);
    a.u_.boolean = v;
    return a;
  }
  static Atom String(absl::string_view v) {
    Atom a(AtomType::kString);
    a.u_.string = {v.data(), v.size()};
    return a;
  }
  static Atom Of(const Uuid& v) {
    Atom a(AtomType::kUuid);
    a.u_.uuid = {v.hi, v.lo};
    return a;
  }

  AtomType type() const { return type_; }
  int64_t integer() const { return u_.integer; }
  double real() const { return u_.real; }
  bool boolean() const { return u_.boolean; }
  absl::string_view string() const { return {u_.string.data, u_.string.size}; }
  Uuid uuid() const { return {u_.uuid.hi, u_.uuid.lo}; }

  bool is_default() const;  // 0, 0.0, false, "" or the zero UUID.

  // Stock's order of atoms: numbers by value, false before true, strings by bytes, UUIDs by text.
  // Requires equal types.
  std::strong_ordering Compare(const Atom& o) const;
  bool operator==(const Atom& o) const { return std::is_eq(Compare(o)); }
  template <typename H>
  friend H AbslHashValue(H h, const Atom& a);

  // Wire form: ["uuid","..."] for UUIDs.
  void AppendJson(std::string* out, RealForm reals = RealForm::kRounded) const;
  // As messages for people show it: UUIDs bare, strings quoted only where they are not plain words.
  void AppendText(std::string* out) const;

 private:
  explicit Atom(AtomType type) : type_(type) {}

  AtomType type_ = AtomType::kVoid;
  union {
    int64_t integer = 0;
    double real;
    bool boolean;
    struct {
      const char* data;
      size_t size;
    } string;
    struct {
      uint64_t hi, lo;
    } uuid;
  } u_;
};

template <typename H>
H AbslHashValue(H h, const Atom& a) {
  h = H::combine(std::move(h), a.type());
  switch (a.type()) {
    case AtomType::kVoid:
      break;
    case AtomType::kInteger:
      return H::combine(std::move(h), a.integer());
    case AtomType::kReal:
      return H::combine(std::move(h), a.real());
    case AtomType::kBoolean:
      return H::combine(std::move(h), a.boolean());
    case AtomType::kString:
      return H::combine(std::move(h), a.string());
    case AtomType::kUuid:
      return H::combine(std::move(h), a.uuid());
  }
  return h;
}

// One column's value. Sets are sorted by key without duplicates, maps by key; so equal values have
// equal representations, and output comes in stock's order. The default is the empty set. Immutable
// and safe to share between threads.
class Datum {
 public:
  Datum() = default;
  explicit Datum(const Atom& atom);  // A scalar.
  Datum(const Datum& o) : bits_(o.bits_) {
    if (has_block()) AddReference();
  }
  Datum(Datum&& o) noexcept : bits_(std::exchange(o.bits_, Bits())) {}
  Datum& operator=(Datum o) noexcept {
    std::swap(bits_, o.bits_);
    return *this;
  }
  ~Datum() {
    if (has_block()) Release();
  }

  size_t size() const;
  bool empty() const { return bits_.form == Form::kEmpty; }
  // kVoid if empty; kVoid value_type for sets.
  AtomType key_type() const { return bits_.key_type; }
  AtomType value_type() const { return bits_.value_type; }
  bool is_map() const { return bits_.value_type != AtomType::kVoid; }
  Atom key(size_t i) const;    // Requires i < size().
  Atom value(size_t i) const;  // Requires is_map() and i < size().

  // All keys, where they are UUIDs; nothing for the empty value. Valid as long as the value.
  absl::Span<const Uuid> uuids() const;

  // The first position from `begin` on whose key is not less, or size().
  size_t LowerBound(const Atom& key, size_t begin) const;
  // Position of a key, or -1. Binary search.
  int Find(const Atom& key) const;
  bool Contains(const Atom& key) const { return Find(key) >= 0; }

  // Whole-value order: by keys and values in sequence, shorter first where one is a prefix. Types
  // must agree where both are non-empty.
  std::strong_ordering Compare(const Datum& o) const;
  bool operator==(const Datum& o) const;
  template <typename H>
  friend H AbslHashValue(H h, const Datum& d) {
    return H::combine(std::move(h), d.bits_.key_type, d.bytes());
  }

  // Wire form (RFC 7047 <value>): a bare atom for one element that is not a map, else
  // ["set",[...]] or ["map",[...]]. `is_map` says what an empty value is.
  void AppendJson(bool is_map, std::string* out, RealForm reals = RealForm::kRounded) const;

  // Heap bytes that this value keeps alive (shared ones counted in full).
  size_t heap_bytes() const;
  // What stock counts as atoms in memory/show and history limits.
  size_t atom_count() const { return size() * (is_map() ? 2 : 1); }

 private:
  friend class DatumAssembler;
  struct Block;  // What does not fit: text, a UUID, or the elements of a set or map.
  // How the value is held. The others need no block.
  enum class Form : uint8_t { kEmpty, kNumber, kShortText, kText, kUuid, kElements };
  static constexpr size_t kMaxShortText = 12;

  bool has_block() const { return bits_.form >= Form::kText; }
  void AddReference() const;  // To the block,
  void Release() const;       // and from it.
  const Block* block() const;
  void set_block(const Block* block);
  absl::string_view bytes() const;  // Equal for equal values.
  uint32_t length() const;          // Of the text or the number of elements.
  void set_length(uint32_t n);
  // Puts `text` inside or into a block.
  void SetText(absl::string_view text);

  struct Bits {
    // A number or the block's address in the first eight bytes and a length in the last four, or
    // a short text.
    alignas(8) char inside[kMaxShortText] = {};
    Form form = Form::kEmpty;
    AtomType key_type = AtomType::kVoid;
    AtomType value_type = AtomType::kVoid;
    uint8_t short_length = 0;
  };
  Bits bits_;
};
static_assert(sizeof(Datum) == 16);

// Collects elements in any order and makes a Datum of them.
class DatumBuilder {
 public:
  explicit DatumBuilder(AtomType key, AtomType value = AtomType::kVoid)
      : key_type_(key), value_type_(value) {}
  DatumBuilder(const DatumBuilder&) = delete;
  DatumBuilder& operator=(const DatumBuilder&) = delete;

  void Reserve(size_t n);
  void Add(const Atom& key);                     // Copies strings.
  void Add(const Atom& key, const Atom& value);  // Maps only.
  size_t size() const { return keys_.size(); }

  // Sorts and drops duplicates: of equal keys the first added stays. The builder is empty
  // afterwards.
  Datum Build();
  // As Build(), but reports whether there were duplicate keys.
  Datum Build(bool* had_duplicates);

 private:
  Atom Keep(const Atom& atom);

  AtomType key_type_, value_type_;
  std::vector<Atom> keys_, values_;
  std::deque<std::string> texts_;  // What the atoms' strings point to.
};

// A Datum of elements in any order, whose strings need to live only for this call; `values` is
// empty for sets, else as long as `keys`. Of equal keys the first stays.
Datum MakeDatum(absl::Span<const Atom> keys, absl::Span<const Atom> values,
                bool* had_duplicates = nullptr);

// Set algebra on values of the same types. Linear in the sizes; the operands are shared, not
// copied, where the result equals one of them.
Datum Union(const Datum& a, const Datum& b);  // Of equal keys, a's value wins.
Datum Subtract(const Datum& a,
               const Datum& b);  // Without the elements of b (map: pairs equal in b).
Datum SubtractKeys(const Datum& map, const Datum& keys);  // Without the keys in the set `keys`.
bool Includes(const Datum& a, const Datum& b);            // Every element (pair) of b is in a.
bool Excludes(const Datum& a, const Datum& b);            // No element (pair) of b is in a.

// The difference that update2 and `_is_diff` records carry for a column (ovsdb-server(7)
// "update2"): set: the symmetric difference; map: new and changed pairs with their new value,
// removed pairs with their old one. For scalars (n_max 1) the caller sends the new value instead.
Datum Difference(const Datum& before, const Datum& after);
Datum ApplyDifference(const Datum& before, const Datum& difference);

}  // namespace ovsdb

#endif  // OVSDB_DATUM_H_
