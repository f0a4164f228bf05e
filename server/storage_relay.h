// The storage of a relay: what is here is in memory only, and is stored elsewhere; its states have
// the names that the source gives them.
#ifndef SERVER_STORAGE_RELAY_H_
#define SERVER_STORAGE_RELAY_H_

#include <deque>
#include <string>

#include "server/storage.h"

namespace server {

// Loop thread only.
class RelayStorage final : public Storage {
 public:
  // Before each change is appended: the name of the state that it leads to.
  void SetNextTxnId(const ovsdb::Uuid& id) { next_txn_id_ = id; }
  // The contents are about to be replaced as a whole, by the state of this name.
  void Reset(const ovsdb::Uuid& id) { next_txn_id_ = last_txn_id_ = id; }
  void SetConnected(bool connected) { connected_ = connected; }

  void SetClient(Client* client) override { client_ = client; }
  absl::string_view model() const override { return "relay"; }
  Position Append(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change,
                  bool durable) override;
  void Flush() override;
  void SyncNow() override { Flush(); }
  ovsdb::Uuid last_txn_id() const override { return last_txn_id_; }
  void Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) override;
  void Convert(ovsdb::Snapshot converted, Done done) override;
  bool WantsCompaction() override { return false; }
  bool connected() const override { return connected_; }
  bool leader() const override { return false; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  Client* client_ = nullptr;
  Position committed_ = 0;
  std::deque<ovsdb::Uuid> appended_;  // Names of the states after committed_.
  ovsdb::Uuid next_txn_id_;
  ovsdb::Uuid last_txn_id_;
  bool connected_ = false;
};

}  // namespace server

#endif  // SERVER_STORAGE_RELAY_H_
