#include "server/file_rewrite.h"

#include <utility>

#include "ovsdb/error.h"
#include "server/base/log.h"

namespace server {
namespace {

base::LogModule log("ovsdb_server");

// What is appended while a new version of the file is being written is appended to that, too. It is
// done on the helper thread as long as there is more than this of it.
constexpr size_t kSmallTail = 256 << 10;
constexpr int kMaxTailRounds = 5;

}  // namespace

// The helper thread has it to itself while it works; the loop touches only `tail` and `dropped`
// then.
struct FileRewrite::Job {
  Content content;
  std::function<void()> replaced;
  Done done;
  std::unique_ptr<LogWriter> writer;
  std::string batch;  // Of the tail, being appended.
  int rounds = 0;
  absl::Status status;

  std::string tail;      // Framed records that are not in `batch`.
  bool dropped = false;  // Nobody is interested any more.

  absl::Status WriteContent() {
    absl::Status written = content(writer.get());
    content = nullptr;
    return written.ok() ? writer->Sync() : written;
  }

  absl::Status AppendBatch() {
    absl::Status written = writer->Append(batch);
    batch.clear();
    return written.ok() ? writer->Sync() : written;
  }
};

FileRewrite::FileRewrite(base::Worker* worker, LogFile* log, GroupSync* sync)
    : worker_(worker), log_(log), sync_(sync) {}

FileRewrite::~FileRewrite() {
  if (job_) job_->dropped = true;
}

template <typename Work>
void FileRewrite::Run(Work work, void (FileRewrite::*then)()) {
  worker_->Run([job = job_, work = std::move(work)]() mutable { job->status = work(job.get()); },
               [this, job = job_, then] {
                 if (job->dropped) return;
                 if (job->status.ok()) {
                   (this->*then)();
                 } else {
                   End(job->status);
                 }
               });
}

void FileRewrite::Start(Content content, std::string tail, std::function<void()> replaced,
                        Done done) {
  absl::StatusOr<std::unique_ptr<LogWriter>> writer = log_->StartReplacement();
  if (!writer.ok()) {
    done(writer.status());
    return;
  }
  job_ = std::make_shared<Job>();
  job_->content = std::move(content);
  job_->tail = std::move(tail);
  job_->replaced = std::move(replaced);
  job_->done = std::move(done);
  job_->writer = *std::move(writer);
  Run([](Job* job) { return job->WriteContent(); }, &FileRewrite::Continue);
}

void FileRewrite::Append(absl::string_view records) {
  if (job_) job_->tail.append(records.data(), records.size());
}

void FileRewrite::Continue() {
  Job* job = job_.get();
  job->batch.swap(job->tail);
  const bool last = job->batch.size() <= kSmallTail || ++job->rounds == kMaxTailRounds;
  if (last) sync_->SetHeld(true);
  Run([](Job* j) { return j->AppendBatch(); },
      last ? &FileRewrite::Finish : &FileRewrite::Continue);
}

void FileRewrite::Finish() {
  absl::Status status;
  if (!job_->tail.empty()) status = job_->writer->Append(job_->tail);
  std::shared_ptr<LogSync> old = log_->sync();
  if (status.ok()) status = log_->Replace(std::move(job_->writer));
  if (!status.ok()) {
    End(std::move(status));
    return;
  }
  job_->replaced();
  sync_->SetHeld(false);
  // Closing the last descriptor of a large file takes its time, too.
  Run(
      [fresh = log_->sync(), old = std::move(old)](Job*) mutable {
        old = nullptr;
        return fresh->Run();
      },
      &FileRewrite::Closed);
}

void FileRewrite::Closed() { End(absl::OkStatus()); }

void FileRewrite::End(absl::Status status) {
  sync_->SetHeld(false);
  if (!status.ok()) log.Error("%s", ovsdb::ErrorText(status));
  const Done done = std::move(job_->done);
  job_ = nullptr;
  done(std::move(status));
}

}  // namespace server
