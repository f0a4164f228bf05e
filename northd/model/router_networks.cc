#include "northd/model/router_networks.h"

#include <utility>

#include "northd/model/ports.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

struct PortNetwork {
  Uuid port;
  Network network;
  bool operator==(const PortNetwork& o) const = default;
};
using PortNetworks = std::vector<PortNetwork>;

PortNetworks ComputeNetworks(Context& ctx, const Uuid& router) {
  PortNetworks networks;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return networks;
  for (const Uuid& uuid : row.ports()) {
    const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
    if (!port.exists) continue;
    for (const Network& network : port.addresses.v4) networks.push_back({uuid, network});
    for (const Network& network : port.addresses.v6) networks.push_back({uuid, network});
  }
  return networks;
}
constexpr engine::Kind<Uuid, PortNetworks> kNetworks{"router_networks", &ComputeNetworks, true};

// By router and the text of the address: one answer each, so that a port that comes or goes
// concerns only whom it leads elsewhere.
using Question = std::pair<Uuid, std::string>;

NextHopPort ComputeNextHopPort(Context& ctx, const Question& question) {
  const Ip next_hop = *Ip::Parse(question.second);
  for (const PortNetwork& candidate : ctx.Get(kNetworks, question.first)) {
    if (candidate.network.Contains(next_hop)) return {candidate.port, candidate.network.ip};
  }
  return {};
}
constexpr engine::Kind<Question, NextHopPort> kNextHopPort{"next_hop_port", &ComputeNextHopPort,
                                                           true};

bool ComputeIsRouterAddress(Context& ctx, const Question& question) {
  const Ip ip = *Ip::Parse(question.second);
  for (const PortNetwork& candidate : ctx.Get(kNetworks, question.first)) {
    if (candidate.network.ip == ip) return true;
  }
  return false;
}
constexpr engine::Kind<Question, bool> kIsRouterAddress{"is_router_address",
                                                        &ComputeIsRouterAddress, true};

}  // namespace

NextHopPort FindNextHopPort(Context& ctx, const Uuid& router, const Ip& next_hop) {
  return ctx.Get(kNextHopPort, Question(router, next_hop.ToString()));
}

NextHopPort NextHopThrough(Context& ctx, const Uuid& port_uuid, const Ip& next_hop, bool v6) {
  const RouterPort& port = ctx.Get(kRouterPortModel, port_uuid);
  if (!port.exists) return {};
  for (const Network& network : next_hop.v6 ? port.addresses.v6 : port.addresses.v4) {
    if (network.Contains(next_hop)) return {port_uuid, network.ip};
  }
  const std::vector<Network>& others = v6 ? port.addresses.v6 : port.addresses.v4;
  return others.empty() ? NextHopPort() : NextHopPort{port_uuid, others[0].ip};
}

bool IsRouterAddress(Context& ctx, const Uuid& router, const Ip& ip) {
  return ctx.Get(kIsRouterAddress, Question(router, ip.ToString()));
}

}  // namespace northd
