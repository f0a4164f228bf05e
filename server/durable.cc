#include "server/durable.h"

#include <utility>

#include "server/log_file.h"

namespace server {

struct GroupSync::State {
  base::Worker* worker;
  Done done;  // Null once the owner is gone.
  std::shared_ptr<LogSync> log;
  uint64_t asked = 0;
  uint64_t synced = 0;
  bool running = false;
  bool held = false;
};

GroupSync::GroupSync(base::Worker* worker, Done done) : state_(std::make_shared<State>()) {
  state_->worker = worker;
  state_->done = std::move(done);
}

GroupSync::~GroupSync() { state_->done = nullptr; }

void GroupSync::Ask(std::shared_ptr<LogSync> log, uint64_t position) {
  state_->log = std::move(log);
  state_->asked = position;
  Start(state_);
}

void GroupSync::SetHeld(bool held) {
  state_->held = held;
  Start(state_);
}

void GroupSync::Start(const std::shared_ptr<State>& state) {
  if (state->running || state->held || state->asked == state->synced) return;
  state->running = true;
  const uint64_t position = state->asked;
  auto status = std::make_shared<absl::Status>();
  state->worker->Run([log = state->log, status] { *status = log->Run(); },
                     [state, status, position] {
                       state->running = false;
                       state->synced = position;
                       if (!state->done) return;
                       state->done(*status, position);
                       Start(state);
                     });
}

}  // namespace server
