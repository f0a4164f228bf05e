#include "ovsdb/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ovsdb/json_error.h"
#include "rapidjson/error/en.h"
#include "rapidjson/memorystream.h"
#include "rapidjson/reader.h"

namespace ovsdb {
namespace {

// Whether a string of the text may hold a NUL character: only an escape can make one.
bool MayHaveNul(absl::string_view text) { return absl::StrContains(text, "\\u0000"); }

// Different for most strings that differ, without looking at all of a long one.
uint64_t Fingerprint(const char* s, size_t n) {
  uint64_t first = 0, last = 0;
  std::memcpy(&first, s, std::min<size_t>(n, 8));
  if (n > 8) std::memcpy(&last, s + n - 8, 8);
  return (first ^ n) * 0x9e3779b97f4a7c15 + last;
}

constexpr int64_t kFar = int64_t{1} << 40;  // An exponent beyond any text's digits.
constexpr int64_t kMaxDigits = 19;          // Of an integer.

// The integer of the range of int64 that a JSON number is exactly, however it is written ("1e3").
std::optional<int64_t> IntegerIn(absl::string_view text) {
  const bool negative = absl::ConsumePrefix(&text, "-");
  std::string digits;
  int64_t point = -1;  // Digits in front of it; none: all.
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      point = static_cast<int64_t>(digits.size());
    } else {
      digits.push_back(text[i]);
    }
  }
  if (point < 0) point = static_cast<int64_t>(digits.size());
  int64_t exponent = 0;
  if (i < text.size()) {
    absl::string_view rest = text.substr(i + 1);
    absl::ConsumePrefix(&rest, "+");
    if (!absl::SimpleAtoi(rest, &exponent)) {
      exponent = absl::StartsWith(rest, "-") ? -kFar : kFar;
    }
  }
  const size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, zeros);
  point += std::clamp(exponent, -kFar, kFar) - static_cast<int64_t>(zeros);
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  if (digits.empty()) return 0;
  if (point < static_cast<int64_t>(digits.size()) || point > kMaxDigits) return std::nullopt;
  digits.append(point - digits.size(), '0');
  int64_t integer;
  if (!absl::SimpleAtoi(absl::StrCat(negative ? "-" : "", digits), &integer)) return std::nullopt;
  return integer;
}

// The nearest double. RapidJSON's own search for it (kParseFullPrecisionFlag) shifts by undefined
// amounts for some texts, a zero with a fraction among them.
double Nearest(absl::string_view text, double approximation) {
  double d;
  const auto end = text.data() + text.size();
  return std::from_chars(text.data(), end, d).ec == std::errc() ? d : approximation;
}

// Hands a reader's events on to a document, and watches what RapidJSON does not: depth, NUL
// characters (which stock refuses) and members that appear twice in an object.
class CheckingHandler {
 public:
  // `*position` is at the end of a number, or at its start, when Double() is called. The text goes
  // from `begin` to `end`; a null `end` stands for a text that ends with a NUL.
  CheckingHandler(bool may_have_nul, const char* begin, const char* end,
                  const char* const* position, JsonDocument* document)
      : may_have_nul_(may_have_nul),
        begin_(begin),
        end_(end),
        position_(position),
        document_(document) {}

  const char* error() const { return error_; }
  bool may_have_duplicates() const { return may_have_duplicates_; }

  bool Null() { return document_->Null(); }
  bool Bool(bool b) { return document_->Bool(b); }
  bool Int(int i) { return document_->Int(i); }
  bool Uint(unsigned i) { return document_->Uint(i); }
  bool Int64(int64_t i) { return document_->Int64(i); }
  bool Uint64(uint64_t i) { return document_->Uint64(i); }
  // Of a number with a fraction or an exponent, or one that is too large for an integer.
  bool Double(double approximation) {
    const absl::string_view text = NumberText();
    if (const std::optional<int64_t> integer = IntegerIn(text)) return document_->Int64(*integer);
    const double d = Nearest(text, approximation);
    // Stock asks strtod(), to which a number without full precision is out of range.
    const double size = std::abs(d);
    if (d == 0 || (size >= std::numeric_limits<double>::min() && std::isfinite(d))) {
      return document_->Double(d);
    }
    error_ = "number outside valid range";
    return false;
  }
  bool RawNumber(const char* s, rapidjson::SizeType n, bool copy) {
    return document_->RawNumber(s, n, copy);
  }
  bool String(const char* s, rapidjson::SizeType n, bool copy) {
    return HasNoNul(s, n) && document_->String(s, n, copy);
  }
  bool Key(const char* s, rapidjson::SizeType n, bool copy) {
    names_.push_back(Fingerprint(s, n));
    return HasNoNul(s, n) && document_->Key(s, n, copy);
  }
  bool StartObject() { return Enter() && document_->StartObject(); }
  bool EndObject(rapidjson::SizeType n) {
    depth_--;
    LookForDuplicates(n);
    return document_->EndObject(n);
  }
  bool StartArray() { return Enter() && document_->StartArray(); }
  bool EndArray(rapidjson::SizeType n) {
    depth_--;
    return document_->EndArray(n);
  }

 private:
  bool Enter() {
    if (++depth_ <= kMaxJsonDepth) return true;
    error_ = "input exceeds maximum nesting depth";
    return false;
  }

  // Of the number at hand; what stands behind it may look like a part of one.
  absl::string_view NumberText() const {
    const auto is_one_of = [this](const char* at, absl::string_view some) {
      return at != end_ && absl::StrContains(some, *at);
    };
    const auto skip_digits = [this](const char** at) {
      while (*at != end_ && absl::ascii_isdigit(**at)) ++*at;
    };
    const char* first = *position_;
    while (first > begin_ && (absl::ascii_isdigit(first[-1]) || is_one_of(first - 1, ".eE+-"))) {
      --first;
    }
    const char* last = first;
    if (is_one_of(last, "-")) ++last;
    skip_digits(&last);
    if (is_one_of(last, ".")) {
      ++last;
      skip_digits(&last);
    }
    if (is_one_of(last, "eE")) {
      if (is_one_of(++last, "+-")) ++last;
      skip_digits(&last);
    }
    return {first, static_cast<size_t>(last - first)};
  }

  bool HasNoNul(const char* s, size_t n) {
    if (!may_have_nul_ || std::memchr(s, '\0', n) == nullptr) return true;
    error_ = "null bytes not supported in quoted strings";
    return false;
  }

  // The innermost object ends, and its `n` names are the last ones in names_.
  void LookForDuplicates(size_t n) {
    constexpr size_t kSmall = 16;
    auto begin = names_.end() - n, end = names_.end();
    if (n <= kSmall) {
      for (auto i = begin; i != end; ++i) {
        may_have_duplicates_ |= std::find(begin, i, *i) != i;
      }
    } else {
      std::sort(begin, end);
      may_have_duplicates_ |= std::adjacent_find(begin, end) != end;
    }
    names_.resize(names_.size() - n);
  }

  const bool may_have_nul_;
  const char* const begin_;
  const char* const end_;
  const char* const* const position_;
  JsonDocument* const document_;
  const char* error_ = nullptr;
  int depth_ = 0;
  bool may_have_duplicates_ = false;
  // Fingerprints of the member names of the objects that are open.
  absl::InlinedVector<uint64_t, 32> names_;
};

// Keeps the last of equally named members, everywhere in a value (whose depth is bounded).
void RemoveDuplicates(Json* json) {
  if (json->IsArray()) {
    for (Json& element : json->GetArray()) RemoveDuplicates(&element);
  }
  if (!json->IsObject()) return;
  absl::flat_hash_map<absl::string_view, Json*> values;
  rapidjson::SizeType n_kept = 0;
  for (rapidjson::SizeType i = 0; i < json->MemberCount(); i++) {
    auto& member = *(json->MemberBegin() + i);
    RemoveDuplicates(&member.value);
    auto& kept = *(json->MemberBegin() + n_kept);
    auto [it, is_new] = values.try_emplace(StringView(member.name), &kept.value);
    if (!is_new) {
      *it->second = std::move(member.value);
      continue;
    }
    if (&kept != &member) {
      kept.name = std::move(member.name);
      kept.value = std::move(member.value);
      // A short string moves with the value that holds it.
      values.erase(it);
      values.emplace(StringView(kept.name), &kept.value);
    }
    n_kept++;
  }
  if (n_kept < json->MemberCount()) {
    json->EraseMember(json->MemberBegin() + n_kept, json->MemberEnd());
  }
}

// Where a stream's text begins and ends, and where its reader is.
const char* Begin(const rapidjson::MemoryStream& stream) { return stream.begin_; }
const char* End(const rapidjson::MemoryStream& stream) { return stream.end_; }
const char* const* Position(const rapidjson::MemoryStream& stream) { return &stream.src_; }
const char* Begin(const rapidjson::InsituStringStream& stream) { return stream.head_; }
const char* End(const rapidjson::InsituStringStream&) { return nullptr; }
const char* const* Position(const rapidjson::InsituStringStream& stream) {
  return const_cast<const char* const*>(&stream.src_);
}

// Parses one value into `document`, in place of what it held. Recurses no deeper than the handler
// lets it: kMaxJsonDepth.
template <unsigned kFlags, typename Stream>
absl::Status ParseValue(Stream* stream, bool may_have_nul, JsonDocument* document) {
  CheckingHandler handler(may_have_nul, Begin(*stream), End(*stream), Position(*stream), document);
  rapidjson::Reader reader;
  auto generate = [&](JsonDocument&) { return !reader.Parse<kFlags>(*stream, handler).IsError(); };
  document->Populate(generate);
  if (reader.HasParseError()) {
    const char* reason = handler.error() != nullptr
                             ? handler.error()
                             : rapidjson::GetParseError_En(reader.GetParseErrorCode());
    return absl::InvalidArgumentError(absl::StrCat(reason, " at offset ", reader.GetErrorOffset()));
  }
  if (handler.may_have_duplicates()) RemoveDuplicates(document);
  return absl::OkStatus();
}

template <unsigned kFlags, typename Stream>
absl::Status ParseText(absl::string_view text, Stream* stream, JsonDocument* document) {
  const bool may_have_nul = MayHaveNul(text);
  const size_t size = text.size();
  absl::Status status = ParseValue<kFlags>(stream, may_have_nul, document);
  if (status.ok() && stream->Tell() != size) {
    return absl::InvalidArgumentError(absl::StrCat("null byte at offset ", stream->Tell()));
  }
  return status;
}

// The integer that a double equals, if there is one in the range of int64. -2^63 itself is no
// double unless a number below it was rounded.
std::optional<int64_t> ExactInteger(double d) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (d > -kTwoTo63 && d < kTwoTo63 && d == std::trunc(d)) return static_cast<int64_t>(d);
  return std::nullopt;
}

void AppendNumber(const Json& json, RealForm form, std::string* out) {
  if (json.IsInt64()) return AppendInteger(json.GetInt64(), out);
  if (const std::optional<int64_t> integer = ExactInteger(json.GetDouble())) {
    return AppendInteger(*integer, out);
  }
  AppendReal(json.GetDouble(), form, out);
}

void AppendObject(const Json& json, std::string* out, JsonForm form) {
  auto append_member = [&](const auto& member) {
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(StringView(member.name), out);
    out->push_back(':');
    AppendJson(member.value, out, form);
  };
  out->push_back('{');
  if (form == JsonForm::kSorted) {
    std::vector<Json::ConstMemberIterator> members;
    for (auto m = json.MemberBegin(); m != json.MemberEnd(); ++m) members.push_back(m);
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      return StringView(a->name) < StringView(b->name);
    });
    for (const auto& m : members) append_member(*m);
  } else {
    for (const auto& m : json.GetObject()) append_member(m);
  }
  out->push_back('}');
}

void AppendArray(const Json& json, std::string* out, JsonForm form) {
  out->push_back('[');
  bool first = true;
  for (const Json& element : json.GetArray()) {
    if (!first) out->push_back(',');
    first = false;
    AppendJson(element, out, form);
  }
  out->push_back(']');
}

bool NeedsEscape(uint8_t c) { return c < 0x20 || c == '"' || c == '\\'; }

// How many bytes from `p` on can be copied as they are. Looks at eight at a time: the tests below
// set the high bit of each byte that is less than 0x20, or zero after the XOR. They may also set
// bits above the first true one, which the final search byte by byte does not mind.
size_t PlainPrefix(const char* p, size_t n) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  auto less = [](uint64_t word, uint8_t limit) { return (word - kOnes * limit) & ~word & kHighs; };
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t word;
    std::memcpy(&word, p + i, 8);
    if (less(word, 0x20) | less(word ^ kOnes * '"', 1) | less(word ^ kOnes * '\\', 1)) break;
  }
  while (i < n && !NeedsEscape(p[i])) i++;
  return i;
}

void AppendEscaped(uint8_t c, std::string* out) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\b':
      out->append("\\b");
      return;
    case '\f':
      out->append("\\f");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default: {
      constexpr char kHex[] = "0123456789abcdef";
      const char text[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 0xf]};
      out->append(text, sizeof text);
    }
  }
}

}  // namespace

absl::StatusOr<JsonDocument> ParseJson(absl::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  JsonDocument document;
  absl::Status status = ParseText<rapidjson::kParseNoFlags>(text, &stream, &document);
  if (status.ok()) return document;
  const std::string explanation = ExplainJsonError(text);
  if (explanation.empty()) return status;
  return absl::InvalidArgumentError(explanation);
}

absl::StatusOr<JsonDocument> ParseJsonStructure(absl::string_view text) {
  absl::StatusOr<JsonDocument> json = ParseJson(text);
  if (!json.ok() || json->IsObject() || json->IsArray()) return json;
  return absl::InvalidArgumentError(ExplainJsonError(text));
}

absl::StatusOr<JsonDocument> ParseJsonInSitu(std::string* text) {
  JsonDocument document;
  if (absl::Status status = ParseJsonInSitu(text, &document); !status.ok()) return status;
  return document;
}

absl::Status ParseJsonInSitu(std::string* text, JsonDocument* document) {
  rapidjson::InsituStringStream stream(text->data());
  return ParseText<rapidjson::kParseInsituFlag>(*text, &stream, document);
}

JsonScanner::JsonScanner(char* text, size_t size)
    : stream_(text), size_(size), may_have_nul_(MayHaveNul({text, size})) {
  text[size] = '\0';
}

bool JsonScanner::Skip(char c) {
  rapidjson::SkipWhitespace(stream_);
  if (stream_.Peek() != c || c == '\0') return false;
  stream_.Take();
  return true;
}

bool JsonScanner::AtEnd() {
  rapidjson::SkipWhitespace(stream_);
  return stream_.Tell() == size_;
}

const Json* JsonScanner::Value() {
  document_.SetNull();
  allocator_.Clear();
  status_ = ParseValue<rapidjson::kParseInsituFlag | rapidjson::kParseStopWhenDoneFlag>(
      &stream_, may_have_nul_, &document_);
  return status_.ok() ? &document_ : nullptr;
}

std::optional<absl::string_view> JsonScanner::String() {
  rapidjson::SkipWhitespace(stream_);
  if (stream_.Peek() == '"') {
    // Without escapes, as nearly always, there is nothing to decode.
    const char* begin = stream_.src_ + 1;
    const size_t n = PlainPrefix(begin, stream_.head_ + size_ - begin);
    if (begin[n] == '"') {
      stream_.src_ += n + 2;
      return absl::string_view(begin, n);
    }
  }
  const Json* value = Value();
  if (value == nullptr || !value->IsString()) return std::nullopt;
  return StringView(*value);
}

absl::Status JsonScanner::error() {
  if (!status_.ok()) return status_;
  return absl::InvalidArgumentError(absl::StrCat("syntax error at offset ", offset()));
}

absl::string_view FindMemberText(absl::string_view object, absl::string_view name) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  int depth = 0;
  bool is_it = false;             // The value of the member that is wanted is under way,
  size_t begin = 0;               // and begins here.
  absl::string_view last_string;  // Of the object itself.
  for (size_t i = 0; i < object.size(); ++i) {
    const char c = object[i];
    if (is_it && depth == 1 && (c == ',' || c == '}')) {
      while (i > begin && is_space(object[i - 1])) --i;
      return object.substr(begin, i - begin);
    }
    if (c == '"') {
      const size_t start = ++i;
      while (i < object.size() && object[i] != '"') i += object[i] == '\\' ? 2 : 1;
      if (depth == 1) last_string = object.substr(start, i - start);
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ':' && depth == 1 && !is_it && last_string == name) {
      is_it = true;
      begin = i + 1;
      while (begin < object.size() && is_space(object[begin])) ++begin;
    }
  }
  return {};
}

absl::string_view StringView(const Json& string) {
  return {string.GetString(), string.GetStringLength()};
}

const Json* FindMember(const Json& object, absl::string_view name) {
  if (!object.IsObject()) return nullptr;
  for (const auto& member : object.GetObject()) {
    if (StringView(member.name) == name) return &member.value;
  }
  return nullptr;
}

std::optional<int64_t> JsonInteger(const Json& json) {
  if (json.IsInt64()) return json.GetInt64();
  return std::nullopt;
}

void AppendJson(const Json& json, std::string* out, JsonForm form) {
  switch (json.GetType()) {
    case rapidjson::kNullType:
      out->append("null");
      return;
    case rapidjson::kFalseType:
      out->append("false");
      return;
    case rapidjson::kTrueType:
      out->append("true");
      return;
    case rapidjson::kStringType:
      AppendJsonString(StringView(json), out);
      return;
    case rapidjson::kNumberType:
      AppendNumber(json, form == JsonForm::kKept ? RealForm::kExact : RealForm::kRounded, out);
      return;
    case rapidjson::kObjectType:
      AppendObject(json, out, form);
      return;
    case rapidjson::kArrayType:
      AppendArray(json, out, form);
      return;
  }
}

std::string JsonText(const Json& json, JsonForm form) {
  std::string text;
  AppendJson(json, &text, form);
  return text;
}

void AppendJsonString(absl::string_view s, std::string* out) {
  out->push_back('"');
  for (;;) {
    const size_t n = PlainPrefix(s.data(), s.size());
    out->append(s.data(), n);
    if (n == s.size()) break;
    AppendEscaped(s[n], out);
    s.remove_prefix(n + 1);
  }
  out->push_back('"');
}

void AppendInteger(int64_t i, std::string* out) {
  char text[std::numeric_limits<int64_t>::digits10 + 3];
  out->append(text, std::to_chars(text, std::end(text), i).ptr - text);
}

void AppendReal(double d, RealForm form, std::string* out) {
  char text[32];
  int size = std::snprintf(text, sizeof text, "%.15g", d);
  // Rounded, the largest numbers would read back as infinite, which no form may.
  double read;
  const bool is_number = std::from_chars(text, text + size, read).ec == std::errc();
  if (!is_number || (form == RealForm::kExact && read != d)) {
    // All digits where 17 with an exponent could be read as an integer next to it.
    constexpr double kTwoTo63 = 9223372036854775808.0;
    const bool all = d == std::trunc(d) && std::abs(d) <= kTwoTo63;
    size = std::snprintf(text, sizeof text, all ? "%.0f" : "%.17g", d);
    // As a number that no integer is: the nearest double is the same.
    if (d == -kTwoTo63) text[size - 1]++;
  }
  out->append(text, size);
}

}  // namespace ovsdb
