#include "ovsdb/uuid.h"

#include <array>
#include <cstring>

namespace ovsdb {
namespace {

constexpr uint8_t kBadDigit = 0xff;

constexpr std::array<uint8_t, 256> MakeDigitTable() {
  std::array<uint8_t, 256> table{};
  for (auto& digit : table) digit = kBadDigit;
  for (int i = 0; i < 10; i++) table['0' + i] = i;
  for (int i = 0; i < 6; i++) table['a' + i] = table['A' + i] = 10 + i;
  return table;
}
constexpr std::array<uint8_t, 256> kDigits = MakeDigitTable();

constexpr char kHex[] = "0123456789abcdef";

bool IsDashPosition(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// Appends the low `n_digits` hexadecimal digits of `value`.
char* PutHex(uint64_t value, int n_digits, char* p) {
  for (int shift = 4 * (n_digits - 1); shift >= 0; shift -= 4) *p++ = kHex[(value >> shift) & 0xf];
  return p;
}

void PutText(const Uuid& uuid, char* p) {
  p = PutHex(uuid.hi >> 32, 8, p);
  *p++ = '-';
  p = PutHex(uuid.hi >> 16, 4, p);
  *p++ = '-';
  p = PutHex(uuid.hi, 4, p);
  *p++ = '-';
  p = PutHex(uuid.lo >> 48, 4, p);
  *p++ = '-';
  PutHex(uuid.lo, 12, p);
}

}  // namespace

std::optional<Uuid> Uuid::Parse(absl::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  uint64_t words[2] = {0, 0};
  uint8_t bad = 0;
  size_t n_digits = 0;
  for (size_t i = 0; i < kTextLength; i++) {
    if (IsDashPosition(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const uint8_t digit = kDigits[static_cast<uint8_t>(text[i])];
    bad |= digit;
    uint64_t& word = words[n_digits++ / 16];
    word = word << 4 | (digit & 0xf);
  }
  if (bad & 0x80) return std::nullopt;
  return Uuid{words[0], words[1]};
}

std::string Uuid::ToString() const {
  std::string text(kTextLength, '\0');
  PutText(*this, text.data());
  return text;
}

void Uuid::AppendTo(std::string* out) const {
  char text[kTextLength];
  PutText(*this, text);
  out->append(text, kTextLength);
}

std::string Uuid::Short(size_t digits) const { return ToString().substr(0, digits); }

Uuid UuidGenerator::Next() {
  constexpr uint64_t kVersion4 = 0x4000, kVersionMask = 0xf000;
  constexpr uint64_t kVariant = uint64_t{1} << 63, kVariantMask = uint64_t{3} << 62;
  Uuid uuid;
  uuid.hi = (engine_() & ~kVersionMask) | kVersion4;
  uuid.lo = (engine_() & ~kVariantMask) | kVariant;
  return uuid;
}

}  // namespace ovsdb
