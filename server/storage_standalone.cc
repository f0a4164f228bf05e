#include "server/storage_standalone.h"

#include <utility>

#include "ovsdb/error.h"
#include "server/base/log.h"

namespace server {
namespace {

base::LogModule log("ovsdb_server");

// A buffer that one big turn has blown up is given back.
constexpr size_t kMaxIdleBuffer = 1 << 20;
constexpr int64_t kWriteAgainMs = 1000;

}  // namespace

StandaloneStorage::StandaloneStorage(const Environment& environment, std::unique_ptr<LogFile> file,
                                     const ovsdb::RecordForm* form, const LoadedDatabase& loaded)
    : log_(std::move(file)),
      form_(form),
      schedule_(base::MonotonicMs()),
      sync_(environment.sync,
            [this](const absl::Status& status, uint64_t position) { OnSynced(status, position); }),
      rewrite_(environment.rewrite, log_.get(), &sync_),
      again_timer_(environment.loop, [this] { TryAgain(); }) {
  schedule_.Opened(loaded.base_size, loaded.n_transactions == 0 ? 0 : loaded.n_transactions - 1);
}

Storage::Position StandaloneStorage::Append(const ovsdb::DatabaseSchema& schema,
                                            const ovsdb::Change& change, bool durable) {
  const size_t start = buffer_.size();
  if (ovsdb::AppendRecord(schema, change, base::WallMs(), *form_, &buffer_)) {
    FrameLogRecord(LogMagic::kStandalone, start, &buffer_);
    n_buffered_++;
  }
  appended_++;
  if (durable) wanted_durable_ = appended_;
  return appended_;
}

void StandaloneStorage::Flush() {
  if (flushed_ == appended_) return;
  flushed_ = appended_;
  absl::Status status;
  if (!buffer_.empty()) {
    const base::Activity activity("writing to the disk");
    status = log_->Append(buffer_);
  }
  if (status.ok()) {
    schedule_.Appended(n_buffered_);
    rewrite_.Append(buffer_);
    if (rewrite_.under_way()) n_rewrite_tail_ += n_buffered_;
  }
  buffer_.clear();
  n_buffered_ = 0;
  if (buffer_.capacity() > kMaxIdleBuffer) buffer_.shrink_to_fit();

  if (!status.ok()) {
    log.Error("%s", ovsdb::ErrorText(status));
    if (!again_timer_.active()) again_timer_.Start(kWriteAgainMs);
    client_->OnLost(status);
    return;
  }
  client_->OnCommitted(flushed_);
  if (wanted_durable_ > 0) {
    sync_.Ask(log_->sync(), wanted_durable_);
    wanted_durable_ = 0;
  }
}

// Nobody may write before there is room again, for nobody knows of it.
void StandaloneStorage::TryAgain() {
  if (!log_->TryAgain().ok()) again_timer_.Start(kWriteAgainMs);
}

void StandaloneStorage::OnSynced(const absl::Status& status, Position position) {
  if (status.ok()) {
    client_->OnDurable(position);
  } else {
    static base::RateLimit rate;
    log.ErrorLimited(rate, "%s", ovsdb::ErrorText(status));
    client_->OnNotDurable(position, status);
  }
}

void StandaloneStorage::SyncNow() {
  Flush();
  OnSynced(log_->sync()->Run(), flushed_);
}

bool StandaloneStorage::WantsCompaction() {
  if (rewrite_.under_way()) return false;
  return !log_->sync()->status().ok() || schedule_.IsDue(base::MonotonicMs(), log_->size());
}

void StandaloneStorage::Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) {
  Rewrite(std::move(snapshot), std::move(comment), std::move(done));
}

void StandaloneStorage::Convert(ovsdb::Snapshot converted, Done done) {
  Rewrite(std::move(converted), "converted by ovsdb-server", std::move(done));
}

void StandaloneStorage::Rewrite(ovsdb::Snapshot snapshot, std::string comment, Done done) {
  n_rewrite_tail_ = 0;
  rewrite_.Start(
      // Frees what transactions have replaced meanwhile on the thread that it runs on.
      [snapshot = std::move(snapshot), comment = std::move(comment),
       form = *form_](LogWriter* writer) {
        return WriteDatabase(snapshot, comment, base::WallMs(), form, writer);
      },
      /*tail=*/{},
      [this] {
        schedule_.Compacted(base::MonotonicMs(), log_->size());
        schedule_.Appended(n_rewrite_tail_);
        sync_.Ask(log_->sync(), flushed_);
      },
      std::move(done));
}

// In memory

namespace {

class MemoryStorage final : public Storage {
 public:
  explicit MemoryStorage(absl::string_view model) : model_(model) {}

  void SetClient(Client* client) override { client_ = client; }
  absl::string_view model() const override { return model_; }
  Position Append(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change,
                  bool durable) override {
    return ++appended_;
  }
  void Flush() override {
    if (flushed_ == appended_) return;
    flushed_ = appended_;
    client_->OnCommitted(flushed_);
    client_->OnDurable(flushed_);
  }
  void SyncNow() override { Flush(); }
  void Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) override {
    done(absl::OkStatus());
  }
  void Convert(ovsdb::Snapshot converted, Done done) override { done(absl::OkStatus()); }
  bool WantsCompaction() override { return false; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  const std::string model_;
  Client* client_ = nullptr;
  Position appended_ = 0;
  Position flushed_ = 0;
};

}  // namespace

std::unique_ptr<Storage> MakeMemoryStorage(absl::string_view model) {
  return std::make_unique<MemoryStorage>(model);
}

}  // namespace server
