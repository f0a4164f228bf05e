// A relay of a database (ovsdb(7) "Relay Service Model"): its contents follow a source, reads are
// answered here, and transactions that write are executed by the source.
#ifndef SERVER_RELAY_H_
#define SERVER_RELAY_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/client/db_client.h"
#include "server/executor.h"
#include "server/hosted_database.h"
#include "server/storage_relay.h"

namespace server {

// Loop thread only.
class Relay final : private DbClient::Handler, private Forwarder {
 public:
  // `database`, whose storage is `storage`, outlives this, and so does `uuids`. `status_changed` is
  // called when storage->connected() has changed.
  Relay(const base::StreamContext& context, const DbClient::Options& source,
        ovsdb::UuidGenerator* uuids, HostedDatabase* database, RelayStorage* storage,
        std::function<void()> status_changed);
  ~Relay() override;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Another source, or other settings of the connection to it. The contents stay until those of the
  // other one are known.
  void SetSource(const DbClient::Options& source) { client_.SetOptions(source); }

 private:
  // A request that cannot be sent now.
  struct Waiting {
    const Request* request;
    std::string params;
    std::function<void(Answer)> done;
  };

  // DbClient::Handler
  std::optional<std::string> OnSchema(const ovsdb::Json& schema) override;
  absl::Status OnContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                          const ovsdb::Uuid& txn_id) override;
  absl::Status OnUpdates(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                         const ovsdb::Uuid& txn_id) override;
  void OnDisconnected() override;

  // Forwarder
  void Forward(const Request& request, std::function<void(Answer)> done) override;
  bool Withdraw(const Request& request) override;

  absl::Status ReplaceContents(ovsdb::MonitorVersion version, const ovsdb::Json& updates,
                               const ovsdb::Uuid& txn_id);
  void Propose(ovsdb::Change change, const ovsdb::Uuid& txn_id);
  void Send(const std::string& params, std::function<void(Answer)> done);
  void Connected();
  void SetConnected(bool connected);

  ovsdb::UuidGenerator* const uuids_;
  HostedDatabase* const database_;
  RelayStorage* const storage_;
  const std::function<void()> status_changed_;
  ovsdb::SchemaRef new_schema_;  // Of the source, where it is not ours yet.
  std::deque<Waiting> waiting_;
  base::Timer lost_timer_;
  DbClient client_;
};

}  // namespace server

#endif  // SERVER_RELAY_H_
