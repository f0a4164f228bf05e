#include "northd/model/shared_addresses.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// ---- SNAT ----

struct SnatAddresses {
  std::set<std::string> ips;
  bool to_router_ip = false;
  bool operator==(const SnatAddresses& o) const = default;
};

SnatAddresses ComputeSnatAddresses(Context& ctx, const Uuid& router) {
  SnatAddresses addresses;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return addresses;
  for (const Uuid& uuid : row.nat()) {
    const auto nat = Row<nb::NAT>(ctx, uuid);
    if (!nat || nat.type() != "snat") continue;
    if (const auto ip = Ip::Parse(nat.external_ip())) addresses.ips.insert(ip->ToString());
  }
  for (const absl::string_view kind : {"dnat", "lb"}) {
    const ForceSnat force = ParseForceSnat(kind, row.options());
    for (const Ip& ip : force.addresses) addresses.ips.insert(ip.ToString());
    addresses.to_router_ip |= force.to_router_ip;
  }
  return addresses;
}
constexpr engine::Kind<Uuid, SnatAddresses> kSnatAddresses{"snat_addresses", &ComputeSnatAddresses,
                                                           true};

// By router and the text of the address.
using Question = std::pair<Uuid, std::string>;

bool ComputeIsSnatIp(Context& ctx, const Question& question) {
  return ctx.Get(kSnatAddresses, question.first).ips.contains(question.second);
}
constexpr engine::Kind<Question, bool> kIsSnatIp{"is_snat_ip", &ComputeIsSnatIp, true};

// ---- Load balancers ----

using VipAddresses = std::set<std::string>;  // Without ports.

VipAddresses ComputeVipAddresses(Context& ctx, const Uuid& uuid) {
  VipAddresses ips;
  const auto lb = Row<nb::LoadBalancer>(ctx, uuid);
  if (!lb) return ips;
  for (const auto& [vip, backends] : lb.vips()) {
    // "IP", "IP:PORT", "[IPv6]" or "[IPv6]:PORT".
    std::optional<Ip> ip = Ip::Parse(vip);
    if (!ip && !vip.empty() && vip[0] == '[') {
      ip = Ip::Parse(vip.substr(1, vip.find(']') - 1));
    } else if (!ip) {
      ip = Ip::Parse(vip.substr(0, vip.find(':')));
    }
    if (ip) ips.insert(ip->ToString());
  }
  return ips;
}
constexpr engine::Kind<Uuid, VipAddresses> kVipAddresses{"vip_addresses", &ComputeVipAddresses,
                                                         true};

using LoadBalancers = std::vector<Uuid>;
using VipOwners = absl::flat_hash_map<std::string, LoadBalancers>;

VipOwners ComputeVipOwners(Context& ctx, const std::monostate&) {
  VipOwners owners;
  for (const Uuid& lb : AllRows<nb::LoadBalancer>(ctx)) {
    for (const std::string& ip : ctx.Get(kVipAddresses, lb)) owners[ip].push_back(lb);
  }
  return owners;
}
constexpr engine::Kind<std::monostate, VipOwners> kVipOwners{"vip_owners", &ComputeVipOwners, true};

LoadBalancers ComputeWithVip(Context& ctx, const std::string& ip) {
  const VipOwners& owners = ctx.Get(kVipOwners, {});
  const auto found = owners.find(ip);
  return found == owners.end() ? LoadBalancers() : found->second;
}
constexpr engine::Kind<std::string, LoadBalancers> kWithVip{"load_balancers_with_vip",
                                                            &ComputeWithVip, true};

bool ComputeIsLbVip(Context& ctx, const Question& question) {
  const LoadBalancers& with_vip = ctx.Get(kWithVip, question.second);
  if (with_vip.empty()) return false;
  const auto router = Row<nb::LogicalRouter>(ctx, question.first);
  if (!router) return false;
  const auto names = [&](const absl::Span<const Uuid> named) {
    return std::any_of(with_vip.begin(), with_vip.end(), [&](const Uuid& lb) {
      return std::find(named.begin(), named.end(), lb) != named.end();
    });
  };
  if (names(router.load_balancer())) return true;
  for (const Uuid& uuid : router.load_balancer_group()) {
    const auto group = Row<nb::LoadBalancerGroup>(ctx, uuid);
    if (group && names(group.load_balancer())) return true;
  }
  return false;
}
constexpr engine::Kind<Question, bool> kIsLbVip{"is_lb_vip", &ComputeIsLbVip, true};

}  // namespace

ForceSnat ParseForceSnat(absl::string_view kind, const StringMap& router_options) {
  ForceSnat force;
  const absl::string_view text = router_options.GetOrEmpty(absl::StrCat(kind, "_force_snat_ip"));
  if (kind == "lb" && text == "router_ip") {
    force.to_router_ip = true;
    return force;
  }
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipWhitespace())) {
    if (const auto ip = Ip::Parse(word)) force.addresses.push_back(*ip);
  }
  return force;
}

bool IsSnatIp(Context& ctx, const Uuid& router, const Ip& ip) {
  return ctx.Get(kIsSnatIp, Question(router, ip.ToString()));
}

bool IsLbVip(Context& ctx, const Uuid& router, const Ip& ip) {
  return ctx.Get(kIsLbVip, Question(router, ip.ToString()));
}

bool IsForcedToRouterIp(Context& ctx, const Uuid& router) {
  return ctx.Get(kSnatAddresses, router).to_router_ip;
}

}  // namespace northd
