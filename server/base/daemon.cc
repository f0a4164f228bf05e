#include "server/base/daemon.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/loop.h"
#include "server/base/options.h"
#include "server/base/process.h"
#include "server/base/user.h"

namespace base {
namespace {

LogModule log("daemon_unix");
LogModule signal_log("fatal_signal");

// A daemon that crashes again sooner than this after a restart has to wait for the next.
constexpr int64_t kRestartIntervalMs = 10000;

// Signals of programming errors, after which --monitor starts a new copy.
constexpr int kCrashSignals[] = {SIGABRT, SIGALRM, SIGBUS,  SIGFPE, SIGILL,
                                 SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ};
// Those of them that come from the process itself.
constexpr int kFaults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
constexpr int kTerminationSignals[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM};

struct Directories {
  std::string run;
  std::string log;
  std::string db;
};

std::string Environment(const char* name, absl::string_view otherwise) {
  const char* value = getenv(name);
  return value != nullptr ? value : std::string(otherwise);
}

Directories MakeDirectories(const std::string& prefix, const std::string& package) {
  const std::string sysconf = Environment((prefix + "_SYSCONFDIR").c_str(), "/etc");
  return {Environment((prefix + "_RUNDIR").c_str(), "/var/run/" + package),
          Environment((prefix + "_LOGDIR").c_str(), "/var/log/" + package),
          Environment((prefix + "_DBDIR").c_str(), sysconf + "/" + package)};
}

Directories& GetDirectories() {
  static auto* directories = new Directories(MakeDirectories("OVS", "openvswitch"));
  return *directories;
}

// Files to remove, of this process alone.
struct ExitFiles {
  std::mutex mutex;
  std::set<std::string> paths;
  pid_t owner = 0;

  static ExitFiles& Get() {
    static auto* files = new ExitFiles;
    return *files;
  }
  void RemoveAll() {
    std::lock_guard<std::mutex> lock(mutex);
    if (owner != getpid()) return;
    for (const std::string& path : paths) unlink(path.c_str());
    paths.clear();
  }
};

void AtExit() {
  ExitFiles::Get().RemoveAll();
  FlushLog();
}

// Says why, then lets the signal have its way.
void OnFault(int signum) {
  const int fd = WriteLastWords();
  static constexpr char kText[] = "fatal signal, backtrace:\n";
  [[maybe_unused]] ssize_t ignored = write(fd, kText, sizeof kText - 1);
  void* frames[64];
  backtrace_symbols_fd(frames, backtrace(frames, std::size(frames)), fd);
  raise(signum);
}

void InstallFaultHandlers() {
  void* frame;
  backtrace(&frame, 1);  // Loads its library now, where allocating is safe.
  static char stack[64 << 10];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  for (const int signum : kFaults) {
    struct sigaction action = {};
    sigaction(signum, nullptr, &action);
    if (action.sa_handler != SIG_DFL) continue;  // A sanitizer's, which tells more.
    action = {};
    action.sa_handler = OnFault;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK | SA_NODEFER);
    sigaction(signum, &action, nullptr);
  }
}

bool IsCrash(int status) {
  return WIFSIGNALED(status) && std::find(std::begin(kCrashSignals), std::end(kCrashSignals),
                                          WTERMSIG(status)) != std::end(kCrashSignals);
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// How many bytes from argv[0] on are arguments, in whatever order getopt has left the pointers.
size_t ArgumentBytes(char** argv) {
  if (argv == nullptr || argv[0] == nullptr) return 0;
  std::set<char*> sorted;
  for (char** arg = argv; *arg != nullptr; arg++) sorted.insert(*arg);
  char* end = argv[0];
  for (auto arg = sorted.find(end); arg != sorted.end() && *arg == end; ++arg) {
    end += strlen(*arg) + 1;
  }
  return static_cast<size_t>(end - argv[0]);
}

// The pid of a process that holds a lock on `fd`; 0 if none does.
pid_t LockHolder(int fd) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
  return lock.l_pid;
}

}  // namespace

const std::string& RunDir() { return GetDirectories().run; }
const std::string& LogDir() { return GetDirectories().log; }
const std::string& DbDir() { return GetDirectories().db; }
void UseOvnDirectories() { GetDirectories() = MakeDirectories("OVN", "ovn"); }

std::string AbsoluteName(absl::string_view dir, absl::string_view name) {
  if (absl::StartsWith(name, "/")) return std::string(name);
  if (!dir.empty()) return absl::StrCat(dir, "/", name);
  static const std::string* const start = [] {
    char* cwd = getcwd(nullptr, 0);
    auto* text = new std::string(cwd != nullptr ? cwd : ".");
    free(cwd);
    return text;
  }();
  return absl::StrCat(*start, "/", name);
}

void RemoveAtExit(const std::string& path) {
  ExitFiles& files = ExitFiles::Get();
  std::lock_guard<std::mutex> lock(files.mutex);
  if (files.owner != getpid()) {
    files.owner = getpid();
    files.paths.clear();
    static const int registered = atexit(AtExit);
    static_cast<void>(registered);
  }
  files.paths.insert(path);
}

void KeepAtExit(const std::string& path) {
  std::lock_guard<std::mutex> lock(ExitFiles::Get().mutex);
  ExitFiles::Get().paths.erase(path);
}

int RemoveNow(const std::string& path) {
  KeepAtExit(path);
  return unlink(path.c_str()) == 0 ? 0 : errno;
}

TerminationSignals::TerminationSignals(Loop* loop, const std::function<void()>& before) {
  for (const int signum : kTerminationSignals) {
    struct sigaction inherited;
    // What nohup(1) and shells have us ignore stays ignored.
    if (sigaction(signum, nullptr, &inherited) == 0 && inherited.sa_handler == SIG_IGN) continue;
    watches_.push_back(std::make_unique<SignalWatch>(loop, signum, [signum, before] {
      signal_log.Warn("terminating with signal %d (%s)", signum, strsignal(signum));
      if (before) before();
      AtExit();
      signal(signum, SIG_DFL);
      raise(signum);
    }));
  }
}

TerminationSignals::~TerminationSignals() = default;

struct Daemon::Impl {
  DaemonOptions options;
  char** argv;
  // What ps shows: a monitor writes its title over it, and its daemons have it back.
  std::string command_line;
  std::string pidfile;    // Empty for none.
  int pidfile_fd = -1;    // Keeps its lock.
  int notify_fd = -1;     // To whom waits for this process to be ready.
  bool restarted = false;

  void CheckPidfile() const;
  void WritePidfile();
  pid_t Fork(int* ready_fd);
  pid_t ForkAndWait();
  void Monitor();
  void NotifyReady();
  void LoseTerminal() const;
  void SetTitle(const std::string& title) const;
};

Daemon::Daemon(DaemonOptions options, char** argv) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->argv = argv;
  if (const size_t n = ArgumentBytes(argv); n > 0) impl_->command_line.assign(argv[0], n);
  if (const auto& name = impl_->options.pidfile) {
    impl_->pidfile = AbsoluteName(RunDir(), name->empty() ? ProgramName() + ".pid" : *name);
  }
}

Daemon::~Daemon() = default;

bool Daemon::restarted() const { return impl_->restarted; }

void Daemon::Start() {
  AbsoluteName("", "x");  // Remembers the working directory.
  Impl& impl = *impl_;
  if (!impl.pidfile.empty() && !impl.options.overwrite_pidfile) impl.CheckPidfile();
  if (!impl.options.user.empty()) BecomeUser(impl.options.user, impl.pidfile);
  if (impl.options.detach) {
    if (impl.ForkAndWait() > 0) _exit(EXIT_SUCCESS);
    setsid();
  }
  if (impl.options.monitor) impl.Monitor();
  if (!impl.pidfile.empty()) impl.WritePidfile();
  InstallFaultHandlers();
}

void Daemon::Ready() {
  Impl& impl = *impl_;
  if (impl.options.detach) {
    if (impl.options.chdir && chdir("/") != 0) {
      log.Warn("failed to change to the root directory: %s", ErrnoText(errno));
    }
    impl.LoseTerminal();
  }
  impl.NotifyReady();
}

// Ends the process if another one holds the pid file.
void Daemon::Impl::CheckPidfile() const {
  const int fd = open(pidfile.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT) return;
    log.Warn("%s: open: %s", pidfile, ErrnoText(error));
    log.Fatal("%s: pidfile check failed (%s), aborting", pidfile, ErrnoText(error));
  }
  const pid_t holder = LockHolder(fd);
  close(fd);
  if (holder != 0) log.Fatal("%s: already running as pid %d, aborting", pidfile, holder);
}

void Daemon::Impl::WritePidfile() {
  // Written and locked under another name: nobody ever sees it empty or unlocked.
  const std::string temporary = pidfile + ".tmp";
  const int fd = open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) log.Fatal("%s: create failed (%s)", temporary, ErrnoText(errno));
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(fd, F_SETLK, &lock) != 0) {
    log.Fatal("%s: fcntl(F_SETLK) failed (%s)", temporary, ErrnoText(errno));
  }
  const std::string text = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 ||
      write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    log.Fatal("%s: write failed: %s", temporary, ErrnoText(errno));
  }
  if (rename(temporary.c_str(), pidfile.c_str()) != 0) {
    log.Fatal("failed to rename \"%s\" to \"%s\" (%s)", temporary, pidfile, ErrnoText(errno));
  }
  RemoveAtExit(pidfile);
  pidfile_fd = fd;
}

// Forks. The child gets notify_fd; the parent the pid, and where to hear that the child is ready.
pid_t Daemon::Impl::Fork(int* ready_fd) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) log.Fatal("pipe failed: %s", ErrnoText(errno));
  FlushLog();
  const pid_t pid = fork();
  if (pid < 0) log.Fatal("fork failed: %s", ErrnoText(errno));
  if (pid == 0) {
    close(ends[0]);
    if (notify_fd >= 0) close(notify_fd);
    notify_fd = ends[1];
    return 0;
  }
  close(ends[1]);
  *ready_fd = ends[0];
  return pid;
}

// Forks, and waits in the parent until the child is ready. If it ends before, so do we, and
// likewise.
pid_t Daemon::Impl::ForkAndWait() {
  int ready_fd;
  const pid_t pid = Fork(&ready_fd);
  if (pid == 0) return 0;
  char byte;
  ssize_t n;
  do {
    n = read(ready_fd, &byte, 1);
  } while (n < 0 && errno == EINTR);
  close(ready_fd);
  if (n == 1) return pid;
  const int status = WaitFor(pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) _exit(WEXITSTATUS(status));
  log.Fatal("child died before signaling startup (%s)", ProcessStatusText(status));
}

// Stays behind in the monitor, which ends with its daemon; returns in each daemon.
void Daemon::Impl::Monitor() {
  pid_t daemon = ForkAndWait();
  if (daemon == 0) return;
  NotifyReady();
  if (options.detach) LoseTerminal();
  prctl(PR_SET_NAME, "monitor");
  SetThreadName("monitor");
  int crashes = 0;
  std::string health = "healthy";
  int64_t last_restart = INT64_MIN / 2;
  for (;;) {
    CloseLogFile();
    SetTitle(absl::StrCat("monitoring pid ", daemon, " (", health, ")"));
    const int status = WaitFor(daemon);
    if (absl::IsFailedPrecondition(ReopenLogFile())) {
      SetLogFile(nullptr).IgnoreError();  // Nobody may be at the console to hear why it died.
    }
    const std::string how = absl::StrCat("pid ", daemon, " died, ", ProcessStatusText(status));
    if (!IsCrash(status)) {
      log.Info("%s, exiting", how);
      FlushLog();
      _exit(EXIT_SUCCESS);
    }
    crashes++;
    health = absl::StrCat(crashes, " crashes: ", how);
    const int64_t wait = last_restart + kRestartIntervalMs - MonotonicMs();
    if (wait > 0) {
      log.Warn("%s, waiting until %d seconds since last restart", health,
               kRestartIntervalMs / 1000);
      usleep(static_cast<useconds_t>(wait * 1000));
    }
    last_restart = MonotonicMs();
    log.Error("%s, restarting", health);
    int ready_fd;
    daemon = Fork(&ready_fd);
    if (daemon == 0) {
      restarted = true;
      if (!command_line.empty()) memcpy(argv[0], command_line.data(), command_line.size());
      SetThreadName(ProgramName());
      return;
    }
    close(ready_fd);
  }
}

void Daemon::Impl::NotifyReady() {
  if (notify_fd < 0) return;
  [[maybe_unused]] const ssize_t n = write(notify_fd, "", 1);  // Nobody listens after a restart.
  close(notify_fd);
  notify_fd = -1;
}

void Daemon::Impl::LoseTerminal() const {
  SilenceConsole();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  if (null > STDERR_FILENO) close(null);
}

// Shows `title` in ps, over the arguments the process was started with.
void Daemon::Impl::SetTitle(const std::string& title) const {
  const size_t room = command_line.size();
  if (room == 0) return;
  const std::string text = absl::StrCat(ProgramName(), ": ", title);
  memset(argv[0], 0, room);
  memcpy(argv[0], text.data(), std::min(text.size(), room - 1));
}

}  // namespace base
