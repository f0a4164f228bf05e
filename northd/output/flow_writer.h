// The smallest change that makes the southbound's logical flows those of the flow table.
//
// Flows that apply to the same several datapaths share a Logical_DP_Group. When all flows of a
// group come to apply to others, the group is changed and not the flows.
#ifndef NORTHD_OUTPUT_FLOW_WRITER_H_
#define NORTHD_OUTPUT_FLOW_WRITER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "northd/output/datapath_sets.h"
#include "northd/output/flow_table.h"
#include "northd/output/transaction_text.h"
#include "northd/replica/replica.h"
#include "ovsdb/uuid.h"

namespace northd {

// The HintOf() what a Logical_Flow says that it is there for; 0 if it does not, or not in our way.
uint32_t HintOfRow(const ovsdb::Row& row);

class FlowWriter {
 public:
  FlowWriter(FlowTable* flows, DatapathSets* sets, Replica* southbound, ovsdb::UuidGenerator* uuids)
      : flows_(flows), sets_(sets), southbound_(southbound), uuids_(uuids) {}

  // A row of the southbound has changed, through us or others.
  void Observe(int table, const ovsdb::RowChange& change);
  // Looks at every row at the next Write().
  void CheckAll() { check_all_ = true; }
  // Adds what is to be written. Between passes of the engine.
  void Write(TransactionText* transaction);
  // While another instance writes: takes its rows and groups for what they are, and finds out what
  // is right already, so that Write() need not.
  void Settle();

 private:
  struct Group {
    ovsdb::Uuid uuid;
    DatapathSet set;
    uint32_t users = 0;
  };
  // A flow that is to apply to `target`.
  struct Move {
    uint32_t flow;
    DatapathSet target;
  };

  void LinkAll();
  void LinkRespelled();
  void LinkStrangers();
  void FollowGroups();
  bool Link(const ovsdb::Row& row, int64_t number);
  DatapathSet SetOf(const ovsdb::Row& group, bool* complete) const;
  void Unlink(uint32_t number);
  void SetGroup(FlowTable::Flow* flow, Group* group);
  void MoveGroups(const std::vector<Move>& moves);
  Group* GroupFor(const DatapathSet& set);
  Group* GroupOf(const ovsdb::Row& row);
  void SetMembers(Group* group, const DatapathSet& set);
  bool IsRight(const FlowTable::Flow& flow, const ovsdb::Row* row) const;
  ovsdb::Datum DatapathsOf(const DatapathSet& set) const;
  TransactionText::Columns Differences(const FlowTable::Flow& flow, const ovsdb::Row* row) const;
  void WriteFlow(uint32_t number, TransactionText* transaction);
  static ovsdb::Datum ExternalIds(const FlowTable::Flow& flow, uint32_t hint);

  FlowTable* const flows_;
  DatapathSets* const sets_;
  Replica* const southbound_;
  ovsdb::UuidGenerator* const uuids_;
  bool check_all_ = true;
  absl::flat_hash_map<ovsdb::Uuid, uint32_t> by_row_;
  std::vector<ovsdb::Uuid> strangers_;  // Rows that may be nobody's.
  absl::flat_hash_map<ovsdb::Uuid, std::unique_ptr<Group>> groups_;
  absl::flat_hash_map<DatapathSet, Group*> group_by_set_;
  absl::flat_hash_set<ovsdb::Uuid> touched_groups_;
};

}  // namespace northd

#endif  // NORTHD_OUTPUT_FLOW_WRITER_H_
