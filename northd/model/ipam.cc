#include "northd/model/ipam.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace northd {
namespace {

std::optional<Ip> ParseV4(absl::string_view text) {
  const auto ip = Ip::Parse(text);
  return ip && !ip->v6 ? ip : std::nullopt;
}

// The parts of `exclude_ips`: spaces between them mean nothing, nor do those around "..".
std::vector<std::string> PartsOf(absl::string_view text) {
  std::vector<std::string> parts;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" ,\t\n"), absl::SkipEmpty())) {
    const bool goes_on =
        !parts.empty() && (absl::StartsWith(word, "..") || absl::EndsWith(parts.back(), ".."));
    if (goes_on) {
      absl::StrAppend(&parts.back(), word);
    } else {
      parts.emplace_back(word);
    }
  }
  return parts;
}

// "IP" or "IP..IP".
std::optional<IpamConfig::Range> ParseRange(absl::string_view text) {
  const size_t dots = text.find("..");
  const auto first = ParseV4(text.substr(0, dots));
  const auto last = dots == text.npos ? first : ParseV4(text.substr(dots + 2));
  if (!first || !last || last->v4() < first->v4()) return std::nullopt;
  return IpamConfig::Range{first->v4(), last->v4()};
}

}  // namespace

IpamConfig IpamConfig::Parse(absl::string_view subnet, absl::string_view exclude_ips,
                             absl::string_view v6_prefix, bool mac_only,
                             std::vector<std::string>* errors) {
  IpamConfig config;
  // Where addresses are asked for, if only in bad words, MAC addresses alone would not do.
  config.mac_only = mac_only && subnet.empty() && v6_prefix.empty();
  if (!v6_prefix.empty()) {
    const auto network = Network::Parse(v6_prefix);
    // A bare address stands for the first 64 bits of it.
    if (network && network->ip.v6 && (network->prefix == 64 || network->is_host())) {
      config.v6_prefix = Network{network->ip, 64}.network();
    } else {
      errors->push_back(absl::StrCat("bad 'ipv6_prefix' ", v6_prefix));
    }
  }
  if (subnet.empty()) return config;
  const auto network = Network::Parse(subnet);
  if (!network || network->ip.v6 || network->prefix == 32) {
    errors->push_back(absl::StrCat("bad 'subnet' ", subnet));
    return config;
  }
  config.has_subnet = true;
  // Neither the network's own nor the broadcast address; the first is the router's.
  config.addresses = {network->network().v4() + 1, network->broadcast().v4() - 1};
  config.excluded.push_back({config.addresses.first, config.addresses.first});
  for (const std::string& part : PartsOf(exclude_ips)) {
    const auto range = ParseRange(part);
    if (!range) {
      errors->push_back(absl::StrCat("bad 'exclude_ips' at ", part));
      break;
    }
    const Range inside{std::max(range->first, config.addresses.first),
                       std::min(range->last, config.addresses.last)};
    if (inside.first <= inside.last) config.excluded.push_back(inside);
  }
  return config;
}

std::optional<DynamicRequest> DynamicRequest::Parse(absl::string_view text) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  DynamicRequest request;
  if (words.empty()) return std::nullopt;
  if (words[0] != "dynamic") {
    absl::string_view rest;
    request.mac = Mac::ParseStart(text, &rest);
    const bool valid = request.mac && absl::StripLeadingAsciiWhitespace(rest) == "dynamic";
    return valid ? std::optional(request) : std::nullopt;
  }
  if (absl::StripAsciiWhitespace(text) != text) return std::nullopt;
  for (size_t i = 1; i < words.size(); ++i) {
    const auto ip = Ip::Parse(words[i]);
    std::optional<Ip>& place = ip && ip->v6 ? request.v6 : request.v4;
    if (!ip || place) return std::nullopt;
    place = ip;
  }
  return request;
}

Ip Eui64(const Ip& prefix, const Mac& mac) {
  Ip ip = LinkLocal(mac);
  std::copy_n(prefix.bytes.begin(), 8, ip.bytes.begin());
  return ip;
}

}  // namespace northd
