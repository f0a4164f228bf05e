// Looking up host names without holding up the loop.
//
//   lookup_ = std::make_unique<NameLookup>(loop, host_port, [this](auto found) { ... });
#ifndef SERVER_BASE_NAME_LOOKUP_H_
#define SERVER_BASE_NAME_LOOKUP_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/address.h"
#include "server/base/loop.h"

namespace base {

// One lookup, on its way from the constructor on. Loop thread only.
class NameLookup {
 public:
  // The addresses of a name with the port that was asked for, at least one, in the resolver's order
  // of preference; EHOSTUNREACH with the resolver's words if there are none, which is logged.
  using Done = std::function<void(absl::StatusOr<std::vector<SocketAddress>>)>;

  // `done` is called in a later turn, unless this is destroyed before; it may destroy this.
  NameLookup(Loop* loop, const HostPort& name, Done done);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

 private:
  struct Job;
  std::shared_ptr<Job> job_;
};

}  // namespace base

#endif  // SERVER_BASE_NAME_LOOKUP_H_
