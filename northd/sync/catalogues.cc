#include "northd/sync/catalogues.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "northd/replica/lookup.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

struct DhcpOption {
  const char* name;
  int code;
  const char* type;
};

constexpr DhcpOption kDhcpOptions[] = {
    {"offerip", 0, "ipv4"},
    {"netmask", 1, "ipv4"},
    {"router", 3, "ipv4"},
    {"dns_server", 6, "ipv4"},
    {"log_server", 7, "ipv4"},
    {"lpr_server", 9, "ipv4"},
    {"hostname", 12, "str"},
    {"domain_name", 15, "str"},
    {"swap_server", 16, "ipv4"},
    {"ip_forward_enable", 19, "bool"},
    {"policy_filter", 21, "ipv4"},
    {"default_ttl", 23, "uint8"},
    {"mtu", 26, "uint16"},
    {"broadcast_address", 28, "ipv4"},
    {"router_discovery", 31, "bool"},
    {"router_solicitation", 32, "ipv4"},
    {"arp_cache_timeout", 35, "uint32"},
    {"ethernet_encap", 36, "bool"},
    {"tcp_ttl", 37, "uint8"},
    {"tcp_keepalive_interval", 38, "uint32"},
    {"nis_server", 41, "ipv4"},
    {"ntp_server", 42, "ipv4"},
    {"netbios_name_server", 44, "ipv4"},
    {"netbios_node_type", 46, "uint8"},
    {"lease_time", 51, "uint32"},
    {"server_id", 54, "ipv4"},
    {"T1", 58, "uint32"},
    {"T2", 59, "uint32"},
    {"tftp_server", 66, "host_id"},
    {"bootfile_name", 67, "str"},
    {"domain_search_list", 119, "domains"},
    {"classless_static_route", 121, "static_routes"},
    {"tftp_server_address", 150, "ipv4"},
    {"path_prefix", 210, "str"},
    {"ms_classless_static_route", 249, "static_routes"},
    {"wpad", 252, "str"},
    {"next_server", 253, "ipv4"},
    {"bootfile_name_alt", 254, "str"},
};

constexpr DhcpOption kDhcpv6Options[] = {
    {"server_id", 2, "mac"},           {"ia_addr", 5, "ipv6"}, {"dns_server", 23, "ipv6"},
    {"domain_search", 24, "str"},      {"fqdn", 39, "domain"}, {"bootfile_name", 59, "str"},
    {"bootfile_name_alt", 254, "str"},
};

template <typename R>
void EmitOption(Context& ctx, const DhcpOption& option) {
  OutRow row = OutRow::Of<R>(option.name);
  row.Set(R::kName, option.name);
  row.Set(R::kCode, option.code);
  row.Set(R::kType, option.type);
  ctx.world().sb_rows.Emit(ctx, std::move(row));
}

struct Permission {
  const char* table;
  const char* authorization;
  bool insert_delete;
  std::vector<std::string> update;
};

const std::vector<Permission>& Permissions() {
  static const auto& permissions = *new std::vector<Permission>{
      {"Chassis",
       "name",
       true,
       {"nb_cfg", "external_ids", "encaps", "vtep_logical_switches", "other_config",
        "transport_zones"}},
      {"Chassis_Private", "name", true, {"nb_cfg", "nb_cfg_timestamp", "chassis", "external_ids"}},
      {"Controller_Event", "", true, {"chassis", "event_info", "event_type", "seq_num"}},
      {"Encap", "chassis_name", true, {"type", "options", "ip"}},
      {"FDB", "", true, {"dp_key", "mac", "port_key", "timestamp"}},
      {"Port_Binding",
       "",
       false,
       {"chassis", "additional_chassis", "encap", "additional_encap", "up", "virtual_parent",
        "options"}},
      {"MAC_Binding", "", true, {"logical_port", "ip", "mac", "datapath", "timestamp"}},
      {"Service_Monitor", "chassis_name", false, {"status"}},
      {"IGMP_Group", "chassis_name", true, {"address", "protocol", "chassis", "datapath", "ports"}},
      {"BFD", "chassis_name", false, {"status"}},
  };
  return permissions;
}

constexpr char kRole[] = "ovn-controller";

std::string KeyOf(absl::string_view table, absl::Span<const std::string> authorization,
                  bool insert_delete, std::vector<std::string> update) {
  std::sort(update.begin(), update.end());
  return absl::StrCat(table, " ", absl::StrJoin(authorization, ","), " ", insert_delete, " ",
                      absl::StrJoin(update, ","));
}

std::vector<std::string> TextsOf(const ovsdb::Datum& set) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < set.size(); ++i) texts.emplace_back(set.key(i).string());
  return texts;
}

}  // namespace

std::string PermissionKey(const Replica&, const ovsdb::Row& row) {
  using Columns = sb::RBACPermission;
  return KeyOf(
      row.datum(Columns::kTableColumn).key(0).string(), TextsOf(row.datum(Columns::kAuthorization)),
      row.datum(Columns::kInsertDelete).key(0).boolean(), TextsOf(row.datum(Columns::kUpdate)));
}

bool IsForeignRole(const ovsdb::Row& row) {
  return row.datum(sb::RBACRole::kName).key(0).string() != kRole;
}

std::monostate SyncCatalogues(Context& ctx, const std::monostate&) {
  for (const DhcpOption& option : kDhcpOptions) EmitOption<sb::DHCPOptions>(ctx, option);
  for (const DhcpOption& option : kDhcpv6Options) EmitOption<sb::DHCPv6Options>(ctx, option);

  DesiredRows& rows = ctx.world().sb_rows;
  std::vector<ovsdb::Atom> tables;
  std::vector<ovsdb::Atom> permissions;
  for (const Permission& permission : Permissions()) {
    const std::vector<std::string> authorization = {permission.authorization};
    const std::string key =
        KeyOf(permission.table, authorization, permission.insert_delete, permission.update);
    OutRow row = OutRow::Of<sb::RBACPermission>(key);
    row.Set(sb::RBACPermission::kTableColumn, permission.table);
    row.Set(sb::RBACPermission::kAuthorization, authorization);
    row.Set(sb::RBACPermission::kInsertDelete, permission.insert_delete);
    row.Set(sb::RBACPermission::kUpdate, permission.update);
    rows.Emit(ctx, std::move(row));
    tables.push_back(ovsdb::Atom::String(permission.table));
    permissions.push_back(ovsdb::Atom::Of(rows.Identity(sb::RBACPermission::kTable, key)));
  }
  OutRow role = OutRow::Of<sb::RBACRole>(kRole);
  role.Set(sb::RBACRole::kName, kRole);
  role.Set(sb::RBACRole::kPermissions, ovsdb::MakeDatum(tables, permissions));
  rows.Emit(ctx, std::move(role));
  return {};
}
constexpr engine::Kind<std::monostate> kSyncCatalogues{"sync_catalogues", &SyncCatalogues};

}  // namespace northd
