#include "server/base/log_syslog.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace base {
namespace {

constexpr char kLibcPrefix[] = "<%B> %D{%h %e %T} %E %A: ";
constexpr char kDirectPrefix[] = "<%B>";

class LibcSyslogger : public Syslogger {
 public:
  explicit LibcSyslogger(const std::string& program) : program_(program) {
    openlog(program_.c_str(), LOG_NDELAY, LOG_DAEMON);
  }
  ~LibcSyslogger() override { closelog(); }
  void Send(int priority, absl::string_view line) override {
    syslog(priority, "%.*s", static_cast<int>(line.size()), line.data());
  }
  absl::string_view prefix() const override { return kLibcPrefix; }
  bool adds_prefix() const override { return true; }

 private:
  const std::string program_;  // openlog keeps the pointer.
};

class NullSyslogger : public Syslogger {
 public:
  void Send(int, absl::string_view) override {}
  absl::string_view prefix() const override { return ""; }
};

class DatagramSyslogger : public Syslogger {
 public:
  explicit DatagramSyslogger(int fd) : fd_(fd) {}
  ~DatagramSyslogger() override {
    if (fd_ >= 0) close(fd_);
  }
  void Send(int, absl::string_view line) override {
    if (fd_ >= 0) send(fd_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  absl::string_view prefix() const override { return kDirectPrefix; }

 private:
  int fd_;
};

int ConnectUnixDatagram(absl::string_view path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  close(fd);
  return -error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Syslogger>> MakeSyslogger(absl::string_view method,
                                                         const std::string& program) {
  if (method == "libc") return std::make_unique<LibcSyslogger>(program);
  if (method == "null") return std::make_unique<NullSyslogger>();
  if (absl::ConsumePrefix(&method, "unix:")) {
    return std::make_unique<DatagramSyslogger>(ConnectUnixDatagram(method));
  }
  if (absl::ConsumePrefix(&method, "udp:")) {
    return std::make_unique<DatagramSyslogger>(OpenSyslogTarget(method));
  }
  return absl::InvalidArgumentError(absl::StrCat("unsupported syslog method '", method, "'"));
}

int OpenSyslogTarget(absl::string_view target) {
  // HOST:PORT, [IPV6]:PORT or HOST alone; only numeric addresses, a resolver would block the start.
  const size_t colon = target.rfind(':');
  const size_t bracket = target.rfind(']');
  const bool has_port =
      colon != absl::string_view::npos && (bracket == absl::string_view::npos || colon > bracket);
  std::string host(has_port ? target.substr(0, colon) : target);
  const std::string port(has_port ? target.substr(colon + 1) : "514");
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -EINVAL;
  int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    fd = -errno;
  } else if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    const int error = errno;
    close(fd);
    fd = -error;
  }
  freeaddrinfo(found);
  return fd;
}

}  // namespace base
