// What the units of the translation see: the databases as inputs, and where their results go.
#ifndef NORTHD_WORLD_H_
#define NORTHD_WORLD_H_

#include "northd/engine/engine.h"
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
};

// 25.03's, as built in.
ovsdb::SchemaRef NorthboundSchema();
ovsdb::SchemaRef SouthboundSchema();

}  // namespace northd

#endif  // NORTHD_WORLD_H_
