// Routes of routers: static and learned ones as parsed, and put together by destination.
#ifndef NORTHD_MODEL_ROUTES_H_
#define NORTHD_MODEL_ROUTES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/model/ports.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

enum class RouteSource { kConnected, kStatic, kLearned };

struct Route {
  bool exists = false;  // Else nothing below means anything: it is invalid, or its BFD is down.
  Uuid row;             // The Logical_Router_Static_Route or Learned_Route.
  Network prefix;       // Without a host's bits.
  bool by_source = false;
  RouteSource source = RouteSource::kStatic;
  bool discards = false;  // Then there is no next hop and no port.
  std::optional<Ip> next_hop;
  std::string next_hop_text;  // As the row spells it.
  Uuid port;                  // Logical_Router_Port.
  Ip port_ip;                 // Of that port.
  std::string table;          // "": the main one.
  bool has_symmetric_reply = false;
  std::vector<std::string> selection_fields;

  bool operator==(const Route& o) const = default;
};

// Of a Logical_Router, a Logical_Router_Static_Route or Learned_Route.
using RouteId = std::pair<Uuid, Uuid>;
// Whether a static route leads anywhere, whatever BFD says of its next hop.
bool ComputeRouteLeads(Context& ctx, const RouteId& id);
extern const engine::Kind<RouteId, bool> kRouteLeads;

Route ComputeRoute(Context& ctx, const RouteId& id);
extern const engine::Kind<RouteId, Route> kRoute;

// By a Logical_Router and the name of a destination.
using RouteGroupId = std::pair<Uuid, std::string>;
// Routes of a router to the same destination. Those with several, or with a symmetric reply, are an
// ECMP group.
struct RouteGroup {
  std::vector<Uuid> routes;  // In order of UUIDs; empty: there is no such group.
  int64_t ecmp_id = 0;       // 0: it is a single route.

  bool operator==(const RouteGroup& o) const = default;
};
RouteGroup ComputeRouteGroup(Context& ctx, const RouteGroupId& id);
extern const engine::Kind<RouteGroupId, RouteGroup> kRouteGroup;

// The names of all destinations that a router's routes lead to.
std::vector<std::string> ComputeDestinations(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid, std::vector<std::string>> kDestinations;

// The id of a route table of a router; 0 of the main one.
int64_t RouteTableId(Context& ctx, const Uuid& router, const std::string& table);

// Match and priority of the flow that routes by this. `inport`: its ingress port, in quotes, or "".
struct RouteMatch {
  std::string match;
  int priority = 0;
};
RouteMatch MatchOf(Context& ctx, const Uuid& router, const Route& route,
                   const std::string& inport = "");

}  // namespace northd

#endif  // NORTHD_MODEL_ROUTES_H_
