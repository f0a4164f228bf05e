#include "bench/load/json_scanner.h"

#include <string>

#include "absl/strings/numbers.h"

namespace load {
namespace {

// Marks the bytes that end a run of uninteresting ones.
struct ByteSet {
  constexpr explicit ByteSet(absl::string_view members) {
    for (char c : members) in[static_cast<unsigned char>(c)] = true;
  }
  bool operator[](char c) const { return in[static_cast<unsigned char>(c)]; }
  bool in[256] = {};
};

constexpr ByteSet kEndsString("\"\\");
constexpr ByteSet kStructure("\"{}[]");

}  // namespace

void JsonScanner::Token(char c) {
  if (token_size_ < kTokenSize) token_[token_size_++] = c;
}

void JsonScanner::EndToken() {
  const absl::string_view token(token_.data(), token_size_);
  token_size_ = 0;
  if (token.empty()) return;
  if (!is_value_) {
    key_ = token.size() > 1 ? token[1] : '"';
    is_reply_ |= key_ == 'r';
  } else if (key_ == 'i') {
    id_json_.assign(token.data(), token.size());
  } else if (key_ == 'm') {
    is_echo_ = token == "\"echo\"";
  } else if (key_ == 'e') {
    is_error_ = token != "null";
  }
}

uint64_t JsonScanner::id() const {
  uint64_t id;
  return absl::SimpleAtoi(id_json_, &id) ? id : kNoId;
}

size_t JsonScanner::Feed(absl::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end && !done_) {
    if (escaped_) {
      escaped_ = false;
      ++p;
    } else if (in_string_) {
      const char* const start = p;
      while (p < end && !kEndsString[*p]) ++p;
      if (depth_ == 1) {
        for (const char* q = start; q < p; ++q) Token(*q);
      }
      if (p == end) break;
      if (depth_ == 1) Token(*p);
      (*p == '"' ? in_string_ : escaped_) ^= true;
      ++p;
    } else {
      if (depth_ > 1) {
        while (p < end && !kStructure[*p]) ++p;
        if (p == end) break;
      }
      const char c = *p++;
      switch (c) {
        case '"':
          in_string_ = true;
          if (depth_ == 1) Token(c);
          if (depth_ < kLevels) ++strings_[depth_];
          break;
        case '{':
        case '[':
          is_error_ |= depth_ == 1 && key_ == 'e';
          ++depth_;
          break;
        case '}':
        case ']':
          if (depth_ == 1) EndToken();
          done_ = --depth_ <= 0;
          break;
        case ':':
        case ',':
          if (depth_ == 1) {
            EndToken();
            is_value_ = c == ':';
          }
          break;
        default:
          if (depth_ == 1 && c > ' ') Token(c);
      }
    }
  }
  return p - text.data();
}

}  // namespace load
