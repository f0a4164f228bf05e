// Finds where JSON-RPC messages end in a stream, at the cost of little more than reading it: no
// tree, no allocation. On the way it notes what a load generator wants to know of a message.
#ifndef BENCH_LOAD_JSON_SCANNER_H_
#define BENCH_LOAD_JSON_SCANNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace load {

class JsonScanner {
 public:
  static constexpr uint64_t kNoId = ~uint64_t{0};

  // Reads on in `text`. Returns how much of it belongs to the current message, whether or not that
  // is complete now.
  size_t Feed(absl::string_view text);

  bool done() const { return done_; }
  void Reset() { *this = JsonScanner(); }

  // Of a message that is done.
  bool is_reply() const { return is_reply_; }  // Has a member `result`.
  bool is_error() const { return is_error_; }  // Has a member `error` that is not null.
  bool is_echo() const { return is_echo_; }    // A request `echo`, which wants an answer.
  const std::string& id_json() const { return id_json_; }  // As it was written.
  uint64_t id() const;                                     // kNoId if it is no number.
  // How many strings there are directly inside the n-th level of nesting; in update notifications
  // the rows are the strings at level 4 (they are keys).
  uint64_t strings_at(int level) const { return strings_[level]; }

 private:
  void Token(char c);
  void EndToken();

  static constexpr int kLevels = 8;
  static constexpr size_t kTokenSize = 40;
  std::array<uint64_t, kLevels> strings_ = {};
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool done_ = false;
  // The outermost object's current key and current token (a key or a scalar, with its quotes).
  bool is_value_ = false;
  char key_ = 0;  // First letter: id, method, params, result, error.
  std::array<char, kTokenSize> token_ = {};
  size_t token_size_ = 0;
  bool is_reply_ = false;
  bool is_error_ = false;
  bool is_echo_ = false;
  std::string id_json_;
};

}  // namespace load

#endif  // BENCH_LOAD_JSON_SCANNER_H_
