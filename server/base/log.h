// Logging in stock's form: modules, levels, destinations (syslog, console, file), patterns and
// rates.
//
//   namespace { base::LogModule log("jsonrpc"); }
//   log.Info("%s: connected", name);
//   log.WarnLimited(limit, "%s: receive error: %s", name, text);   // static base::RateLimit limit;
//   if (log.on(base::LogLevel::kDebug)) log.Debug("%s", Expensive());
//
// Any thread may log. A message that no destination wants costs one load and a comparison (and its
// arguments). The file is written at the end of the loop's turn, or at once for errors and worse.
#ifndef SERVER_BASE_LOG_H_
#define SERVER_BASE_LOG_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace base {

class Loop;
class Unixctl;

enum class LogLevel : int { kOff = -1, kEmergency, kError, kWarning, kInfo, kDebug };
enum class LogDestination : int { kSyslog, kConsole, kFile };
inline constexpr int kLogDestinations = 3;

// A token bucket: `burst` messages at once, `per_minute` in the long run. Those above are counted
// and reported with the next one let through. Make one static object per message.
class RateLimit {
 public:
  explicit RateLimit(unsigned per_minute = 5, unsigned burst = 5)
      : per_minute_(per_minute), burst_(burst), tokens_(uint64_t{burst} * 60000) {}

 private:
  friend class LogModule;
  friend class Logger;
  unsigned per_minute_;
  unsigned burst_;
  uint64_t tokens_;  // In 1/60000 message.
  int64_t last_fill_ = 0;
  int64_t first_dropped_ = 0;
  int64_t last_dropped_ = 0;
  unsigned dropped_ = 0;
};

// A source of messages. Make one per file, at namespace scope; files may share a name.
class LogModule {
 public:
  explicit LogModule(const char* name);  // `name` must live for ever.
  LogModule(const LogModule&) = delete;
  LogModule& operator=(const LogModule&) = delete;

  bool on(LogLevel level) const {
    return static_cast<int>(level) <= highest_->load(std::memory_order_relaxed);
  }

  // `format` as in printf, checked at compile time.
  template <typename... Args>
  void Log(LogLevel level, const absl::FormatSpec<Args...>& format, const Args&... args) {
    if (on(level)) Write(level, absl::StrFormat(format, args...));
  }
  template <typename... Args>
  void Log(RateLimit& limit, LogLevel level, const absl::FormatSpec<Args...>& format,
           const Args&... args) {
    if (on(level) && Allow(limit, level)) Write(level, absl::StrFormat(format, args...));
  }

#define BASE_LOG_LEVEL(NAME, LEVEL)                                             \
  template <typename... Args>                                                   \
  void NAME(const absl::FormatSpec<Args...>& format, const Args&... args) {     \
    Log(LEVEL, format, args...);                                                \
  }                                                                             \
  template <typename... Args>                                                   \
  void NAME##Limited(RateLimit& limit, const absl::FormatSpec<Args...>& format, \
                     const Args&... args) {                                     \
    Log(limit, LEVEL, format, args...);                                         \
  }
  BASE_LOG_LEVEL(Emergency, LogLevel::kEmergency)
  BASE_LOG_LEVEL(Error, LogLevel::kError)
  BASE_LOG_LEVEL(Warn, LogLevel::kWarning)
  BASE_LOG_LEVEL(Info, LogLevel::kInfo)
  BASE_LOG_LEVEL(Debug, LogLevel::kDebug)
#undef BASE_LOG_LEVEL

  // Logs an emergency and ends the process with status 1 (a supervising --monitor does not restart
  // it).
  template <typename... Args>
  [[noreturn]] void Fatal(const absl::FormatSpec<Args...>& format, const Args&... args) {
    Die(absl::StrFormat(format, args...));
  }

  void Write(LogLevel level, absl::string_view message);  // Whatever its level.

 private:
  friend class Logger;
  struct State;
  bool Allow(RateLimit& limit, LogLevel level);
  [[noreturn]] void Die(absl::string_view message);

  State* state_;
  const std::atomic<int>* highest_;  // Most verbose level of any destination.
};

// Settings of the whole process.

// Must be called once, early: the name in messages and of the default log file.
void SetProgramName(absl::string_view name);
const std::string& ProgramName();
// The calling thread's name for %T; the main thread has none.
void SetThreadName(absl::string_view name);

// A SPEC of -v and vlog/set; the error's message is stock's.
absl::Status SetLogLevels(absl::string_view spec);
void SetVerbosest();    // -v without SPEC.
void SilenceConsole();  // What detaching does.
// Makes a module known that has nothing to say here, so that a SPEC may name it; and all modules of
// stock's libraries, which scripts may name.
void KnowLogModule(absl::string_view name);
void KnowStockLogModules();
// Opens the log file; null is LOGDIR/PROGRAM.log. A failure is logged, too.
absl::Status SetLogFile(const char* file);
void CloseLogFile();
absl::Status ReopenLogFile();  // After it was rotated; fails if there was none.
void ChangeLogOwner(uid_t user, gid_t group);
// Of lines on the console and in the file: "text", or "json" for an object in each.
absl::Status SetLogFormat(absl::string_view format);
absl::Status SetSyslogMethod(absl::string_view method);  // libc, unix:FILE, udp:IP:PORT, null
void SetSyslogTarget(absl::string_view target);          // HOST:PORT, additionally

// Writes what is buffered. The loop's turns do it after AttachLog.
void FlushLog();
// For the handler of a fatal signal: the same without a lock; returns where more may be written.
int WriteLastWords();
void AttachLog(Loop* loop);  // Null to detach.
// Registers vlog/*.
void RegisterLogCommands(Unixctl* unixctl);

}  // namespace base

#endif  // SERVER_BASE_LOG_H_
