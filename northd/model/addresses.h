// Ethernet and IP addresses as OVN's databases spell them: where a MAC address or a network is
// meant with numbers as scanf(3) reads them and what does not fit cut off, so that
// "50:54:0:0:0:010" ends in 10 and "10.0.0.256/24" is 10.0.0.0/24; where an address alone is, as
// inet_pton(3).
#ifndef NORTHD_MODEL_ADDRESSES_H_
#define NORTHD_MODEL_ADDRESSES_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace northd {

struct Mac {
  std::array<uint8_t, 6> bytes = {};

  // "xx:xx:xx:xx:xx:xx".
  static std::optional<Mac> Parse(absl::string_view text);
  // What `text` begins with; what follows goes to `rest`.
  static std::optional<Mac> ParseStart(absl::string_view text, absl::string_view* rest);
  // The first half, which is what `text` begins with.
  static std::optional<Mac> ParseVendor(absl::string_view text);
  std::string ToString() const;  // Lower case.
  bool is_zero() const { return *this == Mac(); }
  bool is_multicast() const { return (bytes[0] & 1) != 0; }
  auto operator<=>(const Mac& o) const = default;
};

// An address of either family.
struct Ip {
  bool v6 = false;
  std::array<uint8_t, 16> bytes = {};  // In network order; of IPv4 the first four.

  static std::optional<Ip> Parse(absl::string_view text);
  std::string ToString() const;  // As inet_ntop(3).
  bool is_zero() const { return bytes == std::array<uint8_t, 16>(); }
  bool is_link_local() const;  // fe80::/10.
  bool is_multicast() const;   // 224.0.0.0/4 or ff00::/8.
  uint32_t v4() const;         // In host order.
  int bits() const { return v6 ? 128 : 32; }
  auto operator<=>(const Ip& o) const = default;
};

Ip Ipv4(uint32_t address);  // In host order.
// The IPv6 link-local address that a MAC address makes (modified EUI-64).
Ip LinkLocal(const Mac& mac);
// The multicast group of an IPv6 address for neighbour solicitation, and the MAC it is sent to.
Ip SolicitedNode(const Ip& ip);
Mac MulticastMac(const Ip& ip);

// An address with a prefix: a host in its network, or a network.
struct Network {
  Ip ip;
  int prefix = 0;

  // "IP", which has all bits, or "IP/BITS", of IPv4 also "IP/MASK" with a contiguous mask.
  static std::optional<Network> Parse(absl::string_view text);
  // Likewise with any mask: the prefix reaches to its last bit then.
  static std::optional<Network> ParseMasked(absl::string_view text);
  // All up to where there is none, in the middle of a word, too; what comes then is forgotten.
  static std::vector<Network> ParseMany(absl::string_view text);
  Ip network() const;    // The address without the host's bits.
  Ip broadcast() const;  // With all of the host's bits set.
  Ip mask() const;
  bool Contains(const Ip& o) const;
  bool is_host() const { return prefix == ip.bits(); }
  std::string IpText() const { return ip.ToString(); }
  std::string NetworkText() const;  // "NETWORK/BITS", or the bare address of a host.
  std::string ToString() const;     // "IP/BITS", or the bare address of a host.
  auto operator<=>(const Network& o) const = default;
};

// What a port may be addressed by: "MAC [IP[/BITS]]...".
struct PortAddresses {
  Mac mac;
  std::vector<Network> v4;
  std::vector<Network> v6;

  // Nothing if it does not begin with a MAC address. Networks as ParseMany() takes them.
  static std::optional<PortAddresses> Parse(absl::string_view text);
  // Of a router port: a MAC address, and networks each on its own. Adds the IPv6 link-local address
  // at the end, as routers have it. Nothing if the MAC address is malformed; networks that are, or
  // whose address is 0.0.0.0, go to `bad`.
  static std::optional<PortAddresses> ParseRouterPort(absl::string_view mac,
                                                      absl::Span<const std::string> networks,
                                                      std::vector<std::string>* bad);
  std::string mac_text() const { return mac.ToString(); }
  bool operator==(const PortAddresses& o) const = default;
};

}  // namespace northd

#endif  // NORTHD_MODEL_ADDRESSES_H_
