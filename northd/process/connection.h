// A replica that follows a database on its servers, and the transactions that go there.
#ifndef NORTHD_PROCESS_CONNECTION_H_
#define NORTHD_PROCESS_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "northd/replica/replica.h"
#include "server/client/db_client.h"

namespace northd {

// Loop thread only.
class Connection final : private server::DbClient::Handler {
 public:
  struct Callbacks {
    // The replica has all contents for the first time, or anew after it was not known what they
    // were.
    std::function<void()> on_contents;
    // Something has changed.
    std::function<void()> on_change;
    // What was asked of the lock is answered, or the lock is got or lost.
    std::function<void()> on_lock;
  };

  // Begins to connect. `replica` and `uuids` outlive this.
  Connection(const base::StreamContext& context, const server::DbClient::Options& options,
             Replica* replica, ovsdb::UuidGenerator* uuids, Callbacks callbacks);

  bool connected() const { return client_.connected(); }
  const std::string& remote() const { return client_.remote(); }  // The present or the last one.
  // The replica follows the database.
  bool monitoring() const { return client_.monitoring() && has_contents_; }
  void SetOptions(const server::DbClient::Options& options) { client_.SetOptions(options); }

  // A cluster whose log is behind what was seen of it will do: it was restored.
  void ForgetClusterState() { client_.ForgetClusterState(); }

  // Wants a lock of the server (RFC 7047 section 4.1.8), on every connection to come, or gives it
  // back ("").
  void SetLock(const std::string& lock);
  bool has_lock() const { return has_lock_; }

  // Sends a transaction. `done` is told whether it is committed; an error is what the server says,
  // or that nobody knows. Requires monitoring().
  void Transact(const std::string& params, std::function<void(absl::Status)> done);

 private:
  // DbClient::Handler
  std::optional<std::string> OnSchema(const ovsdb::Json& schema) override;
  absl::Status OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                          const ovsdb::Uuid& txn_id) override;
  absl::Status OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                         const ovsdb::Uuid& txn_id) override;
  void OnNotification(const base::JsonRpcMessage& message) override;
  void OnDisconnected() override;

  void AskForLock();
  void SetHasLock(bool has_lock);

  Replica* const replica_;
  ovsdb::UuidGenerator* const uuids_;
  const Callbacks callbacks_;
  std::string lock_;
  bool accepted_ = false;  // This connection's server will do.
  bool has_lock_ = false;
  bool has_contents_ = false;
  server::DbClient client_;
};

}  // namespace northd

#endif  // NORTHD_PROCESS_CONNECTION_H_
