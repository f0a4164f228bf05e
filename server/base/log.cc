#include "server/base/log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/daemon.h"
#include "server/base/io_error.h"
#include "server/base/log_format.h"
#include "server/base/log_syslog.h"
#include "server/base/loop.h"
#include "server/base/options.h"
#include "server/base/unixctl.h"

namespace base {

namespace {

constexpr uint64_t kTokensPerMessage = 60'000;  // A bucket gains per_minute tokens each ms.
constexpr size_t kFlushBytes = 64 << 10;        // A file buffer beyond this is written at once.
constexpr char kLinePattern[] = "ovs|%05N|%c%T|%p|%m";
constexpr char kTargetPattern[] = "<%B>1 %D{%Y-%m-%dT%H:%M:%S.###Z} %E %A %P %c - \xef\xbb\xbf%m";

// By LogDestination.
constexpr const char* kDestinationNames[kLogDestinations] = {"syslog", "console", "file"};
constexpr int kSyslog = static_cast<int>(LogDestination::kSyslog);
constexpr int kConsole = static_cast<int>(LogDestination::kConsole);
constexpr int kFile = static_cast<int>(LogDestination::kFile);

struct Facility {
  const char* name;
  int code;  // RFC 5424 section 6.2.1.
};
constexpr Facility kFacilities[] = {
    {"kern", 0},    {"user", 1},    {"mail", 2},    {"daemon", 3},  {"auth", 4},    {"syslog", 5},
    {"lpr", 6},     {"news", 7},    {"uucp", 8},    {"clock", 9},   {"ftp", 11},    {"ntp", 12},
    {"audit", 13},  {"alert", 14},  {"clock2", 15}, {"local0", 16}, {"local1", 17}, {"local2", 18},
    {"local3", 19}, {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}};

struct NamedLevel {
  const char* name;
  LogLevel level;
};
constexpr NamedLevel kLevels[] = {{"off", LogLevel::kOff},   {"emer", LogLevel::kEmergency},
                                  {"err", LogLevel::kError}, {"warn", LogLevel::kWarning},
                                  {"info", LogLevel::kInfo}, {"dbg", LogLevel::kDebug}};

thread_local std::string thread_name;

LogModule log("vlog");

}  // namespace

// What modules of one name share.
struct LogModule::State {
  std::string name;
  std::atomic<int> highest{static_cast<int>(LogLevel::kInfo)};
  LogLevel levels[kLogDestinations] = {LogLevel::kInfo, LogLevel::kInfo, LogLevel::kInfo};
  bool honor_rate_limits = true;
};

// All state of logging. Its mutex guards everything but LogModule::State::highest.
class Logger {
 public:
  // Never destroyed: modules of other files may log while static objects are destroyed.
  static Logger& Get() {
    static auto* logger = new Logger;
    return *logger;
  }

  LogModule::State* Module(absl::string_view name) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<LogModule::State>& module = modules_[std::string(name)];
    if (module == nullptr) {
      module = std::make_unique<LogModule::State>();
      module->name = std::string(name);
      UpdateHighest(module.get());
    }
    return module.get();
  }

  void Write(const LogModule::State& module, LogLevel level, absl::string_view message) {
    std::lock_guard<std::mutex> lock(mutex_);
    LogRecord record = {level,     module.name, message,
                        program_,  thread_name, facility_ < 0 ? LOG_DAEMON : facility_,
                        ++number_, WallMs(),    MonotonicMs() - started_};
    if (level <= module.levels[kConsole]) WriteConsole(record);
    if (level <= module.levels[kSyslog]) WriteSyslog(record);
    if (level <= module.levels[kFile] && fd_ >= 0) WriteFile(record);
  }

  // Whether a message may pass. If others were dropped before it, logs how many.
  bool Allow(const LogModule::State& module, RateLimit& limit, LogLevel level) {
    std::string report;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!module.honor_rate_limits) return true;
      const int64_t now = MonotonicMs();
      const uint64_t gained =
          static_cast<uint64_t>(now - limit.last_fill_) * uint64_t{limit.per_minute_};
      limit.tokens_ = std::min(limit.tokens_ + gained, limit.burst_ * kTokensPerMessage);
      limit.last_fill_ = now;
      if (limit.tokens_ < kTokensPerMessage) {
        if (limit.dropped_++ == 0) limit.first_dropped_ = now;
        limit.last_dropped_ = now;
        return false;
      }
      limit.tokens_ -= kTokensPerMessage;
      if (limit.dropped_ == 0) return true;
      report = absl::StrFormat(
          "Dropped %d log messages in last %d seconds (most recently, %d seconds ago) due to "
          "excessive rate",
          limit.dropped_, (now - limit.first_dropped_) / 1000, (now - limit.last_dropped_) / 1000);
      limit.dropped_ = 0;
    }
    Write(module, level, report);
    return true;
  }

  void SetProgram(absl::string_view name) {
    std::lock_guard<std::mutex> lock(mutex_);
    program_ = std::string(name);
  }
  const std::string& program() const { return program_; }

  // `name` may be empty for all modules, `destination` -1 for all.
  void SetLevel(absl::string_view name, int destination, LogLevel level) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [module_name, module] : modules_) {
      if (!name.empty() && module_name != name) continue;
      for (int i = 0; i < kLogDestinations; i++) {
        if (destination < 0 || i == destination) module->levels[i] = level;
      }
      UpdateHighest(module.get());
    }
  }

  bool HasModule(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    return modules_.contains(name);
  }

  bool SetRateLimiting(const std::string& name, bool honor) {
    std::lock_guard<std::mutex> lock(mutex_);
    bool found = name.empty();
    for (auto& [module_name, module] : modules_) {
      if (!name.empty() && module_name != name) continue;
      module->honor_rate_limits = honor;
      found = true;
    }
    return found;
  }

  void SetPattern(int destination, absl::string_view pattern) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (int i = 0; i < kLogDestinations; i++) {
      if (destination < 0 || i == destination) patterns_[i] = std::string(pattern);
    }
  }

  void SetJson(bool json) {
    std::lock_guard<std::mutex> lock(mutex_);
    json_ = json;
  }

  void SetFacility(int facility) {
    std::lock_guard<std::mutex> lock(mutex_);
    facility_ = facility;
  }

  std::string List() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::string text =
        "                 console    syslog    file\n"
        "                 -------    ------    ------\n";
    for (const auto& [name, module] : modules_) {
      absl::StrAppendFormat(
          &text, "%-16s  %4s       %4s       %4s%s\n", name, LogLevelName(module->levels[kConsole]),
          LogLevelName(module->levels[kSyslog]), LogLevelName(module->levels[kFile]),
          module->honor_rate_limits ? "" : "    (rate limiting disabled)");
    }
    return text;
  }

  std::string ListPatterns() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::string text =
        "         prefix                            format\n"
        "         ------                            ------\n";
    for (int i = 0; i < kLogDestinations; i++) {
      absl::StrAppendFormat(&text, "%-9s%-34s%s\n", absl::AsciiStrToUpper(kDestinationNames[i]),
                            i == kSyslog ? GetSyslogger().prefix() : "none", patterns_[i]);
    }
    return text;
  }

  // Opens `name` in place of the present file, if any.
  absl::Status Open(const std::string& name) {
    const int fd = open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) {
      const int error = errno;
      log.Warn("failed to open %s for logging: %s", name, ErrnoText(error));
      return IoError(error);
    }
    bool same = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      same = SameFile(fd, fd_);
    }
    if (!same) Close();  // Says so in the old one.
    {
      std::lock_guard<std::mutex> lock(mutex_);
      CloseLocked();
      fd_ = fd;
      file_name_ = name;
      for (auto& [unused, module] : modules_) UpdateHighest(module.get());
    }
    if (!same) log.Info("opened log file %s", name);
    return absl::OkStatus();
  }

  void Close() {
    if (fd_ < 0) return;
    log.Info("closing log file");
    std::lock_guard<std::mutex> lock(mutex_);
    CloseLocked();
    for (auto& [unused, module] : modules_) UpdateHighest(module.get());
  }

  // For a handler of a fatal signal: takes no lock, as its owner may be this very thread.
  int WriteLastWords() {
    const int fd = fd_ >= 0 ? fd_ : STDERR_FILENO;
    if (fd_ >= 0) WriteAll(fd_, buffer_);
    return fd;
  }

  std::string file_name() {
    std::lock_guard<std::mutex> lock(mutex_);
    return file_name_;
  }

  void ChangeOwner(uid_t user, gid_t group) {
    std::lock_guard<std::mutex> lock(mutex_);
    // A failure shows when the file is opened again.
    if (fd_ >= 0) [[maybe_unused]]
      const int ignored = fchown(fd_, user, group);
  }

  absl::Status SetSyslogMethod(absl::string_view method) {
    absl::StatusOr<std::unique_ptr<Syslogger>> made = MakeSyslogger(method, program_);
    if (!made.ok()) return made.status();
    std::lock_guard<std::mutex> lock(mutex_);
    syslogger_ = *std::move(made);
    return absl::OkStatus();
  }

  // False if `target` cannot be sent to.
  bool SetSyslogTarget(absl::string_view target) {
    const int fd = OpenSyslogTarget(target);
    if (fd < 0) return false;
    std::lock_guard<std::mutex> lock(mutex_);
    if (target_fd_ >= 0) close(target_fd_);
    target_fd_ = fd;
    return true;
  }

  void Flush() {
    std::lock_guard<std::mutex> lock(mutex_);
    FlushLocked();
  }

  void Attach(Loop* loop) {
    std::lock_guard<std::mutex> lock(mutex_);
    FlushLocked();
    loop_thread_ = std::this_thread::get_id();
    turn_end_ = loop == nullptr
                    ? nullptr
                    : std::make_unique<TurnEnd>(loop, TurnEnd::kFlush, [] { FlushLog(); });
  }

 private:
  Logger() {
    for (std::string& pattern : patterns_) pattern = kLinePattern;
    patterns_[kConsole] = "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m";
    patterns_[kFile] = "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m";
  }

  static bool SameFile(int a, int b) {
    struct stat x;
    struct stat y;
    return b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
  }

  void UpdateHighest(LogModule::State* module) {
    LogLevel highest = std::max(module->levels[kSyslog], module->levels[kConsole]);
    if (fd_ >= 0) highest = std::max(highest, module->levels[kFile]);
    module->highest.store(static_cast<int>(highest), std::memory_order_relaxed);
  }

  Syslogger& GetSyslogger() {
    if (syslogger_ == nullptr) {
      const char* method = getenv("OVS_SYSLOG_METHOD");
      auto made = MakeSyslogger(method != nullptr && *method != '\0' ? method : "libc", program_);
      if (!made.ok()) made = MakeSyslogger("libc", program_);
      syslogger_ = *std::move(made);
    }
    return *syslogger_;
  }

  void AppendRecord(int destination, const LogRecord& record, std::string* out) const {
    if (json_) {
      AppendJsonLogRecord(record, out);
    } else {
      AppendLogRecord(patterns_[destination], record, out);
    }
  }

  void WriteConsole(const LogRecord& record) {
    std::string line;
    AppendRecord(kConsole, record, &line);
    line.push_back('\n');
    WriteAll(STDERR_FILENO, line);
  }

  void WriteSyslog(const LogRecord& record) {
    Syslogger& syslogger = GetSyslogger();
    const int priority = record.facility | SyslogPriority(record.level);
    std::string text;
    if (!syslogger.adds_prefix()) AppendLogRecord(syslogger.prefix(), record, &text);
    AppendLogRecord(patterns_[kSyslog], record, &text);
    syslogger.Send(priority, text);
    if (target_fd_ < 0) return;
    LogRecord to_target = record;
    if (facility_ < 0) to_target.facility = LOG_LOCAL0;
    text.clear();
    AppendLogRecord(kTargetPattern, to_target, &text);
    send(target_fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void WriteFile(const LogRecord& record) {
    AppendRecord(kFile, record, &buffer_);
    buffer_.push_back('\n');
    const bool later = turn_end_ != nullptr && std::this_thread::get_id() == loop_thread_ &&
                       record.level > LogLevel::kError && buffer_.size() < kFlushBytes;
    if (later) {
      turn_end_->Arm();
    } else {
      FlushLocked();
    }
  }

  static void WriteAll(int fd, absl::string_view data) {
    while (!data.empty()) {
      const ssize_t n = write(fd, data.data(), data.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;  // Nowhere to complain.
      data.remove_prefix(static_cast<size_t>(n));
    }
  }

  void FlushLocked() {
    if (fd_ >= 0) WriteAll(fd_, buffer_);
    buffer_.clear();
  }

  void CloseLocked() {
    FlushLocked();
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<LogModule::State>> modules_;
  std::string program_ = "boreas";
  std::string patterns_[kLogDestinations];
  bool json_ = false;  // On the console and in the file.
  int facility_ = -1;  // As in <syslog.h>; unset, each way to syslog has a default of its own.
  std::unique_ptr<Syslogger> syslogger_;
  int target_fd_ = -1;
  std::string file_name_;
  int fd_ = -1;
  std::string buffer_;
  std::unique_ptr<TurnEnd> turn_end_;
  std::thread::id loop_thread_;
  uint64_t number_ = 0;
  int64_t started_ = MonotonicMs();
};

namespace {

int FindDestination(absl::string_view word) {
  for (int i = 0; i < kLogDestinations; i++) {
    if (absl::EqualsIgnoreCase(word, kDestinationNames[i])) return i;
  }
  return -1;
}

absl::Status SetPattern(absl::string_view rest) {
  const size_t colon = std::min(rest.find(':'), rest.size());
  const absl::string_view name = rest.substr(0, colon);
  const int destination = FindDestination(name);
  if (name.empty()) return absl::InvalidArgumentError("missing destination");
  if (destination < 0 && !absl::EqualsIgnoreCase(name, "any")) {
    return absl::InvalidArgumentError(absl::StrCat("unknown destination \"", name, "\""));
  }
  Logger::Get().SetPattern(destination, rest.substr(std::min(colon + 1, rest.size())));
  return absl::OkStatus();
}

absl::Status SetFacility(absl::string_view name) {
  for (const Facility& facility : kFacilities) {
    if (absl::EqualsIgnoreCase(name, facility.name)) {
      Logger::Get().SetFacility(facility.code << 3);
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError("invalid facility");
}

// The words of a SPEC, one of each kind.
struct LevelSpec {
  std::string module;
  int destination = -1;
  const NamedLevel* level = nullptr;
};

absl::Status TakeWord(absl::string_view word, LevelSpec* spec) {
  const int destination = FindDestination(word);
  if (destination >= 0) {
    if (spec->destination >= 0) {
      return absl::InvalidArgumentError("cannot specify multiple destinations");
    }
    spec->destination = destination;
    return absl::OkStatus();
  }
  for (const NamedLevel& level : kLevels) {
    if (!absl::EqualsIgnoreCase(word, level.name)) continue;
    if (spec->level != nullptr) return absl::InvalidArgumentError("cannot specify multiple levels");
    spec->level = &level;
    return absl::OkStatus();
  }
  std::string module = absl::AsciiStrToLower(word);
  if (Logger::Get().HasModule(module)) {
    if (!spec->module.empty()) {
      return absl::InvalidArgumentError("cannot specify multiple modules");
    }
    spec->module = std::move(module);
    return absl::OkStatus();
  }
  if (absl::EqualsIgnoreCase(word, "any")) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("no destination, level, or module \"", word, "\""));
}

}  // namespace

LogModule::LogModule(const char* name)
    : state_(Logger::Get().Module(name)), highest_(&state_->highest) {}

void LogModule::Write(LogLevel level, absl::string_view message) {
  Logger::Get().Write(*state_, level, message);
}

bool LogModule::Allow(RateLimit& limit, LogLevel level) {
  return Logger::Get().Allow(*state_, limit, level);
}

void LogModule::Die(absl::string_view message) {
  // The console gets the plain form, as for any mistake on the command line.
  SilenceConsole();
  Write(LogLevel::kEmergency, message);
  base::Fatal(message);
}

void SetProgramName(absl::string_view name) { Logger::Get().SetProgram(name); }
const std::string& ProgramName() { return Logger::Get().program(); }
void SetThreadName(absl::string_view name) { thread_name = std::string(name); }

void KnowLogModule(absl::string_view name) { Logger::Get().Module(name); }

absl::Status SetLogLevels(absl::string_view spec) {
  const size_t colon = std::min(spec.find(':'), spec.size());
  const absl::string_view first = spec.substr(0, colon);
  const absl::string_view rest = spec.substr(std::min(colon + 1, spec.size()));
  if (absl::EqualsIgnoreCase(first, "PATTERN")) return SetPattern(rest);
  if (absl::EqualsIgnoreCase(first, "FACILITY")) return SetFacility(rest);

  LevelSpec words;
  for (absl::string_view word : absl::StrSplit(spec, absl::ByAnyChar(" ,:"), absl::SkipEmpty())) {
    absl::Status status = TakeWord(word, &words);
    if (!status.ok()) return status;
  }
  Logger::Get().SetLevel(words.module, words.destination,
                         words.level != nullptr ? words.level->level : LogLevel::kDebug);
  return absl::OkStatus();
}

void SetVerbosest() { Logger::Get().SetLevel("", -1, LogLevel::kDebug); }
void SilenceConsole() { Logger::Get().SetLevel("", kConsole, LogLevel::kOff); }

absl::Status SetLogFile(const char* file) {
  return Logger::Get().Open(file != nullptr ? file
                                            : absl::StrCat(LogDir(), "/", ProgramName(), ".log"));
}

void ChangeLogOwner(uid_t user, gid_t group) { Logger::Get().ChangeOwner(user, group); }

absl::Status SetLogFormat(absl::string_view format) {
  if (format != "text" && format != "json") {
    return absl::InvalidArgumentError(
        absl::StrCat("--log-format=", format, ": neither text nor json"));
  }
  Logger::Get().SetJson(format == "json");
  return absl::OkStatus();
}

absl::Status SetSyslogMethod(absl::string_view method) {
  return Logger::Get().SetSyslogMethod(method);
}

void SetSyslogTarget(absl::string_view target) {
  if (!absl::StrContains(target, ':')) {
    static LogModule socket_log("socket_util");
    socket_log.Error("%s: port must be specified", target);
    return;
  }
  if (!Logger::Get().SetSyslogTarget(target)) return;
  log.Warn("--syslog-target flag is deprecated, use --syslog-method instead");
}

void FlushLog() { Logger::Get().Flush(); }
int WriteLastWords() { return Logger::Get().WriteLastWords(); }
void CloseLogFile() { Logger::Get().Close(); }

absl::Status ReopenLogFile() {
  const std::string name = Logger::Get().file_name();
  if (name.empty()) return absl::FailedPreconditionError("Logging to file not configured");
  return Logger::Get().Open(name);
}

void AttachLog(Loop* loop) { Logger::Get().Attach(loop); }

void RegisterLogCommands(Unixctl* unixctl) {
  constexpr int kAny = Unixctl::kAnyNumber;
  unixctl->Register("vlog/set", "{spec | PATTERN:destination:pattern}", 0, kAny,
                    [](UnixctlArgs args, UnixctlReply reply) {
                      if (args.empty()) SetVerbosest();
                      for (const std::string& spec : args) {
                        absl::Status status = SetLogLevels(spec);
                        if (!status.ok()) return reply.Error(status.message());
                      }
                      reply.Text("");
                    });
  unixctl->Register("vlog/list", "", 0, 0,
                    [](UnixctlArgs, UnixctlReply reply) { reply.Text(Logger::Get().List()); });
  unixctl->Register("vlog/list-pattern", "", 0, 0, [](UnixctlArgs, UnixctlReply reply) {
    reply.Text(Logger::Get().ListPatterns());
  });
  unixctl->Register("vlog/reopen", "", 0, 0, [](UnixctlArgs, UnixctlReply reply) {
    absl::Status status = ReopenLogFile();
    if (!status.ok()) return reply.Error(status.message());
    reply.Text("");
  });
  unixctl->Register("vlog/close", "", 0, 0, [](UnixctlArgs, UnixctlReply reply) {
    CloseLogFile();
    reply.Text("");
  });
  for (const bool honor : {true, false}) {
    unixctl->Register(honor ? "vlog/enable-rate-limit" : "vlog/disable-rate-limit", "[module]...",
                      0, kAny, [honor](UnixctlArgs args, UnixctlReply reply) {
                        if (args.empty()) Logger::Get().SetRateLimiting("", honor);
                        for (const std::string& name : args) {
                          const bool any = absl::EqualsIgnoreCase(name, "any");
                          if (name.empty() || !Logger::Get().SetRateLimiting(
                                                  any ? "" : absl::AsciiStrToLower(name), honor)) {
                            return reply.Error("unknown module");
                          }
                        }
                        reply.Text("");
                      });
  }
}

}  // namespace base
