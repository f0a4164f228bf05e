#include "northd/process/northd.h"

#include <random>
#include <utility>

#include "northd/rows/sb_rows.h"
#include "northd/translation.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("ovn_northd");

constexpr char kLock[] = "ovn_northd";
// A pass leaves the loop to others after so long: echoes and the lock do not wait for it.
constexpr int64_t kSliceMs = 10;

}  // namespace

Northd::Northd(const base::StreamContext& context, const Options& options)
    : loop_(context.loop),
      uuids_(std::random_device()()),
      world_(&uuids_),
      sb_rows_(&world_.sb_rows, &world_.sb),
      nb_rows_(&world_.nb_rows, &world_.nb),
      flows_(&world_.flows, &world_.datapath_sets, &world_.sb, &uuids_),
      nb_(context, ClientOptions("OVN_Northbound", options.nb_remotes), &world_.nb, &uuids_,
          CallbacksOf()),
      sb_(context, ClientOptions("OVN_Southbound", options.sb_remotes), &world_.sb, &uuids_,
          CallbacksOf()),
      work_(context.loop, base::TurnEnd::kWork, [this] { Work(); }),
      next_slice_(context.loop, [this] { Work(); }) {
  world_.sb.SetObserver([this](int table, const ovsdb::RowChange& change) {
    sb_rows_.Observe(table, change);
    flows_.Observe(table, change);
  });
  world_.nb.SetObserver(
      [this](int table, const ovsdb::RowChange& change) { nb_rows_.Observe(table, change); });
  sb_.SetLock(kLock);
}

server::DbClient::Options Northd::ClientOptions(const char* database,
                                                const std::string& remotes) {
  server::DbClient::Options options;
  options.database = database;
  options.remotes = server::SplitRemotes(remotes);
  options.leader_only = true;
  return options;
}

Connection::Callbacks Northd::CallbacksOf() {
  Connection::Callbacks callbacks;
  callbacks.on_contents = [this] { OnContents(); };
  callbacks.on_change = [this] { work_.Arm(); };
  callbacks.on_lock = [this] { OnLock(); };
  callbacks.on_disconnected = [this] {};
  return callbacks;
}

void Northd::OnContents() {
  if (started_) {
    CheckAll();
  } else if (nb_.monitoring() && sb_.monitoring()) {
    started_ = true;
    StartTranslation(&world_);
  }
  work_.Arm();
}

// What is written is not known any more.
void Northd::CheckAll() {
  sb_rows_.CheckAll();
  nb_rows_.CheckAll();
  flows_.CheckAll();
}

void Northd::OnLock() {
  const bool active = sb_.has_lock();
  if (active == was_active_) return;
  was_active_ = active;
  log.Info(active ? "ovn-northd lock acquired. This ovn-northd instance is now active."
                  : "ovn-northd lock lost. This ovn-northd instance is now on standby.");
  work_.Arm();
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
  world_.engine.TouchAll();
  work_.Arm();
}

void Northd::Work() {
  if (!started_) return;
  const int64_t end = base::MonotonicMs() + kSliceMs;
  if (!world_.engine.Run([end] { return base::MonotonicMs() >= end; })) {
    next_slice_.Start(0);
    return;
  }
  WriteResults();
}

void Northd::WriteResults() {
  if (sb_busy_ || nb_busy_ || !sb_.has_lock() || !sb_.monitoring() || !nb_.monitoring()) return;
  world_.Sweep();
  TransactionText southbound(&world_.sb.database().schema());
  southbound.AssertLock(kLock);
  sb_rows_.Write(&southbound);
  flows_.Write(&southbound);
  TransactionText northbound(&world_.nb.database().schema());
  nb_rows_.Write(&northbound);
  world_.sb.Sweep();
  world_.nb.Sweep();
  const auto settle = [this](bool* busy, const char* database) {
    *busy = true;
    return [this, busy, database](const absl::Status& status) {
      *busy = false;
      if (!status.ok()) {
        static base::RateLimit limit;
        log.WarnLimited(limit, "%s transaction failed: %s", database,
                        std::string(status.message()));
        CheckAll();
      }
      work_.Arm();
    };
  };
  if (southbound.row_count() != 0) {
    sb_.Transact(southbound.Params(), settle(&sb_busy_, "southbound"));
  }
  if (northbound.row_count() != 0) {
    nb_.Transact(northbound.Params(), settle(&nb_busy_, "northbound"));
  }
}

}  // namespace northd
