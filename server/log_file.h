// A database file: an append-only log of JSON records (ovsdb(5)), read once from its beginning,
// then appended to.
//
//   auto log = LogFile::Open(path, LogFile::Mode::kReadWrite, LogMagic::kStandalone);
//   while (true) {
//     absl::StatusOr<std::optional<LogRecord>> record = (*log)->Read();
//     ...                                           // Torn tail: an error; the file is usable
//     still.
//   }
//   std::string bytes = "{...}";
//   FrameLogRecord(LogMagic::kStandalone, 0, &bytes);  // As many records as there are.
//   (*log)->Append(bytes);
//   (*log)->sync()->Run();                               // On a helper thread.
//
// Statuses are OVSDB errors (ovsdb/error.h); their texts name file and offset as stock's do.
#ifndef SERVER_LOG_FILE_H_
#define SERVER_LOG_FILE_H_

#include <atomic>
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

class LogBuffer;
class LogWriter;

// The data of one record, valid until the next call on its LogFile. The bytes are the reader's to
// overwrite: they may be parsed in situ, the final line feed (if there is one) turned into a zero.
struct LogRecord {
  uint64_t offset = 0;  // Of the data in the file.
  char* data = nullptr;
  size_t size = 0;

  absl::string_view text() const { return {data, size}; }
};

// Makes what was appended before Run() durable. Independent of its LogFile, on any thread.
class LogSync {
 public:
  LogSync(FileSystem* file_system, std::shared_ptr<File> file, std::string directory);

  absl::Status Run();

 private:
  friend class LogFile;
  FileSystem* file_system_;
  std::shared_ptr<File> file_;
  std::string directory_;
  std::atomic<bool> directory_dirty_{false};  // The file's name is not durable yet.
};

// Single-threaded.
class LogFile {
 public:
  enum class Mode {
    kReadOnly,   // Takes no lock.
    kReadWrite,  // Must exist.
    kCreate,     // Created if it does not exist.
    kCreateNew,  // Must not exist.
  };

  // `magic`: the kind of file that is wanted (and made); without one either kind will do.
  // Modes other than kReadOnly hold a lock file beside the file that `path`'s links lead to.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(
      const std::string& path, Mode mode, std::optional<LogMagic> magic,
      FileSystem* file_system = FileSystem::Default());
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  const std::string& path() const { return path_; }  // As given.
  LogMagic magic() const { return magic_; }

  // The next record, or nothing at the end. An error ends the reading: all later calls return it.
  // Appending is possible all the same, and begins where the last good record ended, truncating
  // the rest.
  absl::StatusOr<std::optional<LogRecord>> Read();

  // Gives the record that Read() returned last back: reading and appending stand before it again.
  void Unread();
  // Likewise, for a record whose text is no good: `why` ("are not a JSON object") completes the
  // error that is returned here and by all later Reads.
  absl::Status Reject(absl::string_view why);

  // Appends whole framed records (log_record.h) with one write. After a failure the file is cut
  // back to its last whole record, if need be at the next Append, which then tries to write again.
  absl::Status Append(absl::string_view records);
  // The error of the last Append; OK after a good one. What get-db-storage-status tells.
  const absl::Status& write_status() const { return write_status_; }

  // Where the last good record ends, in bytes: the size of the file but for a torn tail.
  uint64_t size() const { return end_; }

  // Durability of what is in the file now. Replace() makes a new one.
  const std::shared_ptr<LogSync>& sync() const { return sync_; }

  // Begins a new version of this file in PATH.tmp, which may be written on another thread.
  absl::StatusOr<std::unique_ptr<LogWriter>> StartReplacement() const;
  // Puts the finished writer's file in the place of this one, and continues at its end. Renames
  // only: the new name becomes durable with sync()->Run(). After a failure all is as before.
  absl::Status Replace(std::unique_ptr<LogWriter> writer);

 private:
  LogFile(const std::string& path, const std::string& target, FileSystem* file_system);

  absl::Status ReadHeader(LogHeader* header, uint64_t* data_offset);
  absl::Status ReadData(const LogHeader& header, uint64_t data_offset);

  const std::string path_;
  const std::string target_;  // With symbolic links followed.
  FileSystem* const file_system_;
  LogMagic magic_ = LogMagic::kStandalone;
  std::shared_ptr<File> file_;
  std::unique_ptr<File> lock_;
  std::shared_ptr<LogSync> sync_;

  std::unique_ptr<LogBuffer> buffer_;  // Null once reading has ended.
  uint64_t record_start_ = 0;          // Of the newest record read.
  uint64_t record_data_ = 0;
  uint64_t end_ = 0;
  absl::Status read_status_;
  absl::Status write_status_;
  bool tail_is_clean_ = true;  // Nothing lies beyond end_.
};

// Writes a new version of a database file record by record, to PATH.tmp. Used by one thread at a
// time. Destroying it unreplaced removes the file.
class LogWriter {
 public:
  // `target` is the file to be replaced, links followed. Removes what an earlier run left.
  static absl::StatusOr<std::unique_ptr<LogWriter>> Create(const std::string& target,
                                                           LogMagic magic, FileSystem* file_system);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  absl::Status Append(absl::string_view records);  // Framed records, as LogFile::Append.

  // A record that need not be in memory at once. `expected_size` is a guess of its size: one with
  // the right number of digits saves moving the data by a few bytes at the end.
  absl::Status BeginRecord(uint64_t expected_size);
  absl::Status Write(absl::string_view piece);
  absl::Status EndRecord();

  absl::Status Sync();
  uint64_t size() const { return end_; }

 private:
  friend class LogFile;
  LogWriter(const std::string& path, LogMagic magic, FileSystem* file_system);

  absl::Status ShiftRecord(uint64_t to);

  const std::string path_;
  const LogMagic magic_;
  FileSystem* const file_system_;
  std::shared_ptr<File> file_;  // Null once it has replaced.
  uint64_t end_ = 0;
  uint64_t data_ = 0;  // Where the data of the record under way begins.
  std::unique_ptr<Sha1> sha1_;
};

}  // namespace server

#endif  // SERVER_LOG_FILE_H_
