#include "northd/model/age_thresholds.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace northd {

AgeThresholds AgeThresholds::Parse(absl::string_view text) {
  AgeThresholds thresholds;
  for (absl::string_view part : absl::StrSplit(text, ';', absl::SkipEmpty())) {
    part = absl::StripAsciiWhitespace(part);
    const size_t colon = part.rfind(':');
    uint32_t seconds = 0;
    if (!absl::SimpleAtoi(colon == part.npos ? part : part.substr(colon + 1), &seconds)) return {};
    if (colon == part.npos) {
      thresholds.default_seconds = seconds;
      continue;
    }
    const std::optional<Network> network = Network::Parse(part.substr(0, colon));
    if (!network) return {};
    thresholds.entries.push_back({*network, seconds});
  }
  std::stable_sort(thresholds.entries.begin(), thresholds.entries.end(),
                   [](const Entry& a, const Entry& b) {
                     return a.network.prefix > b.network.prefix;
                   });
  return thresholds;
}

uint32_t AgeThresholds::Least() const {
  uint32_t least = default_seconds;
  for (const Entry& entry : entries) {
    if (entry.seconds != 0 && (least == 0 || entry.seconds < least)) least = entry.seconds;
  }
  return least;
}

uint32_t AgeThresholds::Of(const Ip& ip) const {
  for (const Entry& entry : entries) {
    if (entry.network.Contains(ip)) return entry.seconds;
  }
  return default_seconds;
}

}  // namespace northd
