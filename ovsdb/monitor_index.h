// The monitors of one database: which of them want a change, and what each is told.
//
// Monitors without conditions that ask for the same thing cost one text, however many they are.
// Conditions are indexed by the values that their clauses name, so that a change costs the monitors
// that want it, not those that are there.
#ifndef OVSDB_MONITOR_INDEX_H_
#define OVSDB_MONITOR_INDEX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ovsdb/change.h"
#include "ovsdb/dump.h"
#include "ovsdb/monitor.h"

namespace ovsdb {

class MonitorIndex;

// Whoever holds monitors (a session) derives from this to find itself again in a delivery.
class MonitorOwner {
 protected:
  ~MonitorOwner() = default;
};

// One session's monitor, registered from its creation to its destruction. It must be destroyed
// before its index.
//
// A monitor is either in step (it gets a Delivery for every change that concerns it) or paused:
// its reader is behind, and what it was sent last is a view that is kept as a snapshot. The holder
// pauses it at the snapshot of an initial update that is still being sent, or when the backlog
// of its session is over a limit, and has it catch up when the backlog is gone.
//
// What is made from the state that a database has now may be sent when that state is committed, if
// it is not yet: it does not change any more.
class Monitor {
 public:
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  MonitorOwner* owner() const { return owner_; }
  const std::string& id() const { return id_; }  // JSON text.
  const MonitorShapeRef& shape() const { return shape_; }
  MonitorVersion version() const { return shape_->version(); }
  const RowFilters& filters() const { return filters_; }

  // The initial contents: the current ones of `db`.
  std::unique_ptr<TextSource> Initial(const Database& db, Envelope envelope) const;
  // Instead of it, what `missed` (History::Since) changed.
  std::unique_ptr<TextSource> Since(Change missed, Envelope envelope) const;

  // Takes new filters and a new id, and returns the update from what the reader was sent to what it
  // is to see in the current state of `db`. A paused monitor stays paused, from now on at that
  // state.
  std::unique_ptr<TextSource> ChangeFilters(FilterRequest request, const Database& db,
                                            Envelope envelope);

  bool paused() const { return sent_.has_value(); }
  // No more deliveries; the reader has, or will have when its queue is sent, the state `sent`.
  void Pause(Snapshot sent);
  // The update from the state at which it was paused to `now`, the current one. Deliveries begin
  // again with the next change; or pause again at `now` if the update is itself long.
  std::unique_ptr<TextSource> Resume(Snapshot now, Envelope envelope);

 private:
  friend class MonitorIndex;
  struct TableWatch;
  Monitor(MonitorIndex* index, MonitorOwner* owner, MonitorRequest request);

  MonitorIndex* index_;
  MonitorOwner* owner_;
  std::string id_;
  MonitorShapeRef shape_;
  RowFilters filters_;
  std::optional<Snapshot> sent_;
  std::vector<TableWatch> watches_;  // One for each table, if any has a filter.
  std::vector<uint32_t> told_;       // While a change is published: the pieces for this monitor.
};

// An update to send: UpdatePrefix(...) + *updates + "]}".
struct Delivery {
  Monitor* monitor;
  Text updates;  // A whole table updates object. Often shared by many deliveries.
};

// Single-threaded.
class MonitorIndex {
 public:
  explicit MonitorIndex(SchemaRef schema);
  ~MonitorIndex();
  MonitorIndex(const MonitorIndex&) = delete;
  MonitorIndex& operator=(const MonitorIndex&) = delete;

  // A monitor that is in step from the next change on. The request must have been parsed with the
  // schema of this index.
  std::unique_ptr<Monitor> Add(MonitorRequest request, MonitorOwner* owner);

  // Appends what monitors are to be told of a change that was just committed, in no particular
  // order, at most once for each monitor. The deliveries hold until a monitor is destroyed.
  void Publish(const Change& change, std::vector<Delivery>* out);

  size_t monitor_count() const;
  // For memory/show: monitors that differ in more than their filters and versions,
  size_t kind_count() const;
  size_t text_count() const;  // and pieces of initial contents alive, to be shared.

 private:
  friend class Monitor;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovsdb

#endif  // OVSDB_MONITOR_INDEX_H_
