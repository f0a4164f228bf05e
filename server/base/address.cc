#include "server/base/address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/stream.h"

namespace base {
namespace {

LogModule log("socket_util");
LogModule unix_log("socket_util_unix");
LogModule stream_log("stream");

absl::Status Malformed(absl::string_view text, absl::string_view problem) {
  log.Error("%s: %s", text, problem);
  return IoError(EAFNOSUPPORT);
}

// The parts of "A[:B]", where either may be in brackets and then hold colons.
struct Parts {
  absl::string_view first;
  absl::string_view second;
};

// Takes what stands before the next colon, or within brackets, from the front of `*rest`.
bool TakePart(absl::string_view* rest, absl::string_view* part) {
  if (absl::StartsWith(*rest, "[")) {
    const size_t end = rest->find(']');
    if (end == absl::string_view::npos) return false;
    *part = rest->substr(1, end - 1);
    rest->remove_prefix(end + 1);
  } else {
    const size_t end = std::min(rest->find(':'), rest->size());
    *part = rest->substr(0, end);
    rest->remove_prefix(end);
  }
  if (rest->empty()) return true;
  if (rest->front() != ':') return false;
  rest->remove_prefix(1);
  return true;
}

bool Split(absl::string_view text, Parts* parts) {
  return TakePart(&text, &parts->first) && TakePart(&text, &parts->second) && text.empty();
}

absl::StatusOr<uint16_t> ParsePort(absl::string_view text, absl::string_view port) {
  if (port.empty()) return kDefaultPort;
  unsigned number;
  if (!absl::SimpleAtoi(port, &number) || number > 65535) {
    return Malformed(text, absl::StrCat("bad port number \"", port, "\""));
  }
  return static_cast<uint16_t>(number);
}

void WarnOfDefaultPort() {
  static bool warned = false;
  if (std::exchange(warned, true)) return;
  stream_log.Warn("The default OVSDB port number has changed from 6632 to %d", kDefaultPort);
}

// A sockaddr_un for `path`. One too long for it is reached through a descriptor of its directory.
class UnixAddress {
 public:
  explicit UnixAddress(const std::string& path) {
    address_.sun_family = AF_UNIX;
    constexpr size_t kMax = sizeof address_.sun_path - 1;
    if (path.size() <= kMax) {
      Set(path);
      return;
    }
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    directory_ = open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory_ < 0) {
      error_ = errno;
      return;
    }
    const std::string detour =
        absl::StrCat("/proc/self/fd/", directory_, "/", path.substr(slash + 1));
    if (detour.size() > kMax) {
      unix_log.Warn("Unix socket name %s is longer than maximum %d bytes", path, kMax);
      error_ = ENAMETOOLONG;
      return;
    }
    Set(detour);
  }
  ~UnixAddress() {
    if (directory_ >= 0) close(directory_);
  }
  UnixAddress(const UnixAddress&) = delete;
  UnixAddress& operator=(const UnixAddress&) = delete;

  // connect or bind.
  int Apply(int (*call)(int, const sockaddr*, socklen_t), int fd) const {
    if (error_ != 0) return error_;
    return call(fd, reinterpret_cast<const sockaddr*>(&address_), length_) == 0 ? 0 : errno;
  }

 private:
  void Set(const std::string& path) {
    memcpy(address_.sun_path, path.data(), path.size());
    length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  }

  sockaddr_un address_ = {};
  socklen_t length_ = 0;
  int directory_ = -1;
  int error_ = 0;
};

}  // namespace

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (family() == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  return 0;
}

std::string SocketAddress::Ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, text,
              sizeof text);
    return text;
  }
  if (family() != AF_INET6) return "";
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
  char scope[IF_NAMESIZE];
  if (in6->sin6_scope_id == 0) return text;
  if (if_indextoname(in6->sin6_scope_id, scope) != nullptr) return absl::StrCat(text, "%", scope);
  return absl::StrCat(text, "%", in6->sin6_scope_id);
}

std::string SocketAddress::Text() const {
  return family() == AF_INET6 ? absl::StrCat("[", Ip(), "]:", port())
                              : absl::StrCat(Ip(), ":", port());
}

absl::StatusOr<HostPort> ParseActiveAddress(absl::string_view text) {
  Parts parts;
  if (!Split(text, &parts)) return Malformed(text, "port must be specified");
  if (parts.first.empty()) return Malformed(text, "host must be specified");
  absl::StatusOr<uint16_t> port = ParsePort(text, parts.second);
  if (!port.ok()) return port.status();
  if (parts.second.empty()) WarnOfDefaultPort();
  return HostPort{std::string(parts.first), *port};
}

absl::StatusOr<HostPort> ParsePassiveAddress(absl::string_view text) {
  Parts parts;
  if (!Split(text, &parts)) return Malformed(text, "port must be specified");
  absl::StatusOr<uint16_t> port = ParsePort(text, parts.first);
  if (!port.ok()) return port.status();
  return HostPort{std::string(parts.second), *port};
}

std::optional<SocketAddress> NumericAddress(const std::string& host, uint16_t port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found) != 0) {
    return std::nullopt;
  }
  SocketAddress address;
  memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.length = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

SocketAddress SocketName(int fd) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
    return {};
  }
  return address;
}

SocketAddress PeerName(int fd) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
    return {};
  }
  return address;
}

int ConnectUnix(int fd, const std::string& path) { return UnixAddress(path).Apply(connect, fd); }
int BindUnix(int fd, const std::string& path) { return UnixAddress(path).Apply(bind, fd); }

void SetDscp(int fd, int family, int dscp) {
  if (dscp == kNoDscp) return;
  const int value = (dscp & 63) << 2;
  const int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int option = family == AF_INET6 ? IPV6_TCLASS : IP_TOS;
  if (family != AF_INET && family != AF_INET6) return;
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) {
    log.Warn("failed to set DSCP to %d: %s", dscp, ErrnoText(errno));
  }
}

}  // namespace base
