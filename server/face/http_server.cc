#include "server/face/http_server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/address.h"
#include "server/base/io_error.h"
#include "server/base/log.h"

namespace face {
namespace {

base::LogModule log("http");

constexpr unsigned kMaxConnections = 128;
// Who is idle, or sends a request byte by byte, keeps others out no longer than kIdleSeconds, and
// not at all if they come from elsewhere.
constexpr unsigned kMaxConnectionsPerAddress = 16;
constexpr unsigned kIdleSeconds = 15;
constexpr int64_t kIdleMs = int64_t{1000} * kIdleSeconds;
constexpr size_t kConnectionBytes = 16 << 10;  // Of a request.
constexpr int kBacklog = 64;

struct Request {
  MHD_Connection* connection = nullptr;
  bool asked = false;
  bool suspended = false;
  std::optional<HttpAnswer> answer;
};

// A connection without a whole request since then.
struct Unasked {
  int fd = -1;
  int64_t since_ms = 0;
};

MHD_Result Send(MHD_Connection* connection, const HttpAnswer& answer) {
  MHD_Response* const response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
  MHD_add_response_header(response, "Cache-Control", "no-store");
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, "Allow", "GET, HEAD");
  }
  const MHD_Result result =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return result;
}

void LogText(void*, const char* format, va_list arguments) {
  if (!log.on(base::LogLevel::kDebug)) return;
  char text[512];
  vsnprintf(text, sizeof text, format, arguments);
  absl::string_view line = text;
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  log.Debug("%s", line);
}

struct PortRange {
  std::string host;
  uint16_t first = 0;
  uint16_t last = 0;
};

absl::StatusOr<PortRange> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  const std::pair<absl::string_view, absl::string_view> ports = absl::StrSplit(
      text.substr(colon == absl::string_view::npos ? 0 : colon + 1), absl::MaxSplits('-', 1));
  int first = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(ports.first, &first)) first = -1;
  int last = first;
  if (!ports.second.empty() && !absl::SimpleAtoi(ports.second, &last)) last = -1;
  if (first < 0 || last < first || last > 0xffff) {
    return absl::InvalidArgumentError("not ADDRESS:PORT or ADDRESS:PORT-LAST");
  }
  absl::string_view host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return absl::InvalidArgumentError("an IPv6 address stands in brackets");
  }
  return PortRange{host.empty() ? "::" : std::string(host), static_cast<uint16_t>(first),
                   static_cast<uint16_t>(last)};
}

// A listening socket, or a negative errno.
int Bind(const base::SocketAddress& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd, address.get(), address.length) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  return -error;
}

}  // namespace

struct HttpServer::Impl {
  Impl(base::Loop* loop, int fd, Handler handler)
      : fd(fd),
        port(base::SocketName(fd).port()),
        handler(std::move(handler)),
        timer(loop, [this] { Run(); }),
        cut_off(loop, [this] { CutOff(); }) {
    daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, nullptr, nullptr,
        &Impl::OnRequest, this, MHD_OPTION_EXTERNAL_LOGGER, LogText, nullptr,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, kMaxConnections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, kMaxConnectionsPerAddress,
        MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kConnectionBytes, MHD_OPTION_NOTIFY_COMPLETED, &Impl::OnCompleted, this,
        MHD_OPTION_NOTIFY_CONNECTION, &Impl::OnConnection, this, MHD_OPTION_END);
    if (daemon == nullptr) return;
    const int epoll_fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    watch = std::make_unique<base::FdWatch>(loop, epoll_fd, [this](int) { Run(); });
    watch->Set(base::FdWatch::kReadable);
  }
  ~Impl() {
    watch.reset();
    if (daemon == nullptr) {
      close(fd);
    } else {
      for (const std::weak_ptr<Request>& weak : waiting) {
        const std::shared_ptr<Request> request = weak.lock();
        if (request && request->suspended) MHD_resume_connection(request->connection);
      }
      closing = true;
      MHD_stop_daemon(daemon);
    }
  }

  void Run() {
    const base::Activity activity("answering over HTTP");
    MHD_run(daemon);
    MHD_UNSIGNED_LONG_LONG ms = 0;
    if (MHD_get_timeout(daemon, &ms) == MHD_YES) {
      timer.Start(static_cast<int64_t>(ms));
    } else {
      timer.Stop();
    }
  }

  // Called for a request's head, again for its end, and again when its connection is resumed.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char*, const char*, size_t* upload_size,
                              void** context) {
    auto* const impl = static_cast<Impl*>(self);
    if (impl->closing) return MHD_NO;
    const absl::string_view verb = method;
    if (*context == nullptr && verb != "GET" && verb != "HEAD") {
      return Send(connection,
                  {MHD_HTTP_METHOD_NOT_ALLOWED, HttpAnswer().content_type, "GET only\n"});
    }
    if (*context == nullptr) {
      auto made = std::make_shared<Request>();
      made->connection = connection;
      *context = new std::shared_ptr<Request>(std::move(made));
      return MHD_YES;
    }
    const std::shared_ptr<Request> request = *static_cast<std::shared_ptr<Request>*>(*context);
    if (*upload_size != 0) {  // Whatever it sends is not wanted.
      *upload_size = 0;
      return MHD_YES;
    }
    if (!request->asked) {
      request->asked = true;
      impl->unasked.erase(connection);
      impl->handler(url, [impl, weak = std::weak_ptr<Request>(request)](HttpAnswer answer) {
        const std::shared_ptr<Request> asked = weak.lock();
        if (!asked || asked->answer) return;
        asked->answer = std::move(answer);
        if (!asked->suspended) return;
        asked->suspended = false;
        MHD_resume_connection(asked->connection);
        impl->timer.Start(0);
      });
    }
    if (request->answer) return Send(connection, *request->answer);
    request->suspended = true;
    std::erase_if(impl->waiting, [](const std::weak_ptr<Request>& weak) { return weak.expired(); });
    impl->waiting.push_back(request);
    MHD_suspend_connection(connection);
    return MHD_YES;
  }

  static void OnCompleted(void* self, MHD_Connection* connection, void** context,
                          MHD_RequestTerminationCode) {
    delete static_cast<std::shared_ptr<Request>*>(*context);
    *context = nullptr;
    static_cast<Impl*>(self)->Await(connection);  // The next one, if it is kept open.
  }

  static void OnConnection(void* self, MHD_Connection* connection, void**,
                           MHD_ConnectionNotificationCode code) {
    auto* const impl = static_cast<Impl*>(self);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      impl->Await(connection);
    } else {
      impl->unasked.erase(connection);
    }
  }

  void Await(MHD_Connection* connection) {
    if (closing) return;
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == nullptr) return;
    unasked[connection] = {info->connect_fd, base::MonotonicMs()};
    if (!cut_off.active()) cut_off.Start(kIdleMs);
  }

  // Whoever has been asking for too long finds its connection at its end.
  void CutOff() {
    const int64_t now = base::MonotonicMs();
    int64_t oldest = now;
    for (const auto& [connection, asking] : unasked) {
      if (now - asking.since_ms >= kIdleMs) {
        shutdown(asking.fd, SHUT_RDWR);
      } else {
        oldest = std::min(oldest, asking.since_ms);
      }
    }
    if (!unasked.empty()) cut_off.StartAt(oldest + kIdleMs);
  }

  const int fd;
  const uint16_t port;
  const Handler handler;
  bool closing = false;
  std::vector<std::weak_ptr<Request>>
      waiting;  // Those that were suspended, and may not be any more.
  MHD_Daemon* daemon = nullptr;
  std::unique_ptr<base::FdWatch> watch;
  base::Timer timer;
  std::map<MHD_Connection*, Unasked> unasked;
  base::Timer cut_off;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Listen(base::Loop* loop,
                                                               absl::string_view address,
                                                               Handler handler) {
  const absl::StatusOr<PortRange> range = ParseAddress(address);
  if (!range.ok()) return range.status();
  int fd = -EADDRINUSE;
  for (int port = range->first; port <= range->last && fd == -EADDRINUSE; port++) {
    const auto at = base::NumericAddress(range->host, static_cast<uint16_t>(port));
    if (!at) return absl::InvalidArgumentError(absl::StrCat(range->host, " is no IP address"));
    fd = Bind(*at);
  }
  if (fd < 0) return base::IoError(-fd);
  auto impl = std::make_unique<Impl>(loop, fd, std::move(handler));
  if (impl->daemon == nullptr) return absl::InternalError("the HTTP server does not start");
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::port() const { return impl_->port; }

}  // namespace face
