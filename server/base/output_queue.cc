#include "server/base/output_queue.h"

#include <algorithm>
#include <utility>

namespace base {
namespace {

// Below this, copying a text is cheaper than a piece of its own.
constexpr size_t kCopyBytes = 512;
// A piece of our own is not grown beyond this, as growing moves what it holds.
constexpr size_t kOwnBytes = 64 << 10;
// An idle queue keeps no more memory than this.
constexpr size_t kIdleBytes = 4 << 10;

}  // namespace

void OutputQueue::Push(absl::string_view data) {
  if (data.empty()) return;
  const bool append = first_ < pieces_.size() && pieces_.back().shared == nullptr &&
                      pieces_.back().own.size() + data.size() <= kOwnBytes;
  if (!append) pieces_.emplace_back();
  pieces_.back().own.append(data.data(), data.size());
  pushed_ += data.size();
}

void OutputQueue::Push(SharedText text) {
  if (text->size() < kCopyBytes) {
    Push(absl::string_view(*text));
    return;
  }
  pushed_ += text->size();
  pieces_.push_back({std::move(text), {}});
}

int OutputQueue::Peek(iovec* pieces, int max) const {
  int n = 0;
  size_t offset = first_offset_;
  for (size_t i = first_; i < pieces_.size() && n < max; i++) {
    absl::string_view bytes = pieces_[i].bytes();
    bytes.remove_prefix(offset);
    offset = 0;
    pieces[n++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  return n;
}

void OutputQueue::Pop(size_t n) {
  popped_ += n;
  n += first_offset_;
  first_offset_ = 0;
  while (first_ < pieces_.size() && n >= pieces_[first_].bytes().size()) {
    n -= pieces_[first_].bytes().size();
    if (pieces_.size() - first_ == 1) break;  // Keeps the buffer of the last piece for reuse.
    pieces_[first_++] = {};
  }
  if (empty()) {
    const bool keep =
        pieces_.back().shared == nullptr && pieces_.back().own.capacity() <= kIdleBytes;
    std::string own = keep ? std::move(pieces_.back().own) : std::string();
    pieces_.clear();
    first_ = 0;
    if (!keep) return;
    own.clear();
    pieces_.push_back({nullptr, std::move(own)});
    return;
  }
  first_offset_ = n;
  if (first_ > 64 && first_ * 2 > pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutputQueue::Clear() {
  pieces_.clear();
  first_ = 0;
  first_offset_ = 0;
  popped_ = pushed_;
}

}  // namespace base
