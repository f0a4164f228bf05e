#include "raft/log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "raft/planted_bugs.h"

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

Index Log::Newest(const std::deque<Index>& indexes, Index index) {
  const auto it = std::upper_bound(indexes.begin(), indexes.end(), index);
  return it == indexes.begin() ? 0 : *std::prev(it);
}

const ServersRef& Log::servers(Index index, Index* since) const {
  const Index newest = Newest(configurations_, index);
  if (since != nullptr) *since = newest == 0 ? snapshot_.index : newest;
  return newest == 0 ? snapshot_.servers : entry(newest).servers;
}

uint64_t Log::election_timer_ms(Index index) const {
  const Index newest = Newest(election_timers_, index);
  return newest == 0 ? snapshot_.election_timer_ms : entry(newest).election_timer_ms;
}

void Log::Append(Entry entry) {
  if (entry.servers != nullptr) configurations_.push_back(end());
  if (entry.election_timer_ms != 0) election_timers_.push_back(end());
  entries_.push_back(std::move(entry));
}

void Log::Truncate(Index index) {
  for (std::deque<Index>* indexes : {&configurations_, &election_timers_}) {
    while (!indexes->empty() && indexes->back() >= index) indexes->pop_back();
  }
  while (end() > index) entries_.pop_back();
}

std::deque<Entry> Log::Compact(SnapshotInfo snapshot) {
  if (!has_term(snapshot.index) || term(snapshot.index) != snapshot.term) {
    return Replace(std::move(snapshot));
  }
  for (std::deque<Index>* indexes : {&configurations_, &election_timers_}) {
    while (!indexes->empty() && indexes->front() <= snapshot.index) indexes->pop_front();
  }
  const Index last = snapshot.index - (Planted(Bug::kApplyTwiceAfterSnapshot) ? 1 : 0);
  // Those that stay are few.
  std::deque<Entry> kept;
  if (last >= first_index()) {
    const auto first_kept =
        entries_.begin() + static_cast<std::ptrdiff_t>(last + 1 - first_index());
    kept.assign(std::make_move_iterator(first_kept), std::make_move_iterator(entries_.end()));
    entries_.erase(first_kept, entries_.end());
    kept.swap(entries_);
  }
  snapshot_ = std::move(snapshot);
  return kept;
}

std::deque<Entry> Log::Replace(SnapshotInfo snapshot) {
  snapshot_ = std::move(snapshot);
  configurations_.clear();
  election_timers_.clear();
  return std::exchange(entries_, {});
}

}  // namespace raft
