#include "northd/process/northd.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "northd/output/compare.h"
#include "northd/rows/nb_rows.h"
#include "northd/translation.h"
#include "server/base/coverage.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("ovn_northd");
base::LogModule engine_log("inc_proc_eng");

// Transactions by what came of them, as those who watch stock's know them.
base::Counter txn_incomplete("txn_incomplete");
base::Counter txn_success("txn_success");
base::Counter txn_unchanged("txn_unchanged");
base::Counter txn_error("txn_error");
base::Counter txn_try_again("txn_try_again");

constexpr char kLock[] = "ovn_northd";
// A pass leaves the loop to others after so long: echoes and the lock do not wait for it. A question
// on a new connection takes several turns.
constexpr int64_t kSliceMs = 5;
// Servers are tried one after the other at this pace: while a cluster elects a leader none will do,
// and the network waits for us once one is there.
constexpr int kMaxBackoffMs = 1000;
// What cannot be written is tried again after so long, and then after twice as long each time.
constexpr int64_t kFirstRetryMs = 100;
constexpr int64_t kMaxRetryMs = 10'000;
// A standby goes by the names and numbers that the active instance has chosen once nothing has
// changed for so long: until then either may be behind the other.
constexpr int64_t kAdoptMs = 1000;
// What has aged is looked for at least this often: the wall clock may be set.
constexpr int64_t kMaxAgingWaitMs = 60'000;

// An option of NB_Global as a number; `otherwise` where there is none.
int64_t GlobalOption(const Replica& northbound, absl::string_view name, int64_t otherwise) {
  int64_t found = otherwise;
  northbound.database().table(nb::NBGlobal::kTable).ForEach([&](const ovsdb::Row& row) {
    found = StringMap(row.datum(nb::NBGlobal::kOptions)).GetInt(name, otherwise);
  });
  return found;
}

// All rows as a change of an empty database.
ovsdb::Change ContentsOf(const ovsdb::Database& database) {
  ovsdb::Change change;
  for (const ovsdb::TableSchema& table : database.schema().tables) {
    ovsdb::TableChange rows;
    rows.table = table.index;
    database.table(table.index).ForEach([&](const ovsdb::Row& row) {
      rows.rows.push_back({nullptr, database.table(table.index).FindRef(row.uuid())});
    });
    if (!rows.rows.empty()) change.tables.push_back(std::move(rows));
  }
  return change;
}

}  // namespace

Northd::Northd(const base::StreamContext& context, const Options& options)
    : loop_(context.loop),
      uuids_(uint64_t{std::random_device()()} << 32 | std::random_device()()),
      world_(&uuids_),
      sb_rows_(&world_.sb_rows, &world_.sb),
      stale_rows_(&world_),
      aging_(&world_),
      nb_rows_(&world_.nb_rows, &world_.nb),
      flows_(&world_.flows, &world_.datapath_sets, &world_.sb, &uuids_),
      sequence_(&world_.nb),
      nb_options_(ClientOptions("OVN_Northbound", options.nb_remotes)),
      sb_options_(ClientOptions("OVN_Southbound", options.sb_remotes)),
      nb_(context, nb_options_, &world_.nb, &uuids_, CallbacksOf("NB")),
      sb_(context, sb_options_, &world_.sb, &uuids_, CallbacksOf("SB")),
      work_(context.loop, base::TurnEnd::kWork, [this] { Work(); }),
      next_slice_(context.loop, [this] { Work(); }),
      next_aged_(context.loop, [this] { Work(); }),
      adopt_(context.loop,
             [this] {
               changed_ = false;
               if (!sb_.has_lock()) Rebase(/*all=*/false);
             }),
      paused_(options.paused) {
  world_.sb.SetObserver([this](int table, const ovsdb::RowChange& change) {
    sb_rows_.Observe(table, change);
    stale_rows_.Observe(table, change);
    aging_.ObserveSouthbound(table, change);
    flows_.Observe(table, change);
  });
  sb_rows_.SetOnDelete(
      [this](int table, const ovsdb::Row& row) { stale_rows_.OnDelete(table, row); });
  world_.nb.SetObserver([this](int table, const ovsdb::RowChange& change) {
    nb_rows_.Observe(table, change);
    aging_.ObserveNorthbound(table, change);
  });
  if (!paused_) sb_.SetLock(kLock);
}

server::DbClient::Options Northd::ClientOptions(const char* database, const std::string& remotes) {
  server::DbClient::Options options;
  options.database = database;
  options.remotes = server::SplitRemotes(remotes);
  options.leader_only = true;
  options.max_backoff_ms = kMaxBackoffMs;
  return options;
}

Connection::Callbacks Northd::CallbacksOf(const char* database) {
  Connection::Callbacks callbacks;
  callbacks.on_contents = [this, database] { OnContents(database); };
  callbacks.on_change = [this, is_nb = absl::string_view(database) == "NB"] {
    changed_ = true;
    if (is_nb && nb_changed_us_ == 0) nb_changed_us_ = base::MonotonicUs();
    work_.Arm();
  };
  callbacks.on_lock = [this] { OnLock(); };
  return callbacks;
}

// ---- What happens ----

void Northd::OnContents(const char* database) {
  log.Info("OVN %s IDL reconnected, force recompute.", database);
  if (started_) {
    // Whatever was written before may be there or not, and numbers are what the southbound says.
    world_.numbers.Forget();
    Recompute();
    CheckAll();
  }
  work_.Arm();
}

void Northd::OnLock() {
  const bool active = sb_.has_lock();
  if (active == was_active_) return;
  was_active_ = active;
  if (!paused_) {
    log.Info(active ? "ovn-northd lock acquired. This ovn-northd instance is now active."
                    : "ovn-northd lock lost. This ovn-northd instance is now on standby.");
  }
  retry_ms_ = 0;
  adopt_.Stop();
  if (active && started_) {
    Rebase(/*all=*/false);
    stale_rows_.CheckAll();
    aging_.CheckAll();
  }
  work_.Arm();
}

// Others may have written meanwhile: what they gave UUIDs and numbers keeps them. `all` rows are
// looked at, or those that are not known to be right.
void Northd::Rebase(bool all) {
  if (!started_) return;
  const bool sb_adopted = world_.sb_rows.AdoptExisting(all);
  const bool nb_adopted = world_.nb_rows.AdoptExisting(all);
  if (all) CheckAll();
  if (!sb_adopted && !nb_adopted) return;
  world_.numbers.Forget();
  Recompute();
}

void Northd::SetPaused(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  if (paused) log.Info("This ovn-northd instance is now paused.");
  sb_.SetLock(paused ? "" : kLock);
}

absl::string_view Northd::status() const {
  return paused_ ? "paused" : sb_.has_lock() ? "active" : "standby";
}

void Northd::Recompute() {
  if (!started_) return;
  ++stats_.recomputes;
  world_.engine.TouchAll();
  work_.Arm();
}

// What is written is not known any more.
void Northd::CheckAll() {
  sb_rows_.CheckAll();
  stale_rows_.CheckAll();
  aging_.CheckAll();
  nb_rows_.CheckAll();
  flows_.CheckAll();
}

// Probes go to both databases as the northbound says.
void Northd::ApplySettings() {
  const int64_t probe = GlobalOption(world_.nb, "northd_probe_interval", -1);
  // Stock takes what is neither 0 nor at least a second for a second.
  const std::optional<int> interval =
      probe < 0 ? std::nullopt
                : std::optional<int>(static_cast<int>(
                      probe == 0 ? 0 : std::clamp<int64_t>(probe, 1000, 1'000'000'000)));
  if (interval == nb_options_.probe_interval_ms) return;
  nb_options_.probe_interval_ms = interval;
  sb_options_.probe_interval_ms = interval;
  nb_.SetOptions(nb_options_);
  sb_.SetOptions(sb_options_);
}

// ---- Passes ----

void Northd::Work() {
  if (!started_) {
    // Both contents are needed. One may have come from a server that is gone since, whose next one
    // tells only what has changed.
    if (!nb_.monitoring() || !sb_.monitoring()) return;
    started_ = true;
    ++stats_.recomputes;
    StartTranslation(&world_);
  }
  const int64_t now = base::MonotonicMs();
  if (!in_pass_) {
    if (now < not_before_ms_) {
      next_slice_.StartAt(not_before_ms_);
      return;
    }
    in_pass_ = true;
    pass_started_ms_ = base::WallMs();
    if (pass_changed_us_ == 0) pass_changed_us_ = std::exchange(nb_changed_us_, 0);
    pass_us_ = 0;
    ApplySettings();
  }
  const base::Activity activity("translating");
  const int64_t slice_us = base::MonotonicUs();
  const bool done = world_.engine.Run([now] { return base::MonotonicMs() >= now + kSliceMs; });
  pass_us_ += base::MonotonicUs() - slice_us;
  if (!done) {
    next_slice_.Start(0);
    return;
  }
  in_pass_ = false;
  OnPassDone();
  if (sb_.has_lock()) {
    WriteResults();
  } else {
    Settle();
  }
  AddSample("ovn-northd-loop", base::MonotonicMs() - now + pass_us_ / 1000);
  const int64_t backoff = GlobalOption(world_.nb, "northd-backoff-interval-ms", 0);
  if (backoff > 0) not_before_ms_ = base::MonotonicMs() + std::min(backoff, pass_us_ / 1000);
}

void Northd::OnPassDone() {
  ++stats_.passes;
  pass_durations_.Add(pass_us_);
  const int64_t pass_ms = pass_us_ / 1000;
  // Units of all kinds run as they are needed: it is all one.
  for (const char* name : {"ovnnb_db_run", "ovnsb_db_run", "build_lflows"}) {
    AddSample(name, pass_ms);
  }
  if (pass_ms < log_timeout_ms_) return;
  static base::RateLimit limit;
  engine_log.Log(limit, base::LogLevel::kInfo,
                 "a pass over all that was to be translated took %d ms", pass_ms);
}

// Compares what shall be with what the active instance has written.
void Northd::Settle() {
  if (sb_busy_ || nb_busy_) return;
  pass_changed_us_ = 0;
  world_.Sweep();
  sb_rows_.Settle();
  nb_rows_.Settle();
  flows_.Settle();
  // These are looked at when there is something to write.
  stale_rows_.CheckAll();
  aging_.CheckAll();
  world_.sb.Sweep();
  world_.nb.Sweep();
  if (changed_) adopt_.Start(kAdoptMs);
}

void Northd::WriteResults() {
  if (sb_busy_ || nb_busy_ || !sb_.has_lock() || !sb_.monitoring() || !nb_.monitoring()) return;
  const int64_t now = base::MonotonicMs();
  world_.Sweep();
  TransactionText southbound(&world_.sb.database().schema());
  southbound.AssertLock(kLock);
  sb_rows_.Write(&southbound);
  stale_rows_.Write(&southbound);
  const int64_t wall_ms = base::WallMs();
  if (const int64_t next = aging_.Write(&southbound, wall_ms); next != Aging::kNever) {
    next_aged_.StartAt(now + std::clamp<int64_t>(next - wall_ms, 1, kMaxAgingWaitMs));
  }
  flows_.Write(&southbound);
  world_.sb.Sweep();
  world_.nb.Sweep();
  sequence_.OnPass(pass_started_ms_);
  const int64_t changed_us = std::exchange(pass_changed_us_, 0);
  if (southbound.row_count() == 0) {
    ++txn_unchanged;
    sequence_.OnCommitted(base::WallMs());
  } else {
    Send(&sb_, southbound, &sb_busy_, [this, changed_us](bool committed) {
      if (committed) {
        if (changed_us != 0) latency_.Add(base::MonotonicUs() - changed_us);
        sequence_.OnCommitted(base::WallMs());
      } else {
        sequence_.OnFailed();
      }
    });
  }
  TransactionText northbound(&world_.nb.database().schema());
  nb_rows_.Write(&northbound);
  sequence_.Write(&northbound);
  if (northbound.row_count() != 0) Send(&nb_, northbound, &nb_busy_, nullptr);
  AddSample("lflows_to_sb", base::MonotonicMs() - now);
}

void Northd::AddSample(absl::string_view stopwatch, int64_t ms) {
  const auto found = std::find_if(stopwatches_.begin(), stopwatches_.end(),
                                  [&](const Stopwatch& s) { return s.name() == stopwatch; });
  found->AddSample(ms);
}

void Northd::Send(Connection* connection, const TransactionText& transaction, bool* busy,
                  std::function<void(bool)> done) {
  *busy = true;
  ++stats_.transactions;
  ++txn_incomplete;
  stats_.rows_written += transaction.row_count();
  connection->Transact(transaction.Params(), [this, connection, busy,
                                              done = std::move(done)](const absl::Status& status) {
    *busy = false;
    if (done) done(status.ok());
    if (status.ok()) {
      ++txn_success;
      retry_ms_ = 0;
    } else {
      ++(absl::IsUnavailable(status) ? txn_try_again : txn_error);
      ++stats_.failed_transactions;
      static base::RateLimit limit;
      log.WarnLimited(limit, "%s transaction failed: %s",
                      connection == &sb_ ? "southbound" : "northbound",
                      std::string(status.message()));
      Rebase(/*all=*/true);
      retry_ms_ = std::clamp(retry_ms_ * 2, kFirstRetryMs, kMaxRetryMs);
      not_before_ms_ = base::MonotonicMs() + retry_ms_;
    }
    work_.Arm();
  });
}

// ---- For people ----

absl::StatusOr<std::vector<std::string>> Northd::CompareWithScratch(size_t limit) {
  if (!started_ || in_pass_ || sb_busy_ || nb_busy_) {
    return absl::FailedPreconditionError("changes are being translated: try again");
  }
  ovsdb::UuidGenerator uuids(1);
  World scratch(&uuids);
  scratch.nb.Apply(ContentsOf(world_.nb.database()));
  scratch.sb.Apply(ContentsOf(world_.sb.database()));
  StartTranslation(&scratch);
  scratch.engine.Run();
  return Differences(&world_, &scratch, limit);
}

void Northd::ClearStats() {
  stats_ = Stats();
  world_.engine.ClearRunsByKind();
}

}  // namespace northd
