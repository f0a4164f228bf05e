#include "server/file_system.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace server {
namespace {

using FileId = std::pair<dev_t, ino_t>;

class PosixFile : public File {
 public:
  explicit PosixFile(int fd) : fd_(fd) {}
  ~PosixFile() override { close(fd_); }

  int64_t Read(uint64_t offset, char* buffer, size_t size) override {
    ssize_t n;
    do {
      n = pread(fd_, buffer, size, static_cast<off_t>(offset));
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
  }
  int64_t Write(uint64_t offset, absl::string_view data) override {
    ssize_t n;
    do {
      n = pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
  }
  int Truncate(uint64_t size) override {
    return ftruncate(fd_, static_cast<off_t>(size)) < 0 ? -errno : 0;
  }
  int Sync() override { return fdatasync(fd_) < 0 ? -errno : 0; }

 private:
  const int fd_;
};

// POSIX record locks belong to the process, and closing any descriptor of the file ends them. So
// the locks of this process are kept here, by file: a second one is refused before it opens the
// file.
class HeldLocks {
 public:
  std::mutex mutex;
  absl::flat_hash_set<FileId> ids;

  static HeldLocks& Get() {
    static HeldLocks* const locks = new HeldLocks;
    return *locks;
  }
};

class LockFile : public PosixFile {
 public:
  LockFile(int fd, const FileId& id) : PosixFile(fd), id_(id) {}
  ~LockFile() override {
    std::lock_guard<std::mutex> guard(HeldLocks::Get().mutex);
    HeldLocks::Get().ids.erase(id_);
  }

 private:
  const FileId id_;
};

class PosixFileSystem : public FileSystem {
 public:
  int Open(const std::string& path, int flags, std::unique_ptr<File>* file) override {
    const int fd = open(path.c_str(), flags | O_CLOEXEC, 0640);
    if (fd < 0) return -errno;
    *file = std::make_unique<PosixFile>(fd);
    return 0;
  }

  int Lock(const std::string& path, std::unique_ptr<File>* lock, int64_t* holder) override {
    *holder = 0;
    HeldLocks& held = HeldLocks::Get();
    std::lock_guard<std::mutex> guard(held.mutex);
    struct stat status;
    if (stat(path.c_str(), &status) == 0 && held.ids.contains({status.st_dev, status.st_ino})) {
      return -EDEADLK;
    }
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    const int result = LockDescriptor(fd, holder);
    if (result < 0) {
      close(fd);
      return result;
    }
    fstat(fd, &status);
    const FileId id(status.st_dev, status.st_ino);
    held.ids.insert(id);
    *lock = std::make_unique<LockFile>(fd, id);
    return 0;
  }

  int Rename(const std::string& from, const std::string& to) override {
    return rename(from.c_str(), to.c_str()) < 0 ? -errno : 0;
  }
  int Remove(const std::string& path) override { return unlink(path.c_str()) < 0 ? -errno : 0; }

  int SyncDirectory(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int result = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return result;
  }

  int ResolveLinks(const std::string& path, std::string* target) override {
    *target = path;
    for (int depth = 0; depth < kMaxLinks; ++depth) {
      char link[PATH_MAX];
      const ssize_t size = readlink(target->c_str(), link, sizeof link);
      if (size < 0) return errno == EINVAL || errno == ENOENT ? 0 : -errno;
      const size_t slash = target->rfind('/');
      if (size > 0 && link[0] == '/') {
        target->clear();
      } else {
        target->resize(slash == std::string::npos ? 0 : slash + 1);
      }
      target->append(link, static_cast<size_t>(size));
    }
    return -ELOOP;
  }

 private:
  static constexpr int kMaxLinks = 10;  // As stock.

  static int LockDescriptor(int fd, int64_t* holder) {
    struct flock request = {};
    request.l_type = F_WRLCK;
    request.l_whence = SEEK_SET;
    if (fcntl(fd, F_SETLK, &request) == 0) return 0;
    const int error = errno == EACCES ? EAGAIN : errno;
    if (fcntl(fd, F_GETLK, &request) == 0 && request.l_type != F_UNLCK) *holder = request.l_pid;
    return -error;
  }
};

}  // namespace

FileSystem* FileSystem::Default() {
  static FileSystem* const file_system = new PosixFileSystem;
  return file_system;
}

}  // namespace server
