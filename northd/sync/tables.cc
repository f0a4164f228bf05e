#include "northd/sync/tables.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "northd/sync/catalogues.h"
#include "northd/sync/ha_chassis_groups.h"
#include "northd/sync/meters.h"

namespace northd {
namespace {

using ovsdb::Atom;
using ovsdb::Datum;
using ovsdb::Row;

std::string Value(const Row& row, int column, absl::string_view key) {
  const Datum& datum = row.datum(column);
  const int i = datum.Find(Atom::String(key));
  return i < 0 ? std::string() : std::string(datum.value(static_cast<size_t>(i)).string());
}

// The key is a text column.
DesiredRows::Policy ByName(int column, std::vector<int> element_columns = {}) {
  DesiredRows::Policy policy;
  policy.element_columns = std::move(element_columns);
  policy.key_of = [column](const Replica&, const Row& row) {
    return std::string(row.datum(column).key(0).string());
  };
  return policy;
}

// That of the northbound row, which it has in common.
std::string UuidKey(const Replica&, const Row& row) { return row.uuid().ToString(); }

// The UUID of the switch or router that a datapath stands for.
std::string DatapathKey(const Replica&, const Row& row) {
  const std::string of_switch = Value(row, sb::DatapathBinding::kExternalIds, "logical-switch");
  return of_switch.empty() ? Value(row, sb::DatapathBinding::kExternalIds, "logical-router")
                           : of_switch;
}

// As ServiceMonitorKey() makes it.
std::string ServiceMonitorRowKey(const Replica&, const Row& row) {
  const auto text = [&](int column) {
    const Datum& datum = row.datum(column);
    return datum.empty() ? absl::string_view() : datum.key(0).string();
  };
  return absl::StrCat(text(sb::ServiceMonitor::kLogicalPort), " ", text(sb::ServiceMonitor::kIp),
                      " ", row.datum(sb::ServiceMonitor::kPort).key(0).integer(), " ",
                      text(sb::ServiceMonitor::kProtocol));
}

// What a datapath has one of: by the switch or router.
DesiredRows::Policy ByDatapath(int column) {
  DesiredRows::Policy policy;
  policy.key_of = [column](const Replica& replica, const Row& row) {
    const Row* datapath =
        replica.Peek(sb::DatapathBinding::kTable, row.datum(column).key(0).uuid());
    return datapath == nullptr ? std::string() : DatapathKey(replica, *datapath);
  };
  return policy;
}

std::string MulticastGroupKey(const Replica&, const Row& row) {
  return absl::StrCat(row.datum(sb::MulticastGroup::kDatapath).key(0).uuid().ToString(),
                      row.datum(sb::MulticastGroup::kName).key(0).string());
}

// A member of a group, as HaChassisKey() makes it.
std::string HaChassisRowKey(Replica& replica, const Row& row) {
  const auto groups = replica.PeekIndex(sb::HAChassisGroup::kTable, sb::HAChassisGroup::kHaChassis,
                                        Atom::Of(row.uuid()));
  if (groups.empty()) return "";
  // It may go with its member, before the index knows.
  const Row* group = replica.Peek(sb::HAChassisGroup::kTable, groups.front());
  if (group == nullptr) return "";
  const auto chassis_of = [](const Row& member) {
    return Value(member, sb::HAChassis::kExternalIds, "chassis-name");
  };
  const auto rank_of = [](const Row& member) {
    return std::pair(-member.datum(sb::HAChassis::kPriority).key(0).integer(), member.uuid());
  };
  const std::string chassis = chassis_of(row);
  size_t n_same = 0;
  for (const ovsdb::Uuid& uuid : group->datum(sb::HAChassisGroup::kHaChassis).uuids()) {
    const Row* member = replica.Peek(sb::HAChassis::kTable, uuid);
    if (member != nullptr && rank_of(*member) < rank_of(row) && chassis_of(*member) == chassis) {
      ++n_same;
    }
  }
  return HaChassisKey(chassis, group->datum(sb::HAChassisGroup::kName).key(0).string(), n_same);
}

// A key of several columns.
std::string JoinedKey(const Row& row, absl::Span<const int> columns) {
  std::string key;
  for (const int column : columns) {
    const Datum& datum = row.datum(column);
    if (!key.empty()) key += ' ';
    if (datum.empty()) continue;
    const Atom atom = datum.key(0);
    absl::StrAppend(&key, atom.type() == ovsdb::AtomType::kUuid ? atom.uuid().ToString()
                                                                : std::string(atom.string()));
  }
  return key;
}
template <int... kColumns>
std::string KeyOfColumns(const Replica&, const Row& row) {
  return JoinedKey(row, {kColumns...});
}

}  // namespace

void DeclareSouthboundTables(DesiredRows* rows) {
  rows->Declare(sb::DatapathBinding::kTable,
                {.key_of = &DatapathKey, .number_column = sb::DatapathBinding::kTunnelKey});
  rows->Declare(sb::SBGlobal::kTable,
                {.key_of = [](const Replica&, const Row&) { return std::string("global"); }});
  DesiredRows::Policy ports = ByName(sb::PortBinding::kLogicalPort);
  ports.number_column = sb::PortBinding::kTunnelKey;
  rows->Declare(sb::PortBinding::kTable, ports);
  rows->Declare(sb::AddressSet::kTable, ByName(sb::AddressSet::kName));
  rows->Declare(sb::LoadBalancer::kTable,
                {.key_of = [](const Replica&, const Row& row) { return row.uuid().ToString(); }});
  // Only those of load balancers, which are told by what refers to them.
  rows->Declare(
      sb::LogicalDPGroup::kTable,
      {.key_of = [](const Replica&, const Row&) { return std::string(); }, .delete_others = false});
  rows->Declare(sb::ServiceMonitor::kTable, {.key_of = &ServiceMonitorRowKey});
  rows->Declare(sb::AddressSet::kTable,
                ByName(sb::AddressSet::kName, {sb::AddressSet::kAddresses}));
  rows->Declare(sb::PortGroup::kTable, ByName(sb::PortGroup::kName, {sb::PortGroup::kPorts}));
  rows->Declare(sb::Meter::kTable, ByName(sb::Meter::kName));
  rows->Declare(sb::MeterBand::kTable, {.key_of = &MeterBandKey});
  rows->Declare(sb::ACLID::kTable,
                {.key_of = [](const Replica&, const Row& row) { return row.uuid().ToString(); }});
  rows->Declare(sb::DHCPOptions::kTable, ByName(sb::DHCPOptions::kName));
  rows->Declare(sb::DHCPv6Options::kTable, ByName(sb::DHCPv6Options::kName));
  // Others' roles and permissions are left alone, but there is one role of ours.
  DesiredRows::Policy roles = ByName(sb::RBACRole::kName);
  roles.is_foreign = &IsForeignRole;
  rows->Declare(sb::RBACRole::kTable, roles);
  rows->Declare(sb::RBACPermission::kTable, {.key_of = &PermissionKey, .delete_others = false});
  rows->Declare(sb::MulticastGroup::kTable,
                {.key_of = &MulticastGroupKey, .number_column = sb::MulticastGroup::kTunnelKey});
  rows->Declare(sb::IPMulticast::kTable, ByDatapath(sb::IPMulticast::kDatapath));
  rows->Declare(sb::HAChassisGroup::kTable, ByName(sb::HAChassisGroup::kName));
  rows->Declare(sb::HAChassis::kTable, {.key_of = &HaChassisRowKey});
  for (int table : {sb::Mirror::kTable, sb::DNS::kTable, sb::StaticMACBinding::kTable,
                    sb::ChassisTemplateVar::kTable}) {
    rows->Declare(table, {.key_of = &UuidKey, .keys_are_uuids = true});
  }
  rows->Declare(sb::BFD::kTable, {.key_of = &KeyOfColumns<sb::BFD::kLogicalPort, sb::BFD::kDstIp>});
  rows->Declare(sb::ECMPNexthop::kTable,
                {.key_of = &KeyOfColumns<sb::ECMPNexthop::kNexthop, sb::ECMPNexthop::kPort>});
  rows->Declare(
      sb::AdvertisedRoute::kTable,
      {.key_of = &KeyOfColumns<sb::AdvertisedRoute::kDatapath, sb::AdvertisedRoute::kLogicalPort,
                               sb::AdvertisedRoute::kIpPrefix, sb::AdvertisedRoute::kTrackedPort>});
}

void DeclareNorthboundTables(DesiredRows* rows) {
  const DesiredRows::Policy columns_only = {
      .key_of = &UuidKey,
      .insert = false,
      .delete_others = false,
  };
  rows->Declare(nb::NBGlobal::kTable,
                {.key_of = [](const Replica&, const Row&) { return std::string("global"); },
                 .delete_others = false});
  for (int table :
       {nb::LogicalSwitchPort::kTable, nb::LogicalRouterPort::kTable, nb::BFD::kTable}) {
    rows->Declare(table, columns_only);
  }
}

}  // namespace northd
