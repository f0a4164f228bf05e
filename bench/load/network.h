// A made-up OVN network, the same for the same numbers: the names, keys and rows that the database
// generator writes and that the scenarios then change. Everything is a pure function of its index,
// so nothing is kept in memory and any process can name any row.
#ifndef BENCH_LOAD_NETWORK_H_
#define BENCH_LOAD_NETWORK_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace load {

enum class Kind {
  kSwitch,  // Northbound Logical_Switch.
  kSwitchPort,
  kAcl,
  kAddressSet,
  kPortGroup,
  kGlobal,  // NB_Global or SB_Global.
  kDatapath,
  kDatapathGroup,
  kPortBinding,
  kMulticastGroup,
  kChassis,
  kChassisPrivate,
  kEncap,
  kMacBinding,
  kFlow,
};

// The UUID of row `index` of a kind, in its text form.
std::string Uuid(Kind kind, uint64_t index);
std::string UuidJson(Kind kind, uint64_t index);  // ["uuid","..."]

// A well mixed function of its arguments.
uint64_t Mix(uint64_t a, uint64_t b);

std::string Mac(uint64_t index);       // 0a:58:...
std::string Ipv4(uint64_t index);      // 10.x.y.z
std::string PortName(uint64_t index);  // pod-000012ab.ns-17
std::string ChassisName(uint64_t index);

// How many rows of what a southbound of about `rows` rows has. A real one is nearly all flows.
struct Southbound {
  explicit Southbound(uint64_t rows, uint64_t datapaths = 0);

  uint64_t datapaths;
  uint64_t ports;  // Port p is on datapath p % datapaths.
  uint64_t groups;
  uint64_t chassis;
  uint64_t mac_bindings;
  uint64_t address_sets;
  uint64_t flows;
};

// How many rows of what a northbound with so many ports has.
struct Northbound {
  static constexpr uint64_t kPortsPerSwitch = 50;
  explicit Northbound(uint64_t rows);

  uint64_t ports;  // Port p is on switch p / kPortsPerSwitch.
  uint64_t switches;
  uint64_t acls;
  uint64_t address_sets;
};

// The rows, as objects of column values without those at their default.
std::string SwitchRow(const Northbound& net, uint64_t index);
std::string SwitchPortRow(uint64_t index);
std::string AclRow(uint64_t index);
std::string PortGroupRow(const Northbound& net);
std::string DatapathRow(uint64_t index);
std::string DatapathGroupRow(const Southbound& net, uint64_t index);
std::string PortBindingRow(const Southbound& net, uint64_t index);
std::string MulticastGroupRow(const Southbound& net, uint64_t index);
std::string ChassisRow(uint64_t index);
std::string ChassisPrivateRow(uint64_t index);
std::string EncapRow(uint64_t index);
std::string MacBindingRow(const Southbound& net, uint64_t index);
std::string AddressSetRow(uint64_t index);
std::string FlowRow(const Southbound& net, uint64_t index);

}  // namespace load

#endif  // BENCH_LOAD_NETWORK_H_
