#include "server/base/loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/base/log.h"
#include "server/base/slow.h"

namespace base {
namespace {

LogModule log("timeval");

constexpr int64_t kStallMs = 1000;
// Processor time is read at the beginning of a turn, but not more often than this.
constexpr int64_t kUsageSampleMs = 100;
// What a thread of low priority is nice by.
constexpr int kLowNice = 5;
// TurnEnds that arm each other for ever get this many rounds in one turn.
constexpr int kMaxTurnEndRounds = 16;

// Of the present turn, on the loop's thread: what took most of it.
struct LongestActivity {
  const char* what = nullptr;
  int64_t us = 0;
};
thread_local LongestActivity longest_activity;

template <typename Handle>
uv_handle_t* AsHandle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

// A callback that may destroy its owner, and so itself, while it runs.
template <typename... Args>
class GuardedCallback {
 public:
  explicit GuardedCallback(std::function<void(Args...)> function)
      : function_(std::move(function)) {}
  ~GuardedCallback() { Drop(); }

  void operator()(Args... args) {
    bool dropped = false;
    dropped_ = &dropped;
    std::function<void(Args...)> running = std::move(function_);
    running(args...);
    if (dropped) return;
    dropped_ = nullptr;
    function_ = std::move(running);
  }
  void Drop() {
    if (dropped_ != nullptr) *dropped_ = true;
    dropped_ = nullptr;
    function_ = nullptr;
  }

 private:
  std::function<void(Args...)> function_;
  bool* dropped_ = nullptr;
};

// libuv gives a handle's memory back only after a turn: an Impl outlives its owner until then.
template <typename Impl>
void CloseAndDelete(Impl* impl) {
  impl->callback.Drop();
  uv_close(AsHandle(&impl->handle),
           [](uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); });
}

int64_t Milliseconds(const timeval& later, const timeval& earlier) {
  return (later.tv_sec - earlier.tv_sec) * 1000 + (later.tv_usec - earlier.tv_usec) / 1000;
}

}  // namespace

int64_t MonotonicUs() { return static_cast<int64_t>(uv_hrtime() / 1000); }

int64_t MonotonicMs() { return static_cast<int64_t>(uv_hrtime() / 1000000); }

int64_t WallMs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void Activity::Note(const char* what, int64_t us) {
  if (us > longest_activity.us) longest_activity = {what, us};
}

struct Timer::Impl {
  uv_timer_t handle;
  Loop::Impl* loop;
  GuardedCallback<> callback;
  int64_t due_ms = 0;
  bool next_turn = false;  // Due without waiting: in Loop::Impl::next_turn.
};

struct TurnEnd::Impl {
  Loop::Impl* loop;
  Phase phase;
  GuardedCallback<> callback;
  bool armed = false;
};

struct Loop::Impl {
  uv_loop_t loop;
  uv_prepare_t before_wait;
  uv_check_t after_wait;
  uv_idle_t no_wait;  // While active, the loop does not wait.
  uv_async_t posted;
  bool stop = false;
  bool closing = false;

  std::mutex mutex;
  std::vector<Task> tasks;  // Guarded by mutex.

  std::vector<TurnEnd::Impl*> armed[2];  // By phase.

  // Timers due without waiting, and in which turn the oldest of them was started. libuv would run a
  // timer that starts itself again for ever, before anything else has its turn.
  std::vector<Timer::Impl*> next_turn;
  uint64_t next_turn_since = 0;

  bool once = false;    // RunOnce is running.
  int64_t wait_ms = 0;  // When the wait before this turn began. 0: none, or it has been judged.
  bool in_turn = false;
  uint64_t turn = 0;
  int64_t turn_start_us = 0;
  DurationHistogram turns;
  int64_t last_turn_ms = 0;
  int64_t longest_turn_ms = 0;
  int64_t usage_ms = 0;
  rusage usage = {};

  // To be called first in every callback from libuv.
  void EnterTurn() {
    if (in_turn) return;
    in_turn = true;
    turn_start_us = MonotonicUs();
    longest_activity = {};
    if (turn_start_us / 1000 - usage_ms >= kUsageSampleMs) SampleUsage();
  }

  void BeginWait() {
    // Or libuv would wait for the time of the turn once more.
    uv_update_time(&loop);
    wait_ms = static_cast<int64_t>(uv_now(&loop));
  }

  // To be called when the first timer of a turn runs, which was to end the wait at `due_ms`.
  void JudgeWait(int64_t due_ms) {
    if (wait_ms == 0) return;
    const int64_t late = turn_start_us / 1000 - std::max(due_ms, std::exchange(wait_ms, 0));
    if (late < kSlowMs) return;
    NoteSlow(SlowKind::kTurn,
             absl::StrFormat("the process woke %d ms late: it or its machine stood still, or there "
                             "was no processor for it",
                             late));
  }

  void SampleUsage() {
    getrusage(RUSAGE_THREAD, &usage);
    usage_ms = MonotonicMs();
  }

  void LeaveTurn() {
    turn++;
    last_turn_ms = 0;
    wait_ms = 0;
    if (!in_turn) return;
    in_turn = false;
    const int64_t elapsed_us = MonotonicUs() - turn_start_us;
    const int64_t elapsed = elapsed_us / 1000;
    turns.Add(elapsed_us);
    last_turn_ms = elapsed;
    longest_turn_ms = std::max(longest_turn_ms, elapsed);
    if (elapsed >= kSlowMs) NoteStall(elapsed);
  }

  void NoteStall(int64_t elapsed) {
    const rusage before = usage;
    SampleUsage();
    std::string text = absl::StrFormat("the process was deaf for %d ms (%d ms user, %d ms system)",
                                       elapsed, Milliseconds(usage.ru_utime, before.ru_utime),
                                       Milliseconds(usage.ru_stime, before.ru_stime));
    if (longest_activity.what != nullptr) {
      absl::StrAppend(&text, ", ", longest_activity.us / 1000, " ms of it ", longest_activity.what);
    }
    NoteSlow(SlowKind::kTurn, std::move(text));
    if (elapsed > kStallMs) LogStall(elapsed, before);
  }

  // As stock does.
  void LogStall(int64_t elapsed, const rusage& before) const {
    log.Warn("Unreasonably long %dms poll interval (%dms user, %dms system)", elapsed,
             Milliseconds(usage.ru_utime, before.ru_utime),
             Milliseconds(usage.ru_stime, before.ru_stime));
    if (usage.ru_minflt != before.ru_minflt || usage.ru_majflt != before.ru_majflt) {
      log.Warn("faults: %d minor, %d major", usage.ru_minflt - before.ru_minflt,
               usage.ru_majflt - before.ru_majflt);
    }
    if (usage.ru_inblock != before.ru_inblock || usage.ru_oublock != before.ru_oublock) {
      log.Warn("disk: %d reads, %d writes", usage.ru_inblock - before.ru_inblock,
               usage.ru_oublock - before.ru_oublock);
    }
    if (usage.ru_nvcsw != before.ru_nvcsw || usage.ru_nivcsw != before.ru_nivcsw) {
      log.Warn("context switches: %d voluntary, %d involuntary", usage.ru_nvcsw - before.ru_nvcsw,
               usage.ru_nivcsw - before.ru_nivcsw);
    }
  }

  void RunPosted() {
    std::vector<Task> now;
    {
      std::lock_guard<std::mutex> lock(mutex);
      now.swap(tasks);
    }
    for (Task& task : now) std::move(task)();
  }

  void AddNextTurn(Timer::Impl* timer) {
    if (next_turn.empty()) {
      next_turn_since = turn;
      uv_idle_start(&no_wait, [](uv_idle_t*) {});
    }
    timer->next_turn = true;
    next_turn.push_back(timer);
  }

  void RemoveNextTurn(Timer::Impl* timer) {
    if (!timer->next_turn) return;
    timer->next_turn = false;
    std::replace(next_turn.begin(), next_turn.end(), timer, static_cast<Timer::Impl*>(nullptr));
  }

  void RunNextTurn() {
    if (next_turn.empty() || next_turn_since == turn) return;
    EnterTurn();
    JudgeWait(0);
    // Callbacks may start and destroy: go by index over a list that only grows meanwhile.
    const size_t n = next_turn.size();
    for (size_t i = 0; i < n; i++) {
      Timer::Impl* timer = next_turn[i];
      if (timer == nullptr) continue;
      next_turn[i] = nullptr;
      timer->next_turn = false;
      timer->callback();
    }
    next_turn.erase(next_turn.begin(), next_turn.begin() + static_cast<ptrdiff_t>(n));
    next_turn_since = turn;
    if (next_turn.empty()) uv_idle_stop(&no_wait);
  }

  bool RunArmed(TurnEnd::Phase phase) {
    std::vector<TurnEnd::Impl*>& list = armed[phase];
    if (list.empty()) return false;
    // Callbacks may arm and destroy: go by index over a list that only grows meanwhile.
    const size_t n = list.size();
    for (size_t i = 0; i < n; i++) {
      TurnEnd::Impl* end = list[i];
      if (end == nullptr) continue;
      list[i] = nullptr;
      end->armed = false;
      end->callback();
    }
    list.erase(list.begin(), list.begin() + static_cast<ptrdiff_t>(n));
    return true;
  }

  bool has_armed() const {
    return !armed[TurnEnd::kWork].empty() || !armed[TurnEnd::kFlush].empty();
  }

  void EndTurn() {
    for (int round = 0; round < kMaxTurnEndRounds; round++) {
      if (RunArmed(TurnEnd::kWork)) continue;
      if (!RunArmed(TurnEnd::kFlush)) break;
    }
    if (has_armed()) uv_async_send(&posted);
    LeaveTurn();
  }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  signal(SIGPIPE, SIG_IGN);
  Impl* impl = impl_.get();
  uv_loop_init(&impl->loop);
  impl->loop.data = impl;
  uv_prepare_init(&impl->loop, &impl->before_wait);
  uv_prepare_start(&impl->before_wait, [](uv_prepare_t* handle) {
    auto* self = static_cast<Impl*>(handle->loop->data);
    // libuv runs timers before it waits, and then we end the turn: if that was anything, RunOnce
    // has what it waits for.
    if (self->once && (self->in_turn || self->has_armed())) uv_stop(handle->loop);
    self->EndTurn();
    self->BeginWait();
  });
  uv_check_init(&impl->loop, &impl->after_wait);
  uv_check_start(&impl->after_wait,
                 [](uv_check_t* handle) { static_cast<Impl*>(handle->loop->data)->RunNextTurn(); });
  uv_idle_init(&impl->loop, &impl->no_wait);
  uv_async_init(&impl->loop, &impl->posted, [](uv_async_t* handle) {
    auto* self = static_cast<Impl*>(handle->loop->data);
    self->EnterTurn();
    self->RunPosted();
  });
}

Loop::~Loop() {
  impl_->closing = true;
  uv_close(AsHandle(&impl_->before_wait), nullptr);
  uv_close(AsHandle(&impl_->after_wait), nullptr);
  uv_close(AsHandle(&impl_->no_wait), nullptr);
  uv_close(AsHandle(&impl_->posted), nullptr);
  uv_run(&impl_->loop, UV_RUN_DEFAULT);
  uv_loop_close(&impl_->loop);
}

void Loop::Run() {
  impl_->stop = false;
  while (!impl_->stop) uv_run(&impl_->loop, UV_RUN_DEFAULT);
  impl_->EndTurn();
}

void Loop::RunOnce(bool wait) {
  impl_->once = true;
  uv_run(&impl_->loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
  impl_->once = false;
  impl_->EndTurn();
}

void Loop::Stop() {
  impl_->stop = true;
  uv_stop(&impl_->loop);
}

int64_t Loop::Now() const { return static_cast<int64_t>(uv_now(&impl_->loop)); }

void Loop::Post(Task task) {
  {
    std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->tasks.push_back(std::move(task));
  }
  uv_async_send(&impl_->posted);
}

void Loop::Work(Task work, Task done) {
  struct Request {
    uv_work_t work;
    Impl* loop;
    Task job;
    Task done;
  };
  auto* request = new Request{{}, impl_.get(), std::move(work), std::move(done)};
  request->work.data = request;
  uv_queue_work(
      &impl_->loop, &request->work,
      [](uv_work_t* req) { std::move(static_cast<Request*>(req->data)->job)(); },
      [](uv_work_t* req, int) {
        std::unique_ptr<Request> owned(static_cast<Request*>(req->data));
        if (owned->loop->closing) return;
        owned->loop->EnterTurn();
        if (owned->done) std::move(owned->done)();
      });
}

int64_t Loop::last_turn_ms() const { return impl_->last_turn_ms; }
const DurationHistogram& Loop::turns() const { return impl_->turns; }
int64_t Loop::longest_turn_ms() const { return impl_->longest_turn_ms; }
uint64_t Loop::turn() const { return impl_->turn; }
void Loop::ResetLongestTurn() { impl_->longest_turn_ms = 0; }
uv_loop_s* Loop::uv() { return &impl_->loop; }

Timer::Timer(Loop* loop, Callback callback)
    : impl_(new Impl{{}, loop->impl_.get(), GuardedCallback<>(std::move(callback))}) {
  uv_timer_init(loop->uv(), &impl_->handle);
  impl_->handle.data = impl_;
}

Timer::~Timer() {
  impl_->loop->RemoveNextTurn(impl_);
  CloseAndDelete(impl_);
}

// 0 is a time that has passed, whatever the clock says.
void Timer::Start(int64_t ms) { StartAt(ms <= 0 ? 0 : MonotonicMs() + ms); }

void Timer::StartAt(int64_t monotonic_ms) {
  Stop();
  const int64_t ms = monotonic_ms - static_cast<int64_t>(uv_now(impl_->handle.loop));
  if (ms <= 0) return impl_->loop->AddNextTurn(impl_);
  impl_->due_ms = monotonic_ms;
  uv_timer_start(
      &impl_->handle,
      [](uv_timer_t* handle) {
        auto* self = static_cast<Impl*>(handle->data);
        self->loop->EnterTurn();
        self->loop->JudgeWait(self->due_ms);
        self->callback();
      },
      static_cast<uint64_t>(ms), 0);
}

void Timer::Stop() {
  impl_->loop->RemoveNextTurn(impl_);
  uv_timer_stop(&impl_->handle);
}

bool Timer::active() const {
  return impl_->next_turn || uv_is_active(AsHandle(&impl_->handle)) != 0;
}

struct FdWatch::Impl {
  uv_poll_t handle;
  Loop::Impl* loop;
  GuardedCallback<int> callback;
  int events = kNone;

  static int UvEvents(int events) {
    return ((events & kReadable) != 0 ? UV_READABLE : 0) |
           ((events & kWritable) != 0 ? UV_WRITABLE : 0);
  }

  static void OnEvents(uv_poll_t* handle, int status, int uv_events) {
    auto* self = static_cast<Impl*>(handle->data);
    self->loop->EnterTurn();
    int reported = ((uv_events & UV_READABLE) != 0 ? kReadable : 0) |
                   ((uv_events & UV_WRITABLE) != 0 ? kWritable : 0);
    if (status < 0) {
      // libuv stopped watching. Report what was asked for, so that I/O finds the error itself.
      uv_poll_start(handle, UvEvents(self->events), OnEvents);
      reported = self->events;
    }
    self->callback(reported);
  }
};

FdWatch::FdWatch(Loop* loop, int fd, std::function<void(int)> callback)
    : impl_(new Impl{{}, loop->impl_.get(), GuardedCallback<int>(std::move(callback))}) {
  uv_poll_init(loop->uv(), &impl_->handle, fd);
  impl_->handle.data = impl_;
}

FdWatch::~FdWatch() { CloseAndDelete(impl_); }

void FdWatch::Set(int events) {
  if (events == impl_->events) return;
  impl_->events = events;
  if (events == kNone) {
    uv_poll_stop(&impl_->handle);
  } else {
    uv_poll_start(&impl_->handle, Impl::UvEvents(events), Impl::OnEvents);
  }
}

int FdWatch::events() const { return impl_->events; }

struct SignalWatch::Impl {
  uv_signal_t handle;
  Loop::Impl* loop;
  GuardedCallback<> callback;
};

SignalWatch::SignalWatch(Loop* loop, int signum, Callback callback)
    : impl_(new Impl{{}, loop->impl_.get(), GuardedCallback<>(std::move(callback))}) {
  uv_signal_init(loop->uv(), &impl_->handle);
  impl_->handle.data = impl_;
  uv_signal_start(
      &impl_->handle,
      [](uv_signal_t* handle, int) {
        auto* self = static_cast<Impl*>(handle->data);
        self->loop->EnterTurn();
        self->callback();
      },
      signum);
}

SignalWatch::~SignalWatch() { CloseAndDelete(impl_); }

TurnEnd::TurnEnd(Loop* loop, Phase phase, Callback callback)
    : impl_(new Impl{loop->impl_.get(), phase, GuardedCallback<>(std::move(callback))}) {}

TurnEnd::~TurnEnd() {
  if (impl_->armed) {
    for (Impl*& end : impl_->loop->armed[impl_->phase]) {
      if (end == impl_) end = nullptr;
    }
  }
  delete impl_;
}

void TurnEnd::Arm() {
  if (impl_->armed) return;
  impl_->armed = true;
  impl_->loop->armed[impl_->phase].push_back(impl_);
}

struct Worker::Impl {
  // Of the calling thread alone: Linux has a niceness for each.
  static void BeNice() {
    const auto thread = static_cast<id_t>(syscall(SYS_gettid));
    errno = 0;
    const int nice = getpriority(PRIO_PROCESS, thread);
    if (errno == 0) setpriority(PRIO_PROCESS, thread, nice + kLowNice);
  }

  Loop* loop;
  Priority priority = Priority::kNormal;
  std::mutex mutex;
  std::condition_variable wake;
  struct Job {
    Task work;
    Task done;
  };
  std::deque<Job> jobs;  // Guarded by mutex, and so is:
  bool quit = false;
  // The loop's thread only:
  size_t pending = 0;
  bool gone = false;
  std::thread thread;

  static void Main(const std::shared_ptr<Impl>& self) {
    if (self->priority == Priority::kLow) BeNice();
    for (;;) {
      std::unique_lock<std::mutex> lock(self->mutex);
      self->wake.wait(lock, [&] { return self->quit || !self->jobs.empty(); });
      if (self->jobs.empty()) return;
      Job job = std::move(self->jobs.front());
      self->jobs.pop_front();
      lock.unlock();
      std::move(job.work)();
      job.work = nullptr;
      self->loop->Post([self, done = std::move(job.done)]() mutable {
        if (self->gone) return;
        self->pending--;
        if (done) std::move(done)();
      });
    }
  }
};

Worker::Worker(Loop* loop, Priority priority) : impl_(std::make_shared<Impl>()) {
  impl_->loop = loop;
  impl_->priority = priority;
  // Signals are for the loop's thread.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  impl_->thread = std::thread(&Impl::Main, impl_);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

Worker::~Worker() {
  {
    std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->quit = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
  impl_->gone = true;
}

void Worker::Run(Task work, Task done) {
  impl_->pending++;
  {
    std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->jobs.push_back({std::move(work), std::move(done)});
  }
  impl_->wake.notify_one();
}

size_t Worker::pending() const { return impl_->pending; }

}  // namespace base
