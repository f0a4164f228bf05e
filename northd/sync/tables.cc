#include "northd/sync/tables.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
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
  rows->Declare(sb::DatapathBinding::kTable, {.key_of = &DatapathKey});
  rows->Declare(sb::SBGlobal::kTable,
                {.key_of = [](const Replica&, const Row&) { return std::string("global"); }});
  rows->Declare(sb::PortBinding::kTable, ByName(sb::PortBinding::kLogicalPort));
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
