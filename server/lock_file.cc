#include "server/lock_file.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/log.h"

namespace server {
namespace {

base::LogModule log("lockfile");

std::string LockFileName(const std::string& target) {
  const size_t slash = target.rfind('/');
  const size_t base = slash == std::string::npos ? 0 : slash + 1;
  const absl::string_view text = target;
  return absl::StrCat(text.substr(0, base), ".", text.substr(base), ".~lock~");
}

}  // namespace

int LockDatabaseFile(const std::string& target, FileSystem* file_system,
                     std::unique_ptr<File>* lock) {
  const std::string name = LockFileName(target);
  int64_t holder = 0;
  int result = file_system->Lock(name, lock, &holder);
  if (result == -EDEADLK) {
    log.Warn("%s: cannot lock file because this process has already locked it", name);
  } else if (holder != 0) {
    log.Warn("%s: cannot lock file because it is already locked by pid %d", name, holder);
  } else if (result != 0) {
    log.Warn("%s: failed to open lock file: %s", name, strerror(-result));
    if (result == -EACCES) result = -EAGAIN;  // As stock.
    log.Warn("%s: failed to lock file: %s", name, strerror(-result));
  }
  return result;
}

}  // namespace server
