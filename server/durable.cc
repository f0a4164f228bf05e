#include "server/durable.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/slow.h"
#include "server/log_file.h"

namespace server {

struct GroupSync::State {
  base::Worker* worker;
  Done done;  // Null once the owner is gone.
  std::shared_ptr<LogSync> log;
  uint64_t position = 0;
  bool asked = false;  // Since the last one began.
  bool running = false;
  bool held = false;
  base::DurationHistogram durations;
};

namespace {

void Account(int64_t took_us, const std::string& path, base::DurationHistogram* durations) {
  durations->Add(took_us);
  if (took_us < base::kSlowMs * 1000) return;
  base::NoteSlow(base::SlowKind::kSync,
                 absl::StrCat(path, ": the disk took ", took_us / 1000,
                              " ms to make it safe (fsync); who asked for that waited"));
}

}  // namespace

GroupSync::GroupSync(base::Worker* worker, Done done) : state_(std::make_shared<State>()) {
  state_->worker = worker;
  state_->done = std::move(done);
}

GroupSync::~GroupSync() { state_->done = nullptr; }

void GroupSync::Ask(std::shared_ptr<LogSync> log, uint64_t position) {
  state_->log = std::move(log);
  state_->position = position;
  state_->asked = true;
  Start(state_);
}

const base::DurationHistogram& GroupSync::durations() const { return state_->durations; }

void GroupSync::SetHeld(bool held) {
  state_->held = held;
  Start(state_);
}

void GroupSync::Start(const std::shared_ptr<State>& state) {
  if (state->running || state->held || !state->asked) return;
  state->running = true;
  state->asked = false;
  const uint64_t position = state->position;
  struct Job {
    std::shared_ptr<LogSync> log;
    absl::Status status;
    int64_t took_us = 0;
  };
  auto job = std::make_shared<Job>(Job{state->log, {}, 0});
  state->worker->Run(
      [job] {
        const int64_t start_us = base::MonotonicUs();
        job->status = job->log->Run();
        job->took_us = base::MonotonicUs() - start_us;
      },
      [state, job, position] {
        state->running = false;
        Account(job->took_us, job->log->path(), &state->durations);
        if (!state->done) return;
        state->done(job->status, position);
        Start(state);
      });
}

}  // namespace server
