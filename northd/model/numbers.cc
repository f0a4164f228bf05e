#include "northd/model/numbers.h"

#include <utility>

#include "absl/container/flat_hash_set.h"

namespace northd {

std::vector<int64_t> Numbers::Assign(absl::string_view scope_name,
                                     absl::Span<const NumberWish> wishes, int64_t low,
                                     int64_t high) {
  std::vector<int64_t> numbers(wishes.size(), 0);
  absl::flat_hash_set<int64_t> taken;
  const auto take = [&](size_t i, int64_t number) {
    if (numbers[i] == 0 && number != 0 && taken.insert(number).second) numbers[i] = number;
  };
  const auto fits = [&](int64_t number) { return number >= low && number <= high ? number : 0; };

  Scope& scope = scopes_[scope_name];
  for (size_t i = 0; i < wishes.size(); ++i) take(i, wishes[i].requested);
  for (size_t i = 0; i < wishes.size(); ++i) {
    const auto remembered = scope.find(wishes[i].key);
    if (remembered != scope.end()) take(i, fits(remembered->second));
  }
  for (size_t i = 0; i < wishes.size(); ++i) take(i, fits(wishes[i].existing));
  int64_t next = low;
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (numbers[i] != 0) continue;
    while (next <= high && taken.contains(next)) ++next;
    if (next > high) break;
    take(i, next);
  }

  scope.clear();
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (numbers[i] != 0) scope.emplace(wishes[i].key, numbers[i]);
  }
  if (scope.empty()) scopes_.erase(scope_name);
  return numbers;
}

}  // namespace northd
