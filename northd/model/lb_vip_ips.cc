#include "northd/model/lb_vip_ips.h"

#include "northd/model/load_balancers.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

using Ips = std::set<std::string>;

Ips ComputeOfGroup(Context& ctx, const LbVips& vips) {
  Ips ips;
  const auto row = Row<nb::LoadBalancerGroup>(ctx, vips.first);
  if (!row) return ips;
  for (const Uuid& lb : row.load_balancer()) {
    const Ips& its = ctx.Get(kLbVipIps, LbVips(lb, vips.second));
    ips.insert(its.begin(), its.end());
  }
  return ips;
}
constexpr engine::Kind<LbVips, Ips> kOfGroup{"lb_group_vip_ips", &ComputeOfGroup, true};

}  // namespace

std::set<std::string> ComputeLbVipIps(Context& ctx, const LbVips& vips) {
  const auto& [lb, which] = vips;
  Ips ips;
  const auto row = Row<nb::LoadBalancer>(ctx, lb);
  if (!row) return ips;
  if (which == WhichVips::kRoutable && !ctx.Get(kLoadBalancer, lb).add_route) return ips;
  for (const auto& [key, value] : row.vips()) {
    const LbVip& vip = ctx.Get(kLbVip, LbVipId(lb, std::string(key)));
    if (vip.valid) ips.insert(vip.ip);
  }
  return ips;
}
constexpr engine::Kind<LbVips, std::set<std::string>> kLbVipIps{"lb_vip_ips", &ComputeLbVipIps,
                                                                /*is_cutoff=*/true};

std::set<std::string> LbVipIpsOf(Context& ctx, const Uuid& router, WhichVips which) {
  Ips ips;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return ips;
  const auto add = [&ips](const Ips& its) { ips.insert(its.begin(), its.end()); };
  for (const Uuid& lb : row.load_balancer()) add(ctx.Get(kLbVipIps, LbVips(lb, which)));
  for (const Uuid& group : row.load_balancer_group()) {
    add(ctx.Get(kOfGroup, LbVips(group, which)));
  }
  return ips;
}

}  // namespace northd
