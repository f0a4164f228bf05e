#include "northd/output/spelling.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace northd {

std::string WithSetsInOrder(absl::string_view text) {
  std::string result;
  while (true) {
    // The first closing brace, and the last opening one before it: nothing is nested between them.
    const size_t close = text.find('}');
    const size_t open = text.substr(0, close).rfind('{');
    if (close == text.npos || open == text.npos) break;
    const absl::string_view inside = text.substr(open + 1, close - open - 1);
    absl::StrAppend(&result, text.substr(0, open + 1));
    if (inside.find(';') != inside.npos) {
      absl::StrAppend(&result, inside);
    } else {
      std::vector<absl::string_view> elements = absl::StrSplit(inside, ',');
      for (absl::string_view& element : elements) element = absl::StripAsciiWhitespace(element);
      std::sort(elements.begin(), elements.end());
      absl::StrAppend(&result, absl::StrJoin(elements, ", "));
    }
    result.push_back('}');
    text.remove_prefix(close + 1);
  }
  absl::StrAppend(&result, text);
  return result;
}

}  // namespace northd
