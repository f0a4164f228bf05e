// How the changes of one database become permanent: the seam between executing transactions and
// files, consensus or nothing at all.
//
// The executor applies a change to its state at once, hands it to the storage, and shows nobody
// its effects before the storage says that it is committed. Storages differ in when that is: a
// standalone file when the records of a turn have been written, a cluster when a majority has them.
// In a cluster others may come first: then the changes that were not based on theirs are taken back
// and made again.
#ifndef SERVER_STORAGE_H_
#define SERVER_STORAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/change.h"
#include "ovsdb/database.h"
#include "ovsdb/uuid.h"
#include "server/base/duration_histogram.h"
#include "server/base/memory.h"

namespace server {

// Loop thread only.
class Storage {
 public:
  // Positions count a database's changes from 1 as they are appended.
  using Position = uint64_t;

  class Client {
   public:
    // Everything up to `position` is committed: it will survive a crash of the process.
    virtual void OnCommitted(Position position) = 0;
    // Everything up to `position` will survive a crash of the machine. Never beyond OnCommitted.
    virtual void OnDurable(Position position) = 0;
    // Everything up to `position` is committed, but whether it will survive is not known.
    virtual void OnNotDurable(Position position, const absl::Status& reason) = 0;
    // What was appended and is not committed is lost, and must be reverted. Its positions are not
    // used again.
    virtual void OnLost(const absl::Status& reason) = 0;

    // The rest is for storages that others write to, too.

    // The newest state: what is committed, and what was appended on top of it.
    virtual const ovsdb::Database* database() const = 0;
    // A change that came from elsewhere takes the next `position`; it is based on the newest state.
    virtual void OnForeign(Position position, ovsdb::Change change) = 0;
    // What was appended from `position` on was not accepted, and never will be: it must be
    // reverted, and may be tried anew on what came instead.
    virtual void OnDisplaced(Position position) = 0;
    // ready() has become true, or false.
    virtual void OnReady() = 0;
    virtual void OnStalled() = 0;

   protected:
    ~Client() = default;
  };

  // What is done with a rewritten or converted file; runs on the loop.
  using Done = std::function<void(absl::Status)>;

  virtual ~Storage() = default;

  // Before anything else is called. The client outlives the storage.
  virtual void SetClient(Client* client) = 0;

  // "standalone" and so on: the `model` in `_Server`.
  virtual absl::string_view model() const = 0;

  // Whether changes can be appended now. They may be lost all the same. While not, nobody knows
  // when it will turn out what becomes of those on their way.
  virtual bool ready() const { return true; }

  // Whether a change is one here. In a cluster, whose members share nothing but records, one
  // without a record is none, as with stock.
  virtual bool IsChange(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change) const {
    return !change.empty();
  }

  // Takes the next change. Requires ready(). With `durable`, OnDurable will come without being
  // asked for by others.
  virtual Position Append(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change,
                          bool durable) = 0;
  // Hands over what was appended in this turn; may call OnCommitted or OnLost before it returns.
  virtual void Flush() = 0;

  // Makes everything committed durable now, blocking; calls OnDurable. For the end of a storage.
  virtual void SyncNow() = 0;

  // The name of the state that the change at the newest committed position led to; zero where
  // transactions have no names.
  virtual ovsdb::Uuid last_txn_id() const { return {}; }

  // Rewrites the file as `snapshot` and nothing before it, while changes go on; `comment` says why.
  // An error if a rewrite is under way.
  virtual void Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) = 0;
  // Whether a database of this schema can be kept here.
  virtual absl::Status CheckSchema(const ovsdb::DatabaseSchema&) const { return absl::OkStatus(); }
  // Makes `converted`, with its new schema, the whole content. No change may be appended before it
  // is done.
  virtual void Convert(ovsdb::Snapshot converted, Done done) = 0;
  // Whether stock's rule asks for compaction now. Asked once in a while.
  virtual bool WantsCompaction() = 0;

  // What `_Server` tells: whether there is contact with where the database is stored, and whether
  // it is written here.
  virtual bool connected() const { return true; }
  virtual bool leader() const { return true; }

  // Of a cluster, for `_Server`: its id, this server's, and how far it has come in the log. Nothing
  // where there is none, or while it is not known.
  struct ClusterPlace {
    ovsdb::Uuid cluster_id;  // Zero: not known yet.
    ovsdb::Uuid server_id;
    uint64_t index = 0;  // 0: of what it has still to join.
  };
  virtual std::optional<ClusterPlace> cluster() const { return std::nullopt; }

  // What memory/show tells of the storage beyond the database's contents.
  virtual void AddMemoryUsage(base::MemoryUsage*) const {}

  // How long fsyncs took; null where there are none.
  virtual const base::DurationHistogram* sync_durations() const { return nullptr; }
  // The size of the file; 0 where there is none.
  virtual uint64_t file_size() const { return 0; }

  // The last write's error, for get-db-storage-status.
  virtual absl::Status status() const = 0;
};

// For databases that live in memory only: everything is committed at once.
std::unique_ptr<Storage> MakeMemoryStorage(absl::string_view model);

}  // namespace server

#endif  // SERVER_STORAGE_H_
