#include "northd/world.h"

#include "northd/sync/tables.h"
#include "schemas/ovn.h"

namespace northd {
namespace {

ovsdb::SchemaRef Parse(const char* text) {
  absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::ParseText(text);
  return schema.ok() ? *std::move(schema) : nullptr;
}

}  // namespace

ovsdb::SchemaRef NorthboundSchema() {
  static const ovsdb::SchemaRef& schema = *new ovsdb::SchemaRef(Parse(schemas::kNorthbound));
  return schema;
}

ovsdb::SchemaRef SouthboundSchema() {
  static const ovsdb::SchemaRef& schema = *new ovsdb::SchemaRef(Parse(schemas::kSouthbound));
  return schema;
}

World::World(ovsdb::UuidGenerator* uuids)
    : engine(this),
      nb(NorthboundSchema(), &engine),
      sb(SouthboundSchema(), &engine),
      datapath_sets(&engine),
      flows(&engine, &datapath_sets),
      sb_rows(&engine, &sb, uuids),
      nb_rows(&engine, &nb, uuids),
      switches_of_port_group(&engine),
      port_groups_of_switch(&engine),
      acl_facts(&engine),
      datapaths_by_acl_state(&engine),
      routes_by_destination(&engine),
      numbers_of_policies(&engine),
      parts_of_router(&engine),
      lb_places(&engine),
      load_balancers_of_vip(&engine) {
  DeclareSouthboundTables(&sb_rows);
  DeclareNorthboundTables(&nb_rows);
}

void World::Sweep() {
  datapath_sets.Sweep();
  switches_of_port_group.Sweep();
  port_groups_of_switch.Sweep();
  acl_facts.Sweep();
  datapaths_by_acl_state.Sweep();
  routes_by_destination.Sweep();
  numbers_of_policies.Sweep();
  parts_of_router.Sweep();
  lb_places.Sweep();
  load_balancers_of_vip.Sweep();
}

}  // namespace northd
