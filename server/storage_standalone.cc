#include "server/storage_standalone.h"

#include <random>
#include <utility>

#include "ovsdb/error.h"
#include "server/base/log.h"

namespace server {
namespace {

base::LogModule log("ovsdb_server");

constexpr int64_t kMinute = 60 * 1000;
constexpr uint64_t kMinCompactionBytes = 10 << 20;
constexpr size_t kMinCompactionRecords = 100;

// What commits while a new version of the file is being written is appended to that, too. It is
// done on the helper thread as long as there is more than this of it.
constexpr size_t kSmallTail = 256 << 10;
constexpr int kMaxTailRounds = 5;

// A buffer that one big turn has blown up is given back.
constexpr size_t kMaxIdleBuffer = 1 << 20;

int64_t Random(int64_t below) {
  static std::minstd_rand engine{std::random_device()()};
  return std::uniform_int_distribution<int64_t>(0, below - 1)(engine);
}

}  // namespace

// CompactionSchedule

CompactionSchedule::CompactionSchedule(int64_t now_ms)
    : compacted_ms_(now_ms), next_look_ms_(now_ms + 10 * kMinute + Random(10 * kMinute)) {}

void CompactionSchedule::Compacted(int64_t now_ms, uint64_t size) {
  *this = CompactionSchedule(now_ms);
  base_size_ = size;
}

void CompactionSchedule::Opened(const LoadedDatabase& loaded) {
  base_size_ = loaded.base_size;
  n_records_ = loaded.n_transactions == 0 ? 0 : loaded.n_transactions - 1;
}

bool CompactionSchedule::IsDue(int64_t now_ms, uint64_t size) {
  if (now_ms < next_look_ms_ || n_records_ == 0) return false;
  next_look_ms_ = now_ms + kMinute + Random(kMinute);
  if (now_ms - compacted_ms_ >= 24 * 60 * kMinute) return true;
  return n_records_ >= kMinCompactionRecords && size >= kMinCompactionBytes &&
         size / 2 >= base_size_;
}

// StandaloneStorage

// A new version of the file on its way. The helper thread has it to itself while it works; the loop
// touches only `tail` and `dropped` then.
struct StandaloneStorage::Rewrite {
  ovsdb::Snapshot snapshot;
  std::string comment;
  ovsdb::RecordForm form = ovsdb::RecordForm::kDifferences;
  Done done;
  std::unique_ptr<LogWriter> writer;
  std::string batch;  // Of the tail, being appended.
  int rounds = 0;
  absl::Status status;

  std::string tail;      // Framed records committed since the snapshot and not in `batch`.
  size_t n_tail = 0;     // Records since the snapshot.
  bool dropped = false;  // The storage is gone.

  absl::Status WriteSnapshot() {
    absl::Status written = WriteDatabase(snapshot, comment, base::WallMs(), form, writer.get());
    if (written.ok()) written = writer->Sync();
    snapshot = {};  // Frees what transactions have replaced meanwhile, on this thread.
    return written;
  }

  absl::Status AppendBatch() {
    absl::Status written = writer->Append(batch);
    batch.clear();
    return written.ok() ? writer->Sync() : written;
  }
};

StandaloneStorage::StandaloneStorage(const Workers& workers, std::unique_ptr<LogFile> file,
                                     const ovsdb::RecordForm* form, const LoadedDatabase& loaded)
    : workers_(workers),
      log_(std::move(file)),
      form_(form),
      schedule_(base::MonotonicMs()),
      sync_(workers.sync,
            [this](const absl::Status& status, uint64_t position) { OnSynced(status, position); }) {
  schedule_.Opened(loaded);
}

StandaloneStorage::~StandaloneStorage() {
  if (rewrite_) rewrite_->dropped = true;
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
  if (!buffer_.empty()) status = log_->Append(buffer_);
  if (status.ok()) {
    schedule_.Appended(n_buffered_);
    if (rewrite_) {
      rewrite_->tail += buffer_;
      rewrite_->n_tail += n_buffered_;
    }
  }
  buffer_.clear();
  n_buffered_ = 0;
  if (buffer_.capacity() > kMaxIdleBuffer) buffer_.shrink_to_fit();

  if (!status.ok()) {
    log.Error("%s", ovsdb::ErrorText(status));
    client_->OnLost(status);
    return;
  }
  client_->OnCommitted(flushed_);
  if (wanted_durable_ > 0) {
    sync_.Ask(log_->sync(), wanted_durable_);
    wanted_durable_ = 0;
  }
}

void StandaloneStorage::OnSynced(const absl::Status& status, Position position) {
  if (status.ok()) {
    client_->OnDurable(position);
  } else {
    log.Error("%s", ovsdb::ErrorText(status));
    client_->OnNotDurable(position, status);
  }
}

void StandaloneStorage::SyncNow() {
  Flush();
  OnSynced(log_->sync()->Run(), flushed_);
}

bool StandaloneStorage::WantsCompaction() {
  return rewrite_ == nullptr && schedule_.IsDue(base::MonotonicMs(), log_->size());
}

// Rewriting: the snapshot, then what was committed meanwhile in ever smaller batches, are written
// and synced on the helper thread; then the files change places. Near the end no sync of the old
// file is acknowledged, for after a crash the new one may be what is found.

void StandaloneStorage::Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) {
  StartRewrite(std::move(snapshot), std::move(comment), std::move(done));
}

void StandaloneStorage::Convert(ovsdb::Snapshot converted, Done done) {
  StartRewrite(std::move(converted), "converted by ovsdb-server", std::move(done));
}

template <typename Work>
void StandaloneStorage::RunRewrite(Work work, void (StandaloneStorage::*then)()) {
  workers_.rewrite->Run(
      [rewrite = rewrite_, work = std::move(work)]() mutable {
        rewrite->status = work(rewrite.get());
      },
      [this, rewrite = rewrite_, then] {
        if (rewrite->dropped) return;
        if (rewrite->status.ok()) {
          (this->*then)();
        } else {
          EndRewrite(rewrite->status);
        }
      });
}

void StandaloneStorage::StartRewrite(ovsdb::Snapshot snapshot, std::string comment, Done done) {
  absl::StatusOr<std::unique_ptr<LogWriter>> writer = log_->StartReplacement();
  if (!writer.ok()) {
    done(writer.status());
    return;
  }
  rewrite_ = std::make_shared<Rewrite>();
  rewrite_->snapshot = std::move(snapshot);
  rewrite_->comment = std::move(comment);
  rewrite_->form = *form_;
  rewrite_->done = std::move(done);
  rewrite_->writer = *std::move(writer);
  RunRewrite([](Rewrite* rewrite) { return rewrite->WriteSnapshot(); },
             &StandaloneStorage::ContinueRewrite);
}

void StandaloneStorage::ContinueRewrite() {
  Rewrite* rewrite = rewrite_.get();
  rewrite->batch.swap(rewrite->tail);
  const bool last = rewrite->batch.size() <= kSmallTail || ++rewrite->rounds == kMaxTailRounds;
  if (last) sync_.SetHeld(true);
  RunRewrite([](Rewrite* r) { return r->AppendBatch(); },
             last ? &StandaloneStorage::FinishRewrite : &StandaloneStorage::ContinueRewrite);
}

void StandaloneStorage::FinishRewrite() {
  absl::Status status;
  if (!rewrite_->tail.empty()) status = rewrite_->writer->Append(rewrite_->tail);
  std::shared_ptr<LogSync> old = log_->sync();
  if (status.ok()) status = log_->Replace(std::move(rewrite_->writer));
  if (!status.ok()) {
    EndRewrite(std::move(status));
    return;
  }
  schedule_.Compacted(base::MonotonicMs(), log_->size());
  schedule_.Appended(rewrite_->n_tail);
  sync_.Ask(log_->sync(), flushed_);
  sync_.SetHeld(false);
  // Closing the last descriptor of a large file takes its time, too.
  RunRewrite(
      [fresh = log_->sync(), old = std::move(old)](Rewrite*) mutable {
        old = nullptr;
        return fresh->Run();
      },
      &StandaloneStorage::RewriteDone);
}

void StandaloneStorage::RewriteDone() { EndRewrite(absl::OkStatus()); }

void StandaloneStorage::EndRewrite(absl::Status status) {
  sync_.SetHeld(false);
  if (!status.ok()) log.Error("%s", ovsdb::ErrorText(status));
  const Done done = std::move(rewrite_->done);
  rewrite_ = nullptr;
  done(std::move(status));
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
