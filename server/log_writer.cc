#include "server/log_writer.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

namespace server {
namespace {

constexpr size_t kChunk = 1 << 20;  // Bytes written or moved at once.

}  // namespace

int WriteFully(File* file, uint64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const int64_t n = file->Write(offset, bytes);
    if (n <= 0) return n < 0 ? static_cast<int>(n) : -EIO;
    offset += static_cast<uint64_t>(n);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

absl::StatusOr<std::unique_ptr<LogWriter>> LogWriter::Create(const std::string& target,
                                                             LogMagic magic,
                                                             FileSystem* file_system) {
  const std::string path = absl::StrCat(target, ".tmp");
  int error = file_system->Remove(path);
  if (error != 0 && error != -ENOENT) {
    return ovsdb::IoError(absl::StrCat(path, ": remove failed"), strerror(-error));
  }
  std::unique_ptr<File> file;
  error = file_system->Open(path, O_RDWR | O_CREAT | O_EXCL, &file);
  if (error != 0) return ovsdb::IoError(absl::StrCat(path, ": create failed"), strerror(-error));
  return std::unique_ptr<LogWriter>(new LogWriter(path, magic, file_system, std::move(file)));
}

LogWriter::LogWriter(const std::string& path, LogMagic magic, FileSystem* file_system,
                     std::shared_ptr<File> file)
    : path_(path), magic_(magic), file_system_(file_system), file_(std::move(file)) {}

LogWriter::~LogWriter() {
  if (file_) file_system_->Remove(path_);
}

void LogWriter::Fail(absl::string_view what, int error) {
  status_ = ovsdb::IoError(absl::StrCat(path_, ": ", what), strerror(-error));
}

void LogWriter::WriteAt(uint64_t offset, absl::string_view bytes) {
  if (!status_.ok()) return;
  if (const int error = WriteFully(file_.get(), offset, bytes)) Fail("write failed", error);
}

absl::Status LogWriter::Append(absl::string_view records) {
  WriteAt(end_, records);
  if (status_.ok()) end_ += records.size();
  return status_;
}

absl::Status LogWriter::BeginRecord(uint64_t expected_size) {
  const std::string header =
      FormatLogHeader(LogMagicText(magic_), expected_size + 1, std::string(kSha1HexSize, '0'));
  data_ = end_ + header.size();
  written_ = 0;
  return status_;
}

absl::Status LogWriter::Write(absl::string_view piece) {
  while (!piece.empty()) {
    absl::StrAppend(&pending_, piece.substr(0, kChunk));
    piece.remove_prefix(std::min(piece.size(), kChunk));
    if (pending_.size() >= kChunk) Flush();
  }
  return status_;
}

void LogWriter::Flush() {
  sha1_.Update(pending_);
  WriteAt(data_ + written_, pending_);
  written_ += pending_.size();
  pending_.clear();
}

absl::Status LogWriter::EndRecord() {
  pending_.push_back('\n');
  Flush();
  const std::string header = FormatLogHeader(LogMagicText(magic_), written_, sha1_.Finish());
  const uint64_t data = end_ + header.size();
  if (data != data_) MoveData(data_, data, written_);
  WriteAt(end_, header);
  if (status_.ok()) end_ = data + written_;
  return status_;
}

void LogWriter::MoveData(uint64_t from, uint64_t to, uint64_t size) {
  std::string chunk(std::min<uint64_t>(size, kChunk), '\0');
  for (uint64_t moved = 0; moved < size && status_.ok();) {
    const size_t want = std::min<uint64_t>(chunk.size(), size - moved);
    // Begin at the end that the destination does not overlap.
    const uint64_t at = to < from ? moved : size - moved - want;
    for (size_t have = 0; have < want;) {
      const int64_t n = file_->Read(from + at + have, &chunk[have], want - have);
      if (n <= 0) return Fail("read failed", n < 0 ? static_cast<int>(n) : -EIO);
      have += static_cast<size_t>(n);
    }
    WriteAt(to + at, absl::string_view(chunk).substr(0, want));
    moved += want;
  }
  if (!status_.ok() || to > from) return;
  if (const int error = file_->Truncate(to + size)) Fail("truncate failed", error);
}

absl::Status LogWriter::Sync() {
  if (!status_.ok()) return status_;
  if (const int error = file_->Sync()) Fail("fsync failed", error);
  return status_;
}

std::shared_ptr<File> LogWriter::Release() { return std::move(file_); }

}  // namespace server
