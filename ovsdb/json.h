// JSON as the database speaks it: RapidJSON values in, text out.
//
// Input is a rapidjson value (parsed in situ where the caller owns the bytes). Output is appended
// to a std::string, so that fragments made once can be shared and put together without a tree.
#ifndef OVSDB_JSON_H_
#define OVSDB_JSON_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/real_form.h"
#include "rapidjson/document.h"
#include "rapidjson/stream.h"

namespace ovsdb {

using Json = rapidjson::Value;
using JsonDocument = rapidjson::Document;

// Nesting beyond this is refused, as stock does, so that no input can exhaust the stack.
inline constexpr int kMaxJsonDepth = 1000;

// Parses one JSON value that fills `text` (white space around it is fine).
// Duplicate members keep the last value, as stock does. Errors: kInvalidArgument with position and
// reason in stock's words.
absl::StatusOr<JsonDocument> ParseJson(absl::string_view text);

// As ParseJson, for what must be an object or an array, as stock wants of whole files and texts.
absl::StatusOr<JsonDocument> ParseJsonStructure(absl::string_view text);

// As ParseJson, but strings of the document point into `*text`, which is modified and must outlive
// it; and errors have words of their own.
absl::StatusOr<JsonDocument> ParseJsonInSitu(std::string* text);
// The same into a document that the caller made, with an allocator of its choice.
absl::Status ParseJsonInSitu(std::string* text, JsonDocument* document);

// Takes a text apart value by value, for what is too large to be a document. Overwrites the text
// and the byte behind it.
//
//   JsonScanner scanner(text, size);
//   if (!scanner.Skip('{')) ...
class JsonScanner {
 public:
  JsonScanner(char* text, size_t size);
  JsonScanner(const JsonScanner&) = delete;
  JsonScanner& operator=(const JsonScanner&) = delete;

  // Whether `c` comes next, white space aside; then goes past it.
  bool Skip(char c);
  // Whether nothing but white space is left.
  bool AtEnd();
  // The next value, which becomes invalid with the next call; its strings live as long as the text.
  // Null if there is no valid value: then error() says why.
  const Json* Value();
  // The next value if it is a string, else as Value().
  std::optional<absl::string_view> String();

  size_t offset() const {
    return stream_.src_ - stream_.head_;
  }  // In the text, of what comes next.
  // What is wrong: with the last value, or if that was right, with what comes next.
  absl::Status error();

 private:
  static constexpr size_t kBufferSize = size_t{32} * 1024;

  rapidjson::InsituStringStream stream_;
  // Most values fit in the buffer, so that one after the other is made without an allocation.
  std::unique_ptr<char[]> buffer_{new char[kBufferSize]};
  JsonDocument::AllocatorType allocator_{buffer_.get(), kBufferSize};
  JsonDocument document_{&allocator_};
  absl::Status status_;
  const size_t size_;
  const bool may_have_nul_;
};

// The text of the value of a member in the text of an object, for values that are too large to be
// parsed where they are only passed on; the first if there are several, empty if there is none.
// Goes by quotes and brackets alone: whether the text is JSON is not known afterwards.
absl::string_view FindMemberText(absl::string_view object, absl::string_view name);

absl::string_view StringView(const Json& string);                    // Requires IsString().
const Json* FindMember(const Json& object, absl::string_view name);  // Null if absent or no object.

// Integers as stock reads them: a JSON number in a parsed text that is one exactly and in the range
// of int64, however it is written (`1`, `1.0`, `1e3`). Nothing for other values.
std::optional<int64_t> JsonInteger(const Json& json);

enum class JsonForm : uint8_t {
  kKept,    // What is kept or passed on: members of objects in the value's order, reals exactly.
  kShown,   // What a client is told of its own: likewise, but reals rounded, as of stock.
  kSorted,  // Of `syntax` in error objects, and to compare by: members by name, reals rounded.
};

// Appenders.
void AppendJson(const Json& json, std::string* out, JsonForm form = JsonForm::kKept);
std::string JsonText(const Json& json, JsonForm form = JsonForm::kKept);
void AppendJsonString(absl::string_view s,
                      std::string* out);  // With quotes, escaped as stock does.
void AppendInteger(int64_t i, std::string* out);
void AppendReal(double d, RealForm form, std::string* out);

}  // namespace ovsdb

#endif  // OVSDB_JSON_H_
