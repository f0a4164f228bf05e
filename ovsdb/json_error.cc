#include "ovsdb/json_error.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "ovsdb/json.h"

namespace ovsdb {
namespace {

// A syntax checker of its own, for the position and wording of an error depend on how stock's
// works: it cuts the text into tokens, and what is wrong with a token or its place is noticed at
// the first character that does not belong to it, but for strings: at the closing quote.
class Explainer {
 public:
  explicit Explainer(absl::string_view text) : text_(text) {}

  std::string Explain() {
    while (error_.empty()) {
      while (position_ < text_.size() && IsSpace(text_[position_])) ++position_;
      if (position_ == text_.size()) {
        // Stock ends a word or number with a space of its own, and counts that.
        if (!text_.empty() && absl::ascii_isalnum(text_.back())) ++position_;
        if (expect_ == kEnd) return "";
        Fail(expect_ == kStart ? "empty input stream" : "unexpected end of input");
      } else {
        TakeToken();
      }
    }
    const absl::string_view before = text_.substr(0, error_at_);
    const size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
    return absl::StrCat("line ", std::count(before.begin(), before.end(), '\n'), ", column ",
                        error_at_ - line_start, ", byte ", error_at_, ": ", error_);
  }

 private:
  enum Token {
    kOpenObject,
    kCloseObject,
    kOpenArray,
    kCloseArray,
    kColon,
    kComma,
    kString,
    kOther
  };
  enum Expectation {
    kStart,
    kFirstName,
    kNextName,
    kNameEnd,  // A colon.
    kObjectValue,
    kObjectNext,
    kFirstElement,
    kNextElement,
    kArrayNext,
    kEnd,
  };

  static bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  void Fail(std::string error) {
    if (!error_.empty()) return;
    error_ = std::move(error);
    error_at_ = position_;
  }

  // Lexical part.

  void TakeToken() {
    const unsigned char c = text_[position_];
    static constexpr absl::string_view kMarks = "{}[]:,";
    if (const size_t mark = kMarks.find(static_cast<char>(c)); mark != kMarks.npos) {
      Place(static_cast<Token>(mark));
      ++position_;
    } else if (c == '"') {
      TakeString();
    } else if (absl::ascii_islower(c)) {
      const absl::string_view word = TakeWhile(absl::ascii_isalpha);
      if (word != "true" && word != "false" && word != "null") {
        Fail(absl::StrCat("invalid keyword '", word, "'"));
      }
      Place(kOther);
    } else if (absl::ascii_isdigit(c) || c == '-') {
      CheckNumber(TakeWhile([](unsigned char d) {
        return absl::ascii_isdigit(d) || absl::StrContains("+-.eE", static_cast<char>(d));
      }));
      Place(kOther);
    } else if (absl::ascii_isprint(c)) {
      Fail(absl::StrCat("invalid character '", text_.substr(position_, 1), "'"));
    } else {
      Fail(absl::StrFormat("invalid character U+%04x", c));
    }
  }

  template <typename Predicate>
  absl::string_view TakeWhile(Predicate belongs) {
    const size_t start = position_;
    while (position_ < text_.size() && belongs(static_cast<unsigned char>(text_[position_]))) {
      ++position_;
    }
    return text_.substr(start, position_ - start);
  }

  void TakeString() {
    const size_t start = ++position_;
    for (; position_ < text_.size(); ++position_) {
      const unsigned char c = text_[position_];
      if (c == '"') {
        CheckString(text_.substr(start, position_ - start));
        Place(kString);
        ++position_;
        return;
      }
      if (c < 0x20) return Fail(absl::StrFormat("U+%04X must be escaped in quoted string", c));
      if (c == '\\' && ++position_ == text_.size()) break;
    }
    Fail("unexpected end of input in quoted string");
  }

  void CheckString(absl::string_view s) {
    while (!s.empty()) {
      if (s[0] != '\\') {
        s.remove_prefix(1);
      } else if (s[1] != 'u') {
        if (!absl::StrContains("\"\\/bfnrt", s[1])) {
          return Fail(absl::StrCat("bad escape \\", s.substr(1, 1)));
        }
        s.remove_prefix(2);
      } else {
        CheckUnicodeEscape(&s);
        if (!error_.empty()) return;
      }
    }
  }

  // The value of `\uXXXX` at the beginning of `*s`, which is taken off.
  std::optional<uint32_t> TakeHex(absl::string_view* s) {
    uint32_t value;
    if (s->size() < 6) {
      Fail("quoted string ends within \\u escape");
    } else if (const absl::string_view hex = s->substr(2, 4);
               !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit) ||
               !absl::SimpleHexAtoi(hex, &value)) {
      Fail("malformed \\u escape");
    } else {
      s->remove_prefix(6);
      return value;
    }
    return std::nullopt;
  }

  void CheckUnicodeEscape(absl::string_view* s) {
    const std::optional<uint32_t> value = TakeHex(s);
    if (!value) return;
    if (*value == 0) return Fail("null bytes not supported in quoted strings");
    if (*value < 0xd800 || *value > 0xdbff) return;
    if (!absl::StartsWith(*s, "\\u")) return Fail("malformed escaped surrogate pair");
    const std::optional<uint32_t> trail = TakeHex(s);
    if (trail && (*trail < 0xdc00 || *trail > 0xdfff)) {
      Fail("second half of escaped surrogate pair is not trailing surrogate");
    }
  }

  void CheckNumber(absl::string_view number) {
    const std::string text(number);
    const auto digits = [&number] {
      const size_t n = std::min(number.find_first_not_of("0123456789"), number.size());
      const absl::string_view result = number.substr(0, n);
      number.remove_prefix(n);
      return result;
    };
    absl::ConsumePrefix(&number, "-");
    const absl::string_view integer = digits();
    if (integer.empty()) return Fail("'-' must be followed by digit");
    if (integer.size() > 1 && integer[0] == '0') return Fail("leading zeros not allowed");
    if (absl::ConsumePrefix(&number, ".") && digits().empty()) {
      return Fail("decimal point must be followed by digit");
    }
    if (absl::ConsumePrefix(&number, "e") || absl::ConsumePrefix(&number, "E")) {
      if (!absl::ConsumePrefix(&number, "+")) absl::ConsumePrefix(&number, "-");
      const absl::string_view exponent = digits();
      int value;
      if (exponent.empty()) return Fail("exponent must contain at least one digit");
      if (!absl::SimpleAtoi(exponent, &value)) return Fail("exponent outside valid range");
    }
    if (!number.empty()) return Fail("syntax error in number");
    const double value = std::abs(strtod(text.c_str(), nullptr));
    if (std::isinf(value) || (value != 0 && value < std::numeric_limits<double>::min())) {
      Fail("number outside valid range");
    }
  }

  // Syntactic part.

  void Place(Token token) {
    switch (expect_) {
      case kStart:
        if (token != kOpenObject && token != kOpenArray) Fail("syntax error at beginning of input");
        return PlaceValue(token, "");
      case kFirstName:
        if (token == kCloseObject) return Close();
        [[fallthrough]];
      case kNextName:
        if (token != kString) Fail("syntax error parsing object expecting string");
        expect_ = kNameEnd;
        return;
      case kNameEnd:
        if (token != kColon) Fail("syntax error parsing object expecting ':'");
        expect_ = kObjectValue;
        return;
      case kObjectValue:
        return PlaceValue(token, "syntax error expecting value");
      case kObjectNext:
        if (token == kCloseObject) return Close();
        if (token != kComma) Fail("syntax error expecting '}' or ','");
        expect_ = kNextName;
        return;
      case kFirstElement:
        if (token == kCloseArray) return Close();
        [[fallthrough]];
      case kNextElement:
        return PlaceValue(token, "syntax error expecting value");
      case kArrayNext:
        if (token == kCloseArray) return Close();
        if (token != kComma) Fail("syntax error expecting ']' or ','");
        expect_ = kNextElement;
        return;
      case kEnd:
        return Fail("trailing garbage at end of input");
    }
  }

  void PlaceValue(Token token, absl::string_view otherwise) {
    if (token == kString || token == kOther) {
      expect_ = AfterValue();
    } else if (token == kOpenObject || token == kOpenArray) {
      if (open_.size() == kMaxJsonDepth) {
        Fail(absl::StrCat("input exceeds maximum nesting depth ", kMaxJsonDepth));
      }
      open_.push_back(token);
      expect_ = token == kOpenObject ? kFirstName : kFirstElement;
    } else {
      Fail(std::string(otherwise));
    }
  }

  void Close() {
    open_.pop_back();
    expect_ = AfterValue();
  }

  Expectation AfterValue() const {
    if (open_.empty()) return kEnd;
    return open_.back() == kOpenObject ? kObjectNext : kArrayNext;
  }

  const absl::string_view text_;
  size_t position_ = 0;
  Expectation expect_ = kStart;
  std::vector<Token> open_;
  std::string error_;  // The first one, and where it was noticed.
  size_t error_at_ = 0;
};

}  // namespace

std::string ExplainJsonError(absl::string_view text) { return Explainer(text).Explain(); }

}  // namespace ovsdb
