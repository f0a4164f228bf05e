// Ways to hand log lines to syslog: the C library, or datagrams of our own.
#ifndef SERVER_BASE_LOG_SYSLOG_H_
#define SERVER_BASE_LOG_SYSLOG_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

class Syslogger {
 public:
  virtual ~Syslogger() = default;
  // Sends one line, formatted with prefix() before the pattern where that is ours to add.
  // `priority` is facility | level. Lost if nobody listens.
  virtual void Send(int priority, absl::string_view line) = 0;
  // The pattern of what precedes each line, as vlog/list-pattern shows it.
  virtual absl::string_view prefix() const = 0;
  virtual bool adds_prefix() const { return false; }  // The C library writes it.
};

// "libc", "null", "unix:FILE" or "udp:IP:PORT"; kInvalidArgument for anything else.
absl::StatusOr<std::unique_ptr<Syslogger>> MakeSyslogger(absl::string_view method,
                                                         const std::string& program);

// A UDP socket connected to HOST[:PORT] (port 514); negative errno value on failure.
int OpenSyslogTarget(absl::string_view target);

}  // namespace base

#endif  // SERVER_BASE_LOG_SYSLOG_H_
