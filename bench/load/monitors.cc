#include "bench/load/monitors.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "bench/load/network.h"

namespace load {
namespace {

struct Table {
  absl::string_view name;
  absl::string_view columns;
  absl::string_view where = {};  // At first; none: all rows.
};

constexpr Table kTables[] = {
    {"ACL_ID", R"("id")"},
    {"Address_Set", R"("addresses","name")"},
    {"Advertised_Route", R"("datapath","ip_prefix","logical_port","tracked_port")"},
    {"BFD",
     R"("chassis_name","detect_mult","disc","dst_ip","external_ids","logical_port","min_rx",)"
     R"("min_tx","options","src_port","status")"},
    {"Chassis", R"("encaps","external_ids","hostname","name","nb_cfg","other_config",)"
                R"("transport_zones","vtep_logical_switches")"},
    {"Chassis_Private", R"("chassis","name","nb_cfg","nb_cfg_timestamp")", "true"},
    {"Chassis_Template_Var", R"("chassis","variables")"},
    {"Controller_Event", R"("chassis","event_info","event_type","seq_num")", "false"},
    {"DHCP_Options", R"("code","name","type")"},
    {"DHCPv6_Options", R"("code","name","type")"},
    {"DNS", R"("datapaths","external_ids","options","records")", "false"},
    {"Datapath_Binding", R"("external_ids","load_balancers","tunnel_key")"},
    {"ECMP_Nexthop", R"("datapath","external_ids","mac","nexthop","port")"},
    {"Encap", R"("chassis_name","ip","options","type")"},
    {"FDB", R"("dp_key","mac","port_key","timestamp")", "false"},
    {"Gateway_Chassis", R"("chassis","name","options","priority")"},
    {"HA_Chassis", R"("chassis","priority")"},
    {"HA_Chassis_Group", R"("ha_chassis","name","ref_chassis")"},
    {"IGMP_Group", R"("address","chassis","chassis_name","datapath","ports","protocol")", "false"},
    {"IP_Multicast",
     R"("datapath","enabled","eth_src","idle_timeout","ip4_src","ip6_src","querier",)"
     R"("query_interval","query_max_resp","seq_no","table_size")",
     "false"},
    {"Learned_Route", R"("datapath","ip_prefix","logical_port","nexthop")"},
    {"Load_Balancer", R"("datapath_group","datapaths","external_ids","lr_datapath_group",)"
                      R"("ls_datapath_group","name","options","protocol","vips")"},
    {"Logical_DP_Group", R"("datapaths")", "true"},
    {"Logical_Flow",
     R"("actions","controller_meter","flow_desc","logical_datapath",)"
     R"("logical_dp_group","match","pipeline","priority","table_id","tags")",
     "false"},
    {"MAC_Binding", R"("datapath","ip","logical_port","mac","timestamp")", "false"},
    {"Meter", R"("bands","name","unit")"},
    {"Meter_Band", R"("action","burst_size","rate")"},
    {"Mirror", R"("external_ids","filter","index","name","sink","type")"},
    {"Multicast_Group", R"("datapath","name","ports","tunnel_key")", "false"},
    {"Port_Binding",
     R"("additional_chassis","additional_encap","chassis","datapath","encap",)"
     R"("gateway_chassis","ha_chassis_group","logical_port","mac","mirror_rules",)"
     R"("nat_addresses","options","parent_port","port_security",)"
     R"("requested_additional_chassis","requested_chassis","tag","tunnel_key",)"
     R"("type","up","virtual_parent")",
     R"(["type","==","external"],["type","==","chassisredirect"],["type","==","l3gateway"],)"
     R"(["type","==","l2gateway"],["type","==","patch"])"},
    {"Port_Group", R"("name","ports")"},
    {"RBAC_Permission", R"("authorization","insert_delete","table","update")"},
    {"RBAC_Role", R"("name","permissions")"},
    {"SB_Global", R"("connections","ipsec","nb_cfg","options","ssl")"},
    {"SSL", R"("bootstrap_ca_cert","ca_cert","certificate","private_key","ssl_ciphers",)"
            R"("ssl_ciphersuites","ssl_protocols")"},
    {"Service_Monitor", R"("chassis_name","external_ids","ip","logical_port","options","port",)"
                        R"("protocol","src_ip","src_mac","status")"},
    {"Static_MAC_Binding", R"("datapath","ip","logical_port","mac","override_dynamic_mac")"},
};

constexpr absl::string_view kMonitorId = R"(["monid","OVN_Southbound"])";

std::string Monitor(int version, bool conditional) {
  static constexpr absl::string_view kMethods[] = {"monitor", "monitor_cond", "monitor_cond_since"};
  const std::string tables = absl::StrJoin(kTables, ",", [&](std::string* out, const Table& table) {
    absl::StrAppend(out, "\"", table.name, "\":[{\"columns\":[", table.columns, "]");
    if (conditional && !table.where.empty()) absl::StrAppend(out, ",\"where\":[", table.where, "]");
    absl::StrAppend(out, "}]");
  });
  return absl::StrCat("{\"id\":1,\"method\":\"", kMethods[version - 1],
                      "\",\"params\":[\"OVN_Southbound\",", kMonitorId, ",{", tables, "}",
                      version == 3 ? ",\"00000000-0000-0000-0000-000000000000\"]}" : "]}");
}

}  // namespace

std::string MonitorRequest(int version) { return Monitor(version, false); }

std::string FirstConditionsRequest(int version) { return Monitor(version, true); }

std::string LocalConditionsRequest(uint64_t chassis, const std::vector<uint64_t>& datapaths) {
  // A clause per datapath in each table whose rows belong to one.
  const auto each = [&](absl::string_view column, absl::string_view function) {
    return absl::StrJoin(datapaths, ",", [&](std::string* out, uint64_t datapath) {
      absl::StrAppend(out, "[\"", column, "\",\"", function, "\",",
                      UuidJson(Kind::kDatapath, datapath), "]");
    });
  };
  const std::string datapath_is = each("datapath", "==");
  const std::string keys = absl::StrJoin(datapaths, ",", [](std::string* out, uint64_t datapath) {
    absl::StrAppend(out, "[\"dp_key\",\"==\",", datapath + 1, "]");
  });
  const std::string name = ChassisName(chassis);
  const std::string chassis_uuid = UuidJson(Kind::kChassis, chassis);
  const std::string chassis_is = absl::StrCat("[\"chassis\",\"==\",", chassis_uuid, "]");
  const auto where = [](absl::string_view table, absl::string_view clauses) {
    return absl::StrCat("\"", table, "\":[{\"where\":[", clauses, "]}]");
  };
  const std::string tables = absl::StrJoin(
      {
          where("Advertised_Route", datapath_is),
          where("Chassis_Private", absl::StrCat("[\"name\",\"==\",\"", name, "\"]")),
          where("Chassis_Template_Var", absl::StrCat("[\"chassis\",\"==\",\"", name, "\"]")),
          where("Controller_Event", chassis_is),
          where("DNS", each("datapaths", "includes")),
          where("ECMP_Nexthop", datapath_is),
          where("FDB", keys),
          where("IGMP_Group", chassis_is),
          where("IP_Multicast", datapath_is),
          where("Logical_Flow", absl::StrCat("[\"logical_dp_group\",\"!=\",[\"set\",[]]],",
                                             each("logical_datapath", "=="))),
          where("MAC_Binding", datapath_is),
          where("Multicast_Group", datapath_is),
          where(
              "Port_Binding",
              absl::StrCat("[\"type\",\"==\",\"external\"],[\"parent_port\",\"!=\",[\"set\",[]]],",
                           "[\"type\",\"==\",\"patch\"],[\"options\",\"includes\",[\"map\",[[",
                           "\"l2gateway-chassis\",\"", name, "\"]]]],[\"type\",\"==\",",
                           "\"chassisredirect\"],[\"options\",\"includes\",[\"map\",[[",
                           "\"l3gateway-chassis\",\"", name, "\"]]]],", datapath_is, ",",
                           chassis_is, ",[\"requested_chassis\",\"==\",", chassis_uuid, "]")),
      },
      ",");
  return absl::StrCat("{\"id\":2,\"method\":\"monitor_cond_change\",\"params\":[", kMonitorId, ",",
                      kMonitorId, ",{", tables, "}]}");
}

}  // namespace load
