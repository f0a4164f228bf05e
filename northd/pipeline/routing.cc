#include "northd/pipeline/routing.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "northd/model/bfd.h"
#include "northd/model/copp.h"
#include "northd/model/globals.h"
#include "northd/model/routers.h"
#include "northd/model/routes.h"
#include "northd/model/written_flows.h"
#include "northd/output/flow_table.h"
#include "northd/pipeline/stages.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

constexpr int64_t kMaxEcmpMember = 65535;  // Of reg8[16..31].

// ---- Single routes ----

// `port` only if the route does not discard.
void AddRoute(Context& ctx, const Router& router, const Route& route, const RouterPort* port,
              const std::string& inport = "") {
  const auto [match, priority] = MatchOf(ctx, router.uuid, route, inport);
  if (route.discards) {
    AddFlow(ctx, router.number, Stage::kLrInIpRouting, priority, match, GetGlobals(ctx).drop_action,
            {.hint = route.row});
    return;
  }
  const bool v6 = route.next_hop ? route.next_hop->v6 : route.prefix.ip.v6;
  const std::string next_hop =
      route.next_hop ? route.next_hop->ToString() : absl::StrCat("ip", v6 ? "6" : "4", ".dst");
  const std::string actions =
      absl::StrCat("reg8[0..15] = 0; ",
                   NextHopActions(next_hop, v6, *port, route.port_ip, "flags.loopback = 1; "));
  AddFlow(ctx, router.number, Stage::kLrInIpRouting, priority, match,
          absl::StrCat("ip.ttl--; ", actions), {.hint = route.row});
  // BFD asks for a TTL of 255 at the other end.
  if (HasBfd(ctx, port->name)) {
    AddFlow(ctx, router.number, Stage::kLrInIpRouting, priority + 1,
            absl::StrCat(match, " && udp.dst == 3784"), actions, {.hint = route.row});
  }
}

// ---- ECMP ----

// A connection that came in through a port gets its answers sent back there.
void AddSymmetricReply(Context& ctx, const Router& router, const Route& route,
                       const RouterPort& port, const std::string& route_match) {
  const std::string v = route.prefix.ip.v6 ? "6" : "4";
  const std::string incoming =
      absl::StrCat("inport == ", port.json_name, " && ip", v,
                   route.by_source ? ".dst == " : ".src == ", route.prefix.NetworkText());
  const FlowExtra extra{.hint = route.row};
  const std::string port_mark = absl::StrCat("ct_mark.ecmp_reply_port == ", port.tunnel_key);
  AddFlow(ctx, router.number, Stage::kLrInDefrag, 100, incoming, "ct_next;", extra);
  AddFlow(ctx, router.number, Stage::kLrInDefrag, 100, route_match, "ct_next;", extra);
  AddFlow(ctx, router.number, Stage::kLrInEcmpStateful, 100,
          absl::StrCat(incoming, " && (ct.new || ct.est)"),
          absl::StrCat("ct_commit { ct_label.ecmp_reply_eth = eth.src; ct_mark.ecmp_reply_port = ",
                       port.tunnel_key, ";}; next;"),
          extra);
  AddFlow(ctx, router.number, Stage::kLrInIpRouting, 10300,
          absl::StrCat(port_mark, " && ", route_match),
          absl::StrCat("ip.ttl--; flags.loopback = 1; eth.src = ", port.addresses.mac_text(), "; ",
                       route.prefix.ip.v6 ? "xxreg1 = " : "reg5 = ", route.port_ip.ToString(),
                       "; outport = ", port.json_name, "; next;"),
          extra);
  AddFlow(ctx, router.number, Stage::kLrInPolicy, 65535, port_mark, "next;", extra);
  AddFlow(ctx, router.number, Stage::kLrInArpResolve, 200, port_mark,
          "push(xxreg1); xxreg1 = ct_label; eth.dst = xxreg1[32..79]; pop(xxreg1); next;", extra);
}

// The fields that all members want to be chosen by.
std::vector<std::string> CommonFields(const std::vector<const Route*>& routes) {
  std::vector<std::string> fields = routes[0]->selection_fields;
  for (const Route* route : routes) {
    std::erase_if(fields, [&](const std::string& field) {
      return std::find(route->selection_fields.begin(), route->selection_fields.end(), field) ==
             route->selection_fields.end();
    });
  }
  return fields;
}

// The packets of a group that choose their member by the same fields.
struct Choice {
  std::string protocol;  // "": of any.
  std::vector<std::string> fields;
};

// Where a port is among the fields, packets of each protocol that has ports choose for themselves.
std::vector<Choice> ChoicesBy(const std::vector<std::string>& fields) {
  std::vector<Choice> choices(1);
  std::vector<std::string> ports;
  for (const std::string& field : fields) {
    const bool is_port = field == "tp_src" || field == "tp_dst";
    (is_port ? ports : choices[0].fields).push_back(field);
  }
  if (ports.empty()) return choices;
  for (const char* protocol : {"tcp", "udp", "sctp"}) {
    Choice choice{protocol, choices[0].fields};
    for (const std::string& port : ports) {
      choice.fields.push_back(absl::StrCat(protocol, port.substr(2)));
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

void AddEcmpGroup(Context& ctx, const Router& router, const RouteGroup& group,
                  const std::string& destination) {
  const Uuid& sb_datapath = ctx.Get(kDatapath, router.uuid).sb_uuid;
  const std::string group_match = absl::StrCat("reg8[0..15] == ", group.ecmp_id, " && ");
  std::vector<const Route*> routes;
  std::vector<std::string> actions;
  std::vector<NumberWish> wishes;
  for (const Uuid& uuid : group.routes) {
    const Route& route = ctx.Get(kRoute, RouteId(router.uuid, uuid));
    if (!route.exists) continue;
    std::string member_actions = GetGlobals(ctx).drop_action;
    if (!route.discards) {
      const RouterPort& port = ctx.Get(kRouterPortModel, route.port);
      const Ip& next_hop = route.next_hop ? *route.next_hop : route.prefix.ip;
      member_actions = NextHopActions(next_hop.ToString(), next_hop.v6, port, route.port_ip, "");
    }
    const int64_t existing =
        WrittenNumber(ctx, sb_datapath, Stage::kLrInIpRoutingEcmp, [&](const WrittenFlow& flow) {
          return flow.actions == member_actions && absl::StartsWith(flow.match, group_match)
                     ? NumberAfter(flow.match, "reg8[16..31] == ")
                     : 0;
        });
    wishes.push_back({.key = uuid.ToString(), .existing = existing});
    routes.push_back(&route);
    actions.push_back(std::move(member_actions));
  }
  if (routes.empty()) return;
  const std::vector<int64_t> ids = ctx.world().numbers.Assign(
      absl::StrCat("ecmp/", router.uuid.ToString(), "/", destination), wishes, 1, kMaxEcmpMember);

  for (size_t i = 0; i < routes.size(); ++i) {
    AddFlow(ctx, router.number, Stage::kLrInIpRoutingEcmp, 100,
            absl::StrCat(group_match, "reg8[16..31] == ", ids[i]), actions[i],
            {.hint = routes[i]->row});
  }
  const RouteMatch destination_match = MatchOf(ctx, router.uuid, *routes[0]);
  for (const Choice& choice : ChoicesBy(CommonFields(routes))) {
    std::string match = destination_match.match;
    // Between one there is no choice, whatever the protocol.
    if (!choice.protocol.empty() && ids.size() > 1) {
      absl::StrAppend(&match, " && ", choice.protocol);
    }
    AddFlow(ctx, router.number, Stage::kLrInIpRouting,
            destination_match.priority + (choice.protocol.empty() ? 0 : 1), match,
            absl::StrCat("ip.ttl--; flags.loopback = 1; reg8[0..15] = ", group.ecmp_id, "; ",
                         SelectMember(ids, choice.fields)));
    if (!router.is_gateway) continue;
    for (const Route* route : routes) {
      if (!route->has_symmetric_reply || route->discards) continue;
      AddSymmetricReply(ctx, router, *route, ctx.Get(kRouterPortModel, route->port), match);
    }
  }
}

std::monostate TranslateGroup(Context& ctx, const RouteGroupId& id) {
  const Router& router = ctx.Get(kRouterModel, id.first);
  const RouteGroup& group = ctx.Get(kRouteGroup, id);
  if (!router.exists || group.routes.empty()) return {};
  if (group.ecmp_id != 0) {
    AddEcmpGroup(ctx, router, group, id.second);
    return {};
  }
  const Route& route = ctx.Get(kRoute, RouteId(id.first, group.routes[0]));
  if (!route.exists) return {};
  if (route.discards) {
    AddRoute(ctx, router, route, nullptr);
    return {};
  }
  // `output_port` may be another router's, who routes then.
  const RouterPort& port = ctx.Get(kRouterPortModel, route.port);
  const Router& at = RouterOfPort(ctx, port);
  if (at.exists) AddRoute(ctx, at, route, &port);
  return {};
}
constexpr engine::Kind<RouteGroupId> kGroupFlows{"route_group_flows", &TranslateGroup};

// Whoever asks for the MAC address of an IPv6 next hop asks its multicast group.
std::monostate TranslateNeighborRequest(Context& ctx, const RouteId& id) {
  const auto row = Row<nb::LogicalRouterStaticRoute>(ctx, id.second);
  const Router& router = ctx.Get(kRouterModel, id.first);
  if (!row || !router.exists) return {};
  const std::optional<Network> next_hop = Network::Parse(row.nexthop());
  if (!next_hop || !next_hop->ip.v6 || !next_hop->is_host()) return {};
  const Ip group = SolicitedNode(next_hop->ip);
  AddFlow(ctx, router.number, Stage::kLrInArpRequest, 200,
          absl::StrCat("eth.dst == 00:00:00:00:00:00 && reg9[9] == 0 && xxreg0 == ", row.nexthop()),
          absl::StrCat("nd_ns { eth.dst = ", MulticastMac(group).ToString(), "; ip6.dst = ",
                       group.ToString(), "; nd.target = ", row.nexthop(), "; output; }; output;"),
          {.hint = id.second, .meter = CoppMeter(ctx, id.first, "nd-ns-resolve")});
  return {};
}
constexpr engine::Kind<RouteId> kNeighborRequest{"neighbor_request", &TranslateNeighborRequest};

}  // namespace

std::string NextHopActions(const std::string& next_hop, bool v6, const RouterPort& port,
                           const Ip& source, absl::string_view middle) {
  return absl::StrCat(v6 ? "xxreg0 = " : "reg0 = ", next_hop,
                      v6 ? "; xxreg1 = " : "; reg5 = ", source.ToString(),
                      "; eth.src = ", port.addresses.mac_text(), "; outport = ", port.json_name,
                      "; ", middle, "reg9[9] = ", v6 ? 0 : 1, "; next;");
}

std::string SelectMember(std::vector<int64_t> ids, const std::vector<std::string>& fields) {
  if (ids.size() == 1) return absl::StrCat("reg8[16..31] = ", ids[0], "; next;");
  std::sort(ids.begin(), ids.end());
  const std::string list = absl::StrJoin(ids, ", ");
  if (fields.empty()) return absl::StrCat("reg8[16..31] = select(", list, ");");
  return absl::StrCat("reg8[16..31] = select(values=(", list, "); hash_fields=\"",
                      absl::StrJoin(fields, ","), "\");");
}

std::monostate TranslateRoutes(Context& ctx, const Uuid& uuid) {
  for (const std::string& destination : ctx.Get(kDestinations, uuid)) {
    ctx.Require(kGroupFlows, RouteGroupId(uuid, destination));
  }
  const auto row = Row<nb::LogicalRouter>(ctx, uuid);
  if (!row) return {};
  for (const Uuid& route : row.static_routes()) ctx.Require(kNeighborRequest, RouteId(uuid, route));
  return {};
}
constexpr engine::Kind<Uuid> kRouterRoutes{"router_routes", &TranslateRoutes};

// What comes in through the port is routed by a table of its own, if it asks for one: the port may
// be no good otherwise.
void AddTableOf(Context& ctx, const Router& router, const nb::LogicalRouterPort& row) {
  const std::string table(row.options().GetOrEmpty("route_table"));
  const int64_t id = RouteTableId(ctx, router.uuid, table);
  if (id == 0) return;
  AddFlow(ctx, router.number, Stage::kLrInIpRoutingPre, 100,
          absl::StrCat("inport == ", JsonName(row.name())), absl::StrCat("reg7 = ", id, "; next;"));
}

std::monostate TranslateConnectedRoutes(Context& ctx, const Uuid& uuid) {
  const auto row = Row<nb::LogicalRouterPort>(ctx, uuid);
  if (!row) return {};
  const Router& router = ctx.Get(kRouterModel, RouterOf(ctx, uuid));
  if (!router.exists) return {};
  AddTableOf(ctx, router, row);
  const RouterPort& port = ctx.Get(kRouterPortModel, uuid);
  if (!port.exists) return {};
  const auto add = [&](const Network& network) {
    Route route;
    route.row = uuid;
    route.prefix = {network.network(), network.prefix};
    route.source = RouteSource::kConnected;
    route.port_ip = network.ip;
    // Every port has link-local neighbours.
    AddRoute(ctx, router, route, &port, network.ip.is_link_local() ? port.json_name : "");
  };
  for (const Network& network : port.addresses.v4) add(network);
  for (const Network& network : port.addresses.v6) add(network);
  return {};
}
constexpr engine::Kind<Uuid> kConnectedRoutes{"connected_routes", &TranslateConnectedRoutes};

}  // namespace northd
