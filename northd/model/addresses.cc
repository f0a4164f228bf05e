#include "northd/model/addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace northd {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// How many bits a netmask has set; nothing if they are not the first ones.
std::optional<int> PrefixOfMask(const Ip& mask) {
  int prefix = 0;
  while (prefix < mask.bits() && (mask.bytes[prefix / 8] >> (7 - prefix % 8) & 1) != 0) ++prefix;
  const Network all_of_it{mask, prefix};
  return all_of_it.network() == mask ? std::optional<int>(prefix) : std::nullopt;
}

}  // namespace

// ---- Mac ----

std::optional<Mac> Mac::Parse(absl::string_view text) {
  Mac mac;
  size_t at = 0;
  for (size_t i = 0; i < 6; ++i) {
    if (i > 0 && (at == text.size() || text[at++] != ':')) return std::nullopt;
    int value = -1;
    for (int n = 0; n < 2 && at < text.size() && HexDigit(text[at]) >= 0; ++n) {
      value = (n == 0 ? 0 : value << 4) | HexDigit(text[at++]);
    }
    if (value < 0) return std::nullopt;
    mac.bytes[i] = static_cast<uint8_t>(value);
  }
  if (at != text.size()) return std::nullopt;
  return mac;
}

std::string Mac::ToString() const {
  return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                         bytes[4], bytes[5]);
}

// ---- Ip ----

std::optional<Ip> Ip::Parse(absl::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  Ip ip;
  if (inet_pton(AF_INET, buffer, ip.bytes.data()) == 1) return ip;
  ip.v6 = true;
  if (inet_pton(AF_INET6, buffer, ip.bytes.data()) == 1) return ip;
  return std::nullopt;
}

std::string Ip::ToString() const {
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
}

bool Ip::is_link_local() const { return v6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80; }

bool Ip::is_multicast() const { return v6 ? bytes[0] == 0xff : (bytes[0] & 0xf0) == 0xe0; }

uint32_t Ip::v4() const {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

Ip Ipv4(uint32_t address) {
  Ip ip;
  for (int i = 0; i < 4; ++i) ip.bytes[i] = static_cast<uint8_t>(address >> (24 - 8 * i));
  return ip;
}

Ip LinkLocal(const Mac& mac) {
  Ip ip;
  ip.v6 = true;
  ip.bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0};
  ip.bytes[8] = mac.bytes[0] ^ 2;
  ip.bytes[9] = mac.bytes[1];
  ip.bytes[10] = mac.bytes[2];
  ip.bytes[11] = 0xff;
  ip.bytes[12] = 0xfe;
  std::copy(mac.bytes.begin() + 3, mac.bytes.end(), ip.bytes.begin() + 13);
  return ip;
}

Ip SolicitedNode(const Ip& ip) {
  Ip group;
  group.v6 = true;
  group.bytes = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy(ip.bytes.begin() + 13, ip.bytes.end(), group.bytes.begin() + 13);
  return group;
}

Mac MulticastMac(const Ip& ip) {
  if (!ip.v6) {
    return {{1, 0, 0x5e, static_cast<uint8_t>(ip.bytes[1] & 0x7f), ip.bytes[2], ip.bytes[3]}};
  }
  return {{0x33, 0x33, ip.bytes[12], ip.bytes[13], ip.bytes[14], ip.bytes[15]}};
}

// ---- Network ----

std::optional<Network> Network::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<Ip> ip = Ip::Parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  if (slash == absl::string_view::npos) return Network{*ip, ip->bits()};
  const absl::string_view rest = text.substr(slash + 1);
  int prefix = 0;
  if (absl::SimpleAtoi(rest, &prefix)) {
    if (prefix < 0 || prefix > ip->bits()) return std::nullopt;
    return Network{*ip, prefix};
  }
  const std::optional<Ip> mask = Ip::Parse(rest);
  if (!mask || mask->v6 != ip->v6) return std::nullopt;
  const std::optional<int> bits = PrefixOfMask(*mask);
  if (!bits) return std::nullopt;
  return Network{*ip, *bits};
}

Ip Network::mask() const {
  Ip mask;
  mask.v6 = ip.v6;
  for (int i = 0; i < prefix; ++i) mask.bytes[i / 8] |= static_cast<uint8_t>(0x80 >> i % 8);
  return mask;
}

Ip Network::network() const {
  Ip network = ip;
  const Ip bits = mask();
  for (size_t i = 0; i < 16; ++i) network.bytes[i] &= bits.bytes[i];
  return network;
}

Ip Network::broadcast() const {
  Ip last = ip;
  for (int i = prefix; i < ip.bits(); ++i) last.bytes[i / 8] |= static_cast<uint8_t>(0x80 >> i % 8);
  return last;
}

bool Network::Contains(const Ip& o) const {
  return o.v6 == ip.v6 && Network{o, prefix}.network() == network();
}

std::string Network::NetworkText() const {
  return is_host() ? ip.ToString() : absl::StrCat(network().ToString(), "/", prefix);
}

std::string Network::ToString() const {
  return is_host() ? ip.ToString() : absl::StrCat(ip.ToString(), "/", prefix);
}

// ---- PortAddresses ----

std::optional<PortAddresses> PortAddresses::Parse(absl::string_view text) {
  const auto next_word = [&text] {
    text = absl::StripLeadingAsciiWhitespace(text);
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    const absl::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
  };
  const std::optional<Mac> mac = Mac::Parse(next_word());
  if (!mac) return std::nullopt;
  PortAddresses addresses;
  addresses.mac = *mac;
  for (absl::string_view word = next_word(); !word.empty(); word = next_word()) {
    const std::optional<Network> network = Network::Parse(word);
    if (!network) break;
    (network->ip.v6 ? addresses.v6 : addresses.v4).push_back(*network);
  }
  return addresses;
}

std::optional<PortAddresses> PortAddresses::ParseRouterPort(
    absl::string_view mac, absl::Span<const std::string> networks) {
  const std::optional<Mac> parsed = Mac::Parse(mac);
  if (!parsed) return std::nullopt;
  PortAddresses addresses;
  addresses.mac = *parsed;
  for (const std::string& text : networks) {
    const std::optional<Network> network = Network::Parse(text);
    if (!network) return std::nullopt;
    (network->ip.v6 ? addresses.v6 : addresses.v4).push_back(*network);
  }
  addresses.v6.push_back({LinkLocal(addresses.mac), 64});
  return addresses;
}

}  // namespace northd
