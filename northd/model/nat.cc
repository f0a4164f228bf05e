#include "northd/model/nat.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "northd/model/globals.h"
#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

// options:dnat_force_snat_ip or lb_force_snat_ip: "IP", "IP IP" of two families, or, for load
// balancers of a gateway router, "router_ip".
ForcedSource ParseForcedSource(const nb::LogicalRouter& router, absl::string_view option) {
  ForcedSource result;
  const StringMap options = router.options();
  const absl::string_view text = options.GetOrEmpty(option);
  if (option == "lb_force_snat_ip" && text == "router_ip" && options.Contains("chassis")) {
    result.router_ip = true;
    return result;
  }
  const std::vector<Network> addresses = Network::ParseMany(text);
  bool valid = !addresses.empty() || !options.Contains(option);
  for (const Network& address : addresses) {
    std::optional<Ip>& slot = address.ip.v6 ? result.v6 : result.v4;
    if (slot || !address.is_host()) valid = false;
    slot = address.ip;
  }
  if (valid) return result;
  static base::RateLimit limit(1, 5);
  log.WarnLimited(limit, "bad ip %s in options:%s of router %s", std::string(text),
                  std::string(option), std::string(router.name()));
  return {};
}

std::string SetName(Context& ctx, std::optional<Uuid> set) {
  if (!set) return "";
  const auto row = Row<nb::AddressSet>(ctx, *set);
  return row ? std::string(row.name()) : std::string();
}

}  // namespace

Uuid NatGatewayPort(Context& ctx, const nb::NAT& row, const std::vector<Uuid>& gateways) {
  if (const auto port = row.gateway_port()) {
    return std::find(gateways.begin(), gateways.end(), *port) == gateways.end() ? Uuid() : *port;
  }
  if (gateways.size() == 1) return gateways.front();
  const std::optional<Ip> external = Ip::Parse(row.external_ip());
  if (!external) return {};
  for (const Uuid& port : gateways) {
    const RouterPort& model = ctx.Get(kRouterPortModel, port);
    for (const Network& network : external->v6 ? model.addresses.v6 : model.addresses.v4) {
      if (network.Contains(*external)) return port;
    }
  }
  return {};
}

NatRouter ComputeNatRouter(Context& ctx, const Uuid& uuid) {
  NatRouter router;
  const auto row = Row<nb::LogicalRouter>(ctx, uuid);
  const Datapath& datapath = ctx.Get(kDatapath, uuid);
  if (!row || !datapath.exists) return router;
  router.exists = true;
  router.number = datapath.number;
  const StringMap options = row.options();
  const RouterGateways& gateways = ctx.Get(kRouterGateways, uuid);
  router.is_gateway = gateways.is_gateway_router;
  router.distributed_gateways = gateways.distributed_ports;
  router.has_nat = !row.nat().empty();
  const Globals& globals = GetGlobals(ctx);
  router.commit_all = options.GetBool("ct-commit-all", false) &&
                      globals.features.ct_commit_to_zone && globals.features.ct_next_zone;
  router.use_common_zone = globals.use_common_zone;
  router.dnat_force_snat = ParseForcedSource(row, "dnat_force_snat_ip");
  router.lb_force_snat = ParseForcedSource(row, "lb_force_snat_ip");
  return router;
}
constexpr engine::Kind<Uuid, NatRouter> kNatRouter{"nat_router", &ComputeNatRouter,
                                                   /*is_cutoff=*/true};

Nat ComputeNat(Context& ctx, const Uuid& uuid) {
  Nat nat;
  const auto row = Row<nb::NAT>(ctx, uuid);
  const auto routers = RowsWith<nb::LogicalRouter>(ctx, nb::LogicalRouter::kNat, uuid);
  if (!row || routers.empty()) return nat;
  nat.uuid = uuid;
  nat.router = routers.front();
  const NatRouter& router = ctx.Get(kNatRouter, nat.router);
  if (!router.exists) return nat;

  const absl::string_view type = row.type();
  nat.type = type == "dnat"   ? NatType::kDnat
             : type == "snat" ? NatType::kSnat
                              : NatType::kDnatAndSnat;
  nat.external_text = std::string(row.external_ip());
  nat.logical_text = std::string(row.logical_ip());
  const auto bad = [&](absl::string_view what, const std::string& text) {
    static base::RateLimit limit(5, 1);
    log.WarnLimited(limit,
                    "bad %s %s for %s in router "
                    "%s",
                    std::string(what), text, std::string(type), nat.router.ToString());
    return nat;
  };
  // With whatever prefix: flows that look for it then look for all that is in there.
  const std::optional<Network> external =
      Network::Parse(absl::StripTrailingAsciiWhitespace(nat.external_text));
  if (!external) return bad("external ip", nat.external_text);
  nat.external_ip = external->ip;
  const std::optional<Network> logical = Network::ParseMasked(nat.logical_text);
  if (!logical || logical->ip.v6 != nat.v6() ||
      (nat.type != NatType::kSnat && !logical->is_host())) {
    return bad("logical ip", nat.logical_text);
  }
  nat.logical_ip = *logical;
  // Whether it matters or not.
  std::optional<Mac> mac;
  if (const auto text = row.external_mac()) {
    mac = Mac::Parse(*text);
    if (!mac) return bad("external mac", std::string(*text));
  }
  nat.port_range = std::string(row.external_port_range());
  const StringMap options = row.options();
  nat.stateless = nat.type == NatType::kDnatAndSnat && options.GetBool("stateless", false);
  nat.match = std::string(row.match());
  nat.priority = row.priority();
  nat.allowed = SetName(ctx, row.allowed_ext_ips());
  nat.exempted = SetName(ctx, row.exempted_ext_ips());
  if (!nat.allowed.empty() && !nat.exempted.empty()) {
    return bad("allowed_ext_ips together with exempted_ext_ips", nat.exempted);
  }
  if (!router.is_gateway && !router.distributed_gateways.empty()) {
    nat.gateway_port = NatGatewayPort(ctx, row, router.distributed_gateways);
    if (nat.gateway_port.is_zero()) return bad("gateway_port or external ip", nat.external_text);
    if (row.logical_port() && mac) {
      nat.external_mac = std::string(*row.external_mac());
      nat.logical_port = std::string(*row.logical_port());
      // But not behind a switch whose traffic to the router all goes to the gateway.
      const Uuid& switch_port = ctx.Get(kRouterPortModel, nat.gateway_port).switch_port;
      nat.answers_apart = switch_port.is_zero() || !ctx.Get(kIsCentralized, switch_port);
      nat.distributed = nat.answers_apart && nat.type == NatType::kDnatAndSnat;
    }
  }
  // It has to be a distributed gateway port of the router, where that matters or not.
  const auto gateway_port = row.gateway_port();
  if (gateway_port && *gateway_port != nat.gateway_port) {
    return bad("gateway_port", gateway_port->ToString());
  }
  nat.valid = true;
  return nat;
}
constexpr engine::Kind<Uuid, Nat> kNat{"nat", &ComputeNat};

}  // namespace northd
