#include "server/base/daemon.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base_test_util.h"
#include "server/base/log.h"
#include "server/base/loop.h"
#include "server/base/process.h"

namespace base {
namespace {

class DaemonTest : public testing::Test {
 protected:
  ~DaemonTest() override {
    const pid_t pid = Pid();
    if (pid > 0) kill(pid, SIGKILL);
  }

  DaemonOptions Options() const {
    DaemonOptions options;
    options.pidfile = pidfile_;
    return options;
  }

  // Starts a daemon as main() does, in a process of its own; `before_ready` runs in it.
  pid_t Start(const DaemonOptions& options, std::function<void()> before_ready = nullptr) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    const int out = open((dir_ / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    SetProgramName("daemon-test");
    SetLogLevels("console:off").IgnoreError();
    SetLogLevels("syslog:off").IgnoreError();
    SetLogLevels("PATTERN:file:%c%T|%p|%m").IgnoreError();
    SetLogFile((dir_ / "log").c_str()).IgnoreError();
    Daemon daemon(options, nullptr);
    daemon.Start();
    if (before_ready) before_ready();
    {
      Loop loop;
      const TerminationSignals signals(&loop, nullptr);
      RemoveAtExit(dir_ / "socket");
      std::ofstream(dir_ / "socket") << "x";
      daemon.Ready();
      loop.Run();
    }
    _exit(0);
  }

  static int Wait(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
  }

  // The pid in the file; 0 without one.
  pid_t Pid() const {
    int pid = 0;
    std::string text = ReadFile(pidfile_);
    return absl::SimpleAtoi(text, &pid) ? pid : 0;
  }

  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; i++) {
      if (holds()) return true;
      usleep(10000);
    }
    return false;
  }

  std::string Log() const { return ReadFile(dir_ / "log"); }
  bool Exists(const std::string& name) const { return access((dir_ / name).c_str(), F_OK) == 0; }

  TempDir dir_;
  std::string pidfile_ = dir_ / "pid";
};

TEST_F(DaemonTest, WritesItsPidAndCleansUpWhenTerminated) {
  const pid_t pid = Start(Options());
  ASSERT_TRUE(Eventually([&] { return Exists("socket"); }));
  EXPECT_EQ(ReadFile(pidfile_), absl::StrCat(pid, "\n"));
  kill(pid, SIGTERM);
  const int status = Wait(pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_FALSE(Exists("pid"));
  EXPECT_FALSE(Exists("socket"));
  EXPECT_TRUE(
      absl::StrContains(Log(), "fatal_signal|WARN|terminating with signal 15 (Terminated)\n"));
}

TEST_F(DaemonTest, RefusesAPidFileInUse) {
  const pid_t pid = Start(Options());
  ASSERT_TRUE(Eventually([&] { return Exists("socket"); }));
  const int status = Wait(Start(Options()));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_EQ(ReadFile(dir_ / "out"), absl::StrCat("daemon-test: ", pidfile_,
                                                 ": already running as pid ", pid, ", aborting\n"));
  EXPECT_EQ(Pid(), pid);

  DaemonOptions overwriting = Options();
  overwriting.overwrite_pidfile = true;
  const pid_t second = Start(overwriting);
  EXPECT_TRUE(Eventually([&] { return Pid() == second; }));
  kill(pid, SIGTERM);
  Wait(pid);
  kill(second, SIGTERM);
  Wait(second);
}

TEST_F(DaemonTest, TakesOverAStalePidFile) {
  std::ofstream(pidfile_) << "1\n";
  const pid_t pid = Start(Options());
  EXPECT_TRUE(Eventually([&] { return Pid() == pid; }));
  kill(pid, SIGTERM);
  Wait(pid);
}

TEST_F(DaemonTest, DetachedParentWaitsUntilTheDaemonIsReady) {
  DaemonOptions options = Options();
  options.detach = true;
  const pid_t parent = Start(options, [this] {
    usleep(100000);
    std::ofstream(dir_ / "slow") << "x";
  });
  const int status = Wait(parent);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(Exists("slow"));
  const pid_t daemon = Pid();
  ASSERT_GT(daemon, 0);
  EXPECT_NE(daemon, parent);
  EXPECT_EQ(getsid(daemon), daemon);
  char link[100] = "";
  ASSERT_GT(readlink(absl::StrCat("/proc/", daemon, "/cwd").c_str(), link, sizeof link - 1), 0);
  EXPECT_STREQ(link, "/");
  const ssize_t n =
      readlink(absl::StrCat("/proc/", daemon, "/fd/2").c_str(), link, sizeof link - 1);
  ASSERT_GT(n, 0);
  EXPECT_EQ(std::string(link, static_cast<size_t>(n)), "/dev/null");
  kill(daemon, SIGTERM);
  EXPECT_TRUE(Eventually([&] { return !Exists("pid"); }));
}

TEST_F(DaemonTest, DetachedParentPassesFailureOn) {
  DaemonOptions options = Options();
  options.detach = true;
  EXPECT_EQ(WEXITSTATUS(Wait(Start(options, [] { exit(7); }))), 7);
  EXPECT_FALSE(Exists("pid"));
  EXPECT_EQ(WEXITSTATUS(Wait(Start(options, [] { raise(SIGKILL); }))), 1);
  EXPECT_TRUE(absl::StrContains(ReadFile(dir_ / "out"),
                                "child died before signaling startup (killed (Killed))"));
}

TEST_F(DaemonTest, MonitorRestartsAfterACrashOnly) {
  DaemonOptions options = Options();
  options.detach = true;
  options.monitor = true;
  ASSERT_EQ(WEXITSTATUS(Wait(Start(options))), 0);
  const pid_t first = Pid();
  ASSERT_GT(first, 0);
  ASSERT_EQ(unlink((dir_ / "socket").c_str()), 0);
  kill(first, SIGABRT);  // Which the sanitizers leave alone.
  ASSERT_TRUE(Eventually([&] { return Exists("socket"); }));  // It serves again.
  const pid_t second = Pid();
  EXPECT_TRUE(absl::StrContains(Log(), absl::StrCat("daemon_unix(monitor)|ERR|1 crashes: pid ",
                                                    first, " died, killed (Aborted)")))
      << Log();
  kill(second, SIGTERM);
  EXPECT_TRUE(Eventually([&] {
    return absl::StrContains(Log(), absl::StrCat("daemon_unix(monitor)|INFO|pid ", second,
                                                 " died, killed (Terminated), exiting"));
  })) << Log();
  EXPECT_FALSE(Exists("pid"));
}

TEST_F(DaemonTest, LastWordsOfATurnSurviveACrash) {
  const pid_t pid = Start(Options(), [] {
    static LogModule log("crash_test");
    static Loop loop;
    AttachLog(&loop);
    log.Info("about to crash");
    abort();
  });
  const int status = Wait(pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
  EXPECT_TRUE(absl::StrContains(Log(), "crash_test|INFO|about to crash\n")) << Log();
}

TEST_F(DaemonTest, DropsPrivilegesForGood) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  chmod(dir_.path().c_str(), 0777);
  DaemonOptions options = Options();
  options.user = "nobody:nogroup";
  const pid_t pid = Start(options);
  ASSERT_TRUE(Eventually([&] { return Exists("socket"); }));
  const std::string status = ReadFile(absl::StrCat("/proc/", pid, "/status"));
  EXPECT_TRUE(absl::StrContains(status, "Uid:\t65534\t65534\t65534\t65534\n")) << status;
  EXPECT_TRUE(absl::StrContains(status, "Gid:\t65534\t65534\t65534\t65534\n")) << status;
  // As stock: bind low ports, lock memory, nothing else.
  EXPECT_TRUE(absl::StrContains(status, "CapEff:\t0000000000004400\n")) << status;
  EXPECT_TRUE(absl::StrContains(status, "CapBnd:\t0000000000000000\n")) << status;
  struct stat s;
  ASSERT_EQ(stat((dir_ / "log").c_str(), &s), 0);
  EXPECT_EQ(s.st_uid, 65534U);
  kill(pid, SIGTERM);
  Wait(pid);
}

TEST_F(DaemonTest, BadUsersAreRefusedInStocksWords) {
  DaemonOptions options = Options();
  const std::pair<const char*, std::string> cases[] = {
      {"nosuch-user", "user nosuch-user not found, aborting."},
      {"root:nosuch-group", "group nosuch-group not found, aborting."},
      {"root:nogroup",
       "Invalid --user option root:nogroup (user root is not in group nogroup), aborting."}};
  for (const auto& [user, text] : cases) {
    options.user = user;
    EXPECT_EQ(WEXITSTATUS(Wait(Start(options))), 1);
    EXPECT_EQ(ReadFile(dir_ / "out"), absl::StrCat("daemon-test: ", pidfile_, ": ", text, "\n"));
  }
}

TEST(ExitFilesTest, OfAParentAreNotTheChilds) {
  TempDir dir;
  const std::string file = dir / "file";
  std::ofstream(file) << "x";
  RemoveAtExit(file);
  const pid_t child = fork();
  if (child == 0) exit(0);
  int status;
  waitpid(child, &status, 0);
  EXPECT_EQ(access(file.c_str(), F_OK), 0);
  EXPECT_EQ(RemoveNow(file), 0);
  EXPECT_EQ(RemoveNow(file), ENOENT);
}

TEST(ProcessTest, ReportsHowItsChildEnded) {
  Loop loop;
  for (const auto& [command, text] :
       {std::pair<const char*, const char*>{"exit 3", "exit status 3"},
        {"true", "exit status 0"},
        {"kill -TERM $$", "killed (Terminated)"},
        {"nosuchcommand 2>/dev/null", "exit status 127"}}) {
    std::string how;
    auto process =
        Process::Run(&loop, command, [&](int status) { how = ProcessStatusText(status); });
    ASSERT_TRUE(process.ok());
    ASSERT_TRUE(RunUntil(&loop, [&] { return !how.empty(); })) << command;
    EXPECT_EQ(how, text) << command;
    EXPECT_EQ((*process)->pid(), 0);
  }
}

TEST(DirectoriesTest, NamesAreCompleted) {
  EXPECT_EQ(AbsoluteName("/run/x", "name"), "/run/x/name");
  EXPECT_EQ(AbsoluteName("/run/x", "/name"), "/name");
  char* cwd = getcwd(nullptr, 0);
  EXPECT_EQ(AbsoluteName("", "name"), absl::StrCat(cwd, "/name"));
  free(cwd);
}

}  // namespace
}  // namespace base
