// Writes a new version of a database file beside the old one, to put it in its place later.
#ifndef SERVER_LOG_WRITER_H_
#define SERVER_LOG_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/file_system.h"
#include "server/log_record.h"

namespace server {

// Writes PATH.tmp record by record. Used by one thread at a time. A failure is final: all later
// calls return it. Destroying it removes the file, unless Release() was called.
class LogWriter {
 public:
  // `target` is the file to be replaced, links followed. Removes what an earlier run left.
  static absl::StatusOr<std::unique_ptr<LogWriter>> Create(const std::string& target,
                                                           LogMagic magic, FileSystem* file_system);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  absl::Status Append(absl::string_view records);  // Framed (log_record.h).

  // A record that is never in memory as a whole: BeginRecord, its JSON text in pieces of any size,
  // EndRecord. `expected_size` guesses the size of the text; where its number of digits is right,
  // the data need not be moved by a few bytes at the end.
  absl::Status BeginRecord(uint64_t expected_size);
  absl::Status Write(absl::string_view piece);
  absl::Status EndRecord();

  absl::Status Sync();  // Makes durable what was written so far.

  const std::string& path() const { return path_; }
  LogMagic magic() const { return magic_; }
  uint64_t size() const { return end_; }  // Of the whole records.
  const absl::Status& status() const { return status_; }
  // The file is the caller's now; it stays where it is.
  std::shared_ptr<File> Release();

 private:
  LogWriter(const std::string& path, LogMagic magic, FileSystem* file_system,
            std::shared_ptr<File> file);

  void WriteAt(uint64_t offset, absl::string_view bytes);
  void Flush();
  void MoveData(uint64_t from, uint64_t to, uint64_t size);
  void Fail(absl::string_view what, int error);

  const std::string path_;
  const LogMagic magic_;
  FileSystem* const file_system_;
  std::shared_ptr<File> file_;  // Null once released.
  absl::Status status_;
  uint64_t end_ = 0;
  // The record under way.
  uint64_t data_ = 0;     // Where its data begins.
  uint64_t written_ = 0;  // How much of it is in the file.
  std::string pending_;   // What follows.
  Sha1 sha1_;
};

// Writes all of `bytes`. Returns 0 or a negative errno.
int WriteFully(File* file, uint64_t offset, absl::string_view bytes);

}  // namespace server

#endif  // SERVER_LOG_WRITER_H_
