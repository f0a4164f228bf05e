// The lock file beside a database file, `.NAME.~lock~`: held by whoever may write the database.
#ifndef SERVER_LOCK_FILE_H_
#define SERVER_LOCK_FILE_H_

#include <memory>
#include <string>

#include "server/file_system.h"

namespace server {

// Takes the lock of the database file `target` (symbolic links followed) and logs a warning if
// that fails. Returns 0 or a negative errno. The lock ends when `*lock` is destroyed, or with the
// process; the lock file stays.
int LockDatabaseFile(const std::string& target, FileSystem* file_system,
                     std::unique_ptr<File>* lock);

}  // namespace server

#endif  // SERVER_LOCK_FILE_H_
