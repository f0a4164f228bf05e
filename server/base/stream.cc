#include "server/base/stream.h"

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "server/base/address.h"
#include "server/base/coverage.h"
#include "server/base/daemon.h"
#include "server/base/fd_stream.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/tls.h"

namespace base {
namespace {

LogModule tcp_log("stream_tcp");
LogModule tls_log("stream_ssl");
Counter opened("stream_open");

}  // namespace

absl::StatusOr<std::unique_ptr<Stream>> Stream::Connect(const StreamContext& context,
                                                        absl::string_view target, int dscp,
                                                        Handler* handler) {
  ++opened;
  absl::string_view rest = target;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    auto stream = std::make_unique<FdStream>(context, std::string(target), false, dscp, handler);
    stream->StartUnix(AbsoluteName(RunDir(), rest));
    return stream;
  }
  const bool tls = absl::ConsumePrefix(&rest, "ssl:");
  if (!tls && !absl::ConsumePrefix(&rest, "tcp:")) return IoError(EAFNOSUPPORT);
  if (tls && (context.tls == nullptr || !context.tls->Complete())) return IoError(ENOPROTOOPT);
  absl::StatusOr<HostPort> address = ParseActiveAddress(rest);
  if (!address.ok()) {
    (tls ? tls_log : tcp_log)
        .Error("%s: connect: %s", std::string(target), std::string(address.status().message()));
    return address.status();
  }
  auto stream = std::make_unique<FdStream>(context, std::string(target), tls, dscp, handler);
  stream->StartInet(*address);
  return stream;
}

bool IsActiveTarget(absl::string_view target) {
  return absl::StartsWith(target, "tcp:") || absl::StartsWith(target, "ssl:") ||
         absl::StartsWith(target, "unix:");
}

bool IsPassiveTarget(absl::string_view target) {
  return absl::StartsWith(target, "ptcp:") || absl::StartsWith(target, "pssl:") ||
         absl::StartsWith(target, "punix:");
}

bool TargetNeedsProbes(absl::string_view target) {
  return !absl::StartsWith(target, "unix:") && !absl::StartsWith(target, "punix:");
}

}  // namespace base
