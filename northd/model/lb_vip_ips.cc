#include "northd/model/lb_vip_ips.h"

#include "northd/model/lb_neighbors.h"
#include "northd/model/load_balancers.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

LbVipIps ComputeOfGroup(Context& ctx, const LbVips& vips) {
  LbVipIps ips;
  const auto row = Row<nb::LoadBalancerGroup>(ctx, vips.first);
  if (!row) return ips;
  for (const Uuid& lb : row.load_balancer()) {
    const LbVipIps& its = ctx.Get(kLbVipIps, LbVips(lb, vips.second));
    ips.insert(its.begin(), its.end());
  }
  return ips;
}
constexpr engine::Kind<LbVips, LbVipIps> kOfGroup{"lb_group_vip_ips", &ComputeOfGroup, true};

}  // namespace

LbVipIps ComputeLbVipIps(Context& ctx, const LbVips& vips) {
  const auto& [lb, which] = vips;
  LbVipIps ips;
  const auto row = Row<nb::LoadBalancer>(ctx, lb);
  if (!row) return ips;
  if (which == WhichVips::kRoutable) {
    const LoadBalancer& model = ctx.Get(kLoadBalancer, lb);
    if (!model.add_route || model.is_template) return ips;
  }
  for (const auto& [key, value] : row.vips()) {
    const LbVipId id(lb, std::string(key));
    const LbVip& vip = ctx.Get(kLbVip, id);
    if (vip.valid) ips.emplace(IsAnsweredAsV6(ctx, id), vip.ip);
  }
  return ips;
}
constexpr engine::Kind<LbVips, LbVipIps> kLbVipIps{"lb_vip_ips", &ComputeLbVipIps,
                                                   /*is_cutoff=*/true};

std::vector<std::string> LbVipIpsOf(Context& ctx, const Uuid& router, WhichVips which) {
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return {};
  LbVipIps ips;
  const auto add = [&ips](const LbVipIps& its) { ips.insert(its.begin(), its.end()); };
  for (const Uuid& lb : row.load_balancer()) add(ctx.Get(kLbVipIps, LbVips(lb, which)));
  for (const Uuid& group : row.load_balancer_group()) {
    add(ctx.Get(kOfGroup, LbVips(group, which)));
  }
  std::vector<std::string> texts;
  for (const auto& [v6, ip] : ips) texts.push_back(ip);
  return texts;
}

}  // namespace northd
