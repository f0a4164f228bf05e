// Pieces of matches.
#ifndef NORTHD_PIPELINE_MATCH_H_
#define NORTHD_PIPELINE_MATCH_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/addresses.h"

namespace northd {

// The addresses themselves, without prefixes.
inline std::vector<std::string> IpTexts(const std::vector<Network>& networks) {
  std::vector<std::string> texts;
  texts.reserve(networks.size());
  for (const Network& network : networks) texts.push_back(network.IpText());
  return texts;
}

// "{A, B}".
inline std::string SetOf(const std::vector<std::string>& values) {
  return absl::StrCat("{", absl::StrJoin(values, ", "), "}");
}

// "A", or "{A, B}" of several.
inline std::string AnyOf(const std::vector<std::string>& values) {
  return values.size() == 1 ? values[0] : SetOf(values);
}

}  // namespace northd

#endif  // NORTHD_PIPELINE_MATCH_H_
