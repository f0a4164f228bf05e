// A database file: an append-only log of JSON records (ovsdb(5)), read once from its beginning,
// then appended to.
//
//   auto log = LogFile::Open(path, LogFile::Mode::kReadWrite, LogMagic::kStandalone);
//   while (true) {
//     absl::StatusOr<std::optional<LogRecord>> record = (*log)->Read();
//     ...
//   }
//   std::string bytes = "{...}";
//   FrameLogRecord(LogMagic::kStandalone, 0, &bytes);  // As many records as there are.
//   (*log)->Append(bytes);
//   (*log)->sync()->Run();  // On a helper thread.
//
// Statuses are OVSDB errors (ovsdb/error.h); their texts name file and offset as stock's do.
#ifndef SERVER_LOG_FILE_H_
#define SERVER_LOG_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/file_system.h"
#include "server/log_reader.h"
#include "server/log_record.h"
#include "server/log_writer.h"

namespace server {

// Makes what was appended before Run() durable. Independent of its LogFile, on any thread.
//
// Once it has failed it fails for good: the system tells of a page that it could not write but
// once, and may have dropped it, so that a later success would promise what is not on the disk. The
// way out is a new version of the file (LogFile::Replace).
class LogSync {
 public:
  LogSync(FileSystem* file_system, std::shared_ptr<File> file, const std::string& path,
          bool new_name);

  absl::Status Run();
  absl::Status status() const;  // Whether all Runs went well.
  const std::string& path() const { return path_; }

 private:
  FileSystem* const file_system_;
  const std::shared_ptr<File> file_;
  const std::string path_;
  std::atomic<bool> new_name_;  // The file's name is not durable yet.
  std::atomic<int> error_ = 0;  // A negative errno.
};

// Single-threaded.
class LogFile {
 public:
  enum class Mode {
    kReadOnly,   // Takes no lock.
    kReplace,    // Must exist. Read only: not to be appended to, but to be replaced.
    kReadWrite,  // Must exist.
    kCreate,     // Created if it does not exist.
    kCreateNew,  // Must not exist.
  };

  // `magic`: the kind of file that is wanted (and made); without one either kind will do.
  // Modes other than kReadOnly hold the lock file beside the file that `path`'s links lead to.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(
      const std::string& path, Mode mode, std::optional<LogMagic> magic,
      FileSystem* file_system = FileSystem::Default());
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  const std::string& path() const { return path_; }      // As given.
  const std::string& target() const { return target_; }  // With symbolic links followed.
  LogMagic magic() const { return magic_; }

  // The next record, or nothing at the end. An error ends the reading: all later calls return it.
  absl::StatusOr<std::optional<LogRecord>> Read();

  // The next four require that nothing was appended yet.

  // The text of the record that Read() returned last, for who has overwritten it.
  absl::StatusOr<std::string> ReadAgain(const LogRecord& record) const {
    return reader_->ReadAgain(record);
  }

  // The record that Read() returned last is no good: ends the reading, as if it were not there.
  void Unread() { reader_->Unread(); }
  // Likewise, for one whose text is at fault: `why` ("are not a JSON object") completes the error
  // that is returned here and by all later Reads.
  absl::Status Reject(absl::string_view why) { return reader_->Reject(why); }

  // After Read() failed, Reject() or Unread(): whether the rest is a torn tail, as a crash leaves
  // it, which Append cuts off: a part of a record, or one with zeros where blocks did not reach the
  // disk. If the bad record is all there, or whole ones follow it, the file is corrupt, and
  // appending would lose what was acknowledged.
  absl::StatusOr<bool> IsTorn() { return reader_->IsTorn(); }

  // Appends whole framed records (log_record.h) with one write, behind the last good one. Requires
  // that the reading has ended. After a failure the file is cut back to its last whole record, if
  // need be at the next Append, which then tries to write again.
  absl::Status Append(absl::string_view records);
  // After an Append that failed: whether there is room again, found out by writing as much as it
  // was to (at most 1 MiB) behind the end and taking it away. A crash meanwhile leaves a torn tail.
  absl::Status TryAgain();
  // OK if the last Append or TryAgain was, and no sync has failed. What get-db-storage-status
  // tells.
  absl::Status status() const { return write_status_.ok() ? sync_->status() : write_status_; }

  // Where the last good record ends, in bytes: the size of the file but for a torn tail.
  uint64_t size() const { return reader_ ? reader_->end() : end_; }

  // Durability of what is in the file now. Replace() makes a new one.
  const std::shared_ptr<LogSync>& sync() const { return sync_; }

  // Begins a new version of this file, which may be written on another thread.
  absl::StatusOr<std::unique_ptr<LogWriter>> StartReplacement() const;
  // Puts the file of `writer`, which was synced, in the place of this one, and continues at its
  // end. Renames only: the new name becomes durable with sync()->Run(). After a failure all is as
  // before, but for the writer's file, which is removed.
  absl::Status Replace(std::unique_ptr<LogWriter> writer);

 private:
  LogFile(const std::string& path, const std::string& target, FileSystem* file_system);

  bool PrepareToAppend();
  int WriteAtEnd(absl::string_view records);

  const std::string path_;
  const std::string target_;
  FileSystem* const file_system_;
  LogMagic magic_ = LogMagic::kStandalone;
  std::unique_ptr<File> lock_;  // Null in kReadOnly.
  std::shared_ptr<File> file_;
  std::shared_ptr<LogSync> sync_;
  std::unique_ptr<LogReader> reader_;  // Null in a new file, and once something was appended.
  uint64_t end_ = 0;                   // Where to append. These two are of use without a reader.
  bool clean_ = true;                  // Nothing lies beyond end_.
  absl::Status write_status_;
  size_t refused_ = 0;  // What the Append that failed was to write.
};

}  // namespace server

#endif  // SERVER_LOG_FILE_H_
