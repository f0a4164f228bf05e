// A database in a file of its own (ovsdb(5) "Standalone Format").
#ifndef SERVER_STORAGE_STANDALONE_H_
#define SERVER_STORAGE_STANDALONE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "ovsdb/database.h"
#include "ovsdb/log_json.h"
#include "server/base/loop.h"
#include "server/compaction_schedule.h"
#include "server/database_file.h"
#include "server/durable.h"
#include "server/file_rewrite.h"
#include "server/log_file.h"
#include "server/storage.h"

namespace server {

class StandaloneStorage final : public Storage {
 public:
  struct Environment {
    base::Loop* loop;
    base::Worker* sync;     // For fsyncs that clients wait for.
    base::Worker* rewrite;  // For whole files.
  };

  // Goes on behind what was loaded from `log`. `form` is how records are written; it may change.
  // It and the environment outlive this.
  StandaloneStorage(const Environment& environment, std::unique_ptr<LogFile> log,
                    const ovsdb::RecordForm* form, const LoadedDatabase& loaded);

  void SetClient(Client* client) override { client_ = client; }
  absl::string_view model() const override { return "standalone"; }
  Position Append(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change,
                  bool durable) override;
  void Flush() override;
  void SyncNow() override;
  void Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) override;
  void Convert(ovsdb::Snapshot converted, Done done) override;
  bool WantsCompaction() override;
  const base::DurationHistogram* sync_durations() const override { return &sync_.durations(); }
  uint64_t file_size() const override { return log_->size(); }
  absl::Status status() const override { return log_->status(); }

 private:
  void OnSynced(const absl::Status& status, Position position);
  void TryAgain();
  void Rewrite(ovsdb::Snapshot snapshot, std::string comment, Done done);

  Client* client_ = nullptr;
  std::unique_ptr<LogFile> log_;
  const ovsdb::RecordForm* form_;

  std::string buffer_;  // Framed records of this turn.
  size_t n_buffered_ = 0;
  Position appended_ = 0;
  Position flushed_ = 0;
  Position wanted_durable_ = 0;

  CompactionSchedule schedule_;
  GroupSync sync_;
  FileRewrite rewrite_;
  size_t n_rewrite_tail_ = 0;  // Records since it began.
  base::Timer again_timer_;    // While the file takes nothing.
};

}  // namespace server

#endif  // SERVER_STORAGE_STANDALONE_H_
