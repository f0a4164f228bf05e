// Values of columns: atoms, sets and maps (RFC 7047 section 5.1).
//
// A Datum is 16 bytes and immutable; copying shares. Scalars that fit are held inside, everything
// else in one reference-counted block, so that a row version costs one allocation plus what changed.
#ifndef OVSDB_DATUM_H_
#define OVSDB_DATUM_H_

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "ovsdb/ref_counted.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

enum class AtomType : uint8_t { kVoid, kInteger, kReal, kBoolean, kString, kUuid };

absl::string_view AtomTypeName(AtomType type);  // "integer" ...; "void" for kVoid.

// A tagged view of one atom. It borrows strings: valid while what it was taken from lives.
class Atom {
 public:
  Atom() = default;  // kVoid
  static Atom Integer(int64_t v);
  static Atom Real(double v);
  static Atom Boolean(bool v);
  static Atom String(absl::string_view v);
  static Atom Of(const Uuid& v);

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
  bool operator==(const Atom& o) const { return Compare(o) == 0; }
  template <typename H>
  friend H AbslHashValue(H h, const Atom& a);

  void AppendJson(std::string* out) const;  // Wire form: ["uuid","..."] for UUIDs.

 private:
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

// One column's value. Sets are sorted by key without duplicates, maps by key; so equal values have
// equal representations, and output comes in stock's order. The default is the empty set. Immutable
// and safe to share between threads.
class Datum {
 public:
  Datum() = default;
  explicit Datum(const Atom& atom);  // A scalar.
  Datum(const Datum& o);
  Datum(Datum&& o) noexcept;
  Datum& operator=(Datum o) noexcept;
  ~Datum();

  size_t size() const;
  bool empty() const { return size() == 0; }
  // kVoid if empty; kVoid value_type for sets.
  AtomType key_type() const { return key_type_; }
  AtomType value_type() const { return value_type_; }
  bool is_map() const { return value_type_ != AtomType::kVoid; }
  Atom key(size_t i) const;    // Requires i < size().
  Atom value(size_t i) const;  // Requires is_map() and i < size().

  // Position of a key, or -1. Binary search.
  int Find(const Atom& key) const;
  bool Contains(const Atom& key) const { return Find(key) >= 0; }

  // Whole-value order: by keys and values in sequence, shorter first where one is a prefix. Types must agree
  // where both are non-empty.
  std::strong_ordering Compare(const Datum& o) const;
  bool operator==(const Datum& o) const;
  template <typename H>
  friend H AbslHashValue(H h, const Datum& d);

  // Wire form (RFC 7047 <value>): bare atom for one element that is not a map, else ["set",[...]] or
  // ["map",[...]]. `is_map` says what an empty value is.
  void AppendJson(bool is_map, std::string* out) const;

  // Heap bytes that this value keeps alive (shared ones counted in full).
  size_t heap_bytes() const;
  // What stock counts as atoms in memory/show and history limits.
  size_t atom_count() const { return size() * (is_map() ? 2 : 1); }

 private:
  friend class DatumBuilder;
  struct Block;         // A string, a UUID or the arrays of a set or map.
  union {
    int64_t integer;
    double real;
    bool boolean;
    const Block* block = nullptr;
  } u_;
  uint32_t size_ = 0;
  AtomType key_type_ = AtomType::kVoid;
  AtomType value_type_ = AtomType::kVoid;
  bool in_block_ = false;
};

// Collects elements in any order and makes a Datum of them.
class DatumBuilder {
 public:
  explicit DatumBuilder(AtomType key, AtomType value = AtomType::kVoid);
  ~DatumBuilder();
  DatumBuilder(const DatumBuilder&) = delete;
  DatumBuilder& operator=(const DatumBuilder&) = delete;

  void Reserve(size_t n);
  void Add(const Atom& key);                     // Copies strings.
  void Add(const Atom& key, const Atom& value);  // Maps only.
  size_t size() const;

  // Sorts and drops duplicates: of equal keys the first added stays. The builder is empty afterwards.
  Datum Build();
  // As Build(), but reports whether there were duplicate keys.
  Datum Build(bool* had_duplicates);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Set algebra on values of the same types. Linear in the sizes; the operands are shared, not copied,
// where the result equals one of them.
Datum Union(const Datum& a, const Datum& b);               // Of equal keys, a's value wins.
Datum Subtract(const Datum& a, const Datum& b);            // Without the elements of b (map: pairs equal in b).
Datum SubtractKeys(const Datum& map, const Datum& keys);   // Without the keys in the set `keys`.
bool Includes(const Datum& a, const Datum& b);             // Every element (pair) of b is in a.
bool Excludes(const Datum& a, const Datum& b);             // No element (pair) of b is in a.

// The difference that update2 and `_is_diff` records carry for a column (ovsdb-server(7) "update2"):
// set: the symmetric difference; map: new and changed pairs with their new value, removed pairs with their
// old one. For scalars (n_max 1) the caller sends the new value instead.
Datum Difference(const Datum& before, const Datum& after);
Datum ApplyDifference(const Datum& before, const Datum& difference);

}  // namespace ovsdb

#endif  // OVSDB_DATUM_H_
