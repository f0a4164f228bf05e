#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/tool/command.h"

namespace tool {
namespace {

using Version = std::array<uint64_t, 3>;

std::optional<Version> ParseVersion(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  Version version;
  if (parts.size() != version.size()) return std::nullopt;
  for (size_t i = 0; i < parts.size(); ++i) {
    // White space may come before a number, as stock takes it, but not behind.
    if (!absl::SimpleAtoi(parts[i], &version[i]) || !absl::ascii_isdigit(parts[i].back())) {
      return std::nullopt;
    }
  }
  return version;
}

}  // namespace

absl::StatusOr<int> CompareVersions(const Invocation& invocation) {
  const std::string& op = invocation.args[1];
  std::array<Version, 2> versions;
  for (const size_t i : {0, 1}) {
    const std::string& text = invocation.args[2 * i];
    const std::optional<Version> version = ParseVersion(text);
    if (!version) {
      return Failure(absl::StrCat(text, ": not an OVSDB version number in format x.y.z"));
    }
    versions[i] = *version;
  }
  const auto& [a, b] = versions;
  const std::pair<absl::string_view, bool> operators[] = {
      {"<", a < b}, {"<=", a <= b}, {"==", a == b}, {">=", a >= b}, {">", a > b}, {"!=", a != b}};
  for (const auto& [name, holds] : operators) {
    if (op == name) return holds ? kSuccess : kNo;
  }
  return Failure(absl::StrCat(op, ": not a relational operator"));
}

}  // namespace tool
