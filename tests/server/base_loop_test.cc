#include "server/base/loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base_test_util.h"
#include "server/base/slow.h"

namespace base {
namespace {

TEST(LoopTest, TimersFireInOrderAndNeverEarly) {
  Loop loop;
  std::vector<int> fired;
  const int64_t start = MonotonicMs();
  int64_t first_at = 0;
  Timer late(&loop, [&] { fired.push_back(2); });
  Timer early(&loop, [&] {
    fired.push_back(1);
    first_at = MonotonicMs();
  });
  late.Start(30);
  early.Start(10);
  ASSERT_TRUE(RunUntil(&loop, [&] { return fired.size() == 2; }));
  EXPECT_EQ(fired, (std::vector<int>{1, 2}));
  EXPECT_GE(first_at - start, 10);
}

TEST(LoopTest, StoppedTimerDoesNotFire) {
  Loop loop;
  bool fired = false;
  bool done = false;
  Timer stopped(&loop, [&] { fired = true; });
  Timer end(&loop, [&] { done = true; });
  stopped.Start(1);
  end.Start(5);
  stopped.Stop();
  ASSERT_TRUE(RunUntil(&loop, [&] { return done; }));
  EXPECT_FALSE(fired);
}

TEST(LoopTest, CallbacksMayDestroyTheirObject) {
  Loop loop;
  auto destroyed = std::make_shared<int>(0);
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(&loop, [&timer, destroyed] {
    timer.reset();
    ++*destroyed;  // What the callback holds must live until it returns.
  });
  timer->Start(0);

  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  std::unique_ptr<FdWatch> watch;
  watch = std::make_unique<FdWatch>(&loop, pair[0], [&watch, destroyed](int) {
    watch.reset();
    ++*destroyed;
  });
  watch->Set(FdWatch::kWritable);

  std::unique_ptr<TurnEnd> end;
  end = std::make_unique<TurnEnd>(&loop, TurnEnd::kWork, [&end, destroyed] {
    end.reset();
    ++*destroyed;
  });
  end->Arm();

  std::unique_ptr<SignalWatch> signal_watch;
  signal_watch = std::make_unique<SignalWatch>(&loop, SIGUSR1, [&signal_watch, destroyed] {
    signal_watch.reset();
    ++*destroyed;
  });
  raise(SIGUSR1);
  EXPECT_TRUE(RunUntil(&loop, [&] { return *destroyed == 4; }));
  close(pair[0]);
  close(pair[1]);
}

TEST(LoopTest, WatchReportsReadabilityAndHangUp) {
  Loop loop;
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  int seen = 0;
  FdWatch watch(&loop, pair[0], [&](int events) { seen = events; });
  watch.Set(FdWatch::kReadable);
  loop.RunOnce(false);
  EXPECT_EQ(seen, 0);
  ASSERT_EQ(write(pair[1], "x", 1), 1);
  ASSERT_TRUE(RunUntil(&loop, [&] { return seen == FdWatch::kReadable; }));
  char c;
  ASSERT_EQ(read(pair[0], &c, 1), 1);
  seen = 0;
  close(pair[1]);
  EXPECT_TRUE(RunUntil(&loop, [&] { return seen == FdWatch::kReadable; }));
  watch.Set(FdWatch::kNone);
  close(pair[0]);
}

TEST(LoopTest, TurnEndsRunOncePerTurnWorkBeforeFlush) {
  Loop loop;
  std::string order;
  TurnEnd flush(&loop, TurnEnd::kFlush, [&] { order += 'f'; });
  TurnEnd work(&loop, TurnEnd::kWork, [&] {
    order += 'w';
    flush.Arm();
  });
  Timer timer(&loop, [&] {
    flush.Arm();
    work.Arm();
    work.Arm();
  });
  timer.Start(0);
  ASSERT_TRUE(RunUntil(&loop, [&] { return !order.empty(); }));
  EXPECT_EQ(order, "wf");
}

TEST(LoopTest, WorkArmedByFlushRunsInTheSameEnd) {
  Loop loop;
  std::string order;
  std::unique_ptr<TurnEnd> flush;
  TurnEnd work(&loop, TurnEnd::kWork, [&] {
    order += 'w';
    if (order.size() < 5) flush->Arm();
  });
  flush = std::make_unique<TurnEnd>(&loop, TurnEnd::kFlush, [&] {
    order += 'f';
    work.Arm();
  });
  flush->Arm();
  loop.RunOnce(false);
  EXPECT_EQ(order, "fwfwfw");
}

TEST(LoopTest, TurnEndsThatArmEachOtherForEverLeaveTheLoopRunning) {
  Loop loop;
  std::unique_ptr<TurnEnd> again;
  again = std::make_unique<TurnEnd>(&loop, TurnEnd::kWork, [&] { again->Arm(); });
  again->Arm();
  bool fired = false;
  Timer timer(&loop, [&] { fired = true; });
  timer.Start(1);
  EXPECT_TRUE(RunUntil(&loop, [&] { return fired; }));
}

TEST(LoopTest, TimerThatStartsItselfAgainLeavesOthersTheirTurns) {
  Loop loop;
  int runs = 0;
  std::unique_ptr<Timer> again;
  again = std::make_unique<Timer>(&loop, [&] {
    runs++;
    again->Start(0);
  });
  again->Start(0);
  uint64_t turn = loop.turn();
  for (int i = 1; i <= 5; i++) {
    loop.RunOnce(true);
    EXPECT_LE(runs, i);
    EXPECT_GT(loop.turn(), turn);
    turn = loop.turn();
  }
  bool fired = false;
  Timer other(&loop, [&] { fired = true; });
  other.Start(2);
  EXPECT_TRUE(RunUntil(&loop, [&] { return fired; }));
  EXPECT_GT(runs, 2);
  again->Stop();
  EXPECT_FALSE(again->active());
}

TEST(LoopTest, DestroyedTurnEndDoesNotRun) {
  Loop loop;
  bool ran = false;
  std::unique_ptr<TurnEnd> second;
  TurnEnd first(&loop, TurnEnd::kWork, [&] { second.reset(); });
  second = std::make_unique<TurnEnd>(&loop, TurnEnd::kWork, [&] { ran = true; });
  first.Arm();
  second->Arm();
  loop.RunOnce(false);
  EXPECT_FALSE(ran);
}

TEST(LoopTest, PostFromOtherThreadsKeepsEachThreadsOrder) {
  Loop loop;
  constexpr int kThreads = 4;
  constexpr int kTasks = 500;
  std::vector<std::vector<int>> seen(kThreads);
  int total = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; i++) {
        loop.Post([&, t, i] {
          seen[t].push_back(i);
          total++;
        });
      }
    });
  }
  EXPECT_TRUE(RunUntil(&loop, [&] { return total == kThreads * kTasks; }));
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& one : seen) {
    EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
  }
}

TEST(LoopTest, WorkRunsElsewhereAndReportsHere) {
  Loop loop;
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id worked;
  std::thread::id finished;
  bool done = false;
  loop.Work([&] { worked = std::this_thread::get_id(); },
            [&] {
              finished = std::this_thread::get_id();
              done = true;
            });
  ASSERT_TRUE(RunUntil(&loop, [&] { return done; }));
  EXPECT_NE(worked, here);
  EXPECT_EQ(finished, here);
}

TEST(LoopTest, DestructionDropsTheEndOfWorkUnderWay) {
  bool done = false;
  std::atomic<bool> worked = false;
  {
    Loop loop;
    loop.Work([&] { worked = true; }, [&] { done = true; });
  }
  EXPECT_TRUE(worked);
  EXPECT_FALSE(done);
}

TEST(WorkerTest, RunsJobsInOrder) {
  Loop loop;
  Worker worker(&loop);
  std::string order;
  for (char c = 'a'; c <= 'e'; c++) {
    auto made = std::make_shared<char>();
    worker.Run([made, c] { *made = c; }, [made, &order] { order += *made; });
  }
  EXPECT_EQ(worker.pending(), 5U);
  ASSERT_TRUE(RunUntil(&loop, [&] { return order.size() == 5; }));
  EXPECT_EQ(order, "abcde");
  EXPECT_EQ(worker.pending(), 0U);
}

TEST(WorkerTest, OneOfLowPriorityIsNiceAlone) {
  Loop loop;
  const auto niceness = [] {
    return getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
  };
  const int before = niceness();
  int low = 0;
  int normal = 0;
  Worker nice(&loop, Worker::Priority::kLow);
  Worker other(&loop);
  nice.Run([&] { low = niceness(); }, nullptr);
  other.Run([&] { normal = niceness(); }, [&] { loop.Stop(); });
  loop.Run();
  while (nice.pending() > 0) loop.RunOnce(/*wait=*/true);
  EXPECT_GT(low, before);
  EXPECT_EQ(normal, before);
  EXPECT_EQ(niceness(), before);
}

TEST(WorkerTest, DestructorFinishesJobsButDropsTheirEnds) {
  Loop loop;
  int worked = 0;
  bool done = false;
  {
    Worker worker(&loop);
    for (int i = 0; i < 3; i++) worker.Run([&] { worked++; }, [&] { done = true; });
  }
  EXPECT_EQ(worked, 3);
  loop.RunOnce(false);
  EXPECT_FALSE(done);
}

TEST(LoopTest, KeepsTheLongestTurn) {
  Loop loop;
  bool done = false;
  Timer slow(&loop, [&] {
    const int64_t end = MonotonicMs() + 20;
    while (MonotonicMs() < end) {
    }
    done = true;
  });
  slow.Start(0);
  ASSERT_TRUE(RunUntil(&loop, [&] { return done; }));
  EXPECT_GE(loop.longest_turn_ms(), 19);
  loop.ResetLongestTurn();
  EXPECT_EQ(loop.longest_turn_ms(), 0);
}

// Stops this process, in 50 ms and for `ms`.
class Freezer {
 public:
  explicit Freezer(int64_t ms) : pid_(fork()) {
    if (pid_ != 0) return;
    usleep(50'000);
    kill(getppid(), SIGSTOP);
    usleep(static_cast<useconds_t>(ms * 1000));
    kill(getppid(), SIGCONT);
    _exit(0);
  }
  ~Freezer() { waitpid(pid_, nullptr, 0); }

 private:
  const pid_t pid_;
};

TEST(LoopTest, NotesThatItWokeLate) {
  Loop loop;
  bool done = false;
  Timer timer(&loop, [&] { done = true; });
  const uint64_t before = SlowCount(SlowKind::kTurn);
  timer.Start(100);
  {
    const Freezer freezer(500);
    ASSERT_TRUE(RunUntil(&loop, [&] { return done; }));
  }
  ASSERT_EQ(SlowCount(SlowKind::kTurn), before + 1);
  int late = 0;
  ASSERT_EQ(sscanf(SlowThings().front().text.c_str(), "the process woke %d ms late", &late), 1)
      << SlowThings().front().text;
  EXPECT_GE(late, 350);  // Of about 450.
}

TEST(LoopTest, ALongTurnMakesNoTimerLateThatComesDueInIt) {
  constexpr int64_t kTurnMs = kSlowMs + 100;
  Loop loop;
  int64_t slow_at = 0;
  int64_t other_at = 0;
  Timer slow(&loop, [&] {
    usleep(static_cast<useconds_t>(kTurnMs) * 1000);
    slow_at = MonotonicMs();
  });
  Timer other(&loop, [&] {
    other_at = MonotonicMs();
    loop.Stop();
  });
  const uint64_t before = SlowCount(SlowKind::kTurn);
  slow.Start(1);
  other.Start(kTurnMs - 20);
  loop.Run();
  EXPECT_LT(other_at - slow_at, 90);
  ASSERT_EQ(SlowCount(SlowKind::kTurn), before + 1);
  EXPECT_EQ(SlowThings().front().text.find("the process was deaf for"), 0U);
}

TEST(LoopTest, RunEndsWithTheTurnOfStop) {
  Loop loop;
  bool flushed = false;
  TurnEnd end(&loop, TurnEnd::kFlush, [&] { flushed = true; });
  Timer timer(&loop, [&] {
    end.Arm();
    loop.Stop();
  });
  timer.Start(1);
  loop.Run();
  EXPECT_TRUE(flushed);
}

}  // namespace
}  // namespace base
