// The event loop: timers, file descriptors, signals, work on other threads, and an end to each
// turn.
//
//   base::Loop loop;
//   base::Timer probe(&loop, [&] { Probe(); });
//   probe.Start(5000);
//   loop.Run();
//
// The first loop makes the process ignore SIGPIPE. A turn is: callbacks of whatever is ready, then
// the armed TurnEnds, then wait. Everything here belongs to the thread that runs the loop, except
// Loop::Post. Objects must be destroyed before their loop; each may be destroyed within its own
// callback. No callback runs after destruction.
//
// A turn that takes 100 ms and more is noted as slow (slow.h), and so is a wait that ends so much
// later than the next timer was due: the process was stopped, or had no processor. While no timer
// is due a loop that stands still notices nothing.
#ifndef SERVER_BASE_LOOP_H_
#define SERVER_BASE_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "server/base/duration_histogram.h"

struct uv_loop_s;

namespace base {

// Milliseconds of the monotonic clock. The loop's Now() is this, read once a turn.
int64_t MonotonicMs();
int64_t MonotonicUs();  // Microseconds of the same.
// Milliseconds since the epoch.
int64_t WallMs();

using Callback = std::function<void()>;
using Task = absl::AnyInvocable<void()>;

// Measures something that a turn does, from here to the end of the scope, so that a turn that takes
// too long can tell what it spent its time with. For what may take milliseconds: not free.
class Activity {
 public:
  explicit Activity(const char* what) : what_(what), start_us_(MonotonicUs()) {}
  ~Activity() { Note(what_, MonotonicUs() - start_us_); }
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;

  // The same for what was measured otherwise. `what` lives for ever.
  static void Note(const char* what, int64_t us);

 private:
  const char* what_;
  int64_t start_us_;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs turns until Stop() is called in one; the turn is finished, its TurnEnds included.
  void Run();
  // One turn. Waits for something to happen if `wait`; otherwise handles what is ready.
  void RunOnce(bool wait);
  void Stop();

  // Monotonic milliseconds as of the beginning of this turn.
  int64_t Now() const;
  // How many turns have ended.
  uint64_t turn() const;

  // Runs `task` in the next turn. From any thread; tasks of one thread keep their order.
  void Post(Task task);

  // Runs `work` on a thread of the shared pool, then `done` on the loop. For short, rare jobs; a
  // job that may take seconds gets a Worker of its own. `done` runs even when the caller is gone:
  // it must own or check what it touches. ~Loop waits for works under way and drops their `done`.
  void Work(Task work, Task done);

  // How long the last turn took, waiting excluded.
  int64_t last_turn_ms() const;
  const DurationHistogram& turns() const;  // All turns in which something was done.
  // The longest turn so far, and a way to start anew.
  int64_t longest_turn_ms() const;
  void ResetLongestTurn();

  uv_loop_s* uv();

 private:
  friend class Timer;
  friend class FdWatch;
  friend class SignalWatch;
  friend class TurnEnd;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Calls back once, `ms` after Start (never early; at once in the next turn for 0 or less).
class Timer {
 public:
  Timer(Loop* loop, Callback callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void Start(int64_t ms);  // Restarts a running one.
  void StartAt(int64_t monotonic_ms);
  void Stop();
  bool active() const;

 private:
  friend class Loop;
  struct Impl;
  Impl* impl_;
};

// Watches a descriptor that the caller owns and keeps open for as long as this object lives.
// Level-triggered. Errors and hang-ups are reported as whatever was asked for.
class FdWatch {
 public:
  enum Events { kNone = 0, kReadable = 1, kWritable = 2 };

  FdWatch(Loop* loop, int fd, std::function<void(int events)> callback);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  void Set(int events);  // A union of Events; kNone stops watching.
  int events() const;

 private:
  struct Impl;
  Impl* impl_;
};

// Calls back on the loop for each delivery of a POSIX signal.
class SignalWatch {
 public:
  SignalWatch(Loop* loop, int signum, Callback callback);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct Impl;
  Impl* impl_;
};

// Something to do once at the end of a turn, before the loop waits, however often it was asked for:
// turn the changes of a turn into updates (kWork), then write to sockets and files (kFlush).
class TurnEnd {
 public:
  enum Phase { kWork, kFlush };

  TurnEnd(Loop* loop, Phase phase, Callback callback);
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

  // Runs the callback at the end of this turn, or now-or-later in the same end when armed from
  // another TurnEnd's callback.
  void Arm();

 private:
  friend class Loop;
  struct Impl;
  Impl* impl_;
};

// A thread of its own that runs jobs in order, for fsync, compaction and the like.
class Worker {
 public:
  // Low: the thread gets what the loop and other threads leave of the processors.
  enum class Priority { kNormal, kLow };

  explicit Worker(Loop* loop, Priority priority = Priority::kNormal);
  // Waits for the job under way and those queued; their `done` are not run.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // `work` on the thread, then `done` (may be null) on the loop. Call on the loop's thread.
  void Run(Task work, Task done);
  size_t pending() const;  // Jobs whose `done` has not run.

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace base

#endif  // SERVER_BASE_LOOP_H_
