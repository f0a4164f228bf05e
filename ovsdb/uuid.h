// UUIDs: RFC 4122 identifiers, as rows, servers, clusters and transactions have them.
#ifndef OVSDB_UUID_H_
#define OVSDB_UUID_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "absl/strings/string_view.h"

namespace ovsdb {

// A plain value. Orders as its text does (RFC 4122 field order, most significant first).
struct Uuid {
  uint64_t hi = 0;
  uint64_t lo = 0;

  static constexpr size_t kTextLength = 36;

  // Accepts exactly the 36-character form, upper or lower case.
  static std::optional<Uuid> Parse(absl::string_view text);

  bool is_zero() const { return hi == 0 && lo == 0; }
  std::string ToString() const;            // 36 characters, lower case.
  void AppendTo(std::string* out) const;   // The same, without an allocation.
  std::string Short(size_t digits) const;  // The first 1..8 digits: how people name servers.

  bool operator==(const Uuid& o) const = default;
  std::strong_ordering operator<=>(const Uuid& o) const {
    return hi != o.hi ? hi <=> o.hi : lo <=> o.lo;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Uuid& u) {
    return H::combine(std::move(h), u.hi, u.lo);
  }
};

// Makes version 4 UUIDs from a seed that the caller chose: a process seeds it from the operating
// system, a test with a constant. Not thread-safe.
class UuidGenerator {
 public:
  explicit UuidGenerator(uint64_t seed) : engine_(seed) {}
  Uuid Next();

 private:
  std::mt19937_64 engine_;
};

}  // namespace ovsdb

#endif  // OVSDB_UUID_H_
