#include "northd/pipeline/router_advertisements.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "northd/model/copp.h"
#include "northd/model/routers.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

constexpr int64_t kLeastIpv6Mtu = 1280;  // RFC 8200.

// The options of an advertisement; "" if there is nothing to advertise.
std::string AdvertisedOptions(const RouterPort& port, const StringMap& configs,
                              absl::string_view address_mode) {
  std::string options =
      absl::StrCat("addr_mode = \"", address_mode, "\", slla = ", port.addresses.mac_text());
  const int64_t mtu = configs.GetInt("mtu", 0);
  if (mtu >= kLeastIpv6Mtu) absl::StrAppend(&options, ", mtu = ", mtu);
  const absl::string_view preference = configs.Get("router_preference").value_or("MEDIUM");
  if (preference != "MEDIUM") {
    absl::StrAppend(&options, ", router_preference = \"", preference, "\"");
  }
  if (const auto servers = configs.Get("rdnss")) absl::StrAppend(&options, ", rdnss = ", *servers);
  if (const auto domains = configs.Get("dnssl")) {
    absl::StrAppend(&options, ", dnssl = \"", *domains, "\"");
  }
  if (const auto routes = configs.Get("route_info")) {
    absl::StrAppend(&options, ", route_info = \"", *routes, "\"");
  }
  bool has_prefix = false;
  for (const Network& network : port.addresses.v6) {
    if (network.ip.is_link_local()) continue;
    has_prefix = true;
    absl::StrAppend(&options, ", prefix = ", network.network().ToString(), "/", network.prefix);
  }
  return has_prefix ? options : "";
}

}  // namespace

std::monostate TranslateRouterAdvertisements(Context& ctx, const Uuid& uuid) {
  const auto row = Row<nb::LogicalRouterPort>(ctx, uuid);
  if (!row) return {};
  const StringMap configs = row.ipv6_ra_configs();
  const auto address_mode = configs.Get("address_mode");
  if (!address_mode) return {};
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists || SwitchBehind(ctx, port).is_zero()) return {};
  const Router& router = RouterOfPort(ctx, port);
  if (!router.exists) return {};
  if (*address_mode != "slaac" && *address_mode != "dhcpv6_stateful" &&
      *address_mode != "dhcpv6_stateless") {
    static base::RateLimit limit(1, 5);
    log.WarnLimited(limit, "Invalid address mode [%s] defined for router port %s",
                    std::string(*address_mode), port.name);
    return {};
  }
  const std::string options = AdvertisedOptions(port, configs, *address_mode);
  if (options.empty()) return {};
  const std::string to_routers =
      absl::StrCat("inport == ", port.json_name, " && ip6.dst == ff02::2 && ");
  AddFlow(ctx, router.number, Stage::kLrInNdRaOptions, 50, absl::StrCat(to_routers, "nd_rs"),
          absl::StrCat("reg0[5] = put_nd_ra_opts(", options, "); next;"),
          {.hint = uuid, .meter = CoppMeter(ctx, router.uuid, "nd-ra-opts")});
  AddFlow(ctx, router.number, Stage::kLrInNdRaResponse, 50,
          absl::StrCat(to_routers, "nd_ra && reg0[5]"),
          absl::StrCat("eth.dst = eth.src; eth.src = ", port.addresses.mac_text(),
                       "; ip6.dst = ip6.src; ip6.src = ", LinkLocal(port.addresses.mac).ToString(),
                       "; outport = inport; flags.loopback = 1; output;"),
          {.hint = uuid});
  return {};
}
constexpr engine::Kind<Uuid> kRouterAdvertisements{"router_advertisements",
                                                   &TranslateRouterAdvertisements};

}  // namespace northd
