#include "ovsdb/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_format.h"

namespace ovsdb {
namespace {

struct Sequence {
  size_t length;  // Up to its end, or up to and including the first bad byte.
  bool good;
};

// The sequence at the beginning of `s`, which is not empty.
Sequence Decode(absl::string_view s) {
  auto byte = [&](size_t i) { return i < s.size() ? static_cast<uint8_t>(s[i]) : uint8_t{0}; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (size_t i = 1; i < length; i++) {
    // The second byte is where overlong forms, surrogates and too large characters show.
    const uint8_t low = i > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = i > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(i) < low || byte(i) > high) return {i + 1, false};
  }
  return {length, true};
}

// Removes good sequences from the beginning of `s`.
absl::string_view SkipGood(absl::string_view s) {
  while (!s.empty()) {
    // Nearly all text is ASCII: eight bytes at a time.
    uint64_t word;
    if (s.size() >= sizeof word) {
      std::memcpy(&word, s.data(), sizeof word);
      if ((word & 0x8080808080808080) == 0) {
        s.remove_prefix(sizeof word);
        continue;
      }
    }
    const Sequence sequence = Decode(s);
    if (!sequence.good) break;
    s.remove_prefix(sequence.length);
  }
  return s;
}

}  // namespace

bool IsUtf8(absl::string_view s) { return SkipGood(s).empty(); }

size_t Utf8Length(absl::string_view s) {
  auto starts = [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; };
  return std::count_if(s.begin(), s.end(), starts);
}

std::string FirstBadUtf8(absl::string_view s) {
  s = SkipGood(s);
  std::string text;
  for (size_t i = 0; i < Decode(s).length; i++) {
    const uint8_t byte = i < s.size() ? s[i] : 0;
    absl::StrAppendFormat(&text, "%s0x%02x", i > 0 ? " " : "", byte);
  }
  return text;
}

}  // namespace ovsdb
