// What addresses a switch may give out, and what its ports ask for: parsed, without any state.
//
//   IpamConfig config = IpamConfig::Parse(subnet, exclude_ips, ipv6_prefix, mac_only);
//   if (auto request = DynamicRequest::Parse("dynamic 10.0.0.9")) ...
#ifndef NORTHD_MODEL_IPAM_H_
#define NORTHD_MODEL_IPAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "northd/model/addresses.h"

namespace northd {

// Logical_Switch.other_config:subnet, exclude_ips, ipv6_prefix, mac_only.
struct IpamConfig {
  struct Range {  // Both ends included.
    uint32_t first = 0;
    uint32_t last = 0;
    bool Contains(uint32_t address) const { return address >= first && address <= last; }
    bool operator==(const Range& o) const = default;
  };
  bool has_subnet = false;
  // Addresses of it that may be given out; none if first > last.
  Range addresses{1, 0};
  std::vector<Range> excluded;  // Within `addresses`.
  std::optional<Ip> v6_prefix;  // Of 64 bits.
  bool mac_only = false;

  // What is malformed counts as not set, with an entry in `errors`.
  static IpamConfig Parse(absl::string_view subnet, absl::string_view exclude_ips,
                          absl::string_view v6_prefix, bool mac_only,
                          std::vector<std::string>* errors);
  bool has_v4() const { return addresses.first <= addresses.last; }
  bool enabled() const { return has_subnet || v6_prefix || mac_only; }
  bool operator==(const IpamConfig& o) const = default;
};

// One of Logical_Switch_Port.addresses: "dynamic", "MAC dynamic" or "dynamic IP [IP]".
struct DynamicRequest {
  std::optional<Mac> mac;
  std::optional<Ip> v4;
  std::optional<Ip> v6;

  // Nothing if it is not dynamic.
  static std::optional<DynamicRequest> Parse(absl::string_view text);
  bool operator==(const DynamicRequest& o) const = default;
};

// The address of a host in a network of 64 bits (modified EUI-64).
Ip Eui64(const Ip& prefix, const Mac& mac);

}  // namespace northd

#endif  // NORTHD_MODEL_IPAM_H_
