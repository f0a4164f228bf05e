#include "server/storage_relay.h"

#include "ovsdb/error.h"

namespace server {

Storage::Position RelayStorage::Append(const ovsdb::DatabaseSchema& schema,
                                       const ovsdb::Change& change, bool durable) {
  appended_.push_back(next_txn_id_);
  return committed_ + appended_.size();
}

void RelayStorage::Flush() {
  // One by one: whoever hears of a change asks for the name of its state.
  while (!appended_.empty()) {
    last_txn_id_ = appended_.front();
    appended_.pop_front();
    client_->OnCommitted(++committed_);
  }
  client_->OnDurable(committed_);
}

void RelayStorage::Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) {
  done(absl::OkStatus());
}

void RelayStorage::Convert(ovsdb::Snapshot converted, Done done) {
  done(ovsdb::Error(ovsdb::kNotAllowed, "a relay's schema is that of its source"));
}

}  // namespace server
