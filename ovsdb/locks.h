// Advisory locks (RFC 7047 sections 4.1.8 to 4.1.10): one table per server.
#ifndef OVSDB_LOCKS_H_
#define OVSDB_LOCKS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"

namespace ovsdb {

// Who owns which lock, and who waits for it, first come first served.
class LockTable {
 public:
  using Session = uint64_t;  // The caller's name for a session.

  // A notification that a request caused for some session.
  struct Notice {
    enum Kind { kLocked, kStolen } kind;
    Session session;
    std::string lock;
    bool operator==(const Notice& o) const = default;
  };

  // What a session holds and waits for, for the status of remotes.
  struct Counts {
    size_t held = 0;
    size_t waiting = 0;
    size_t lost = 0;  // Stolen from it and not yet unlocked.
  };

  // `params` is the request's params array. Each appends the answer (a <result> object) to
  // `*result` and the notices that others (or the session itself) are to be sent to `*notices`.
  // Errors as stock: a lock that the session has or waits for is refused, as is unlocking one that
  // it has not asked for.
  absl::Status Lock(Session session, const Json& params, std::string* result);
  absl::Status Steal(Session session, const Json& params, std::string* result,
                     std::vector<Notice>* notices);
  absl::Status Unlock(Session session, const Json& params, std::string* result,
                      std::vector<Notice>* notices);

  // The session is gone: its locks pass on to who waits.
  void Remove(Session session, std::vector<Notice>* notices);

  bool Owns(Session session, absl::string_view lock) const;
  Counts CountsOf(Session session) const;

 private:
  absl::flat_hash_map<std::string, std::deque<Session>> queues_;  // The owner in front.
};

}  // namespace ovsdb

#endif  // OVSDB_LOCKS_H_
