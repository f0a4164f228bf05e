#include "server/base/name_lookup.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"
#include "server/base/log.h"

namespace base {
namespace {

LogModule log("dns_resolve");

}  // namespace

// Shared with the thread that asks, which may be busy for longer than anyone wants to know.
struct NameLookup::Job {
  HostPort name;
  Done done;  // Empty once nobody wants to know.
  std::vector<SocketAddress> addresses = {};
  int error = 0;

  void Ask();
  void Tell();
};

void NameLookup::Job::Ask() {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  error = getaddrinfo(name.host.c_str(), absl::StrCat(name.port).c_str(), &hints, &found);
  if (error != 0) return;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    SocketAddress& one = addresses.emplace_back();
    std::copy_n(reinterpret_cast<const char*>(a->ai_addr), a->ai_addrlen,
                reinterpret_cast<char*>(&one.storage));
    one.length = a->ai_addrlen;
  }
  freeaddrinfo(found);
}

void NameLookup::Job::Tell() {
  const Done tell = std::exchange(done, nullptr);  // It may destroy the lookup.
  if (!tell) return;
  if (error == 0) return tell(std::move(addresses));
  static RateLimit limit;
  log.WarnLimited(limit, "%s: failed to resolve", name.host);
  tell(IoError(EHOSTUNREACH, gai_strerror(error)));
}

NameLookup::NameLookup(Loop* loop, const HostPort& name, Done done)
    : job_(std::make_shared<Job>(Job{name, std::move(done)})) {
  loop->Work([job = job_] { job->Ask(); }, [job = job_] { job->Tell(); });
}

NameLookup::~NameLookup() { job_->done = nullptr; }

}  // namespace base
