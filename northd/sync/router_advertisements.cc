#include "northd/sync/router_advertisements.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/replica/lookup.h"
#include "northd/rows/sb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

// Seconds.
constexpr int64_t kDefaultMaxInterval = 600;
constexpr int64_t kLeastMaxInterval = 4;
constexpr int64_t kGreatestMaxInterval = 1800;
constexpr int64_t kLeastMinInterval = 3;
constexpr int64_t kLeastMtu = 1280;

// Of several link-local addresses the one whose text comes first.
std::string SourceOf(const PortAddresses& addresses) {
  std::string source;
  for (const Network& network : addresses.v6) {
    if (!network.ip.is_link_local()) continue;
    const std::string text = network.IpText();
    if (source.empty() || text < source) source = text;
  }
  return source;
}

// "NETWORK/BITS" of each address that is not link-local, and what was delegated to the port.
std::string Prefixes(const PortAddresses& addresses, const nb::LogicalRouterPort& row) {
  std::vector<std::string> prefixes;
  for (const Network& network : addresses.v6) {
    if (network.ip.is_link_local()) continue;
    prefixes.push_back(absl::StrCat(network.network().ToString(), "/", network.prefix));
  }
  for (const absl::string_view prefix : row.ipv6_prefix()) prefixes.emplace_back(prefix);
  return absl::StrJoin(prefixes, " ");
}

}  // namespace

std::string ComputeDelegatedPrefixes(Context& ctx, const std::string& port) {
  const auto binding =
      Row<sb::PortBinding>(ctx, ctx.world().sb_rows.Identity(sb::PortBinding::kTable, port));
  return binding ? std::string(binding.options().GetOrEmpty("ipv6_ra_pd_list")) : "";
}
constexpr engine::Kind<std::string, std::string> kDelegatedPrefixes{"delegated_prefixes",
                                                                    &ComputeDelegatedPrefixes};

void AddRouterAdvertisements(const RouterPort& port, const nb::LogicalRouterPort& row,
                             std::map<std::string, std::string>* options) {
  if (port.switch_port.is_zero() || row.peer()) return;
  if (port.enabled && row.options().GetBool("prefix_delegation", false)) {
    (*options)["ipv6_prefix_delegation"] = "true";
  }
  if (port.enabled && row.options().GetBool("prefix", false)) (*options)["ipv6_prefix"] = "true";

  const StringMap config = row.ipv6_ra_configs();
  const absl::string_view mode = config.GetOrEmpty("address_mode");
  if (mode.empty()) return;
  if (mode != "slaac" && mode != "dhcpv6_stateful" && mode != "dhcpv6_stateless") {
    static base::RateLimit limit(1, 5);
    log.WarnLimited(limit, "logical router port %s: invalid address mode [%s]", port.name,
                    std::string(mode));
    return;
  }
  if (!config.GetBool("send_periodic", false)) return;
  const int64_t max = std::clamp(config.GetInt("max_interval", kDefaultMaxInterval),
                                 kLeastMaxInterval, kGreatestMaxInterval);
  const int64_t greatest_min = max * 3 / 4;
  const int64_t min = std::clamp(config.GetInt("min_interval", max >= 9 ? max / 3 : greatest_min),
                                 kLeastMinInterval, greatest_min);
  const int64_t mtu = config.GetInt("mtu", 0);
  const absl::string_view preference = config.GetOrEmpty("router_preference");
  auto& out = *options;
  out["ipv6_ra_send_periodic"] = "true";
  out["ipv6_ra_address_mode"] = std::string(mode);
  out["ipv6_ra_max_interval"] = absl::StrCat(max);
  out["ipv6_ra_min_interval"] = absl::StrCat(min);
  if (mtu >= kLeastMtu) out["ipv6_ra_mtu"] = absl::StrCat(mtu);
  out["ipv6_ra_src_eth"] = port.addresses.mac_text();
  out["ipv6_ra_src_addr"] = SourceOf(port.addresses);
  out["ipv6_ra_prefixes"] = Prefixes(port.addresses, row);
  out["ipv6_ra_prf"] =
      preference == "HIGH" || preference == "LOW" ? std::string(preference) : "MEDIUM";
  for (const char* key : {"rdnss", "dnssl", "route_info"}) {
    if (const auto value = config.Get(key))
      out[absl::StrCat("ipv6_ra_", key)] = std::string(*value);
  }
}

}  // namespace northd
