// The %-patterns of log lines, as vlog/set PATTERN takes them (ovs-appctl(8)).
#ifndef SERVER_BASE_LOG_FORMAT_H_
#define SERVER_BASE_LOG_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "server/base/log.h"

namespace base {

// All that a pattern can show of a message.
struct LogRecord {
  LogLevel level;
  absl::string_view module;
  absl::string_view message;
  absl::string_view program;
  absl::string_view thread;  // Empty for the main thread.
  int facility;              // As in <syslog.h>.
  uint64_t number;
  int64_t wall_ms;
  int64_t elapsed_ms;  // Since the program started.
};

// Appends `record` as `pattern` says; unknown escapes stand for their letter. Control characters in
// the message, which may hold what others sent, are written as "\n" and the like: a message is one
// line, and nobody can make it look like two.
void AppendLogRecord(absl::string_view pattern, const LogRecord& record, std::string* out);

// Appends `record` as an object of JSON, in one line: time, number, level, module, message,
// program, pid, and thread if it is not the main one.
void AppendJsonLogRecord(const LogRecord& record, std::string* out);

// "EMER", "ERR", "WARN", "INFO", "DBG", "OFF".
absl::string_view LogLevelName(LogLevel level);
// LOG_ALERT and so on.
int SyslogPriority(LogLevel level);

// Appends strftime's expansion of `format`, in which a run of '#' stands for the fraction of the
// second.
void AppendTime(const std::string& format, int64_t wall_ms, bool utc, std::string* out);

std::string HostName();

}  // namespace base

#endif  // SERVER_BASE_LOG_FORMAT_H_
