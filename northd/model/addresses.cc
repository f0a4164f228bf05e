#include "northd/model/addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace northd {
namespace {

// How many bits a netmask has set; nothing if they are not the first ones.
std::optional<int> PrefixOfMask(const Ip& mask) {
  int prefix = 0;
  while (prefix < mask.bits() && (mask.bytes[prefix / 8] >> (7 - prefix % 8) & 1) != 0) ++prefix;
  const Network all_of_it{mask, prefix};
  return all_of_it.network() == mask ? std::optional<int>(prefix) : std::nullopt;
}

// Up to which bit a netmask reaches.
std::optional<int> LengthOfMask(const Ip& mask) {
  int length = mask.bits();
  while (length > 0 && (mask.bytes[(length - 1) / 8] >> (7 - (length - 1) % 8) & 1) == 0) --length;
  return length;
}

// Reads what a text begins with, as scanf(3) would and OVN's databases are read therefore: blanks
// and a sign may stand before a number, and of a large one the low bits count.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : rest_(text) {}

  absl::string_view rest() const { return rest_; }

  bool Skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void SkipBlanks() { rest_ = absl::StripLeadingAsciiWhitespace(rest_); }

  // Decimal, or hexadecimal, perhaps with "0x". Nothing is read if there is no digit.
  std::optional<int32_t> Number(uint32_t base) {
    const absl::string_view before = rest_;
    SkipBlanks();
    const bool negative = Skip('-');
    if (!negative) Skip('+');
    if (base == 16 && (absl::StartsWith(rest_, "0x") || absl::StartsWith(rest_, "0X")) &&
        rest_.size() > 2 && absl::ascii_isxdigit(static_cast<unsigned char>(rest_[2]))) {
      rest_.remove_prefix(2);
    }
    uint32_t value = 0;
    size_t n = 0;
    for (; n < rest_.size(); ++n) {
      const uint32_t digit = Digit(rest_[n]);
      if (digit >= base) break;
      value = value * base + digit;
    }
    if (n == 0) {
      rest_ = before;
      return std::nullopt;
    }
    rest_.remove_prefix(n);
    return static_cast<int32_t>(negative ? -value : value);
  }

  // "N.N.N.N".
  std::optional<Ip> V4() {
    const absl::string_view before = rest_;
    Ip ip;
    for (size_t i = 0; i < 4; ++i) {
      const bool dotted = i == 0 || Skip('.');
      const auto part = dotted ? Number(10) : std::nullopt;
      if (!part) {
        rest_ = before;
        return std::nullopt;
      }
      ip.bytes[i] = static_cast<uint8_t>(*part);
    }
    return ip;
  }

  std::optional<Ip> V6() {
    char buffer[INET6_ADDRSTRLEN];
    SkipBlanks();
    const size_t n = std::min(
        {rest_.find_first_not_of("0123456789abcdefABCDEF:."), rest_.size(), sizeof buffer - 1});
    std::memcpy(buffer, rest_.data(), n);
    buffer[n] = '\0';
    Ip ip;
    ip.v6 = true;
    if (inet_pton(AF_INET6, buffer, ip.bytes.data()) != 1) return std::nullopt;
    rest_.remove_prefix(n);
    return ip;
  }

  std::optional<Ip> Address() {
    const auto v4 = V4();
    return v4 ? v4 : V6();
  }

  // An address, perhaps with a prefix or mask, of which the prefix is what `of_mask` says.
  using OfMask = std::optional<int> (*)(const Ip& mask);
  std::optional<Network> AddressWithPrefix(OfMask of_mask = &PrefixOfMask);

 private:
  static uint32_t Digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0');
    c = absl::ascii_tolower(static_cast<unsigned char>(c));
    return c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10) : 16;
  }

  absl::string_view rest_;
};

std::optional<Network> Scanner::AddressWithPrefix(OfMask of_mask) {
  const std::optional<Ip> ip = Address();
  if (!ip) return std::nullopt;
  const Network host{*ip, ip->bits()};
  const absl::string_view before = rest_;
  if (!Skip('/')) return host;
  std::optional<int> prefix;
  if (const auto mask = ip->v6 ? V6() : V4()) {
    prefix = of_mask(*mask);
  } else if (const auto number = Number(10)) {
    if (*number >= 0 && *number <= ip->bits()) prefix = *number;
  } else {
    rest_ = before;
    return host;
  }
  return prefix ? std::optional(Network{*ip, *prefix}) : std::nullopt;
}

}  // namespace

// ---- Mac ----

namespace {

std::optional<Mac> ParseBytes(Scanner* scanner, size_t n) {
  Mac mac;
  for (size_t i = 0; i < n; ++i) {
    if (i > 0 && !scanner->Skip(':')) return std::nullopt;
    const auto part = scanner->Number(16);
    if (!part) return std::nullopt;
    mac.bytes[i] = static_cast<uint8_t>(*part);
  }
  return mac;
}

}  // namespace

std::optional<Mac> Mac::Parse(absl::string_view text) {
  Scanner scanner(text);
  const std::optional<Mac> mac = ParseBytes(&scanner, 6);
  return scanner.rest().empty() ? mac : std::nullopt;
}

std::optional<Mac> Mac::ParseStart(absl::string_view text, absl::string_view* rest) {
  Scanner scanner(text);
  const std::optional<Mac> mac = ParseBytes(&scanner, 6);
  if (mac) *rest = scanner.rest();
  return mac;
}

std::optional<Mac> Mac::ParseVendor(absl::string_view text) {
  Scanner scanner(text);
  return ParseBytes(&scanner, 3);
}

std::string Mac::ToString() const {
  // Much of what is translated are addresses: a format string would show in profiles.
  constexpr char kHex[] = "0123456789abcdef";
  std::string text(3 * bytes.size() - 1, ':');
  for (size_t i = 0; i < bytes.size(); ++i) {
    text[3 * i] = kHex[bytes[i] >> 4];
    text[3 * i + 1] = kHex[bytes[i] & 0xf];
  }
  return text;
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
  if (!v6) {
    return absl::StrCat(int{bytes[0]}, ".", int{bytes[1]}, ".", int{bytes[2]}, ".", int{bytes[3]});
  }
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
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
  Scanner scanner(text);
  const std::optional<Network> network = scanner.AddressWithPrefix();
  return scanner.rest().empty() ? network : std::nullopt;
}

std::optional<Network> Network::ParseMasked(absl::string_view text) {
  Scanner scanner(text);
  const std::optional<Network> network = scanner.AddressWithPrefix(&LengthOfMask);
  return scanner.rest().empty() ? network : std::nullopt;
}

std::vector<Network> Network::ParseMany(absl::string_view text) {
  std::vector<Network> networks;
  Scanner scanner(text);
  while (const std::optional<Network> network = scanner.AddressWithPrefix()) {
    networks.push_back(*network);
  }
  return networks;
}

Ip Network::mask() const {
  Ip mask;
  mask.v6 = ip.v6;
  const auto whole = static_cast<size_t>(prefix / 8);
  std::fill_n(mask.bytes.begin(), whole, uint8_t{0xff});
  if (prefix % 8 != 0) mask.bytes[whole] = static_cast<uint8_t>(0xff00 >> prefix % 8);
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
  if (o.v6 != ip.v6) return false;
  const auto whole = static_cast<size_t>(prefix / 8);
  if (!std::equal(ip.bytes.begin(), ip.bytes.begin() + whole, o.bytes.begin())) return false;
  return prefix % 8 == 0 || (ip.bytes[whole] ^ o.bytes[whole]) >> (8 - prefix % 8) == 0;
}

std::string Network::NetworkText() const {
  return is_host() ? ip.ToString() : absl::StrCat(network().ToString(), "/", prefix);
}

std::string Network::ToString() const {
  return is_host() ? ip.ToString() : absl::StrCat(ip.ToString(), "/", prefix);
}

// ---- PortAddresses ----

std::optional<PortAddresses> PortAddresses::Parse(absl::string_view text) {
  const std::optional<Mac> mac = Mac::ParseStart(text, &text);
  if (!mac) return std::nullopt;
  PortAddresses addresses;
  addresses.mac = *mac;
  for (const Network& network : Network::ParseMany(text)) {
    (network.ip.v6 ? addresses.v6 : addresses.v4).push_back(network);
  }
  return addresses;
}

std::optional<PortAddresses> PortAddresses::ParseRouterPort(absl::string_view mac,
                                                            absl::Span<const std::string> networks,
                                                            std::vector<std::string>* bad) {
  const std::optional<Mac> parsed = Mac::Parse(mac);
  if (!parsed) return std::nullopt;
  PortAddresses addresses;
  addresses.mac = *parsed;
  for (const std::string& text : networks) {
    const std::optional<Network> network = Network::Parse(text);
    if (!network || (!network->ip.v6 && network->ip.is_zero())) {
      bad->push_back(text);
      continue;
    }
    (network->ip.v6 ? addresses.v6 : addresses.v4).push_back(*network);
  }
  addresses.v6.push_back({LinkLocal(addresses.mac), 64});
  return addresses;
}

}  // namespace northd
