// Bytes on their way to a socket: small pieces copied together, shared texts by reference.
#ifndef SERVER_BASE_OUTPUT_QUEUE_H_
#define SERVER_BASE_OUTPUT_QUEUE_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/base/stream.h"

namespace base {

class OutputQueue {
 public:
  void Push(absl::string_view data);
  void Push(SharedText text);

  // The next bytes to send, at most `max` pieces; valid until the queue changes.
  int Peek(iovec* pieces, int max) const;
  // Forgets `n` bytes from the front. Requires n <= size().
  void Pop(size_t n);
  void Clear();

  size_t size() const { return static_cast<size_t>(pushed_ - popped_); }
  bool empty() const { return pushed_ == popped_; }
  uint64_t pushed() const { return pushed_; }  // Bytes, since the beginning.
  uint64_t popped() const { return popped_; }

 private:
  // Either a shared text or bytes of our own.
  struct Piece {
    SharedText shared;
    std::string own;
    absl::string_view bytes() const {
      return shared != nullptr ? absl::string_view(*shared) : absl::string_view(own);
    }
  };

  std::vector<Piece> pieces_;
  size_t first_ = 0;         // Index of the first piece not wholly sent.
  size_t first_offset_ = 0;  // Bytes of it that are.
  uint64_t pushed_ = 0;
  uint64_t popped_ = 0;
};

}  // namespace base

#endif  // SERVER_BASE_OUTPUT_QUEUE_H_
