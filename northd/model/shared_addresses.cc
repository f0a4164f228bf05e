#include "northd/model/shared_addresses.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "northd/model/lb_vip_ips.h"
#include "northd/model/nat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

// ---- SNAT ----

using SnatIps = std::set<std::string>;

SnatIps ComputeSnatIps(Context& ctx, const Uuid& router) {
  SnatIps ips;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return ips;
  for (const Uuid& uuid : row.nat()) {
    const Nat& nat = ctx.Get(kNat, uuid);
    if (nat.valid && nat.type == NatType::kSnat) ips.insert(nat.external_ip.ToString());
  }
  const NatRouter& its = ctx.Get(kNatRouter, router);
  for (const ForcedSource& forced : {its.dnat_force_snat, its.lb_force_snat}) {
    if (forced.v4) ips.insert(forced.v4->ToString());
    if (forced.v6) ips.insert(forced.v6->ToString());
  }
  return ips;
}
constexpr engine::Kind<Uuid, SnatIps> kSnatIps{"snat_ips", &ComputeSnatIps, true};

// By router and the text of the address.
using Question = std::pair<Uuid, std::string>;

bool ComputeIsSnatIp(Context& ctx, const Question& question) {
  return ctx.Get(kSnatIps, question.first).contains(question.second);
}
constexpr engine::Kind<Question, bool> kIsSnatIp{"is_snat_ip", &ComputeIsSnatIp, true};

// ---- Load balancers ----

using LoadBalancers = std::vector<Uuid>;

LoadBalancers ComputeWithVip(Context& ctx, const std::string& ip) {
  const auto& owners = ctx.world().load_balancers_of_vip.Read(ctx, ip);
  return {owners.begin(), owners.end()};
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

std::monostate OwnVips(Context& ctx, const Uuid& lb) {
  for (const auto& [v6, ip] : ctx.Get(kLbVipIps, LbVips(lb, WhichVips::kAll))) {
    ctx.world().load_balancers_of_vip.Emit(ctx, ip, lb);
  }
  return {};
}
constexpr engine::Kind<Uuid> kOwnVips{"own_vips", &OwnVips};

bool IsSnatIp(Context& ctx, const Uuid& router, const Ip& ip) {
  return ctx.Get(kIsSnatIp, Question(router, ip.ToString()));
}

bool IsLbVip(Context& ctx, const Uuid& router, const Ip& ip) {
  return ctx.Get(kIsLbVip, Question(router, ip.ToString()));
}

bool IsForcedToRouterIp(Context& ctx, const Uuid& router) {
  return ctx.Get(kNatRouter, router).lb_force_snat.router_ip;
}

}  // namespace northd
