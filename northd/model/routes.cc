#include "northd/model/routes.h"

#include <algorithm>
#include <set>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "northd/model/bfd.h"
#include "northd/model/datapaths.h"
#include "northd/model/router_networks.h"
#include "northd/model/written_flows.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

constexpr int64_t kMaxEcmpGroup = 65535;  // Of reg8[0..15].
constexpr int64_t kMaxRouteTable = 65535;

// ---- Parsing ----

// The prefix, and the next hop if it has one.
bool ParseAddresses(absl::string_view prefix, absl::string_view next_hop, const Uuid& row,
                    Route* route) {
  static base::RateLimit limit(1, 5);
  const std::optional<Network> network = Network::Parse(prefix);
  if (!network) {
    log.WarnLimited(limit, "bad 'ip_prefix' %s in static route %s", std::string(prefix),
                    row.ToString());
    return false;
  }
  route->prefix = {network->network(), network->prefix};
  route->next_hop_text = std::string(next_hop);
  if (next_hop.empty()) return true;
  const std::optional<Network> hop = Network::Parse(next_hop);
  if (!hop || !hop->is_host()) {
    log.WarnLimited(limit, "bad 'nexthop' %s in static route %s", std::string(next_hop),
                    row.ToString());
    return false;
  }
  route->next_hop = hop->ip;
  return true;
}

// Where the route leads: through the port with this name, or the one that its next hop is behind.
bool FindPort(Context& ctx, const Uuid& router, absl::string_view port_name, Route* route) {
  const Ip& target = route->next_hop ? *route->next_hop : route->prefix.ip;
  NextHopPort hop;
  if (!port_name.empty()) {
    const auto rows = RowsWith<nb::LogicalRouterPort>(ctx, nb::LogicalRouterPort::kName, port_name);
    if (!rows.empty()) hop = NextHopThrough(ctx, rows.front(), target, route->prefix.ip.v6);
  } else if (route->next_hop) {
    hop = FindNextHopPort(ctx, router, target);
  }
  if (!hop.found()) {
    static base::RateLimit limit(1, 5);
    log.WarnLimited(limit, "No path for static route %s; next hop %s", route->prefix.NetworkText(),
                    route->next_hop_text);
    return false;
  }
  route->port = hop.port;
  route->port_ip = hop.source;
  return true;
}

// Whether the route leads anywhere; then also where, and what for.
bool ParseWay(Context& ctx, const Uuid& router, const nb::LogicalRouterStaticRoute& row,
              Route* route) {
  const absl::string_view next_hop = row.nexthop();
  route->discards = next_hop == "discard";
  if (!ParseAddresses(row.ip_prefix(), route->discards ? "" : next_hop, row.uuid(), route)) {
    return false;
  }
  return route->discards || FindPort(ctx, router, row.output_port().value_or(""), route);
}

Route ParseStatic(Context& ctx, const Uuid& router, const nb::LogicalRouterStaticRoute& row) {
  Route route;
  route.row = row.uuid();
  if (!ParseWay(ctx, router, row, &route)) return {};
  route.by_source = row.policy().value_or("dst-ip") == "src-ip";
  if (const auto bfd = row.bfd(); bfd && IsBfdDownTowards(ctx, *bfd, row.nexthop())) {
    return {};
  }
  const StringMap options = row.options();
  route.source =
      options.GetOrEmpty("origin") == "connected" ? RouteSource::kConnected : RouteSource::kStatic;
  route.table = std::string(row.route_table());
  route.has_symmetric_reply = options.GetBool("ecmp_symmetric_reply", false);
  // A port without its protocol means little.
  std::set<std::string> fields;
  for (const absl::string_view field : row.selection_fields()) fields.emplace(field);
  if (fields.contains("tp_src") || fields.contains("tp_dst")) fields.insert("ip_proto");
  route.selection_fields.assign(fields.begin(), fields.end());
  route.exists = true;
  return route;
}

Route ParseLearned(Context& ctx, const Uuid& router, const sb::LearnedRoute& row) {
  Route route;
  route.row = row.uuid();
  route.source = RouteSource::kLearned;
  if (!ParseAddresses(row.ip_prefix(), row.nexthop(), row.uuid(), &route)) return {};
  const auto binding = Row<sb::PortBinding>(ctx, row.logical_port());
  if (!binding || !FindPort(ctx, router, binding.logical_port(), &route)) return {};
  // It was learned where its next hop is.
  const RouterPort& port = ctx.Get(kRouterPortModel, route.port);
  const auto reaches = [&route](const Network& network) {
    return network.Contains(*route.next_hop);
  };
  if (!route.next_hop ||
      (std::none_of(port.addresses.v4.begin(), port.addresses.v4.end(), reaches) &&
       std::none_of(port.addresses.v6.begin(), port.addresses.v6.end(), reaches))) {
    return {};
  }
  route.exists = true;
  return route;
}

// ---- Groups ----

// What tells destinations apart. A connected network may be reached in several ways, each on its
// own.
std::string DestinationOf(const Route& route) {
  const std::string text =
      absl::StrCat(static_cast<int>(route.source), route.by_source ? " src " : " dst ",
                   route.prefix.ip.ToString(), "/", route.prefix.prefix, " ", route.table);
  if (route.source != RouteSource::kConnected) return text;
  return absl::StrCat(route.row.ToString(), " ", text);
}

// What groups depend on of a route.
struct RouteTraits {
  std::string destination;  // "": there is no such route.
  bool has_symmetric_reply = false;
  bool operator==(const RouteTraits& o) const = default;
};
RouteTraits ComputeRouteTraits(Context& ctx, const RouteId& id) {
  const Route& route = ctx.Get(kRoute, id);
  if (!route.exists) return {};
  return {DestinationOf(route),
          route.has_symmetric_reply && route.source != RouteSource::kConnected};
}
constexpr engine::Kind<RouteId, RouteTraits> kRouteTraits{"route_traits", &ComputeRouteTraits,
                                                          true};

// Routes that lead to the same destination.
struct Destination {
  const std::string* name = nullptr;  // Of the traits of one of them.
  absl::InlinedVector<Uuid, 1> routes;
  bool has_symmetric_reply = false;
  int64_t ecmp_id = 0;  // As RouteGroup has it.
};

void NumberEcmpGroups(Context& ctx, const Uuid& router, const Uuid& sb_datapath,
                      std::vector<Destination>* destinations) {
  std::vector<Destination*> groups;
  for (Destination& destination : *destinations) {
    if (destination.routes.size() > 1 || destination.has_symmetric_reply) {
      groups.push_back(&destination);
    }
  }
  std::sort(groups.begin(), groups.end(),
            [](const Destination* a, const Destination* b) { return *a->name < *b->name; });
  std::vector<NumberWish> wishes;
  for (const Destination* group : groups) {
    const Route& route = ctx.Get(kRoute, RouteId(router, group->routes[0]));
    const RouteMatch match = MatchOf(ctx, router, route);
    const int64_t existing =
        WrittenNumber(ctx, sb_datapath, Stage::kLrInIpRouting, [&](const WrittenFlow& flow) {
          return flow.match == match.match && flow.priority == match.priority
                     ? NumberAfter(flow.actions, "reg8[0..15] = ")
                     : 0;
        });
    wishes.push_back({.key = *group->name, .existing = existing});
  }
  const std::vector<int64_t> ids = ctx.world().numbers.Assign(
      absl::StrCat("ecmp/", router.ToString()), wishes, 1, kMaxEcmpGroup);
  for (size_t i = 0; i < groups.size(); ++i) groups[i]->ecmp_id = ids[i];
}

// ---- Route tables ----

using RouteTables = std::map<std::string, int64_t>;

RouteTables ComputeRouteTables(Context& ctx, const Uuid& router) {
  RouteTables tables;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  if (!row) return tables;
  const Uuid& sb_uuid = ctx.Get(kDatapath, router).sb_uuid;
  // Of routes, by their hints: which number the flows of each have.
  absl::flat_hash_map<uint32_t, int64_t> written;
  WrittenNumber(ctx, sb_uuid, Stage::kLrInIpRouting, [&](const WrittenFlow& flow) {
    written.try_emplace(flow.hint, NumberAfter(flow.match, "reg7 == "));
    return 0;
  });
  std::map<std::string, int64_t> existing;  // Of a table: the number that it has, or 0.
  const auto add_table_of = [&](const Uuid& uuid) {
    const auto route = Row<nb::LogicalRouterStaticRoute>(ctx, uuid);
    if (!route || route.route_table().empty()) return;
    int64_t& number = existing[std::string(route.route_table())];
    if (number != 0) return;
    const auto found = written.find(HintOf(uuid));
    if (found != written.end()) number = found->second;
  };
  std::map<std::string, std::string> ports;  // Of a table: the name of a port that uses it.
  for (const Uuid& uuid : row.ports()) {
    const auto port = Row<nb::LogicalRouterPort>(ctx, uuid);
    if (!port) continue;
    const absl::string_view table = port.options().GetOrEmpty("route_table");
    if (!table.empty()) {
      ports.emplace(table, port.name());
      existing.try_emplace(std::string(table), 0);
    }
    // Other routers' routes through it, too: it is this one that routes by them.
    for (const Uuid& route : RowsWith<nb::LogicalRouterStaticRoute>(
             ctx, nb::LogicalRouterStaticRoute::kOutputPort, port.name())) {
      add_table_of(route);
    }
  }
  for (const Uuid& route : row.static_routes()) add_table_of(route);
  std::vector<NumberWish> wishes;
  for (auto& [table, number] : existing) {
    const auto port = ports.find(table);
    if (number == 0 && port != ports.end()) {
      const std::string match = absl::StrCat("inport == ", JsonName(port->second));
      number = WrittenNumber(ctx, sb_uuid, Stage::kLrInIpRoutingPre, [&](const WrittenFlow& flow) {
        return flow.match == match ? NumberAfter(flow.actions, "reg7 = ") : 0;
      });
    }
    wishes.push_back({.key = table, .existing = number});
  }
  const std::vector<int64_t> ids = ctx.world().numbers.Assign(
      absl::StrCat("route_table/", router.ToString()), wishes, 1, kMaxRouteTable);
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (ids[i] != 0) tables[wishes[i].key] = ids[i];
  }
  return tables;
}
constexpr engine::Kind<Uuid, RouteTables> kRouteTables{"route_tables", &ComputeRouteTables, true};

}  // namespace

bool ComputeRouteLeads(Context& ctx, const RouteId& id) {
  Route route;
  const auto row = Row<nb::LogicalRouterStaticRoute>(ctx, id.second);
  return row && ctx.Get(kDatapath, id.first).exists && ParseWay(ctx, id.first, row, &route);
}
constexpr engine::Kind<RouteId, bool> kRouteLeads{"route_leads", &ComputeRouteLeads, true};

Route ComputeRoute(Context& ctx, const RouteId& id) {
  if (const auto row = Row<nb::LogicalRouterStaticRoute>(ctx, id.second)) {
    return ParseStatic(ctx, id.first, row);
  }
  if (const auto row = Row<sb::LearnedRoute>(ctx, id.second)) {
    return ParseLearned(ctx, id.first, row);
  }
  return {};
}
constexpr engine::Kind<RouteId, Route> kRoute{"route", &ComputeRoute};

std::vector<std::string> ComputeDestinations(Context& ctx, const Uuid& router) {
  std::vector<std::string> destinations;
  const auto row = Row<nb::LogicalRouter>(ctx, router);
  const Datapath& datapath = ctx.Get(kDatapath, router);
  if (!row || !datapath.exists) return destinations;
  std::vector<Destination> found;
  absl::flat_hash_map<absl::string_view, size_t> by_name;
  const auto add = [&](const Uuid& uuid) {
    const RouteTraits& traits = ctx.Get(kRouteTraits, RouteId(router, uuid));
    if (traits.destination.empty()) return;
    const auto [at, is_new] = by_name.try_emplace(traits.destination, found.size());
    if (is_new) found.push_back({.name = &traits.destination});
    Destination& destination = found[at->second];
    destination.routes.push_back(uuid);
    destination.has_symmetric_reply |= traits.has_symmetric_reply;
  };
  for (const Uuid& uuid : row.static_routes()) add(uuid);
  for (const Uuid& uuid :
       RowsWith<sb::LearnedRoute>(ctx, sb::LearnedRoute::kDatapath, datapath.sb_uuid)) {
    add(uuid);
  }
  NumberEcmpGroups(ctx, router, datapath.sb_uuid, &found);
  for (const Destination& destination : found) {
    for (const Uuid& route : destination.routes) {
      ctx.world().routes_by_destination.Emit(ctx, {router, *destination.name},
                                             {destination.ecmp_id, route});
    }
    destinations.push_back(*destination.name);
  }
  return destinations;
}
constexpr engine::Kind<Uuid, std::vector<std::string>> kDestinations{"route_destinations",
                                                                     &ComputeDestinations, true};

// Reading a relation is a unit's whole business. That another destination comes or goes is none of
// it.
RouteGroup ComputeRouteGroup(Context& ctx, const RouteGroupId& id) {
  ctx.Require(kDestinations, id.first);
  RouteGroup group;
  for (const auto& [ecmp_id, route] : ctx.world().routes_by_destination.Read(ctx, id)) {
    group.ecmp_id = ecmp_id;
    group.routes.push_back(route);
  }
  return group;
}
constexpr engine::Kind<RouteGroupId, RouteGroup> kRouteGroup{"route_group", &ComputeRouteGroup,
                                                             true};

int64_t RouteTableId(Context& ctx, const Uuid& router, const std::string& table) {
  if (table.empty()) return 0;
  const RouteTables& tables = ctx.Get(kRouteTables, router);
  const auto found = tables.find(table);
  return found == tables.end() ? 0 : found->second;
}

RouteMatch MatchOf(Context& ctx, const Uuid& router, const Route& route,
                   const std::string& inport) {
  RouteMatch match;
  if (!inport.empty()) match.match = absl::StrCat("inport == ", inport, " && ");
  const int64_t table = RouteTableId(ctx, router, route.table);
  // Connected networks are reached whatever the table, unless they ask for one.
  if (route.source != RouteSource::kConnected || table != 0) {
    absl::StrAppend(&match.match, "reg7 == ", table, " && ");
  }
  absl::StrAppend(&match.match, "ip", route.prefix.ip.v6 ? "6" : "4",
                  route.by_source ? ".src == " : ".dst == ", route.prefix.ip.ToString(), "/",
                  route.prefix.prefix);
  // The longest prefix wins; among equals routes by destination, and of those the nearest.
  int preference = 0;
  if (!route.by_source) {
    switch (route.source) {
      case RouteSource::kConnected:
        preference = 6;
        break;
      case RouteSource::kStatic:
        preference = 4;
        break;
      case RouteSource::kLearned:
        preference = 2;
        break;
    }
  }
  match.priority = route.prefix.prefix * 8 + preference;
  return match;
}

}  // namespace northd
