#include "raft/log.h"

#include <utility>

namespace raft {

Term Log::term(Index index) const {
  return index == snapshot_.index ? snapshot_.term : entry(index).term;
}

EntryId Log::eid(Index index) const {
  for (; index > snapshot_.index; --index) {
    if (entry(index).data != nullptr) return entry(index).eid;
  }
  return snapshot_.eid;
}

const ServersRef& Log::servers(Index index, Index* since) const {
  for (; index > snapshot_.index; --index) {
    if (entry(index).servers == nullptr) continue;
    if (since != nullptr) *since = index;
    return entry(index).servers;
  }
  if (since != nullptr) *since = snapshot_.index;
  return snapshot_.servers;
}

uint64_t Log::election_timer_ms(Index index) const {
  for (; index > snapshot_.index; --index) {
    if (entry(index).election_timer_ms != 0) return entry(index).election_timer_ms;
  }
  return snapshot_.election_timer_ms;
}

void Log::Append(Entry entry) {
  if (entry.data != nullptr) data_bytes_ += entry.data->size();
  entries_.push_back(std::move(entry));
}

void Log::Truncate(Index index) {
  while (end() > index) {
    if (entries_.back().data != nullptr) data_bytes_ -= entries_.back().data->size();
    entries_.pop_back();
  }
}

void Log::Compact(SnapshotInfo snapshot) {
  const bool has_last = has_term(snapshot.index) && term(snapshot.index) == snapshot.term;
  const Index keep_from = has_last ? snapshot.index + 1 : end();
  for (Index i = first_index(); i < keep_from; ++i) {
    if (entries_.front().data != nullptr) data_bytes_ -= entries_.front().data->size();
    entries_.pop_front();
  }
  snapshot_ = std::move(snapshot);
}

}  // namespace raft
