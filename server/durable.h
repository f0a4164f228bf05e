// Durability shared: whoever asks while an fsync is under way is served by the next one.
#ifndef SERVER_DURABLE_H_
#define SERVER_DURABLE_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "server/base/duration_histogram.h"
#include "server/base/loop.h"

namespace server {

class LogSync;

// Syncs one log on a helper thread. Loop thread only.
class GroupSync {
 public:
  // `done` is told of each sync: its status, and the position asked for that it covers. `worker`
  // outlives this.
  using Done = std::function<void(absl::Status status, uint64_t position)>;
  GroupSync(base::Worker* worker, Done done);
  ~GroupSync();
  GroupSync(const GroupSync&) = delete;
  GroupSync& operator=(const GroupSync&) = delete;

  // Asks for a sync of `log` that begins after this call; the newest log counts. Positions never
  // go back.
  void Ask(std::shared_ptr<LogSync> log, uint64_t position);
  // While held no sync begins; those asked for begin when it ends.
  void SetHeld(bool held);
  // How long each sync took.
  const base::DurationHistogram& durations() const;

 private:
  struct State;
  static void Start(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;  // Shared with the sync under way.
};

}  // namespace server

#endif  // SERVER_DURABLE_H_
