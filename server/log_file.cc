#include "server/log_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "server/base/log.h"
#include "server/lock_file.h"

namespace server {
namespace {

base::LogModule log("ovsdb_log");

constexpr size_t kMaxTrial = 1 << 20;

int OpenFlags(LogFile::Mode mode) {
  switch (mode) {
    case LogFile::Mode::kReadOnly:
    case LogFile::Mode::kReplace:
      return O_RDONLY;
    case LogFile::Mode::kReadWrite:
      return O_RDWR;
    case LogFile::Mode::kCreate:
      return O_RDWR | O_CREAT;
    case LogFile::Mode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

absl::string_view OpenFailed(LogFile::Mode mode) {
  if (mode == LogFile::Mode::kCreate) return "create or open failed";
  return mode == LogFile::Mode::kCreateNew ? "create failed" : "open failed";
}

absl::Status IoError(absl::string_view path, absl::string_view what, int error) {
  return ovsdb::IoError(absl::StrCat(path, ": ", what), strerror(-error));
}

}  // namespace

LogSync::LogSync(FileSystem* file_system, std::shared_ptr<File> file, const std::string& path,
                 bool new_name)
    : file_system_(file_system), file_(std::move(file)), path_(path), new_name_(new_name) {}

absl::Status LogSync::Run() {
  if (error_ != 0) return status();
  if (const int error = file_->Sync()) {
    error_ = error;
    return status();
  }
  if (new_name_.exchange(false)) {
    const size_t slash = path_.rfind('/');
    const std::string directory =
        slash == std::string::npos ? "." : path_.substr(0, std::max<size_t>(slash, 1));
    if (const int error = file_system_->SyncDirectory(directory)) {
      error_ = error;
      return IoError(directory, "fsync failed", error);
    }
  }
  return absl::OkStatus();
}

absl::Status LogSync::status() const {
  const int error = error_;
  return error == 0 ? absl::OkStatus() : IoError(path_, "fsync failed", error);
}

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(const std::string& path, Mode mode,
                                                       std::optional<LogMagic> magic,
                                                       FileSystem* file_system) {
  const bool create = mode == Mode::kCreate || mode == Mode::kCreateNew;
  const absl::string_view open_failed = OpenFailed(mode);
  std::string target = path;
  std::unique_ptr<File> lock;
  if (mode != Mode::kReadOnly) {
    if (const int error = file_system->ResolveLinks(path, &target)) {
      return IoError(path, open_failed, error);
    }
    if (const int error = LockDatabaseFile(target, file_system, &lock)) {
      return IoError(path, "failed to lock lockfile", error);
    }
  }
  std::unique_ptr<File> file;
  if (const int error = file_system->Open(target, OpenFlags(mode), &file)) {
    return IoError(path, open_failed, error);
  }

  std::unique_ptr<LogFile> result(new LogFile(path, target, file_system));
  result->lock_ = std::move(lock);
  result->file_ = std::move(file);
  result->sync_ = std::make_shared<LogSync>(file_system, result->file_, target, create);
  auto reader = std::make_unique<LogReader>(result->file_, path);
  absl::StatusOr<std::optional<LogMagic>> found = reader->Identify(magic);
  if (!found.ok()) return found.status();
  if (*found) {
    result->magic_ = **found;
    result->reader_ = std::move(reader);
  } else if (create && magic) {
    result->magic_ = *magic;
  } else {
    return ovsdb::Error("ovsdb error", absl::StrCat(path, ": cannot identify file type"));
  }
  return result;
}

LogFile::LogFile(const std::string& path, const std::string& target, FileSystem* file_system)
    : path_(path), target_(target), file_system_(file_system) {}

absl::StatusOr<std::optional<LogRecord>> LogFile::Read() {
  if (!reader_) return std::nullopt;
  return reader_->Read();
}

// Whether the file has been read, so that it is known where to append.
bool LogFile::PrepareToAppend() {
  if (reader_ && !reader_->ended()) return false;
  if (reader_) {
    end_ = reader_->end();
    clean_ = reader_->at_end_of_file();
    reader_.reset();
  }
  return true;
}

absl::Status LogFile::Append(absl::string_view records) {
  if (!lock_) {
    // What stock says, which tries.
    return IoError(path_, absl::StrCat("cannot truncate to length ", size()), -EINVAL);
  }
  const int error = PrepareToAppend() ? WriteAtEnd(records) : -EBADF;
  if (error == 0) {
    end_ += records.size();
    write_status_ = absl::OkStatus();
  } else {
    static base::RateLimit limit;
    log.WarnLimited(limit, "%s: write failed (%s)", target_, strerror(-error));
    write_status_ = IoError(path_, "write failed", error);
    refused_ = records.size();
  }
  return write_status_;
}

// Zeros are what a crash leaves where blocks did not reach the disk.
absl::Status LogFile::TryAgain() {
  if (write_status_.ok() || !PrepareToAppend()) return write_status_;
  if (WriteAtEnd(std::string(std::min(refused_, kMaxTrial), '\0')) != 0) return write_status_;
  clean_ = file_->Truncate(end_) == 0;
  if (clean_) write_status_ = absl::OkStatus();
  return write_status_;
}

int LogFile::WriteAtEnd(absl::string_view records) {
  if (!clean_) {
    if (const int error = file_->Truncate(end_)) return error;
    clean_ = true;
  }
  const int error = WriteFully(file_.get(), end_, records);
  if (error != 0) clean_ = file_->Truncate(end_) == 0;
  return error;
}

absl::StatusOr<std::unique_ptr<LogWriter>> LogFile::StartReplacement() const {
  return LogWriter::Create(target_, magic_, file_system_);
}

absl::Status LogFile::Replace(std::unique_ptr<LogWriter> writer) {
  if (!writer->status().ok()) return writer->status();
  if (!lock_) return IoError(path_, "write failed", -EBADF);
  if (const int error = file_system_->Rename(writer->path(), target_)) {
    return ovsdb::IoError(
        absl::StrCat("failed to rename \"", writer->path(), "\" to \"", target_, "\""),
        strerror(-error));
  }
  reader_.reset();
  file_ = writer->Release();
  sync_ = std::make_shared<LogSync>(file_system_, file_, target_, /*new_name=*/true);
  end_ = writer->size();
  clean_ = true;
  write_status_ = absl::OkStatus();
  return absl::OkStatus();
}

}  // namespace server
