#include "northd/model/lb_health.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "northd/model/addresses.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

std::string Bracketed(absl::string_view ip, bool v6) {
  return v6 ? absl::StrCat("[", ip, "]") : std::string(ip);
}

// Whether packets may go to a backend that is watched: it has not been found to be down.
bool IsUsable(Context& ctx, const LbCheck& check, absl::string_view protocol) {
  const std::string key = ServiceMonitorKey(check, protocol);
  const auto port = FindRow<nb::LogicalSwitchPort>(ctx, nb::LogicalSwitchPort::kName,
                                                   absl::string_view(check.logical_port));
  // Nobody watches a backend whose port is not there, or disabled.
  if (!port || !port.enabled().value_or(true)) return false;
  const SwitchPort& its = ctx.Get(kSwitchPortModel, port.uuid());
  if (!its.exists) return false;
  const auto monitor =
      Row<sb::ServiceMonitor>(ctx, ctx.world().sb_rows.Identity(sb::ServiceMonitor::kTable, key));
  if (!monitor) return true;
  const std::optional<absl::string_view> status = monitor.status();
  if (!status) return true;
  // Of a port that has gone down nobody reports any more.
  const auto binding = Row<sb::PortBinding>(ctx, its.sb_uuid);
  return *status == "online" && binding && binding.up().value_or(false);
}

}  // namespace

std::string ServiceMonitorKey(const LbCheck& check, absl::string_view protocol) {
  return absl::StrCat(check.logical_port, " ", check.backend.ip, " ",
                      check.backend.port.empty() ? "0" : check.backend.port, " ", protocol);
}

LbHealth ComputeLbHealth(Context& ctx, const LbVipId& id) {
  LbHealth health;
  const LoadBalancer& lb = ctx.Get(kLoadBalancer, id.first);
  // Of what a template makes nothing is watched, not even where it has no variables.
  if (!lb.exists || lb.is_template || lb.health_checks.empty()) return health;
  const LbVip& vip = ctx.Get(kLbVip, id);
  if (!vip.valid) return health;
  const auto row = Row<nb::LoadBalancer>(ctx, id.first);
  if (lb.protocol == "sctp") {
    static base::RateLimit limit(1, 1);
    log.WarnLimited(limit, "load balancer %s: there are no health checks for SCTP",
                    std::string(row.name()));
    return health;
  }
  for (const Uuid& check : lb.health_checks) {
    const auto its = Row<nb::LoadBalancerHealthCheck>(ctx, check);
    if (!its || its.vip() != id.second) continue;
    health.checked = true;
    health.check = check;
    break;
  }
  if (!health.checked) return health;
  const StringMap mappings = row.ip_port_mappings();
  for (const LbBackend& backend : vip.backends) {
    const auto mapping = mappings.Get(Bracketed(backend.ip, vip.v6));
    if (!mapping) continue;
    const size_t colon = mapping->find(':');
    if (colon == absl::string_view::npos) continue;
    absl::string_view source = mapping->substr(colon + 1);
    if (absl::ConsumePrefix(&source, "[")) absl::ConsumeSuffix(&source, "]");
    const std::optional<Ip> ip = Ip::Parse(source);
    if (!ip) {
      static base::RateLimit limit(5, 1);
      log.WarnLimited(limit, "load balancer %s: bad source address in ip_port_mappings \"%s\"",
                      std::string(row.name()), std::string(*mapping));
      continue;
    }
    health.backends.push_back({backend, std::string(mapping->substr(0, colon)), ip->ToString()});
  }
  return health;
}
constexpr engine::Kind<LbVipId, LbHealth> kLbHealth{"lb_health", &ComputeLbHealth};

std::string ComputeLbUsableBackends(Context& ctx, const LbVipId& id) {
  const LbVip& vip = ctx.Get(kLbVip, id);
  if (!vip.valid) return "";
  const LbHealth& health = ctx.Get(kLbHealth, id);
  if (!health.checked) return vip.backends.empty() ? std::string() : vip.backends_text;
  const LoadBalancer& lb = ctx.Get(kLoadBalancer, id.first);
  std::vector<std::string> usable;
  for (const LbCheck& check : health.backends) {
    if (!IsUsable(ctx, check, lb.protocol)) continue;
    usable.push_back(check.backend.port.empty() ? check.backend.ip
                                                : absl::StrCat(Bracketed(check.backend.ip, vip.v6),
                                                               ":", check.backend.port));
  }
  return absl::StrJoin(usable, ",");
}
constexpr engine::Kind<LbVipId, std::string> kLbUsableBackends{"lb_usable_backends",
                                                               &ComputeLbUsableBackends};

}  // namespace northd
