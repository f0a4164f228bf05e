#include "northd/model/bfd.h"

#include <algorithm>
#include <optional>

#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/model/router_networks.h"
#include "northd/model/routes.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

bool IsUsedByRoute(Context& ctx, const nb::BFD& bfd, const Uuid& uuid) {
  if (Row<nb::LogicalRouterStaticRoute>(ctx, uuid).nexthop() != bfd.dst_ip()) return false;
  const auto routers = RowsWith<nb::LogicalRouter>(ctx, nb::LogicalRouter::kStaticRoutes, uuid);
  return std::any_of(routers.begin(), routers.end(), [&](const Uuid& router) {
    return ctx.Get(kRouteLeads, RouteId(router, uuid));
  });
}

bool IsUsedByPolicy(Context& ctx, const nb::BFD& bfd, const Uuid& uuid) {
  const auto policy = Row<nb::LogicalRouterPolicy>(ctx, uuid);
  const absl::string_view target = bfd.dst_ip();
  if (policy.action() != "reroute") return false;
  if (!policy.nexthops().Contains(target) && policy.nexthop() != target) return false;
  const std::optional<Ip> ip = Ip::Parse(target);
  if (!ip) return false;
  const auto routers = RowsWith<nb::LogicalRouter>(ctx, nb::LogicalRouter::kPolicies, uuid);
  return std::any_of(routers.begin(), routers.end(), [&](const Uuid& router) {
    return ctx.Get(kDatapath, router).exists && FindNextHopPort(ctx, router, *ip).found();
  });
}

// Whether a route or a policy that leads to it has been found the way there.
bool IsUsed(Context& ctx, const nb::BFD& bfd) {
  const auto routes =
      RowsWith<nb::LogicalRouterStaticRoute>(ctx, nb::LogicalRouterStaticRoute::kBfd, bfd.uuid());
  const auto policies =
      RowsWith<nb::LogicalRouterPolicy>(ctx, nb::LogicalRouterPolicy::kBfdSessions, bfd.uuid());
  return std::any_of(routes.begin(), routes.end(),
                     [&](const Uuid& uuid) { return IsUsedByRoute(ctx, bfd, uuid); }) ||
         std::any_of(policies.begin(), policies.end(),
                     [&](const Uuid& uuid) { return IsUsedByPolicy(ctx, bfd, uuid); });
}

// What the chassis that runs the session says.
sb::BFD FindSession(Context& ctx, const nb::BFD& bfd) {
  for (const Uuid& uuid : RowsWith<sb::BFD>(ctx, sb::BFD::kLogicalPort, bfd.logical_port())) {
    const auto session = Row<sb::BFD>(ctx, uuid);
    if (session.dst_ip() == bfd.dst_ip()) return session;
  }
  return {};
}

bool ComputeHasBfd(Context& ctx, const std::string& logical_port) {
  return !RowsWith<nb::BFD>(ctx, nb::BFD::kLogicalPort, logical_port).empty();
}
constexpr engine::Kind<std::string, bool> kHasBfd{"has_bfd", &ComputeHasBfd};

}  // namespace

std::string ComputeBfdStatus(Context& ctx, const Uuid& uuid) {
  const auto bfd = Row<nb::BFD>(ctx, uuid);
  if (!bfd) return "";
  if (!IsUsed(ctx, bfd)) return "admin_down";
  const sb::BFD session = FindSession(ctx, bfd);
  // Whatever the northbound says of a session that nobody has begun.
  const absl::string_view status = session ? session.status() : "down";
  return status == "admin_down" ? "down" : std::string(status);
}
constexpr engine::Kind<Uuid, std::string> kBfdStatus{"bfd_status", &ComputeBfdStatus, true};

bool IsBfdDownTowards(Context& ctx, const Uuid& uuid, absl::string_view next_hop) {
  const auto bfd = Row<nb::BFD>(ctx, uuid);
  return bfd && bfd.dst_ip() == next_hop && ctx.Get(kBfdStatus, uuid) == "down";
}

bool HasBfd(Context& ctx, const std::string& logical_port) {
  return ctx.Get(kHasBfd, logical_port);
}

}  // namespace northd
