// The life of an ovn-northd: two databases, the lock that says who works, and passes of the
// translation between their changes.
//
// A pass brings all units up to date, in slices between which the loop serves others, whether this
// instance has the lock or not: a standby is warm. Only the holder of the lock writes, and only the
// holder asserts it in what it writes. A standby compares instead: what is there already it need
// not look at when its turn comes.
#ifndef NORTHD_PROCESS_NORTHD_H_
#define NORTHD_PROCESS_NORTHD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "northd/output/flow_writer.h"
#include "northd/output/row_writer.h"
#include "northd/process/connection.h"
#include "northd/process/sequence.h"
#include "northd/process/stopwatch.h"
#include "northd/sync/aging.h"
#include "northd/sync/stale_rows.h"
#include "northd/world.h"
#include "server/base/duration_histogram.h"
#include "server/base/loop.h"
#include "server/base/stream.h"

namespace northd {

// Loop thread only.
class Northd {
 public:
  struct Options {
    std::string nb_remotes;  // Separated by commas.
    std::string sb_remotes;
    bool paused = false;  // At the beginning.
  };
  struct Stats {
    uint64_t passes = 0;
    uint64_t recomputes = 0;  // Of the passes, those in which every unit ran.
    uint64_t rows_written = 0;
    uint64_t transactions = 0;
    uint64_t failed_transactions = 0;
  };

  Northd(const base::StreamContext& context, const Options& options);
  Northd(const Northd&) = delete;
  Northd& operator=(const Northd&) = delete;

  // Stops writing, and gives the lock to others; or takes part again.
  void SetPaused(bool paused);
  bool paused() const { return paused_; }
  // "active", "standby" or "paused".
  absl::string_view status() const;
  Connection& nb() { return nb_; }
  Connection& sb() { return sb_; }
  // Every unit runs again.
  void Recompute();
  // What differs between the present translation and one from scratch, for people; at most `limit`
  // lines. FailedPrecondition while there are changes to be translated or written. Takes as long as
  // a translation from scratch.
  absl::StatusOr<std::vector<std::string>> CompareWithScratch(size_t limit);

  World& world() { return world_; }
  const Stats& stats() const { return stats_; }
  // Of passes; and from the arrival of the first of some northbound changes until their consequences
  // are committed to the southbound.
  const base::DurationHistogram& pass_durations() const { return pass_durations_; }
  const base::DurationHistogram& latency() const { return latency_; }
  const Connection& nb() const { return nb_; }
  const Connection& sb() const { return sb_; }
  bool started() const { return started_; }  // Both contents have been here.
  const World& world() const { return world_; }
  void ClearStats();
  std::vector<Stopwatch>& stopwatches() { return stopwatches_; }
  // A pass that takes so long is logged.
  void SetLogTimeout(int64_t ms) { log_timeout_ms_ = ms; }

 private:
  static server::DbClient::Options ClientOptions(const char* database, const std::string& remotes);
  Connection::Callbacks CallbacksOf(const char* database);
  void OnContents(const char* database);
  void OnLock();
  void Rebase(bool all);
  void CheckAll();
  void Settle();
  void ApplySettings();
  // Goes on with what there is to do, a slice at a time.
  void Work();
  void OnPassDone();
  void WriteResults();
  void AddSample(absl::string_view stopwatch, int64_t ms);
  void Send(Connection* connection, const TransactionText& transaction, bool* busy,
            std::function<void(bool)> done);

  base::Loop* const loop_;
  ovsdb::UuidGenerator uuids_;
  World world_;
  RowWriter sb_rows_;
  StaleRows stale_rows_;
  Aging aging_;
  RowWriter nb_rows_;
  FlowWriter flows_;
  Sequence sequence_;
  server::DbClient::Options nb_options_;
  server::DbClient::Options sb_options_;
  Connection nb_;
  Connection sb_;
  base::TurnEnd work_;
  base::Timer next_slice_;
  base::Timer next_aged_;
  base::Timer adopt_;
  bool started_ = false;
  bool paused_ = false;
  bool was_active_ = false;
  bool changed_ = false;  // Something, since a standby went by what is written the last time.
  bool in_pass_ = false;
  bool nb_busy_ = false;  // A transaction is on its way.
  bool sb_busy_ = false;
  int64_t pass_started_ms_ = 0;  // Of the wall clock.
  int64_t pass_us_ = 0;          // Spent in the pass so far, and in the last one.
  int64_t not_before_ms_ = 0;    // The next pass: monotonic.
  int64_t retry_ms_ = 0;         // How long to wait after a transaction that failed.
  int64_t nb_changed_us_ = 0;    // When the first change came that no pass has looked at; 0: none.
  int64_t pass_changed_us_ = 0;  // The same of those that the present or last pass looks at.
  base::DurationHistogram pass_durations_;
  base::DurationHistogram latency_;
  Stats stats_;
  std::vector<Stopwatch> stopwatches_ = MakeStopwatches();
  int64_t log_timeout_ms_ = 500;
};

}  // namespace northd

#endif  // NORTHD_PROCESS_NORTHD_H_
