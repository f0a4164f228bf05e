#include "server/base/name_lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/io_error.h"
#include "server/base/log.h"

namespace base {
namespace {

LogModule log("dns_resolve");

// Runs `main` on a thread that nobody waits for: a resolver without an answer may take half a
// minute to say so, which must hold up neither other work nor the end of the process. False if
// there can be no more threads.
bool StartDetached(void* (*main)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all;
  sigfillset(&all);  // Signals are for the loop's thread.
  pthread_attr_setsigmask_np(&attributes, &all);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, main, argument);
  pthread_attr_destroy(&attributes);
  return error == 0;
}

}  // namespace

// Shared with the thread that asks.
struct NameLookup::Job {
  const HostPort name;
  std::mutex mutex;
  Loop* loop;  // Null once nobody wants to know; guarded by mutex.
  Done done;   // Of the loop's thread alone; the rest is the other thread's until it is posted.
  std::vector<SocketAddress> addresses;
  int error = 0;

  Job(Loop* loop, HostPort name, Done done)
      : name(std::move(name)), loop(loop), done(std::move(done)) {}
  void Ask();
  void Tell();
  // Has Tell() called on the loop. On either thread.
  static void Finish(const std::shared_ptr<Job>& job);
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

void NameLookup::Job::Finish(const std::shared_ptr<Job>& job) {
  const std::lock_guard<std::mutex> lock(job->mutex);
  if (job->loop != nullptr) job->loop->Post([job] { job->Tell(); });
}

NameLookup::NameLookup(Loop* loop, const HostPort& name, Done done)
    : job_(std::make_shared<Job>(loop, name, std::move(done))) {
  auto own = std::make_unique<std::shared_ptr<Job>>(job_);
  auto ask = [](void* argument) -> void* {
    const std::unique_ptr<std::shared_ptr<Job>> owned(static_cast<std::shared_ptr<Job>*>(argument));
    (*owned)->Ask();
    Job::Finish(*owned);
    return nullptr;
  };
  if (StartDetached(ask, own.get())) {
    static_cast<void>(own.release());  // The thread's now.
  } else {
    job_->error = EAI_AGAIN;
    Job::Finish(job_);
  }
}

NameLookup::~NameLookup() {
  job_->done = nullptr;
  const std::lock_guard<std::mutex> lock(job_->mutex);
  job_->loop = nullptr;
}

}  // namespace base
