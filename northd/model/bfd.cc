#include "northd/model/bfd.h"

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

bool IsUsed(Context& ctx, const nb::BFD& bfd) {
  const absl::string_view target = bfd.dst_ip();
  for (const Uuid& uuid : RowsWith<nb::LogicalRouterStaticRoute>(
           ctx, nb::LogicalRouterStaticRoute::kBfd, bfd.uuid())) {
    if (Row<nb::LogicalRouterStaticRoute>(ctx, uuid).nexthop() == target) return true;
  }
  for (const Uuid& uuid :
       RowsWith<nb::LogicalRouterPolicy>(ctx, nb::LogicalRouterPolicy::kBfdSessions, bfd.uuid())) {
    const auto policy = Row<nb::LogicalRouterPolicy>(ctx, uuid);
    if (policy.nexthops().Contains(target) || policy.nexthop() == target) return true;
  }
  return false;
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
  const absl::string_view status = session ? session.status() : bfd.status().value_or("down");
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
