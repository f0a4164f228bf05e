// IP multicast: which routers relay it, and which ports have joined a group, as controllers have
// seen it (IGMP_Group).
#ifndef NORTHD_MODEL_IGMP_GROUPS_H_
#define NORTHD_MODEL_IGMP_GROUPS_H_

#include <map>
#include <set>
#include <string>

#include "northd/engine/engine.h"
#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

// By options:mcast_relay.
bool RelaysMulticast(Context& ctx, const Uuid& router);
// A router that relays is behind the switch port.
bool LeadsToRelay(Context& ctx, const SwitchPort& port);

// What controllers call the group of ports with a multicast router behind them.
inline constexpr char kMulticastRouters[] = "mrouters";

// Ports by the address of the group, or kMulticastRouters. Those that get all multicast anyway are
// not members, and a group without others is none.
using IgmpGroups = std::map<std::string, std::set<Uuid>>;

// Of a switch: its ports, whichever chassis has seen them join; and with one its localnet ports,
// since what is outside may have joined, too.
IgmpGroups ComputeSwitchIgmpGroups(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid, IgmpGroups> kSwitchIgmpGroups;

// Of a router that relays: the ports behind which a switch has a group that routers forward.
IgmpGroups ComputeRouterIgmpGroups(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid, IgmpGroups> kRouterIgmpGroups;

// The addresses of these alone.
std::set<std::string> ComputeSwitchIgmpAddresses(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid, std::set<std::string>> kSwitchIgmpAddresses;
std::set<std::string> ComputeRouterIgmpAddresses(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid, std::set<std::string>> kRouterIgmpAddresses;

}  // namespace northd

#endif  // NORTHD_MODEL_IGMP_GROUPS_H_
