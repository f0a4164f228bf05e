#include "server/base/json_frame.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace base {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;

// Nonzero if one of the eight bytes of `word` is zero.
constexpr uint64_t ZeroByte(uint64_t word) { return (word - kOnes) & ~word & (kOnes << 7); }

// The first quote or backslash in [p, end), or `end`.
const char* FindQuoteOrBackslash(const char* p, const char* end) {
  while (end - p >= 8) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    if ((ZeroByte(word ^ (kOnes * '"')) | ZeroByte(word ^ (kOnes * '\\'))) != 0) break;
    p += 8;
  }
  while (p < end && *p != '"' && *p != '\\') p++;
  return p;
}

enum ByteClass : uint8_t { kPlain, kOpen, kClose, kQuote };

constexpr std::array<ByteClass, 256> MakeClasses() {
  std::array<ByteClass, 256> classes = {};
  classes['{'] = classes['['] = kOpen;
  classes['}'] = classes[']'] = kClose;
  classes['"'] = kQuote;
  return classes;
}
constexpr std::array<ByteClass, 256> kClasses = MakeClasses();

// So large that malloc() gives the memory back to the system when the block is freed.
constexpr size_t kMaxBlock = size_t{32} << 20;

constexpr bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

absl::Status JsonFramer::Error(absl::string_view problem) const {
  return absl::InvalidArgumentError(absl::StrCat("byte ", frame_start_, ": ", problem));
}

// How many bytes of `data` belong to the present value: all of them, or up to its end, where depth_
// is back at 0.
absl::StatusOr<size_t> JsonFramer::Scan(absl::string_view data) {
  const char* p = data.data();
  const char* const end = p + data.size();
  if (escaped_) {
    escaped_ = false;
    p++;
  }
  while (p < end) {
    if (in_string_) {
      p = FindQuoteOrBackslash(p, end);
      if (p == end) break;
      if (*p++ == '"') {
        in_string_ = false;
      } else if (p == end) {
        escaped_ = true;
      } else {
        p++;
      }
      continue;
    }
    switch (kClasses[static_cast<uint8_t>(*p++)]) {
      case kPlain:
        break;
      case kOpen:
        if (++depth_ > kMaxFrameDepth) return Error("input exceeds maximum nesting depth 1000");
        break;
      case kClose:
        if (--depth_ == 0) return static_cast<size_t>(p - data.data());
        break;
      case kQuote:
        in_string_ = true;
        break;
    }
  }
  return data.size();
}

void JsonFramer::Keep(absl::string_view data) {
  const size_t room = pending_.empty() ? 0 : pending_.back().capacity() - pending_.back().size();
  const absl::string_view fits = data.substr(0, room);
  if (!fits.empty()) pending_.back().append(fits.data(), fits.size());
  data.remove_prefix(fits.size());
  if (!data.empty()) {
    pending_.emplace_back();
    // As much again as there is, so that short messages have few blocks and cost little room.
    pending_.back().reserve(std::max(data.size(), std::min(pending_size_, kMaxBlock)));
    pending_.back().append(data.data(), data.size());
  }
  pending_size_ += fits.size() + data.size();
}

std::string JsonFramer::TakePending() {
  std::string frame;
  if (pending_.size() == 1) {
    frame = std::move(pending_.front());
  } else {
    frame.reserve(pending_size_);
    // Each block is freed when it is copied: a long message is there once only.
    for (std::string& block : pending_) frame.append(std::exchange(block, {}));
  }
  pending_.clear();
  pending_size_ = 0;
  return frame;
}

absl::StatusOr<bool> JsonFramer::Next(absl::string_view* data, std::string* frame) {
  if (depth_ == 0) {
    while (!data->empty() && IsJsonSpace(data->front())) {
      data->remove_prefix(1);
      frame_start_++;
    }
    if (data->empty()) return false;
    if (kClasses[static_cast<uint8_t>(data->front())] != kOpen) {
      return Error("syntax error at beginning of input");
    }
  }
  const absl::StatusOr<size_t> scanned = Scan(*data);
  if (!scanned.ok()) return scanned.status();
  const absl::string_view taken = data->substr(0, *scanned);
  if (pending_size_ + taken.size() > max_frame_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("byte ", frame_start_, ": message is longer than ", max_frame_, " bytes"));
  }
  data->remove_prefix(*scanned);
  Keep(taken);
  if (depth_ > 0) return false;
  frame_start_ += pending_size_;
  *frame = TakePending();
  return true;
}

}  // namespace base
