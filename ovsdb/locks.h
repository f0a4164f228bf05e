// Advisory locks (RFC 7047 sections 4.1.8 to 4.1.10): one table per server.
#ifndef OVSDB_LOCKS_H_
#define OVSDB_LOCKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"

namespace ovsdb {

// Who owns which lock, and who waits for it, first come first served.
class LockTable {
 public:
  using Session = uint64_t;  // The caller's name for a session.

  // A notification that a request caused for some session: `locked` or `stolen`, with the lock's
  // name as only parameter.
  struct Notice {
    enum Kind { kLocked, kStolen } kind;
    Session session;
    std::string lock;
    bool operator==(const Notice& o) const = default;
  };

  // The names of locks that a session has to do with, each list sorted: for the status of remotes.
  struct Names {
    std::vector<std::string> held;
    std::vector<std::string> waiting;  // Asked for by `lock`.
    std::vector<std::string> lost;     // Taken by `steal`, and then stolen by another.
  };

  // `params` is the request's params array, any JSON. Each appends the answer (a <result> object)
  // to
  // `*result` and what sessions are to be told to `*notices`; neither is touched by a request that
  // fails. A session that was stolen from waits at the front. As in stock, whoever has the lock
  // when another session gives up its place is sent `locked`, again if it had it already.
  absl::Status Lock(Session session, const Json& params, std::string* result);
  absl::Status Steal(Session session, const Json& params, std::string* result,
                     std::vector<Notice>* notices);
  absl::Status Unlock(Session session, const Json& params, std::string* result,
                      std::vector<Notice>* notices);

  // The session is gone: its locks pass on to who waits.
  void Remove(Session session, std::vector<Notice>* notices);

  bool Owns(Session session, absl::string_view lock) const;
  std::optional<Session> OwnerOf(absl::string_view lock) const;
  Names NamesOf(Session session) const;

 private:
  struct Waiter {
    Session session;
    bool by_steal;
  };
  struct LockState {
    std::vector<Waiter> queue;  // The owner in front.
    std::vector<Session> lost;  // Those that have yet to unlock what they stole and lost.
  };

  static bool HasAsked(const LockState& lock, Session session);
  // Takes the session out of a lock. False if it was not there.
  static bool Leave(const std::string& name, LockState* lock, Session session,
                    std::vector<Notice>* notices);

  absl::btree_map<std::string, LockState> locks_;  // Those that somebody has asked for.
};

}  // namespace ovsdb

#endif  // OVSDB_LOCKS_H_
