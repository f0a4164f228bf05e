// How long learned things live: "SECONDS" for all, and "NETWORK:SECONDS" for some, apart by ";".
#ifndef NORTHD_MODEL_AGE_THRESHOLDS_H_
#define NORTHD_MODEL_AGE_THRESHOLDS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "northd/model/addresses.h"

namespace northd {

struct AgeThresholds {
  struct Entry {
    Network network;
    uint32_t seconds = 0;
    bool operator==(const Entry& o) const = default;
  };
  std::vector<Entry> entries;   // The longest prefix first.
  uint32_t default_seconds = 0;  // 0: for ever.

  // None at all where a part of the text is malformed.
  static AgeThresholds Parse(absl::string_view text);
  // Of the thresholds that are not 0; or 0.
  uint32_t Least() const;
  // That of the longest prefix which has the address.
  uint32_t Of(const Ip& ip) const;
  bool empty() const { return Least() == 0; }
  bool operator==(const AgeThresholds& o) const = default;
};

}  // namespace northd

#endif  // NORTHD_MODEL_AGE_THRESHOLDS_H_
