#include "server/base/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/address.h"
#include "server/base/coverage.h"
#include "server/base/daemon.h"
#include "server/base/fd_stream.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/loop.h"
#include "server/base/name_lookup.h"

namespace base {
namespace {

LogModule log("socket_util");
LogModule unix_log("stream_unix");
LogModule socket_unix_log("socket_util_unix");
LogModule signal_log("fatal_signal");
LogModule stream_log("stream");
LogModule tls_log("stream_ssl");
Counter opened("pstream_open");

// Room for hundreds of clients that come back at once.
constexpr int kListenBacklog = 1024;
// Connections taken in one turn; the rest waits for the next.
constexpr int kAcceptsPerTurn = 64;
// Rest after accept(2) failed for want of descriptors or memory, so as not to spin on it.
constexpr int64_t kAcceptPauseMs = 100;
// Between attempts to listen on a host whose name cannot be looked up, or whose address cannot be
// bound.
constexpr int64_t kNameRetryMs = 1000;
// Unfinished handshakes beyond this drop the oldest one: a flood of half-open connections must not
// take all memory.
constexpr size_t kMaxHandshakes = 1024;

// Bound by the caller; owns the descriptor.
class FdListener : public Listener {
 public:
  FdListener(const StreamContext& context, int fd, absl::string_view target, std::string path,
             AcceptCallback accept)
      : context_(context),
        name_(target),
        path_(std::move(path)),
        tls_(absl::StartsWith(target, "pssl:")),
        fd_(fd),
        port_(path_.empty() ? SocketName(fd).port() : 0),
        accept_(std::move(accept)),
        watch_(context.loop, fd, [this](int) { Accept(); }),
        pause_(context.loop, [this] { watch_.Set(FdWatch::kReadable); }) {
    watch_.Set(FdWatch::kReadable);
  }
  ~FdListener() override {
    if (destroyed_ != nullptr) *destroyed_ = true;
    watch_.Set(FdWatch::kNone);
    close(fd_);
    if (!path_.empty()) RemoveNow(path_);
  }

  const std::string& name() const override { return name_; }
  uint16_t bound_port() const override { return port_; }
  void SetDscp(int dscp) override { base::SetDscp(fd_, SocketName(fd_).family(), dscp); }

 private:
  // A connection that has yet to finish its TLS handshake.
  struct Pending : Stream::Handler {
    FdListener* listener;
    std::list<Pending>::iterator self;
    std::unique_ptr<Stream> stream;

    void OnConnected() override {
      FdListener* const owner = listener;
      std::unique_ptr<Stream> done = std::move(stream);
      owner->pending_.erase(self);
      const AcceptCallback accept = owner->accept_;  // May destroy the listener.
      accept(std::move(done));
    }
    void OnData(absl::string_view) override {}
    void OnClosed(const absl::Status& reason) override {
      static RateLimit limit(10, 25);
      tls_log.WarnLimited(limit, "%s: connection dropped during TLS handshake (%s)", stream->name(),
                          std::string(reason.message()));
      listener->pending_.erase(self);
    }
  };

  void Accept() {
    bool destroyed = false;
    destroyed_ = &destroyed;
    for (int i = 0; i < kAcceptsPerTurn; i++) {
      sockaddr_storage storage;
      socklen_t length = sizeof storage;
      const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&storage), &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        AcceptFailed(errno);
        break;
      }
      Adopt(fd);
      if (destroyed) return;
    }
    destroyed_ = nullptr;
  }

  void AcceptFailed(int error) {
    if (error == EAGAIN || error == EINTR || error == ECONNABORTED) return;
    static RateLimit limit(10, 5);
    stream_log.ErrorLimited(limit, "%s: accept: %s", name_, ErrnoText(error));
    watch_.Set(FdWatch::kNone);
    pause_.Start(kAcceptPauseMs);
  }

  void Adopt(int fd) {
    if (!tls_) {
      const AcceptCallback accept = accept_;  // May destroy the listener.
      accept(std::make_unique<FdStream>(context_, fd, false, PeerText(fd)));
      return;
    }
    if (pending_.size() >= kMaxHandshakes) pending_.pop_front();
    const auto pending = pending_.emplace(pending_.end());
    pending->listener = this;
    pending->self = pending;
    pending->stream = std::make_unique<FdStream>(context_, fd, true, PeerText(fd));
    pending->stream->SetHandler(&*pending);
  }

  std::string PeerText(int fd) const {
    static unsigned unix_peers = 0;
    if (!path_.empty()) return absl::StrCat("unix#", unix_peers++);
    return absl::StrCat(tls_ ? "ssl:" : "tcp:", PeerName(fd).Text());
  }

  StreamContext context_;
  std::string name_;
  std::string path_;
  bool tls_;
  int fd_;
  uint16_t port_;
  AcceptCallback accept_;
  std::list<Pending> pending_;
  FdWatch watch_;
  Timer pause_;
  bool* destroyed_ = nullptr;
};

int NewSocket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// A descriptor listening on `path`; the errno value as a status.
absl::StatusOr<int> ListenUnix(const std::string& path) {
  const int fd = NewSocket(AF_UNIX);
  if (fd < 0) return IoError(errno);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    socket_unix_log.Warn("unlinking \"%s\": %s", path, ErrnoText(errno));
  }
  fchmod(fd, 0770);  // Before the socket has a name, so that it never has a wider mode.
  int error = BindUnix(fd, path);
  if (error == 0) {
    RemoveAtExit(path);
    error = listen(fd, kListenBacklog) == 0 ? 0 : errno;
  }
  if (error == 0) return fd;
  if (const int left = RemoveNow(path); left != 0) {
    // What is in the way says more than that something is.
    if (error == EADDRINUSE) error = left;
    signal_log.Warn("could not unlink \"%s\" (%s)", path, ErrnoText(left));
  }
  unix_log.Error("%s: binding failed: %s", path, ErrnoText(error));
  close(fd);
  return IoError(error);
}

absl::StatusOr<int> Failed(int fd, absl::string_view text, const char* call) {
  const int error = errno;
  log.Error("%s: %s: %s", text, call, ErrnoText(error));
  if (fd >= 0) close(fd);
  return IoError(error);
}

// A descriptor listening on `address`; `text` is what messages call it.
absl::StatusOr<int> ListenInet(absl::string_view text, const SocketAddress& address, int dscp) {
  const int fd = NewSocket(address.family());
  if (fd < 0) return Failed(fd, text, "socket");
  const int one = 1;
  const int zero = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address.family() == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  }
  if (bind(fd, address.get(), address.length) != 0) return Failed(fd, text, "bind");
  SetDscp(fd, address.family(), dscp);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // Accepted sockets inherit it.
  if (listen(fd, kListenBacklog) != 0) return Failed(fd, text, "listen");
  if (address.port() == 0) log.Info("%s: listening on port %d", text, SocketName(fd).port());
  return fd;
}

// On a host that has a name, which may change or be unknown for a while: looks it up, binds, and
// tries both again until they have worked.
class NamedListener : public Listener {
 public:
  NamedListener(const StreamContext& context, absl::string_view target, HostPort host, int dscp,
                AcceptCallback accept)
      : context_(context),
        name_(target),
        host_(std::move(host)),
        dscp_(dscp),
        accept_(std::move(accept)),
        again_(context.loop, [this] { LookUp(); }) {
    LookUp();
  }

  const std::string& name() const override { return name_; }
  uint16_t bound_port() const override { return bound_ == nullptr ? 0 : bound_->bound_port(); }
  void SetDscp(int dscp) override {
    dscp_ = dscp;
    if (bound_ != nullptr) bound_->SetDscp(dscp);
  }

 private:
  void LookUp() {
    lookup_ = std::make_unique<NameLookup>(
        context_.loop, host_, [this](const absl::StatusOr<std::vector<SocketAddress>>& found) {
          if (!found.ok() || !Bind(*found)) again_.Start(kNameRetryMs);
        });
  }

  bool Bind(const std::vector<SocketAddress>& addresses) {
    auto address = std::find_if(addresses.begin(), addresses.end(),
                                [](const SocketAddress& a) { return a.family() == AF_INET; });
    if (address == addresses.end()) address = addresses.begin();
    const absl::string_view text = absl::string_view(name_).substr(name_.find(':') + 1);
    const absl::StatusOr<int> fd = ListenInet(text, *address, dscp_);
    if (!fd.ok()) return false;
    bound_ = std::make_unique<FdListener>(context_, *fd, name_, "", accept_);
    return true;
  }

  StreamContext context_;
  std::string name_;
  HostPort host_;
  int dscp_;
  AcceptCallback accept_;
  std::unique_ptr<NameLookup> lookup_;
  Timer again_;
  std::unique_ptr<Listener> bound_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Listen(const StreamContext& context,
                                                           absl::string_view target, int dscp,
                                                           AcceptCallback accept) {
  ++opened;
  absl::string_view rest = target;
  if (absl::ConsumePrefix(&rest, "punix:")) {
    std::string path = AbsoluteName(RunDir(), rest);
    const absl::StatusOr<int> fd = ListenUnix(path);
    if (!fd.ok()) return fd.status();
    return std::make_unique<FdListener>(context, *fd, target, std::move(path), std::move(accept));
  }
  if (!absl::ConsumePrefix(&rest, "ptcp:") && !absl::ConsumePrefix(&rest, "pssl:")) {
    return IoError(EAFNOSUPPORT);
  }
  absl::StatusOr<HostPort> host = ParsePassiveAddress(rest);
  if (!host.ok()) return host.status();
  if (host->host.empty()) host->host = "0.0.0.0";
  const std::optional<SocketAddress> address = NumericAddress(host->host, host->port);
  if (!address) {
    if (absl::StrContains(host->host, ':')) return IoError(EAFNOSUPPORT);  // Not IPv6, nor a name.
    return std::make_unique<NamedListener>(context, target, *std::move(host), dscp,
                                           std::move(accept));
  }
  const absl::StatusOr<int> fd = ListenInet(rest, *address, dscp);
  if (!fd.ok()) return fd.status();
  return std::make_unique<FdListener>(context, *fd, target, "", std::move(accept));
}

}  // namespace base
