// Ports as the pipelines see them: what their rows say, read once.
//
// A value changes whenever its row does in something that it shows; a unit that needs a port's row
// for more reads the row itself.
#ifndef NORTHD_MODEL_PORTS_H_
#define NORTHD_MODEL_PORTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// Of a Logical_Switch_Port's `type`.
enum class SwitchPortType {
  kVif,  // "".
  kRouter,
  kLocalnet,
  kLocalport,
  kL2Gateway,
  kVtep,
  kExternal,
  kVirtual,
  kRemote,
  kSwitch,   // Leads to another switch's.
  kUnknown,  // Something else: warned of, and treated as a VIF.
};

struct SwitchPort {
  bool exists = false;  // Else nothing below means anything: a router port may have its name.
  Uuid uuid;
  Uuid switch_uuid;  // The switch that has it.
  std::string name;
  std::string json_name;  // In quotes, as matches and actions have it.
  SwitchPortType type = SwitchPortType::kVif;
  Uuid sb_uuid;            // Of its Port_Binding.
  int64_t tunnel_key = 0;  // 0: there is none left.
  bool enabled = true;
  bool up = false;                       // As the northbound has it.
  std::vector<PortAddresses> addresses;  // Those with a MAC address, dynamic ones too.
  std::string dynamic_addresses;         // What northd has given to it, as text; or "".
  bool has_unknown = false;  // "unknown" is among the addresses, or it leads to a switch.
  std::vector<PortAddresses> port_security;
  std::string router_port;  // Of a router port: the name of its peer, or "".
  std::string parent_name;  // Of a nested port; "".
  std::optional<int64_t> tag;

  bool is_router() const { return type == SwitchPortType::kRouter; }
  bool is_localnet() const { return type == SwitchPortType::kLocalnet; }
  bool operator==(const SwitchPort& o) const = default;
};

SwitchPort ComputeSwitchPort(Context& ctx, const Uuid& uuid);
extern const engine::Kind<Uuid, SwitchPort> kSwitchPortModel;

struct RouterPort {
  bool exists = false;  // Else nothing below means anything.
  Uuid uuid;
  Uuid router_uuid;  // The router that has it.
  std::string name;
  std::string json_name;  // In quotes, as matches and actions have it.
  Uuid sb_uuid;           // Of its Port_Binding.
  int64_t tunnel_key = 0;
  bool enabled = true;
  PortAddresses addresses;  // The IPv6 link-local one comes last.
  // The switch port that it is connected to (a router port whose peer it is), or zero.
  Uuid switch_port;
  // The router port that it is connected to, by `peer` on both sides; or zero.
  Uuid peer_router_port;
  // It is bound to gateway chassis, so that there is a chassisredirect port: "cr-NAME".
  bool is_distributed_gateway = false;
  std::string cr_json_name;  // In quotes; "" unless is_distributed_gateway.

  bool operator==(const RouterPort& o) const = default;
};

RouterPort ComputeRouterPort(Context& ctx, const Uuid& uuid);
extern const engine::Kind<Uuid, RouterPort> kRouterPortModel;

// What a router is to its ports.
struct RouterGateways {
  bool is_gateway_router = false;       // It is bound to one chassis,
  std::string chassis;                  // this one.
  std::vector<Uuid> distributed_ports;  // Bound to gateway chassis each; none of a gateway router.
  bool operator==(const RouterGateways& o) const = default;
};

RouterGateways ComputeRouterGateways(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid, RouterGateways> kRouterGateways;

// Which ports of some kinds a switch has.
struct SwitchPorts {
  std::vector<Uuid> localnet;
  bool has_tagged_localnet = false;  // With a VLAN.
  std::vector<Uuid> vtep;
  bool operator==(const SwitchPorts& o) const = default;
};

SwitchPorts ComputeSwitchPorts(Context& ctx, const Uuid& sw);
extern const engine::Kind<Uuid, SwitchPorts> kSwitchPorts;

// Whether a switch port leads to the only distributed gateway port of a router, on a switch without
// a localnet port. Such a port has a chassisredirect port, too: "cr-NAME".
bool ComputeIsCentralized(Context& ctx, const Uuid& switch_port);
extern const engine::Kind<Uuid, bool> kIsCentralized;

// The router port of this name that switch ports may lead to: one without a peer of its own. Zero
// if there is none.
Uuid RouterPortNamed(Context& ctx, absl::string_view name);
// Likewise, whether it has a peer of its own or not.
Uuid AnyRouterPortNamed(Context& ctx, absl::string_view name);
// The router port that a switch port of type router leads to; zero if there is none.
Uuid PeerOf(Context& ctx, const SwitchPort& port);

// The Port_Binding of a port of a datapath, by its name: existing or to be.
Uuid PortBindingUuid(Context& ctx, const Uuid& datapath, const std::string& logical_port);
// Its tunnel key; 0 if it has none.
int64_t PortKey(Context& ctx, const Uuid& datapath, const std::string& logical_port);

// A string in quotes with escapes, as in matches and actions.
std::string JsonName(absl::string_view name);

}  // namespace northd

#endif  // NORTHD_MODEL_PORTS_H_
