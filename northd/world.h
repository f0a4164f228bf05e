// What the units of the translation see: the databases as inputs, and where their results go.
#ifndef NORTHD_WORLD_H_
#define NORTHD_WORLD_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "northd/engine/engine.h"
#include "northd/engine/relation.h"
#include "northd/model/lb_places.h"
#include "northd/model/numbers.h"
#include "northd/output/datapath_sets.h"
#include "northd/output/desired_rows.h"
#include "northd/output/flow_table.h"
#include "northd/replica/replica.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"

namespace northd {

class World {
 public:
  // `uuids` outlives this. No unit exists yet: see translation.h.
  explicit World(ovsdb::UuidGenerator* uuids);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  engine::Engine engine;
  Replica nb;
  Replica sb;
  DatapathSets datapath_sets;
  FlowTable flows;
  DesiredRows sb_rows;  // That the southbound shall have, and no others in these tables.
  DesiredRows nb_rows;  // Columns of rows that the northbound has already; a key is a row's UUID.
  Numbers numbers;

  // Of a Port_Group: the Logical_Switches that have some of its ports; and the other way round.
  engine::Relation<ovsdb::Uuid, ovsdb::Uuid> switches_of_port_group;
  engine::Relation<ovsdb::Uuid, ovsdb::Uuid> port_groups_of_switch;
  // Of a Logical_Switch or Port_Group that has ACLs: what is special about any of them (an
  // AclFact).
  engine::Relation<ovsdb::Uuid, uint32_t> acl_facts;
  // Of what ACLs and load balancers make of a switch (an AclState): the datapaths that are so.
  engine::Relation<uint32_t, DatapathNumber> datapaths_by_acl_state;

  // Of a Logical_Router and the name of a destination: the number of the ECMP group, or 0, and each
  // route there.
  engine::Relation<std::pair<ovsdb::Uuid, std::string>, std::pair<int64_t, ovsdb::Uuid>>
      routes_by_destination;
  // Of a Logical_Router and a Logical_Router_Policy that has several next hops: its number.
  engine::Relation<std::pair<ovsdb::Uuid, ovsdb::Uuid>, int64_t> numbers_of_policies;

  // Of a Logical_Router and the number of a part: the Logical_Router_Ports in it.
  engine::Relation<std::pair<ovsdb::Uuid, uint8_t>, ovsdb::Uuid> parts_of_router;
  // The places of all load balancers.
  engine::Relation<std::monostate, LbPlaces> lb_places;
  // Of the address of a VIP: the Load_Balancers that have it.
  engine::Relation<std::string, ovsdb::Uuid> load_balancers_of_vip;

  // Lets go of what is not used any more. Between passes.
  void Sweep();
};

// 25.03's, as built in.
ovsdb::SchemaRef NorthboundSchema();
ovsdb::SchemaRef SouthboundSchema();

}  // namespace northd

#endif  // NORTHD_WORLD_H_
