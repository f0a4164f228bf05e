#include "tests/raft/sim/list.h"

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace raft::sim {
namespace {

// The numbers of `[1,2,3]`.
std::optional<std::vector<uint64_t>> ParseNumbers(const Payload& data) {
  if (data == nullptr || data->size() < 2) return std::nullopt;
  std::vector<uint64_t> numbers;
  const absl::string_view inside = absl::string_view(*data).substr(1, data->size() - 2);
  for (const absl::string_view part : absl::StrSplit(inside, ',')) {
    uint64_t number = 0;
    if (!absl::SimpleAtoi(part, &number)) return std::nullopt;
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

Payload CommandPayload(uint64_t number) {
  return std::make_shared<const std::string>(absl::StrCat("[", number, "]"));
}

Payload SnapshotPayload(const List& list) {
  return std::make_shared<const std::string>(
      absl::StrCat("[", list.length, ",", list.last, ",", list.digest, "]"));
}

std::optional<uint64_t> ParseCommand(const Payload& data) {
  const auto numbers = ParseNumbers(data);
  if (!numbers || numbers->size() != 1) return std::nullopt;
  return numbers->front();
}

std::optional<List> ParseSnapshot(const Payload& data) {
  const auto numbers = ParseNumbers(data);
  if (!numbers || numbers->size() != 3) return std::nullopt;
  return List{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
}

}  // namespace raft::sim
