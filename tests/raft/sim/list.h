// The state machine that the simulated servers keep: a list to which unique numbers are appended.
//
// Servers hold a digest, which only one list of that length has; the observer has the list itself.
#ifndef TESTS_RAFT_SIM_LIST_H_
#define TESTS_RAFT_SIM_LIST_H_

#include <cstdint>
#include <optional>

#include "raft/types.h"

namespace raft::sim {

struct List {
  uint64_t length = 0;
  uint64_t last = 0;
  uint64_t digest = 0;

  void Append(uint64_t number) {
    ++length;
    last = number;
    digest = (digest ^ number) * 0x9e3779b97f4a7c15 + 1;
    digest ^= digest >> 29;
  }
  bool operator==(const List&) const = default;
};

// A command's text, and a snapshot's: JSON, as everything in the log.
Payload CommandPayload(uint64_t number);
Payload SnapshotPayload(const List& list);
std::optional<uint64_t> ParseCommand(const Payload& data);
std::optional<List> ParseSnapshot(const Payload& data);

// The id that the command with this number has as an entry, and back.
inline EntryId IdOfCommand(uint64_t number) { return EntryId{0xe000000000004000, number}; }
inline uint64_t CommandOfId(const EntryId& id) { return id.lo; }

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_LIST_H_
