#include "northd/model/numbers.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace northd {

std::vector<int64_t> Numbers::Assign(absl::string_view scope_name,
                                     absl::Span<const NumberWish> wishes, int64_t low, int64_t high,
                                     absl::Span<const NumberRange> excluded) {
  std::vector<int64_t> numbers(wishes.size(), 0);
  absl::flat_hash_set<int64_t> taken;
  const auto take = [&](size_t i, int64_t number) {
    if (numbers[i] == 0 && number != 0 && taken.insert(number).second) numbers[i] = number;
  };

  // The end of the excluded range that has it, or it.
  const auto skip = [&](int64_t number) {
    for (const NumberRange& range : excluded) {
      if (number >= range.first && number <= range.last) return range.last + 1;
    }
    return number;
  };
  const auto allowed = [&](int64_t number) { return skip(number) == number ? number : 0; };

  Scope& scope = scopes_[scope_name];
  for (size_t i = 0; i < wishes.size(); ++i) take(i, wishes[i].requested);
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (wishes[i].is_others_word) take(i, allowed(wishes[i].existing));
  }
  for (size_t i = 0; i < wishes.size(); ++i) {
    const auto remembered = scope.find(wishes[i].key);
    if (remembered != scope.end()) take(i, allowed(remembered->second));
  }
  for (size_t i = 0; i < wishes.size(); ++i) take(i, allowed(wishes[i].existing));
  int64_t next = low;
  const auto take_free = [&](size_t i) {
    if (numbers[i] != 0) return;
    while (next <= high && (taken.contains(next) || skip(next) != next)) {
      next = std::max(next + 1, skip(next));
    }
    if (next <= high) take(i, next);
  };
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (wishes[i].preferred != 0) {
      take(i, allowed(wishes[i].preferred));
    } else {
      take_free(i);
    }
  }
  for (size_t i = 0; i < wishes.size(); ++i) take_free(i);

  scope.clear();
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (numbers[i] != 0 && (wishes[i].is_kept || numbers[i] == wishes[i].preferred)) {
      scope.emplace(wishes[i].key, numbers[i]);
    }
  }
  if (scope.empty()) scopes_.erase(scope_name);
  return numbers;
}

bool Numbers::Remembers(absl::string_view scope, absl::string_view key) const {
  const auto found = scopes_.find(scope);
  return found != scopes_.end() && found->second.contains(key);
}

}  // namespace northd
