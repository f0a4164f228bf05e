// What is true of a switch as a whole: units of one port read this without depending on the rest.
#ifndef NORTHD_MODEL_SWITCHES_H_
#define NORTHD_MODEL_SWITCHES_H_

#include <string>
#include <variant>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/datapaths.h"
#include "northd/model/ports.h"
#include "northd/output/datapath_sets.h"
#include "northd/rows/row_view.h"

namespace northd {

struct SwitchTraits {
  bool exists = false;  // Else nothing below means anything.
  DatapathNumber number = 0;
  bool vlan_passthru = false;
  bool relays_dhcp = false;  // other_config:dhcp_relay_port, whether there is such a port or not.
  bool has_unknown = false;  // A port accepts unknown destinations, enabled or not.
  bool has_vtep_ports = false;
  bool has_arp_proxy = false;               // A router port answers for others: options:arp_proxy.
  bool has_dns = false;                     // There are DNS records for it.
  bool only_router_ports = false;           // All ports lead to a router port.
  std::vector<std::string> localnet_ports;  // Their names.
  std::vector<Uuid> router_ports;           // Ports of it that lead to a router port.

  bool operator==(const SwitchTraits& o) const = default;
};

// By the UUID of the Logical_Switch.
SwitchTraits ComputeSwitchTraits(Context& ctx, const Uuid& uuid);
extern const engine::Kind<Uuid, SwitchTraits> kSwitchTraits;

// Switches by what flows all of a group have.
struct SwitchGroups {
  DatapathSet all;
  DatapathSet vlan_blocked;  // Those without other_config:vlan-passthru.
  DatapathSet with_unknown;
  DatapathSet without_unknown;
  DatapathSet with_vtep_ports;
  DatapathSet with_dns;

  bool operator==(const SwitchGroups& o) const = default;
};

SwitchGroups ComputeSwitchGroups(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate, SwitchGroups> kSwitchGroups;

}  // namespace northd

#endif  // NORTHD_MODEL_SWITCHES_H_
