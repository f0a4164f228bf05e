// OVSDB errors (RFC 7047 section 3.1 <error>, 4.1.3): how they travel in absl::Status.
//
// The error string that clients match ("constraint violation") and the JSON text it is about ride
// as payloads; the status message is the `details`. The absl code is only a coarse class.
#ifndef OVSDB_ERROR_H_
#define OVSDB_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"

namespace ovsdb {

// Error strings of RFC 7047 and of stock's extensions.
inline constexpr char kSyntaxError[] = "syntax error";
inline constexpr char kConstraintViolation[] = "constraint violation";
inline constexpr char kReferentialIntegrity[] = "referential integrity violation";
inline constexpr char kNotAllowed[] = "not allowed";
inline constexpr char kPermissionError[] = "permission error";
inline constexpr char kTimedOut[] = "timed out";
inline constexpr char kAborted[] = "aborted";
inline constexpr char kNotOwner[] = "not owner";
inline constexpr char kIoError[] = "I/O error";

// An error with an error string and details (which may be empty: then the object has none).
absl::Status Error(absl::string_view error, absl::string_view details);

// An error about a piece of input: `syntax` in the object is its sorted JSON text.
absl::Status ErrorAbout(const Json& json, absl::string_view error, absl::string_view details);
// The common case: error string "syntax error".
absl::Status SyntaxError(const Json& json, absl::string_view details);

// "I/O error" with what the operating system said ("No space left on device"), which becomes the
// member "io-error".
absl::Status IoError(absl::string_view details, absl::string_view reason);

// The error string of a status; "internal error" for one that was not made here. Requires !ok().
std::string ErrorString(const absl::Status& status);
// Whether it was made here.
bool IsOvsdbError(const absl::Status& status);
// The `syntax` text, or empty.
std::string ErrorSyntax(const absl::Status& status);

// Appends {"details":...,"error":...,"io-error":...,"syntax":...}, the members that there are.
// Requires !ok().
void AppendError(const absl::Status& status, std::string* out);

// For logs and tools: "syntax "SYNTAX": ERROR: DETAILS (REASON)" with the parts that there are, as stock
// prints.
std::string ErrorText(const absl::Status& status);

}  // namespace ovsdb

#endif  // OVSDB_ERROR_H_
