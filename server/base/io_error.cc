#include "server/base/io_error.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace base {
namespace {

constexpr char kErrnoPayload[] = "errno";

}  // namespace

std::string ErrnoText(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);
}

absl::Status IoError(int error) { return IoError(error, ErrnoText(error)); }

absl::Status IoError(int error, absl::string_view text) {
  absl::Status status = absl::UnavailableError(text);
  status.SetPayload(kErrnoPayload, absl::Cord(absl::StrCat(error)));
  return status;
}

absl::Status EndOfFile() { return absl::OutOfRangeError("End of file"); }

int ErrorNumber(const absl::Status& status) {
  if (status.ok()) return 0;
  if (absl::IsOutOfRange(status)) return -1;
  int error = EPROTO;
  const auto payload = status.GetPayload(kErrnoPayload);
  if (payload.has_value() && !absl::SimpleAtoi(std::string(*payload), &error)) return EPROTO;
  return error;
}

}  // namespace base
