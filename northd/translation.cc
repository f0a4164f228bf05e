#include "northd/translation.h"

#include <variant>

#include "northd/model/datapaths.h"
#include "northd/model/load_balancers.h"
#include "northd/model/shared_addresses.h"
#include "northd/model/written_flows.h"
#include "northd/pipeline/acl.h"
#include "northd/pipeline/acl_rules.h"
#include "northd/pipeline/arp_proxy.h"
#include "northd/pipeline/arp_responder.h"
#include "northd/pipeline/dhcp.h"
#include "northd/pipeline/dns.h"
#include "northd/pipeline/external_ports.h"
#include "northd/pipeline/fdb.h"
#include "northd/pipeline/forwarding_groups.h"
#include "northd/pipeline/l2_lookup.h"
#include "northd/pipeline/lb_neighbors.h"
#include "northd/pipeline/lb_switch.h"
#include "northd/pipeline/multicast.h"
#include "northd/pipeline/multicast_relay.h"
#include "northd/pipeline/nat_flows.h"
#include "northd/pipeline/port_security.h"
#include "northd/pipeline/qos.h"
#include "northd/pipeline/routable_addresses.h"
#include "northd/pipeline/router_addresses.h"
#include "northd/pipeline/router_defaults.h"
#include "northd/pipeline/router_neighbors.h"
#include "northd/pipeline/router_policies.h"
#include "northd/pipeline/router_port.h"
#include "northd/pipeline/routing.h"
#include "northd/pipeline/routing_protocol_redirect.h"
#include "northd/pipeline/switch_dhcp_relay.h"
#include "northd/pipeline/vtep.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/sync/acl_ids.h"
#include "northd/sync/bfd.h"
#include "northd/sync/catalogues.h"
#include "northd/sync/dns.h"
#include "northd/sync/global.h"
#include "northd/sync/hypervisors.h"
#include "northd/sync/igmp_groups.h"
#include "northd/sync/ip_multicast.h"
#include "northd/sync/load_balancers.h"
#include "northd/sync/meters.h"
#include "northd/sync/mirrors.h"
#include "northd/sync/multicast_groups.h"
#include "northd/sync/port_groups.h"
#include "northd/sync/port_status.h"
#include "northd/sync/router_port_bindings.h"
#include "northd/sync/router_routes.h"
#include "northd/sync/static_macs.h"
#include "northd/sync/switch_port_bindings.h"
#include "northd/sync/template_vars.h"

// A feature adds its kinds here, to the list of what they exist for.
namespace northd {
namespace {

// What only few ports have is looked at only where it may be: ports are many.
std::monostate TranslateSwitchPort(Context& ctx, const Uuid& port) {
  ctx.Require(kJoinPortGroups, port);
  ctx.Require(kSyncSwitchPortBinding, port);
  ctx.Require(kSyncSwitchPortGroups, port);
  ctx.Require(kSyncSwitchPortStatus, port);
  ctx.Require(kSwitchPortNeighbor, port);
  ctx.Require(kPortSecurityOf, port);
  ctx.Require(kFdbOf, port);
  ctx.Require(kArpResponderOf, port);
  ctx.Require(kL2LookupOf, port);
  const nb::LogicalSwitchPort row = Row<nb::LogicalSwitchPort>(ctx, port);
  if (!row) return {};
  const absl::string_view type = row.type();
  if (type == "router" || type == "localnet") ctx.Require(kPortAclFlows, port);
  if (type == "router") {
    ctx.Require(kArpProxyOf, port);
    ctx.Require(kRouterAddressesOf, port);
    ctx.Require(kRoutingProtocolRedirectOf, port);
  } else if (type == "external") {
    ctx.Require(kExternalPort, port);
  } else if (type == "remote") {
    ctx.Require(kRemoteReportsOf, port);
  }
  if (row.dhcpv4_options() || row.dhcpv6_options()) ctx.Require(kDhcpOf, port);
  return {};
}
constexpr engine::Kind<Uuid> kSwitchPort{"switch_port", &TranslateSwitchPort};

std::monostate TranslateRouterPort(Context& ctx, const Uuid& port) {
  ctx.Require(kSyncRouterPortBinding, port);
  ctx.Require(kSyncRouterPortGroups, port);
  ctx.Require(kSyncRouterPortStatus, port);
  ctx.Require(kRouterPortFlows, port);
  ctx.Require(kConnectedRoutes, port);
  return {};
}
constexpr engine::Kind<Uuid> kRouterPort{"router_port", &TranslateRouterPort};

std::monostate TranslateSwitch(Context& ctx, const Uuid& uuid) {
  ctx.Require(kDatapath, uuid);
  ctx.Require(kSyncIpMulticast, uuid);
  ctx.Require(kSyncSwitchDns, uuid);
  ctx.Require(kSyncSwitchIgmpGroups, uuid);
  const nb::LogicalSwitch sw = Row<nb::LogicalSwitch>(ctx, uuid);
  if (!sw) return {};
  ctx.Require(kSwitchLb, uuid);
  ctx.Require(kQosOf, uuid);
  ctx.Require(kDnsOf, uuid);
  ctx.Require(kDhcpRelayOf, uuid);
  ctx.Require(kForwardingGroupsOf, uuid);
  ctx.Require(kServiceChecksOf, uuid);
  ctx.Require(kMulticastOf, uuid);
  ctx.Require(kMulticastGroupsOf, uuid);
  for (const Uuid& port : sw.ports()) ctx.Require(kSwitchPort, port);
  ctx.Require(kSwitchAclRules, uuid);
  ctx.Require(kSwitchAclFlows, uuid);
  return {};
}
constexpr engine::Kind<Uuid> kSwitch{"switch", &TranslateSwitch};

std::monostate TranslateRouter(Context& ctx, const Uuid& uuid) {
  ctx.Require(kDatapath, uuid);
  ctx.Require(kSyncRouterIgmpGroups, uuid);
  const nb::LogicalRouter router = Row<nb::LogicalRouter>(ctx, uuid);
  if (!router) return {};
  ctx.Require(kRouterDefaults, uuid);
  ctx.Require(kRouterRoutes, uuid);
  ctx.Require(kRouterPolicies, uuid);
  ctx.Require(kMulticastRelay, uuid);
  ctx.Require(kSyncRouterRoutes, uuid);
  ctx.Require(kRouterNat, uuid);
  ctx.Require(kRouterLbNeighbors, uuid);
  for (const Uuid& port : router.ports()) {
    ctx.Require(kRouterPort, port);
    ctx.Require(kRoutableNeighbors, port);
  }
  for (const Uuid& nat : router.nat()) ctx.Require(kNatAddressesOf, nat);
  return {};
}
constexpr engine::Kind<Uuid> kRouter{"router", &TranslateRouter};

std::monostate TranslateLb(Context& ctx, const Uuid& uuid) {
  // Where all of them are is known before the first is looked at, since some share a row.
  ctx.Get(kLbPlaces, uuid);
  ctx.Require(kTranslateLoadBalancer, uuid);
  ctx.Require(kOwnVips, uuid);
  ctx.Require(kVipAddressesOf, uuid);
  return {};
}
constexpr engine::Kind<Uuid> kLb{"lb", &TranslateLb};

// What each row of a table has: a unit for each table, so that one row more concerns no other
// table.
template <typename R, const engine::Kind<Uuid>& kKind>
std::monostate RequireEach(Context& ctx, const std::monostate&) {
  for (const Uuid& uuid : AllRows<R>(ctx)) ctx.Require(kKind, uuid);
  return {};
}
constexpr engine::Kind<std::monostate> kSyncMirrors{"sync_mirrors",
                                                    &RequireEach<nb::Mirror, kSyncMirror>};
constexpr engine::Kind<std::monostate> kSyncStaticMacs{
    "sync_static_macs", &RequireEach<nb::StaticMACBinding, kSyncStaticMac>};
constexpr engine::Kind<std::monostate> kSyncTemplateVars{
    "sync_template_vars", &RequireEach<nb::ChassisTemplateVar, kSyncTemplateVar>};

constexpr engine::Kind<std::monostate> kSwitches{"switches",
                                                 &RequireEach<nb::LogicalSwitch, kSwitch>};
constexpr engine::Kind<std::monostate> kRouters{"routers",
                                                &RequireEach<nb::LogicalRouter, kRouter>};
constexpr engine::Kind<std::monostate> kLoadBalancers{"load_balancers",
                                                      &RequireEach<nb::LoadBalancer, kLb>};
constexpr engine::Kind<std::monostate> kPortGroups{"port_groups",
                                                   &RequireEach<nb::PortGroup, kPortGroupAclRules>};

std::monostate TranslateAll(Context& ctx, const std::monostate&) {
  ctx.Require(kWrittenFlows, {});
  ctx.Require(kSyncGlobal, {});
  ctx.Require(kSyncHypervisors, {});
  ctx.Require(kSyncAddressSets, {});
  ctx.Require(kSyncMeters, {});
  ctx.Require(kSyncAclIds, {});
  ctx.Require(kSyncCatalogues, {});
  ctx.Require(kSyncMirrors, {});
  ctx.Require(kSyncStaticMacs, {});
  ctx.Require(kSyncTemplateVars, {});
  ctx.Require(kSyncAllBfd, {});
  ctx.Require(kPortSecurity, {});
  ctx.Require(kFdb, {});
  ctx.Require(kQos, {});
  ctx.Require(kArpResponder, {});
  ctx.Require(kDhcp, {});
  ctx.Require(kDns, {});
  ctx.Require(kExternalPorts, {});
  ctx.Require(kL2Lookup, {});
  ctx.Require(kVtep, {});
  ctx.Require(kSwitches, {});
  ctx.Require(kRouters, {});
  ctx.Require(kLoadBalancers, {});
  ctx.Require(kPortGroups, {});
  return {};
}
constexpr engine::Kind<std::monostate> kAll{"all", &TranslateAll};

}  // namespace

void StartTranslation(World* world) { world->engine.AddRoot(kAll, {}); }

}  // namespace northd
