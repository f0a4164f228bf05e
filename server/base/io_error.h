// Errors of connections, as they travel in absl::Status: the message is what stock prints for them
// ("Connection refused", "End of file", "Protocol error"), the errno value rides as a payload.
#ifndef SERVER_BASE_IO_ERROR_H_
#define SERVER_BASE_IO_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace base {

// An error with the text of `error` (an errno value, positive).
absl::Status IoError(int error);
// The same errno with a text of its own.
absl::Status IoError(int error, absl::string_view text);
// The peer closed the connection in an orderly way: "End of file".
absl::Status EndOfFile();

// The errno value of a status made here; 0 for OK, -1 for EndOfFile, EPROTO for foreign statuses.
int ErrorNumber(const absl::Status& status);

// strerror, thread-safe.
std::string ErrnoText(int error);

}  // namespace base

#endif  // SERVER_BASE_IO_ERROR_H_
