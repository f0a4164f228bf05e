// Reads the records of a database file from its beginning, whatever bytes it holds.
#ifndef SERVER_LOG_READER_H_
#define SERVER_LOG_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/file_system.h"
#include "server/log_record.h"

namespace server {

// The data of one record, valid until the next call on its reader. The bytes, and one more behind
// them, are the caller's to overwrite: they may be parsed in situ.
struct LogRecord {
  uint64_t offset = 0;  // Of the data in the file.
  char* data = nullptr;
  size_t size = 0;

  absl::string_view text() const { return {data, size}; }
};

// A part of a file in memory. It moves forward only, and grows no faster than bytes arrive.
class FileWindow {
 public:
  explicit FileWindow(File* file, uint64_t offset = 0) : file_(file), offset_(offset) {}
  ~FileWindow();
  FileWindow(const FileWindow&) = delete;
  FileWindow& operator=(const FileWindow&) = delete;

  // Brings `size` bytes at `offset` into memory, or as many as the file has, and forgets what is
  // before them. Requires that `offset` is no smaller than last time and at most where the bytes
  // read so far end. Returns 0 or a negative errno.
  int Fill(uint64_t offset, uint64_t size);

  // From the `offset` given to Fill on; at least what was asked for, if the file has it. There is
  // room for one byte behind it.
  char* data() const { return buffer_ + start_; }
  size_t size() const { return end_ - start_; }

 private:
  int Resize(size_t capacity);

  File* file_;
  char* buffer_ = nullptr;
  size_t capacity_ = 0;
  size_t start_ = 0;  // Valid bytes of buffer_: [start_, end_).
  size_t end_ = 0;
  uint64_t offset_;  // In the file, of buffer_[start_].
};

// Error texts name `name`.
class LogReader {
 public:
  LogReader(std::shared_ptr<File> file, std::string name);

  // Looks at the first header: the kind of file, if it is `wanted` (either without one). Must be
  // called first. Nothing: the file is empty.
  absl::StatusOr<std::optional<LogMagic>> Identify(std::optional<LogMagic> wanted);

  // These are LogFile's (log_file.h).
  absl::StatusOr<std::optional<LogRecord>> Read();
  absl::StatusOr<std::string> ReadAgain(const LogRecord& record) const;
  void Unread();
  absl::Status Reject(absl::string_view why);
  absl::StatusOr<bool> IsTorn();

  bool ended() const { return window_ == nullptr; }
  bool at_end_of_file() const { return ended() && clean_; }
  uint64_t end() const { return end_; }  // Where the last good record ends.

 private:
  absl::StatusOr<absl::string_view> ReadHeaderLine();
  absl::StatusOr<std::optional<LogRecord>> ReadRecord();
  absl::StatusOr<bool> BadRecordIsWhole();
  absl::StatusOr<bool> MoreRecordsFollow();
  absl::Status End(absl::Status status);

  const std::shared_ptr<File> file_;
  const std::string name_;
  LogMagic magic_ = LogMagic::kStandalone;
  std::unique_ptr<FileWindow> window_;  // Null once reading has ended.
  absl::Status status_;                 // Why it did.
  bool clean_ = false;                  // At the end of the file.
  uint64_t end_ = 0;
  uint64_t start_ = 0;    // Of the record read last.
  uint64_t data_ = 0;     // Of its data.
  char* lent_ = nullptr;  // The byte behind it, and what it was.
  char lent_byte_ = '\0';
};

}  // namespace server

#endif  // SERVER_LOG_READER_H_
