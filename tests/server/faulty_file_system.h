// A file system in memory for tests: it writes short, fails on demand, and at a crash forgets what
// was not synced. The code under test may use it on many threads; the test looks at it and sets its
// faults while none does.
#ifndef TESTS_SERVER_FAULTY_FILE_SYSTEM_H_
#define TESTS_SERVER_FAULTY_FILE_SYSTEM_H_

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "server/file_system.h"

namespace server {

class FaultyFileSystem : public FileSystem {
 public:
  struct Node {
    std::string bytes;
    std::string durable;
  };

  // Faults: a negative errno for the next calls of a kind, 0 to stop failing.
  int read_error = 0;
  int write_error = 0;
  int truncate_error = 0;
  int sync_error = 0;
  int sync_ms = 0;  // What a sync takes.
  int rename_error = 0;
  size_t max_transfer = std::numeric_limits<size_t>::max();  // Bytes per read or write.
  size_t space = std::numeric_limits<size_t>::max();         // Bytes until ENOSPC.
  int n_writes = 0;
  int n_directory_syncs = 0;

  std::string& bytes(const std::string& path) {
    std::shared_ptr<Node>& node = nodes_[path];
    if (!node) node = std::make_shared<Node>();
    return node->bytes;
  }
  bool exists(const std::string& path) const { return nodes_.count(path) > 0; }
  // Power goes: names are kept, contents fall back to what was synced.
  void Crash() {
    for (auto& [path, node] : nodes_) node->bytes = node->durable;
  }

  int Open(const std::string& path, int flags, std::unique_ptr<File>* file) override {
    const std::lock_guard lock(mutex_);
    if (exists(path) ? flags & O_EXCL : !(flags & O_CREAT)) {
      return exists(path) ? -EEXIST : -ENOENT;
    }
    bytes(path);
    *file = std::make_unique<MemoryFile>(this, nodes_[path]);
    return 0;
  }
  int Lock(const std::string& path, std::unique_ptr<File>* lock, int64_t* holder) override {
    const std::lock_guard guard(mutex_);
    *holder = 0;
    if (!locks_.insert(path).second) return -EDEADLK;
    *lock = std::make_unique<MemoryLock>(this, path);
    return 0;
  }
  int Rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    if (rename_error != 0) return rename_error;
    if (!exists(from)) return -ENOENT;
    nodes_[to] = nodes_[from];
    nodes_.erase(from);
    return 0;
  }
  int Remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return nodes_.erase(path) > 0 ? 0 : -ENOENT;
  }
  int SyncDirectory(const std::string&) override {
    const std::lock_guard lock(mutex_);
    ++n_directory_syncs;
    return 0;
  }
  int ResolveLinks(const std::string& path, std::string* target) override {
    *target = path;
    return 0;
  }

 private:
  class MemoryFile : public File {
   public:
    MemoryFile(FaultyFileSystem* fs, std::shared_ptr<Node> node)
        : fs_(fs), node_(std::move(node)) {}
    int64_t Read(uint64_t offset, char* buffer, size_t size) override {
      const std::lock_guard lock(fs_->mutex_);
      if (fs_->read_error != 0) return fs_->read_error;
      if (offset >= node_->bytes.size()) return 0;
      return static_cast<int64_t>(
          node_->bytes.copy(buffer, std::min(size, fs_->max_transfer), offset));
    }
    int64_t Write(uint64_t offset, absl::string_view data) override {
      const std::lock_guard lock(fs_->mutex_);
      if (fs_->write_error != 0) return fs_->write_error;
      ++fs_->n_writes;
      const size_t size = std::min({data.size(), fs_->max_transfer, fs_->space});
      if (size == 0) return -ENOSPC;
      if (fs_->space != std::numeric_limits<size_t>::max()) fs_->space -= size;
      std::string& bytes = node_->bytes;
      if (bytes.size() < offset + size) bytes.resize(offset + size);
      bytes.replace(offset, size, data.data(), size);
      return static_cast<int64_t>(size);
    }
    int Truncate(uint64_t size) override {
      const std::lock_guard lock(fs_->mutex_);
      if (fs_->truncate_error != 0) return fs_->truncate_error;
      node_->bytes.resize(size);
      return 0;
    }
    int Sync() override {
      const std::lock_guard lock(fs_->mutex_);
      if (fs_->sync_ms != 0) std::this_thread::sleep_for(std::chrono::milliseconds(fs_->sync_ms));
      if (fs_->sync_error != 0) return fs_->sync_error;
      node_->durable = node_->bytes;
      return 0;
    }

   private:
    FaultyFileSystem* const fs_;
    const std::shared_ptr<Node> node_;
  };

  class MemoryLock : public MemoryFile {
   public:
    MemoryLock(FaultyFileSystem* fs, const std::string& path)
        : MemoryFile(fs, std::make_shared<Node>()), fs_(fs), path_(path) {}
    ~MemoryLock() override {
      const std::lock_guard lock(fs_->mutex_);
      fs_->locks_.erase(path_);
    }

   private:
    FaultyFileSystem* const fs_;
    const std::string path_;
  };

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Node>> nodes_;
  std::set<std::string> locks_;
};

}  // namespace server

#endif  // TESTS_SERVER_FAULTY_FILE_SYSTEM_H_
