// The seam to the operating system for database files. Tests put a double here that writes short,
// fails, or forgets what was not synced.
#ifndef SERVER_FILE_SYSTEM_H_
#define SERVER_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace server {

// Results are a count or 0, or a negative errno.

// An open file. One user at a time, but for Sync().
class File {
 public:
  virtual ~File() = default;  // Closes.

  // As pread(2) and pwrite(2): may move fewer bytes than asked; 0 from Read is the end of the file.
  virtual int64_t Read(uint64_t offset, char* buffer, size_t size) = 0;
  virtual int64_t Write(uint64_t offset, absl::string_view data) = 0;
  virtual int Truncate(uint64_t size) = 0;
  // Makes data and size durable. On any thread, beside other calls.
  virtual int Sync() = 0;
};

// Safe on any thread.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // As open(2) with these `flags`; new files get mode 0640 less the umask.
  virtual int Open(const std::string& path, int flags, std::unique_ptr<File>* file) = 0;
  // Creates `path` if need be and takes an exclusive lock on it that a process may hold once and
  // that ends when `*lock` is destroyed. -EAGAIN with `*holder` set: process `*holder` has it;
  // -EDEADLK: this process has it.
  virtual int Lock(const std::string& path, std::unique_ptr<File>* lock, int64_t* holder) = 0;
  virtual int Rename(const std::string& from, const std::string& to) = 0;
  virtual int Remove(const std::string& path) = 0;
  virtual int SyncDirectory(const std::string& path) = 0;
  // The file that `path` names when its last component is a symbolic link, followed to the end;
  // `path` itself if it is no link.
  virtual int ResolveLinks(const std::string& path, std::string* target) = 0;

  static FileSystem* Default();  // The real one. Never destroyed.
};

}  // namespace server

#endif  // SERVER_FILE_SYSTEM_H_
