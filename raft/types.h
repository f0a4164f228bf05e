// What a replicated log is made of.
#ifndef RAFT_TYPES_H_
#define RAFT_TYPES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ovsdb/uuid.h"

namespace raft {

using ServerId = ovsdb::Uuid;
using ClusterId = ovsdb::Uuid;
using EntryId = ovsdb::Uuid;  // Of an entry with data: the transaction id that clients see.
using Term = uint64_t;        // At most 2^63 - 1, as on disk and on the wire.
using Index = uint64_t;  // Likewise. A log's first entry that is not in the first snapshot is 2.

// JSON text that the consensus carries and does not look into. Shared, never changed; null: none.
using Payload = std::shared_ptr<const std::string>;

// A configuration: who the members are and where they listen.
using Servers = std::map<ServerId, std::string>;
using ServersRef = std::shared_ptr<const Servers>;

inline constexpr uint64_t kDefaultElectionTimerMs = 1000;
inline constexpr uint64_t kMinElectionTimerMs = 100;
inline constexpr uint64_t kMaxElectionTimerMs = 600000;

// One entry of the log. With none of the three it is the no-op of a new term.
struct Entry {
  Term term = 0;
  Payload data;  // With an id, else null.
  EntryId eid;
  ServersRef servers;              // A new configuration.
  uint64_t election_timer_ms = 0;  // 0: unchanged.
};

// What stands for all entries up to `index`. The data itself may be large: it is kept elsewhere,
// and named by the index.
struct SnapshotInfo {
  Term term = 0;
  Index index = 0;
  EntryId eid;  // Of the newest entry with data in it.
  ServersRef servers;
  uint64_t election_timer_ms = kDefaultElectionTimerMs;
};

}  // namespace raft

#endif  // RAFT_TYPES_H_
