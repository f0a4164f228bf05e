// What a peer sends: a message is refused, or its text leads to the same message again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "raft/message_json.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

std::string TextOf(const raft::Message& message) {
  std::string text;
  raft::AppendMessage(message, &text);
  return text;
}

}  // namespace

// The first line is the method, the rest `params`.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  if (line == absl::string_view::npos) return 0;
  const auto params = ovsdb::ParseJson(input.substr(line + 1));
  if (!params.ok()) return 0;
  const auto message = raft::ParseMessage(input.substr(0, line), *params);
  if (!message.ok()) {
    Require(ovsdb::IsOvsdbError(message.status()));
    return 0;
  }
  Require(raft::MethodName(*message) == input.substr(0, line));
  const std::string text = TextOf(*message);
  const auto again = ovsdb::ParseJson(absl::StrCat("[", text, "]"));
  if (!again.ok()) return 0;  // Rounded to 15 digits the smallest reals are out of range.
  const auto same = raft::ParseMessage(raft::MethodName(*message), *again);
  Require(same.ok() && TextOf(*same) == text);
  return 0;
}
