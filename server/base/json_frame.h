// Cuts a byte stream into top-level JSON values without parsing them.
//
// JSON-RPC over a stream has no framing but JSON itself (RFC 7047 section 4): a message ends with
// the brace that closes it. The framer looks at each byte once, tracks strings and nesting only,
// and leaves validation to the parser.
#ifndef SERVER_BASE_JSON_FRAME_H_
#define SERVER_BASE_JSON_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

// Beyond this nesting a frame is refused, as stock does.
inline constexpr int kMaxFrameDepth = 1000;
// Default for the longest message of a client: room for transactions of any sane size, while a peer
// that never ends a message cannot take all memory.
inline constexpr size_t kMaxClientFrame = size_t{256} << 20;

class JsonFramer {
 public:
  explicit JsonFramer(size_t max_frame = kMaxClientFrame) : max_frame_(max_frame) {}

  // Takes bytes from the front of `*data` up to the end of the next value. If a value is complete,
  // moves its text (no white space around it) to `*frame` and returns true; call again for the
  // rest. Returns false when `*data` is used up. Errors are final, and their message fits behind
  // "error parsing stream: ": kInvalidArgument for bytes that cannot begin a message (only objects
  // and arrays can) and for nesting beyond kMaxFrameDepth, kResourceExhausted for a message over
  // the limit.
  absl::StatusOr<bool> Next(absl::string_view* data, std::string* frame);

  // Bytes of the unfinished value held.
  size_t pending() const { return pending_size_; }

 private:
  absl::StatusOr<size_t> Scan(absl::string_view data);
  void Keep(absl::string_view data);
  std::string TakePending();
  absl::Status Error(absl::string_view problem) const;

  size_t max_frame_;
  uint64_t frame_start_ = 0;  // Offset in the stream of the present value.
  // Its beginning, in blocks: one long string would be copied whole, and the loop stand still,
  // each time that it grew.
  std::vector<std::string> pending_;
  size_t pending_size_ = 0;  // Bytes in all blocks.
  int depth_ = 0;            // Open braces and brackets; 0 between values.
  bool in_string_ = false;
  bool escaped_ = false;  // The last byte was a backslash in a string.
};

}  // namespace base

#endif  // SERVER_BASE_JSON_FRAME_H_
