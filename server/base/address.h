// Socket addresses: parsing the host and port parts of targets, and naming peers.
#ifndef SERVER_BASE_ADDRESS_H_
#define SERVER_BASE_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  uint16_t port() const;     // Host order; 0 for unix.
  std::string Ip() const;    // "10.0.0.1", "fe80::1%eth0"; empty for unix.
  std::string Text() const;  // "10.0.0.1:6640", "[::1]:6640".
};

struct HostPort {
  std::string host;  // Without brackets; empty if left out.
  uint16_t port;
};

// HOST[:PORT] of an active target and [PORT][:IP] of a passive one; kDefaultPort where PORT is left
// out. Mistakes are logged as stock does and come back as EAFNOSUPPORT.
absl::StatusOr<HostPort> ParseActiveAddress(absl::string_view text);
absl::StatusOr<HostPort> ParsePassiveAddress(absl::string_view text);

// The address of a numeric IP, perhaps with a %SCOPE; nothing if `host` is a name.
std::optional<SocketAddress> NumericAddress(const std::string& host, uint16_t port);

// The address of a bound or connected socket.
SocketAddress SocketName(int fd);
SocketAddress PeerName(int fd);

// Calls connect(2) or bind(2) on a path of any length; 0 or a positive errno value.
int ConnectUnix(int fd, const std::string& path);
int BindUnix(int fd, const std::string& path);

// Marks the packets of a TCP socket; no effect on unix sockets or for kNoDscp.
void SetDscp(int fd, int family, int dscp);

}  // namespace base

#endif  // SERVER_BASE_ADDRESS_H_
