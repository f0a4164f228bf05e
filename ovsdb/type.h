// Types of columns with their constraints (RFC 7047 section 3.2 <type>, <base-type>).
#ifndef OVSDB_TYPE_H_
#define OVSDB_TYPE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ovsdb/datum.h"
#include "ovsdb/json.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

class ObjectParser;

enum class RefType : uint8_t { kStrong, kWeak };

// Named UUIDs of a transaction ("uuid-name" of inserts): how ["named-uuid", NAME] resolves. A name
// that is used before its insert is given its UUID at first use.
class SymbolTable {
 public:
  explicit SymbolTable(UuidGenerator* uuids) : uuids_(uuids) {}
  struct Symbol {
    Uuid uuid;
    bool created = false;     // An insert bears this name.
    bool strong_ref = false;  // Referred to by a strong (weak) reference.
    bool weak_ref = false;
  };
  Symbol& Get(absl::string_view name);
  const absl::flat_hash_map<std::string, Symbol>& symbols() const { return symbols_; }

 private:
  UuidGenerator* uuids_;
  absl::flat_hash_map<std::string, Symbol> symbols_;
};

struct BaseType {
  AtomType type = AtomType::kVoid;
  Datum enumeration;  // The set of allowed values, or empty for no enum.
  int64_t min_integer = std::numeric_limits<int64_t>::min();
  int64_t max_integer = std::numeric_limits<int64_t>::max();
  double min_real = -std::numeric_limits<double>::max();
  double max_real = std::numeric_limits<double>::max();
  uint32_t min_length = 0;  // In characters, for strings.
  uint32_t max_length = std::numeric_limits<uint32_t>::max();
  std::string ref_table;     // Table name, or empty for a plain UUID.
  int ref_table_index = -1;  // Set by DatabaseSchema.
  RefType ref_type = RefType::kStrong;

  static absl::StatusOr<BaseType> Parse(const Json& json);
  void AppendJson(std::string* out) const;
  bool operator==(const BaseType& o) const;

  bool is_ref() const { return type == AtomType::kUuid && !ref_table.empty(); }
  bool is_strong_ref() const { return is_ref() && ref_type == RefType::kStrong; }
  bool is_weak_ref() const { return is_ref() && ref_type == RefType::kWeak; }

  // "constraint violation" with stock's details if the atom breaks enum, range or length.
  absl::Status Check(const Atom& atom) const;
  // Parses a JSON atom of this type and checks it. Strings of the result point into `json`.
  // `symbols` may be null: then a named-uuid is a syntax error.
  absl::StatusOr<Atom> ParseAtom(const Json& json, SymbolTable* symbols) const;

 private:
  // Takes the members that a type of atom may have, enum aside.
  absl::Status ParseRange(const Json& json, ObjectParser* parser);
  absl::StatusOr<Atom> ParseUuid(const Json& json, SymbolTable* symbols) const;
};

struct ColumnType {
  static constexpr uint32_t kUnlimited = std::numeric_limits<uint32_t>::max();

  BaseType key;
  BaseType value;  // kVoid unless a map.
  uint32_t n_min = 1;
  uint32_t n_max = 1;

  static absl::StatusOr<ColumnType> Parse(const Json& json);
  void AppendJson(std::string* out) const;
  std::string ToText() const;  // As messages for people say it: "set of up to 3 integers".
  bool operator==(const ColumnType& o) const = default;

  bool is_map() const { return value.type != AtomType::kVoid; }
  bool is_scalar() const { return n_min == 1 && n_max == 1 && !is_map(); }
  bool is_optional() const { return n_min == 0 && n_max == 1; }
  bool is_optional_scalar() const { return is_optional() && !is_map(); }
  bool is_set() const { return !is_map() && n_max > 1; }

  // Empty, or one default atom (pair) if n_min is 1, even one that constraints do not allow.
  Datum Default() const;
  bool IsDefault(const Datum& datum) const;

  // As messages for people show a value of this type: [a, "b c"], {k=1}; without brackets where
  // there is never more than one element.
  void AppendText(const Datum& datum, std::string* out) const;

  // Parses a JSON value: types, duplicates, constraints and the number of elements.
  absl::StatusOr<Datum> ParseDatum(const Json& json, SymbolTable* symbols) const;
  // What becomes of an element that equals one before it.
  enum class Duplicates : uint8_t { kRefuse, kDrop };
  // As above, but with other bounds on the number: for mutations and conditions.
  absl::StatusOr<Datum> ParseDatum(const Json& json, SymbolTable* symbols, uint32_t min,
                                   uint32_t max, Duplicates duplicates = Duplicates::kRefuse) const;
  // Element constraints of an existing value.
  absl::Status Check(const Datum& datum) const;
  // "constraint violation" if there are too few or too many elements.
  absl::Status CheckSize(const Datum& datum) const;
};

}  // namespace ovsdb

#endif  // OVSDB_TYPE_H_
