#include "northd/model/dynamic_addresses.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/model/globals.h"
#include "northd/model/ipam.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("ipam");

constexpr uint32_t kMacSuffixes = 0xffffff;
constexpr int64_t kMaxTag = 4095;

// ---- What is asked for ----

IpamConfig ComputeConfig(Context& ctx, const Uuid& sw) {
  const auto row = Row<nb::LogicalSwitch>(ctx, sw);
  if (!row) return {};
  const StringMap config = row.other_config();
  std::vector<std::string> errors;
  IpamConfig ipam = IpamConfig::Parse(config.GetOrEmpty("subnet"), config.GetOrEmpty("exclude_ips"),
                                      config.GetOrEmpty("ipv6_prefix"),
                                      config.GetBool("mac_only", false), &errors);
  for (const std::string& error : errors) {
    static base::RateLimit limit(5, 1);
    log.WarnLimited(limit, "logical switch %s: %s", std::string(row.name()), error);
  }
  return ipam;
}
constexpr engine::Kind<Uuid, IpamConfig> kConfig{"ipam_config", &ComputeConfig};

// The first of a port's addresses that is dynamic.
std::optional<DynamicRequest> RequestOf(const nb::LogicalSwitchPort& row) {
  for (const absl::string_view text : row.addresses()) {
    if (auto request = DynamicRequest::Parse(text)) return request;
  }
  return std::nullopt;
}

// The router port that a switch port leads to, and whose addresses it has; zero if it leads to
// none.
Uuid PeerOfRow(Context& ctx, const nb::LogicalSwitchPort& row) {
  if (row.type() != "router") return {};
  return RouterPortNamed(ctx, row.options().GetOrEmpty("router-port"));
}

// What the northbound says that a port has. Others may write there, too, and then it has that if it
// can: so this is read like any other input. What comes of it has to be the same once it is
// written.
PortAddresses Present(const nb::LogicalSwitchPort& row) {
  const auto text = row.dynamic_addresses();
  return text ? PortAddresses::Parse(*text).value_or(PortAddresses()) : PortAddresses();
}

// ---- IPv4 ----

using Leases = std::map<Uuid, uint32_t>;  // By port, in host order; 0: none.

// Of a switch, for all its ports that ask for an address.
Leases ComputeLeases(Context& ctx, const Uuid& sw) {
  Leases leases;
  const IpamConfig& config = ctx.Get(kConfig, sw);
  const auto row = Row<nb::LogicalSwitch>(ctx, sw);
  if (!row || !config.enabled()) return leases;
  std::set<uint32_t> taken;
  std::vector<std::pair<Uuid, NumberWish>> asking;
  for (const Uuid& uuid : row.ports()) {
    const auto port = Row<nb::LogicalSwitchPort>(ctx, uuid);
    if (!port) continue;
    if (const Uuid peer = PeerOfRow(ctx, port); !peer.is_zero()) {
      for (const Network& network : ctx.Get(kRouterPortModel, peer).addresses.v4) {
        taken.insert(network.ip.v4());
      }
      continue;
    }
    for (const absl::string_view text : port.addresses()) {
      const auto addresses = PortAddresses::Parse(text);
      if (!addresses) continue;
      for (const Network& network : addresses->v4) taken.insert(network.ip.v4());
    }
    const std::optional<DynamicRequest> request = RequestOf(port);
    if (!request) continue;
    leases[uuid] = 0;
    if (!config.has_v4()) continue;
    const PortAddresses present = Present(port);
    const int64_t ip = present.v4.empty() ? 0 : present.v4.front().ip.v4();
    // What it was given counts until that, or another's word, is in the northbound.
    NumberWish wish = {.key = absl::StrCat(uuid.ToString(), " ", ip), .is_others_word = true};
    if (!request->v4) {
      wish.existing = ip;
      asking.emplace_back(uuid, std::move(wish));
      continue;
    }
    const int64_t wanted = request->v4->v4();
    absl::StrAppend(&wish.key, " ", wanted);
    wish.is_kept = false;
    // What is not of the subnet cannot be had; at first it is waited for all the same.
    if (config.addresses.Contains(request->v4->v4()) || ip == 0) wish.preferred = wanted;
    if (ip == wanted) wish.existing = ip;
    asking.emplace_back(uuid, std::move(wish));
  }
  std::vector<NumberRange> excluded;
  for (const IpamConfig::Range& range : config.excluded) {
    excluded.push_back({range.first, range.last});
  }
  excluded.push_back({0, int64_t{config.addresses.first} - 1});
  excluded.push_back({int64_t{config.addresses.last} + 1, UINT32_MAX});
  std::vector<NumberWish> wishes;
  for (const auto& [port, wish] : asking) wishes.push_back(wish);
  for (const uint32_t ip : taken) wishes.push_back({absl::StrCat(ip), ip, 0});
  const std::vector<int64_t> numbers =
      ctx.world().numbers.Assign(absl::StrCat("ipam/", sw.ToString()), wishes,
                                 config.addresses.first, config.addresses.last, excluded);
  for (size_t i = 0; i < asking.size(); ++i) {
    leases[asking[i].first] = static_cast<uint32_t>(numbers[i]);
    if (numbers[i] != 0) continue;
    static base::RateLimit limit(5, 1);
    log.WarnLimited(limit, "logical switch %s: subnet address space has been exhausted",
                    std::string(row.name()));
  }
  return leases;
}
constexpr engine::Kind<Uuid, Leases> kLeases{"ipam_leases", &ComputeLeases, /*is_cutoff=*/true};

// Of a port; 0: none. A map's own answer for one: so that the others do not run when one comes or
// goes.
uint32_t ComputeLease(Context& ctx, const Uuid& port) {
  const Leases& leases = ctx.Get(kLeases, SwitchOf(ctx, port));
  const auto found = leases.find(port);
  return found == leases.end() ? 0 : found->second;
}
constexpr engine::Kind<Uuid, uint32_t> kLease{"ipam_lease", &ComputeLease, /*is_cutoff=*/true};

// ---- IPv6 ----

// Whether a prefix allows an address: the reference masks by the prefix itself, not by its length,
// so that some addresses of other networks are allowed, too, and stay when the prefix changes.
bool HasBitsOf(const Ip& ip, const Ip& prefix) {
  for (size_t i = 0; i < prefix.bytes.size(); ++i) {
    if ((ip.bytes[i] & prefix.bytes[i]) != prefix.bytes[i]) return false;
  }
  return true;
}

// That it asks for, if the prefix allows it; or, if it asks for nothing in particular, that it has,
// whatever the prefix has become; or what its MAC address makes.
Ip V6AddressOf(const nb::LogicalSwitchPort& row, const DynamicRequest& request, const Ip& prefix,
               const Mac& mac) {
  if (request.v6 && HasBitsOf(*request.v6, prefix)) return *request.v6;
  const PortAddresses present = Present(row);
  const bool is_plain = !request.mac && !request.v4 && !request.v6;
  const bool keeps = is_plain && present.mac == mac && !present.v6.empty();
  return keeps ? present.v6.front().ip : Eui64(prefix, mac);
}

// ---- MAC addresses ----

using Macs = absl::flat_hash_map<Uuid, Mac>;  // By port.

// What a port that asks for addresses has to do with MAC addresses.
struct MacWish {
  bool asks = false;                  // Else it does not ask for any address.
  std::optional<Mac> own;             // That it brings.
  Mac present;                        // Zero: none.
  std::optional<uint32_t> wanted_ip;  // In host order.
  bool operator==(const MacWish& o) const = default;
};
MacWish ComputeMacWish(Context& ctx, const Uuid& port) {
  const auto row = Row<nb::LogicalSwitchPort>(ctx, port);
  const std::optional<DynamicRequest> request =
      row ? RequestOf(row) : std::optional<DynamicRequest>();
  if (!request) return {};
  MacWish wish{.asks = true, .own = request->mac, .present = Present(row).mac, .wanted_ip = {}};
  if (request->v4) wish.wanted_ip = request->v4->v4();
  return wish;
}
constexpr engine::Kind<Uuid, MacWish> kMacWish{"ipam_mac_wish", &ComputeMacWish,
                                               /*is_cutoff=*/true};

uint32_t SuffixOf(const Mac& mac) {
  return uint32_t{mac.bytes[3]} << 16 | uint32_t{mac.bytes[4]} << 8 | mac.bytes[5];
}

Mac WithSuffix(Mac mac, uint32_t suffix) {
  mac.bytes[3] = static_cast<uint8_t>(suffix >> 16);
  mac.bytes[4] = static_cast<uint8_t>(suffix >> 8);
  mac.bytes[5] = static_cast<uint8_t>(suffix);
  return mac;
}

// Of all ports that do not bring their own: unique in the network, near to the IPv4 address. The
// first one that a port gets is near to the address that it asks for, even if it does not get that;
// any after that to the one that it has, if any.
Macs ComputeMacs(Context& ctx, const std::monostate&) {
  const Mac prefix =
      Mac::Parse(absl::StrCat(GetGlobals(ctx).mac_prefix, ":00:00:00")).value_or(Mac());
  std::set<Uuid> switches;
  for (const char* option : {"subnet", "ipv6_prefix", "mac_only"}) {
    const auto rows = RowsWith<nb::LogicalSwitch>(ctx, nb::LogicalSwitch::kOtherConfig,
                                                  absl::string_view(option));
    switches.insert(rows.begin(), rows.end());
  }
  Macs macs;
  absl::flat_hash_set<uint32_t> taken;
  std::vector<std::pair<Uuid, uint32_t>> asking;
  for (const Uuid& sw : switches) {
    for (const auto& [port, ip] : ctx.Get(kLeases, sw)) {
      const MacWish& wish = ctx.Get(kMacWish, port);
      if (!wish.asks) continue;
      if (wish.own) {
        macs[port] = *wish.own;
      } else if (WithSuffix(wish.present, 0) == prefix) {  // Even if another has it, too.
        taken.insert(SuffixOf(wish.present));
        macs[port] = wish.present;
      } else {
        const bool is_first = wish.present == Mac();
        asking.emplace_back(port, is_first ? wish.wanted_ip.value_or(ip) : ip);
      }
    }
  }
  for (const auto& [port, ip] : asking) {
    for (uint32_t i = 0; i < kMacSuffixes - 1; ++i) {
      const uint32_t suffix = ((ip & 0xffffff) + i) % (kMacSuffixes - 1) + 1;
      if (!taken.insert(suffix).second) continue;
      macs[port] = WithSuffix(prefix, suffix);
      break;
    }
  }
  return macs;
}
constexpr engine::Kind<std::monostate, Macs> kMacs{"ipam_macs", &ComputeMacs, /*is_cutoff=*/true};

// Of a port, if it has one.
std::optional<Mac> ComputeMac(Context& ctx, const Uuid& port) {
  const Macs& macs = ctx.Get(kMacs, {});
  const auto found = macs.find(port);
  return found == macs.end() ? std::nullopt : std::optional(found->second);
}
constexpr engine::Kind<Uuid, std::optional<Mac>> kMac{"ipam_mac", &ComputeMac, /*is_cutoff=*/true};

// ---- Tags ----

using Tags = std::map<Uuid, int64_t>;  // By nested port.

// Of the ports nested in one, whose name this is: those that leave it to us to choose. What they
// have they keep, even if another has it, too.
Tags ComputeTags(Context& ctx, const std::string& parent) {
  std::vector<NumberWish> wishes;
  std::vector<Uuid> ports;
  std::set<int64_t> taken;
  Tags tags;
  for (const Uuid& uuid : RowsWith<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kParentName,
                                                          absl::string_view(parent))) {
    const auto row = Row<nb::LogicalSwitchPort>(ctx, uuid);
    const int64_t requested = row.tag_request().value_or(-1);
    const int64_t present = row.tag().value_or(0);
    if (requested > 0) {
      taken.insert(requested);
    } else if (present > 0) {
      taken.insert(present);
      if (requested == 0) tags[uuid] = present;
    } else if (requested == 0) {
      wishes.push_back({uuid.ToString()});
      ports.push_back(uuid);
    }
  }
  const size_t n_asking = wishes.size();
  for (const int64_t tag : taken) wishes.push_back({absl::StrCat(tag), tag, 0});
  const std::vector<int64_t> numbers =
      ctx.world().numbers.Assign(absl::StrCat("tag/", parent), wishes, 1, kMaxTag);
  for (size_t i = 0; i < n_asking; ++i) {
    if (numbers[i] != 0) tags[ports[i]] = numbers[i];
  }
  return tags;
}
constexpr engine::Kind<std::string, Tags> kTags{"nested_port_tags", &ComputeTags};

}  // namespace

std::string ComputeDynamicAddresses(Context& ctx, const Uuid& switch_port) {
  const auto row = Row<nb::LogicalSwitchPort>(ctx, switch_port);
  if (!row || !PeerOfRow(ctx, row).is_zero()) return "";
  const std::optional<DynamicRequest> request = RequestOf(row);
  if (!request) return "";
  const Uuid sw = SwitchOf(ctx, switch_port);
  const IpamConfig& config = ctx.Get(kConfig, sw);
  if (!config.enabled()) return "";
  const std::optional<Mac>& mac = ctx.Get(kMac, switch_port);
  if (!mac) return "";
  std::string text = mac->ToString();
  if (const uint32_t lease = ctx.Get(kLease, switch_port); lease != 0) {
    absl::StrAppend(&text, " ", Ipv4(lease).ToString());
  }
  if (config.v6_prefix) {
    absl::StrAppend(&text, " ", V6AddressOf(row, *request, *config.v6_prefix, *mac).ToString());
  }
  return text;
}
constexpr engine::Kind<Uuid, std::string> kDynamicAddresses{"dynamic_addresses",
                                                            &ComputeDynamicAddresses};

bool HasDynamicAddresses(Context& ctx, const Uuid& sw) { return ctx.Get(kConfig, sw).enabled(); }

std::optional<int64_t> TagToWrite(Context& ctx, const nb::LogicalSwitchPort& row) {
  const std::optional<int64_t> requested = row.tag_request();
  if (!requested) return std::nullopt;
  if (*requested != 0) return *requested;
  const auto parent = row.parent_name();
  if (!parent || parent->empty()) return std::nullopt;
  const Tags& tags = ctx.Get(kTags, std::string(*parent));
  const auto tag = tags.find(row.uuid());
  return tag == tags.end() ? std::nullopt : std::optional(tag->second);
}

}  // namespace northd
